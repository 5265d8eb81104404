//! Makes constants of `schemas/schemas.json` and `src/app/schema.json`, so that the guest reads no JSON to answer with a
//! schema.

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Map, Value};

const FILE: &str = "schemas/schemas.json";
const APP: &str = "src/app/schema.json";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={FILE}");
    println!("cargo::rerun-if-changed={APP}");
    let all: Value = serde_json::from_str(&std::fs::read_to_string(FILE)?)?;
    let map = |key: &str| all[key].as_object().cloned().ok_or(format!("{FILE} has no `{key}`"));
    let (defs, kinds) = (map("defs")?, map("kinds")?);

    let mut code = String::new();
    writeln!(code, "pub(crate) static DEFS: [(&str, &str); {}] = [", defs.len())?;
    for (name, def) in &defs {
        writeln!(code, "    ({name:?}, {:?}),", def.to_string())?;
    }
    writeln!(code, "];\npub(crate) static SCHEMAS: [Schema; {}] = [", kinds.len())?;
    for (name, kind) in &kinds {
        let mut used = Vec::new();
        reach(&kind["schema"], &defs, &mut used)?;
        used.sort_unstable();
        let api_version = kind["apiVersion"].as_str().unwrap_or_default();
        writeln!(
            code,
            "    Schema {{ kind: {name:?}, api_version: {api_version:?}, root: {:?}, defs: &{used:?} }},",
            kind["schema"].to_string(),
        )?;
    }
    writeln!(code, "];")?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    std::fs::write(out.join("schemas.rs"), code)?;
    let app: Value = serde_json::from_str(&std::fs::read_to_string(APP)?)?;
    std::fs::write(out.join("app.json"), app.to_string())?;
    Ok(())
}

/// The positions of all definitions that `schema` needs.
fn reach(schema: &Value, defs: &Map<String, Value>, used: &mut Vec<usize>) -> Result<(), String> {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let name = name.trim_start_matches("#/$defs/");
        let at = defs.keys().position(|key| key == name).ok_or(format!("{FILE} does not define {name}"))?;
        if !used.contains(&at) {
            used.push(at);
            reach(&defs[name], defs, used)?;
        }
    }
    match schema {
        Value::Object(fields) => fields.values().try_for_each(|inner| reach(inner, defs, used)),
        Value::Array(items) => items.iter().try_for_each(|inner| reach(inner, defs, used)),
        _ => Ok(()),
    }
}
