//! The stack's inventory in each cluster: one parent object, widened before anything is applied, narrowed after pruning.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sheave_cluster::{ApplyOptions, Cluster};
use sheave_manifest::{Parent, Scope};
use sheave_model::plugin::ObjectId;
use sheave_model::{Diagnostic, plan::Plan};
use tokio::sync::Mutex;

use crate::context::Context;
use crate::failpoint;

/// The inventories of one run, by target.
#[derive(Debug, Default)]
pub(crate) struct Inventories {
    /// What the run will apply, and what its parent says already.
    scopes: Arc<Mutex<BTreeMap<String, Known>>>,
}

#[derive(Debug, Default)]
struct Known {
    wanted: Scope,
    said: Said,
}

impl Known {
    /// Whether the parent says just this. It speaks of the namespace that it stands in by standing there.
    fn says(&self, scope: &Scope, home: &str) -> bool {
        let with_home = |scope: &Scope| {
            let mut scope = scope.clone();
            scope.namespaces.insert(home.to_owned());
            scope
        };
        let said = match &self.said {
            Said::Scope(said) => with_home(said),
            Said::Unread | Said::Missing => with_home(&Scope::default()),
        };
        said == with_home(scope)
    }
}

/// What the live parent says.
#[derive(Debug, Default)]
enum Said {
    /// It was not looked for yet.
    #[default]
    Unread,
    Missing,
    Scope(Scope),
}

impl Context {
    /// The stack's parent object in a cluster; none before the first apply.
    pub(crate) fn parent(&self, cluster: &Cluster) -> Option<Parent> {
        self.uuid.get().map(|uuid| Parent::new(uuid, cluster.namespace()))
    }

    /// Takes in what a plan will apply, so that each parent is widened once, and begins with that: whoever widens one waits for
    /// it. What does not succeed is tried again, and said, when it is widened.
    pub(crate) async fn foresee(self: &Arc<Self>, plan: &Plan) {
        use sheave_model::plan::Action;
        let mut homeless = BTreeSet::new();
        let mut scopes = Arc::clone(&self.inventories.scopes).lock_owned().await;
        for object in plan.resources.iter().flat_map(|r| &r.objects) {
            if matches!(object.action, Action::Create | Action::Update | Action::Replace) {
                let known = scopes.entry(object.target.clone()).or_default();
                known.wanted.add(Scope::of([&object.object]));
                let cluster = self.targets.reached(&object.target);
                if cluster.is_some_and(|cluster| is_home(&object.object, cluster.namespace())) {
                    homeless.insert(object.target.clone());
                }
            }
        }
        let context = Arc::clone(self);
        tokio::spawn(async move {
            for (target, known) in scopes.iter_mut() {
                let Some(cluster) = context.targets.reached(target) else { continue };
                let Some(parent) = context.parent(cluster) else { continue };
                // The parent bears the stack's uuid, which a new stack has got only now.
                known.said = if context.state.uuid.is_empty() {
                    Said::Missing
                } else {
                    context.read_parent(cluster, &parent).await.unwrap_or_default()
                };
                if !homeless.contains(target) {
                    let _ = context.widen_known(cluster, &parent, known).await;
                }
            }
        });
    }

    /// Lets a parent that was looked for speak of all that is wanted.
    async fn widen_known(
        &self,
        cluster: &Cluster,
        parent: &Parent,
        known: &mut Known,
    ) -> Result<(), Diagnostic> {
        let scope = match &known.said {
            Said::Unread => return Ok(()),
            Said::Scope(said) if said.holds(&known.wanted) => return Ok(()),
            Said::Scope(said) => said.widened(&known.wanted),
            Said::Missing => known.wanted.clone(),
        };
        self.write_parent(cluster, parent, &scope).await?;
        known.said = Said::Scope(scope);
        Ok(())
    }

    async fn read_parent(&self, cluster: &Cluster, parent: &Parent) -> Result<Said, Diagnostic> {
        let live = cluster.get(&parent.object_id()).await.map_err(|e| self.clean(e.diagnostic()))?;
        let Some(live) = live else { return Ok(Said::Missing) };
        parent.scope_of(&live).map(Said::Scope).map_err(|e| {
            let summary = format!("the inventory object {} is not ours: {e}", parent.name);
            Diagnostic::error("inventory.foreign", summary)
        })
    }

    /// Sees to it that the parent speaks of `id` before it is applied. The namespace that the parent stands in cannot
    /// wait for it.
    pub(crate) async fn widen(&self, target: &str, id: &ObjectId) -> Result<(), Diagnostic> {
        let cluster = self.targets.cluster(target).await?;
        let Some(parent) = self.parent(cluster) else { return Ok(()) };
        if is_home(id, &parent.namespace) {
            return Ok(());
        }
        let mut scopes = self.inventories.scopes.lock().await;
        let known = scopes.entry(target.to_owned()).or_default();
        if matches!(known.said, Said::Unread) {
            known.said = self.read_parent(cluster, &parent).await?;
        }
        let one = Scope::of([id]);
        if let Said::Scope(said) = &known.said
            && said.holds(&one)
        {
            return Ok(());
        }
        known.wanted.add(one);
        self.widen_known(cluster, &parent, known).await
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
        let applied = cluster.apply(&object, &options).await;
        failpoint::pass("inventory");
        applied.map(|_| ()).map_err(|e| self.clean(e.diagnostic()))
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

    /// Whether each of these parents, as far as this run has read or written it, says just what is there: then there is nothing to
    /// narrow, and nothing is asked.
    pub(crate) async fn are_exact(
        &self,
        members: &BTreeMap<String, Vec<ObjectId>>,
        touched: &[String],
    ) -> bool {
        let scopes = self.inventories.scopes.lock().await;
        touched.iter().all(|target| {
            let known = (scopes.get(target), self.targets.reached(target), members.get(target));
            let (Some(known), Some(cluster), Some(left)) = known else { return false };
            !left.is_empty() && known.says(&Scope::of(left), cluster.namespace())
        })
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
        if matches!(known.said, Said::Unread) {
            known.said =
                match cluster.get(&parent.object_id()).await.map_err(|e| self.clean(e.diagnostic()))? {
                    None => Said::Missing,
                    // One that cannot be read is written anew.
                    Some(live) => parent.scope_of(&live).map_or(Said::Missing, Said::Scope),
                };
        }
        if !known.says(&scope, &parent.namespace) {
            self.write_parent(cluster, &parent, &scope).await?;
            known.said = Said::Scope(scope);
        }
        Ok(())
    }
}

/// Whether an object is the namespace that a parent stands in.
fn is_home(id: &ObjectId, namespace: &str) -> bool {
    id.api_version == "v1" && id.kind == "Namespace" && id.name == namespace
}
