//! Writes `schemas.json`, which the guest embeds, out of k8s-openapi's types: `cargo run -p kubernetes-schemas` in
//! `plugins/`. A test fails where the file is not what this would write.

mod kinds;
mod tidy;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

fn main() -> ExitCode {
    match generate().and_then(|text| std::fs::write(file(), text).map_err(|e| e.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            #[expect(clippy::print_stderr, reason = "a program for people")]
            {
                eprintln!("{why}");
            }
            ExitCode::FAILURE
        }
    }
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas.json")
}

/// The text of the whole file: each kind's schema, and the definitions that they share, each once.
fn generate() -> Result<String, String> {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let kinds = kinds::all();
    let schemas: Vec<Value> = kinds.iter().map(|kind| (kind.schema)(&mut generator)).collect();
    let mut defs = generator.take_definitions(true);
    defs.values_mut().for_each(tidy::tidy);
    tidy::mend(&mut defs);
    let mut roots = Map::new();
    for (kind, mut schema) in kinds.iter().zip(schemas) {
        tidy::tidy(&mut schema);
        shape(&mut schema, kind, &defs)
            .ok_or_else(|| format!("{} has not the shape of a kind", kind.name))?;
        let entry = json!({"apiVersion": kind.api_version, "schema": schema});
        roots.insert(kind.name.to_owned(), entry);
    }
    let roots = Value::Object(roots);
    let reached = reachable(&roots, &defs);
    defs.retain(|name, _| reached.contains(name.as_str()));
    let mut all = json!({"defs": defs, "kinds": roots});
    tidy::shorten(&mut all, &reached);
    let text = serde_json::to_string_pretty(&all).map_err(|e| e.to_string())?;
    Ok(text + "\n")
}

/// From a manifest to a resource's properties: without apiVersion, kind and status.
fn shape(schema: &mut Value, kind: &kinds::Kind, defs: &Map<String, Value>) -> Option<()> {
    let meta = tidy::own_metadata(defs.get(tidy::OBJECT_META)?, kind.namespaced);
    let properties = schema.get_mut("properties")?.as_object_mut()?;
    properties.retain(|name, _| !["apiVersion", "kind", "status"].contains(&name.as_str()));
    properties.insert("metadata".to_owned(), meta);
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|name| name != "metadata");
    }
    if schema.get("required") == Some(&json!([])) {
        schema.as_object_mut()?.remove("required");
    }
    tidy::require_spec(schema, defs);
    for (pointers, keyword) in [(kind.immutable, "x-immutable"), (kind.sensitive, "x-sensitive")] {
        for pointer in pointers {
            tidy::mark(schema, pointer, keyword, defs)?;
        }
    }
    for (pointer, but) in kind.frozen {
        tidy::mark_all_but(schema, pointer, but, "x-immutable", defs)?;
    }
    for (pointer, those) in kind.only {
        tidy::keep_only(schema, pointer, those, defs)?;
    }
    Some(())
}

fn reachable<'a>(from: &'a Value, defs: &'a Map<String, Value>) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(schema) = open.pop() {
        tidy::references(schema, &mut |name| {
            if reached.insert(name.to_owned()) {
                open.extend(defs.get(name));
            }
        });
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_is_current() {
        let written = std::fs::read_to_string(file()).unwrap();
        assert!(written == generate().unwrap(), "run `cargo run -p kubernetes-schemas` in plugins/");
    }

    #[test]
    fn every_reference_is_defined_and_every_object_is_closed() {
        let all: Value = serde_json::from_str(&generate().unwrap()).unwrap();
        tidy::references(&all, &mut |name| assert!(all["defs"].get(name).is_some(), "{name}"));
        fn closed(schema: &Value) {
            if schema.get("properties").is_some_and(|p| p.get("type").is_none_or(Value::is_object))
                && schema.get("type") == Some(&json!("object"))
            {
                assert_eq!(schema["additionalProperties"], json!(false), "{schema}");
            }
            match schema {
                Value::Object(fields) => fields.values().for_each(closed),
                Value::Array(items) => items.iter().for_each(closed),
                _ => {}
            }
        }
        closed(&all);
    }
}
