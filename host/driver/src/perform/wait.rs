//! Waiting until objects are ready, saying why they are not.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;
use sheave_blueprint::Condition;
use sheave_cluster::Waiting;
use sheave_engine::{AwaitRequest, Failure};
use sheave_manifest::Readiness;
use sheave_model::event::What;
use sheave_model::plugin::ObjectId;
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
        let mut rules: BTreeMap<ObjectId, Condition> = BTreeMap::new();
        for object in &here {
            awaited.push((object.id.clone(), object.uid.clone()));
            let own = match &object.ready_when {
                Some(text) => Some(Condition::parse(text).map_err(|faults| {
                    let why = faults.first().map_or("no reason", |d| d.summary.as_str());
                    fault(Diagnostic::error("plugin.bad-reply", format!("`ready-when` of {} is wrong: {why}", object.id)))
                })?),
                None => None,
            };
            if let Some(rule) = own.or_else(|| request.ready_when.clone()) {
                rules.insert(object.id.clone(), rule);
            }
        }
        let progress = |object: &ObjectId, waiting: &Waiting| {
            context.tell(What::Waiting {
                address: request.address.clone(),
                object: Some(object.clone()),
                reason: context.mask().text(&waiting.to_string()),
                percent: None,
            });
        };
        let judge = |id: &ObjectId, live: &Json| judge(rules.get(id), live);
        let ready = tokio::select! {
            ready = cluster.await_ready(awaited, judge, timeout, progress) => ready.map_err(|e| fault(e.diagnostic()))?,
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
