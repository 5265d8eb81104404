//! `cargo xtask docs`: a page for each type, out of what `sheave schema` says of it; with `--check`, whether they are current.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use crate::run::{cargo, output, root, run, say, target_dir};

/// Where the pages stand.
const PAGES: &str = "docs/types";
/// What several types have in common.
const SHARED: &str = "definitions.md";
/// Names the program to ask, as in the tests; without it, it is built.
const PROGRAM: &str = "SHEAVE_BIN";
/// A blueprint with every plugin of the repository, and where it stands: the guests are beside its folder.
const BLUEPRINT: (&str, &str) = (
    "target/docs/blueprint.yaml",
    "blueprint: types\nplugins: {kubernetes: {}, file: {source: ../guests/file.wasm}, http: {source: ../guests/http.wasm}}\nresources: {}\n",
);

pub(crate) fn docs(check: bool) -> Result<()> {
    let pages = pages(&types()?)?;
    let folder = root().join(PAGES);
    let stale = stale(&folder, &pages)?;
    match (check, stale.is_empty()) {
        (_, true) => say(format!("{PAGES}: {} pages are current", pages.len())),
        (true, false) => bail!("stale: {}; `cargo xtask docs` writes them", stale.join(", ")),
        (false, false) => {
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            fs::create_dir_all(&folder)?;
            for (name, text) in &pages {
                fs::write(folder.join(name), text)?;
            }
            say(format!("wrote {PAGES}: {}", stale.join(", ")));
        }
    }
    Ok(())
}

/// The names of pages that are missing, different, or of no type any more.
fn stale(folder: &Path, pages: &BTreeMap<String, String>) -> Result<Vec<String>> {
    let mut there = BTreeSet::new();
    if folder.exists() {
        for entry in fs::read_dir(folder)? {
            there.insert(entry?.file_name().to_string_lossy().into_owned());
        }
    }
    let differs = |name: &&String| fs::read_to_string(folder.join(name)).ok().as_ref() != pages.get(*name);
    let names: BTreeSet<String> = there.into_iter().chain(pages.keys().cloned()).collect();
    Ok(names.iter().filter(differs).cloned().collect())
}

/// A type, as the program describes it.
struct Type {
    name: String,
    summary: String,
    emits: bool,
    schema: Value,
}

fn types() -> Result<Vec<Type>> {
    let program = program()?;
    let (path, text) = (root().join(BLUEPRINT.0), BLUEPRINT.1);
    fs::create_dir_all(path.parent().unwrap_or(&path))?;
    fs::write(&path, text)?;
    let ask = |args: &[&str]| -> Result<Value> {
        let mut command = Command::new(&program);
        command.args(args).arg("--json").arg("--file").arg(&path).env_remove("SHEAVE_STACK");
        Ok(serde_json::from_str(&output(&mut command)?)?)
    };
    let all = ask(&["types"])?;
    let mut types = Vec::new();
    for entry in all.as_array().context("`sheave types` gives no list")? {
        let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        let schema = ask(&["schema", &text("type")])?;
        types.push(Type {
            name: text("type"),
            summary: text("summary"),
            emits: text("role") == "emits",
            schema,
        });
    }
    Ok(types)
}

fn program() -> Result<PathBuf> {
    if let Some(given) = std::env::var_os(PROGRAM) {
        return Ok(root().join(given));
    }
    // As the tests build it, so that it is built once.
    run(cargo().args(["build", "--quiet", "--package", "sheave-cli", "--features", "failpoints"]))?;
    Ok(target_dir().join("debug/sheave"))
}

type Definitions = BTreeMap<String, Value>;

/// The pages by file name.
fn pages(types: &[Type]) -> Result<BTreeMap<String, String>> {
    let shared = shared(types);
    let mut pages = BTreeMap::new();
    for of in types {
        pages.insert(file(&of.name), page(of, &shared)?);
    }
    pages.insert("README.md".to_owned(), index(types)?);
    pages.insert(SHARED.to_owned(), definitions(&shared)?);
    Ok(pages)
}

fn file(type_name: &str) -> String {
    format!("{}.md", type_name.replace(':', "."))
}

/// The definitions that several types have, alike.
fn shared(types: &[Type]) -> Definitions {
    let mut found: BTreeMap<&String, Vec<&Value>> = BTreeMap::new();
    for (name, definition) in types.iter().filter_map(|t| t.schema["$defs"].as_object()).flatten() {
        found.entry(name).or_default().push(definition);
    }
    let alike = found.into_iter().filter_map(|(name, all)| {
        let mut counts: Vec<(usize, &Value)> = Vec::new();
        for one in all {
            match counts.iter_mut().find(|(_, known)| *known == one) {
                Some((count, _)) => *count += 1,
                None => counts.push((1, one)),
            }
        }
        let (count, most) = counts.into_iter().max_by_key(|(count, _)| *count)?;
        (count > 1).then(|| (name.clone(), most.clone()))
    });
    alike.collect()
}

const GENERATED: &str = "<!-- Written by `cargo xtask docs` out of the types' schemas. -->\n";

fn index(types: &[Type]) -> Result<String> {
    let mut out = format!("{GENERATED}# Types\n");
    for plugin in types.iter().filter_map(|t| t.name.split(':').next()).collect::<BTreeSet<_>>() {
        let how = match plugin {
            "kubernetes" => "The plugin `kubernetes` is built in: `plugins: {kubernetes: {}}`. The properties of Kubernetes' own kinds \
                are the fields of their manifests, which the Kubernetes API reference explains."
                .to_owned(),
            other => {
                format!("The plugin `{other}` is a file: `plugins: {{{other}: {{source: ./{other}.wasm}}}}`.")
            }
        };
        write!(out, "\n## {plugin}\n\n{how}\n\n| type | is |\n|---|---|\n")?;
        for of in types.iter().filter(|t| t.name.starts_with(&format!("{plugin}:"))) {
            writeln!(out, "| [`{}`]({}) | {} |", of.name, file(&of.name), of.summary)?;
        }
    }
    write!(
        out,
        "\n[Definitions]({SHARED}) holds what several types have in common, such as a pod's containers.\n"
    )?;
    Ok(out)
}

