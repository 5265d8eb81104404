//! Asks the plugin what a case asks, in the order in which a run would.

use serde_json::{Map, Value, json};
use sheave_plugin_host::wire::{
    Change, Doc, Failure, Live, MarkKind, Planned, PluginDiagnostic, Snapshot, Step,
};
use sheave_plugin_host::{CallError, Plugin};

use super::case::Case;

/// How often a provider may say that it has not finished: beyond it, it never will.
const MOST_STEPS: usize = 100;

/// The answer, as it is written down.
pub(super) async fn run(plugin: &Plugin, case: &Case) -> Value {
    let mut answer = Map::new();
    if let Err(failure) = asked(plugin, case, &mut answer).await {
        answer.insert("failure".to_owned(), failed(&failure));
    }
    Value::Object(answer)
}

async fn asked(plugin: &Plugin, case: &Case, answer: &mut Map<String, Value>) -> Result<(), CallError> {
    match &case.emits {
        Some((props, live)) => {
            let props = checked(plugin, case, props, answer).await?;
            let objects = plugin.render(&case.of, &props, &[]).await?;
            let objects = objects.into_iter().map(|o| {
                let mut one = Map::new();
                one.insert("slot".to_owned(), o.slot.into());
                put(&mut one, "target", (!o.target.is_empty()).then(|| o.target.into()));
                put(&mut one, "after", list(o.after));
                put(&mut one, "ready-when", o.ready_when.map(Value::from));
                put(&mut one, "restart-on", list(o.restart_on));
                one.insert("manifest".to_owned(), tree(&o.manifest));
                Value::Object(one)
            });
            answer.insert("objects".to_owned(), objects.collect());
            if let Some(live) = live {
                let body = |body: &Value| Doc { json: body.to_string(), marks: Vec::new() };
                let live: Vec<Live> = live
                    .iter()
                    .map(|(slot, b)| Live { slot: slot.clone(), body: b.as_ref().map(body) })
                    .collect();
                let seen = plugin.observe(&case.of, &props, &live).await?;
                let mut observed = Map::new();
                observed.insert("ready".to_owned(), seen.ready.into());
                put(&mut observed, "reason", (!seen.reason.is_empty()).then(|| seen.reason.into()));
                observed.insert("outputs".to_owned(), tree(&seen.outputs));
                answer.insert("observed".to_owned(), Value::Object(observed));
            }
        }
        None => {
            let (mut prior, mut steps) = (None, Vec::new());
            for (n, desired) in case.steps.iter().enumerate() {
                let mut step = Map::new();
                let done = change(plugin, case, n, &mut prior, desired.as_ref(), &mut step).await;
                if let Err(failure) = &done {
                    step.insert("failure".to_owned(), failed(failure));
                }
                steps.push(Value::Object(step));
                if done.is_err() {
                    break;
                }
            }
            answer.insert("steps".to_owned(), steps.into());
        }
    }
    Ok(())
}

async fn change(
    plugin: &Plugin,
    case: &Case,
    n: usize,
    prior: &mut Option<Snapshot>,
    desired: Option<&Doc>,
    answer: &mut Map<String, Value>,
) -> Result<(), CallError> {
    let desired = match desired {
        Some(props) => Some(checked(plugin, case, props, answer).await?),
        None => None,
    };
    let mut what = Change { of: case.of.clone(), prior: prior.take(), desired };
    let agreed = plugin.plan(&what).await?;
    if what.desired.is_some() {
        answer.insert("planned".to_owned(), planned(&agreed));
    }
    if what.desired.as_ref().is_some_and(|d| d.marks.iter().any(|m| m.kind == MarkKind::Unknown)) {
        // Nothing is carried out before everything is known.
        *prior = what.prior;
        return Ok(());
    }
    if !agreed.replace.is_empty() && what.prior.is_some() {
        let gone = Change { desired: None, ..what.clone() };
        carry_out(plugin, &gone, &agreed, &format!("golden-{n}-delete"), answer).await?;
        what.prior = None;
    }
    *prior = carry_out(plugin, &what, &agreed, &format!("golden-{n}"), answer).await?;
    if prior.is_none() {
        answer.insert("gone".to_owned(), true.into());
    }
    if let Some(there) = prior {
        answer.insert("resource".to_owned(), snapshot(there));
        let read = plugin.read(&case.of, there).await?;
        if read.as_ref() != Some(there) {
            answer.insert("read".to_owned(), read.as_ref().map_or(Value::Null, snapshot));
        }
    }
    Ok(())
}

