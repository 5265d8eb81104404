//! The order of resources: each group (a resource or module with all its instances) begins when all it needs is settled.

use std::collections::{BTreeMap, BTreeSet};

use sheave_model::Address;

use crate::modules::Module;

/// A resource or module of some blueprint, with all its instances.
#[derive(Debug)]
struct Group {
    /// Groups of the same blueprint that come first and are not settled yet.
    waits_for: usize,
    dependants: Vec<Address>,
    /// Instances that are not done; of a module: those of which something is not settled.
    open: usize,
    begun: bool,
    settled: bool,
    failed: bool,
}

/// All groups of the modules that were entered, by address.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    all: BTreeMap<Address, Group>,
    /// Groups of each entered module that are not settled.
    open: BTreeMap<Address, usize>,
    ready: BTreeSet<Address>,
}

/// What settling a group led to.
#[derive(Debug, PartialEq)]
pub(crate) enum Settled {
    /// Others may begin now.
    Group,
    /// And with it all of the module that it stands in is settled.
    Module(Address),
}

impl Groups {
    /// Takes in the resources and modules of a blueprint; those that wait for nothing are ready.
    pub(crate) fn enter(&mut self, module: &Module) {
        let graph = &module.graph;
        let names: Vec<&String> = graph.resources.keys().chain(graph.modules.keys()).collect();
        if let Some(path) = &module.path {
            self.open.insert(path.clone(), names.len());
        }
        for name in &names {
            let id = module.child(name);
            let group = Group {
                waits_for: 0,
                dependants: Vec::new(),
                open: 0,
                begun: false,
                settled: false,
                failed: false,
            };
            self.all.insert(id, group);
        }
        for name in names {
            let id = module.child(name);
            let mut waits_for = 0;
            for need in graph.needs(name) {
                if let Some(needed) = self.all.get_mut(&module.child(need)) {
                    needed.dependants.push(id.clone());
                    waits_for += 1;
                }
            }
            if let Some(group) = self.all.get_mut(&id) {
                group.waits_for = waits_for;
            }
            if waits_for == 0 {
                self.ready.insert(id);
            }
        }
    }

    /// Whether an entered module has nothing in it.
    pub(crate) fn is_empty(&self, module: &Address) -> bool {
        self.open.get(module) == Some(&0)
    }

    /// The next group whose turn has come: it has begun now.
    pub(crate) fn begin_next(&mut self) -> Option<Address> {
        let id = self.ready.pop_first()?;
        if let Some(group) = self.all.get_mut(&id) {
            group.begun = true;
        }
        Some(id)
    }

    /// One more instance is under way.
    pub(crate) fn open(&mut self, id: &Address) {
        if let Some(group) = self.all.get_mut(id) {
            group.open += 1;
        }
    }

    /// One instance is done.
    pub(crate) fn close(&mut self, id: &Address) {
        if let Some(group) = self.all.get_mut(id) {
            group.open = group.open.saturating_sub(1);
        }
    }

    /// Whether it has begun, no instance is under way, and it is not settled yet.
    pub(crate) fn is_done(&self, id: &Address) -> bool {
        self.all.get(id).is_some_and(|g| g.begun && g.open == 0 && !g.settled)
    }

    /// Whether it, or something in it, failed.
    pub(crate) fn has_failed(&self, id: &Address) -> bool {
        self.all.get(id).is_some_and(|g| g.failed)
    }

    /// Whether it is not settled.
    pub(crate) fn is_open(&self, id: &Address) -> bool {
        self.all.get(id).is_some_and(|g| !g.settled)
    }

    /// It failed, and with it every module around it.
    pub(crate) fn fail(&mut self, id: &Address) {
        let mut at = Some(id.without_key());
        while let Some(id) = at {
            if let Some(group) = self.all.get_mut(&id) {
                group.failed = true;
            }
            at = id.module().map(|m| m.without_key());
        }
    }

    /// It is settled: those that only waited for it are ready.
    pub(crate) fn settle(&mut self, id: &Address) -> Settled {
        let dependants = match self.all.get_mut(id) {
            Some(group) if !group.settled => {
                group.settled = true;
                std::mem::take(&mut group.dependants)
            }
            _ => return Settled::Group,
        };
        for dependant in dependants {
            let Some(group) = self.all.get_mut(&dependant) else { continue };
            group.waits_for = group.waits_for.saturating_sub(1);
            if group.waits_for == 0 {
                self.ready.insert(dependant);
            }
        }
        let Some(module) = id.module() else { return Settled::Group };
        match self.open.get_mut(&module) {
            Some(open) => {
                *open = open.saturating_sub(1);
                if *open == 0 { Settled::Module(module) } else { Settled::Group }
            }
            None => Settled::Group,
        }
    }
}
