//! Waiting until objects are ready, saying why they are not.

use std::sync::Arc;

use serde_json::Value as Json;
use sheave_blueprint::Condition;
use sheave_cluster::{AwaitTarget, Progress};
use sheave_engine::{AwaitRequest, Failure};
use sheave_manifest::Readiness;
use sheave_model::event::What;
use sheave_model::{Diagnostic, Value};

use crate::context::{Context, interrupted};

/// Waits until all objects are ready.
pub(crate) async fn wait(context: &Context, request: AwaitRequest) -> Result<(), Failure> {
    let fault = |d: Diagnostic| Failure::world(vec![context.clean(d).on(request.address.clone())]);
    let timeout = request.timeout.unwrap_or(context.timeout);
    let mut live: Vec<(String, Arc<Json>)> = Vec::new();
    // Targets one after the other: nearly always there is one.
    let mut targets: Vec<&str> = request.objects.iter().map(|o| o.target.as_str()).collect();
    targets.sort_unstable();
    targets.dedup();
    for target in targets {
        let cluster = context.targets.cluster(target).await.map_err(fault)?;
        let here: Vec<_> = request.objects.iter().filter(|o| o.target == target).collect();
        let mut awaited = Vec::with_capacity(here.len());
        for object in &here {
            let own = match &object.ready_when {
                Some(text) => Some(Condition::parse(text).map_err(|faults| {
                    let why = faults.first().map_or("no reason", |d| d.summary.as_str());
                    fault(Diagnostic::error(
                        "plugin.bad-reply",
                        format!("`ready-when` of {} is wrong: {why}", object.id),
                    ))
                })?),
                None => None,
            };
            let rule = own.or_else(|| request.ready_when.clone());
            awaited.push(AwaitTarget {
                id: object.id.clone(),
                uid: object.uid.clone(),
                seen: context.live.take_applied(&request.address, &object.slot),
                judge: Box::new(move |live: &Json| judge(rule.as_ref(), live)),
            });
        }
        let progress = |p: Progress<'_>| {
            context.tell(What::Waiting {
                address: request.address.clone(),
                object: Some(p.object.clone()),
                reason: context.mask().text(&p.reason),
                percent: None,
            });
        };
        let ready = tokio::select! {
            ready = cluster.await_ready(awaited, timeout, progress) => ready.map_err(|e| fault(e.diagnostic()))?,
            () = context.interrupted() => return Err(fault(interrupted())),
        };
        live.extend(here.iter().map(|o| o.slot.clone()).zip(ready.into_iter().map(Arc::new)));
    }
    if request.slot.is_none() {
        context.live.keep_awaited(&request.address, live);
    }
    Ok(())
}

/// The kind's rule, or the author's or user's own.
fn judge(rule: Option<&Condition>, live: &Json) -> Readiness {
    let Some(rule) = rule else { return sheave_manifest::readiness(live) };
    if live.pointer("/metadata/deletionTimestamp").is_some() {
        return sheave_manifest::readiness(live);
    }
    match rule.holds(&Value::from_json(live)) {
        Ok(true) => Readiness::Ready,
        Ok(false) => Readiness::InProgress { reason: format!("waiting for `{}`", rule.text()) },
        Err(why) => Readiness::Failed { rule: "ready-when", reason: why.summary },
    }
}
