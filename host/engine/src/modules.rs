//! The blueprints of a run as they stand inside one another: the root's, and one for each instance of a module.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use sheave_blueprint::{
    Files, Graph, Instance, ModuleSpec, Passwords, RawInput, Repeat, ResourceSpec, Scope, Template,
    module_folder,
};
use sheave_blueprint::{InputSource, InputValue};
use sheave_model::{Address, Diagnostic, Key, SecretText, Unknown, UnknownKind, Value};

use crate::World;
use crate::passwords::PasswordBook;

/// What an expression of a repeated resource sees as `each`: key and value.
pub(crate) type Each = Option<(Value, Value)>;

/// What the expressions of one blueprint see.
#[derive(Debug)]
pub(crate) struct Module {
    /// The module's address; none at the root.
    pub(crate) path: Option<Address>,
    pub(crate) graph: Arc<Graph>,
    /// What the module as a whole needs: every resource in it does, too.
    needs: BTreeSet<Address>,
    /// The root's targets by the names that are used here; the others have the same names.
    targets: BTreeMap<String, String>,
    inputs: BTreeMap<String, Value>,
    /// Relative to the root blueprint's folder.
    folder: String,
    label: String,
    /// For each resource and module `{"outputs": ...}`, or a list or map of these.
    resources: BTreeMap<String, Value>,
    /// The resources and modules that something in it reads: the others are not kept in `resources`.
    read: BTreeSet<String>,
    /// With `only`: the names in it that are meant; none: all.
    only: Option<Selection>,
}

/// What `only` means within one blueprint.
#[derive(Debug, Default)]
struct Selection {
    /// Named, or leading to what is named.
    named: BTreeSet<String>,
    /// Needed by something else: as a whole.
    whole: BTreeSet<String>,
}

/// All modules of a run that were entered.
#[derive(Debug)]
pub(crate) struct Modules {
    world: Arc<World>,
    all: BTreeMap<Option<Address>, Module>,
}

/// Instances of a resource or module.
#[derive(Debug)]
pub(crate) enum Expansion {
    /// These, each with what its expressions see as `each`; and those whose `when` is false.
    Instances(Vec<(Address, Each)>, Vec<Address>),
    /// Not known yet; the words say what is not.
    Deferred(&'static str),
}

impl Modules {
    /// With the root entered, where the run has a blueprint.
    pub(crate) fn new(world: &Arc<World>) -> Self {
        let mut modules = Self { world: world.clone(), all: BTreeMap::new() };
        if let Some(graph) = &world.graph {
            let root = Module {
                path: None,
                graph: graph.clone(),
                needs: BTreeSet::new(),
                targets: BTreeMap::new(),
                inputs: world.inputs.clone(),
                folder: String::new(),
                label: String::new(),
                resources: BTreeMap::new(),
                read: read(graph),
                only: (!world.only.is_empty()).then(|| selection(graph, None, &world.only)),
            };
            modules.all.insert(None, root);
        }
        modules
    }

    /// The module that a resource stands in.
    pub(crate) fn around(&self, address: &Address) -> Option<&Module> {
        self.all.get(&address.module())
    }

    /// The module at a path; none: the root.
    pub(crate) fn at(&self, path: Option<&Address>) -> Option<&Module> {
        self.all.get(&path.cloned())
    }

    /// A resource as its blueprint describes it.
    pub(crate) fn spec(&self, address: &Address) -> Option<Arc<ResourceSpec>> {
        self.around(address)?.graph.resources.get(address.name()).cloned()
    }

    /// A module as the blueprint around it describes it.
    pub(crate) fn module_spec(&self, address: &Address) -> Option<Arc<ModuleSpec>> {
        self.around(address)?.graph.modules.get(address.name()).cloned()
    }

    /// Evaluates a template of the blueprint that `address` stands in.
    pub(crate) fn evaluate(
        &self,
        address: &Address,
        passwords: &PasswordBook,
        template: &Template,
        each: &Each,
    ) -> Result<Value, Vec<Diagnostic>> {
        let Some(module) = self.around(address) else { return Ok(Value::Null) };
        module.within(&self.world, passwords, each, |scope| module.graph.evaluate(template, scope))
    }

    /// The instances of the resource or module at `group`. Errors are the blueprint's.
    pub(crate) fn expand(
        &self,
        group: &Address,
        repeat: &Repeat,
        when: Option<&Template>,
        passwords: &PasswordBook,
    ) -> Result<Expansion, Vec<Diagnostic>> {
        let Some(module) = self.around(group) else {
            return Ok(Expansion::Instances(Vec::new(), Vec::new()));
        };
        let (world, graph) = (&self.world, &module.graph);
        let made = module.within(world, passwords, &None, |scope| graph.instances(repeat, scope))?;
        let Some(instances) = made else {
            return Ok(Expansion::Deferred("how many there are is known after apply"));
        };
        let mut found = Vec::with_capacity(instances.len());
        let mut off = Vec::new();
        for Instance { key, each } in instances {
            let address = match key {
                Some(key) => group.clone().with_key(key),
                None => group.clone(),
            };
            if let Some(when) = when {
                match module.within(world, passwords, &each, |scope| graph.holds(when, scope))? {
                    Some(true) => {}
                    Some(false) => {
                        off.push(address);
                        continue;
                    }
                    None => {
                        return Ok(Expansion::Deferred("whether it exists (`when`) is known after apply"));
                    }
                }
            }
            found.push((address, each));
        }
        Ok(Expansion::Instances(found, off))
    }

