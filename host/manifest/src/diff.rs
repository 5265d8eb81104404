//! What an apply would change, field by field, foretold from the live object and its field sets.
//!
//! Server-side apply sets the fields that are desired and removes those that we own and no longer desire; all else
//! stays. [`diff`] foretells that without a schema. Where it cannot tell a server's default from something that would
//! be removed (inside lists and maps that are replaced whole), it says so, and a dry run settles it.

use std::collections::HashMap;
use std::fmt;

use serde_json::{Map, Value as Json};
use sheave_model::limits::MAX_DEPTH;
use sheave_model::pointer::is_within;

use crate::equality::same;
use crate::owned::{Item, Node, OURS, Ownership};
use crate::path::At;
use crate::topology::{ListKind, is_atomic_map, key_label, key_of, list_kind};

/// One field that would change; the highest one where a whole subtree comes or goes.
#[derive(Clone, PartialEq)]
pub struct Change {
    /// RFC 6901; a position in a list is the desired one, or the live one where the item goes.
    pub pointer: String,
    /// For people: `spec.template.spec.containers[app].image`.
    pub path: String,
    /// The live value; none: the field is new.
    pub before: Option<Json>,
    /// The desired value; none: the field goes, or falls back to the server's default.
    pub after: Option<Json>,
    /// Whether we own the field in the live object.
    pub ours: bool,
    /// The other managers that own it. Unless forced, an apply conflicts with them.
    pub held_by: Vec<String>,
}

/// What [`diff`] found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diff {
    /// The changes, in the order of the desired object; what goes comes after what stands beside it.
    pub changes: Vec<Change>,
    /// Whether the live object differs in a way that only the server can judge.
    pub doubt: bool,
}

/// A field of ours that another manager took and changed.
#[derive(Clone, PartialEq)]
pub struct Drift {
    /// RFC 6901, in the desired object.
    pub pointer: String,
    /// For people.
    pub path: String,
    /// Who owns it now.
    pub managers: Vec<String>,
    /// What is desired.
    pub ours: Json,
    /// What is there.
    pub theirs: Option<Json>,
}

// Values may be secret: they are not printed.
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match (&self.before, &self.after) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        };
        write!(f, "Change({word} {} ours={} held_by={:?})", self.pointer, self.ours, self.held_by)
    }
}

impl fmt::Debug for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Drift({} taken by {:?})", self.pointer, self.managers)
    }
}

/// Fields of `metadata` that no apply changes.
const FIXED_METADATA: &[&str] = &[
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
];

/// What servers put into items of lists that are replaced whole. A field with that value there is no doubt.
const DEFAULTS: &[(&str, &str)] = &[
    ("apiGroup", "\"\""),
    ("apiGroup", "\"rbac.authorization.k8s.io\""),
    ("apiVersion", "\"v1\""),
    ("creationTimestamp", "null"),
    ("divisor", "\"0\""),
    ("expirationSeconds", "3600"),
    ("kind", "\"PersistentVolumeClaim\""),
    ("name", "\"\""),
    ("port", "443"),
    ("protocol", "\"TCP\""),
    ("scope", "\"*\""),
    ("status", "\"True\""),
    ("status", "{\"phase\":\"Pending\"}"),
    ("volumeMode", "\"Filesystem\""),
];

/// What applying `desired` (as [`crate::prepare`] gives it) as `manager` would change in `live`. Nothing at or beneath
/// the pointers of `ignore` counts.
pub fn diff(desired: &Json, live: &Json, manager: &str, ignore: &[String]) -> Diff {
    Walk::run(desired, live, &Ownership::of(live, manager), ignore, false)
}

/// What differs between two states of one live object, such as before and after a dry run: exact, and without what
/// the server writes by itself (`status`, versions, field sets).
pub fn changes_between(before: &Json, after: &Json, manager: &str) -> Vec<Change> {
    Walk::run(after, before, &Ownership::of(before, manager), &[], true).changes
}

