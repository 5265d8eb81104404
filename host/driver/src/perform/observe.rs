//! Asking the plugin what it makes of its live objects: the resource's outputs.

use std::sync::Arc;

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
    let plugin = &context.plugin_of(&request.type_name).map_err(fault)?.plugin;
    let objects = match context.live.take_awaited(address) {
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
    let show = |(slot, object): (String, Option<Arc<serde_json::Value>>)| wire::Live {
        slot,
        body: object.map(|o| context.show_to_plugin(&o)),
    };
    let live: Vec<wire::Live> = objects.into_iter().map(show).collect();
    let (instance, sent) =
        context.question(address, &request.type_name, &request.properties, Family::First).map_err(fault)?;
    let observed =
        plugin.observe(&instance, &sent.doc, &live).await.map_err(|e| failed(context, address, e, false))?;
    let outputs = receive(&observed.outputs, &sent.tokens, address).map_err(fault)?;
    if let Some(kind) = context.types.get(&request.type_name) {
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
