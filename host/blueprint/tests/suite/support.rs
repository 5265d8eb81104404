//! What the tests share: a small catalog of types, and a plain rendering of diagnostics.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::json;
use sheave_blueprint::*;
use sheave_model::{
    Diagnostic, Role, SecretText, Severity, Sources, TypeCatalog, TypeName, TypeSchema, Unknown, UnknownKind,
    Value,
};

/// Some types of two plugins.
pub(crate) struct Catalog(Vec<TypeSchema>);

impl Catalog {
    pub(crate) fn new() -> Self {
        let of = |plugin: &str, name: &str, role, schema| TypeSchema {
            name: TypeName::new(plugin, name),
            role,
            version: 1,
            summary: format!("a {name}"),
            schema,
        };
        let metadata = json!({"type": "object", "additionalProperties": false, "properties": {
            "name": {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63, "x-identity": true},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        }});
        Self(vec![
            of(
                "kubernetes",
                "App",
                Role::Emits,
                json!({
                    "type": "object", "additionalProperties": false, "required": ["image"],
                    "properties": {
                        "image": {"type": "string", "minLength": 1},
                        "replicas": {"type": "integer", "minimum": 0},
                        "ports": {"type": "object", "additionalProperties": false, "properties": {
                            "internal": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 65535}},
                            "external": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 65535}}}},
                        "expose": {"enum": ["LoadBalancer", "NodePort"]},
                        "env": {"type": "object", "additionalProperties": {"type": "string"}},
                        "volumes": {"type": "array", "items": {"oneOf": [
                            {"title": "a secret volume", "type": "object", "additionalProperties": false, "required": ["path", "secret"],
                             "properties": {"path": {"type": "string"}, "secret": {"type": "string"}}},
                            {"title": "a config volume", "type": "object", "additionalProperties": false, "required": ["path", "config"],
                             "properties": {"path": {"type": "string"}, "config": {"type": "string"}}}]}},
                    },
                    "x-outputs": {"type": "object", "additionalProperties": false, "properties": {
                        "host": {"type": "string"}, "externalIP": {"type": "string"}, "ready": {"type": "integer"},
                        "token": {"type": "string", "x-sensitive": true}}},
                }),
            ),
            of(
                "kubernetes",
                "StatefulSet",
                Role::Emits,
                json!({
                    "type": "object", "additionalProperties": false,
                    "properties": {"metadata": {"$ref": "#/$defs/metadata"}, "spec": {"type": "object"}},
                    "$defs": {"metadata": metadata},
                    "x-outputs": {"type": "object", "additionalProperties": false, "properties": {"host": {"type": "string"}}},
                }),
            ),
            of(
                "kubernetes",
                "ConfigMap",
                Role::Emits,
                json!({
                    "type": "object", "additionalProperties": false,
                    "properties": {"metadata": metadata, "data": {"type": "object", "additionalProperties": {"type": "string"}}},
                    "x-outputs": {"type": "object", "additionalProperties": false, "properties": {"name": {"type": "string"}}},
                }),
            ),
            of(
                "files",
                "File",
                Role::Provides,
                json!({
                    "type": "object", "additionalProperties": false, "required": ["path", "content"],
                    "properties": {"path": {"type": "string"}, "content": {"type": "string"}, "mode": {"type": ["integer", "string"]}},
                    "x-outputs": {"type": "object", "properties": {"path": {"type": "string"}}},
                }),
            ),
        ])
    }
}

impl TypeCatalog for Catalog {
    fn get(&self, name: &TypeName) -> Option<&TypeSchema> {
        self.0.iter().find(|t| t.name == *name)
    }

    fn all(&self) -> Vec<&TypeSchema> {
        self.0.iter().collect()
    }

    fn settings_schema(&self, _: &str) -> Option<&serde_json::Value> {
        None
    }
}

