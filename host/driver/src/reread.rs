//! Outputs read again: of a provider's resource by its plugin, of an emitter's from its live objects.

use std::sync::Arc;

use sheave_engine::{AwaitObject, ObserveRequest};
use sheave_model::plugin::InstanceInfo;
use sheave_model::stack::ResourceRecord;
use sheave_model::{Address, Diagnostic, Masked, Role, SecretText, Value};
use sheave_secrets::{Family, TokenTable};

use crate::context::Context;
use crate::documents::{hide, receive};
use crate::perform;

/// A resource's outputs as they are now; none: what would give them is not there any more.
pub(crate) async fn read(
    context: &Context,
    address: &Address,
    record: &ResourceRecord,
) -> Result<Option<Value>, Box<Diagnostic>> {
    match record.role {
        Role::Provides => read_provided(context, address, record).await,
        Role::Emits => observe(context, address, record).await,
    }
}

async fn read_provided(
    context: &Context,
    address: &Address,
    record: &ResourceRecord,
) -> Result<Option<Value>, Box<Diagnostic>> {
    let fault = |d: Diagnostic| Box::new(context.clean(d).on(address.clone()));
    let Some(snapshot) = context.snapshot(address).map_err(fault)? else { return Ok(None) };
    let plugin = &context.plugin_of(&record.type_name).map_err(fault)?.plugin;
    let info = InstanceInfo {
        type_name: record.type_name.clone(),
        address: record.named.clone().unwrap_or_else(|| address.clone()),
        stack: context.stack.clone(),
        schema_version: record.schema_version,
        settings: context.open(&record.settings).map_err(fault)?,
    };
    let mut tokens = TokenTable::default();
    let instance = context.instance(&info, Family::First, &mut tokens).map_err(fault)?;
    let sent = context.send_snapshot(&record.type_name.plugin, &snapshot, &mut tokens).map_err(fault)?;
    let found = context
        .reaching(plugin, &tokens, address)
        .read(&instance, &sent)
        .await
        .map_err(|e| fault(e.diagnostic()))?;
    let Some(found) = found else { return Ok(None) };
    let mut outputs = receive(&found.outputs, &tokens, address).map_err(fault)?;
    hide(&mut outputs, &context.shown_to(plugin));
    if outputs.has_unknown() {
        let summary = format!("the plugin `{}` read outputs that are not known", record.plugin.name);
        return Err(fault(Diagnostic::error("plugin.bad-reply", summary)));
    }
    Ok(Some(outputs))
}

/// Asks an emitter what it makes of its live objects; none where one of them is gone. A secret in its outputs is the one
/// that is recorded: what properties hold of it is a digest.
pub(crate) async fn observe(
    context: &Context,
    address: &Address,
    record: &ResourceRecord,
) -> Result<Option<Value>, Box<Diagnostic>> {
    let mut objects = Vec::with_capacity(record.objects.len());
    for object in &record.objects {
        let live = context.member(&object.target, &object.id).await.map_err(Box::new)?;
        if live.is_none() {
            return Ok(None);
        }
        objects.push(AwaitObject {
            slot: object.slot.clone(),
            target: object.target.clone(),
            id: object.id.clone(),
            uid: object.uid.clone(),
            ready_when: None,
        });
    }
    let request = ObserveRequest {
        address: address.clone(),
        type_name: record.type_name.clone(),
        target: record.target.clone(),
        properties: Arc::new(stand_in(&record.properties)),
        objects,
        existing: false,
    };
    match perform::observe(context, request).await {
        Ok(outputs) if outputs.has_secret() => {
            let recorded = record.outputs.as_ref().and_then(|sealed| context.open(sealed).ok());
            Ok(Some(with_secrets_of(outputs, recorded.as_ref())))
        }
        Ok(outputs) => Ok(Some(outputs)),
        Err(failure) => Err(Box::new(failure.diagnostics.into_iter().next().unwrap_or_else(|| {
            Diagnostic::error("plugin.bad-reply", "the plugin gave no reason").on(address.clone())
        }))),
    }
}

/// `now`, each secret leaf of it as it was in `before`; null where it was not there.
fn with_secrets_of(now: Value, before: Option<&Value>) -> Value {
    match (now, before) {
        (Value::Secret(_), before) => before.cloned().unwrap_or(Value::Null),
        (Value::Map(fields), before) => {
            let before = |key: &String| match before {
                Some(Value::Map(old)) => old.get(key),
                _ => None,
            };
            Value::Map(
                fields
                    .into_iter()
                    .map(|(k, v)| {
                        let old = before(&k);
                        (k, with_secrets_of(v, old))
                    })
                    .collect(),
            )
        }
        (Value::List(items), before) => {
            let before = |i: usize| match before {
                Some(Value::List(old)) => old.get(i),
                _ => None,
            };
            Value::List(items.into_iter().enumerate().map(|(i, v)| with_secrets_of(v, before(i))).collect())
        }
        (other, _) => other,
    }
}

/// Recorded properties as a value. A secret is kept as its digest only, which stands in for it: what the plugin sees is a
/// token either way.
fn stand_in(properties: &Masked) -> Value {
    fn walk(node: &serde_json::Value) -> Value {
        match node {
            node if Masked::is_secret(node) || Masked::is_unknown(node) => {
                Value::Secret(SecretText::new(node.to_string()))
            }
            serde_json::Value::Array(items) => Value::List(items.iter().map(walk).collect()),
            serde_json::Value::Object(fields) => {
                Value::Map(fields.iter().map(|(key, item)| (key.clone(), walk(item))).collect())
            }
            other => Value::from_json(other),
        }
    }
    walk(&properties.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secret(text: &str) -> Value {
        Value::Secret(SecretText::new(text.to_owned()))
    }

    #[test]
    fn what_stands_in_for_a_secret_never_becomes_an_output() {
        let properties =
            Masked::from(json!({"user": "web", "password": {"$secret": "d1"}, "list": [{"$secret": "d2"}]}));
        let stood = stand_in(&properties);
        assert!(matches!(stood.at("/password"), Some(Value::Secret(_))));
        assert!(matches!(stood.at("/list/0"), Some(Value::Secret(_))));
        let before = Value::Map([("password".to_owned(), secret("real"))].into());
        let after = with_secrets_of(stood, Some(&before));
        assert_eq!(after.at("/password"), Some(&secret("real")));
        assert_eq!(after.at("/list/0"), Some(&Value::Null));
        assert_eq!(after.at("/user"), Some(&Value::Text("web".into())));
    }
}
