//! `sheave outputs`: what the last apply left.
//!
//! A secret output is shown only where it is asked for by its name and with `--reveal`. Asked for by name alone it is an
//! error, not a placeholder: a script would take the placeholder for the secret.

use std::collections::BTreeMap;
use std::io::IsTerminal;

use sheave_driver::Fault;
use sheave_model::{Diagnostic, Value};

use super::{Session, document, explained};
use crate::args::OutputsArgs;
use crate::exit::Exit;
use crate::out::Out;
use crate::render::{outputs, outside};

pub(super) async fn run(session: &Session, args: OutputsArgs, out: &mut Out) -> Result<Exit, Fault> {
    let found = session.driver.outputs().await?;
    let Some(name) = args.name else {
        if session.json {
            document(out, &outputs::json(&found.outputs));
        } else if found.outputs.is_empty() {
            out.line(&format!("Stack {} has no outputs.", outside::line(&found.stack)));
        } else {
            out.text(&outputs::text(&found.outputs, 0, session.look.out));
        }
        return Ok(Exit::Done);
    };
    let value = one(&found.outputs, &name, args.reveal).map_err(explained)?;
    let value = outputs::shown(value, args.reveal);
    if session.json {
        document(out, &value);
    } else {
        out.line(&outputs::raw(&value, std::io::stdout().is_terminal()));
    }
    Ok(Exit::Done)
}

fn one<'a>(all: &'a BTreeMap<String, Value>, name: &str, reveal: bool) -> Result<&'a Value, Box<Diagnostic>> {
    let shown = outside::line(name);
    let fault = |code: &str, summary: String| Diagnostic::error(code, summary);
    let Some(value) = all.get(name) else {
        let mut missing = fault("cli.no-output", format!("the stack has no output `{shown}`"));
        let names: Vec<_> = all.keys().map(|n| outside::line(n)).collect();
        if !names.is_empty() {
            missing = missing.with_help(format!("it has: {}", names.join(", ")));
        }
        return Err(Box::new(missing));
    };
    if value.has_unknown() {
        return Err(Box::new(
            fault("cli.unknown-output", format!("the output `{shown}` is not known"))
                .with_help("the last apply did not come to the resource that it is read from; apply again"),
        ));
    }
    if value.has_secret() && !reveal {
        return Err(Box::new(
            fault("cli.secret-output", format!("the output `{shown}` is secret"))
                .with_help("add --reveal to show it in clear"),
        ));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use sheave_model::{SecretText, Unknown, UnknownKind};

    use super::*;

    #[test]
    fn a_secret_needs_to_be_asked_for() {
        let unknown = Unknown { id: "web#/ip".into(), kind: UnknownKind::Text, secret: true };
        let all = [
            ("url", Value::Text("http://blog".into())),
            ("password", Value::Secret(SecretText::new("hunter2".into()))),
            ("ip", Value::Unknown(unknown)),
        ]
        .map(|(k, v)| (k.to_owned(), v))
        .into();
        let code = |name, reveal| one(&all, name, reveal).map_err(|d| d.code);
        assert!(code("url", false).is_ok());
        assert!(code("password", true).is_ok());
        assert_eq!(code("password", false).unwrap_err(), "cli.secret-output");
        assert_eq!(code("ip", true).unwrap_err(), "cli.unknown-output");
        assert_eq!(code("urk", true).unwrap_err(), "cli.no-output");
    }
}
