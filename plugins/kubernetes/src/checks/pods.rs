//! Pod templates: selectors that match, names that are there once, volumes that exist.

use std::collections::HashSet;

use sheave_sdk::{Diagnostic, Value};

use super::names::labels;
use super::{Props, join};

/// A workload's selector against its template's labels: what does not match is refused, or would run for ever.
pub(crate) fn selector_of_template(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    const WANTED: &str = "/spec/selector/matchLabels";
    const GIVEN: &str = "/spec/template/metadata/labels";
    let empty =
        |pointer: &str| props.value.pointer(pointer).and_then(Value::as_object).is_none_or(|m| m.is_empty());
    if props.value.pointer("/spec/selector").is_some()
        && empty(WANTED)
        && props.list("/spec/selector/matchExpressions").next().is_none()
    {
        let why = Diagnostic::error("kubernetes.empty-selector", "the selector selects nothing");
        found.push(
            why.at("/spec/selector").detail("give it `matchLabels` that the template's labels have too"),
        );
    }
    for (key, value) in props.map(WANTED) {
        let (wanted, given) = (join(WANTED, key), join(GIVEN, key));
        // The same token on both sides is equal; any other may become so.
        let open = props.cx.has_token(&wanted) || props.cx.has_token(&given);
        let there = props.value.pointer(&given);
        if there == Some(value) || (open && there.is_some()) {
            continue;
        }
        let why = format!("the selector wants the label `{key}`, which the template's pods do not have");
        let detail = match there {
            Some(other) => format!("the selector says {value}, the template says {other}"),
            None => format!(
                "add `{key}: {}` to spec.template.metadata.labels",
                value.as_str().unwrap_or_default()
            ),
        };
        found.push(Diagnostic::error("kubernetes.selector-mismatch", why).at(wanted).detail(detail));
    }
    labels(props, GIVEN, found);
}

/// A pod that stands alone.
pub(crate) fn pod(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    pods(props, "/spec", found);
}

/// The pods of a workload's template.
pub(crate) fn pods_of_template(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    const POD: &str = "/spec/template/spec";
    restart_policy(props, POD, &["Always"], "leave it out, or write `Always`", found);
    pods(props, POD, found);
}

/// The pods of a job.
pub(crate) fn pods_of_job(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    pods_to_the_end(props, "/spec/template/spec", found);
}

/// The pods of the jobs of a CronJob.
pub(crate) fn pods_of_job_template(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    pods_to_the_end(props, "/spec/jobTemplate/spec/template/spec", found);
}

fn pods_to_the_end(props: &Props<'_>, pod: &str, found: &mut Vec<Diagnostic>) {
    const HELP: &str = "write `Never`, or `OnFailure` to start a failed container again in its pod";
    if props.value.pointer(pod).is_some() && props.value.pointer(&join(pod, "restartPolicy")).is_none() {
        let why = Diagnostic::error("kubernetes.restart-policy", "a job's pods must say `restartPolicy`");
        found.push(why.at(pod).detail(HELP));
    }
    restart_policy(props, pod, &["Never", "OnFailure"], HELP, found);
    pods(props, pod, found);
}

fn restart_policy(props: &Props<'_>, pod: &str, allowed: &[&str], help: &str, found: &mut Vec<Diagnostic>) {
    let at = join(pod, "restartPolicy");
    if let Some(policy) = props.text(&at)
        && !allowed.contains(&policy)
    {
        let why =
            Diagnostic::error("kubernetes.restart-policy", format!("these pods cannot restart `{policy}`"));
        found.push(why.at(at).detail(help));
    }
}

/// A pod's specification at `pod`.
fn pods(props: &Props<'_>, pod: &str, found: &mut Vec<Diagnostic>) {
    if props.value.pointer(&format!("{pod}/containers")).and_then(Value::as_array).is_some_and(Vec::is_empty)
    {
        let why = Diagnostic::error("kubernetes.no-containers", "a pod needs at least one container");
        found.push(why.at(format!("{pod}/containers")));
    }
    let mut volumes = once(props, &[format!("{pod}/volumes")], "name", "volume", found);
    // A StatefulSet's claims are volumes of its pods.
    let claims = props.list("/spec/volumeClaimTemplates");
    volumes.extend(claims.filter_map(|(_, claim)| claim.pointer("/metadata/name")?.as_str()));
    once(props, &[format!("{pod}/initContainers"), format!("{pod}/containers")], "name", "container", found);
    for list in ["initContainers", "containers"] {
        for (container, _) in props.list(&format!("{pod}/{list}")) {
            once(props, &[format!("{container}/env")], "name", "variable", found);
            once(props, &[format!("{container}/ports")], "name", "port", found);
            once(props, &[format!("{container}/volumeMounts")], "mountPath", "mount", found);
            once(props, &[format!("{container}/volumeDevices")], "devicePath", "mount", found);
            mounts(props, &container, &volumes, found);
            sources(props, &container, found);
        }
    }
}

/// Adds a fault for each name that stands a second time in the lists, and gives all names.
fn once<'a>(
    props: &Props<'a>,
    lists: &[String],
    key: &str,
    what: &str,
    found: &mut Vec<Diagnostic>,
) -> HashSet<&'a str> {
    let mut names = HashSet::new();
    for (item, value) in lists.iter().flat_map(|list| props.list(list)) {
        if let Some(name) = value.get(key).and_then(Value::as_str)
            && !names.insert(name)
        {
            let why = format!("the {what} `{name}` stands here twice");
            found.push(Diagnostic::error(format!("kubernetes.duplicate-{what}"), why).at(join(&item, key)));
        }
    }
    names
}

fn mounts(props: &Props<'_>, container: &str, volumes: &HashSet<&str>, found: &mut Vec<Diagnostic>) {
    let lists = ["volumeMounts", "volumeDevices"].map(|list| props.list(&join(container, list)));
    for (mount, _) in lists.into_iter().flatten() {
        let at = join(&mount, "name");
        if let Some(name) = props.text(&at)
            && !volumes.contains(name)
        {
            let mut known: Vec<_> = volumes.iter().copied().collect();
            known.sort_unstable();
            let detail = if known.is_empty() {
                "the pod has none".to_owned()
            } else {
                format!("the pod has {}", known.join(", "))
            };
            let why = format!("there is no volume `{name}` to mount");
            found.push(Diagnostic::error("kubernetes.unknown-volume", why).at(at).detail(detail));
        }
    }
}

fn sources(props: &Props<'_>, container: &str, found: &mut Vec<Diagnostic>) {
    for (variable, value) in props.list(&format!("{container}/env")) {
        if value.get("value").is_some() && value.get("valueFrom").is_some() {
            let why = Diagnostic::error(
                "kubernetes.two-sources",
                "a variable has a `value` or a `valueFrom`, not both",
            );
            found.push(why.at(join(&variable, "valueFrom")));
        }
    }
}

/// When a CronJob runs: told here, since the cluster's own words name no field.
pub(crate) fn schedule(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    const FIELDS: usize = 5;
    const WORDS: [&str; 7] =
        ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
    let Some(text) = props.text("/spec/schedule") else { return };
    let word = WORDS.contains(&text) || text.starts_with("@every ");
    if !word && text.split_whitespace().count() != FIELDS {
        let why = Diagnostic::error("kubernetes.bad-schedule", format!("`{text}` is no schedule"));
        found
            .push(why.at("/spec/schedule").detail(
                "five fields, minute, hour, day, month and weekday, as in `30 4 * * *`; or `@daily`",
            ));
    }
}
