//! What is to be read of a resource's live objects: its outputs, as their schema says or as the plugin makes them.

use std::sync::Arc;

use serde_json::Value as Json;
use sheave_engine::{Failure, ObserveRequest};
use sheave_model::{Diagnostic, Value};
use sheave_plugin_host::wire;
use sheave_secrets::Family;

use super::call::failed;
use crate::context::Context;
use crate::documents::receive;

/// Asks for a resource's outputs.
pub(crate) async fn observe(context: &Context, request: ObserveRequest) -> Result<Value, Failure> {
    let address = &request.address;
    let fault = |d: Diagnostic| Failure::world(vec![context.clean(d).on(address.clone())]);
    let objects: Vec<(String, Option<Arc<Json>>)> = match context.live.take_awaited(address) {
        Some(objects) => objects.into_iter().map(|(slot, o)| (slot, Some(o))).collect(),
        None => {
            let mut found = Vec::with_capacity(request.objects.len());
            for object in &request.objects {
                let live = context.live_object(&object.target, &object.id).await.map_err(fault)?;
                if request.existing && live.is_none() {
                    let summary = format!("{} does not exist in target `{}`", object.id, object.target);
                    let help = "`existing: true` reads what others made; without it the object is made";
                    return Err(fault(Diagnostic::error("object.missing", summary).with_help(help)));
                }
                found.push((object.slot.clone(), live));
            }
            found
        }
    };
    let kind = context.types.get(&request.type_name);
    let outputs = match kind.and_then(|kind| kind.live_outputs.as_ref()) {
        Some(places) => {
            let there = objects.iter().filter_map(|(slot, object)| Some((slot.as_str(), object.as_ref()?)));
            let shown = there.map(|(slot, object)| (slot, context.shown_to_plugin(object))).collect();
            Value::from_json(&places.read(&shown))
        }
        None => asked(context, &request, objects).await?,
    };
    if let Some(kind) = kind {
        context.learn_outputs(&kind.schemas.outputs.mark_sensitive(outputs.clone()));
    }
    if outputs.has_unknown() {
        let summary = format!(
            "the plugin `{}` gave outputs of `{address}` that are not known",
            request.type_name.plugin
        );
        return Err(fault(Diagnostic::error("plugin.bad-reply", summary)));
    }
    Ok(outputs)
}

/// What the plugin makes of the objects.
async fn asked(
    context: &Context,
    request: &ObserveRequest,
    objects: Vec<(String, Option<Arc<Json>>)>,
) -> Result<Value, Failure> {
    let address = &request.address;
    let fault = |d: Diagnostic| Failure::world(vec![context.clean(d).on(address.clone())]);
    let plugin = &context.plugin_of(&request.type_name).map_err(fault)?.plugin;
    let show = |(slot, object): (String, Option<Arc<Json>>)| wire::Live {
        slot,
        body: object.map(|o| context.show_to_plugin(&o)),
    };
    let live: Vec<wire::Live> = objects.into_iter().map(show).collect();
    let (instance, sent) =
        context.question(address, &request.type_name, &request.properties, Family::First).map_err(fault)?;
    let observed =
        plugin.observe(&instance, &sent.doc, &live).await.map_err(|e| failed(context, address, e, false))?;
    receive(&observed.outputs, &sent.tokens, address).map_err(fault)
}
