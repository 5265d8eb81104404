//! Looking without changing: status, outputs, events, the state's records, the types there are.

use std::collections::BTreeMap;

use sheave_model::event::Event;
use sheave_model::plan::Purpose;
use sheave_model::stack::StackState;
use sheave_model::{Address, Diagnostic, Masked, Sources, TypeCatalog, TypeSchema, Value};
use sheave_secrets::Sealer;
use sheave_state::Store as _;

use crate::amend::no_resource;
use crate::driver::{Driver, explained, state_fault};
use crate::lock::LockFile;
use crate::plugins::{Lock, PluginSet};
use crate::request::{Fault, OutputsReport, Report, StatusReport};
use crate::status::StatusWatch;

impl Driver {
    /// The recorded state of the stack that is meant; a fault where there is none.
    pub(crate) async fn recorded(&self) -> Result<StackState, Fault> {
        let store = self.open_store().await?;
        let stack = self.stack_name(Purpose::Destroy, &store).await?;
        let found = store.load(&stack).await.map_err(|e| state_fault(&e))?;
        found.ok_or_else(|| {
            let summary = format!("there is no stack `{stack}` in `{}`", self.settings.state);
            explained(
                Diagnostic::error("stack.none", summary)
                    .with_help("`sheave apply` makes it; `--stack` names another"),
            )
        })
    }

    /// The live stack, asked now.
    pub async fn status(&self) -> Result<StatusReport, Fault> {
        self.watch_status().look().await
    }

    /// For looking at the live stack again and again.
    pub fn watch_status(&self) -> StatusWatch<'_> {
        StatusWatch::new(self)
    }

    /// The outputs that the last apply left.
    pub async fn outputs(&self) -> Result<OutputsReport, Fault> {
        let state = self.recorded().await?;
        let sealer = Sealer::new(&self.key().map_err(explained)?.stack(&state.name));
        let mut outputs = BTreeMap::new();
        for (name, sealed) in &state.outputs {
            outputs.insert(name.clone(), sealer.open(sealed).map_err(|e| explained(e.diagnostic()))?);
        }
        Ok(OutputsReport { stack: state.name, outputs })
    }

    /// The stack's past events, oldest first, at most `limit` of the newest.
    pub async fn events(&self, limit: usize) -> Result<Vec<Event>, Fault> {
        let state = self.recorded().await?;
        let store = self.open_store().await?;
        // The store gives the oldest first: all that it keeps, and of these the newest.
        let kept = store.events(&state.name, 0, u32::MAX).await.map_err(|e| state_fault(&e))?;
        let skip = kept.len().saturating_sub(limit);
        Ok(kept.into_iter().skip(skip).map(|(_, event)| event).collect())
    }

    /// The recorded resources.
    pub async fn state_list(&self) -> Result<Vec<Address>, Fault> {
        Ok(self.recorded().await?.resources.into_keys().collect())
    }

    /// One recorded resource, secrets masked.
    pub async fn state_show(&self, address: &Address) -> Result<Masked, Fault> {
        let state = self.recorded().await?;
        let Some(record) = state.resources.get(address) else {
            return Err(explained(no_resource(address)));
        };
        let key = self.key().map_err(explained)?.stack(&state.name);
        let sealer = Sealer::new(&key);
        let mut shown = serde_json::to_value(record).unwrap_or_default();
        let masked = |sealed| -> Result<serde_json::Value, Fault> {
            let value: Value = sealer.open(sealed).map_err(|e| explained(e.diagnostic()))?;
            Ok(std::sync::Arc::unwrap_or_clone(key.mask(&value).0))
        };
        if let Some(outputs) = &record.outputs {
            shown["outputs"] = masked(outputs)?;
        }
        shown["settings"] = masked(&record.settings)?;
        if let Some(snapshot) = &record.snapshot {
            let size = sealer.open_bytes(&snapshot.private).map(|b| b.len()).unwrap_or_default();
            let private = format!("({size} bytes of the plugin's own)");
            shown["snapshot"] =
                serde_json::json!({"id": snapshot.id, "state": masked(&snapshot.state)?, "private": private});
        }
        Ok(Masked::from(shown))
    }

    /// Takes the lock from its owner; the owner's description, where there was one.
    pub async fn state_unlock(&self) -> Result<Option<String>, Fault> {
        let store = self.open_store().await?;
        let stack = self.stack_name(Purpose::Destroy, &store).await?;
        let owner = store.unlock(&stack, true).await.map_err(|e| state_fault(&e))?;
        Ok(owner.map(|o| o.to_string()))
    }

    /// The types that the blueprint (or, without one, the built-in plugin) offers.
    pub async fn types(&self) -> Result<Vec<TypeSchema>, Fault> {
        let plugins = self.catalog().await?;
        Ok(plugins.all().into_iter().cloned().collect())
    }

    /// The JSON Schema of a whole blueprint file, plugin types included.
    pub async fn editor_schema(&self) -> Result<serde_json::Value, Fault> {
        let plugins = self.catalog().await?;
        Ok(sheave_blueprint::editor_schema(&plugins))
    }

    /// Every type of every plugin of the blueprint, with its schema. A blueprint that is not there, or cannot be read
    /// yet, leaves the built-in plugin: editors ask while one is being written.
    async fn catalog(&self) -> Result<PluginSet, Fault> {
        let host = self.key().and_then(|key| self.host(&key)).map_err(explained)?;
        let mut plugins = PluginSet::default();
        if let Ok(text) = crate::load::read_blueprint(&self.settings.blueprint)
            && let Some((name, content)) = text.files.first()
        {
            let mut sources = Sources::default();
            let id = sources.add(name.as_str(), content.as_str());
            let specs = sheave_blueprint::parse(id, content).syntax.map(|s| s.plugins()).unwrap_or_default();
            let folder = std::path::PathBuf::from(&text.folder);
            let file = LockFile::read(&folder).map_err(explained)?;
            let lock = Lock { file: &file, strict: self.settings.locked };
            let supply = self.supply().map_err(explained)?;
            for spec in specs {
                if let Err(fault) = plugins.add_spec(&host, &supply, &folder, &spec, &lock).await {
                    return Err(Fault::Explained(Box::new(Report { diagnostics: vec![fault], sources })));
                }
            }
        }
        plugins.add_builtin(&host).map_err(explained)?;
        match plugins.describe(&|_| true).await.into_iter().next() {
            Some(fault) => Err(explained(fault)),
            None => Ok(plugins),
        }
    }
}