/// Fields that are desired, that we no longer own, and that other managers set to something else.
pub fn drift(desired: &Json, live: &Json, manager: &str) -> Vec<Drift> {
    let changes = diff(desired, live, manager, &[]).changes;
    let taken = changes.into_iter().filter(|c| !c.ours && !c.held_by.is_empty());
    taken
        .filter_map(|c| {
            let Change { pointer, path, before, after, held_by, .. } = c;
            Some(Drift { pointer, path, managers: held_by, ours: after?, theirs: before })
        })
        .collect()
}

struct Walk<'a> {
    owned: &'a Ownership,
    ignore: &'a [String],
    kind: &'a str,
    /// Every difference counts: both sides are complete.
    exact: bool,
    out: Diff,
}

impl<'a> Walk<'a> {
    fn run(
        desired: &'a Json,
        live: &'a Json,
        owned: &'a Ownership,
        ignore: &'a [String],
        exact: bool,
    ) -> Diff {
        let kind = desired.get("kind").and_then(Json::as_str).unwrap_or("");
        let mut walk = Self { owned, ignore, kind, exact, out: Diff::default() };
        let mut at = At::root();
        if let (Json::Object(desired), Json::Object(live)) = (desired, live) {
            walk.map(&mut at, desired, live, Some(&owned.root), false);
        } else {
            walk.value(&mut at, desired, Some(live), Some(&owned.root), false);
        }
        walk.out
    }

    /// `whole`: inside something that is replaced whole.
    fn value(
        &mut self,
        at: &mut At<'a>,
        desired: &'a Json,
        live: Option<&'a Json>,
        node: Option<&'a Node>,
        whole: bool,
    ) {
        if self.skips(at) {
            return;
        }
        let Some(live) = live else {
            self.absent(at, desired, node.filter(|_| !whole));
            return;
        };
        let name = at.names.iter().rev().find(|n| !n.is_empty()).copied().unwrap_or("");
        match (desired, live) {
            (Json::Object(desired), Json::Object(live)) => {
                let leaf = node.is_some_and(|n| n.is_leaf() && n.is_ours());
                if desired.is_empty() && !live.is_empty() && leaf && !self.exact {
                    // Either a map that we emptied, or one that we left to the server's defaults.
                    self.out.doubt = true;
                }
                let whole = whole || (!desired.is_empty() && is_atomic_map(name, node));
                self.map(at, desired, live, node, whole);
            }
            (Json::Array(desired), Json::Array(live)) => {
                let kind = if whole { ListKind::Atomic } else { list_kind(name, node, [desired, live]) };
                match kind {
                    ListKind::Map(keys) => self.keyed(at, desired, live, node, &keys),
                    ListKind::Set => self.set(at, desired, live, node),
                    ListKind::Atomic => self.atomic(at, desired, live, node),
                }
            }
            // Null stands for the server's default, which may be what is there.
            (Json::Null, _) if !self.exact => self.out.doubt = true,
            _ if same(desired, live, self.kind, &at.names) => {}
            _ => self.change(at, node, Some(live), Some(desired)),
        }
    }

    /// `node`: the field's own, and not that of something around it that is owned whole.
    fn absent(&mut self, at: &At<'a>, desired: &'a Json, node: Option<&Node>) {
        let zero = match desired {
            Json::Null => return,
            Json::Bool(b) => !b,
            Json::Number(n) => n.as_f64() == Some(0.0),
            Json::String(s) => s.is_empty(),
            Json::Array(a) => a.is_empty(),
            Json::Object(o) => o.is_empty(),
        };
        if zero && !self.exact {
            // The server leaves out what is empty, and most of what is zero; that we own the field shows that it did.
            let container = desired.is_array() || desired.is_object();
            if container || node.is_some_and(Node::is_ours) {
                return;
            }
            self.out.doubt = true;
        }
        self.change(at, node, None, Some(desired));
    }

