//! `sheave plugin inspect`.

use serde_json::json;
use sheave_driver::{Fault, LOCK_FILE, PluginReport};
use sheave_model::Role;

use crate::commands::{Session, document};
use crate::exit::Exit;
use crate::look::Paint;
use crate::out::Out;
use crate::render::document::yaml;
use crate::render::outside;
use crate::render::table::table;

pub(super) async fn run(session: &Session, what: &str, out: &mut Out) -> Result<Exit, Fault> {
    let report = session.driver.plugin_inspect(what).await?;
    if session.json {
        document(out, &as_json(&report));
    } else {
        out.text(&text(&report, session.look.out));
    }
    Ok(Exit::Done)
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Emits => "emits",
        Role::Provides => "provides",
    }
}

fn as_json(report: &PluginReport) -> serde_json::Value {
    let types = report.types.iter().map(|t| {
        json!({"name": t.name, "role": t.role, "version": t.version, "summary": t.summary, "schemaBytes": t.schema_bytes})
    });
    json!({
        "name": report.name,
        "source": report.source,
        "digest": report.digest,
        "manifestDigest": report.manifest_digest,
        "signer": report.signer,
        "bytes": report.bytes,
        "manifest": report.manifest,
        "types": types.collect::<Vec<_>>(),
        "imports": report.imports,
        "asked": report.asked,
        "granted": report.granted,
        "unasked": report.effective.unasked,
        "ungranted": report.effective.ungranted,
        "locked": report.locked,
    })
}

fn text(report: &PluginReport, paint: Paint) -> String {
    let mut out = String::new();
    let line = |text: &str| outside::line(text).into_owned();
    let mut say = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    match &report.manifest {
        Some(m) => {
            say(format!("{} {}: {}", paint.bold(line(&report.name)), m.version, line(&m.description)));
            let home = m.homepage.as_ref().map_or_else(String::new, |h| format!(", {}", line(h)));
            say(format!("licence {}, built for {}{home}", line(&m.licence), line(&m.wit)));
        }
        None => {
            say(format!("{}: without a manifest, so it asks for nothing", paint.bold(line(&report.name))))
        }
    }
    say(format!(
        "from {}, {} KB, sha256 {}",
        line(&report.source),
        report.bytes.div_ceil(1000),
        report.digest
    ));
    if let Some(digest) = &report.manifest_digest {
        say(format!("in the registry: {digest}"));
    }
    if let Some(signer) = &report.signer {
        say(format!("signed by {}, whose key is {}", line(&signer.name), signer.fingerprint));
    }
    match &report.locked {
        Some(locked) if locked.digest == report.digest => say(format!("stands in {LOCK_FILE}")),
        Some(locked) => {
            say(paint.yellow(format!("{LOCK_FILE} has another one: {}", line(&locked.digest))).to_string())
        }
        None => {}
    }
    say(String::new());
    let rows: Vec<Vec<String>> = report
        .types
        .iter()
        .map(|t| vec![line(&t.name), role(t.role).into(), format!("{} B", t.schema_bytes), line(&t.summary)])
        .collect();
    say(table(&["TYPE", "ROLE", "SCHEMA", ""], &rows));
    let mut list = |head: &str, all: &[String]| {
        if !all.is_empty() {
            say(head.to_owned());
            all.iter().for_each(|one| say(format!("  {}", line(one))));
        }
    };
    list("Imports:", &report.imports);
    if let Some(granted) = &report.granted {
        list("Gets:", granted);
        list("Asks for, and is not granted:", &report.effective.ungranted);
        list("Is granted, and does not ask for:", &report.effective.unasked);
    } else {
        list("Asks to:", &report.asked);
    }
    if let Some(manifest) = report.manifest.as_ref().filter(|m| !m.asks.is_empty()) {
        say("In its own words:".to_owned());
        let asks = serde_json::to_value(&manifest.asks).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = yaml(&mut out, &asks, 2, paint);
    }
    out
}
