//! What stands in the plan of a resource: its record, its outputs as far as they are known, and of what is not known yet
//! what bounds it.

use std::sync::Arc;

use sheave_blueprint::{Graph, ModuleSpec, ResourceSpec};
use sheave_model::plan::{Action as Planned, Deferred, PlannedResource};
use sheave_model::{Address, Masked, Value};

use super::Planning;
use crate::evaluate::kind_of;
use crate::{CompiledType, prune};

impl Planning {
    /// Puts an instance into the plan without its objects.
    pub(super) fn defer(
        &mut self,
        address: &Address,
        kind: &Arc<CompiledType>,
        properties: &Value,
        why: String,
    ) {
        let Some(node) = self.nodes.get_mut(address) else { return };
        let (spec, target) = (node.spec.clone(), node.target.clone());
        let action = match self.world.state.resources.get(address) {
            None => Planned::Create,
            Some(_) => Planned::Update,
        };
        // It may come to be another object, under another name.
        let outputs = self.foreseen(kind, address, action, false);
        if let Some(node) = self.nodes.get_mut(address) {
            node.outputs = outputs;
        }
        let bounds = Deferred { why, target, kinds: Vec::new(), namespaces: Vec::new() };
        let properties = self.world.masked(properties);
        let planned = self.draft(kind, &spec, address, action, properties, Vec::new(), Some(bounds));
        self.planned.insert(address.clone(), planned);
    }

    /// Puts a whole resource into the plan whose instances are not known.
    pub(super) fn defer_group(&mut self, spec: &ResourceSpec, id: &Address, why: &str) {
        let Some(kind) = kind_of(&self.world, spec) else { return };
        let bounds =
            Deferred { why: why.to_owned(), target: None, kinds: Vec::new(), namespaces: Vec::new() };
        let planned =
            self.draft(&kind, spec, id, Planned::Create, Masked::default(), Vec::new(), Some(bounds));
        self.planned.insert(id.clone(), planned);
        self.deferred.insert(id.clone());
    }

    /// Puts everything in a module into the plan whose instances are not known.
    pub(super) fn defer_module(&mut self, spec: &ModuleSpec, id: &Address, why: &str) {
        fn each(graph: &Graph, path: &Address, see: &mut dyn FnMut(&ResourceSpec, Address)) {
            for (name, spec) in &graph.resources {
                see(spec, path.clone().child(name));
            }
            for (name, spec) in &graph.modules {
                each(&spec.graph, &path.clone().child(name), see);
            }
        }
        let mut all = Vec::new();
        each(&spec.graph, id, &mut |spec, address| all.push((spec.clone(), address)));
        let around = self.modules.requires(id);
        for (spec, address) in all {
            let Some(kind) = kind_of(&self.world, &spec) else { continue };
            let bounds =
                Deferred { why: why.to_owned(), target: None, kinds: Vec::new(), namespaces: Vec::new() };
            let masked = Masked::default();
            let mut planned =
                self.draft(&kind, &spec, &address, Planned::Create, masked, Vec::new(), Some(bounds));
            planned.requires.clone_from(&around);
            self.planned.insert(address, planned);
        }
        self.deferred.insert(id.clone());
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one record, named at its one end")]
    pub(super) fn draft(
        &self,
        kind: &CompiledType,
        spec: &ResourceSpec,
        address: &Address,
        action: Planned,
        properties: Masked,
        notes: Vec<String>,
        deferred: Option<Deferred>,
    ) -> PlannedResource {
        let pin = self.world.plugins.get(&spec.type_name.plugin);
        PlannedResource {
            address: address.clone(),
            type_name: spec.type_name.clone(),
            role: kind.info.role,
            plugin: pin.cloned().unwrap_or_else(|| prune::no_plugin(&spec.type_name.plugin)),
            action,
            why: None,
            properties,
            objects: Vec::new(),
            changes: Vec::new(),
            outputs: Masked::default(),
            deferred,
            existing: spec.existing,
            renew: false,
            requires: self.modules.requires(address),
            notes,
        }
    }

    /// The outputs as they will be, as far as that is known. Where an object is made (others deleted it), what does not
    /// change while it lives changes nonetheless: `lives` is then false.
    pub(super) fn foreseen(
        &self,
        kind: &CompiledType,
        address: &Address,
        action: Planned,
        lives: bool,
    ) -> Value {
        if action == Planned::NoOp {
            return self.world.recorded_outputs(address);
        }
        let mut outputs = kind.schemas.outputs.unknown_outputs(&address.to_string());
        let Value::Map(fresh) = &mut outputs else { return outputs };
        if action == Planned::Update
            && lives
            && let Value::Map(old) = self.world.recorded_outputs(address)
        {
            for (name, value) in old {
                let stable = kind.info.outputs().pointer(&format!("/properties/{name}/x-stable"));
                if stable.and_then(serde_json::Value::as_bool) == Some(true) {
                    fresh.insert(name, value);
                }
            }
        }
        fresh.extend(self.nodes.get(address).into_iter().flat_map(|node| node.emitted.clone()));
        outputs
    }
}
