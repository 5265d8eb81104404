//! What an interrupted run left open: providers' operations are called again under their own key.
//!
//! Objects need no recovery: applying one again changes nothing, and the record knows of every object that may be there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sheave_engine::ProvideRequest;
use sheave_model::event::What;
use sheave_model::journal::{Change, Entry, Intent, Outcome};
use sheave_model::plugin::{ProviderPlan, ProviderStep};
use sheave_model::{Address, Diagnostic};
use sheave_state::{LockGuard, SqliteStore, Store as _};

use crate::context::Context;
use crate::perform;

/// How open operations ended.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    /// What is now known.
    pub(crate) entries: Vec<Entry>,
    /// Resources that nobody can tell anything of yet, and why.
    pub(crate) in_doubt: BTreeMap<Address, Diagnostic>,
}

/// Finishes what can be finished. How far a plugin came is written down at once: this, too, may be cut off.
pub(crate) async fn recover(context: &Arc<Context>, journal: (&SqliteStore, &LockGuard)) -> Recovered {
    let mut recovered = Recovered::default();
    let open: Vec<Intent> = context.state.in_flight.values().cloned().collect();
    for intent in open {
        match finish(context, &intent, journal).await {
            Ok(Some(outcome)) => {
                recovered.entries.push(Entry::Outcome { op: intent.op.clone(), outcome });
            }
            Ok(None) => {}
            Err(why) => {
                let diagnostic = Diagnostic::error(
                    "run.in-doubt",
                    format!(
                        "`{}`: an operation was cut off, and it is not known how it ended",
                        intent.address
                    ),
                )
                .with_detail(match &why.detail {
                    Some(detail) => format!("{}\n{detail}", why.summary),
                    None => why.summary.clone(),
                })
                .with_help("mend the cause and run again: the operation is repeated under its own key")
                .on(intent.address.clone());
                recovered.in_doubt.insert(intent.address.clone(), diagnostic);
            }
        }
    }
    recovered
}

async fn finish(
    context: &Arc<Context>,
    intent: &Intent,
    (store, lock): (&SqliteStore, &LockGuard),
) -> Result<Option<Outcome>, Diagnostic> {
    let Change::Provide { prior, desired, agreed, resume } = &intent.change else { return Ok(None) };
    let Some(record) = context.state.resources.get(&intent.address) else { return Ok(None) };
    let prior = prior.as_ref().map(|p| context.open_snapshot(p)).transpose()?;
    let resume = match resume {
        Some(sealed) => Some(context.sealer.open_bytes(sealed).map_err(|e| e.diagnostic())?),
        None => None,
    };
    let mut request = ProvideRequest {
        op: intent.op.clone(),
        address: intent.address.clone(),
        type_name: record.type_name.clone(),
        desired: desired.as_ref().map(|d| context.open(d)).transpose()?,
        with_prior: prior.is_some(),
        agreed: ProviderPlan { outputs: context.open(agreed)?, replace: Vec::new(), notes: Vec::new() },
        resume: resume.map(|bytes| (bytes, Duration::ZERO)),
    };
    // How the first call ended is not known; how those after it did, is.
    let mut again = true;
    loop {
        match perform::provide_again(context, &request, prior.clone(), std::mem::take(&mut again)).await {
            Ok(step @ ProviderStep::Pending { .. }) => {
                let outcome = context.step_outcome(&step);
                let entry = Entry::Outcome { op: intent.op.clone(), outcome };
                store.append(lock, &[entry], &[]).await.map_err(|e| e.diagnostic())?;
                let ProviderStep::Pending { resume, after_ms, message, percent } = step else { continue };
                context.tell(What::Waiting {
                    address: intent.address.clone(),
                    object: None,
                    reason: message,
                    percent,
                });
                request.resume = Some((resume, Duration::from_millis(after_ms.into())));
            }
            Ok(step) => return Ok(Some(context.step_outcome(&step))),
            Err(failure) if failure.in_doubt => {
                return Err(failure
                    .diagnostics
                    .into_iter()
                    .next()
                    .unwrap_or_else(|| Diagnostic::error("run.in-doubt", "the plugin gave no reason")));
            }
            Err(failure) => {
                return Ok(Some(Outcome::Failed { why: context.mask().text(&failure.summary()) }));
            }
        }
    }
}
