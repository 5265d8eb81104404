//! `replace-when`: what is watched, and whether it asks for a resource to be made anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use sheave_model::stack::ResourceRecord;
use sheave_model::{Address, Diagnostic, Masked, Value};

use crate::World;
use crate::evaluate::Around;
use crate::modules::Each;
use sheave_blueprint::ResourceSpec;

/// What an instance's `replace-when` came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    /// It says so itself.
    holds: bool,
    /// The values whose change says so: what the expressions give, and properties by their pointers.
    values: BTreeMap<String, Value>,
}

impl Watch {
    /// Evaluates what is watched. Errors are the blueprint's.
    pub(crate) fn of(
        around: Around<'_>,
        spec: &ResourceSpec,
        address: &Address,
        each: &Each,
        properties: &Value,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut watch = Self::default();
        if let Some(template) = &spec.replace_when {
            match around.modules.evaluate(address, around.passwords, template, each)? {
                Value::Bool(holds) => watch.holds = holds,
                value => _ = watch.values.insert(String::new(), value),
            }
        }
        for at in &spec.replace_on {
            watch.values.insert(at.clone(), properties.at(at).cloned().unwrap_or(Value::Null));
        }
        Ok(watch)
    }

    /// The values as they are kept; none: nothing is watched.
    pub(crate) fn masked(&self, world: &World) -> Option<Masked> {
        (!self.values.is_empty()).then(|| world.masked(&Value::Map(self.values.clone())))
    }

    /// Why the resource is made anew; none: it is not. A value that is not known yet counts as another one: what gives
    /// it is about to change.
    pub(crate) fn renews(&self, record: Option<&Arc<ResourceRecord>>, world: &World) -> Option<String> {
        let record = record?;
        if self.holds {
            return Some("`replace-when` holds".to_owned());
        }
        if record.renewing {
            return Some("it was being made anew, and the end of it was not seen".to_owned());
        }
        let (before, now) = (record.watched.as_ref()?.0.as_object()?.clone(), self.masked(world)?);
        let changed = self.values.iter().find(|(name, value)| {
            let then = before.get(*name);
            then.is_some() && (value.has_unknown() || then != now.0.get(name.as_str()))
        });
        changed.map(|(name, value)| match (name.as_str(), value.has_unknown()) {
            ("", true) => "the value of `replace-when` is known after apply".to_owned(),
            ("", false) => "the value of `replace-when` has changed".to_owned(),
            (at, true) => format!("`{at}`, which `replace-when` names, is known after apply"),
            (at, false) => format!("`{at}`, which `replace-when` names, has changed"),
        })
    }
}