/// `code line:column-line:column "text" message`, then labels, detail and help.
pub(crate) fn render(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let mut out = String::new();
    for d in diagnostics {
        let severity = match d.severity {
            Severity::Error => "",
            Severity::Warning => " (warning)",
            Severity::Note => " (note)",
        };
        let address = d.address.as_ref().map(|a| format!(" [{a}]")).unwrap_or_default();
        writeln!(out, "{}{severity}{address}: {}", d.code, d.summary).unwrap();
        for label in &d.labels {
            let Some((name, text)) = sources.get(label.span.source) else {
                writeln!(out, "  at nowhere").unwrap();
                continue;
            };
            let before = &text[..label.span.start];
            let line = before.matches('\n').count() + 1;
            let column = before.len() - before.rfind('\n').map_or(0, |n| n + 1) + 1;
            let what = text[label.span.start..label.span.end].replace('\n', "\\n");
            let words = if label.text.is_empty() { String::new() } else { format!(" {}", label.text) };
            writeln!(out, "  at {name}:{line}:{column} <{what}>{words}").unwrap();
        }
        if let Some(detail) = &d.detail {
            writeln!(out, "  detail: {}", detail.replace('\n', "\n    ")).unwrap();
        }
        if let Some(help) = &d.help {
            writeln!(out, "  help: {help}").unwrap();
        }
    }
    out
}

/// Parses and resolves; everything that was found.
pub(crate) fn load(text: &str) -> (Option<Graph>, String) {
    let mut sources = Sources::default();
    let source = sources.add("blueprint.yaml", text);
    let parsed = parse(source, text);
    let mut all = parsed.diagnostics;
    let mut graph = None;
    if let Some(syntax) = parsed.syntax {
        let resolved = resolve(syntax, &Catalog::new());
        all.extend(resolved.diagnostics);
        graph = resolved.graph;
    }
    (graph, render(&all, &sources))
}

/// A graph that must be faultless.
pub(crate) fn graph(text: &str) -> Graph {
    let (graph, faults) = load(text);
    graph.unwrap_or_else(|| panic!("{faults}"))
}

pub(crate) fn inputs(graph: &Graph, given: &[(&str, &str)]) -> BTreeMap<String, Value> {
    let given: Vec<InputValue> = given
        .iter()
        .map(|(name, text)| InputValue {
            name: (*name).into(),
            value: RawInput::Text((*text).into()),
            from: InputSource::Flag,
        })
        .collect();
    bind_inputs(graph, &given).unwrap_or_else(|faults| panic!("{}", render(&faults, &Sources::default())))
}

/// An unknown of this id.
pub(crate) fn unknown(id: &str, kind: UnknownKind, secret: bool) -> Value {
    Value::Unknown(Unknown { id: id.into(), kind, secret })
}

/// A value for people: unknowns as `?text`, `?other`, `?secret...`, secrets in `<...>`.
pub(crate) fn show(value: &Value) -> String {
    match value {
        Value::Unknown(u) => {
            let kind = if u.kind == UnknownKind::Text { "text" } else { "other" };
            format!("?{}{kind}", if u.secret { "secret-" } else { "" })
        }
        Value::Secret(text) => format!("<{}>", text.expose()),
        Value::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", ")),
        Value::Map(entries) => {
            let parts: Vec<String> = entries.iter().map(|(k, v)| format!("{k}: {}", show(v))).collect();
            format!("{{{}}}", parts.join(", "))
        }
        Value::Float(f) => format!("{f:?}"),
        other => other.to_json().unwrap().to_string(),
    }
}

/// What expressions of the table tests can read.
pub(crate) struct World {
    graph: Graph,
    inputs: BTreeMap<String, Value>,
    resources: BTreeMap<String, Value>,
    stacks: BTreeMap<String, Value>,
}

struct OneFile;

impl Files for OneFile {
    fn read(&self, path: &str) -> Result<String, String> {
        if path == "hello.txt" { Ok("hello\n".into()) } else { Err("there is no such file".into()) }
    }
}

struct OnePassword;

