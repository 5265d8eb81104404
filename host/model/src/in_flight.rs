//! Operations begun and not known to have ended, found by key and by resource.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::Address;
use crate::journal::Intent;

/// Operations by op-key. It reads as a map.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, Intent>", into = "BTreeMap<String, Intent>")]
pub struct InFlight {
    by_op: BTreeMap<String, Intent>,
    /// A resource that goes takes its operations with it; in a large destroy nearly all are in flight at once.
    by_address: BTreeMap<Address, BTreeSet<String>>,
}

impl InFlight {
    /// Takes an operation in; what was known under its key before.
    pub fn insert(&mut self, op: String, intent: Intent) -> Option<Intent> {
        let old = self.remove(&op);
        self.by_address.entry(intent.address.clone()).or_default().insert(op.clone());
        self.by_op.insert(op, intent);
        old
    }

    /// Takes an operation out.
    pub fn remove(&mut self, op: &str) -> Option<Intent> {
        let intent = self.by_op.remove(op)?;
        if let Some(ops) = self.by_address.get_mut(&intent.address) {
            ops.remove(op);
            if ops.is_empty() {
                self.by_address.remove(&intent.address);
            }
        }
        Some(intent)
    }

    /// Takes all operations of a resource out.
    pub fn forget(&mut self, address: &Address) {
        for op in self.by_address.remove(address).into_iter().flatten() {
            self.by_op.remove(&op);
        }
    }

    /// Gives the operations of a resource its other address.
    pub fn rename(&mut self, from: &Address, to: &Address) {
        let ops = self.by_address.remove(from).unwrap_or_default();
        for op in &ops {
            if let Some(intent) = self.by_op.get_mut(op) {
                intent.address = to.clone();
            }
        }
        if !ops.is_empty() {
            self.by_address.entry(to.clone()).or_default().extend(ops);
        }
    }

    /// Changes what an operation does; its resource stays.
    pub fn amend(&mut self, op: &str, change: impl FnOnce(&mut crate::journal::Change)) {
        if let Some(intent) = self.by_op.get_mut(op) {
            change(&mut intent.change);
        }
    }
}

impl Deref for InFlight {
    type Target = BTreeMap<String, Intent>;

    fn deref(&self) -> &Self::Target {
        &self.by_op
    }
}

impl<'a> IntoIterator for &'a InFlight {
    type Item = (&'a String, &'a Intent);
    type IntoIter = std::collections::btree_map::Iter<'a, String, Intent>;

    fn into_iter(self) -> Self::IntoIter {
        self.by_op.iter()
    }
}

impl PartialEq for InFlight {
    fn eq(&self, other: &Self) -> bool {
        self.by_op == other.by_op
    }
}

impl From<BTreeMap<String, Intent>> for InFlight {
    fn from(by_op: BTreeMap<String, Intent>) -> Self {
        let mut all = Self::default();
        for (op, intent) in by_op {
            all.insert(op, intent);
        }
        all
    }
}

impl From<InFlight> for BTreeMap<String, Intent> {
    fn from(all: InFlight) -> Self {
        all.by_op
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Change;
    use crate::plugin::ObjectId;

    fn intent(op: &str, address: &str) -> Intent {
        let id = ObjectId { api_version: "v1".into(), kind: "A".into(), namespace: None, name: "a".into() };
        let change = Change::DeleteObject { target: "main".into(), id, uid: None };
        Intent { op: op.into(), address: Address::new(address), change }
    }

    fn ops(all: &InFlight) -> Vec<(&str, String)> {
        all.iter().map(|(op, i)| (op.as_str(), i.address.to_string())).collect()
    }

    #[test]
    fn what_a_resource_has_in_flight_goes_with_it() {
        let mut all = InFlight::default();
        for (op, address) in [("1", "a"), ("2", "b"), ("3", "a"), ("4", "a")] {
            assert_eq!(all.insert(op.into(), intent(op, address)), None);
        }
        assert_eq!(all.insert("4".into(), intent("4", "b")).map(|i| i.address), Some(Address::new("a")));
        assert!(all.remove("1").is_some() && all.remove("1").is_none());
        all.rename(&Address::new("b"), &Address::new("c"));
        assert_eq!(ops(&all), [("2", "c".into()), ("3", "a".into()), ("4", "c".into())]);
        all.forget(&Address::new("b"));
        all.forget(&Address::new("c"));
        assert_eq!(ops(&all), [("3", "a".into())]);
        let text = serde_json::to_value(&all).unwrap();
        assert_eq!(text["3"]["address"], "a");
        let mut again: InFlight = serde_json::from_value(text).unwrap();
        assert_eq!(again, all);
        again.forget(&Address::new("a"));
        assert!(again.is_empty());
    }
}
