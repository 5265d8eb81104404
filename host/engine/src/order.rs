//! Keys that objects provide and require: a namespace before what it holds, a definition before its kind's objects.

use std::collections::{BTreeMap, BTreeSet};

use sheave_model::Address;
use sheave_model::plan::{Action as Planned, PlannedObject};

/// Which keys this run makes, which of them are there, and who waits.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    missing: BTreeSet<String>,
    waiting: BTreeMap<String, BTreeSet<Address>>,
}

impl Keys {
    /// Takes an object of the plan in: one that will be made provides its key only later.
    pub(crate) fn expect(&mut self, object: &PlannedObject) {
        if let Some(key) = &object.order.provides
            && matches!(object.action, Planned::Create | Planned::Replace)
        {
            self.missing.insert(key.clone());
        }
    }

    /// Whether all of `keys` are there; otherwise `who` is told when one more is.
    pub(crate) fn ready(&mut self, keys: &[String], who: &Address) -> bool {
        let missing: Vec<&String> = keys.iter().filter(|k| self.missing.contains(*k)).collect();
        for key in &missing {
            self.waiting.entry((*key).clone()).or_default().insert(who.clone());
        }
        missing.is_empty()
    }

    /// The key is there: who waited for it.
    pub(crate) fn provide(&mut self, key: &str) -> BTreeSet<Address> {
        self.missing.remove(key);
        self.waiting.remove(key).unwrap_or_default()
    }

    /// The key will not come: who waits for it in vain.
    pub(crate) fn give_up(&mut self, key: &str) -> BTreeSet<Address> {
        self.waiting.remove(key).unwrap_or_default()
    }
}
