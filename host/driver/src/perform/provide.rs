//! Calling a provider's `apply`: with its grants, under one key for every retry.

use sheave_engine::{Failure, ProvideRequest};
use sheave_model::plugin::{ProviderStep, Snapshot};
use sheave_model::{Address, Diagnostic, Value};
use sheave_plugin_host::wire;
use sheave_secrets::{Family, Mask, TokenTable};

use super::call::failed;
use crate::context::{Context, interrupted};
use crate::documents::{hide, receive};
use crate::failpoint;

/// Calls a provider.
pub(crate) async fn provide(context: &Context, request: ProvideRequest) -> Result<ProviderStep, Failure> {
    if let Some(doubt) = context.doubt(&request.address) {
        return Err(Failure::in_doubt(vec![doubt]));
    }
    let prior = if request.with_prior { context.snapshot(&request.address) } else { Ok(None) };
    let prior = prior.map_err(|d| Failure::world(vec![d.on(request.address.clone())]))?;
    // What is recorded to be gone already needs no call.
    if request.desired.is_none() && prior.is_none() {
        return Ok(ProviderStep::Done(None));
    }
    call(context, &request, prior, false).await
}

/// Calls a provider with a given prior state; `again`, where nobody knows how the last such call ended.
pub(crate) async fn call(
    context: &Context,
    request: &ProvideRequest,
    prior: Option<Snapshot>,
    again: bool,
) -> Result<ProviderStep, Failure> {
    let address = &request.address;
    let fault = |d: Diagnostic| Failure::world(vec![context.clean(d).on(address.clone())]);
    let mut resume = None;
    if let Some((bytes, after)) = &request.resume {
        tokio::select! {
            () = tokio::time::sleep(*after) => {}
            () = context.interrupted() => return Err(Failure::in_doubt(vec![interrupted().on(address.clone())])),
        }
        resume = Some(bytes.clone());
    }
    let bound = context.plugin_of(&request.type_name).map_err(fault)?;
    let plugin = &bound.plugin;
    if request.desired.is_some() {
        // A folder that cannot be made is missed when the plugin is given it, with words for that.
        let _ = context.files.make_folders(&bound.pin.grants);
    }
    let mut tokens = TokenTable::default();
    let instance =
        context.instance_of(address, &request.type_name, Family::First, &mut tokens).map_err(fault)?;
    let name = &request.type_name.plugin;
    let prior = prior.map(|p| context.send_snapshot(name, &p, &mut tokens)).transpose().map_err(fault)?;
    let desired =
        request.desired.as_ref().map(|d| context.send(name, d, Family::First)).transpose().map_err(fault)?;
    let desired = desired.map(|sent| {
        tokens.merge(sent.tokens);
        sent.doc
    });
    let agreed = context.send(name, &request.agreed.outputs, Family::First).map_err(fault)?;
    tokens.merge(agreed.tokens);
    let agreed =
        wire::Planned { outputs: agreed.doc, replace: request.agreed.replace.clone(), notes: Vec::new() };
    let change = wire::Change { of: instance, prior, desired };
    let step = {
        let _permit = context.permits.acquire().await;
        let plugin = context.reaching(plugin, &tokens, address);
        if again {
            plugin.apply_again(&change, &agreed, &request.op, resume.as_deref()).await
        } else {
            plugin.apply(&change, &agreed, &request.op, resume.as_deref()).await
        }
    };
    failpoint::pass("sent");
    let step = step.map_err(|e| failed(context, address, e, true))?;
    // Something may stand out there already: what cannot be read is in doubt, not undone.
    receive_step(context, step, (&tokens, &context.shown_to(plugin)), address)
        .map_err(|d| Failure::in_doubt(vec![context.clean(d).on(address.clone())]))
}

fn receive_step(
    context: &Context,
    step: wire::Step,
    known: (&TokenTable, &Mask),
    address: &Address,
) -> Result<ProviderStep, Diagnostic> {
    Ok(match step {
        wire::Step::Done(None) => ProviderStep::Done(None),
        wire::Step::Done(Some(snapshot)) => {
            ProviderStep::Done(Some(receive_snapshot(snapshot, known, address)?))
        }
        wire::Step::Pending { resume, after_ms, message, percent } => ProviderStep::Pending {
            resume,
            after_ms,
            message: context.mask().text(&message),
            percent: percent.map(|p| p.min(100)),
        },
        wire::Step::Partial { left, why } => ProviderStep::Partial {
            left: receive_snapshot(left, known, address)?,
            why: why.into_iter().map(|d| context.clean(d.into())).collect(),
        },
    })
}

fn receive_snapshot(
    snapshot: wire::Snapshot,
    (tokens, shown): (&TokenTable, &Mask),
    address: &Address,
) -> Result<Snapshot, Diagnostic> {
    let known = |doc: &wire::Doc| -> Result<Value, Diagnostic> {
        let mut value = receive(doc, tokens, address)?;
        hide(&mut value, shown);
        if value.has_unknown() {
            return Err(Diagnostic::error(
                "plugin.bad-reply",
                "the plugin finished with something not known",
            ));
        }
        Ok(value)
    };
    Ok(Snapshot {
        state: known(&snapshot.state)?,
        outputs: known(&snapshot.outputs)?,
        id: snapshot.id,
        private: snapshot.private_data,
    })
}
