//! A blueprint's graph as text: a tree for people, Graphviz's language and JSON for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value as Json, json};
use sheave_driver::GraphNode;

use super::{outside, plan};
use crate::look::Paint;

/// What nobody needs, and under each thing what it needs. What was shown before is not opened again.
pub(crate) fn text(name: &str, nodes: &[GraphNode], paint: Paint) -> String {
    let modules = nodes.iter().filter(|n| n.module).count();
    let mut out = format!("{}: {}", outside::line(name), plan::count(nodes.len() - modules, "resource"));
    if modules > 0 {
        out.push_str(&format!(" and {}", plan::count(modules, "module")));
    }
    out.push('\n');
    let tree = Tree::of(nodes, paint);
    let mut seen = BTreeSet::new();
    let needed: BTreeSet<&str> = nodes.iter().flat_map(|n| n.needs.iter().map(String::as_str)).collect();
    for node in nodes.iter().filter(|n| !needed.contains(n.name.as_str())) {
        out.push('\n');
        tree.put(&mut out, node, &mut seen, "", "", "");
    }
    out
}

struct Tree<'a> {
    nodes: BTreeMap<&'a str, &'a GraphNode>,
    paint: Paint,
}

impl<'a> Tree<'a> {
    fn of(nodes: &'a [GraphNode], paint: Paint) -> Self {
        Self { nodes: nodes.iter().map(|n| (n.name.as_str(), n)).collect(), paint }
    }

    /// `before`: what stands before the node's own line; `beneath`: before the lines under it.
    fn put(
        &self,
        out: &mut String,
        node: &'a GraphNode,
        seen: &mut BTreeSet<&'a str>,
        indent: &str,
        before: &str,
        beneath: &str,
    ) {
        let again = !seen.insert(&node.name) && !node.needs.is_empty();
        let needs: Vec<_> = self.direct(node).into_iter().collect();
        let (paint, kind) = (self.paint, kind(node));
        let name = outside::line(&node.name);
        // Writing to a String cannot fail.
        let _ = write!(out, "{indent}{before}{}  {}", paint.bold(name), paint.dim(kind));
        let _ = writeln!(out, "{}", if again { "  (above)" } else { "" });
        if again {
            return;
        }
        let indent = format!("{indent}{beneath}");
        for (i, need) in needs.iter().enumerate() {
            let last = i + 1 == needs.len();
            let (before, beneath) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            self.put(out, need, seen, &indent, before, beneath);
        }
    }

    /// What it needs, without what one of these needs anyway: the order is the same, and the tree is read more easily.
    fn direct(&self, node: &GraphNode) -> Vec<&'a GraphNode> {
        let needs = || node.needs.iter().filter_map(|n| self.nodes.get(n.as_str()).copied());
        let farther: BTreeSet<&str> = needs().flat_map(|n| self.reached(n)).collect();
        needs().filter(|n| !farther.contains(n.name.as_str())).collect()
    }

    /// All that it needs, however far.
    fn reached(&self, node: &'a GraphNode) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&str> = node.needs.iter().map(String::as_str).collect();
        while let Some(name) = open.pop() {
            if let Some(next) = self.nodes.get(name).filter(|_| found.insert(name)) {
                open.extend(next.needs.iter().map(String::as_str));
            }
        }
        found
    }
}

/// The same nodes, without the needs that follow from others: the tree's edges.
pub(crate) fn direct(nodes: &[GraphNode]) -> Vec<GraphNode> {
    let tree = Tree::of(nodes, Paint(false));
    let needs = |node| tree.direct(node).into_iter().map(|need| need.name.clone()).collect();
    nodes.iter().map(|node| GraphNode { needs: needs(node), ..node.clone() }).collect()
}

/// The type or the module's folder, and whether there are several.
pub(crate) fn kind(node: &GraphNode) -> String {
    let kind = outside::line(&node.kind);
    match (node.module, node.repeated) {
        (false, false) => kind.into_owned(),
        (false, true) => format!("{kind}, repeated"),
        (true, false) => format!("module {kind}"),
        (true, true) => format!("module {kind}, repeated"),
    }
}

/// In the language of Graphviz; an arrow points at what is needed.
pub(crate) fn dot(name: &str, nodes: &[GraphNode]) -> String {
    let mut out =
        format!("digraph {} {{\n  node [shape=box, style=rounded, fontname=\"sans-serif\"]\n", quoted(name));
    // Writing to a String cannot fail.
    for node in nodes {
        let label = format!("{}\n{}", node.name, kind(node));
        let shape = if node.module { ", shape=folder" } else { "" };
        let _ = writeln!(out, "  {} [label={}{shape}]", quoted(&node.name), quoted(&label));
    }
    for node in nodes {
        for need in &node.needs {
            let _ = writeln!(out, "  {} -> {}", quoted(&node.name), quoted(need));
        }
    }
    out.push_str("}\n");
    out
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if outside::acts(c) => {}
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// As one document.
pub(crate) fn json(name: &str, nodes: &[GraphNode]) -> Json {
    let node = |n: &GraphNode| json!({"name": n.name, "type": n.kind, "module": n.module, "repeated": n.repeated, "needs": n.needs});
    json!({"blueprint": name, "resources": nodes.iter().map(node).collect::<Vec<_>>()})
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn node(name: &str, kind: &str, needs: &[&str]) -> GraphNode {
        GraphNode {
            name: name.into(),
            kind: kind.into(),
            module: kind.starts_with('.'),
            repeated: name == "shard",
            needs: needs.iter().map(|n| (*n).to_owned()).collect(),
        }
    }

    pub(crate) fn shop() -> Vec<GraphNode> {
        vec![
            node("space", "kubernetes:Namespace", &[]),
            node("secret", "kubernetes:Secret", &["space"]),
            node("db.disk", "kubernetes:PersistentVolumeClaim", &["space"]),
            node("db.main", "kubernetes:StatefulSet", &["space", "db.disk"]),
            node("db", "./modules/db", &["space", "db.disk", "db.main"]),
            node("shard", "kubernetes:ConfigMap", &["space"]),
            node("web", "kubernetes:Deployment", &["secret", "db", "shard"]),
            node("card", "file:File\u{1b}\"", &["web"]),
            node("probe", "kubernetes:Job", &["secret"]),
            node("alone", "kubernetes:ConfigMap", &[]),
        ]
    }

    #[test]
    fn a_graph_as_text() {
        insta::assert_snapshot!(text("shop", &shop(), Paint(false)));
        insta::assert_snapshot!(dot("shop", &shop()));
        assert_eq!(json("shop", &shop())["resources"][6]["needs"], json!(["db", "secret", "shard"]));
    }

    #[test]
    fn an_empty_blueprint_is_a_graph_too() {
        assert_eq!(text("none", &[], Paint(false)), "none: 0 resources\n");
    }
}
