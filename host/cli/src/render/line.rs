//! One event as one line for people.

use jiff::Timestamp;
use sheave_model::Severity;
use sheave_model::event::{Event, RunOutcome, What};
use sheave_model::plan::{Action, Counts};

use super::outside;
use crate::look::Paint;

/// `web: waiting for Deployment blog/web: 1 of 2 replicas are ready`. Never more than one line, and no control
/// character but colours.
pub(crate) fn event(event: &Event, paint: Paint) -> String {
    let of = |address: &sheave_model::Address| paint.bold(outside::line(&address.to_string())).to_string();
    match &event.what {
        What::Planned { address, action, objects } => {
            let objects = match objects.len() {
                0 => String::new(),
                n => format!(", {}", super::plan::count(n, "object")),
            };
            format!("{}: planned: {}{objects}", of(address), verb(*action))
        }
        What::Started { address, action } => format!("{}: {}", of(address), doing(*action)),
        What::Waiting { address, object, reason, percent } => {
            let object = object
                .as_ref()
                .map(|o| format!(" for {}", outside::line(&o.to_string())))
                .unwrap_or_default();
            let percent = percent.map(|p| format!(" ({p}%)")).unwrap_or_default();
            format!("{}: waiting{object}: {}{percent}", of(address), outside::line(reason))
        }
        What::Ready { address, action } => {
            format!("{}: {}", of(address), paint.green(format_args!("ready, {}", done(*action))))
        }
        What::Failed { address, diagnostic } => {
            format!("{}: {} {}", of(address), paint.red("failed:"), brief(diagnostic))
        }
        What::Deleted { address } => format!("{}: {}", of(address), paint.green("deleted")),
        What::ObjectApplied { address, object, created, .. } => {
            let how = if *created { "created" } else { "updated" };
            format!("{}: {} {how}", of(address), outside::line(&object.to_string()))
        }
        What::ObjectDeleted { address, object, .. } => {
            format!("{}: {} deleted", of(address), outside::line(&object.to_string()))
        }
        What::Revealed { address, plugin, secret } => {
            let what = format!("the plugin `{}` saw {}", outside::line(plugin), outside::line(secret));
            format!("{}: {}", of(address), paint.yellow(what))
        }
        What::Diagnostic { diagnostic } => {
            let word = match diagnostic.severity {
                Severity::Error => paint.red("error:").to_string(),
                Severity::Warning => paint.yellow("warning:").to_string(),
                Severity::Note => paint.cyan("note:").to_string(),
            };
            format!("{word} {}", brief(diagnostic))
        }
        What::Finished { outcome, counts, millis } => finished(*outcome, counts, *millis),
    }
}

/// `Done in 12.3 s: 3 created, 1 updated.`
pub(crate) fn finished(outcome: RunOutcome, counts: &Counts, millis: u64) -> String {
    let how = match outcome {
        RunOutcome::Ok => "Done",
        RunOutcome::Failed => "Failed",
        RunOutcome::Cancelled => "Stopped",
    };
    let parts = [
        (counts.create, "created"),
        (counts.update, "updated"),
        (counts.delete, "deleted"),
        (counts.unchanged, "unchanged"),
        (counts.failed, "failed"),
    ];
    let said: Vec<_> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let said = if said.is_empty() { "nothing changed".to_owned() } else { said.join(", ") };
    format!("{how} after {}: {said}.", span(millis))
}

/// Milliseconds as people say them: `0.3 s`, `12 s`, `3 min 5 s`.
pub(crate) fn span(millis: u64) -> String {
    match millis {
        0..10_000 => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        10_000..60_000 => format!("{} s", millis / 1000),
        _ => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1000),
    }
}

/// Milliseconds between two events; none where a time cannot be read.
pub(crate) fn between(earlier: &str, later: &str) -> Option<u64> {
    let read = |text: &str| text.parse::<Timestamp>().ok();
    u64::try_from(read(later)?.as_millisecond() - read(earlier)?.as_millisecond()).ok()
}

fn brief(diagnostic: &sheave_model::Diagnostic) -> String {
    format!("{} [{}]", outside::line(&diagnostic.summary), outside::line(&diagnostic.code))
}

/// `create`.
fn verb(action: Action) -> &'static str {
    match action {
        Action::NoOp => "no change",
        Action::Await => "wait until ready",
        Action::Create => "create",
        Action::Update => "update",
        Action::Replace => "replace",
        Action::Delete => "delete",
        Action::Forget => "forget",
        Action::Release => "take off what is ours",
    }
}

/// `creating`.
pub(crate) fn doing(action: Action) -> &'static str {
    match action {
        Action::NoOp => "checking",
        Action::Await => "waiting until ready",
        Action::Create => "creating",
        Action::Update => "updating",
        Action::Replace => "replacing",
        Action::Delete => "deleting",
        Action::Forget => "forgetting",
        Action::Release => "taking off what is ours",
    }
}

fn done(action: Action) -> &'static str {
    match action {
        Action::NoOp | Action::Await => "unchanged",
        Action::Create => "created",
        Action::Update => "updated",
        Action::Replace => "replaced",
        Action::Delete => "deleted",
        Action::Forget => "forgotten",
        Action::Release => "let go",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(what: serde_json::Value) -> Event {
        let mut event = json!({"at": "2026-01-02T03:04:05.678Z", "stack": "blog"});
        event.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn every_event_has_its_line() {
        let object =
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "blog", "name": "web"});
        let why = json!({"code": "kubernetes.image", "severity": "error", "summary": "the image\ncannot be pulled"});
        let all = [
            json!({"type": "resource.planned", "address": "web", "action": "create",
                   "objects": [{"target": "main", "object": object, "action": "create"}]}),
            json!({"type": "resource.planned", "address": "disk", "action": "replace"}),
            json!({"type": "resource.started", "address": "web", "action": "update"}),
            json!({"type": "resource.waiting", "address": "web", "object": object, "reason": "1 of 2 replicas are ready"}),
            json!({"type": "resource.waiting", "address": "vm[\"eu\"]", "reason": "booting\u{1b}[2J\nnow", "percent": 40}),
            json!({"type": "resource.ready", "address": "web", "action": "create"}),
            json!({"type": "resource.failed", "address": "web", "diagnostic": why}),
            json!({"type": "resource.deleted", "address": "web"}),
            json!({"type": "object.applied", "address": "web", "target": "main", "object": object, "created": true}),
            json!({"type": "object.deleted", "address": "web", "target": "main", "object": object}),
            json!({"type": "diagnostic", "diagnostic": why}),
            json!({"type": "run.finished", "outcome": "failed", "create": 3, "update": 0, "delete": 1, "unchanged": 0,
                   "failed": 1, "millis": 12345}),
        ];
        let lines: Vec<_> = all.into_iter().map(|what| event(&read(what), Paint(false))).collect();
        assert!(lines.iter().all(|l| !l.contains(outside::acts)));
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn times_read_well() {
        assert_eq!(span(0), "0.0 s");
        assert_eq!(span(9_999), "9.9 s");
        assert_eq!(span(59_999), "59 s");
        assert_eq!(span(185_000), "3 min 5 s");
        assert_eq!(between("2026-01-02T03:04:05.678Z", "2026-01-02T03:04:06Z"), Some(322));
        assert_eq!(between("2026-01-02T03:04:06Z", "2026-01-02T03:04:05Z"), None);
        assert_eq!(between("yesterday", "2026-01-02T03:04:05Z"), None);
    }
}
