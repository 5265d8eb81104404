//! Resources and modules as wholes: each begins when what it reads is done, and settles when its instances are.

use std::collections::BTreeMap;
use std::sync::Arc;

use sheave_blueprint::{ModuleSpec, Repeat, ResourceSpec};
use sheave_model::event::What;
use sheave_model::plan::{Action as Planned, PlannedResource};
use sheave_model::{Address, Diagnostic, Value};

use super::{Applying, Node, Stage};
use crate::action::Action;
use crate::groups::Settled;
use crate::modules::{Each, Expansion};

impl Applying {
    pub(super) fn begin_ready_groups(&mut self, actions: &mut Vec<Action>) {
        while !self.cancelled {
            let Some(id) = self.groups.begin_next() else { return };
            self.begin_group(&id, actions);
            self.settle_if_done(&id);
        }
    }

    fn begin_group(&mut self, id: &Address, actions: &mut Vec<Action>) {
        if self.plan.failed.contains_key(id) {
            return self.groups.fail(id);
        }
        let mut failed = self.plan.failed.range(id..).map(|(a, _)| a).take_while(|a| a.is_within(id));
        if failed.any(|a| a.steps().len() == id.steps().len()) {
            self.groups.fail(id);
        }
        if let Some(spec) = self.modules.spec(id) {
            self.begin_resource(&spec, id, actions);
        } else if let Some(spec) = self.modules.module_spec(id) {
            self.begin_module(&spec, id, actions);
        }
    }

    /// Begins every instance of a resource that the plan has.
    fn begin_resource(&mut self, spec: &ResourceSpec, id: &Address, actions: &mut Vec<Action>) {
        let mut wanted: BTreeMap<Address, Each> = self.planned_under(id).map(|a| (a, None)).collect();
        let template = self.template_of(id);
        if wanted.is_empty() && template.is_none() {
            return;
        }
        let idle = |a: &Address| self.nodes.get(a).is_some_and(Node::is_idle);
        if !matches!(spec.repeat, Repeat::Once) && !wanted.keys().all(idle) || template.is_some() {
            let instances = match self.modules.expand(id, &spec.repeat, spec.when.as_ref(), &self.passwords) {
                Ok(Expansion::Instances(instances, _)) => instances,
                Ok(Expansion::Deferred(why)) => return self.still_unknown(id, why, actions),
                Err(diagnostics) => return self.fail_group(id, diagnostics, actions),
            };
            if let Some(template) = template {
                wanted.remove(&template.address);
                if let Some(node) = self.nodes.get_mut(&template.address) {
                    node.become_template();
                }
                for (address, _) in &instances {
                    self.unfold(&template, address);
                    wanted.insert(address.clone(), None);
                }
            }
            for (address, each) in instances {
                wanted.entry(address).and_modify(|e| *e = each);
            }
        }
        for address in wanted.keys() {
            self.groups.open(&address.without_key());
        }
        for (address, each) in wanted {
            self.begin(&address, &each, actions);
        }
    }

    /// The planned instances of a resource.
    fn planned_under(&self, id: &Address) -> impl Iterator<Item = Address> {
        let under = self.nodes.range(id.clone()..).take_while(|(a, _)| a.is_within(id));
        under.filter(|(_, n)| !n.template).map(|(a, _)| a.clone()).collect::<Vec<_>>().into_iter()
    }

    /// What the plan has in place of instances that were not known: under the same names, without keys.
    fn template_of(&self, id: &Address) -> Option<Arc<PlannedResource>> {
        let planned = &self.nodes.get(&id.bare())?.planned;
        let repeated = self.spec(id).is_some_and(|s| !matches!(s.repeat, Repeat::Once) || s.when.is_some());
        (planned.deferred.is_some() && (repeated || *id != planned.address)).then(|| planned.clone())
    }

    /// An instance that is known now: it is planned as far as its template was.
    fn unfold(&mut self, template: &PlannedResource, address: &Address) {
        let recorded = self.world.state.resources.contains_key(address);
        let action = if recorded { Planned::Update } else { Planned::Create };
        let requires = self.modules.requires(address);
        let planned = PlannedResource { address: address.clone(), action, requires, ..template.clone() };
        self.nodes.insert(address.clone(), Node::new(Arc::new(planned)));
    }

