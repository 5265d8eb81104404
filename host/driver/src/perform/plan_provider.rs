//! Planning a provider's resource: properties checked, the world read, the plugin asked what it would do.

use serde_json::Value as Json;
use sheave_engine::{Failure, ProviderPlanRequest, ProviderPlanned};
use sheave_model::plan::{Action, FieldChange, Shown};
use sheave_model::plugin::{ProviderPlan, Snapshot};
use sheave_model::stack::Status;
use sheave_model::{Address, Diagnostic, Masked, Value};
use sheave_plugin_host::wire;
use sheave_secrets::{Family, Mask, TokenTable};

use super::call::{check, failed, render_key};
use crate::context::Context;
use crate::documents::{hide, receive};

/// Plans a provider's resource.
pub(crate) async fn plan(
    context: &Context,
    request: ProviderPlanRequest,
) -> Result<ProviderPlanned, Failure> {
    let ProviderPlanRequest { address, type_name, properties, .. } = &request;
    let fault = |d: Diagnostic| Failure::world(vec![context.clean(d).on(address.clone())]);
    if let Some(doubt) = context.doubt(address) {
        return Err(Failure::world(vec![doubt]));
    }
    context.learn(properties);
    let key = render_key(context, address, type_name, None, properties);
    let checked = check(context, address, type_name, properties).await?;
    let plugin = &context.plugin_of(type_name).map_err(fault)?.plugin;
    let mut tokens = TokenTable::default();
    let instance = context.instance_of(address, type_name, Family::First, &mut tokens).map_err(fault)?;
    let record = context.state.resources.get(address);
    let recorded = context.snapshot(address).map_err(fault)?;
    let mut notes = Vec::new();
    let prior = match &recorded {
        None => None,
        Some(snapshot) => {
            let sent = context.send_snapshot(&type_name.plugin, snapshot, &mut tokens).map_err(fault)?;
            let read = context
                .reaching(plugin, &tokens, address)
                .read(&instance, &sent)
                .await
                .map_err(|e| failed(context, address, e, false))?;
            if read.is_none() {
                notes.push("it is gone: somebody removed it outside of Sheave".to_owned());
            }
            read
        }
    };
    let drift = match (&recorded, &prior) {
        (Some(old), Some(new)) => {
            drift(context, address, old, new, (&tokens, &context.shown_to(plugin))).map_err(fault)?
        }
        _ => Vec::new(),
    };
    let now = context.masked(&checked);
    let mut changes = match record.filter(|_| prior.is_some()) {
        Some(record) => changes_between(&record.properties.0, &now.0),
        None => Vec::new(),
    };
    let tainted = record.is_some_and(|r| matches!(r.status, Status::Tainted(_))) || request.renew;
    if prior.is_some() && changes.is_empty() && drift.is_empty() && !tainted {
        let outputs = recorded.map_or_else(Value::empty, |s| s.outputs);
        let plan = ProviderPlan { outputs, replace: Vec::new(), notes: Vec::new() };
        return Ok(ProviderPlanned { properties: checked, key, action: Action::NoOp, changes, plan, notes });
    }
    let sent = context.send(&type_name.plugin, &checked, Family::First).map_err(fault)?;
    tokens.merge(sent.tokens);
    let exists = prior.is_some();
    // What is made anew is foreseen as what is made: nothing of the old one stays.
    let prior = prior.filter(|_| !request.renew);
    let change = wire::Change { of: instance, prior, desired: Some(sent.doc) };
    let planned = plugin.plan(&change).await.map_err(|e| failed(context, address, e, false))?;
    let mut outputs = receive(&planned.outputs, &tokens, address).map_err(fault)?;
    if let Some(kind) = context.types.get(type_name) {
        refine(&mut outputs, &kind.schemas.outputs.unknown_outputs(&address.to_string()));
    }
    let action = match (exists, planned.replace.is_empty() && !tainted) {
        (false, _) => Action::Create,
        (true, true) => Action::Update,
        (true, false) => Action::Replace,
    };
    for at in &planned.replace {
        notes.push(format!("`{at}` cannot be changed in place"));
    }
    changes.extend(drift);
    let plan_notes = planned.notes.into_iter().map(|d| context.clean(d.into())).collect();
    let plan = ProviderPlan { outputs, replace: planned.replace, notes: plan_notes };
    Ok(ProviderPlanned { properties: checked, key, action, changes, plan, notes })
}

/// A blank in a plugin's outputs says only that something is not known; the schema says whether it will be a text.
fn refine(outputs: &mut Value, schema: &Value) {
    match (outputs, schema) {
        (Value::Unknown(leaf), Value::Unknown(said)) => {
            leaf.kind = said.kind;
            leaf.secret |= said.secret;
        }
        (Value::Map(fields), Value::Map(said)) => {
            for (key, field) in fields {
                if let Some(said) = said.get(key) {
                    refine(field, said);
                }
            }
        }
        _ => {}
    }
}

impl Context {
    /// A provider's resource as it is recorded, opened.
    pub(crate) fn snapshot(&self, address: &Address) -> Result<Option<Snapshot>, Diagnostic> {
        let Some(record) = self.state.resources.get(address) else { return Ok(None) };
        let Some(snapshot) = &record.snapshot else { return Ok(None) };
        self.open_snapshot(snapshot).map(Some)
    }
}

/// What changed outside since the plugin last said what there is.
fn drift(
    context: &Context,
    address: &Address,
    old: &Snapshot,
    new: &wire::Snapshot,
    (tokens, shown): (&TokenTable, &Mask),
) -> Result<Vec<FieldChange>, Diagnostic> {
    let mut state = receive(&new.state, tokens, address)?;
    hide(&mut state, shown);
    let mut changes = changes_between(&context.masked(&old.state).0, &context.masked(&state).0);
    for change in &mut changes {
        change.manager = Some("outside of Sheave".to_owned());
    }
    Ok(changes)
}

/// Leaf by leaf, what differs between two masked documents.
pub(crate) fn changes_between(before: &Json, after: &Json) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    walk(before, after, "", &mut changes);
    changes
}

fn walk(before: &Json, after: &Json, at: &str, changes: &mut Vec<FieldChange>) {
    use sheave_model::pointer::join;
    let marked = |v: &Json| Masked::is_secret(v) || Masked::is_unknown(v);
    match (before, after) {
        (a, b) if a == b => {}
        (Json::Object(a), Json::Object(b)) if !marked(before) && !marked(after) => {
            for (key, value) in a {
                walk(value, b.get(key).unwrap_or(&Json::Null), &join(at, key), changes);
            }
            for (key, value) in b.iter().filter(|(k, _)| !a.contains_key(*k)) {
                walk(&Json::Null, value, &join(at, key), changes);
            }
        }
        (a, b) => changes.push(FieldChange {
            pointer: at.to_owned(),
            before: show(a),
            after: show(b),
            manager: None,
        }),
    }
}

fn show(value: &Json) -> Shown {
    match value {
        Json::Null => Shown::Absent,
        v if Masked::is_unknown(v) => Shown::Unknown,
        v if Masked::is_secret(v) => Shown::Secret,
        v => Shown::Value(v.clone()),
    }
}
