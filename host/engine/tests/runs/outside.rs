//! Runs driven by hand: a small world that answers actions, so that planning and applying are seen whole without a cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value as Json, json};
use sheave_blueprint::{
    InputSource, InputValue, ModuleSource, NoFiles, RawInput, TypeSchemas, bind_inputs, parse, resolve_with,
};
use sheave_engine::{
    Action, CompiledType, Event, Failure, Finished, Inside, ProviderPlanned, Rendered, RenderedObject, Run,
    World,
};
use sheave_model::event::RunOutcome;
use sheave_model::facts::{ObjectFacts, Permit};
use sheave_model::journal::{Change, Entry, Intent, Outcome};
use sheave_model::plan::{Action as Planned, ObjectOrder, Plan, PlannedObject, Purpose};
use sheave_model::plugin::{Grants, ObjectId, ProviderPlan, ProviderStep, Snapshot};
use sheave_model::stack::{ObjectRecord, ResourceRecord, SnapshotRecord, StackState, Status};
use sheave_model::{
    Address, Diagnostic, Masked, PluginPin, Role, Sealed, SecretText, SourceId, Sources, TypeCatalog,
    TypeName, TypeSchema, Value,
};

/// Two types: `t:Thing` emits one object, `t:Part` is provided. Both have `name`, `size` and an output `id`.
pub(crate) struct Types(Vec<TypeSchema>);

impl Default for Types {
    fn default() -> Self {
        let schema = json!({
            "type": "object", "additionalProperties": false,
            "properties": {
                "name": {"type": "string"}, "size": {"type": "integer"}, "note": {"type": "string"},
                "fixed": {"type": "string", "x-immutable": true}
            },
            "x-outputs": {"type": "object", "properties": {
                "id": {"type": "string"}, "name": {"type": "string", "x-stable": true},
                "called": {"type": "string", "x-emitted": "main#/name"}}}
        });
        let of = |name: &str, role| TypeSchema {
            name: TypeName::new("t", name),
            role,
            version: 1,
            summary: String::new(),
            schema: schema.clone(),
        };
        Self(vec![of("Thing", Role::Emits), of("Part", Role::Provides), of("Space", Role::Emits)])
    }
}

impl TypeCatalog for Types {
    fn get(&self, name: &TypeName) -> Option<&TypeSchema> {
        self.0.iter().find(|t| t.name == *name)
    }
    fn all(&self) -> Vec<&TypeSchema> {
        self.0.iter().collect()
    }
    fn settings_schema(&self, _plugin: &str) -> Option<&Json> {
        None
    }
}

/// The world outside: objects by name, provided parts by address, and what was called how often.
#[derive(Default)]
pub(crate) struct Outside {
    pub(crate) objects: BTreeMap<ObjectId, Json>,
    pub(crate) parts: BTreeMap<String, Json>,
    pub(crate) log: Vec<String>,
    /// Addresses whose objects and parts are refused.
    pub(crate) broken: BTreeSet<String>,
    /// What others have put into a resource's objects, by its address.
    pub(crate) inside: BTreeMap<String, Inside>,
    /// Answer the newest action first.
    pub(crate) backwards: bool,
    /// Answer in an order that this number gives.
    pub(crate) shuffle: Option<u64>,
    /// Render anew what is known: what others changed is then seen.
    pub(crate) forgetful: bool,
}

