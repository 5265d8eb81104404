//! Applying: a plan carried out, resource by resource in the graph's order. It makes no choices: what does not fit the
//! plan stops that resource.

mod objects;
mod provider;
mod removal;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sheave_blueprint::{Graph, Repeat, ResourceSpec, Unknowns};
use sheave_model::event::{RunOutcome, What};
use sheave_model::plan::{Action as Planned, Counts, Plan, PlannedResource};
use sheave_model::{Address, Diagnostic, Role, Value};

use crate::action::{Action, ObserveRequest, ProviderPlanRequest, RecordDraft, RenderRequest};
use crate::event::{Event, Failure, Rendered};
use crate::instances::{Expansion, expand};
use crate::order::Keys;
use crate::planning::{evaluate_instance, place, requires_of};
use crate::scope::{Each, PasswordBook, View};
use crate::{CompiledType, Finished, World, compare};
use objects::ObjectWork;
use removal::Removals;

/// How far an instance has come.
#[derive(Debug, PartialEq)]
enum Stage {
    Waiting,
    Working,
    Done,
    Failed,
}

/// An instance of the plan on its way.
#[derive(Debug)]
struct Node {
    planned: PlannedResource,
    stage: Stage,
    properties: Value,
    render_key: String,
    target: Option<String>,
    begun: bool,
    objects: Vec<ObjectWork>,
    /// A provider is deleting the old one before it makes the new.
    replacing: bool,
    outputs: Value,
}

#[derive(Debug, Default)]
struct Group {
    waits_for: BTreeSet<String>,
    dependants: BTreeSet<String>,
    instances: BTreeSet<Address>,
    open: usize,
    failed: bool,
    begun: bool,
}

/// The applying half of a run.
#[derive(Debug)]
pub(crate) struct Applying {
    world: Arc<World>,
    plan: Plan,
    groups: BTreeMap<String, Group>,
    nodes: BTreeMap<Address, Node>,
    keys: Keys,
    view: View,
    passwords: PasswordBook,
    removals: Removals,
    diagnostics: Vec<Diagnostic>,
    counts: Counts,
    in_flight: usize,
    ops: u64,
    cancelled: bool,
    failed: bool,
    pruning: bool,
    over: bool,
}

impl Applying {
    pub(crate) fn new(world: Arc<World>, plan: Plan) -> Self {
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        let mut nodes = BTreeMap::new();
        let mut keys = Keys::default();
        let mut removed = Vec::new();
        for planned in &plan.resources {
            if matches!(planned.action, Planned::Delete | Planned::Forget) {
                removed.push(planned.clone());
                continue;
            }
            planned.objects.iter().for_each(|o| keys.expect(o));
            let group = groups.entry(planned.address.name().to_owned()).or_default();
            group.instances.insert(planned.address.clone());
            group.waits_for.extend(planned.requires.iter().map(|a| a.name().to_owned()));
            nodes.insert(planned.address.clone(), Node::new(planned.clone()));
        }
        for address in plan.failed.keys() {
            groups.entry(address.name().to_owned()).or_default().failed = true;
        }
        if let Some(graph) = &world.graph {
            // A resource without instances still stands before those that read it.
            for name in graph.resources.keys() {
                groups.entry(name.clone()).or_default();
            }
        }
        let names: Vec<String> = groups.keys().cloned().collect();
        for name in names {
            let Some(group) = groups.get_mut(&name) else { continue };
            group.open = group.instances.len();
            let waits_for = group.waits_for.clone();
            for need in &waits_for {
                match groups.get_mut(need) {
                    Some(needed) => {
                        needed.dependants.insert(name.clone());
                    }
                    None => {
                        groups.get_mut(&name).map(|g| g.waits_for.remove(need));
                    }
                }
            }
        }
        let mut removals = Removals::new(removed);
        for node in nodes.values() {
            removals.add_leftovers(&node.planned);
        }
        Self {
            failed: !plan.failed.is_empty(),
            passwords: PasswordBook::new(world.passwords.clone()),
            world,
            plan,
            groups,
            nodes,
            keys,
            view: View::default(),
            removals,
            diagnostics: Vec::new(),
            counts: Counts::default(),
            in_flight: 0,
            ops: 0,
            cancelled: false,
            pruning: false,
            over: false,
        }
    }

