//! Planning: every instance evaluated, rendered, compared; the outcome is a [`Plan`], which is data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sheave_blueprint::{Graph, Repeat, ResourceSpec, Unknowns};
use sheave_model::event::{ObjectAction, What};
use sheave_model::plan::{Action as Planned, Deferred, PLAN_FORMAT, Plan, PlannedObject, PlannedResource};
use sheave_model::stack::{ResourceRecord, Status};
use sheave_model::{Address, Diagnostic, Masked, Role, Unknown, UnknownKind, Value};

use crate::action::{Action, DiffRequest, ProviderPlanRequest, RenderRequest};
use crate::event::{Event, Failure, ProviderPlanned, Rendered, RenderedObject};
use crate::instances::{Expansion, expand};
use crate::scope::{Each, PasswordBook, View};
use crate::{CompiledType, World, immutable, prune};

/// A resource of the blueprint, with all its instances.
#[derive(Debug)]
struct Group {
    /// Groups that come first and are not settled yet.
    waits_for: BTreeSet<String>,
    instances: Vec<Address>,
    open: usize,
    settled: bool,
}

/// An instance on its way into the plan.
#[derive(Debug)]
struct Node {
    spec: Arc<ResourceSpec>,
    target: Option<String>,
    properties: Value,
    outputs: Value,
    manifests: BTreeMap<String, Masked>,
}

