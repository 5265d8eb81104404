//! Planning: every instance evaluated, rendered, compared; the outcome is a [`Plan`], which is data.

mod beginning;
mod drafting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sheave_blueprint::{Graph, ResourceSpec};
use sheave_model::event::{ObjectAction, What};
use sheave_model::plan::{Action as Planned, PLAN_FORMAT, Plan, PlannedObject, PlannedResource};
use sheave_model::stack::{ResourceRecord, Status};
use sheave_model::{Address, Diagnostic, Masked, Value};

use crate::action::{Action, AwaitObject, DiffRequest, ObserveRequest};
use crate::evaluate::{Late, diff_request, emitted_outputs, kind_of, place};
use crate::event::{Event, Failure, ProviderPlanned, Rendered};
use crate::groups::Groups;
use crate::modules::Modules;
use crate::passwords::PasswordBook;
use crate::watch::Watch;
use crate::{World, prune};

/// An instance on its way into the plan.
#[derive(Debug)]
struct Node {
    spec: Arc<ResourceSpec>,
    target: Option<String>,
    properties: Arc<Value>,
    watch: Watch,
    outputs: Value,
    /// Outputs that are what was emitted.
    emitted: BTreeMap<String, Value>,
    manifests: BTreeMap<String, Masked>,
}

/// The planning half of a run.
#[derive(Debug)]
pub(crate) struct Planning {
    world: Arc<World>,
    modules: Modules,
    groups: Groups,
    late: Late,
    nodes: BTreeMap<Address, Node>,
    planned: BTreeMap<Address, PlannedResource>,
    failed: BTreeMap<Address, String>,
    /// Groups whose instances are not known.
    deferred: BTreeSet<Address>,
    /// Resources and modules whose `when` is false.
    off: BTreeSet<Address>,
    passwords: PasswordBook,
    diagnostics: Vec<Diagnostic>,
    blueprint_fault: bool,
    open: usize,
}

/// What planning came to.
#[derive(Debug)]
pub(crate) enum PlanningOutcome {
    /// A plan, and what there is to say.
    Plan(Box<Plan>),
    /// The blueprint is at fault.
    Refused,
}

impl Planning {
    pub(crate) fn new(world: Arc<World>) -> Self {
        let modules = Modules::new(&world);
        let mut groups = Groups::default();
        if let Some(root) = modules.at(None) {
            groups.enter(root);
        }
        Self {
            passwords: PasswordBook::new(world.passwords.clone()),
            modules,
            groups,
            late: Late::default(),
            world,
            nodes: BTreeMap::new(),
            planned: BTreeMap::new(),
            failed: BTreeMap::new(),
            deferred: BTreeSet::new(),
            off: BTreeSet::new(),
            diagnostics: Vec::new(),
            blueprint_fault: false,
            open: 0,
        }
    }