    pub(crate) fn take_diagnostics(&mut self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.diagnostics)
    }

    pub(crate) fn start(&mut self) -> Vec<Action> {
        self.counts.failed = self.plan.failed.len() as u64;
        if !self.plan.passwords.is_empty() {
            self.in_flight += 1;
            return vec![Action::MakePasswords(self.plan.passwords.clone())];
        }
        let mut actions = Vec::new();
        self.begin_ready_groups(&mut actions);
        actions
    }

    pub(crate) fn step(&mut self, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        if !matches!(event, Event::Start | Event::Approved | Event::Cancelled) {
            self.in_flight = self.in_flight.saturating_sub(1);
        }
        match event {
            Event::Start | Event::Approved => {}
            Event::Cancelled => self.cancelled = true,
            Event::PasswordsMade(Ok(made)) => {
                self.passwords.add(made);
                self.begin_ready_groups(&mut actions);
            }
            Event::PasswordsMade(Err(failure)) => {
                self.failed = true;
                self.cancelled = true;
                self.diagnostics.extend(failure.diagnostics);
            }
            Event::Rendered { address, result } => match result {
                Ok(rendered) => self.rendered(&address, rendered, &mut actions),
                Err(failure) => self.fail(&address, failure, &mut actions),
            },
            Event::Diffed { address, result } => match result {
                Ok(objects) => self.expanded(&address, objects, &mut actions),
                Err(failure) => self.fail(&address, failure, &mut actions),
            },
            Event::ProviderPlanned { address, result } => match result {
                Ok(found) => self.provider_planned(&address, *found, &mut actions),
                Err(failure) => self.fail(&address, failure, &mut actions),
            },
            Event::Applied { address, slot, result, .. } => {
                self.applied(&address, &slot, result, &mut actions)
            }
            Event::Deleted { address, id, target, result, .. } => {
                self.deleted(&address, &target, &id, result, &mut actions);
            }
            Event::Provided { address, op, result } => self.provided(&address, &op, result, &mut actions),
            Event::Awaited { address, slot, result } => self.awaited(&address, slot, result, &mut actions),
            Event::Observed { address, result } => match result {
                Ok(outputs) => {
                    let kind = self.kind_of(&address);
                    let outputs = kind.map_or(Value::empty(), |k| k.schemas.outputs.mark_sensitive(outputs));
                    self.finish(&address, outputs, &mut actions);
                }
                Err(failure) => self.fail(&address, failure, &mut actions),
            },
        }
        actions
    }

    fn spec(&self, address: &Address) -> Option<Arc<ResourceSpec>> {
        let graph = self.world.graph.as_ref()?;
        graph.resources.get(address.name()).cloned().map(Arc::new)
    }

    fn kind_of(&self, address: &Address) -> Option<Arc<CompiledType>> {
        self.world.types.get(&self.nodes.get(address)?.planned.type_name).cloned()
    }

    /// A key for one operation of this run.
    fn next_op(&mut self) -> String {
        self.ops += 1;
        format!("{}-{}", self.world.run, self.ops)
    }

    fn begin_ready_groups(&mut self, actions: &mut Vec<Action>) {
        loop {
            let ready: Vec<String> = self
                .groups
                .iter()
                .filter(|(_, g)| !g.begun && g.waits_for.is_empty())
                .map(|(name, _)| name.clone())
                .collect();
            if ready.is_empty() || self.cancelled {
                return;
            }
            for name in ready {
                let Some(group) = self.groups.get_mut(&name) else { continue };
                group.begun = true;
                let instances: Vec<Address> = group.instances.iter().cloned().collect();
                for address in instances {
                    self.begin(&address, actions);
                }
                self.settle_if_done(&name);
            }
        }
    }

    /// When all instances of a group are done, those that read it may begin.
    fn settle_if_done(&mut self, name: &str) {
        let Some(group) = self.groups.get(name).filter(|g| g.begun && g.open == 0 && !g.failed) else {
            return;
        };
        let instances: Vec<(Address, Value)> = group
            .instances
            .iter()
            .filter(|a| self.nodes.get(*a).is_some_and(|n| n.stage == Stage::Done && !n.is_template()))
            .filter_map(|a| Some((a.clone(), self.nodes.get(a)?.outputs.clone())))
            .collect();
        let dependants = group.dependants.clone();
        let repeated = self
            .world
            .graph
            .as_ref()
            .and_then(|g| g.resources.get(name))
            .is_some_and(|s| !matches!(s.repeat, Repeat::Once));
        let instances = if instances.is_empty() && !self.world.only.is_empty() {
            let base = Address::new(name);
            let recorded = self.world.state.resources.keys().filter(|a| a.without_key() == base);
            recorded.map(|a| (a.clone(), self.world.recorded_outputs(a))).collect()
        } else {
            instances
        };
        self.view.set(name, repeated, instances);
        for dependant in dependants {
            self.groups.get_mut(&dependant).map(|g| g.waits_for.remove(name));
        }
    }

    fn begin(&mut self, address: &Address, actions: &mut Vec<Action>) {
        let Some(node) = self.nodes.get_mut(address) else { return };
        if node.planned.action == Planned::NoOp {
            node.stage = Stage::Done;
            node.outputs = self.world.recorded_outputs(address);
            self.counts.unchanged += node.planned.objects.len().max(1) as u64;
            self.close(address.name());
            return;
        }
        node.stage = Stage::Working;
        let (action, deferred) = (node.planned.action, node.planned.deferred.is_some());
        let (Some(graph), Some(spec), Some(kind)) =
            (self.world.graph.clone(), self.spec(address), self.kind_of(address))
        else {
            return;
        };
        let repeated = !matches!(spec.repeat, Repeat::Once);
        let each = if repeated {
            match expand(&self.world, &graph, &spec, &self.view, &self.passwords) {
                Ok(Expansion::Instances(instances)) if deferred && address.key().is_none() => {
                    return self.unfold(address, instances, actions);
                }
                Ok(Expansion::Instances(instances)) => {
                    instances.into_iter().find(|(a, _)| a == address).and_then(|(_, each)| each)
                }
                Ok(Expansion::Deferred(why)) => {
                    let fault = Diagnostic::error(
                        "plan.still-unknown",
                        format!("`{address}`: {why}, and still is not"),
                    );
                    return self.fail(address, Failure::world(vec![fault]), actions);
                }
                Err(diagnostics) => return self.fail(address, Failure::world(diagnostics), actions),
            }
        } else {
            None
        };
        actions.push(Action::Notify(What::Started { address: address.clone(), action }));
        self.evaluate(&graph, &spec, &kind, address, &each, actions);
    }

    /// A repeated resource's instances are known now: each becomes a deferred node of its own.
    fn unfold(&mut self, address: &Address, instances: Vec<(Address, Each)>, actions: &mut Vec<Action>) {
        let Some(template) = self.nodes.get(address).map(|n| n.planned.clone()) else { return };
        let mut fresh = Vec::new();
        for (instance, _) in instances {
            let recorded = self.world.state.resources.contains_key(&instance);
            let action = if recorded { Planned::Update } else { Planned::Create };
            let planned = PlannedResource { address: instance.clone(), action, ..template.clone() };
            self.nodes.insert(instance.clone(), Node::new(planned));
            fresh.push(instance);
        }
        if let Some(group) = self.groups.get_mut(address.name()) {
            group.open += fresh.len();
            group.instances.extend(fresh.iter().cloned());
        }
        if let Some(node) = self.nodes.get_mut(address) {
            node.stage = Stage::Done;
        }
        for instance in fresh {
            self.begin(&instance, actions);
        }
        self.close(address.name());
    }

    fn evaluate(
        &mut self,
        graph: &Graph,
        spec: &ResourceSpec,
        kind: &CompiledType,
        address: &Address,
        each: &Each,
        actions: &mut Vec<Action>,
    ) {
        let evaluated = evaluate_instance(&self.world, graph, spec, kind, &self.view, &self.passwords, each);
        let missing = self.passwords.take_missing();
        let (properties, target) = match evaluated {
            Ok(found) => found,
            Err(diagnostics) => return self.fail(address, Failure::world(diagnostics), actions),
        };
        if !missing.is_empty() {
            let names = missing.keys().cloned().collect::<Vec<_>>().join(", ");
            let summary = format!("`{address}` wants a password that the plan did not foresee: {names}");
            let fault = Diagnostic::error("plan.diverged", summary).with_help("plan and apply again");
            return self.fail(address, Failure::world(vec![fault]), actions);
        }
        if let Unknowns::Defer(pointers) = kind.schemas.properties.verdict_on_unknowns(&properties) {
            let summary = format!("`{address}`: {} is not known even now", pointers.join(", "));
            let fault = Diagnostic::error("plan.still-unknown", summary);
            return self.fail(address, Failure::world(vec![fault]), actions);
        }
        if let Some(node) = self.nodes.get_mut(address) {
            node.properties = properties.clone();
            node.target = target.clone();
        }
        self.in_flight += 1;
        let (address, type_name) = (address.clone(), spec.type_name.clone());
        actions.push(match kind.info.role {
            Role::Emits => {
                Action::Render(RenderRequest { address, type_name, target, properties, known: None })
            }
            Role::Provides => Action::PlanProvider(ProviderPlanRequest {
                address,
                type_name,
                properties,
                adopt: spec.adopt,
            }),
        });
    }

    fn rendered(&mut self, address: &Address, rendered: Rendered, actions: &mut Vec<Action>) {
        let (properties, key, objects) = match rendered {
            Rendered::Objects { properties, key, objects } => (properties, key, objects),
            Rendered::Unchanged => return,
            Rendered::Deferred { why, .. } => {
                let summary = format!("`{address}` cannot be rendered: {why}");
                return self.fail(
                    address,
                    Failure::world(vec![Diagnostic::error("plan.still-unknown", summary)]),
                    actions,
                );
            }
        };
        let masked = self.world.masked(&properties);
        let (Some(spec), Some(kind)) = (self.spec(address), self.kind_of(address)) else { return };
        let Some(node) = self.nodes.get_mut(address).filter(|n| n.stage == Stage::Working) else { return };
        node.properties = properties;
        node.render_key = key;
        if node.planned.deferred.is_some() {
            let request =
                crate::planning::diff_request(&self.world, &kind, &spec, address, Some(objects.clone()));
            node.objects = objects.into_iter().map(ObjectWork::new).collect();
            self.in_flight += 1;
            return actions.push(Action::Diff(request));
        }
        let world = self.world.clone();
        if let Some(why) = compare::departure(&node.planned.objects, &objects, &|v| world.masked(v)) {
            let same_input = node.planned.properties == masked;
            let plugin = &node.planned.plugin.name;
            let fault = if same_input {
                Diagnostic::error(
                    "plugin.not-deterministic",
                    format!(
                        "the plugin `{plugin}` rendered `{address}` in another way than for the plan: {why}"
                    ),
                )
                .with_help(
                    "the same properties must give the same objects: this is the plugin author's to mend",
                )
            } else {
                Diagnostic::error(
                    "plan.diverged",
                    format!("`{address}` is no longer what was planned: {why}"),
                )
                .with_help("plan and apply again")
            };
            return self.fail(address, Failure::world(vec![fault]), actions);
        }
        node.objects = objects.into_iter().map(ObjectWork::new).collect();
        self.take_up(address, actions);
    }

    /// A deferred resource's objects were compared with what is live: within its bounds it goes on.
    fn expanded(
        &mut self,
        address: &Address,
        objects: Vec<sheave_model::plan::PlannedObject>,
        actions: &mut Vec<Action>,
    ) {
        let Some(node) = self.nodes.get_mut(address).filter(|n| n.stage == Stage::Working) else { return };
        if let Some(why) = node.planned.deferred.as_ref().and_then(|d| compare::out_of_bounds(d, &objects)) {
            let summary = format!("`{address}` leaves what was planned for it: {why}");
            let fault = Diagnostic::error("plan.out-of-bounds", summary)
                .with_help("plan again: what it needs is known now, and the new plan shows it in full");
            return self.fail(address, Failure::world(vec![fault]), actions);
        }
        objects.iter().for_each(|o| self.keys.expect(o));
        node.planned.objects = objects;
        self.take_up(address, actions);
    }

    /// Writes the record that the change begins, and sends what can be sent.
    fn take_up(&mut self, address: &Address, actions: &mut Vec<Action>) {
        self.begin_record(address, actions);
        self.dispatch(address, actions);
    }

    fn begin_record(&mut self, address: &Address, actions: &mut Vec<Action>) {
        let (Some(spec), Some(kind)) = (self.spec(address), self.kind_of(address)) else { return };
        let Some(node) = self.nodes.get_mut(address) else { return };
        node.begun = true;
        actions.push(Action::Begin(Box::new(RecordDraft {
            address: address.clone(),
            type_name: node.planned.type_name.clone(),
            role: kind.info.role,
            plugin: node.planned.plugin.clone(),
            settings: self.world.settings.get(&spec.type_name.plugin).cloned().unwrap_or_else(Value::empty),
            schema_version: kind.info.version,
            target: node.target.clone(),
            requires: requires_of(&spec),
            keep: spec.keep,
            properties: self.world.masked(&node.properties),
            render_key: node.render_key.clone(),
        })));
    }

    fn observe(&mut self, address: &Address, actions: &mut Vec<Action>) {
        let Some(node) = self.nodes.get(address) else { return };
        let request = ObserveRequest {
            address: address.clone(),
            type_name: node.planned.type_name.clone(),
            target: node.target.clone(),
            properties: node.properties.clone(),
            objects: node.await_objects(),
        };
        self.in_flight += 1;
        actions.push(Action::Observe(request));
    }

    fn finish(&mut self, address: &Address, outputs: Value, actions: &mut Vec<Action>) {
        let Some(node) = self.nodes.get_mut(address).filter(|n| n.stage == Stage::Working) else { return };
        node.stage = Stage::Done;
        node.outputs = outputs.clone();
        let action = node.planned.action;
        actions.push(Action::Finish { address: address.clone(), outputs });
        actions.push(Action::Notify(What::Ready { address: address.clone(), action }));
        self.close(address.name());
        self.begin_ready_groups(actions);
    }

    fn close(&mut self, group: &str) {
        if let Some(group) = self.groups.get_mut(group) {
            group.open = group.open.saturating_sub(1);
        }
        self.settle_if_done(group);
    }

    fn fail(&mut self, address: &Address, failure: Failure, actions: &mut Vec<Action>) {
        let spec = self.spec(address);
        let Some(node) = self.nodes.get_mut(address) else { return };
        if node.stage == Stage::Failed {
            return;
        }
        node.stage = Stage::Failed;
        let begun = node.begun;
        let provided: Vec<String> =
            node.planned.objects.iter().filter_map(|o| o.order.provides.clone()).collect();
        if let Some(group) = self.groups.get_mut(address.name()) {
            group.failed = true;
        }
        // What a ^C cut short has not failed: the next run goes on with it.
        if self.cancelled && failure.diagnostics.iter().all(|d| d.code == "run.interrupted") {
            return;
        }
        self.failed = true;
        self.counts.failed += 1;
        if begun {
            actions.push(Action::Fail { address: address.clone(), why: failure.summary() });
        }
        let mut diagnostics = failure.diagnostics.into_iter().map(|d| {
            let d = spec.as_ref().map_or(d.clone(), |s| place(s, d));
            if d.address.is_some() { d } else { d.on(address.clone()) }
        });
        if let Some(first) = diagnostics.next() {
            actions
                .push(Action::Notify(What::Failed { address: address.clone(), diagnostic: first.clone() }));
            self.diagnostics.push(first);
        }
        self.diagnostics.extend(diagnostics);
        for key in provided {
            for waiting in self.keys.give_up(&key) {
                let summary =
                    format!("`{waiting}` was not attempted: it stands in what `{address}` should have made");
                let blocked = Diagnostic::error("run.blocked", summary);
                self.fail(&waiting, Failure::world(vec![blocked]), actions);
            }
        }
    }

    /// What is left to do once nothing is in flight: prune, then the end.
    pub(crate) fn conclude(&mut self) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.over || self.in_flight > 0 {
            return actions;
        }
        if !self.pruning {
            self.report_blocked(&mut actions);
            self.pruning = true;
            if !self.failed && !self.cancelled {
                self.begin_removals(&mut actions);
            }
            if self.in_flight > 0 {
                return actions;
            }
        }
        self.report_stuck_removals(&mut actions);
        self.over = true;
        if let Some(outputs) = self.stack_outputs() {
            actions.push(Action::SetOutputs(outputs));
        }
        let outcome = if self.cancelled && !self.failed {
            RunOutcome::Cancelled
        } else if self.failed {
            RunOutcome::Failed
        } else {
            RunOutcome::Ok
        };
        actions.push(Action::Finished(Finished { outcome, counts: self.counts, refused: false }));
        actions
    }

    /// Says of everything that was not attempted why.
    fn report_blocked(&mut self, actions: &mut Vec<Action>) {
        if self.cancelled {
            return;
        }
        let waiting: Vec<Address> = self
            .nodes
            .iter()
            .filter(|(_, n)| matches!(n.stage, Stage::Waiting | Stage::Working))
            .map(|(a, _)| a.clone())
            .collect();
        for address in waiting {
            let needs = self.nodes.get(&address).map(|n| n.planned.requires.clone()).unwrap_or_default();
            let failed =
                needs.iter().find(|a| self.groups.get(a.name()).is_some_and(|g| g.failed || g.open > 0));
            let fault = match failed {
                Some(need) => Diagnostic::error(
                    "run.blocked",
                    format!("`{address}` was not attempted: it needs `{need}`, which is not ready"),
                ),
                None => Diagnostic::error(
                    "plan.order-cycle",
                    format!("`{address}` waits for something that waits for it"),
                )
                .with_help("an object stands in a namespace, or is of a kind, that a later resource makes"),
            };
            self.fail(&address, Failure::world(vec![fault]), actions);
        }
    }

    fn stack_outputs(&mut self) -> Option<BTreeMap<String, Value>> {
        if self.failed || self.cancelled {
            return None;
        }
        // A stack that was destroyed has none any more.
        let Some(graph) = self.world.graph.clone() else { return Some(BTreeMap::new()) };
        let mut outputs = BTreeMap::new();
        for (name, spec) in &graph.outputs {
            match self.view.evaluate(&self.world, &graph, &self.passwords, &spec.value, &None) {
                Ok(value) => {
                    outputs.insert(name.clone(), value);
                }
                Err(diagnostics) => {
                    self.failed = true;
                    self.diagnostics.extend(diagnostics);
                }
            }
        }
        Some(outputs)
    }
}

impl Node {
    fn new(planned: PlannedResource) -> Self {
        Self {
            planned,
            stage: Stage::Waiting,
            properties: Value::empty(),
            render_key: String::new(),
            target: None,
            begun: false,
            objects: Vec::new(),
            replacing: false,
            outputs: Value::empty(),
        }
    }

    /// Whether it stood for a repeated resource whose instances were not known: no instance itself.
    fn is_template(&self) -> bool {
        self.planned.deferred.is_some()
            && self.objects.is_empty()
            && self.properties == Value::empty()
            && !self.begun
    }
}