    /// Enters an instance of a module: its inputs are evaluated and bound.
    pub(crate) fn enter(
        &mut self,
        address: &Address,
        spec: &ModuleSpec,
        passwords: &PasswordBook,
        each: &Each,
    ) -> Result<(), Vec<Diagnostic>> {
        let at = |faults: Vec<Diagnostic>| -> Vec<Diagnostic> {
            let placed = faults
                .into_iter()
                .map(|d| if d.labels.is_empty() { d.at(spec.span, "this module") } else { d });
            placed.map(|d| if d.address.is_some() { d } else { d.on(address.clone()) }).collect()
        };
        let given = match self.evaluate(address, passwords, &spec.inputs, each).map_err(&at)? {
            Value::Map(given) => given,
            _ => BTreeMap::new(),
        };
        let given: Vec<InputValue> = given
            .into_iter()
            .map(|(name, value)| InputValue { name, value: RawInput::Value(value), from: InputSource::Saved })
            .collect();
        let inputs = sheave_blueprint::bind_inputs(&spec.graph, &given).map_err(&at)?;
        let mapped = match &spec.targets {
            Some(template) => self.evaluate(address, passwords, template, each).map_err(&at)?,
            None => Value::empty(),
        };
        let Some(outer) = self.around(address) else { return Ok(()) };
        let mut targets = outer.targets.clone();
        if let Value::Map(mapped) = mapped {
            for (name, value) in mapped {
                let Value::Text(outside) = value else {
                    let summary = format!("`targets` of `{address}`: `{name}` is no name of a target");
                    return Err(at(vec![Diagnostic::error("blueprint.type-mismatch", summary)]));
                };
                targets.insert(name, outer.target(&outside).to_owned());
            }
        }
        let mut needs = outer.needs.clone();
        needs.extend(outer.needs_of(address.name()));
        let only = match &outer.only {
            Some(selected) if !selected.whole.contains(address.name()) => {
                let whole = self.world.only.iter().any(|o| address.is_within(o));
                (!whole).then(|| selection(&spec.graph, Some(address), &self.world.only))
            }
            _ => None,
        };
        let module = Module {
            graph: spec.graph.clone(),
            needs,
            targets,
            inputs,
            folder: module_folder(&outer.folder, &spec.folder),
            label: address.to_string(),
            resources: BTreeMap::new(),
            read: read(&spec.graph),
            only,
            path: Some(address.clone()),
        };
        self.all.insert(Some(address.clone()), module);
        Ok(())
    }

    /// The instances of a module that were entered.
    pub(crate) fn entered(&self, group: &Address) -> Vec<Address> {
        let from = Some(group.clone());
        let paths = self.all.range(from..).map_while(|(path, _)| path.clone());
        let within = paths.take_while(|p| p.is_within(group));
        within.filter(|p| p.steps().len() == group.steps().len()).collect()
    }

    /// The outputs of an entered module, or the stack's: by name.
    pub(crate) fn outputs(
        &self,
        path: Option<&Address>,
        passwords: &PasswordBook,
    ) -> (BTreeMap<String, Value>, Vec<Diagnostic>) {
        let (mut outputs, mut faults) = (BTreeMap::new(), Vec::new());
        let Some(module) = self.at(path) else { return (outputs, faults) };
        for (name, spec) in &module.graph.outputs {
            match module.within(&self.world, passwords, &None, |s| module.graph.evaluate(&spec.value, s)) {
                Ok(value) => drop(outputs.insert(name.clone(), value)),
                Err(more) => faults.extend(more),
            }
        }
        (outputs, faults)
    }

    /// Whether some expression reads a resource or module: only then do its outputs matter to a run.
    pub(crate) fn reads(&self, group: &Address) -> bool {
        self.around(group).is_some_and(|module| module.read.contains(group.name()))
    }

