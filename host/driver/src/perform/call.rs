//! What plugin calls share: their failures as the engine's, checked properties, canonical keys.

use sheave_engine::Failure;
use sheave_model::{Address, Diagnostic, TypeName, Value};
use sheave_plugin_host::{CallError, wire};
use sheave_secrets::{Family, TokenTable};

use crate::context::Context;
use crate::documents::{Sent, receive};

/// Turns a call's error into a failure: the plugin's word on wrong properties is the blueprint's fault, everything
/// else the world's. A change that broke down in the middle is in doubt.
pub(crate) fn failed(context: &Context, address: &Address, error: CallError, changing: bool) -> Failure {
    let clean = |d: Diagnostic| context.clean(d).on(address.clone());
    if let CallError::Answer(wire::Failure::Invalid(diagnostics)) = error {
        let diagnostics: Vec<Diagnostic> = diagnostics.into_iter().map(|d| clean(d.into())).collect();
        if diagnostics.is_empty() {
            let summary = "the plugin refuses the properties and does not say why";
            return Failure::blueprint(vec![clean(Diagnostic::error("plugin.bad-reply", summary))]);
        }
        return Failure::blueprint(diagnostics);
    }
    let answered = matches!(error, CallError::Answer(_));
    let diagnostics = vec![clean(error.diagnostic())];
    if changing && !answered { Failure::in_doubt(diagnostics) } else { Failure::world(diagnostics) }
}

/// Lets the plugin check properties and fill in defaults. It may not change what the user wrote.
pub(crate) async fn check(
    context: &Context,
    address: &Address,
    type_name: &TypeName,
    properties: &Value,
) -> Result<Value, Failure> {
    let world = |d: Diagnostic| Failure::world(vec![d.on(address.clone())]);
    let (instance, sent) = context.question(address, type_name, properties, Family::First).map_err(world)?;
    check_sent(context, address, type_name, properties, &instance, &sent).await
}

/// The same, of properties that are ready to be sent.
pub(super) async fn check_sent(
    context: &Context,
    address: &Address,
    type_name: &TypeName,
    properties: &Value,
    instance: &wire::Instance,
    sent: &Sent,
) -> Result<Value, Failure> {
    let world = |d: Diagnostic| Failure::world(vec![d.on(address.clone())]);
    let bound = context.plugin_of(type_name).map_err(world)?;
    let (checked, warnings) = bound
        .plugin
        .check_and_hear(instance, &sent.doc)
        .await
        .map_err(|e| failed(context, address, e, false))?;
    take_in(context, address, type_name, properties, &sent.tokens, &checked, warnings)
}

/// What a check answered: its warnings told, its properties as values, and nothing in them changed that the user wrote.
pub(super) fn take_in(
    context: &Context,
    address: &Address,
    type_name: &TypeName,
    properties: &Value,
    tokens: &TokenTable,
    checked: &wire::Doc,
    warnings: Vec<wire::PluginDiagnostic>,
) -> Result<Value, Failure> {
    let world = |d: Diagnostic| Failure::world(vec![d.on(address.clone())]);
    for warning in warnings {
        context.warn(context.clean(warning.into()).on(address.clone()));
    }
    let checked = receive(checked, tokens, address).map_err(world)?;
    if let Some(at) = changed(properties, &checked, "") {
        let summary = format!("the plugin `{}` changed `{at}`, which the blueprint sets", type_name.plugin);
        return Err(world(Diagnostic::error("plugin.bad-reply", summary)));
    }
    Ok(checked)
}

/// The first pointer at which `checked` lacks or alters what `written` holds.
fn changed(written: &Value, checked: &Value, at: &str) -> Option<String> {
    use sheave_model::pointer::join;
    match (written, checked) {
        (Value::Map(a), Value::Map(b)) => a.iter().find_map(|(key, value)| {
            let at = join(at, key);
            match b.get(key) {
                Some(other) => changed(value, other, &at),
                None => Some(at),
            }
        }),
        (Value::List(a), Value::List(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().find_map(|(i, (v, w))| changed(v, w, &join(at, &i.to_string())))
        }
        // A blank (an unknown that is no text) comes back as null, marked: the mark says where it came from.
        (Value::Unknown(_), Value::Unknown(_)) => None,
        (a, b) => (a != b).then(|| at.to_owned()),
    }
}

/// The key of a render: the same again means the same objects.
pub(crate) fn render_key(
    context: &Context,
    address: &Address,
    type_name: &TypeName,
    target: Option<&str>,
    properties: &Value,
) -> String {
    let bound = context.plugins.bound.get(&type_name.plugin);
    let digest = bound.map_or("", |b| b.pin.digest.as_str());
    let settings = context.settings_of(&type_name.plugin).map(|s| context.masked(&s));
    let target_namespace = target.and_then(|t| context.targets.namespace(t));
    let mut content = vec![serde_json::json!([
        digest,
        address.to_string(),
        type_name.name,
        context.stack,
        target,
        target_namespace,
        settings,
        context.masked(properties),
    ])];
    // What may not be emitted any more must be seen again, though nothing else changed.
    let emit = bound.map(|b| &b.pin.grants.emit).filter(|emit| !emit.is_default());
    content.extend(emit.map(|emit| serde_json::json!(emit)));
    let content: String = content.iter().map(ToString::to_string).collect();
    context.key.digest("render", content.as_bytes())
}
