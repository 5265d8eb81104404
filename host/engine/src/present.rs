//! The stack's outputs over what is there now, modules included: nothing is planned, and nothing is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sheave_blueprint::Repeat;
use sheave_model::{Address, Value};

use crate::World;
use crate::groups::{Groups, Settled};
use crate::modules::{Expansion, Modules};
use crate::passwords::PasswordBook;

/// The stack's outputs, from the resources' outputs that the world holds. What cannot be evaluated is left out; what is not
/// known is unknown.
pub fn present_outputs(world: World) -> BTreeMap<String, Value> {
    let world = Arc::new(World { only: Vec::new(), ..world });
    let modules = Modules::new(&world);
    let mut groups = Groups::default();
    if let Some(root) = modules.at(None) {
        groups.enter(root);
    }
    let passwords = PasswordBook::new(world.passwords.clone());
    let mut present = Present { world, modules, groups, passwords, unknown: BTreeSet::new() };
    while let Some(id) = present.groups.begin_next() {
        present.enter(&id);
        present.settle(&id);
    }
    present.modules.outputs(None, &present.passwords).0
}

struct Present {
    world: Arc<World>,
    modules: Modules,
    groups: Groups,
    passwords: PasswordBook,
    /// Modules whose instances cannot be told.
    unknown: BTreeSet<Address>,
}

impl Present {
    /// Enters the instances of a module; a resource is as it is recorded.
    fn enter(&mut self, id: &Address) {
        let Some(spec) = self.modules.module_spec(id) else { return };
        let expanded = self.modules.expand(id, &spec.repeat, spec.when.as_ref(), &self.passwords);
        let Ok(Expansion::Instances(instances, _)) = expanded else {
            self.unknown.insert(id.clone());
            return;
        };
        for (address, each) in instances {
            if self.modules.enter(&address, &spec, &self.passwords, &each).is_err() {
                self.unknown.insert(id.clone());
            } else if let Some(module) = self.modules.at(Some(&address)) {
                self.groups.enter(module);
                if !self.groups.is_empty(&address) {
                    self.groups.open(id);
                }
            }
        }
    }

    /// Gives expressions what a resource or module gives, and lets those that read it go on.
    fn settle(&mut self, id: &Address) {
        let mut next = Some(id.clone());
        while let Some(id) = next.take().filter(|id| self.groups.is_done(id)) {
            if self.unknown.contains(&id) {
                self.modules.set_unknown(&id);
            } else if let Some(spec) = self.modules.spec(&id) {
                let known = self.world.outputs.range(id.clone()..).take_while(|(a, _)| a.is_within(&id));
                let known = known.map(|(a, outputs)| (a.clone(), outputs.clone())).collect();
                self.modules.set(&id, !matches!(spec.repeat, Repeat::Once), known);
            } else if let Some(spec) = self.modules.module_spec(&id) {
                let entered = self.modules.entered(&id).into_iter();
                let given = entered.map(|a| {
                    let outputs = self.modules.outputs(Some(&a), &self.passwords).0;
                    (a, Value::Map(outputs))
                });
                let given = given.collect();
                self.modules.set(&id, !matches!(spec.repeat, Repeat::Once), given);
            }
            if let Settled::Module(module) = self.groups.settle(&id) {
                let around = module.without_key();
                self.groups.close(&around);
                next = Some(around);
            }
        }
    }
}