/// What a run came to.
pub(crate) struct Ended {
    pub(crate) plan: Option<Plan>,
    pub(crate) finished: Option<Finished>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Ended {
    pub(crate) fn outcome(&self) -> Option<RunOutcome> {
        self.finished.as_ref().map(|f| f.outcome)
    }
    pub(crate) fn codes(&self) -> Vec<&str> {
        self.diagnostics.iter().map(|d| d.code.as_str()).collect()
    }
    pub(crate) fn actions(&self) -> Vec<(String, Planned)> {
        self.plan.iter().flat_map(|p| &p.resources).map(|r| (r.address.to_string(), r.action)).collect()
    }
}

fn mask(value: &Value) -> Masked {
    Masked::of(value, &|s| format!("digest-of-{}", s.len()))
}

fn pin() -> PluginPin {
    PluginPin { name: "t".into(), source: "builtin".into(), digest: "d".into(), grants: Grants::default() }
}

const HEAD: &str = "blueprint: test\ntargets: {main: {kubernetes: {}}}\nplugins: {t: {}}\n";

/// Modules by folder.
struct Folders(BTreeMap<&'static str, (SourceId, String)>);

impl ModuleSource for Folders {
    fn read(&self, folder: &str) -> Result<(SourceId, String), String> {
        self.0.get(folder).cloned().ok_or_else(|| format!("there is no {folder}"))
    }
}

const MODULES: &[(&str, &str)] = &[
    (
        "pair",
        "
blueprint: pair
inputs: {name: {type: string}, size: {type: integer, default: 1}}
targets: {main: {kubernetes: {}}}
plugins: {t: {}}
resources:
  one: {type: t:Thing, properties: {name: '${inputs.name}-one', size: '${inputs.size}'}}
  two: {type: t:Part, properties: {name: '${resources.one.outputs.id}'}}
outputs:
  id: ${resources.two.outputs.id}
",
    ),
    (
        "outer",
        "
blueprint: outer
inputs: {names: {type: list}}
targets: {main: {kubernetes: {}}}
plugins: {t: {}}
resources:
  pairs: {type: ../pair, for-each: '${inputs.names}', inputs: {name: '${each.value}'}}
outputs:
  ids: '${resources.pairs.map(p, p.outputs.id)}'
",
    ),
];

/// A run's world over a blueprint's text (without head) and a state.
pub(crate) fn world(text: &str, state: &StackState, purpose: Purpose, inputs: &[(&str, &str)]) -> World {
    let types = Types::default();
    let mut sources = Sources::default();
    let text = format!("{HEAD}{text}");
    let parsed = parse(sources.add("blueprint.yaml", text.as_str()), &text);
    assert!(parsed.diagnostics.iter().all(|d| !d.is_error()), "{:?}", parsed.diagnostics);
    let folders =
        MODULES.iter().map(|(f, text)| (*f, (sources.add(*f, *text), (*text).to_owned()))).collect();
    let resolved = resolve_with(parsed.syntax.unwrap(), &types, &Folders(folders));
    assert!(resolved.diagnostics.iter().all(|d| !d.is_error()), "{:?}", resolved.diagnostics);
    let graph = resolved.graph.unwrap();
    let given: Vec<InputValue> = inputs
        .iter()
        .map(|(n, v)| InputValue {
            name: (*n).to_owned(),
            value: RawInput::Text((*v).to_owned()),
            from: InputSource::Flag,
        })
        .collect();
    let inputs = bind_inputs(&graph, &given).unwrap();
    let compile = |t: &TypeSchema| {
        let compiled = CompiledType::new(t.clone(), Arc::new(TypeSchemas::compile(t).unwrap()));
        (t.name.clone(), Arc::new(compiled))
    };
    let opened = |r: &ResourceRecord| r.outputs.as_ref().map(|s| Value::from_json(&s.0));
    let outputs = state.resources.iter().filter_map(|(a, r)| Some((a.clone(), opened(r)?))).collect();
    World {
        stack: "test".into(),
        run: format!("run-{}", state.serial),
        purpose,
        graph: (purpose == Purpose::Apply).then(|| Arc::new(graph)),
        blueprint: None,
        types: types.0.iter().map(compile).collect(),
        plugins: BTreeMap::from([("t".to_owned(), pin())]),
        settings: BTreeMap::new(),
        inputs,
        state: state.clone(),
        outputs,
        passwords: state
            .passwords
            .iter()
            .map(|(n, s)| (n.clone(), SecretText::new(s.0.to_string())))
            .collect(),
        stacks: BTreeMap::new(),
        files: Arc::new(NoFiles),
        mask: Arc::new(mask),
        moved: Vec::new(),
        only: Vec::new(),
    }
}

impl Outside {
    /// Plans and, where `approve`, applies; the state takes in what a driver would write down.
    pub(crate) fn run(&mut self, world: World, state: &mut StackState, approve: bool) -> Ended {
        let mut run = Run::new(world);
        let mut inbox = vec![Event::Start];
        let mut waiting: Vec<Action> = Vec::new();
        let mut ended = Ended { plan: None, finished: None, diagnostics: Vec::new() };
        loop {
            let event = match inbox.pop() {
                Some(event) => event,
                None if waiting.is_empty() => return ended,
                None => {
                    let action = waiting.remove(self.pick(waiting.len()));
                    self.answer(action, state)
                }
            };
            for entry in entries_of(&event) {
                state.record(&entry);
            }
            for action in run.step(event) {
                self.note(&action, state);
                match action {
                    Action::AwaitApproval(plan) => {
                        ended.plan = Some(*plan);
                        if approve {
                            inbox.push(Event::Approved);
                        }
                    }
                    Action::Finished(finished) => ended.finished = Some(finished),
                    Action::MakePasswords(wanted) => {
                        let made = wanted.into_keys().map(|name| {
                            let password = Sealed(json!(format!("made-{name}")));
                            state.record(&Entry::PasswordMade { name: name.clone(), password });
                            (name.clone(), SecretText::new(format!("made-{name}")))
                        });
                        inbox.push(Event::PasswordsMade(Ok(made.collect())));
                    }
                    Action::Begin(_)
                    | Action::Finish { .. }
                    | Action::Fail { .. }
                    | Action::Forget { .. }
                    | Action::SetOutputs(_)
                    | Action::Connect { .. }
                    | Action::Configure { .. }
                    | Action::Move { .. }
                    | Action::Notify(_) => {}
                    outside => waiting.push(outside),
                }
            }
            ended.diagnostics.extend(run.take_diagnostics());
        }
    }

    /// Which of so many waiting actions is answered next.
    fn pick(&mut self, waiting: usize) -> usize {
        let Some(seed) = &mut self.shuffle else { return if self.backwards { waiting - 1 } else { 0 } };
        // Knuth's constants for a linear congruence of 64 bits; its upper half is the random one.
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(*seed >> 33).unwrap() % waiting
    }

    /// What a driver writes down before it performs an action.
    fn note(&mut self, action: &Action, state: &mut StackState) {
        let intent = |op: &str, address: &Address, change| {
            Entry::Intent(Intent { op: op.to_owned(), address: address.clone(), change })
        };
        let entry = match action {
            Action::Begin(draft) => Entry::ResourceBegun {
                address: draft.address.clone(),
                record: Box::new(ResourceRecord {
                    type_name: draft.type_name.clone(),
                    role: draft.role,
                    plugin: draft.plugin.clone(),
                    settings: Sealed::default(),
                    schema_version: draft.schema_version,
                    target: draft.target.clone(),
                    requires: draft.requires.clone(),
                    keep: draft.keep,
                    properties: draft.properties.clone(),
                    render_key: draft.render_key.clone(),
                    status: Status::Applying,
                    outputs: None,
                    objects: Vec::new(),
                    snapshot: None,
                    named: None,
                    protect: draft.protect,
                    watched: draft.watched.clone(),
                    renewing: draft.renewing,
                }),
            },
            Action::Apply(r) => {
                let object = record_of(&r.slot, &r.target, &r.id, None, &r.order, "");
                intent(&r.op, &r.address, Change::ApplyObject { object })
            }
            Action::Delete(r) => intent(
                &r.op,
                &r.address,
                Change::DeleteObject { target: r.target.clone(), id: r.id.clone(), uid: r.uid.clone() },
            ),
            Action::Provide(r) => intent(
                &r.op,
                &r.address,
                Change::Provide { prior: None, desired: None, agreed: Sealed::default(), resume: None },
            ),
            Action::Finish { address, outputs } => {
                Entry::ResourceReady { address: address.clone(), outputs: Sealed(outputs.to_json().unwrap()) }
            }
            Action::Fail { address, why } => {
                Entry::ResourceFailed { address: address.clone(), why: why.clone() }
            }
            Action::Move { from, to, requiring } => {
                Entry::ResourceMoved { from: from.clone(), to: to.clone(), requiring: requiring.clone() }
            }
            Action::Forget { address } => Entry::ResourceForgotten { address: address.clone() },
            Action::SetOutputs(outputs) => Entry::OutputsSet {
                outputs: outputs.iter().map(|(k, v)| (k.clone(), Sealed(Json::clone(&mask(v).0)))).collect(),
            },
            _ => return,
        };
        state.record(&entry);
    }

    fn answer(&mut self, action: Action, state: &StackState) -> Event {
        match action {
            Action::Render(r) => {
                let key = mask(&r.properties).0.to_string();
                if r.known.as_ref() == Some(&key) && !self.forgetful {
                    return Event::Rendered { address: r.address, result: Ok(Rendered::Unchanged) };
                }
                if let Some(Value::Unknown(_)) = r.properties.at("/name") {
                    let deferred = Rendered::Deferred { properties: r.properties, why: "the name".into() };
                    return Event::Rendered { address: r.address, result: Ok(deferred) };
                }
                let text = |at: &str| match r.properties.at(at) {
                    Some(Value::Text(t)) => Some(t.clone()),
                    _ => None,
                };
                let name = text("/name").unwrap_or_else(|| r.address.to_string());
                let space = r.type_name.name == "Space";
                let id = ObjectId {
                    api_version: "v1".into(),
                    kind: r.type_name.name.clone(),
                    namespace: None,
                    name: name.clone(),
                };
                let order = ObjectOrder {
                    rank: 0,
                    provides: space.then(|| format!("main/namespace/{name}")),
                    requires: if space { vec![] } else { vec!["main/namespace/room".into()] },
                    after: vec![],
                    shared: false,
                };
                let object = RenderedObject {
                    slot: "main".into(),
                    target: "main".into(),
                    id,
                    manifest: r.properties.clone(),
                    order,
                    ready_when: None,
                    ignore: vec![],
                    facts: ObjectFacts::default(),
                };
                let permit = Box::new(Permit { target: "main".into(), ..Permit::default() });
                let (properties, objects) = (r.properties, vec![object]);
                let rendered = Rendered::Objects { properties, key, objects, permit };
                Event::Rendered { address: r.address, result: Ok(rendered) }
            }
            Action::Diff(r) => {
                let mut planned = Vec::new();
                match &r.objects {
                    None => {
                        let action = if r.renew.is_some() { Planned::Replace } else { Planned::NoOp };
                        planned.extend(r.recorded.iter().map(|o| plan_of(o, action)));
                    }
                    Some(objects) => {
                        for o in objects {
                            let now = mask(&o.manifest);
                            let action = match self.objects.get(&o.id) {
                                None => Planned::Create,
                                Some(_) if r.renew.is_some() => Planned::Replace,
                                Some(live) if *live == *now.0 => Planned::NoOp,
                                Some(_) => Planned::Update,
                            };
                            let record = record_of(&o.slot, &o.target, &o.id, None, &o.order, "");
                            planned.push(PlannedObject { manifest: now, ..plan_of(&record, action) });
                        }
                        let gone = r.recorded.iter().filter(|r| !objects.iter().any(|o| o.id == r.id));
                        planned.extend(gone.map(|o| plan_of(o, Planned::Delete)));
                    }
                }
                Event::Diffed { address: r.address, result: Ok(planned) }
            }
            Action::PlanProvider(r) => {
                let now = mask(&r.properties);
                let action = match self.parts.get(&r.address.to_string()) {
                    None => Planned::Create,
                    Some(_) if r.renew => Planned::Replace,
                    Some(live) if *live == *now.0 => Planned::NoOp,
                    Some(_) => Planned::Update,
                };
                let outputs = Value::from_json(&json!({"id": r.address.to_string()}));
                let plan = ProviderPlan { outputs, replace: vec![], notes: vec![] };
                let key = now.0.to_string();
                let planned = ProviderPlanned {
                    properties: r.properties,
                    key,
                    action,
                    changes: vec![],
                    plan,
                    notes: vec![],
                };
                Event::ProviderPlanned { address: r.address, result: Ok(Box::new(planned)) }
            }
            Action::Apply(r) => {
                if self.broken.contains(&r.address.to_string()) {
                    let refused = Diagnostic::error("cluster.refused", "no");
                    return Event::Applied {
                        address: r.address,
                        op: r.op,
                        slot: r.slot,
                        result: Err(Failure::world(vec![refused])),
                    };
                }
                self.log.push(format!("apply {}", r.id.name));
                let created = self.objects.insert(r.id.clone(), Json::clone(&mask(&r.manifest).0)).is_none();
                let record = record_of(&r.slot, &r.target, &r.id, Some("uid"), &r.order, "");
                Event::Applied { address: r.address, op: r.op, slot: r.slot, result: Ok((record, created)) }
            }
            Action::LookInside(r) => {
                let result = Ok(self.inside.get(&r.address.to_string()).cloned().unwrap_or_default());
                Event::LookedInside { address: r.address, target: r.target, id: r.id, result }
            }
            Action::Delete(r) => {
                self.log.push(format!("delete {}", r.id.name));
                self.objects.remove(&r.id);
                Event::Deleted { address: r.address, op: r.op, id: r.id, target: r.target, result: Ok(()) }
            }
            Action::Provide(r) => {
                let at = r.address.to_string();
                if self.broken.contains(&at) {
                    let refused = Failure::world(vec![Diagnostic::error("plugin.refused", "no")]);
                    return Event::Provided { address: r.address, op: r.op, result: Err(refused) };
                }
                let step = match r.desired {
                    None => {
                        self.log.push(format!("unprovide {at}"));
                        self.parts.remove(&at);
                        ProviderStep::Done(None)
                    }
                    Some(desired) => {
                        self.log.push(format!("provide {at}"));
                        self.parts.insert(at.clone(), Json::clone(&mask(&desired).0));
                        let outputs = Value::from_json(&json!({"id": at}));
                        let state = Value::empty();
                        ProviderStep::Done(Some(Snapshot { id: at, state, outputs, private: vec![] }))
                    }
                };
                Event::Provided { address: r.address, op: r.op, result: Ok(step) }
            }
            Action::Await(r) => Event::Awaited { address: r.address, slot: r.slot, result: Ok(()) },
            Action::Observe(r) => {
                if r.existing {
                    assert!(r.objects.iter().all(|o| self.objects.contains_key(&o.id)), "it is not there");
                } else {
                    assert!(state.resources.contains_key(&r.address), "observed before it was recorded");
                }
                let mut outputs = json!({"id": format!("live-{}", r.address), "name": r.address.name()});
                if let Some(Value::Text(name)) = r.properties.at("/name") {
                    outputs["called"] = name.as_str().into();
                }
                Event::Observed { address: r.address, result: Ok(Value::from_json(&outputs)) }
            }
            other => panic!("not for the outside: {other:?}"),
        }
    }
}

fn entries_of(event: &Event) -> Vec<Entry> {
    let snapshot = |s: &Snapshot| SnapshotRecord {
        id: s.id.clone(),
        state: Sealed::default(),
        outputs: Sealed::default(),
        private: Sealed::default(),
    };
    let (op, outcome) = match event {
        Event::Applied { op, result: Ok((object, _)), .. } => {
            (op, Outcome::Applied { object: object.clone() })
        }
        Event::Deleted { op, result: Ok(()), .. } => (op, Outcome::Deleted),
        Event::Provided { op, result: Ok(ProviderStep::Done(s)), .. } => {
            (op, Outcome::Provided { snapshot: s.as_ref().map(snapshot) })
        }
        Event::Applied { op, result: Err(f), .. } | Event::Provided { op, result: Err(f), .. } => {
            (op, Outcome::Failed { why: f.summary() })
        }
        _ => return vec![],
    };
    vec![Entry::Outcome { op: op.clone(), outcome }]
}

fn record_of(
    slot: &str,
    target: &str,
    id: &ObjectId,
    uid: Option<&str>,
    order: &ObjectOrder,
    desired: &str,
) -> ObjectRecord {
    ObjectRecord {
        slot: slot.into(),
        target: target.into(),
        id: id.clone(),
        uid: uid.map(str::to_owned),
        created: true,
        desired: desired.into(),
        owned: String::new(),
        order: order.clone(),
    }
}

fn plan_of(object: &ObjectRecord, action: Planned) -> PlannedObject {
    PlannedObject {
        slot: object.slot.clone(),
        target: object.target.clone(),
        object: object.id.clone(),
        action,
        manifest: Masked::default(),
        changes: vec![],
        drift: vec![],
        force: false,
        only_empty: false,
        uid: object.uid.clone(),
        order: object.order.clone(),
        notes: vec![],
    }
}
