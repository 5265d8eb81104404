//! The clusters of one run: connected when first needed, each once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

use sheave_blueprint::Graph;
use sheave_cluster::{Cluster, ClusterError, TargetSettings};
use sheave_model::stack::TargetRecord;
use sheave_model::{Diagnostic, Value};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

use crate::context::locked;
use crate::files::FolderFiles;
use crate::load::evaluate_early;

/// The clusters of one run, by target name.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    known: BTreeMap<String, Target>,
}

#[derive(Debug)]
struct Target {
    /// Known at once, or when the resources that they read are.
    settings: OnceLock<TargetSettings>,
    /// As it was last used.
    before: Option<TargetSettings>,
    /// The cluster that the records speak of.
    recorded: Option<String>,
    cluster: OnceCell<Result<Cluster, Diagnostic>>,
    /// Begun before anybody needed it.
    begun: Mutex<Option<Connecting>>,
}

impl Target {
    fn new(
        settings: OnceLock<TargetSettings>,
        before: Option<TargetSettings>,
        recorded: Option<String>,
    ) -> Self {
        Self { settings, before, recorded, cluster: OnceCell::new(), begun: Mutex::default() }
    }

    async fn connect(&self, name: &str, settings: &TargetSettings) -> Result<Cluster, ClusterError> {
        let begun = locked(&self.begun).take();
        if let Some(mut begun) = begun
            && begun.settings == *settings
            && let Ok(connected) = (&mut begun.task).await
        {
            return connected;
        }
        Cluster::connect(name, settings).await
    }
}

/// A connection that is being made. Given up with this.
#[derive(Debug)]
struct Connecting {
    settings: TargetSettings,
    task: JoinHandle<Result<Cluster, ClusterError>>,
}

impl Drop for Connecting {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Connections that were begun as soon as a blueprint and its inputs were known, by target: they are made while the state is
/// locked and read. What is wrong with one is said when it is needed.
#[derive(Debug, Default)]
pub(crate) struct Begun(BTreeMap<String, Connecting>);

impl Begun {
    /// To all clusters whose settings hang on `inputs` alone.
    pub(crate) fn of(graph: &Graph, inputs: &BTreeMap<String, Value>, stack: &str, folder: &str) -> Self {
        let files = FolderFiles::new(folder);
        let known = graph.targets.iter().filter(|(_, spec)| spec.is_cluster() && spec.references.is_empty());
        let begun = known.filter_map(|(name, spec)| {
            let settings = evaluate_early(graph, &spec.settings, inputs, stack, &files).ok()?;
            let settings = read(name, &settings, folder).ok()?;
            let task = tokio::spawn({
                let (name, settings) = (name.clone(), settings.clone());
                async move { Cluster::connect(&name, &settings).await }
            });
            Some((name.clone(), Connecting { settings, task }))
        });
        Self(begun.collect())
    }
}

impl Targets {
    /// Takes a target of the blueprint in. `settings` was evaluated: a map.
    pub(crate) fn add(
        &mut self,
        name: &str,
        settings: &Value,
        folder: &str,
        recorded: Option<&TargetRecord>,
    ) -> Result<(), Diagnostic> {
        let settings = read(name, settings, folder)?;
        let recorded = recorded.and_then(|r| r.cluster.clone());
        self.known.insert(name.to_owned(), Target::new(OnceLock::from(settings), None, recorded));
        Ok(())
    }

    /// Takes a target in whose settings read resources.
    pub(crate) fn add_late(&mut self, name: &str, recorded: Option<&TargetRecord>) {
        let before = recorded.map(settings_of);
        let recorded = recorded.and_then(|r| r.cluster.clone());
        self.known.insert(name.to_owned(), Target::new(OnceLock::new(), before, recorded));
    }

    /// Takes connections over that were begun before.
    pub(crate) fn take_over(&self, begun: Begun) {
        for (name, connecting) in begun.0 {
            if let Some(target) = self.known.get(&name) {
                *locked(&target.begun) = Some(connecting);
            }
        }
    }

