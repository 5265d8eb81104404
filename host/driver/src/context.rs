//! What all actions of one run share.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use sheave_engine::{CompiledType, RenderRequest, Rendered};
use sheave_model::event::{Event, What};
use sheave_model::stack::StackState;
use sheave_model::{Address, Diagnostic, Masked, SecretText, TypeName, Value};
use sheave_secrets::{Mask, Sealer, StackKey};
use sheave_state::SqliteStore;
use tokio::sync::{Semaphore, watch};

use crate::connections::Connections;
use crate::definitions::Definitions;
use crate::files::FolderFiles;
use crate::found::Looked;
use crate::inventory::Inventories;
use crate::live::LiveObjects;
use crate::plugins::{Bound, PluginSet};
use crate::request::Watcher;
use crate::targets::Targets;

/// What all actions of one run share.
pub(crate) struct Context {
    pub(crate) stack: String,
    pub(crate) key: StackKey,
    pub(crate) sealer: Sealer,
    pub(crate) plugins: PluginSet,
    plugin_settings: RwLock<BTreeMap<String, Value>>,
    pub(crate) files: Arc<FolderFiles>,
    pub(crate) folder: String,
    pub(crate) types: BTreeMap<TypeName, Arc<CompiledType>>,
    pub(crate) targets: Targets,
    pub(crate) connections: Connections,
    pub(crate) state: StackState,
    /// Names the stack in clusters; set at the first apply.
    pub(crate) uuid: OnceLock<String>,
    pub(crate) timeout: Duration,
    /// How many requests may be in flight at once.
    pub(crate) parallelism: usize,
    /// One for each of them.
    pub(crate) permits: Semaphore,
    pub(crate) watcher: Watcher,
    pub(crate) cancelled: watch::Receiver<u8>,
    /// What was asked to be rendered, for a comparison that finds it must see the objects after all.
    pub(crate) renders: Mutex<BTreeMap<Address, RenderRequest>>,
    /// What the plan was made of, by resource and key: carrying it out needs no second render of the same properties.
    pub(crate) rendered: Mutex<BTreeMap<Address, (String, Rendered)>>,
    /// Secrets by the names that a grant `reveal` gives them.
    pub(crate) revealable: RwLock<Vec<(String, SecretText)>>,
    /// Where it is written down that a secret is shown to a plugin.
    pub(crate) audit: OnceLock<SqliteStore>,
    pub(crate) definitions: Definitions,
    pub(crate) looked: Looked,
    pub(crate) live: LiveObjects,
    pub(crate) inventories: Inventories,
    in_doubt: OnceLock<BTreeMap<Address, Diagnostic>>,
    /// What was warned of: planning and applying check alike, and it is said once.
    warned: Mutex<BTreeSet<(Option<Address>, String, String)>>,
    secrets: RwLock<(HashSet<SecretText>, Arc<Mask>)>,
    /// Texts that resources gave as outputs which are no secrets, such as an address: that somebody puts one into a Secret, too,
    /// does not make it one.
    open: RwLock<HashSet<String>>,
}

/// The shortest text that is masked because of where it stands. The shortest password that anybody accepts, and longer than common words and
/// names of things.
pub(crate) const SHORTEST: usize = 8;

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("stack", &self.stack).finish_non_exhaustive()
    }
}

/// The parts of a [`Context`] that its maker gives.
pub(crate) struct Parts {
    pub(crate) stack: String,
    pub(crate) key: StackKey,
    pub(crate) plugins: PluginSet,
    pub(crate) plugin_settings: BTreeMap<String, Value>,
    pub(crate) files: Arc<FolderFiles>,
    pub(crate) folder: String,
    pub(crate) types: BTreeMap<TypeName, Arc<CompiledType>>,
    pub(crate) targets: Targets,
    pub(crate) connections: Connections,
    pub(crate) state: StackState,
    pub(crate) timeout: Duration,
    pub(crate) parallelism: usize,
    pub(crate) watcher: Watcher,
    pub(crate) cancelled: watch::Receiver<u8>,
}

impl Context {
    pub(crate) fn new(parts: Parts) -> Self {
        let uuid = OnceLock::new();
        if !parts.state.uuid.is_empty() {
            let _ = uuid.set(parts.state.uuid.clone());
        }
        Self {
            sealer: Sealer::new(&parts.key),
            stack: parts.stack,
            key: parts.key,
            plugins: parts.plugins,
            plugin_settings: RwLock::new(parts.plugin_settings),
            files: parts.files,
            folder: parts.folder,
            types: parts.types,
            targets: parts.targets,
            connections: parts.connections,
            state: parts.state,
            uuid,
            timeout: parts.timeout,
            parallelism: parts.parallelism,
            permits: Semaphore::new(parts.parallelism.max(1)),
            watcher: parts.watcher,
            cancelled: parts.cancelled,
            renders: Mutex::default(),
            rendered: Mutex::default(),
            revealable: RwLock::default(),
            audit: OnceLock::new(),
            definitions: Definitions::default(),
            looked: Looked::default(),
            live: LiveObjects::default(),
            inventories: Inventories::default(),
            in_doubt: OnceLock::new(),
            warned: Mutex::default(),
            open: RwLock::default(),
            secrets: RwLock::default(),
        }
    }

