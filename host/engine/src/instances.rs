//! Which instances a resource has: `count`, `for-each`, and for each `when`.

use sheave_blueprint::{Graph, ResourceSpec};
use sheave_model::{Address, Diagnostic};

use crate::World;
use crate::scope::{Each, PasswordBook, View};

/// A resource's instances.
#[derive(Debug)]
pub(crate) enum Expansion {
    /// These, each with what its expressions see as `each`.
    Instances(Vec<(Address, Each)>),
    /// Not known yet; the words say what is not.
    Deferred(&'static str),
}

/// Finds a resource's instances. Errors are the blueprint's.
pub(crate) fn expand(
    world: &World,
    graph: &Graph,
    spec: &ResourceSpec,
    view: &View,
    passwords: &PasswordBook,
) -> Result<Expansion, Vec<Diagnostic>> {
    let Some(instances) = graph.instances(&spec.repeat, &view.scope(world, passwords, &None))? else {
        return Ok(Expansion::Deferred("how many there are is known after apply"));
    };
    let mut found = Vec::with_capacity(instances.len());
    for instance in instances {
        if let Some(when) = &spec.when {
            match graph.holds(when, &view.scope(world, passwords, &instance.each))? {
                Some(true) => {}
                Some(false) => continue,
                None => return Ok(Expansion::Deferred("whether it exists (`when`) is known after apply")),
            }
        }
        let address = Address::new(&*spec.name);
        let address = match instance.key {
            Some(key) => address.with_key(key),
            None => address,
        };
        found.push((address, instance.each));
    }
    Ok(Expansion::Instances(found))
}
