//! What stands behind a plugin's HTTP in one call: connections, the mask, what its tokens stand for.

use std::collections::BTreeMap;
use std::sync::Arc;

use sheave_model::event::{Event, What};
use sheave_model::{Address, SecretText};
use sheave_plugin_host::Plugin;
use sheave_plugin_host::http::{Connection, NOT_REVEALED, Outside, Placed, Revealing};
use sheave_secrets::{Mask, Stands, TokenTable};
use sheave_state::{SqliteStore, Store as _};

use crate::context::{Context, now};
use crate::failpoint;
use crate::request::Watcher;

struct Call {
    connections: BTreeMap<String, Arc<Connection>>,
    mask: Arc<Mask>,
    /// Over the secrets of this very call, however short they are.
    own: Mask,
    tokens: TokenTable,
    revealable: Vec<(String, SecretText)>,
    /// Where it is written down that a secret is seen; none: nothing is shown.
    audit: Option<SqliteStore>,
    watcher: Watcher,
    stack: String,
    plugin: String,
    address: Address,
}

impl Outside for Call {
    fn connection(&self, name: &str) -> Result<Arc<Connection>, String> {
        self.connections
            .get(name)
            .cloned()
            .ok_or_else(|| format!("the blueprint has no connection `{name}` under `targets:`"))
    }

    fn mask(&self, text: &str) -> String {
        self.mask.text(&self.own.text(text))
    }

    fn placed(&self, text: &str) -> Placed {
        match self.tokens.stands(text) {
            Stands::Nothing => Placed::Plain,
            Stands::Secret(secret) => Placed::Secret(secret),
            Stands::Unknown => Placed::Unknown,
            Stands::Inside => Placed::Partly,
        }
    }

    fn reveal<'a>(&'a self, token: &'a str) -> Revealing<'a> {
        Box::pin(async move {
            let Stands::Secret(secret) = self.tokens.stands(token) else {
                return Err("what is to be revealed is no token of a secret".to_owned());
            };
            let Some((name, _)) = self.revealable.iter().find(|(_, value)| *value == secret) else {
                return Err(NOT_REVEALED.to_owned());
            };
            let what = What::Revealed {
                address: self.address.clone(),
                plugin: self.plugin.clone(),
                secret: name.clone(),
            };
            let event = Event { at: now(), stack: self.stack.clone(), what };
            // First the word, then the secret: whoever saw it stands in the events, whatever is cut off here.
            let unwritten = || "that it is seen cannot be written down".to_owned();
            let audit = self.audit.as_ref().ok_or_else(unwritten)?;
            audit.tell(&self.stack, std::slice::from_ref(&event)).await.map_err(|_| unwritten())?;
            failpoint::pass("revealed");
            let _ = self.watcher.send(event);
            Ok(secret)
        })
    }
}

impl Context {
    /// The plugin for a call whose documents hold these tokens.
    pub(crate) fn reaching(&self, plugin: &Plugin, tokens: &TokenTable, address: &Address) -> Plugin {
        let granted = &plugin.held().grants.reveal;
        let revealable = if granted.is_empty() { Vec::new() } else { self.revealable(granted) };
        plugin.with_outside(Arc::new(Call {
            connections: self.connections.all(),
            mask: self.mask(),
            own: Mask::new(tokens.secrets().cloned()),
            tokens: tokens.clone(),
            revealable,
            audit: self.audit.get().cloned(),
            watcher: self.watcher.clone(),
            stack: self.stack.clone(),
            plugin: plugin.name().to_owned(),
            address: address.clone(),
        }))
    }
}
