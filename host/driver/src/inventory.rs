//! The stack's inventory in each cluster: one parent object, widened before anything is applied, narrowed after pruning.

use std::collections::BTreeMap;

use sheave_cluster::{ApplyOptions, Cluster};
use sheave_manifest::{Parent, Scope};
use sheave_model::plugin::ObjectId;
use sheave_model::{Diagnostic, plan::Plan};
use tokio::sync::Mutex;

use crate::context::Context;

/// The inventories of one run, by target.
#[derive(Debug, Default)]
pub(crate) struct Inventories {
    /// What the run will apply, and what its parent says already.
    scopes: Mutex<BTreeMap<String, Known>>,
}

#[derive(Debug, Default)]
struct Known {
    wanted: Scope,
    /// What the live parent says; none: it was not asked for yet.
    said: Option<Scope>,
}

impl Context {
    /// The stack's parent object in a cluster; none before the first apply.
    pub(crate) fn parent(&self, cluster: &Cluster) -> Option<Parent> {
        self.uuid.get().map(|uuid| Parent::new(uuid, cluster.namespace()))
    }

    /// Takes in what a plan will apply, so that each parent is widened once.
    pub(crate) async fn foresee(&self, plan: &Plan) {
        use sheave_model::plan::Action;
        let mut scopes = self.inventories.scopes.lock().await;
        for object in plan.resources.iter().flat_map(|r| &r.objects) {
            if matches!(object.action, Action::Create | Action::Update | Action::Replace) {
                let known = scopes.entry(object.target.clone()).or_default();
                known.wanted = known.wanted.widened(&Scope::of([&object.object]));
            }
        }
    }

    /// Sees to it that the parent speaks of `id` before it is applied. The namespace that the parent stands in cannot
    /// wait for it.
    pub(crate) async fn widen(&self, target: &str, id: &ObjectId) -> Result<(), Diagnostic> {
        let cluster = self.targets.cluster(target).await?;
        let Some(parent) = self.parent(cluster) else { return Ok(()) };
        if id.api_version == "v1" && id.kind == "Namespace" && id.name == parent.namespace {
            return Ok(());
        }
        let mut scopes = self.inventories.scopes.lock().await;
        let known = scopes.entry(target.to_owned()).or_default();
        let said = match &known.said {
            Some(said) => said.clone(),
            None => match cluster.get(&parent.object_id()).await.map_err(|e| self.clean(e.diagnostic()))? {
                None => Scope::default(),
                Some(live) => parent.scope_of(&live).map_err(|e| {
                    Diagnostic::error(
                        "inventory.foreign",
                        format!("the inventory object {} is not ours: {e}", parent.name),
                    )
                })?,
            },
        };
        known.wanted = known.wanted.widened(&Scope::of([id]));
        let scope = said.widened(&known.wanted);
        if known.said.is_none() && said == Scope::default() || !said.holds(&scope) {
            self.write_parent(cluster, &parent, &scope).await?;
        }
        known.said = Some(scope);
        Ok(())
    }

    async fn write_parent(
        &self,
        cluster: &Cluster,
        parent: &Parent,
        scope: &Scope,
    ) -> Result<(), Diagnostic> {
        let object = parent.object(&self.stack, env!("CARGO_PKG_VERSION"), scope);
        let options = ApplyOptions { force: true, ..ApplyOptions::default() };
        let _permit = self.permits.acquire().await;
        cluster.apply(&object, &options).await.map(|_| ()).map_err(|e| self.clean(e.diagnostic()))
    }

    /// After a run: each parent says just what is there now; one without members goes. Only parents that the run
    /// touched are looked at, so that a run without changes writes nothing.
    pub(crate) async fn narrow(
        &self,
        members: &BTreeMap<String, Vec<ObjectId>>,
        touched: impl Iterator<Item = String>,
    ) -> Vec<Diagnostic> {
        let mut faults = Vec::new();
        for target in touched {
            let none = Vec::new();
            let left = members.get(&target).unwrap_or(&none);
            if let Err(fault) = self.narrow_one(&target, left).await {
                faults.push(fault);
            }
        }
        faults
    }

    async fn narrow_one(&self, target: &str, left: &[ObjectId]) -> Result<(), Diagnostic> {
        let cluster = self.targets.cluster(target).await?;
        let Some(parent) = self.parent(cluster) else { return Ok(()) };
        if left.is_empty() {
            // With its namespace gone it is gone, too.
            let deleted = cluster.delete(&parent.object_id(), None).await;
            return deleted.map(|_| ()).map_err(|e| self.clean(e.diagnostic()));
        }
        let scope = Scope::of(left);
        let mut scopes = self.inventories.scopes.lock().await;
        let known = scopes.entry(target.to_owned()).or_default();
        let mut exact = scope.clone();
        exact.namespaces.insert(parent.namespace.clone());
        let said = match &known.said {
            Some(said) => said.clone(),
            None => match cluster.get(&parent.object_id()).await.map_err(|e| self.clean(e.diagnostic()))? {
                None => Scope::default(),
                Some(live) => parent.scope_of(&live).unwrap_or_default(),
            },
        };
        let mut said_exact = said.clone();
        said_exact.namespaces.insert(parent.namespace.clone());
        if said_exact != exact {
            self.write_parent(cluster, &parent, &scope).await?;
            known.said = Some(scope);
        }
        Ok(())
    }
}