    /// What there is to say so far; the list begins anew.
    pub(crate) fn take_diagnostics(&mut self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.diagnostics)
    }

    pub(crate) fn start(&mut self) -> Vec<Action> {
        let mut actions = Vec::new();
        self.begin_groups(&mut actions);
        actions
    }

    /// Whether nothing more will come.
    pub(crate) fn is_done(&self) -> bool {
        self.open == 0
    }

    pub(crate) fn step(&mut self, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Rendered { address, result } => {
                self.open -= 1;
                match result {
                    Ok(rendered) => self.rendered(address, rendered, &mut actions),
                    Err(failure) => self.fail(address, failure),
                }
            }
            Event::Diffed { address, result } => {
                self.open -= 1;
                match result {
                    Ok(objects) => self.diffed(address, objects),
                    Err(failure) => self.fail(address, failure),
                }
            }
            Event::Observed { address, result } => {
                self.open -= 1;
                match result {
                    Ok(outputs) => self.read(&address, outputs),
                    Err(failure) => self.fail(address, failure),
                }
            }
            Event::ProviderPlanned { address, result } => {
                self.open -= 1;
                match result {
                    Ok(planned) => self.provider_planned(address, *planned),
                    Err(failure) => self.fail(address, failure),
                }
            }
            _ => {}
        }
        self.begin_groups(&mut actions);
        actions
    }

    fn rendered(&mut self, address: Address, rendered: Rendered, actions: &mut Vec<Action>) {
        let Some(node) = self.nodes.get_mut(&address) else { return };
        let spec = node.spec.clone();
        let Some(kind) = kind_of(&self.world, &spec) else { return };
        let objects = match rendered {
            Rendered::Unchanged => None,
            Rendered::Objects { properties, objects, .. } => {
                node.properties = properties;
                node.emitted = emitted_outputs(&kind.info, &objects);
                node.manifests =
                    objects.iter().map(|o| (o.slot.clone(), self.world.masked(&o.manifest))).collect();
                Some(objects)
            }
            Rendered::Deferred { properties, why } => {
                self.defer(&address, &kind, &properties, why);
                return self.close(&address);
            }
        };
        if spec.existing {
            let request = ObserveRequest {
                type_name: spec.type_name.clone(),
                target: node.target.clone(),
                properties: node.properties.clone(),
                objects: objects.iter().flatten().map(AwaitObject::of).collect(),
                existing: true,
                address,
            };
            self.open += 1;
            return actions.push(Action::Observe(request));
        }
        let renew = node.watch.renews(self.world.state.resources.get(&address), &self.world);
        let request = diff_request(&self.world, &kind, &spec, &address, objects);
        actions.push(Action::Diff(DiffRequest { renew, ..request }));
        self.open += 1;
    }

    fn diffed(&mut self, address: Address, mut objects: Vec<PlannedObject>) {
        let Some(node) = self.nodes.get_mut(&address) else { return };
        let spec = node.spec.clone();
        for object in &mut objects {
            if !object.action.is_removal()
                && let Some(manifest) = node.manifests.remove(&object.slot)
            {
                object.manifest = manifest;
            }
        }
        let record = self.world.state.resources.get(&address);
        let renew = node.watch.renews(record, &self.world);
        let action = action_of(
            record.map(Arc::as_ref),
            is_recorded(record, &spec, &node.watch, &self.world),
            &objects,
        );
        if action == Planned::Replace && spec.prevent_destroy {
            return self.fail(address.clone(), Failure::world(vec![prune::protected(&address)]));
        }
        let Some(kind) = kind_of(&self.world, &spec) else { return };
        // What a run that was cut off recorded may be of an object that it has made anew since.
        let settled = record.is_some_and(|r| r.status == Status::Ready && r.type_name == spec.type_name);
        let lives =
            settled && !objects.iter().any(|o| matches!(o.action, Planned::Create | Planned::Replace));
        let outputs = self.modules.reads(&address).then(|| self.foreseen(&kind, &address, action, lives));
        let Some(node) = self.nodes.get_mut(&address) else { return };
        node.outputs = outputs.unwrap_or_else(Value::empty);
        // The plan has them from here on.
        let given = std::mem::replace(&mut node.properties, Arc::new(Value::Null));
        let properties = self.world.masked(&given);
        let planned = self.draft(&kind, &spec, &address, action, properties, Vec::new(), None);
        let renewed = PlannedResource { renew: renew.is_some(), why: renew, ..planned };
        self.planned.insert(address.clone(), PlannedResource { objects, ..renewed });
        self.close(&address);
    }

    /// An existing resource was read: nothing else is ever done with it.
    fn read(&mut self, address: &Address, outputs: Value) {
        let Some(node) = self.nodes.get_mut(address) else { return };
        let spec = node.spec.clone();
        let Some(kind) = kind_of(&self.world, &spec) else { return };
        node.outputs = kind.schemas.outputs.mark_sensitive(outputs);
        let (outputs, properties) = (self.world.masked(&node.outputs), self.world.masked(&node.properties));
        let released = self.world.state.resources.contains_key(address);
        let action = if released { Planned::Forget } else { Planned::NoOp };
        let notes = if released { vec!["only read from now on".to_owned()] } else { Vec::new() };
        let planned = self.draft(&kind, &spec, address, action, properties, notes, None);
        self.planned.insert(address.clone(), PlannedResource { outputs, existing: true, ..planned });
        self.close(address);
    }

    fn provider_planned(&mut self, address: Address, found: ProviderPlanned) {
        let Some(spec) = self.nodes.get(&address).map(|n| n.spec.clone()) else { return };
        let Some(kind) = kind_of(&self.world, &spec) else { return };
        let record = self.world.state.resources.get(&address);
        let Some(node) = self.nodes.get(&address) else { return };
        let recorded = is_recorded(record, &spec, &node.watch, &self.world);
        let renew = node.watch.renews(record, &self.world);
        let action = match (found.action, record.map(|r| &r.status)) {
            (Planned::NoOp, Some(Status::Tainted(_))) => Planned::Replace,
            (Planned::NoOp, Some(Status::Ready)) if recorded => Planned::NoOp,
            (Planned::NoOp, _) => Planned::Await,
            (other, _) => other,
        };
        if action == Planned::Replace && spec.prevent_destroy {
            return self.fail(address.clone(), Failure::world(vec![prune::protected(&address)]));
        }
        let Some(node) = self.nodes.get_mut(&address) else { return };
        node.outputs = if action == Planned::NoOp {
            self.world.recorded_outputs(&address)
        } else {
            kind.schemas.outputs.mark_sensitive(found.plan.outputs.clone())
        };
        node.properties = Arc::new(found.properties);
        let (outputs, properties) = (self.world.masked(&node.outputs), self.world.masked(&node.properties));
        let planned = self.draft(&kind, &spec, &address, action, properties, found.notes, None);
        let planned = PlannedResource { renew: renew.is_some(), why: renew, ..planned };
        self.diagnostics.extend(found.plan.notes.into_iter().map(|d| d.on(address.clone())));
        self.planned.insert(address.clone(), PlannedResource { changes: found.changes, outputs, ..planned });
        self.close(&address);
    }

    fn fault(&mut self, address: Address, diagnostics: Vec<Diagnostic>) {
        self.blueprint_fault = true;
        let code = diagnostics.first().map_or_else(String::new, |d| d.code.clone());
        self.groups.fail(&address);
        self.failed.insert(address, code);
        self.diagnostics.extend(diagnostics);
    }

    fn fail(&mut self, address: Address, failure: Failure) {
        let Some(node) = self.nodes.get(&address) else { return };
        let spec = node.spec.clone();
        self.blueprint_fault |= failure.blueprint;
        let code = failure.diagnostics.first().map_or_else(String::new, |d| d.code.clone());
        let placed = failure.diagnostics.into_iter().map(|d| place(&spec, d).on(address.clone()));
        self.diagnostics.extend(placed);
        self.groups.fail(&address);
        self.close(&address);
        self.failed.insert(address, code);
    }

    fn open(&mut self, address: &Address) {
        self.open += 1;
        self.groups.open(&address.without_key());
    }

    fn close(&mut self, address: &Address) {
        let id = address.without_key();
        self.groups.close(&id);
        self.settle_if_done(&id);
    }

    /// The plan, once nothing more will come.
    pub(crate) fn finish(&mut self) -> PlanningOutcome {
        let outputs = self.stack_outputs();
        if self.blueprint_fault {
            return PlanningOutcome::Refused;
        }
        let mut resources: Vec<Arc<PlannedResource>> = Vec::new();
        let mut planned = std::mem::take(&mut self.planned);
        if let Some(graph) = self.world.graph.clone() {
            in_order(&graph, None, &mut planned, &mut resources);
        }
        if self.world.only.is_empty() {
            let (removals, refused) = prune::removals(&self.world, &resources, &self.failed, &self.off);
            resources.extend(removals.into_iter().map(Arc::new));
            for (address, diagnostic) in refused {
                self.failed.insert(address, diagnostic.code.clone());
                self.diagnostics.push(diagnostic);
            }
        }
        let purpose = self.world.purpose;
        PlanningOutcome::Plan(Box::new(Plan {
            format: PLAN_FORMAT,
            stack: self.world.stack.clone(),
            serial: self.world.state.serial,
            purpose,
            blueprint: self.world.blueprint.clone(),
            inputs: self.world.inputs.iter().map(|(k, v)| (k.clone(), self.world.masked(v))).collect(),
            resources,
            outputs,
            passwords: self.passwords.take_missing(),
            failed: std::mem::take(&mut self.failed),
            only: self.world.only.clone(),
            moved: self.world.moved.iter().map(|m| (m.from.clone(), m.to.clone())).collect(),
            found: BTreeMap::new(),
        }))
    }

    fn stack_outputs(&mut self) -> BTreeMap<String, Masked> {
        let (outputs, faults) = self.modules.outputs(None, &self.passwords);
        // With resources missing, an output that reads them says nothing new.
        if self.failed.is_empty() && self.world.only.is_empty() && !faults.is_empty() {
            self.blueprint_fault = true;
            self.diagnostics.extend(faults);
        }
        outputs.into_iter().map(|(name, value)| (name, self.world.masked(&value))).collect()
    }

    /// What watchers are told of the plan.
    pub(crate) fn announcements(plan: &Plan) -> impl Iterator<Item = Action> + '_ {
        plan.resources.iter().map(|r| {
            let objects = r.objects.iter().map(|o| ObjectAction {
                target: o.target.clone(),
                object: o.object.clone(),
                action: o.action,
            });
            Action::Notify(What::Planned {
                address: r.address.clone(),
                action: r.action,
                objects: objects.collect(),
            })
        })
    }
}