async fn carry_out(
    plugin: &Plugin,
    what: &Change,
    agreed: &Planned,
    key: &str,
    answer: &mut Map<String, Value>,
) -> Result<Option<Snapshot>, CallError> {
    let (mut resume, mut waits) = (None, Vec::new());
    for _ in 0..MOST_STEPS {
        match plugin.apply(what, agreed, key, resume.as_deref()).await? {
            Step::Done(there) => {
                put(answer, "waited", (!waits.is_empty()).then_some(waits.into()));
                return Ok(there);
            }
            Step::Partial { left, why } => {
                put(answer, "waited", (!waits.is_empty()).then_some(waits.into()));
                answer.insert("tainted".to_owned(), diagnostics(&why));
                return Ok(Some(left));
            }
            Step::Pending { resume: next, after_ms, message, percent } => {
                let mut one = Map::new();
                one.insert("message".to_owned(), message.into());
                put(&mut one, "after-ms", (after_ms > 0).then(|| after_ms.into()));
                put(&mut one, "percent", percent.map(Value::from));
                waits.push(Value::Object(one));
                resume = Some(next);
            }
        }
    }
    answer.insert("waited".to_owned(), format!("more than {MOST_STEPS} times").into());
    Ok(None)
}

/// The properties with defaults filled in; what was warned of is part of the answer.
async fn checked(
    plugin: &Plugin,
    case: &Case,
    props: &Doc,
    answer: &mut Map<String, Value>,
) -> Result<Doc, CallError> {
    let (filled, warnings) = plugin.check_and_hear(&case.of, props).await?;
    put(answer, "warnings", (!warnings.is_empty()).then(|| diagnostics(&warnings)));
    Ok(filled)
}

fn planned(agreed: &Planned) -> Value {
    let mut out = Map::new();
    let mut outputs = tree(&agreed.outputs);
    for mark in &agreed.outputs.marks {
        if let Some(leaf) = outputs.pointer_mut(&mark.pointer) {
            *leaf = "(known after apply)".into();
        }
    }
    out.insert("outputs".to_owned(), outputs);
    put(&mut out, "replace", list(agreed.replace.clone()));
    put(&mut out, "notes", (!agreed.notes.is_empty()).then(|| diagnostics(&agreed.notes)));
    Value::Object(out)
}

fn snapshot(of: &Snapshot) -> Value {
    let mut out = Map::new();
    out.insert("id".to_owned(), of.id.clone().into());
    out.insert("state".to_owned(), tree(&of.state));
    out.insert("outputs".to_owned(), tree(&of.outputs));
    put(&mut out, "private-bytes", (!of.private_data.is_empty()).then(|| of.private_data.len().into()));
    Value::Object(out)
}

fn failed(failure: &CallError) -> Value {
    let one = |kind: &str, why: &PluginDiagnostic| json!({kind: diagnostic(why)});
    match failure {
        CallError::Answer(Failure::Invalid(faults)) => json!({"invalid": diagnostics(faults)}),
        CallError::Answer(Failure::NotFound) => json!("not-found"),
        CallError::Answer(Failure::Denied(why)) => one("denied", why),
        CallError::Answer(Failure::Conflict(why)) => one("conflict", why),
        CallError::Answer(Failure::Retry { why, .. }) => one("retry", why),
        CallError::Answer(Failure::Other(why)) => one("other", why),
        // A trap, a limit, or an answer that is none: the host's word on it.
        broken => {
            let d = broken.diagnostic();
            json!({"broken": {"code": d.code, "summary": d.summary, "detail": d.detail}})
        }
    }
}

fn diagnostics(all: &[PluginDiagnostic]) -> Value {
    all.iter().map(diagnostic).collect()
}

fn diagnostic(d: &PluginDiagnostic) -> Value {
    let mut out = Map::new();
    out.insert("code".to_owned(), d.code.clone().into());
    out.insert("summary".to_owned(), d.summary.clone().into());
    put(&mut out, "detail", (!d.detail.is_empty()).then(|| d.detail.clone().into()));
    put(&mut out, "at", d.pointer.clone().map(Value::from));
    Value::Object(out)
}

fn tree(doc: &Doc) -> Value {
    // The host has read it already.
    serde_json::from_str(&doc.json).unwrap_or_default()
}

fn list(all: Vec<String>) -> Option<Value> {
    (!all.is_empty()).then(|| all.into())
}

fn put(map: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        map.insert(key.to_owned(), value);
    }
}