    /// Enters the instances of a module.
    fn begin_module(&mut self, spec: &ModuleSpec, id: &Address, actions: &mut Vec<Action>) {
        let instances = match self.modules.expand(id, &spec.repeat, spec.when.as_ref(), &self.passwords) {
            Ok(Expansion::Instances(instances, _)) => instances,
            Ok(Expansion::Deferred(why)) => return self.still_unknown(id, why, actions),
            Err(diagnostics) => return self.fail_group(id, diagnostics, actions),
        };
        let known = |a: &Address| instances.iter().any(|(i, _)| a.is_within(i));
        for (address, node) in self.nodes.range_mut(id.clone()..).take_while(|(a, _)| a.is_within(id)) {
            if node.planned.deferred.is_some() && !known(address) {
                node.become_template();
            }
        }
        for (address, each) in instances {
            if self.plan.failed.contains_key(&address) {
                self.groups.fail(&address);
                continue;
            }
            if let Err(diagnostics) = self.modules.enter(&address, spec, &self.passwords, &each) {
                return self.fail_group(id, diagnostics, actions);
            }
            if let Some(module) = self.modules.at(Some(&address)) {
                self.groups.enter(module);
                if !self.groups.is_empty(&address) {
                    self.groups.open(id);
                }
            }
        }
    }

    fn still_unknown(&mut self, id: &Address, why: &str, actions: &mut Vec<Action>) {
        let fault = Diagnostic::error("plan.still-unknown", format!("`{id}`: {why}, and still is not"));
        self.fail_group(id, vec![fault], actions);
    }

    /// A whole resource or module cannot begin.
    fn fail_group(&mut self, id: &Address, diagnostics: Vec<Diagnostic>, actions: &mut Vec<Action>) {
        self.groups.fail(id);
        self.failed = true;
        self.counts.failed += 1;
        let mut diagnostics =
            diagnostics.into_iter().map(|d| if d.address.is_some() { d } else { d.on(id.clone()) });
        if let Some(first) = diagnostics.next() {
            actions.push(Action::Notify(What::Failed { address: id.clone(), diagnostic: first.clone() }));
            self.diagnostics.push(first);
        }
        self.diagnostics.extend(diagnostics);
    }

    /// When all instances of a group are done, those that read it may begin.
    pub(super) fn settle_if_done(&mut self, id: &Address) {
        let mut next = Some(id.clone());
        while let Some(id) = next.take().filter(|id| self.groups.is_done(id) && !self.groups.has_failed(id)) {
            if let Some(spec) = self.modules.spec(&id) {
                if self.modules.reads(&id) {
                    let known = self.outputs_of(&id);
                    self.modules.set(&id, !matches!(spec.repeat, Repeat::Once), known);
                }
            } else if let Some(spec) = self.modules.module_spec(&id) {
                let mut found = Vec::new();
                for address in self.modules.entered(&id) {
                    let (outputs, faults) = self.modules.outputs(Some(&address), &self.passwords);
                    if !faults.is_empty() && self.world.only.is_empty() {
                        self.failed = true;
                        self.diagnostics.extend(faults);
                    }
                    found.push((address, Value::Map(outputs)));
                }
                self.modules.set(&id, !matches!(spec.repeat, Repeat::Once), found);
            }
            if let Settled::Module(module) = self.groups.settle(&id) {
                let around = module.without_key();
                self.groups.close(&around);
                next = Some(around);
            }
        }
    }

    /// The outputs of a resource's instances: what this run made of them, or what is recorded of those it left alone.
    fn outputs_of(&self, id: &Address) -> Vec<(Address, Value)> {
        let done = self.nodes.range(id.clone()..).take_while(|(a, _)| a.is_within(id));
        let mut found: BTreeMap<Address, Value> = done
            .filter(|(_, n)| n.stage == Stage::Done && !n.template)
            .map(|(a, n)| (a.clone(), n.outputs.clone()))
            .collect();
        let recorded = self.world.state.resources.range(id.clone()..).map(|(a, _)| a);
        for address in recorded.take_while(|a| a.is_within(id)).filter(|a| !self.removals.has_whole(a)) {
            if !found.contains_key(address) {
                found.insert(address.clone(), self.world.recorded_outputs(address));
            }
        }
        found.into_iter().collect()
    }
}