    fn map(
        &mut self,
        at: &mut At<'a>,
        desired: &'a Map<String, Json>,
        live: &'a Map<String, Json>,
        node: Option<&'a Node>,
        whole: bool,
    ) {
        for (name, value) in desired {
            let mark = at.enter_field(name);
            // What is replaced whole is owned whole: its inner fields have no nodes of their own.
            let child = if whole { node } else { node.and_then(|n| n.fields.get(name)) };
            self.value(at, value, live.get(name), child, whole);
            at.leave(&mark);
        }
        for (name, value) in live.iter().filter(|(name, _)| !desired.contains_key(*name)) {
            let child = node.and_then(|n| n.fields.get(name));
            let mark = at.enter_field(name);
            if self.exact {
                self.gone(at, child, value);
            } else if whole {
                self.extra(at, node, name, value, live);
            } else if let Some(child) = child {
                self.disowned(at, child, value);
            }
            at.leave(&mark);
        }
    }

    /// A field that stands in a live map which is replaced whole, and is not desired.
    fn extra(
        &mut self,
        at: &mut At<'a>,
        node: Option<&Node>,
        name: &str,
        value: &'a Json,
        siblings: &Map<String, Json>,
    ) {
        let is_default = DEFAULTS.iter().filter(|(known, _)| *known == name).any(|(_, default)| {
            let written = value.to_string();
            written == *default
        });
        if is_default || self.skips(at) {
            return;
        }
        // Servers put no defaults into maps of free keys, which hold nothing but strings.
        let free = at.names.len() > 1
            && matches!(at.names[at.names.len() - 2], "nodeSelector" | "matchLabels" | "selector" | "labels")
            && siblings.values().all(Json::is_string);
        if free {
            self.change(at, node, Some(value), None);
        } else {
            self.out.doubt = true;
        }
    }

    fn keyed(
        &mut self,
        at: &mut At<'a>,
        desired: &'a [Json],
        live: &'a [Json],
        node: Option<&'a Node>,
        keys: &[String],
    ) {
        let mut index: HashMap<String, usize> = HashMap::with_capacity(live.len());
        for (i, item) in live.iter().enumerate() {
            if let Some(key) = key_of(item, keys) {
                index.entry(key).or_insert(i);
            }
        }
        let texts: HashMap<usize, &str> = match node {
            Some(node) => node.places(live).into_iter().map(|(text, i)| (i, text)).collect(),
            None => HashMap::new(),
        };
        let child = |i: usize| node.and_then(|n| n.items.get(*texts.get(&i)?)).map(|(_, child)| child);
        let mut met = vec![false; live.len()];
        for (i, item) in desired.iter().enumerate() {
            let mark = at.enter_item(i, &key_label(item, keys));
            match key_of(item, keys).and_then(|key| index.get(&key)).copied() {
                // The same key twice: the server will refuse it, and says why.
                Some(place) if met[place] => self.change(at, None, None, Some(item)),
                Some(place) => {
                    met[place] = true;
                    self.value(at, item, live.get(place), child(place), false);
                }
                None => self.value(at, item, None, None, false),
            }
            at.leave(&mark);
        }
        for (i, item) in live.iter().enumerate().filter(|(i, _)| !met[*i]) {
            let mark = at.enter_item(i, &key_label(item, keys));
            if self.exact {
                self.gone(at, child(i), item);
            } else if let Some(child) = child(i) {
                self.disowned(at, child, item);
            }
            at.leave(&mark);
        }
    }

