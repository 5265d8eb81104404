//! Inputs: what was given, from where, against what the blueprint asks.

use std::collections::BTreeMap;

use sheave_model::{Diagnostic, SecretText, SourceId, Value};

use crate::codes;
use crate::graph::{Graph, InputKind, InputSpec};
use crate::nearest;
use crate::yaml::{self, Node, NodeKind};

/// One value given for an input.
#[derive(Clone, Debug)]
pub struct InputValue {
    /// The input's name.
    pub name: String,
    /// What was given.
    pub value: RawInput,
    /// From where.
    pub from: InputSource,
}

/// A value before its type is looked at.
#[derive(Clone)]
pub enum RawInput {
    /// A text of a flag or variable: read by the input's type.
    Text(String),
    /// A value of a file, or one saved.
    Value(Value),
}

/// Never shows what may be a secret.
impl std::fmt::Debug for RawInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "RawInput::Text(..)",
            Self::Value(_) => "RawInput::Value(..)",
        })
    }
}

/// Where a value came from; the later in this list, the stronger.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum InputSource {
    /// The blueprint's own default.
    Default,
    /// What the stack's last run was given.
    Saved,
    /// `SHEAVE_INPUT_name`.
    Env,
    /// `--inputs FILE`.
    File(String),
    /// `--input name=value`.
    Flag,
}

impl InputSource {
    fn words(&self, name: &str) -> String {
        match self {
            Self::Default => "its default".into(),
            Self::Saved => "the last run".into(),
            Self::Env => format!("SHEAVE_INPUT_{name}"),
            Self::File(file) => file.clone(),
            Self::Flag => "--input".into(),
        }
    }
}

/// The value of every input of the graph. A flag wins over a file, that over a variable, that over what was saved,
/// that over the default; of two alike the later wins. All faults at once.
pub fn bind_inputs(graph: &Graph, given: &[InputValue]) -> Result<BTreeMap<String, Value>, Vec<Diagnostic>> {
    let mut faults = Vec::new();
    let mut best: BTreeMap<&str, &InputValue> = BTreeMap::new();
    for value in given {
        if !graph.inputs.contains_key(&value.name) {
            // Variables and saved values may be there for other blueprints, or for an earlier one.
            if matches!(value.from, InputSource::Flag | InputSource::File(_)) {
                faults.push(stranger(graph, value));
            }
            continue;
        }
        match best.get(value.name.as_str()) {
            Some(known) if known.from > value.from => {}
            _ => _ = best.insert(&value.name, value),
        }
    }
    let mut out = BTreeMap::new();
    for (name, spec) in &graph.inputs {
        let bound = match best.get(name.as_str()) {
            Some(value) => bind(spec, value),
            None => match &spec.default {
                Some(value) => Ok(marked(spec, value.clone())),
                None => Err(Box::new(missing(spec))),
            },
        };
        match bound {
            Ok(value) => _ = out.insert(name.clone(), value),
            Err(fault) => faults.push(*fault),
        }
    }
    if faults.is_empty() { Ok(out) } else { Err(faults) }
}

/// The values in a file of inputs: YAML or JSON, one map.
pub fn read_inputs(source: SourceId, text: &str) -> Result<BTreeMap<String, Value>, Vec<Diagnostic>> {
    let (root, mut faults) = yaml::load(source, text);
    let mut out = BTreeMap::new();
    match root {
        Some(Node { kind: NodeKind::Map(entries), .. }) => {
            for entry in &entries {
                if let Some(value) = crate::syntax::read_value(&entry.value, &mut faults) {
                    out.insert(entry.key.clone(), value);
                }
            }
        }
        Some(node) if !node.is_null() => {
            let kind = crate::syntax::with_article(node.kind_name());
            let summary = format!("a file of inputs must be a map, found {kind}");
            faults.push(Diagnostic::error(codes::TYPE_MISMATCH, summary).at(node.span, ""));
        }
        _ => {}
    }
    if faults.iter().any(Diagnostic::is_error) { Err(faults) } else { Ok(out) }
}

