//! Resources and modules as wholes: each begins when what it reads is planned, and settles when its instances are.

use std::collections::BTreeMap;
use std::sync::Arc;

use sheave_blueprint::{ModuleSpec, Repeat, ResourceSpec};
use sheave_model::plan::Action as Planned;
use sheave_model::stack::Status;
use sheave_model::{Address, Diagnostic, Role, Value};

use super::{Node, Planning};
use crate::action::{Action, ProviderPlanRequest, RenderRequest};
use crate::evaluate::{Around, as_texts, evaluate, kind_of};
use crate::groups::Settled;
use crate::modules::{Each, Expansion};

impl Planning {
    /// Begins every group whose turn has come; settling one may bring on the next.
    pub(super) fn begin_groups(&mut self, actions: &mut Vec<Action>) {
        while let Some(id) = self.groups.begin_next() {
            self.begin_group(&id, actions);
            self.settle_if_done(&id);
        }
    }

    fn begin_group(&mut self, id: &Address, actions: &mut Vec<Action>) {
        if !self.modules.selects(id) {
            return;
        }
        let needs = self.modules.requires(id);
        if let Some(need) = needs.iter().find(|need| self.groups.has_failed(need)) {
            let summary = format!("`{id}` was not planned: it needs `{need}`, which failed");
            self.diagnostics.push(Diagnostic::warning("run.blocked", summary).on(id.clone()));
            self.failed.insert(id.clone(), "run.blocked".into());
            return self.groups.fail(id);
        }
        if let Some(spec) = self.modules.spec(id) {
            match self.modules.expand(id, &spec.repeat, spec.when.as_ref(), &self.passwords) {
                Err(diagnostics) => self.fault(id.clone(), diagnostics),
                Ok(Expansion::Deferred(why)) => self.defer_group(&spec, id, why),
                Ok(Expansion::Instances(instances, off)) => {
                    self.off.extend(off);
                    for (address, each) in instances {
                        if self.modules.selects_instance(&address) {
                            self.begin_instance(&spec, address, &each, actions);
                        }
                    }
                }
            }
        } else if let Some(spec) = self.modules.module_spec(id) {
            match self.modules.expand(id, &spec.repeat, spec.when.as_ref(), &self.passwords) {
                Err(diagnostics) => self.fault(id.clone(), diagnostics),
                Ok(Expansion::Deferred(why)) => self.defer_module(&spec, id, why),
                Ok(Expansion::Instances(instances, off)) => {
                    self.off.extend(off);
                    for (address, each) in instances {
                        if self.modules.selects_instance(&address) {
                            self.enter(&spec, &address, &each);
                        }
                    }
                }
            }
        }
    }

    /// Enters an instance of a module: what stands in it is planned in its turn.
    fn enter(&mut self, spec: &ModuleSpec, address: &Address, each: &Each) {
        if let Err(diagnostics) = self.modules.enter(address, spec, &self.passwords, each) {
            return self.fault(address.clone(), diagnostics);
        }
        if let Some(module) = self.modules.at(Some(address)) {
            self.groups.enter(module);
            if !self.groups.is_empty(address) {
                self.groups.open(&address.without_key());
            }
        }
    }

