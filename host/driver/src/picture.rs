//! The blueprint's resources and what each needs, for a picture: no cluster is asked, and no input is needed.

use std::collections::BTreeSet;

use sheave_blueprint::{Graph, Repeat};

use crate::driver::Driver;
use crate::request::{Fault, Report};

/// A resource or module of the blueprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphNode {
    /// Its name, with the modules' names before it: `db.primary`.
    pub name: String,
    /// Its type, or the module's folder.
    pub kind: String,
    /// Whether it is a module.
    pub module: bool,
    /// Whether `count` or `for-each` repeats it.
    pub repeated: bool,
    /// Names of other nodes: what must be there first. Of a module also what stands in it.
    pub needs: BTreeSet<String>,
}

/// A blueprint's graph.
#[derive(Clone, Debug)]
pub struct GraphReport {
    /// The blueprint's name.
    pub name: String,
    /// Each behind all it needs.
    pub nodes: Vec<GraphNode>,
    /// Warnings and notes.
    pub report: Report,
}

impl Driver {
    /// The graph of the blueprint.
    pub async fn graph(&self) -> Result<GraphReport, Fault> {
        let loaded = self.load_blueprint().await.map_err(|r| Fault::Explained(Box::new(r)))?;
        let mut nodes = Vec::new();
        collect(&loaded.graph, "", &BTreeSet::new(), &mut nodes);
        Ok(GraphReport { name: loaded.graph.name.clone(), nodes, report: loaded.report })
    }
}

/// Takes in a graph whose names begin with `prefix`, and all of whose nodes need `outer`.
fn collect(graph: &Graph, prefix: &str, outer: &BTreeSet<String>, nodes: &mut Vec<GraphNode>) {
    for name in &graph.order {
        let mut needs: BTreeSet<String> =
            graph.needs(name).into_iter().map(|need| format!("{prefix}{need}")).collect();
        let full = format!("{prefix}{name}");
        let repeated = |repeat: &Repeat| !matches!(repeat, Repeat::Once);
        if let Some(spec) = graph.resources.get(name) {
            needs.extend(outer.iter().cloned());
            let (kind, repeated) = (spec.type_name.to_string(), repeated(&spec.repeat));
            nodes.push(GraphNode { name: full, kind, module: false, repeated, needs });
        } else if let Some(spec) = graph.modules.get(name) {
            needs.extend(outer.iter().cloned());
            let first = nodes.len();
            collect(&spec.graph, &format!("{full}."), &needs, nodes);
            needs.extend(nodes[first..].iter().map(|n| n.name.clone()));
            let repeated = repeated(&spec.repeat);
            nodes.push(GraphNode { name: full, kind: spec.folder.clone(), module: true, repeated, needs });
        }
    }
}
