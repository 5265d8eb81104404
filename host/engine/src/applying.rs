//! Applying: a plan carried out, resource by resource in the graph's order. It makes no choices: what does not fit the
//! plan stops that resource.

mod beginning;
mod concluding;
mod objects;
mod provider;
mod removal;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sheave_blueprint::ResourceSpec;
use sheave_model::event::What;
use sheave_model::plan::{Action as Planned, Counts, Plan, PlannedResource};
use sheave_model::plugin::ObjectId;
use sheave_model::{Address, Diagnostic, Masked, Role, Value};

use crate::action::{Action, AwaitRequest, ObserveRequest, ProviderPlanRequest, RecordDraft, RenderRequest};
use crate::evaluate::{Around, Late, evaluate, place};
use crate::event::{Event, Failure, Rendered};
use crate::groups::Groups;
use crate::modules::{Each, Modules};
use crate::order::Keys;
use crate::passwords::PasswordBook;
use crate::watch::Watch;
use crate::{CompiledType, World, compare};
use objects::ObjectList;
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
    planned: Arc<PlannedResource>,
    stage: Stage,
    properties: Arc<Value>,
    /// The same as they are written down, where they were masked already.
    masked: Option<Masked>,
    render_key: String,
    watch: Watch,
    target: Option<String>,
    begun: bool,
    /// It stands for instances that were not known when the plan was made.
    template: bool,
    objects: ObjectList,
    /// A provider is deleting the old one before it makes the new.
    replacing: bool,
    outputs: Value,
}

