//! What stands behind a plugin's HTTP in one call: connections, the mask, what its tokens stand for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use sheave_model::event::What;
use sheave_model::{Address, SecretText};
use sheave_plugin_host::Plugin;
use sheave_plugin_host::http::{Connection, NOT_REVEALED, Outside, Placed};
use sheave_secrets::{Mask, Stands, TokenTable};

use crate::context::{Context, locked};

struct Call {
    connections: BTreeMap<String, Arc<Connection>>,
    mask: Arc<Mask>,
    /// Over the secrets of this very call, however short they are.
    own: Mask,
    tokens: TokenTable,
    revealable: Vec<(String, SecretText)>,
    revealed: Arc<Mutex<Vec<What>>>,
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

    fn reveal(&self, token: &str) -> Result<SecretText, String> {
        let Stands::Secret(secret) = self.tokens.stands(token) else {
            return Err("what is to be revealed is no token of a secret".to_owned());
        };
        let Some((name, _)) = self.revealable.iter().find(|(_, value)| *value == secret) else {
            return Err(NOT_REVEALED.to_owned());
        };
        locked(&self.revealed).push(What::Revealed {
            address: self.address.clone(),
            plugin: self.plugin.clone(),
            secret: name.clone(),
        });
        Ok(secret)
    }
}

impl Context {
    /// The plugin for a call whose documents hold these tokens.
    pub(crate) fn reaching(&self, plugin: &Plugin, tokens: &TokenTable, address: &Address) -> Plugin {
        let granted = &plugin.held().grants.reveal;
        let revealable =
            self.revealable.get().into_iter().flatten().filter(|(name, _)| granted.contains(name));
        plugin.with_outside(Arc::new(Call {
            connections: self.connections.all(),
            mask: self.mask(),
            own: Mask::new(tokens.secrets().cloned()),
            tokens: tokens.clone(),
            revealable: revealable.cloned().collect(),
            revealed: self.revealed.clone(),
            plugin: plugin.name().to_owned(),
            address: address.clone(),
        }))
    }
}
