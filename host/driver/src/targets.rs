//! The clusters of one run: connected when first needed, each once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use sheave_cluster::{Cluster, TargetSettings};
use sheave_model::stack::TargetRecord;
use sheave_model::{Diagnostic, Value};
use tokio::sync::OnceCell;

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
        let target =
            Target { settings: OnceLock::from(settings), before: None, recorded, cluster: OnceCell::new() };
        self.known.insert(name.to_owned(), target);
        Ok(())
    }

    /// Takes a target in whose settings read resources.
    pub(crate) fn add_late(&mut self, name: &str, recorded: Option<&TargetRecord>) {
        let target = Target {
            settings: OnceLock::new(),
            before: recorded.map(settings_of),
            recorded: recorded.and_then(|r| r.cluster.clone()),
            cluster: OnceCell::new(),
        };
        self.known.insert(name.to_owned(), target);
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
        self.known.entry(name.to_owned()).or_insert_with(|| Target {
            settings: OnceLock::from(settings_of(record)),
            before: None,
            recorded: record.cluster.clone(),
            cluster: OnceCell::new(),
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
                let cluster = Cluster::connect(name, settings).await.map_err(|e| e.diagnostic())?;
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
