//! Finds what is certainly wrong, and tells where an unknown leaves it open.

use std::collections::BTreeMap;

use sheave_model::{Value, pointer};

use super::Schema;
use super::message::{Violation, either, found};
use super::rules::{Additional, ListRules, MapRules, Rules};
use crate::codes;
use crate::limits::{MAX_SCHEMA_CHAIN, MAX_SCHEMA_STEPS, MAX_VIOLATIONS};
use crate::nearest;

pub(super) fn check(schema: &Schema, value: &Value) -> Vec<Violation> {
    let mut checker = Checker { nodes: &schema.nodes, steps: 0, chain: 0 };
    let mut found = Findings::default();
    let mut at = String::new();
    checker.node(schema.root, value, &mut at, &mut found);
    if checker.steps > MAX_SCHEMA_STEPS {
        let says = format!("takes more than {MAX_SCHEMA_STEPS} steps to check: its schema is too entangled");
        found.violations.push(Violation::new(codes::TOO_LARGE, "", says));
    }
    found.violations
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) violations: Vec<Violation>,
    /// Whether a rule hangs on an unknown.
    pub(super) open: bool,
}

impl Findings {
    pub(super) fn add(&mut self, violation: Violation) {
        // More are not read by anybody.
        if self.violations.len() < MAX_VIOLATIONS {
            self.violations.push(violation);
        }
    }
}

pub(super) struct Checker<'a> {
    pub(super) nodes: &'a [Rules],
    steps: u64,
    chain: usize,
}

