//! What expressions may read while a run goes on: inputs, earlier resources' outputs, passwords.

use std::cell::RefCell;
use std::collections::BTreeMap;

use sheave_blueprint::{Graph, Passwords, Scope, Template};
use sheave_model::{Address, Diagnostic, Key, SecretText, Unknown, UnknownKind, Value};

use crate::World;

/// The passwords that are there, and those that were asked for in vain.
#[derive(Debug, Default)]
pub(crate) struct PasswordBook {
    made: BTreeMap<String, SecretText>,
    missing: RefCell<BTreeMap<String, u32>>,
}

impl PasswordBook {
    pub(crate) fn new(made: BTreeMap<String, SecretText>) -> Self {
        Self { made, missing: RefCell::default() }
    }

    /// Those asked for and not there, by name and length; the list begins anew.
    pub(crate) fn take_missing(&self) -> BTreeMap<String, u32> {
        self.missing.take()
    }

    pub(crate) fn add(&mut self, made: BTreeMap<String, SecretText>) {
        self.made.extend(made);
    }
}

impl Passwords for PasswordBook {
    fn get(&self, name: &str, length: u32) -> Option<SecretText> {
        let found = self.made.get(name).cloned();
        if found.is_none() {
            self.missing.borrow_mut().insert(name.to_owned(), length);
        }
        found
    }
}

/// The resources as expressions see them: `{"outputs": ...}`, or a list or map of these.
#[derive(Debug, Default)]
pub(crate) struct View {
    resources: BTreeMap<String, Value>,
}

/// What an expression of a repeated resource sees as `each`: key and value.
pub(crate) type Each = Option<(Value, Value)>;

impl View {
    /// Evaluates a template.
    pub(crate) fn evaluate(
        &self,
        world: &World,
        graph: &Graph,
        passwords: &PasswordBook,
        template: &Template,
        each: &Each,
    ) -> Result<Value, Vec<Diagnostic>> {
        graph.evaluate(template, &self.scope(world, passwords, each))
    }

    /// Everything that an expression can read now.
    pub(crate) fn scope<'a>(
        &'a self,
        world: &'a World,
        passwords: &'a PasswordBook,
        each: &Each,
    ) -> Scope<'a> {
        Scope {
            inputs: &world.inputs,
            resources: &self.resources,
            stacks: &world.stacks,
            each: each.clone(),
            stack: &world.stack,
            module: "",
            files: &*world.files,
            passwords,
        }
    }

    /// Sets what `resources.NAME` is, from the outputs of its instances in order.
    pub(crate) fn set(&mut self, name: &str, repeated: bool, instances: Vec<(Address, Value)>) {
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
        self.resources.insert(name.to_owned(), value);
    }

    /// Sets `resources.NAME` to what nothing is known of.
    pub(crate) fn set_unknown(&mut self, name: &str) {
        let unknown = Unknown { id: name.to_owned(), kind: UnknownKind::Other, secret: false };
        self.resources.insert(name.to_owned(), Value::Unknown(unknown));
    }
}
