//! What stands behind a plugin's HTTP in one call: connections, the mask, what its tokens stand for.

use std::collections::BTreeMap;
use std::sync::Arc;

use sheave_plugin_host::Plugin;
use sheave_plugin_host::http::{Connection, Outside, Placed};
use sheave_secrets::{Mask, Stands, TokenTable};

use crate::context::Context;

struct Call {
    connections: BTreeMap<String, Arc<Connection>>,
    mask: Arc<Mask>,
    /// Over the secrets of this very call, however short they are.
    own: Mask,
    tokens: TokenTable,
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
}

impl Context {
    /// The plugin for a call whose documents hold these tokens.
    pub(crate) fn reaching(&self, plugin: &Plugin, tokens: &TokenTable) -> Plugin {
        plugin.with_outside(Arc::new(Call {
            connections: self.connections.all(),
            mask: self.mask(),
            own: Mask::new(tokens.secrets().cloned()),
            tokens: tokens.clone(),
        }))
    }
}