/// Moves what was planned of a blueprint over, each resource behind all it needs.
fn in_order(
    graph: &Graph,
    path: Option<&Address>,
    planned: &mut BTreeMap<Address, PlannedResource>,
    out: &mut Vec<Arc<PlannedResource>>,
) {
    for name in &graph.order {
        let base = path.map_or_else(|| Address::new(name), |p| p.clone().child(name));
        let within: Vec<Address> = planned
            .range(base.clone()..)
            .map(|(a, _)| a.clone())
            .take_while(|a| a.is_within(&base))
            .collect();
        match graph.modules.get(name) {
            Some(module) => {
                let mut instances: Vec<Address> =
                    within.iter().filter_map(|a| a.prefix(base.steps().len())).collect();
                instances.dedup();
                for instance in instances {
                    in_order(&module.graph, Some(&instance), planned, out);
                }
            }
            None => out.extend(within.iter().filter_map(|a| planned.remove(a)).map(Arc::new)),
        }
    }
}

fn action_of(record: Option<&ResourceRecord>, recorded: bool, objects: &[PlannedObject]) -> Planned {
    let changes = |a: Planned| !matches!(a, Planned::NoOp | Planned::Forget);
    let there = |o: &PlannedObject| o.order.shared && o.action != Planned::Create;
    match record {
        None if !objects.is_empty() && objects.iter().all(there) => Planned::Update,
        None => Planned::Create,
        Some(_) if objects.iter().any(|o| o.action == Planned::Replace) => Planned::Replace,
        Some(_) if objects.iter().any(|o| changes(o.action)) => Planned::Update,
        Some(record) if record.status == Status::Ready && recorded => Planned::NoOp,
        Some(_) => Planned::Await,
    }
}

/// Whether the record holds what a later removal or replacement goes by.
fn is_recorded(
    record: Option<&Arc<ResourceRecord>>,
    spec: &ResourceSpec,
    watch: &Watch,
    world: &World,
) -> bool {
    let Some(record) = record else { return false };
    record.keep == spec.keep
        && record.protect == spec.prevent_destroy
        && !record.renewing
        && record.watched == watch.masked(world)
}