fn page(of: &Type, shared: &Definitions) -> Result<String> {
    let own = |name: &str| of.schema["$defs"].get(name).filter(|d| shared.get(name) != Some(*d));
    let place = Place { own: &|name| own(name).is_some(), written: true };
    let role =
        if of.emits { "Makes Kubernetes objects." } else { "A provider: it works outside of clusters." };
    let mut out = format!("{GENERATED}# `{}`\n\n{}. {role}\n", of.name, capital(&of.summary));
    section(&mut out, "## Properties", &of.schema, place)?;
    section(&mut out, "## Outputs", &of.schema["x-outputs"], Place { written: false, ..place })?;
    // What this type alone has, as far as something leads there.
    let names = of.schema["$defs"].as_object().into_iter().flatten().filter(|(name, _)| own(name).is_some());
    for (name, definition) in names {
        section(&mut out, &format!("## {name}"), definition, place)?;
    }
    Ok(out)
}

fn definitions(shared: &Definitions) -> Result<String> {
    let mut out = format!("{GENERATED}# Definitions\n\nWhat several types have in common.\n");
    for (name, definition) in shared {
        let place = Place { own: &|name| shared.contains_key(name), written: true };
        section(&mut out, &format!("## {name}"), definition, place)?;
    }
    Ok(out)
}

/// Where a schema is described.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// Whether a definition stands on the same page.
    own: &'a dyn Fn(&str) -> bool,
    /// Whether people write it: what is required matters to them, and not to those who read.
    written: bool,
}

fn section(out: &mut String, heading: &str, schema: &Value, place: Place<'_>) -> Result<()> {
    let mut rows = Vec::new();
    fields(&mut rows, "", schema, place);
    write!(out, "\n{heading}\n\n")?;
    if rows.is_empty() {
        let what =
            if schema.is_null() { "None.".to_owned() } else { format!("{}.", capital(&kind(schema, place))) };
        writeln!(out, "{what} {}", notes(schema, false).trim())?;
        return Ok(());
    }
    writeln!(out, "| name | type | |\n|---|---|---|")?;
    for row in rows {
        writeln!(out, "{row}")?;
    }
    Ok(())
}

/// A row for each field; those of maps that are written out on the spot follow under `name.field`.
fn fields(rows: &mut Vec<String>, before: &str, schema: &Value, place: Place<'_>) {
    let none = Map::new();
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, field) in schema["properties"].as_object().unwrap_or(&none) {
        let path = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
        let said = notes(field, required.contains(&name.as_str()) && place.written);
        rows.push(format!("| `{path}` | {} | {} |", kind(field, place), said.trim()));
        fields(rows, &path, field, place);
        for (key, mark) in [("items", "[]"), ("additionalProperties", "[\"...\"]")] {
            if field[key]["properties"].is_object() {
                fields(rows, &format!("{path}{mark}"), &field[key], place);
            }
        }
    }
}

fn kind(schema: &Value, place: Place<'_>) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        let page = if (place.own)(name) { "" } else { SHARED };
        return format!("[{name}]({page}#{})", name.to_lowercase());
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(all) = schema[choice].as_array() {
            let words: Vec<String> =
                all.iter().filter(|s| s["type"] != "null").map(|s| kind(s, place)).collect();
            return words.join(" or ");
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        let words: Vec<String> = values.iter().filter(|v| !v.is_null()).map(|v| format!("`{v}`")).collect();
        return words.join(" or ");
    }
    let words: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).filter(|k| *k != "null").collect(),
        _ => return "anything".to_owned(),
    };
    let inner = |key: &str| schema[key].as_object().map(|_| kind(&schema[key], place));
    let word = |word: &&str| match *word {
        "array" => inner("items").map_or("list".to_owned(), |of| format!("list of {of}")),
        "object" => inner("additionalProperties").map_or("map".to_owned(), |of| format!("map of {of}")),
        other => other.to_owned(),
    };
    words.iter().map(word).collect::<Vec<_>>().join(" or ")
}

fn notes(schema: &Value, required: bool) -> String {
    let mut said = Vec::new();
    if required {
        said.push("**Required.**".to_owned());
    }
    let marks = [
        ("x-identity", "Names it."),
        ("x-immutable", "Another value makes it anew."),
        ("x-sensitive", "Secret."),
        ("x-stable", "Does not change while it lives."),
        ("x-files", "A path in the blueprint's folder."),
    ];
    let has = |key: &str| {
        schema[key] == Value::Bool(true) || schema["additionalProperties"][key] == Value::Bool(true)
    };
    said.extend(marks.iter().filter(|(key, _)| has(key)).map(|(_, word)| (*word).to_owned()));
    let rules = [("minimum", "at least"), ("maximum", "at most"), ("pattern", "of the form")];
    let rules = rules.iter().filter(|(key, _)| !schema[key].is_null());
    let rules: Vec<String> = rules.map(|(key, word)| format!("{word} `{}`", plain(&schema[key]))).collect();
    if !rules.is_empty() {
        said.push(format!("{}.", capital(&rules.join(", "))));
    }
    if let Some(text) = schema["description"].as_str() {
        said.push(text.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    said.join(" ").replace('|', "\\|")
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
