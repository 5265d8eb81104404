//! The live stack: what each object says of itself now, and for workloads that are not ready what their pods say.

use std::collections::BTreeMap;

use futures::{StreamExt as _, stream};
use serde_json::Value as Json;
use sheave_manifest::{Controller, PodReason, Readiness, controller_of, explain_pod};
use sheave_model::stack::{ObjectRecord, StackState, Status, TargetRecord};
use sheave_model::{Address, Diagnostic, ObjectId, Sources};

use crate::driver::Driver;
use crate::request::{Fault, Report, StatusReport, StatusRow};
use crate::targets::Targets;

/// Looks at a live stack, and keeps the connections from one look to the next.
#[derive(Debug)]
pub struct StatusWatch<'a> {
    driver: &'a Driver,
    known: Option<(BTreeMap<String, TargetRecord>, Targets)>,
}

/// What was found of an object: none: it is not there. An error: it could not be asked.
type Found = Result<Option<Readiness>, Diagnostic>;

impl<'a> StatusWatch<'a> {
    pub(crate) fn new(driver: &'a Driver) -> Self {
        Self { driver, known: None }
    }

    /// The live stack, asked now.
    pub async fn look(&mut self) -> Result<StatusReport, Fault> {
        let state = self.driver.recorded().await?;
        let targets = match self.known.take() {
            Some((records, targets)) if records == state.targets => targets,
            _ => {
                let mut targets = Targets::default();
                for (name, record) in state.targets.iter().filter(|(_, record)| record.http.is_none()) {
                    targets.add_record(name, record);
                }
                targets
            }
        };
        let report = look(&state, &targets, self.driver.settings.parallelism).await;
        // Who could not be reached is tried anew the next time.
        if report.report.diagnostics.is_empty() {
            self.known = Some((state.targets, targets));
        }
        Ok(report)
    }
}

async fn look(state: &StackState, targets: &Targets, parallelism: usize) -> StatusReport {
    let objects: Vec<(&Address, &ObjectRecord)> =
        state.resources.iter().flat_map(|(a, r)| r.objects.iter().map(move |o| (a, o))).collect();
    let asked = objects.iter().map(async |(address, object)| (*address, *object, ask(targets, object).await));
    let found: Vec<(&Address, &ObjectRecord, Found)> =
        stream::iter(asked).buffered(parallelism.max(1)).collect().await;
    let pods = pods(targets, &found).await;
    let mut diagnostics: BTreeMap<String, Diagnostic> = BTreeMap::new();
    let mut by_address: BTreeMap<&Address, Vec<(&ObjectRecord, Found)>> = BTreeMap::new();
    for (address, object, found) in found {
        if let Err(why) = &found {
            diagnostics.entry(object.target.clone()).or_insert_with(|| why.clone());
        }
        by_address.entry(address).or_default().push((object, found));
    }
    let row = |(address, record): (&Address, &std::sync::Arc<sheave_model::stack::ResourceRecord>)| {
        let mut ready = record.status == Status::Ready;
        let mut objects = Vec::new();
        for (object, found) in by_address.remove(address).unwrap_or_default() {
            ready &= matches!(found, Ok(Some(Readiness::Ready)));
            let said = match found {
                Ok(readiness) => readiness.map(|r| word(&r, pods.get(&key(object)))),
                Err(_) => Some("not asked: the target cannot be reached".to_owned()),
            };
            objects.push((object.target.clone(), object.id.clone(), said));
        }
        StatusRow {
            address: address.clone(),
            type_name: record.type_name.to_string(),
            status: record.status.clone(),
            objects,
            ready,
        }
    };
    let rows = state.resources.iter().map(row).collect();
    let report = Report { diagnostics: diagnostics.into_values().collect(), sources: Sources::default() };
    StatusReport { stack: state.name.clone(), rows, report }
}

async fn ask(targets: &Targets, object: &ObjectRecord) -> Found {
    let live = targets.cluster(&object.target).await?.get(&object.id).await.map_err(|e| e.diagnostic())?;
    Ok(live.map(|live| sheave_manifest::readiness(&live)))
}

/// A workload: target, namespace, kind and name.
type Workload = (String, Option<String>, String, String);

fn key(object: &ObjectRecord) -> Workload {
    let ObjectId { kind, namespace, name, .. } = &object.id;
    (object.target.clone(), namespace.clone(), kind.clone(), name.clone())
}

