//! `sheave plugin update`.

use serde_json::json;
use sheave_driver::{Fault, PluginUpdate, Report};

use crate::commands::{Session, document};
use crate::exit::Exit;
use crate::look::Paint;
use crate::out::Out;
use crate::render::outside;

pub(super) async fn run(
    session: &Session,
    name: Option<&str>,
    accept: bool,
    out: &mut Out,
) -> Result<Exit, Fault> {
    let updates = session.driver.plugin_update(name, accept).await?;
    if session.json {
        document(out, &updates.iter().map(as_json).collect());
    } else if updates.is_empty() {
        out.line("The blueprint has no plugin but the built-in one.");
    } else {
        updates.iter().for_each(|u| out.text(&text(u, session.look.out)));
    }
    let diagnostics: Vec<_> = updates.into_iter().filter(|u| !u.taken).flat_map(|u| u.doubts).collect();
    if diagnostics.is_empty() {
        return Ok(Exit::Done);
    }
    Err(Fault::Explained(Box::new(Report { diagnostics, ..Report::default() })))
}

fn as_json(update: &PluginUpdate) -> serde_json::Value {
    json!({
        "name": update.name,
        "before": update.before,
        "now": update.now,
        "widened": update.difference.widened,
        "narrowed": update.difference.narrowed,
        "types": update.types.iter().map(|(name, what)| json!({"type": name, "change": what})).collect::<Vec<_>>(),
        "doubts": update.doubts,
        "taken": update.taken,
    })
}

fn text(update: &PluginUpdate, paint: Paint) -> String {
    let version = |v: &Option<String>| v.clone().unwrap_or_else(|| "without a version".into());
    let name = outside::line(&update.name);
    let now = version(&update.now.version);
    let mut out = match &update.before {
        None => format!("{} {}: new in sheave.lock\n", paint.bold(name), outside::line(&now)),
        Some(before) if before == &update.now => {
            return format!("{} {}: as before\n", paint.bold(name), outside::line(&now));
        }
        Some(before) => {
            let old = version(&before.version);
            format!("{} {} -> {}\n", paint.bold(name), outside::line(&old), outside::line(&now))
        }
    };
    for (of, what) in &update.types {
        if update.before.is_some() {
            out.push_str(&format!("  type {}: {what}\n", outside::line(of)));
        }
    }
    for more in &update.difference.widened {
        out.push_str(&format!("  {} {}\n", paint.yellow("+ asks to"), outside::line(more)));
    }
    for less in &update.difference.narrowed {
        out.push_str(&format!("  {} {}\n", paint.dim("- no longer asks to"), outside::line(less)));
    }
    out
}