    fn set(&mut self, at: &mut At<'a>, desired: &'a [Json], live: &'a [Json], node: Option<&'a Node>) {
        let texts =
            |list: &[Json]| list.iter().map(Json::to_string).collect::<std::collections::HashSet<_>>();
        let (there, wanted) = (texts(live), texts(desired));
        for (i, item) in desired.iter().enumerate().filter(|(_, item)| !there.contains(&item.to_string())) {
            let mark = at.enter_item(i, &i.to_string());
            self.value(at, item, None, None, false);
            at.leave(&mark);
        }
        for (i, item) in live.iter().enumerate().filter(|(_, item)| !wanted.contains(&item.to_string())) {
            let child = node.and_then(|n| n.items.get(&format!("v:{item}"))).map(|(_, child)| child);
            let mark = at.enter_item(i, &i.to_string());
            if self.exact {
                self.gone(at, child, item);
            } else if let Some(child) = child {
                self.disowned(at, child, item);
            }
            at.leave(&mark);
        }
    }

    fn atomic(&mut self, at: &mut At<'a>, desired: &'a [Json], live: &'a [Json], node: Option<&'a Node>) {
        for i in 0..desired.len().max(live.len()) {
            let mark = at.enter_item(i, &i.to_string());
            match (desired.get(i), live.get(i)) {
                (Some(desired), Some(live)) => self.value(at, desired, Some(live), node, true),
                // An item more or less is a change, be it an empty one.
                (desired, live) if !self.skips(at) => self.change(at, node, live, desired),
                _ => {}
            }
            at.leave(&mark);
        }
    }

    /// A live field that is not desired, but stands in the field sets: it goes where we own it and nobody else does.
    fn disowned(&mut self, at: &mut At<'a>, node: &'a Node, live: &'a Json) {
        if node.beneath & OURS == 0 || self.skips(at) {
            return;
        }
        let all_ours = node.beneath == OURS && (node.is_ours() || covers(node, live));
        if all_ours {
            self.change(at, Some(node), Some(live), None);
            return;
        }
        match live {
            Json::Object(fields) => {
                for (name, child) in &node.fields {
                    if let Some((name, value)) = fields.get_key_value(name) {
                        let mark = at.enter_field(name);
                        self.disowned(at, child, value);
                        at.leave(&mark);
                    }
                }
            }
            Json::Array(items) => {
                let places = node.places(items);
                for (text, (key, child)) in &node.items {
                    if let Some((i, item)) = places.get(text.as_str()).and_then(|&i| Some((i, items.get(i)?)))
                    {
                        let label = match key {
                            Item::Key(fields) => key_label(item, &fields.keys().cloned().collect::<Vec<_>>()),
                            _ => i.to_string(),
                        };
                        let mark = at.enter_item(i, &label);
                        self.disowned(at, child, item);
                        at.leave(&mark);
                    }
                }
            }
            _ => {}
        }
    }

    fn gone(&mut self, at: &At<'a>, node: Option<&Node>, live: &'a Json) {
        if !self.skips(at) {
            self.change(at, node, Some(live), None);
        }
    }

    fn change(&mut self, at: &At<'a>, node: Option<&Node>, before: Option<&Json>, after: Option<&Json>) {
        let owners = node.map_or(0, |n| n.beneath);
        self.out.changes.push(Change {
            pointer: at.pointer.clone(),
            path: at.path.clone(),
            before: before.cloned(),
            after: after.cloned(),
            ours: owners & OURS != 0,
            held_by: self.owned.others(owners),
        });
    }

    fn skips(&self, at: &At<'_>) -> bool {
        let fixed = match at.names.as_slice() {
            ["apiVersion" | "kind" | "status"] => true,
            ["metadata", name] => FIXED_METADATA.contains(name),
            names => names.len() > MAX_DEPTH,
        };
        fixed || self.ignore.iter().any(|ignored| !ignored.is_empty() && is_within(&at.pointer, ignored))
    }
}

/// Whether the fields of `node` are all that the live map has: then the map goes with them.
fn covers(node: &Node, live: &Json) -> bool {
    !node.fields.is_empty()
        && live.as_object().is_some_and(|fields| fields.keys().all(|name| node.fields.contains_key(name)))
}