    /// The settings of such a target are known.
    pub(crate) fn connect(&self, name: &str, settings: &Value, folder: &str) -> Result<(), Diagnostic> {
        let settings = read(name, settings, folder)?;
        if let Some(target) = self.known.get(name) {
            let _ = target.settings.set(settings);
        }
        Ok(())
    }

    /// Takes a target in as it was recorded, where the blueprint has none of that name.
    pub(crate) fn add_record(&mut self, name: &str, record: &TargetRecord) {
        self.known.entry(name.to_owned()).or_insert_with(|| {
            Target::new(OnceLock::from(settings_of(record)), None, record.cluster.clone())
        });
    }

    /// The cluster behind a target. One that cannot be reached is asked once a run.
    pub(crate) async fn cluster(&self, name: &str) -> Result<&Cluster, Diagnostic> {
        let target = self
            .known
            .get(name)
            .ok_or_else(|| Diagnostic::error("target.unknown", format!("there is no target `{name}`")))?;
        let Some(settings) = target.settings.get().or(target.before.as_ref()) else {
            let summary = format!("the settings of target `{name}` are not known yet");
            return Err(Diagnostic::error("target.unknown", summary));
        };
        let found = target
            .cluster
            .get_or_init(|| async {
                let cluster = target.connect(name, settings).await.map_err(|e| e.diagnostic())?;
                if let (Some(recorded), Some(now)) = (&target.recorded, cluster.identity().await.ok().flatten())
                    && *recorded != now
                {
                    let summary = format!("target `{name}` is another cluster than the one this stack was applied to");
                    return Err(Diagnostic::error("target.other-cluster", summary).with_help(
                        "point the context back at the old cluster, or use another stack name for the new one",
                    ));
                }
                Ok(cluster)
            })
            .await;
        found.as_ref().map_err(Clone::clone)
    }

    /// The cluster behind a target that was reached already.
    pub(crate) fn reached(&self, name: &str) -> Option<&Cluster> {
        self.known.get(name)?.cluster.get()?.as_ref().ok()
    }

    /// What is kept of a target, once it was reached.
    pub(crate) async fn record(&self, name: &str) -> Option<TargetRecord> {
        let target = self.known.get(name)?;
        let cluster = self.reached(name)?;
        let settings = target.settings.get().or(target.before.as_ref())?;
        Some(TargetRecord {
            context: cluster.context().map(str::to_owned).or_else(|| settings.context.clone()),
            kubeconfig: settings.kubeconfig.as_ref().map(|p| p.to_string_lossy().into_owned()),
            in_cluster: settings.in_cluster,
            namespace: cluster.namespace().to_owned(),
            cluster: cluster.identity().await.ok().flatten(),
            inventory: false,
            http: None,
        })
    }

    /// The namespace of a target that was reached.
    pub(crate) fn namespace(&self, name: &str) -> Option<&str> {
        let cluster = self.known.get(name)?.cluster.get()?.as_ref().ok()?;
        Some(cluster.namespace())
    }

    /// The names of all targets.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.known.keys().map(String::as_str)
    }
}

fn settings_of(record: &TargetRecord) -> TargetSettings {
    TargetSettings {
        context: record.context.clone(),
        kubeconfig: record.kubeconfig.as_ref().map(PathBuf::from),
        in_cluster: record.in_cluster,
        namespace: Some(record.namespace.clone()),
    }
}

/// Settings as evaluated: a map.
fn read(name: &str, settings: &Value, folder: &str) -> Result<TargetSettings, Diagnostic> {
    let text = |key: &str| -> Result<Option<String>, Diagnostic> {
        match settings.at(&format!("/{key}")) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Text(s)) if s.is_empty() => Ok(None),
            Some(Value::Text(s)) => Ok(Some(s.clone())),
            Some(other) => {
                let summary = format!(
                    "target `{name}`: `{key}` must be a string, and is another ({})",
                    other.kind_name()
                );
                Err(Diagnostic::error("blueprint.type-mismatch", summary))
            }
        }
    };
    Ok(TargetSettings {
        context: text("context")?,
        kubeconfig: text("kubeconfig")?.map(|p| PathBuf::from(folder).join(p)),
        in_cluster: matches!(settings.at("/in-cluster"), Some(Value::Bool(true))),
        namespace: text("namespace")?,
    })
}
