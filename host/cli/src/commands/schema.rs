//! `sheave types` and `sheave schema`: what can be written.

use sheave_driver::Fault;
use sheave_model::{Diagnostic, TypeSchema};

use super::{Session, document, explained};
use crate::exit::Exit;
use crate::out::Out;
use crate::render::{outside, schema};

/// How alike a name must be to be offered, from 0 to 1: below it the offer would puzzle more than help.
const ALIKE: f64 = 0.75;

pub(super) async fn types(session: &Session, out: &mut Out) -> Result<Exit, Fault> {
    let types = session.driver.types().await?;
    if session.json {
        let all: Vec<_> = types
            .iter()
            .map(|t| serde_json::json!({"type": t.name, "role": t.role, "version": t.version, "summary": t.summary}))
            .collect();
        document(out, &all.into());
    } else {
        out.text(&schema::types(&types));
    }
    Ok(Exit::Done)
}

pub(super) async fn schema(session: &Session, name: Option<&str>, out: &mut Out) -> Result<Exit, Fault> {
    let Some(name) = name else {
        document(out, &session.driver.editor_schema().await?);
        return Ok(Exit::Done);
    };
    let types = session.driver.types().await?;
    let found = find(&types, name).map_err(explained)?;
    if session.json {
        document(out, &found.schema);
    } else {
        out.text(&schema::text(found, session.look.out));
    }
    Ok(Exit::Done)
}

/// The type called `name`, or the only one that is called so after the colon.
fn find<'a>(types: &'a [TypeSchema], name: &str) -> Result<&'a TypeSchema, Box<Diagnostic>> {
    if let Some(found) = types.iter().find(|t| t.name.to_string() == name) {
        return Ok(found);
    }
    let mut short = types.iter().filter(|t| t.name.name == name);
    if let (Some(found), None) = (short.next(), short.next()) {
        return Ok(found);
    }
    let fault = Diagnostic::error("cli.unknown-type", format!("there is no type `{}`", outside::line(name)));
    let near = types
        .iter()
        .map(|t| {
            (strsim::jaro_winkler(&t.name.to_string(), name).max(strsim::jaro_winkler(&t.name.name, name)), t)
        })
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    Err(Box::new(match near {
        Some((_, near)) => fault.with_help(format!("did you mean `{}`?", near.name)),
        None => fault.with_help("`sheave types` lists those that there are"),
    }))
}

#[cfg(test)]
mod tests {
    use sheave_model::{Role, TypeName};

    use super::*;

    #[test]
    fn types_are_found_by_either_name_and_near_ones_offered() {
        let of = |plugin: &str, name: &str| TypeSchema {
            name: TypeName::new(plugin, name),
            role: Role::Emits,
            version: 1,
            summary: String::new(),
            schema: serde_json::Value::Null,
        };
        let types = [of("kubernetes", "Deployment"), of("kubernetes", "Service"), of("cloud", "Service")];
        let found = |name| find(&types, name).map(|t| t.name.to_string()).map_err(|d| d.help.unwrap());
        assert_eq!(found("kubernetes:Service").unwrap(), "kubernetes:Service");
        assert_eq!(found("Deployment").unwrap(), "kubernetes:Deployment");
        assert!(found("Service").is_err(), "two plugins have it");
        assert_eq!(found("Deploymnet").unwrap_err(), "did you mean `kubernetes:Deployment`?");
        assert_eq!(found("zzz").unwrap_err(), "`sheave types` lists those that there are");
    }
}
