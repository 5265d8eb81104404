//! Other stacks' outputs, as `stacks.NAME.outputs.x` reads them.

use std::collections::BTreeMap;

use sheave_blueprint::Graph;
use sheave_model::{Diagnostic, Value};
use sheave_secrets::{MasterKey, Sealer};
use sheave_state::Store as _;

use crate::context::Context;
use crate::driver::{Driver, explained, state_fault};
use crate::files::FolderFiles;
use crate::load::evaluate_early;
use crate::request::Fault;

impl Driver {
    /// The outputs of every stack that the blueprint reads: for each `{"outputs": {...}}`. A stack is found by its name
    /// in the same state, or as its settings say (`stack`, `state`).
    pub(crate) async fn other_stacks(
        &self,
        graph: &Graph,
        master: &MasterKey,
        inputs: &BTreeMap<String, Value>,
        own: &str,
        files: &FolderFiles,
        context: &Context,
    ) -> Result<BTreeMap<String, Value>, Fault> {
        let mut found = BTreeMap::new();
        for name in &graph.stacks_read {
            let settings = match graph.stacks.get(name) {
                Some(template) => {
                    evaluate_early(graph, template, inputs, own, files).map_err(|mut faults| {
                        explained(
                            faults.pop().unwrap_or_else(|| Diagnostic::error("stack.none", "no settings")),
                        )
                    })?
                }
                None => Value::Null,
            };
            let text = |key: &str| match settings.at(&format!("/{key}")) {
                Some(Value::Text(text)) => Some(text.clone()),
                _ => None,
            };
            let stack = text("stack").unwrap_or_else(|| name.clone());
            let location = text("state").unwrap_or_else(|| self.settings.state.clone());
            let store = sheave_state::open(&location).await.map_err(|e| state_fault(&e))?;
            let Some(state) = store.load(&stack).await.map_err(|e| state_fault(&e))? else {
                let summary =
                    format!("`stacks.{name}` is read, and there is no stack `{stack}` in `{location}`");
                let help = format!(
                    "apply `{stack}` first, or say under `stacks: {{{name}: {{stack: ..., state: ...}}}}` where it is"
                );
                return Err(explained(Diagnostic::error("stack.none", summary).with_help(help)));
            };
            let sealer = Sealer::new(&master.stack(&stack));
            let mut outputs = BTreeMap::new();
            for (output, sealed) in &state.outputs {
                let value = sealer.open(sealed).map_err(|e| explained(e.diagnostic()))?;
                context.learn_input(&value);
                outputs.insert(output.clone(), value);
            }
            let wrapped = BTreeMap::from([("outputs".to_owned(), Value::Map(outputs))]);
            found.insert(name.clone(), Value::Map(wrapped));
        }
        Ok(found)
    }
}