impl Passwords for OnePassword {
    fn get(&self, name: &str, _: u32) -> Option<SecretText> {
        (name == "made").then(|| SecretText::new("s3cret-password".into()))
    }
}

impl World {
    /// Evaluates this expression, which stands alone in a template.
    pub(crate) fn new(expression: &str) -> Result<Self, String> {
        Self::of(&format!("${{{expression}}}"))
    }

    /// Evaluates this template text.
    pub(crate) fn of(template: &str) -> Result<Self, String> {
        let quoted = serde_json::Value::from(template);
        let text = format!(
            r#"
blueprint: t
inputs:
  n: {{type: integer}}
  t: {{type: string}}
  l: {{type: list}}
  m: {{type: map}}
  b: {{type: boolean}}
  s: {{type: string, secret: true}}
locals:
  two: ${{1 + 1}}
  nested: {{a: ["${{locals.two}}", "${{inputs.t}}"], s: "${{inputs.s}}"}}
  broken: ${{1 / 0}}
  host: ${{"http://" + resources.web.outputs.host}}
resources:
  web: {{type: kubernetes:App, properties: {{image: x}}}}
  off: {{type: kubernetes:App, when: false, properties: {{image: x}}}}
  many: {{type: kubernetes:App, count: 2, properties: {{image: x}}}}
outputs: {{x: {quoted}}}
"#
        );
        let (graph, faults) = load(&text);
        let graph = graph.ok_or(faults)?;
        let inputs = BTreeMap::from([
            ("n".to_owned(), Value::Int(7)),
            ("t".to_owned(), Value::Text("text".into())),
            ("l".to_owned(), Value::from_json(&json!([1, "two", [3]]))),
            ("m".to_owned(), Value::from_json(&json!({"a": 1, "b": "two"}))),
            ("b".to_owned(), Value::Bool(true)),
            ("s".to_owned(), Value::Secret(SecretText::new("hunter2".into()))),
        ]);
        let outputs = graph.schemas[&TypeName::new("kubernetes", "App")].outputs.clone();
        let of = |address: &str| {
            Value::Map(BTreeMap::from([("outputs".to_owned(), outputs.unknown_outputs(address))]))
        };
        let resources = BTreeMap::from([
            ("web".to_owned(), of("web")),
            ("many".to_owned(), Value::List(vec![of("many[0]"), of("many[1]")])),
        ]);
        let stacks =
            BTreeMap::from([("net".to_owned(), Value::from_json(&json!({"outputs": {"zone": "eu"}})))]);
        Ok(Self { graph, inputs, resources, stacks })
    }

    pub(crate) fn set(&mut self, input: &str, value: Value) {
        self.inputs.insert(input.into(), value);
    }

    pub(crate) fn value(&self) -> Result<Value, Vec<Diagnostic>> {
        self.evaluate(&self.graph.outputs["x"].value)
    }

    fn evaluate(&self, template: &Template) -> Result<Value, Vec<Diagnostic>> {
        let scope = Scope {
            inputs: &self.inputs,
            resources: &self.resources,
            stacks: &self.stacks,
            each: None,
            stack: "prod",
            module: "",
            files: &OneFile,
            passwords: &OnePassword,
        };
        self.graph.evaluate(template, &scope)
    }
}

/// The value of an expression, or `! code: what is wrong`.
pub(crate) fn eval(expression: &str) -> String {
    match World::new(expression) {
        Ok(world) => shown(world.value()),
        Err(faults) => format!("! {}", faults.lines().next().unwrap_or_default()),
    }
}

/// The same for a template text.
pub(crate) fn eval_template(text: &str) -> String {
    match World::of(text) {
        Ok(world) => shown(world.value()),
        Err(faults) => format!("! {}", faults.lines().next().unwrap_or_default()),
    }
}

fn shown(value: Result<Value, Vec<Diagnostic>>) -> String {
    match value {
        Ok(value) => show(&value),
        Err(faults) => format!("! {}: {}", faults[0].code, faults[0].summary),
    }
}