    /// Sets what expressions read of a resource or module, from the outputs of its instances in order.
    pub(crate) fn set(&mut self, group: &Address, repeated: bool, instances: Vec<(Address, Value)>) {
        let wrap = |outputs| Value::Map(BTreeMap::from([("outputs".to_owned(), outputs)]));
        let value = if !repeated {
            instances.into_iter().next().map_or(Value::Null, |(_, outputs)| wrap(outputs))
        } else if instances.iter().any(|(a, _)| matches!(a.key(), Some(Key::Name(_)))) {
            let by_name = instances.into_iter().filter_map(|(a, outputs)| match a.key() {
                Some(Key::Name(key)) => Some((key.clone(), wrap(outputs))),
                _ => None,
            });
            Value::Map(by_name.collect())
        } else {
            Value::List(instances.into_iter().map(|(_, outputs)| wrap(outputs)).collect())
        };
        if let Some(module) = self.all.get_mut(&group.module()) {
            module.resources.insert(group.name().to_owned(), value);
        }
    }

    /// Sets what nothing is known of.
    pub(crate) fn set_unknown(&mut self, group: &Address) {
        let unknown = Unknown { id: group.to_string(), kind: UnknownKind::Other, secret: false };
        if let Some(module) = self.all.get_mut(&group.module()) {
            module.resources.insert(group.name().to_owned(), Value::Unknown(unknown));
        }
    }

    /// What a resource reads or depends on, the modules around it included: addresses without keys.
    pub(crate) fn requires(&self, address: &Address) -> Vec<Address> {
        let Some(module) = self.around(address) else { return Vec::new() };
        let mut needs = module.needs.clone();
        needs.extend(module.needs_of(address.name()));
        needs.into_iter().collect()
    }

    /// Whether a resource or module is meant by `only`, as a whole or in part.
    pub(crate) fn selects(&self, group: &Address) -> bool {
        self.around(group).is_none_or(|m| {
            m.only.as_ref().is_none_or(|o| o.named.contains(group.name()) || o.whole.contains(group.name()))
        })
    }

    /// Whether one instance is meant by `only`.
    pub(crate) fn selects_instance(&self, address: &Address) -> bool {
        self.around(address).and_then(|m| m.only.as_ref()).is_none_or(|only| {
            only.whole.contains(address.name())
                || self.world.only.iter().any(|o| address.is_within(o) || o.is_within(address))
        })
    }
}

impl Module {
    /// A resource or module in it.
    pub(crate) fn child(&self, name: &str) -> Address {
        match &self.path {
            Some(path) => path.clone().child(name),
            None => Address::new(name),
        }
    }

    /// The root's name of a target.
    pub(crate) fn target<'a>(&'a self, name: &'a str) -> &'a str {
        self.targets.get(name).map_or(name, String::as_str)
    }

    fn needs_of(&self, name: &str) -> Vec<Address> {
        self.graph.needs(name).into_iter().map(|need| self.child(need)).collect()
    }

    fn within<T>(
        &self,
        world: &World,
        passwords: &PasswordBook,
        each: &Each,
        with: impl FnOnce(&Scope<'_>) -> T,
    ) -> T {
        let own = Own { passwords, files: &*world.files, module: self };
        with(&Scope {
            inputs: &self.inputs,
            resources: &self.resources,
            stacks: &world.stacks,
            each: each.clone(),
            stack: &world.stack,
            module: &self.label,
            files: &own,
            passwords: &own,
        })
    }
}

/// Files and passwords as a module sees them: its own.
struct Own<'a> {
    passwords: &'a PasswordBook,
    files: &'a dyn Files,
    module: &'a Module,
}

impl fmt::Debug for Own<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Own({})", self.module.label)
    }
}

impl Passwords for Own<'_> {
    fn get(&self, name: &str, length: u32) -> Option<SecretText> {
        match &self.module.path {
            None => self.passwords.get(name, length),
            Some(_) => self.passwords.get(&format!("{}/{name}", self.module.label), length),
        }
    }
}

impl Files for Own<'_> {
    fn read(&self, path: &str) -> Result<String, String> {
        let folder = &self.module.folder;
        if folder.is_empty() {
            return self.files.read(path);
        }
        if path.starts_with('/') || path.split('/').any(|part| part == "..") {
            return Err("it lies outside of the module's folder".into());
        }
        self.files.read(&format!("{folder}/{path}"))
    }
}

fn read(graph: &Graph) -> BTreeSet<String> {
    graph.read().into_iter().map(str::to_owned).collect()
}

/// What is meant in one blueprint: what `only` names in it, and what that needs.
fn selection(graph: &Graph, path: Option<&Address>, only: &[Address]) -> Selection {
    let depth = path.map_or(0, |p| p.steps().len());
    let below = only.iter().filter(|o| match path {
        Some(path) => o.prefix(depth).is_some_and(|p| path.is_within(&p)),
        None => true,
    });
    let named: BTreeSet<String> =
        below.filter_map(|o| o.steps().get(depth)).map(|step| step.name.clone()).collect();
    let mut whole: BTreeSet<String> = BTreeSet::new();
    let mut todo: Vec<&str> = named.iter().flat_map(|n| graph.needs(n)).collect();
    while let Some(name) = todo.pop() {
        if whole.insert(name.to_owned()) {
            todo.extend(graph.needs(name));
        }
    }
    Selection { named, whole }
}
