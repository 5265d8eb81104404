//! Which comes before which; circles are printed.

use std::collections::{BTreeMap, BTreeSet};

use sheave_model::{Diagnostic, Span};

use super::Resolver;
use crate::codes;
use crate::references::each_path;

/// Edges with their places: who, what it needs, where that is written.
type Edges = BTreeMap<String, BTreeMap<String, Span>>;

impl Resolver<'_> {
    /// Names in an order in which each stands behind all it needs; none where some go in a circle.
    pub(super) fn order(&mut self) -> Option<Vec<String>> {
        let names: BTreeSet<&String> = self.syntax.resources.keys().collect();
        let mut edges: Edges = names.iter().map(|n| ((*n).clone(), BTreeMap::new())).collect();
        for (from, needs) in &self.edges {
            for (to, span) in needs.iter().filter(|(to, _)| names.contains(to)) {
                edges.entry(from.clone()).or_default().insert(to.clone(), *span);
            }
        }
        let (order, circles) = sort(edges);
        let good = circles.is_empty();
        for circle in circles {
            self.circle("these resources wait for each other", &circle, "needs");
        }
        good.then_some(order)
    }

    /// Locals that read themselves, over others or not.
    pub(super) fn local_cycles(&mut self) {
        let mut edges: Edges = BTreeMap::new();
        for (name, local) in &self.syntax.locals {
            let reads = edges.entry(name.clone()).or_default();
            local.each_expression(&mut |expression| {
                each_path(&expression.root, &mut |path| {
                    if let ("locals", Some(step)) = (path.root, path.steps.first())
                        && let Some(read) = step.name.as_ref().filter(|n| self.syntax.locals.contains_key(*n))
                    {
                        reads.entry(read.clone()).or_insert(expression.place.span(step.at));
                    }
                });
            });
        }
        for circle in sort(edges).1 {
            self.circle("these locals read each other", &circle, "reads");
        }
    }

    fn circle(&mut self, what: &str, circle: &[(String, Span)], verb: &str) {
        let mut names: Vec<&str> = circle.iter().map(|(n, _)| n.as_str()).collect();
        names.extend(names.first().copied());
        let mut fault = Diagnostic::error(codes::CYCLE, format!("{what}: {}", names.join(" -> ")));
        for (n, (name, span)) in circle.iter().enumerate() {
            let next = &circle[(n + 1) % circle.len()].0;
            fault = fault.at(*span, format!("`{name}` {verb} `{next}`"));
        }
        self.faults.push(fault.with_help("one of them has to do without the other"));
    }
}

/// The order, and the circles that keep names out of it.
fn sort(mut edges: Edges) -> (Vec<String>, Vec<Vec<(String, Span)>>) {
    /// Circles reported in one blueprint: mending the first ones shows the others.
    const MOST: usize = 20;
    let mut circles = Vec::new();
    loop {
        let (order, left) = kahn(&edges);
        if left.is_empty() || circles.len() >= MOST {
            return (order, circles);
        }
        let circle = walk(&edges, &left);
        for (name, _) in &circle {
            // Without its edges the circle is gone, and others show.
            edges.insert(name.clone(), BTreeMap::new());
        }
        if circle.is_empty() {
            return (order, circles);
        }
        circles.push(circle);
    }
}

/// Those that can be ordered, and those that cannot.
fn kahn(edges: &Edges) -> (Vec<String>, BTreeSet<String>) {
    let mut missing: BTreeMap<&str, usize> =
        edges.iter().map(|(n, needs)| (n.as_str(), needs.len())).collect();
    let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, needs) in edges {
        for need in needs.keys() {
            users.entry(need).or_default().push(name);
        }
    }
    let mut ready: BTreeSet<&str> = missing.iter().filter(|(_, n)| **n == 0).map(|(name, _)| *name).collect();
    let mut order = Vec::with_capacity(edges.len());
    while let Some(name) = ready.pop_first() {
        order.push(name.to_owned());
        missing.remove(name);
        for user in users.get(name).into_iter().flatten() {
            if let Some(n) = missing.get_mut(user) {
                *n -= 1;
                if *n == 0 {
                    ready.insert(user);
                }
            }
        }
    }
    let left = missing.keys().map(|n| (*n).to_owned()).collect();
    (order, left)
}

/// One circle among names each of which needs another of them, or leads to one that does.
fn walk(edges: &Edges, left: &BTreeSet<String>) -> Vec<(String, Span)> {
    let mut path: Vec<(String, Span)> = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut at = left.first().cloned();
    while let Some(name) = at {
        if let Some(start) = seen.get(&name) {
            let mut circle = path.split_off(*start);
            // The same circle is printed the same way, wherever it was entered.
            let first = (0..circle.len()).min_by_key(|n| circle[*n].0.clone()).unwrap_or(0);
            circle.rotate_left(first);
            return circle;
        }
        let next = edges.get(&name).and_then(|needs| needs.iter().find(|(n, _)| left.contains(*n)));
        let Some((next, span)) = next else { return Vec::new() };
        seen.insert(name.clone(), path.len());
        path.push((name, *span));
        at = Some(next.clone());
    }
    Vec::new()
}