/// The applying half of a run.
#[derive(Debug)]
pub(crate) struct Applying {
    world: Arc<World>,
    plan: Plan,
    modules: Modules,
    groups: Groups,
    late: Late,
    nodes: BTreeMap<Address, Node>,
    keys: Keys,
    passwords: PasswordBook,
    /// Instances that the plan did not know, and that want passwords.
    wants_passwords: BTreeMap<Address, Each>,
    /// Objects that resources of this run have: none of them is removed with what had it before.
    claimed: BTreeSet<(String, ObjectId)>,
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
    pub(crate) fn new(world: Arc<World>, mut plan: Plan) -> Self {
        let mut nodes = BTreeMap::new();
        let mut keys = Keys::default();
        let mut removed = Vec::new();
        for planned in std::mem::take(&mut plan.resources) {
            if planned.action.is_removal() && !planned.existing {
                removed.push(planned);
                continue;
            }
            planned.objects.iter().for_each(|o| keys.expect(o));
            nodes.insert(planned.address.clone(), Node::new(planned));
        }
        let mut removals = Removals::new(removed);
        for node in nodes.values() {
            removals.add_leftovers(&node.planned);
        }
        let modules = Modules::new(&world);
        let mut groups = Groups::default();
        if let Some(root) = modules.at(None) {
            groups.enter(root);
        }
        Self {
            failed: !plan.failed.is_empty(),
            passwords: PasswordBook::new(world.passwords.clone()),
            world,
            plan,
            modules,
            groups,
            late: Late::default(),
            nodes,
            keys,
            wants_passwords: BTreeMap::new(),
            claimed: BTreeSet::new(),
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
        let moved = self.world.moved.iter().cloned();
        let mut actions: Vec<Action> =
            moved.map(|m| Action::Move { from: m.from, to: m.to, requiring: m.requiring }).collect();
        if !self.plan.passwords.is_empty() {
            self.in_flight += 1;
            actions.push(Action::MakePasswords(self.plan.passwords.clone()));
            return actions;
        }
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
                for (address, each) in std::mem::take(&mut self.wants_passwords) {
                    if let Some(node) = self.nodes.get_mut(&address) {
                        node.stage = Stage::Working;
                    }
                    let (Some(spec), Some(kind)) = (self.spec(&address), self.kind_of(&address)) else {
                        continue;
                    };
                    self.evaluate(&spec, &kind, &address, &each, &mut actions);
                }
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
            // Answered before anything is applied.
            Event::LookedInside { .. } => {}
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
        self.modules.spec(address)
    }

    fn kind_of(&self, address: &Address) -> Option<Arc<CompiledType>> {
        self.world.types.get(&self.nodes.get(address)?.planned.type_name).cloned()
    }

    /// A key for one operation of this run.
    fn next_op(&mut self) -> String {
        self.ops += 1;
        format!("{}-{}", self.world.run, self.ops)
    }

    fn begin(&mut self, address: &Address, each: &Each, actions: &mut Vec<Action>) {
        let Some(node) = self.nodes.get_mut(address) else { return };
        if node.is_idle() {
            node.stage = Stage::Done;
            if self.modules.reads(address) {
                node.outputs = self.world.recorded_outputs(address);
            }
            self.counts.unchanged += node.planned.objects.len().max(1) as u64;
            return self.close(address);
        }
        node.stage = Stage::Working;
        let action = node.planned.action;
        let (Some(spec), Some(kind)) = (self.spec(address), self.kind_of(address)) else { return };
        if !spec.existing {
            actions.push(Action::Notify(What::Started { address: address.clone(), action }));
        }
        self.evaluate(&spec, &kind, address, each, actions);
    }

    fn evaluate(
        &mut self,
        spec: &ResourceSpec,
        kind: &CompiledType,
        address: &Address,
        each: &Each,
        actions: &mut Vec<Action>,
    ) {
        let around = Around {
            world: &self.world,
            modules: &self.modules,
            passwords: &self.passwords,
            to_be_made: &|_| false,
        };
        let evaluated = evaluate(around, &mut self.late, spec, kind, address, each, actions);
        let missing = self.passwords.take_missing();
        let found = match evaluated {
            Ok(found) => found,
            Err(diagnostics) => return self.fail(address, Failure::world(diagnostics), actions),
        };
        if !missing.is_empty() && found.properties.has_unknown() {
            // Inside of a module whose instances the plan did not know.
            let deferred = self.nodes.get(address).is_some_and(|n| n.planned.deferred.is_some());
            if deferred {
                if let Some(node) = self.nodes.get_mut(address) {
                    node.stage = Stage::Waiting;
                }
                self.wants_passwords.insert(address.clone(), each.clone());
                self.in_flight += 1;
                return actions.push(Action::MakePasswords(missing));
            }
            let names = missing.keys().cloned().collect::<Vec<_>>().join(", ");
            let summary = format!("`{address}` wants a password that the plan did not foresee: {names}");
            let fault = Diagnostic::error("plan.diverged", summary).with_help("plan and apply again");
            return self.fail(address, Failure::world(vec![fault]), actions);
        }
        if let Some(why) = found.unknown {
            let fault = Diagnostic::error(
                "plan.still-unknown",
                format!("`{address}`: {why}, and is not known even now"),
            );
            return self.fail(address, Failure::world(vec![fault]), actions);
        }
        let properties = Arc::new(found.properties);
        if let Some(node) = self.nodes.get_mut(address) {
            node.properties = properties.clone();
            node.watch = found.watch;
            node.target.clone_from(&found.target);
        }
        self.in_flight += 1;
        let renew = self.nodes.get(address).is_some_and(|n| n.planned.renew);
        let (address, type_name) = (address.clone(), spec.type_name.clone());
        let target = found.target;
        actions.push(match kind.info.role {
            Role::Emits => {
                Action::Render(RenderRequest { address, type_name, target, properties, known: None })
            }
            Role::Provides => Action::PlanProvider(ProviderPlanRequest {
                address,
                type_name,
                properties: Value::clone(&properties),
                adopt: spec.adopt,
                renew,
            }),
        });
    }

    fn rendered(&mut self, address: &Address, rendered: Rendered, actions: &mut Vec<Action>) {
        let (properties, key, objects) = match rendered {
            Rendered::Objects { properties, key, objects, .. } => (properties, key, objects),
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
        let same_input = node.planned.properties == masked;
        node.properties = properties;
        // Where they are the planned ones, the plan has them already.
        node.masked = Some(if same_input { node.planned.properties.clone() } else { masked });
        node.render_key = key;
        if spec.existing {
            node.objects = ObjectList::new(objects);
            if !spec.wait {
                return self.observe(address, actions);
            }
            let request = AwaitRequest {
                address: address.clone(),
                objects: node.await_objects(),
                ready_when: spec.ready_when.clone(),
                timeout: spec.timeout,
                slot: None,
            };
            self.in_flight += 1;
            return actions.push(Action::Await(request));
        }
        self.claimed.extend(objects.iter().map(|o| (o.target.clone(), o.id.clone())));
        if node.planned.deferred.is_some() {
            let request =
                crate::evaluate::diff_request(&self.world, &kind, &spec, address, Some(objects.clone()));
            node.objects = ObjectList::new(objects);
            self.in_flight += 1;
            return actions.push(Action::Diff(request));
        }
        let world = self.world.clone();
        if let Some(why) = compare::departure(&node.planned.objects, &objects, &|v| world.masked(v)) {
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
        node.objects = ObjectList::new(objects);
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
        Arc::make_mut(&mut node.planned).objects = objects;
        self.take_up(address, actions);
    }

    /// Writes the record that the change begins, and sends what can be sent.
    fn take_up(&mut self, address: &Address, actions: &mut Vec<Action>) {
        if let Some(node) = self.nodes.get_mut(address) {
            let record = self.world.state.resources.get(address);
            node.objects.join(&node.planned.objects, record.map_or(&[], |r| &r.objects));
        }
        self.begin_record(address, actions);
        self.dispatch(address, actions);
    }

    fn begin_record(&mut self, address: &Address, actions: &mut Vec<Action>) {
        let (Some(spec), Some(kind)) = (self.spec(address), self.kind_of(address)) else { return };
        let Some(node) = self.nodes.get_mut(address) else { return };
        node.begun = true;
        // What was deferred could not be replaced in this run: the next one still has to see what changed.
        let watched = match self.world.state.resources.get(address) {
            Some(record) if node.planned.deferred.is_some() => record.watched.clone(),
            _ => node.watch.masked(&self.world),
        };
        actions.push(Action::Begin(Box::new(RecordDraft {
            address: address.clone(),
            type_name: node.planned.type_name.clone(),
            role: kind.info.role,
            plugin: node.planned.plugin.clone(),
            settings: self.late.settings(&self.world, &spec.type_name.plugin),
            schema_version: kind.info.version,
            target: node.target.clone(),
            requires: self.modules.requires(address),
            keep: spec.keep,
            protect: spec.prevent_destroy,
            watched,
            renewing: node.planned.renew,
            properties: node.masked.take().unwrap_or_else(|| self.world.masked(&node.properties)),
            // Where something is left to remove after it, the next run must look again: this one may be cut off before.
            render_key: if node.planned.objects.iter().any(|o| o.action.is_removal()) {
                String::new()
            } else {
                node.render_key.clone()
            },
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
            existing: node.planned.existing,
        };
        self.in_flight += 1;
        actions.push(Action::Observe(request));
    }

    fn finish(&mut self, address: &Address, outputs: Value, actions: &mut Vec<Action>) {
        let Some(node) = self.nodes.get_mut(address).filter(|n| n.stage == Stage::Working) else { return };
        node.stage = Stage::Done;
        node.outputs = outputs.clone();
        node.let_go();
        let action = node.planned.action;
        if !node.planned.existing {
            actions.push(Action::Finish { address: address.clone(), outputs });
            actions.push(Action::Notify(What::Ready { address: address.clone(), action }));
        } else if self.world.state.resources.contains_key(address) {
            actions.push(Action::Forget { address: address.clone() });
        }
        self.close(address);
        self.begin_ready_groups(actions);
    }

    fn close(&mut self, address: &Address) {
        let id = address.without_key();
        self.groups.close(&id);
        self.settle_if_done(&id);
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
        self.groups.fail(address);
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
}

impl Node {
    fn new(planned: Arc<PlannedResource>) -> Self {
        Self {
            planned,
            stage: Stage::Waiting,
            properties: Arc::new(Value::Null),
            masked: None,
            render_key: String::new(),
            watch: Watch::default(),
            target: None,
            begun: false,
            template: false,
            objects: ObjectList::default(),
            replacing: false,
            outputs: Value::empty(),
        }
    }

    /// Its instances are known: they take its place.
    fn become_template(&mut self) {
        self.template = true;
        self.stage = Stage::Done;
    }

    /// Whether there is nothing to do, and its outputs are recorded.
    fn is_idle(&self) -> bool {
        self.planned.action == Planned::NoOp && !self.planned.existing
    }
}