fn stranger(graph: &Graph, value: &InputValue) -> Diagnostic {
    let from = value.from.words(&value.name);
    let fault =
        Diagnostic::error(codes::INPUT_UNKNOWN, format!("there is no input `{}` ({from})", value.name));
    let names = graph.inputs.keys().map(String::as_str);
    fault.with_help(
        nearest::help(&value.name, names).unwrap_or_else(|| "the blueprint has no such input".into()),
    )
}

fn missing(spec: &InputSpec) -> Diagnostic {
    let name = &spec.name;
    let fault =
        Diagnostic::error(codes::INPUT_MISSING, format!("the input `{name}` has no value and no default"));
    let help = if spec.secret {
        format!(
            "give it with `SHEAVE_INPUT_{name}` or in a file with `--inputs`: flags can be seen by others"
        )
    } else {
        format!("give it with `--input {name}=...`, in a file with `--inputs`, or with `SHEAVE_INPUT_{name}`")
    };
    let what = spec.description.as_ref().map(|d| format!("{name}: {d}"));
    let mut fault =
        fault.at(spec.span, format!("{} is asked for here", with_kind(spec.kind))).with_help(help);
    fault.detail = what;
    fault
}

fn with_kind(kind: InputKind) -> String {
    match kind {
        InputKind::Any => "any value".into(),
        other => crate::syntax::with_article(other.word()),
    }
}

fn bind(spec: &InputSpec, given: &InputValue) -> Result<Value, Box<Diagnostic>> {
    let invalid = |says: String| {
        let from = given.from.words(&spec.name);
        let summary = format!("the input `{}` ({from}) {says}", spec.name);
        Box::new(Diagnostic::error(codes::INPUT_INVALID, summary).at(spec.span, "declared here"))
    };
    let value = match &given.value {
        RawInput::Text(text) => read(spec, text).map_err(invalid)?,
        RawInput::Value(value) => value.clone(),
    };
    // A secret's rules are checked on its text, and its text stays out of what is said.
    let value = marked(spec, value);
    if let Some(broken) = spec.schema.violations(&value).into_iter().next() {
        let place =
            if broken.pointer.is_empty() { String::new() } else { format!("at `{}` ", broken.pointer) };
        let mut fault = *invalid(format!("{place}{}", broken.says));
        fault.help = broken.help;
        return Err(Box::new(fault));
    }
    Ok(value)
}

/// A flag's or variable's text by the input's type.
fn read(spec: &InputSpec, text: &str) -> Result<Value, String> {
    let kind = crate::syntax::with_article(spec.kind.word());
    let found =
        if spec.secret || text.chars().count() > 60 { String::new() } else { format!(", found `{text}`") };
    let wrong = || format!("must be {kind}{found}");
    match spec.kind {
        InputKind::String => Ok(Value::Text(text.to_owned())),
        InputKind::Integer => text.trim().parse().map(Value::Int).map_err(|_| wrong()),
        InputKind::Number => {
            let number = text.trim();
            match (number.parse::<i64>(), number.parse::<f64>()) {
                (Ok(n), _) => Ok(Value::Int(n)),
                (_, Ok(f)) if f.is_finite() => Ok(Value::Float(f)),
                _ => Err(wrong()),
            }
        }
        InputKind::Boolean => match text.trim() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(format!("must be `true` or `false`{found}")),
        },
        InputKind::List | InputKind::Map | InputKind::Any => {
            let (root, mut faults) = yaml::load(SourceId(u32::MAX), text);
            let value = match &root {
                Some(node) => crate::syntax::read_value(node, &mut faults),
                None => Some(Value::Null),
            };
            match (value, faults.iter().find(|f| f.is_error())) {
                (Some(value), None) => Ok(value),
                (_, Some(fault)) => {
                    Err(format!("must be YAML or JSON: {}", fault.detail.as_ref().unwrap_or(&fault.summary)))
                }
                (None, None) => Err(wrong()),
            }
        }
    }
}

fn marked(spec: &InputSpec, value: Value) -> Value {
    match value {
        Value::Text(text) if spec.secret => Value::Secret(SecretText::new(text)),
        other => other,
    }
}