/// The planning half of a run.
#[derive(Debug)]
pub(crate) struct Planning {
    world: Arc<World>,
    graph: Option<Arc<Graph>>,
    groups: BTreeMap<String, Group>,
    nodes: BTreeMap<Address, Node>,
    planned: BTreeMap<Address, PlannedResource>,
    failed: BTreeMap<Address, String>,
    view: View,
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
        let graph = world.graph.clone();
        let mut groups = BTreeMap::new();
        if let Some(graph) = &graph {
            for (name, spec) in &graph.resources {
                let mut waits_for: BTreeSet<String> = spec.references.iter().cloned().collect();
                waits_for.extend(spec.depends_on.iter().cloned());
                groups.insert(
                    name.clone(),
                    Group { waits_for, instances: Vec::new(), open: 0, settled: false },
                );
            }
        }
        Self {
            passwords: PasswordBook::new(world.passwords.clone()),
            graph,
            world,
            groups,
            nodes: BTreeMap::new(),
            planned: BTreeMap::new(),
            failed: BTreeMap::new(),
            view: View::default(),
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

    /// Begins every group whose turn has come; settling one may bring on the next.
    fn begin_groups(&mut self, actions: &mut Vec<Action>) {
        let Some(graph) = self.graph.clone() else { return };
        loop {
            let ready: Vec<String> = self
                .groups
                .iter()
                .filter(|(_, g)| !g.settled && g.open == 0 && g.waits_for.is_empty())
                .map(|(name, _)| name.clone())
                .collect();
            let mut moved = false;
            for name in ready {
                let begun = self.groups.get(&name).is_some_and(|g| !g.instances.is_empty());
                if !begun {
                    self.begin_group(&graph, &name, actions);
                }
                if self.groups.get(&name).is_some_and(|g| g.open == 0) {
                    self.settle(&graph, &name);
                    moved = true;
                }
            }
            if !moved {
                return;
            }
        }
    }

    fn begin_group(&mut self, graph: &Graph, name: &str, actions: &mut Vec<Action>) {
        let Some(spec) = graph.resources.get(name) else { return };
        let spec = Arc::new(spec.clone());
        let needs: Vec<&String> = spec.references.iter().chain(&spec.depends_on).collect();
        if !self.selected(graph, name) {
            return self.leave_alone(&spec);
        }
        if let Some(need) = needs.iter().find(|n| self.failed.keys().any(|a| a.name() == n.as_str())) {
            let address = Address::new(name);
            self.diagnostics.push(
                Diagnostic::warning(
                    "run.blocked",
                    format!("`{name}` was not planned: it needs `{need}`, which failed"),
                )
                .on(address.clone()),
            );
            self.failed.insert(address, "run.blocked".into());
            return;
        }
        match expand(&self.world, graph, &spec, &self.view, &self.passwords) {
            Err(diagnostics) => self.fault(Address::new(name), diagnostics),
            Ok(Expansion::Deferred(why)) => self.defer_group(&spec, why.to_owned()),
            Ok(Expansion::Instances(instances)) => {
                for (address, each) in instances {
                    if let Some(group) = self.groups.get_mut(name) {
                        group.instances.push(address.clone());
                    }
                    self.begin_instance(graph, &spec, address, &each, actions);
                }
            }
        }
    }

    /// With `only`: the resource and what leads to it.
    fn selected(&self, graph: &Graph, name: &str) -> bool {
        if self.world.only.is_empty() {
            return true;
        }
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut stack: Vec<&str> = self.world.only.iter().map(Address::name).collect();
        while let Some(next) = stack.pop() {
            if let Some(spec) = graph.resources.get(next).filter(|_| seen.insert(next)) {
                stack.extend(spec.references.iter().chain(&spec.depends_on).map(String::as_str));
            }
        }
        seen.contains(name)
    }

    fn leave_alone(&mut self, spec: &ResourceSpec) {
        let base = Address::new(&*spec.name);
        let recorded: Vec<(Address, Value)> = self
            .world
            .state
            .resources
            .keys()
            .filter(|a| a.without_key() == base)
            .map(|a| (a.clone(), self.world.recorded_outputs(a)))
            .collect();
        self.view.set(&spec.name, !matches!(spec.repeat, Repeat::Once), recorded);
        if let Some(group) = self.groups.get_mut(&spec.name) {
            group.settled = true;
        }
        self.release(&spec.name);
    }

    fn begin_instance(
        &mut self,
        graph: &Graph,
        spec: &Arc<ResourceSpec>,
        address: Address,
        each: &Each,
        actions: &mut Vec<Action>,
    ) {
        let Some(kind) = self.world.types.get(&spec.type_name).cloned() else { return };
        let (properties, target) =
            match evaluate_instance(&self.world, graph, spec, &kind, &self.view, &self.passwords, each) {
                Ok(found) => found,
                Err(diagnostics) => {
                    return self.fault(
                        address.clone(),
                        diagnostics.into_iter().map(|d| d.on(address.clone())).collect(),
                    );
                }
            };
        let record = self.world.state.resources.get(&address);
        if record.is_some_and(|r| r.role != kind.info.role) {
            let summary =
                format!("`{address}` cannot become a {}: what it was works in another way", spec.type_name);
            let help = "give the new resource another name; the old one is then removed";
            return self.fault(
                address.clone(),
                vec![
                    Diagnostic::error("plan.role-changed", summary)
                        .with_help(help)
                        .at(spec.span, "")
                        .on(address),
                ],
            );
        }
        let node = Node {
            spec: spec.clone(),
            target: target.clone(),
            properties: properties.clone(),
            outputs: Value::empty(),
            manifests: BTreeMap::new(),
        };
        self.nodes.insert(address.clone(), node);
        if let Unknowns::Defer(pointers) = kind.schemas.properties.verdict_on_unknowns(&properties) {
            let why = format!("{} known after apply", pointers.join(", "));
            return self.defer(&address, &kind, properties, why);
        }
        let properties = as_texts(properties);
        let type_name = spec.type_name.clone();
        actions.push(match kind.info.role {
            Role::Emits => Action::Render(RenderRequest {
                known: record.filter(|r| r.status == Status::Ready).map(|r| r.render_key.clone()),
                address,
                type_name,
                target,
                properties,
            }),
            Role::Provides => Action::PlanProvider(ProviderPlanRequest {
                address,
                type_name,
                properties,
                adopt: spec.adopt,
            }),
        });
        self.open(&spec.name);
    }

    fn rendered(&mut self, address: Address, rendered: Rendered, actions: &mut Vec<Action>) {
        let Some(node) = self.nodes.get_mut(&address) else { return };
        let spec = node.spec.clone();
        let Some(kind) = self.world.types.get(&spec.type_name).cloned() else { return };
        let objects = match rendered {
            Rendered::Unchanged => None,
            Rendered::Objects { properties, objects, .. } => {
                node.properties = properties;
                node.manifests =
                    objects.iter().map(|o| (o.slot.clone(), self.world.masked(&o.manifest))).collect();
                Some(objects)
            }
            Rendered::Deferred { properties, why } => {
                self.close(&spec.name);
                return self.defer(&address, &kind, properties, why);
            }
        };
        actions.push(Action::Diff(diff_request(&self.world, &kind, &spec, &address, objects)));
        self.open += 1;
    }

    fn diffed(&mut self, address: Address, mut objects: Vec<PlannedObject>) {
        let Some(node) = self.nodes.get_mut(&address) else { return };
        let spec = node.spec.clone();
        for object in &mut objects {
            if let Some(manifest) = node.manifests.get(&object.slot)
                && !matches!(object.action, Planned::Delete | Planned::Forget)
            {
                object.manifest = manifest.clone();
            }
        }
        let record = self.world.state.resources.get(&address);
        let action = action_of(record, &objects);
        let Some(kind) = self.world.types.get(&spec.type_name).cloned() else { return };
        let outputs = self.foreseen(&kind, &address, action);
        let Some(node) = self.nodes.get_mut(&address) else { return };
        node.outputs = outputs;
        let properties = self.world.masked(&node.properties);
        let planned = self.draft(&kind, &spec, &address, action, properties, Vec::new(), None);
        self.planned.insert(address, PlannedResource { objects, ..planned });
        self.close(&spec.name);
    }

    fn provider_planned(&mut self, address: Address, found: ProviderPlanned) {
        let Some(node) = self.nodes.get_mut(&address) else { return };
        let spec = node.spec.clone();
        let Some(kind) = self.world.types.get(&spec.type_name).cloned() else { return };
        let record = self.world.state.resources.get(&address);
        let action = match (found.action, record.map(|r| &r.status)) {
            (Planned::NoOp, Some(Status::Tainted(_))) => Planned::Replace,
            (Planned::NoOp, Some(Status::Ready)) => Planned::NoOp,
            (Planned::NoOp, _) => Planned::Await,
            (other, _) => other,
        };
        node.outputs = if action == Planned::NoOp {
            self.world.recorded_outputs(&address)
        } else {
            kind.schemas.outputs.mark_sensitive(found.plan.outputs.clone())
        };
        node.properties = found.properties;
        let (outputs, properties) = (self.world.masked(&node.outputs), self.world.masked(&node.properties));
        let planned = self.draft(&kind, &spec, &address, action, properties, found.notes, None);
        self.diagnostics.extend(found.plan.notes.into_iter().map(|d| d.on(address.clone())));
        self.planned.insert(address, PlannedResource { changes: found.changes, outputs, ..planned });
        self.close(&spec.name);
    }

    /// Puts an instance into the plan without its objects.
    fn defer(&mut self, address: &Address, kind: &Arc<CompiledType>, properties: Value, why: String) {
        let Some(node) = self.nodes.get_mut(address) else { return };
        let (spec, target) = (node.spec.clone(), node.target.clone());
        let action = match self.world.state.resources.get(address) {
            None => Planned::Create,
            Some(_) => Planned::Update,
        };
        let outputs = self.foreseen(kind, address, action);
        if let Some(node) = self.nodes.get_mut(address) {
            node.outputs = outputs;
        }
        let bounds = Deferred { why, target, kinds: Vec::new(), namespaces: Vec::new() };
        let properties = self.world.masked(&properties);
        let planned = self.draft(kind, &spec, address, action, properties, Vec::new(), Some(bounds));
        self.planned.insert(address.clone(), planned);
    }

    /// Puts a whole resource into the plan whose instances are not known.
    fn defer_group(&mut self, spec: &Arc<ResourceSpec>, why: String) {
        let Some(kind) = self.world.types.get(&spec.type_name).cloned() else { return };
        let address = Address::new(&*spec.name);
        let bounds = Deferred { why, target: None, kinds: Vec::new(), namespaces: Vec::new() };
        let planned =
            self.draft(&kind, spec, &address, Planned::Create, Masked::default(), Vec::new(), Some(bounds));
        self.planned.insert(address, planned);
        self.view.set_unknown(&spec.name);
        if let Some(group) = self.groups.get_mut(&spec.name) {
            group.settled = true;
        }
        self.release(&spec.name);
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one record, named at its one end")]
    fn draft(
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
            requires: requires_of(spec),
            notes,
        }
    }

    /// The outputs as they will be, as far as that is known.
    fn foreseen(&self, kind: &CompiledType, address: &Address, action: Planned) -> Value {
        match action {
            Planned::NoOp => self.world.recorded_outputs(address),
            Planned::Update => {
                let mut outputs = kind.schemas.outputs.unknown_outputs(&address.to_string());
                if let (Value::Map(fresh), Value::Map(old)) =
                    (&mut outputs, self.world.recorded_outputs(address))
                {
                    for (name, value) in old {
                        let stable = kind.info.outputs().pointer(&format!("/properties/{name}/x-stable"));
                        if stable.and_then(serde_json::Value::as_bool) == Some(true) {
                            fresh.insert(name, value);
                        }
                    }
                }
                outputs
            }
            _ => kind.schemas.outputs.unknown_outputs(&address.to_string()),
        }
    }

    fn fault(&mut self, address: Address, diagnostics: Vec<Diagnostic>) {
        self.blueprint_fault = true;
        let code = diagnostics.first().map_or_else(String::new, |d| d.code.clone());
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
        self.failed.insert(address, code);
        self.close(&spec.name);
    }

    fn open(&mut self, group: &str) {
        self.open += 1;
        if let Some(group) = self.groups.get_mut(group) {
            group.open += 1;
        }
    }

    fn close(&mut self, group: &str) {
        if let Some(group) = self.groups.get_mut(group) {
            group.open -= 1;
        }
    }

    fn settle(&mut self, graph: &Graph, name: &str) {
        let Some(group) = self.groups.get_mut(name) else { return };
        if std::mem::replace(&mut group.settled, true) {
            return;
        }
        let instances = std::mem::take(&mut group.instances);
        let known = instances.into_iter().filter_map(|a| {
            let outputs = self.nodes.get(&a)?.outputs.clone();
            Some((a, outputs))
        });
        let known: Vec<(Address, Value)> = known.collect();
        let repeated = graph.resources.get(name).is_some_and(|s| !matches!(s.repeat, Repeat::Once));
        self.view.set(name, repeated, known);
        self.release(name);
    }

    fn release(&mut self, name: &str) {
        for group in self.groups.values_mut() {
            group.waits_for.remove(name);
        }
    }

    /// The plan, once nothing more will come.
    pub(crate) fn finish(&mut self) -> PlanningOutcome {
        let outputs = self.stack_outputs();
        if self.blueprint_fault {
            return PlanningOutcome::Refused;
        }
        let mut resources: Vec<PlannedResource> = Vec::new();
        let mut planned = std::mem::take(&mut self.planned);
        if let Some(graph) = &self.graph {
            for name in &graph.order {
                let base = Address::new(name);
                let of_group: Vec<Address> =
                    planned.keys().filter(|a| a.without_key() == base).cloned().collect();
                resources.extend(of_group.iter().filter_map(|a| planned.remove(a)));
            }
        }
        if self.world.only.is_empty() {
            resources.extend(prune::removals(&self.world, &resources, &self.failed));
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
        }))
    }

    fn stack_outputs(&mut self) -> BTreeMap<String, Masked> {
        let Some(graph) = self.graph.clone() else { return BTreeMap::new() };
        let mut outputs = BTreeMap::new();
        for (name, spec) in &graph.outputs {
            match self.view.evaluate(&self.world, &graph, &self.passwords, &spec.value, &None) {
                Ok(value) => {
                    outputs.insert(name.clone(), self.world.masked(&value));
                }
                // With resources missing, an output that reads them says nothing new.
                Err(_) if !self.failed.is_empty() || !self.world.only.is_empty() => {}
                Err(diagnostics) => {
                    self.blueprint_fault = true;
                    self.diagnostics.extend(diagnostics);
                }
            }
        }
        outputs
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

/// Evaluates an instance's properties and target, and checks the properties. Errors are the blueprint's.
pub(crate) fn evaluate_instance(
    world: &World,
    graph: &Graph,
    spec: &ResourceSpec,
    kind: &CompiledType,
    view: &View,
    passwords: &PasswordBook,
    each: &Each,
) -> Result<(Value, Option<String>), Vec<Diagnostic>> {
    let properties = view.evaluate(world, graph, passwords, &spec.properties, each)?;
    let properties = kind.schemas.properties.mark_sensitive(properties);
    let faults: Vec<Diagnostic> =
        kind.schemas.properties.check(&properties).into_iter().map(|d| place(spec, d)).collect();
    if faults.iter().any(Diagnostic::is_error) {
        return Err(faults);
    }
    if kind.info.role == Role::Provides {
        return Ok((properties, None));
    }
    let target = match &spec.target {
        Some(template) => match view.evaluate(world, graph, passwords, template, each)? {
            Value::Text(name) if graph.targets.contains_key(&name) => name,
            other => {
                let named = if let Value::Text(name) = &other {
                    format!("`{name}`")
                } else {
                    other.kind_name().into()
                };
                let summary = format!("`target` names one of the blueprint's targets, and {named} is none");
                let names: Vec<&str> = graph.targets.keys().map(String::as_str).collect();
                let fault =
                    Diagnostic::error("blueprint.unknown-name", summary).at(spec.span, "in this resource");
                return Err(vec![fault.with_help(format!("the targets are: {}", names.join(", ")))]);
            }
        },
        None => match graph.targets.keys().next() {
            Some(only) if graph.targets.len() == 1 => only.clone(),
            None => {
                let help = "add for example `targets: {main: {kubernetes: {namespace: default}}}`";
                let summary = format!("`{}` needs a target, and the blueprint has none", spec.name);
                return Err(vec![
                    Diagnostic::error("blueprint.no-target", summary).at(spec.span, "").with_help(help),
                ]);
            }
            Some(_) => {
                let summary = format!("`{}` must say which target: there are several", spec.name);
                return Err(vec![
                    Diagnostic::error("blueprint.no-target", summary).at(spec.span, "add `target: NAME`"),
                ]);
            }
        },
    };
    Ok((properties, Some(target)))
}

/// Every unknown leaf as a text, which the schema says they are: so each can travel as a token.
fn as_texts(properties: Value) -> Value {
    match properties {
        Value::Unknown(unknown) => Value::Unknown(Unknown { kind: UnknownKind::Text, ..unknown }),
        Value::List(items) => Value::List(items.into_iter().map(as_texts).collect()),
        Value::Map(fields) => Value::Map(fields.into_iter().map(|(k, v)| (k, as_texts(v))).collect()),
        known => known,
    }
}

/// The request to compare a resource's objects.
pub(crate) fn diff_request(
    world: &World,
    kind: &CompiledType,
    spec: &ResourceSpec,
    address: &Address,
    objects: Option<Vec<RenderedObject>>,
) -> DiffRequest {
    DiffRequest {
        address: address.clone(),
        objects,
        recorded: world.state.resources.get(address).map(|r| r.objects.clone()).unwrap_or_default(),
        force: spec.force,
        adopt: spec.adopt,
        ignore: spec.ignore.clone(),
        immutable: immutable::pointers(&kind.info.schema),
        keep: spec.keep,
    }
}

/// The resources that `spec` reads or depends on.
pub(crate) fn requires_of(spec: &ResourceSpec) -> Vec<Address> {
    let names: BTreeSet<&String> = spec.references.iter().chain(&spec.depends_on).collect();
    names.into_iter().map(Address::new).collect()
}

/// Gives a diagnostic that points into the properties its place in the blueprint.
pub(crate) fn place(spec: &ResourceSpec, diagnostic: Diagnostic) -> Diagnostic {
    if !diagnostic.labels.is_empty() {
        return diagnostic;
    }
    if diagnostic.pointer.is_some() {
        return spec.properties.locate(diagnostic);
    }
    diagnostic.at(spec.span, "in this resource")
}

fn action_of(record: Option<&ResourceRecord>, objects: &[PlannedObject]) -> Planned {
    let changes = |a: Planned| !matches!(a, Planned::NoOp | Planned::Forget);
    match record {
        None => Planned::Create,
        Some(_) if objects.iter().any(|o| o.action == Planned::Replace) => Planned::Replace,
        Some(_) if objects.iter().any(|o| changes(o.action)) => Planned::Update,
        Some(record) if record.status == Status::Ready => Planned::NoOp,
        Some(_) => Planned::Await,
    }
}