impl Checker<'_> {
    /// What one schema alone finds in a value.
    pub(super) fn alone(&mut self, node: usize, value: &Value, at: &mut String) -> Findings {
        let mut findings = Findings::default();
        self.node(node, value, at, &mut findings);
        findings
    }

    pub(super) fn node(&mut self, node: usize, value: &Value, at: &mut String, out: &mut Findings) {
        self.steps += 1;
        if self.steps > MAX_SCHEMA_STEPS || self.chain >= MAX_SCHEMA_CHAIN {
            out.open = true;
            return;
        }
        let nodes = self.nodes;
        let Some(rules) = nodes.get(node) else { return };
        if rules.never {
            out.add(Violation::new(codes::UNKNOWN_KEY, at, "must not be there"));
            return;
        }
        // Schemas applied at one place: ends those that lead to themselves.
        self.chain += 1;
        if let Some(next) = rules.reference {
            self.node(next, value, at, out);
        }
        if super::leaf::check(rules, value, at, out) {
            match value {
                Value::Map(entries) => {
                    if let Some(map) = &rules.map {
                        self.map(map, entries, value, at, out);
                    }
                }
                Value::List(items) => {
                    if let Some(list) = &rules.list {
                        self.list(list, items, at, out);
                    }
                }
                _ => {}
            }
        }
        if let Some(combine) = &rules.combine {
            self.combine(combine, value, at, out);
        }
        self.chain -= 1;
    }

    /// A part of a value: schemas at another place count anew.
    fn part(&mut self, node: usize, value: &Value, at: &mut String, part: &str, out: &mut Findings) {
        let (len, chain) = (at.len(), std::mem::take(&mut self.chain));
        pointer::push(at, part);
        self.node(node, value, at, out);
        at.truncate(len);
        self.chain = chain;
    }

    fn map(
        &mut self,
        rules: &MapRules,
        entries: &BTreeMap<String, Value>,
        value: &Value,
        at: &mut String,
        out: &mut Findings,
    ) {
        // A key that nothing knows and that is near a missing one is that one, misspelt: one fault, not two.
        let misspelt: Vec<&str> = match rules.additional {
            Additional::Never => entries.keys().filter_map(|key| meant(rules, entries, key)).collect(),
            _ => Vec::new(),
        };
        for name in
            rules.required.iter().filter(|n| !entries.contains_key(*n) && !misspelt.contains(&n.as_str()))
        {
            out.add(Violation::new(codes::MISSING_KEY, &pointer::join(at, name), "is missing"));
        }
        for (name, needs) in rules.dependent.iter().filter(|(n, _)| entries.contains_key(n)) {
            for need in needs.iter().filter(|n| !entries.contains_key(*n)) {
                let says = format!("is missing: it goes with `{name}`");
                out.add(Violation::new(codes::MISSING_KEY, &pointer::join(at, need), says));
            }
        }
        for (_, node) in rules.dependent_schemas.iter().filter(|(n, _)| entries.contains_key(n)) {
            self.node(*node, value, at, out);
        }
        if let Some(least) = rules.least.filter(|n| entries.len() < *n) {
            out.add(Violation::new(
                codes::INVALID_VALUE,
                at,
                format!("must have at least {}", count(least, "key")),
            ));
        }
        if let Some(most) = rules.most.filter(|n| entries.len() > *n) {
            out.add(Violation::new(
                codes::INVALID_VALUE,
                at,
                format!("must have at most {}", count(most, "key")),
            ));
        }
        for (key, item) in entries {
            if let Some(names) = rules.names {
                let mut inner = Findings::default();
                self.part(names, &Value::Text(key.clone()), at, key, &mut inner);
                for violation in inner.violations {
                    out.add(Violation { says: format!("as a key {}", violation.says), ..violation });
                }
            }
            let mut named = false;
            if let Some(node) = rules.properties.get(key) {
                named = true;
                self.part(*node, item, at, key, out);
            }
            for (pattern, node) in &rules.patterns {
                if pattern.is_match(key) {
                    named = true;
                    self.part(*node, item, at, key, out);
                }
            }
            match rules.additional {
                _ if named => {}
                Additional::Any => {}
                Additional::Like(node) => self.part(node, item, at, key, out),
                Additional::Never => out.add(unknown(rules, entries, key, at)),
            }
        }
    }

    fn list(&mut self, rules: &ListRules, items: &[Value], at: &mut String, out: &mut Findings) {
        if let Some(least) = rules.least.filter(|n| items.len() < *n) {
            let says = format!("must have at least {}, found {}", count(least, "element"), items.len());
            out.add(Violation::new(codes::INVALID_VALUE, at, says));
        }
        if let Some(most) = rules.most.filter(|n| items.len() > *n) {
            let says = format!("must have at most {}, found {}", count(most, "element"), items.len());
            out.add(Violation::new(codes::INVALID_VALUE, at, says));
        }
        for (n, item) in items.iter().enumerate() {
            if let Some(node) = rules.first.get(n).copied().or(rules.items) {
                self.part(node, item, at, &n.to_string(), out);
            }
        }
        if rules.unique {
            self.unique(items, at, out);
        }
        if let Some(node) = rules.contains {
            let (mut sure, mut perhaps) = (0, 0);
            for (n, item) in items.iter().enumerate() {
                let mut inner = Findings::default();
                self.part(node, item, at, &n.to_string(), &mut inner);
                if inner.violations.is_empty() {
                    perhaps += 1;
                    sure += usize::from(!inner.open);
                }
            }
            out.open |= sure != perhaps;
            if perhaps < rules.contains_least {
                out.add(Violation::new(codes::INVALID_VALUE, at, "lacks an element that it must contain"));
            }
            if rules.contains_most.is_some_and(|most| sure > most) {
                out.add(Violation::new(codes::INVALID_VALUE, at, "contains too many elements of one kind"));
            }
        }
    }

    fn unique(&mut self, items: &[Value], at: &mut String, out: &mut Findings) {
        // Compared by a text that tells numbers alike and secrets apart; it is looked at here and shown nowhere.
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for (n, item) in items.iter().enumerate() {
            self.steps += 1;
            if item.has_unknown() {
                out.open = true;
                continue;
            }
            let text = super::leaf::canonical(item);
            if let Some(first) = seen.get(&text) {
                let shown =
                    if item.has_secret() || items[*first].has_secret() { String::new() } else { found(item) };
                let says = format!("is the same as element {first}, and each must stand only once{shown}");
                out.add(Violation::new(codes::INVALID_VALUE, &format!("{at}/{n}"), says));
            } else {
                seen.insert(text, n);
            }
        }
    }
}

fn count(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}

/// What a key that nothing knows was probably meant to be.
fn meant<'r>(rules: &'r MapRules, entries: &BTreeMap<String, Value>, key: &str) -> Option<&'r str> {
    if rules.properties.contains_key(key) || rules.patterns.iter().any(|(p, _)| p.is_match(key)) {
        return None;
    }
    let free = rules.properties.keys().map(String::as_str).filter(|k| !entries.contains_key(*k));
    nearest::nearest(key, free)
}

fn unknown(rules: &MapRules, entries: &BTreeMap<String, Value>, key: &str, at: &str) -> Violation {
    let violation = Violation::new(codes::UNKNOWN_KEY, &pointer::join(at, key), "is not known here");
    let all: Vec<&str> = rules.properties.keys().map(String::as_str).collect();
    match meant(rules, entries, key).or_else(|| nearest::nearest(key, all.iter().copied())) {
        Some(near) => violation.help(format!("did you mean `{near}`?")),
        None if all.is_empty() => violation.help("there are no keys here"),
        None => {
            let words: Vec<String> = all.iter().take(24).map(|k| format!("`{k}`")).collect();
            let more = if all.len() > 24 { ", and others" } else { "" };
            violation.help(format!("the keys here are {}{more}", either(&words).replace(" or ", " and ")))
        }
    }
}