    /// Resources that nobody can tell anything of until an operation that was cut off has been finished.
    pub(crate) fn set_in_doubt(&self, addresses: BTreeMap<Address, Diagnostic>) {
        let _ = self.in_doubt.set(addresses);
    }

    /// Why nothing may be done with a resource; none: something may.
    pub(crate) fn doubt(&self, address: &Address) -> Option<Diagnostic> {
        self.in_doubt.get()?.get(address).cloned()
    }

    /// A plugin's settings; none where it has none.
    pub(crate) fn settings_of(&self, plugin: &str) -> Option<Value> {
        self.plugin_settings.read().unwrap_or_else(PoisonError::into_inner).get(plugin).cloned()
    }

    /// A plugin's settings are known.
    pub(crate) fn configure(&self, plugin: &str, settings: Value) {
        self.learn(&settings);
        let mut all = self.plugin_settings.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(plugin.to_owned(), settings);
    }

    /// Masks a value with the stack's keyed digests.
    pub(crate) fn masked(&self, value: &Value) -> Masked {
        self.key.mask(value)
    }

    /// Takes a value's secrets into what is masked everywhere, but for short ones: a schema calls a whole map sensitive,
    /// and masking every `web` because a Secret's user is called so would garble what is no secret.
    pub(crate) fn learn(&self, value: &Value) {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let hidden = |s: &SecretText| s.expose().len() >= SHORTEST && !open.contains(s.expose());
        self.learn_all(secrets_in(value).filter(hidden).collect());
    }

    /// Takes a resource's outputs in, secrets marked: what is none of them is known not to be one.
    pub(crate) fn learn_outputs(&self, outputs: &Value) {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        outputs.each_leaf(&mut |_, leaf| {
            if let Value::Text(text) = leaf
                && text.len() >= SHORTEST
            {
                open.insert(text.clone());
            }
        });
    }

    /// Takes an input's secrets in, however short: the operator called them so.
    pub(crate) fn learn_input(&self, value: &Value) {
        self.learn_all(secrets_in(value).collect());
    }

    /// Takes secrets into what is masked everywhere.
    pub(crate) fn learn_all(&self, found: Vec<SecretText>) {
        if found.is_empty() {
            return;
        }
        let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        let new: Vec<SecretText> =
            found.into_iter().filter(|secret| secrets.0.insert(secret.clone())).collect();
        if !new.is_empty() {
            secrets.1 = Arc::new(secrets.1.with(new));
        }
    }

    /// The mask over every secret known so far.
    pub(crate) fn mask(&self) -> Arc<Mask> {
        self.secrets.read().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// A diagnostic without secrets: servers and plugins may echo what they were given.
    pub(crate) fn clean(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        let mask = self.mask();
        diagnostic.summary = mask.text(&diagnostic.summary);
        diagnostic.detail = diagnostic.detail.map(|d| mask.text(&d));
        diagnostic.help = diagnostic.help.map(|h| mask.text(&h));
        diagnostic
    }

    /// Tells who watches of a warning, once.
    pub(crate) fn warn(&self, warning: Diagnostic) {
        let what = (warning.address.clone(), warning.code.clone(), warning.summary.clone());
        let mut warned = locked(&self.warned);
        if warned.insert(what) {
            self.tell(What::Diagnostic { diagnostic: warning });
        }
    }

    /// Tells who watches.
    pub(crate) fn tell(&self, what: What) {
        let _ = self.watcher.send(self.event(what));
    }

    /// An event of this stack, now.
    pub(crate) fn event(&self, what: What) -> Event {
        Event { at: now(), stack: self.stack.clone(), what }
    }

    pub(crate) fn plugin_of(&self, name: &TypeName) -> Result<&Bound, Diagnostic> {
        self.plugins.bound.get(&name.plugin).ok_or_else(|| {
            Diagnostic::error("plugin.missing", format!("the plugin `{}` is not loaded", name.plugin))
        })
    }

    /// Done when the operator wants the run to stop.
    pub(crate) async fn interrupted(&self) {
        let mut cancelled = self.cancelled.clone();
        // An error means that nobody can cancel any more.
        if cancelled.wait_for(|n| *n > 0).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// What a mutex guards, also where somebody panicked with it: each write to what the run shares is whole.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn secrets_in(value: &Value) -> impl Iterator<Item = SecretText> {
    let mut found = Vec::new();
    value.each_leaf(&mut |_, leaf| {
        if let Value::Secret(secret) = leaf {
            found.push(secret.clone());
        }
    });
    found.into_iter()
}

/// RFC 3339 with milliseconds, in UTC.
pub(crate) fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}

/// What an action that ^C cut short answers.
pub(crate) fn interrupted() -> Diagnostic {
    Diagnostic::error("run.interrupted", "interrupted")
}