/// Kinds that are made of pods.
const OF_PODS: [&str; 5] = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"];

/// What the pods of workloads that are not ready say: one list of pods a namespace that has such.
async fn pods(targets: &Targets, found: &[(&Address, &ObjectRecord, Found)]) -> BTreeMap<Workload, String> {
    let slow = |f: &Found| matches!(f, Ok(Some(Readiness::InProgress { .. } | Readiness::Failed { .. })));
    let workloads = found.iter().filter(|(_, o, f)| slow(f) && OF_PODS.contains(&o.id.kind.as_str()));
    let mut places: Vec<(&str, &str)> =
        workloads.filter_map(|(_, o, _)| Some((o.target.as_str(), o.id.namespace.as_deref()?))).collect();
    places.sort_unstable();
    places.dedup();
    let mut said = BTreeMap::new();
    for (target, namespace) in places {
        // Who may not list pods goes without: the workload's own word stands.
        let Ok(cluster) = targets.cluster(target).await else { continue };
        let Ok(pods) = cluster.list("v1", "Pod", Some(namespace), None).await else { continue };
        for (Controller { kind, name }, reason) in worst(&pods) {
            said.insert((target.to_owned(), Some(namespace.to_owned()), kind, name), reason);
        }
    }
    said
}

/// For each workload the most serious of its pods' reasons, and how many pods have it.
fn worst(pods: &[Json]) -> Vec<(Controller, String)> {
    let mut reasons: BTreeMap<(String, String), (PodReason, String, usize)> = BTreeMap::new();
    for pod in pods {
        let (Some(of), Some(reason)) = (controller_of(pod), explain_pod(pod)) else { continue };
        let name = pod.pointer("/metadata/name").and_then(Json::as_str).unwrap_or_default();
        let fresh = || (reason.clone(), name.to_owned(), 0);
        let kept = reasons.entry((of.kind, of.name)).or_insert_with(fresh);
        if reason.serious && !kept.0.serious {
            *kept = fresh();
        }
        kept.2 += usize::from(kept.0.reason == reason.reason);
    }
    let word = |(reason, pod, alike): (PodReason, String, usize)| match alike {
        0 | 1 => format!("pod {pod}: {reason}"),
        n => format!("{n} pods, such as {pod}: {reason}"),
    };
    reasons.into_iter().map(|((kind, name), said)| (Controller { kind, name }, word(said))).collect()
}

fn word(readiness: &Readiness, pods: Option<&String>) -> String {
    let said = match readiness {
        Readiness::Ready => return "ready".to_owned(),
        Readiness::InProgress { reason } => format!("in progress: {reason}"),
        Readiness::Failed { rule, reason } => format!("failed ({rule}): {reason}"),
        Readiness::Terminating => "being deleted".to_owned(),
        Readiness::Absent => "not there".to_owned(),
    };
    match pods {
        Some(pods) => format!("{said}; {pods}"),
        None => said,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(name: &str, reason: &str) -> Json {
        json!({
            "metadata": {"name": name, "labels": {"pod-template-hash": "abc"},
                "ownerReferences": [{"controller": true, "kind": "ReplicaSet", "name": "web-abc"}]},
            "status": {"phase": "Pending", "containerStatuses": [{"name": "web", "ready": false, "restartCount": 0,
                "state": {"waiting": {"reason": reason, "message": "no such image"}}}]},
        })
    }

    #[test]
    fn the_most_serious_reason_of_a_workloads_pods_is_told() {
        let pods =
            [pod("web-1", "ContainerCreating"), pod("web-2", "ErrImagePull"), pod("web-3", "ErrImagePull")];
        let said = worst(&pods);
        assert_eq!(said.len(), 1);
        assert_eq!((said[0].0.kind.as_str(), said[0].0.name.as_str()), ("Deployment", "web"));
        assert!(said[0].1.starts_with("2 pods, such as web-2: ErrImagePull"), "{}", said[0].1);
        let readiness = Readiness::InProgress { reason: "0 of 1 replicas are ready".into() };
        assert_eq!(
            word(&readiness, Some(&"pod web-1: Unschedulable".to_owned())),
            "in progress: 0 of 1 replicas are ready; pod web-1: Unschedulable"
        );
        assert_eq!(word(&Readiness::Ready, Some(&String::new())), "ready");
    }
}
