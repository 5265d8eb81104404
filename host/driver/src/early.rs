//! Settings of targets and plugins that hang on inputs alone: known before anything else of a run is.

use std::collections::BTreeMap;

use sheave_blueprint::Graph;
use sheave_model::stack::TargetRecord;
use sheave_model::{Diagnostic, Value};

use crate::files::FolderFiles;
use crate::load::evaluate_early;
use crate::targets::Targets;

/// What is known early, and what is wrong with it.
#[derive(Debug, Default)]
pub(crate) struct EarlySettings {
    /// Every cluster of the blueprint; one whose settings read resources comes later.
    pub(crate) targets: Targets,
    /// By plugin.
    pub(crate) plugins: BTreeMap<String, Value>,
    pub(crate) faults: Vec<Diagnostic>,
}

impl EarlySettings {
    /// Those of a blueprint in `folder`. `recorded`: the targets as the state has them.
    pub(crate) fn of(
        graph: &Graph,
        inputs: &BTreeMap<String, Value>,
        stack: &str,
        files: &FolderFiles,
        folder: &str,
        recorded: &BTreeMap<String, TargetRecord>,
    ) -> Self {
        let mut early = Self::default();
        for (name, spec) in graph.targets.iter().filter(|(_, spec)| spec.is_cluster()) {
            if !spec.references.is_empty() {
                early.targets.add_late(name, recorded.get(name));
                continue;
            }
            match evaluate_early(graph, &spec.settings, inputs, stack, files) {
                Ok(settings) => {
                    let added = early.targets.add(name, &settings, folder, recorded.get(name));
                    early.faults.extend(added.err().map(|d| d.at(spec.span, "this target")));
                }
                Err(more) => early.faults.extend(more),
            }
        }
        for (name, spec) in graph.plugins.iter().filter(|(_, spec)| spec.references.is_empty()) {
            match evaluate_early(graph, &spec.settings, inputs, stack, files) {
                Ok(settings) => {
                    early.plugins.insert(name.clone(), settings);
                }
                Err(more) => early.faults.extend(more),
            }
        }
        early
    }
}