    fn begin_instance(
        &mut self,
        spec: &Arc<ResourceSpec>,
        address: Address,
        each: &Each,
        actions: &mut Vec<Action>,
    ) {
        let Some(kind) = kind_of(&self.world, spec) else { return };
        let planned = &self.planned;
        let to_be_made = |name: &str| {
            let base = Address::new(name);
            let mut under = planned.range(base.clone()..).take_while(|(a, _)| a.is_within(&base));
            under.any(|(_, r)| matches!(r.action, Planned::Create | Planned::Replace))
        };
        let around = Around {
            world: &self.world,
            modules: &self.modules,
            passwords: &self.passwords,
            to_be_made: &to_be_made,
        };
        let evaluated = match evaluate(around, &mut self.late, spec, &kind, &address, each, actions) {
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
            let fault = Diagnostic::error("plan.role-changed", summary).with_help(help).at(spec.span, "");
            return self.fault(address.clone(), vec![fault.on(address)]);
        }
        let given = Arc::new(evaluated.properties);
        let node = Node {
            spec: spec.clone(),
            target: evaluated.target.clone(),
            properties: given.clone(),
            watch: evaluated.watch,
            outputs: Value::empty(),
            emitted: BTreeMap::new(),
            manifests: BTreeMap::new(),
        };
        let renew = node.watch.renews(record, &self.world).is_some();
        self.nodes.insert(address.clone(), node);
        if let Some(why) = evaluated.unknown {
            return self.defer(&address, &kind, &given, why);
        }
        let properties = if given.has_unknown() { Arc::new(as_texts(Value::clone(&given))) } else { given };
        let type_name = spec.type_name.clone();
        let known =
            record.filter(|r| r.status == Status::Ready && !spec.existing).map(|r| r.render_key.clone());
        self.open(&address);
        actions.push(match kind.info.role {
            Role::Emits => Action::Render(RenderRequest {
                known,
                address,
                type_name,
                target: evaluated.target,
                properties,
            }),
            Role::Provides => Action::PlanProvider(ProviderPlanRequest {
                address,
                type_name,
                properties: Arc::unwrap_or_clone(properties),
                adopt: spec.adopt,
                renew,
            }),
        });
    }

    /// Gives expressions what a resource or module came to, and lets those that read it begin.
    pub(super) fn settle_if_done(&mut self, id: &Address) {
        let mut next = Some(id.clone());
        while let Some(id) = next.take().filter(|id| self.groups.is_done(id)) {
            if self.deferred.contains(&id) {
                self.modules.set_unknown(&id);
            } else if let Some(spec) = self.modules.spec(&id) {
                if self.modules.reads(&id) {
                    let known = self.outputs_of(&id);
                    self.modules.set(&id, !matches!(spec.repeat, Repeat::Once), known);
                }
            } else if let Some(spec) = self.modules.module_spec(&id) {
                self.set_module(&id, !matches!(spec.repeat, Repeat::Once));
            }
            if let Settled::Module(module) = self.groups.settle(&id) {
                let around = module.without_key();
                self.groups.close(&around);
                next = Some(around);
            }
        }
    }

    /// The outputs of a resource's instances: those planned, and with `only` those that stay as they are.
    fn outputs_of(&self, id: &Address) -> Vec<(Address, Value)> {
        let mut found: BTreeMap<Address, Value> = BTreeMap::new();
        if !self.world.only.is_empty() {
            let recorded = self.world.state.resources.range(id.clone()..).map(|(a, _)| a);
            let recorded = recorded.take_while(|a| a.is_within(id));
            found.extend(recorded.map(|a| (a.clone(), self.world.recorded_outputs(a))));
        }
        let planned = self.nodes.range(id.clone()..).take_while(|(a, _)| a.is_within(id));
        found.extend(planned.map(|(a, node)| (a.clone(), node.outputs.clone())));
        found.into_iter().collect()
    }

    /// The outputs of a module's instances.
    fn set_module(&mut self, id: &Address, repeated: bool) {
        let mut found = Vec::new();
        let whole = !self.groups.has_failed(id);
        for address in self.modules.entered(id) {
            let (outputs, faults) = self.modules.outputs(Some(&address), &self.passwords);
            // With resources missing, an output that reads them says nothing new.
            if whole && self.world.only.is_empty() && !faults.is_empty() {
                return self.fault(address, faults);
            }
            found.push((address, Value::Map(outputs)));
        }
        if found.is_empty() && !self.modules.selects(id) {
            return self.modules.set_unknown(id);
        }
        self.modules.set(id, repeated, found);
    }
}
