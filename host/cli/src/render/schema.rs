//! A type's schema for people: what can be written, and what it gives.

use std::fmt::{self, Write};

use serde_json::Value as Json;
use sheave_model::{Role, TypeSchema};

use super::{document, outside, table};
use crate::look::Paint;

/// Levels of properties that are listed: whole Kubernetes kinds go deeper than anybody reads; `--json` gives all.
const MAX_LEVELS: usize = 3;

/// The types, one a line.
pub(crate) fn types(types: &[TypeSchema]) -> String {
    let rows: Vec<_> = types
        .iter()
        .map(|t| vec![t.name.to_string(), role(t.role).to_owned(), outside::line(&t.summary).into_owned()])
        .collect();
    table::table(&["TYPE", "ROLE", "SUMMARY"], &rows)
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Emits => "emits",
        Role::Provides => "provides",
    }
}

/// One type's properties and outputs.
pub(crate) fn text(of: &TypeSchema, paint: Paint) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = one(&mut out, of, paint);
    out
}

fn one(out: &mut String, of: &TypeSchema, paint: Paint) -> fmt::Result {
    writeln!(out, "{}  {}", paint.bold(&of.name), outside::line(&of.summary))?;
    let root = Place { root: &of.schema, node: &of.schema };
    writeln!(out, "\nProperties:")?;
    fields(out, root, 1, true, paint)?;
    let outputs = Place { root: of.outputs(), node: of.outputs() };
    if outputs.properties().is_some() {
        writeln!(out, "\nOutputs:")?;
        fields(out, outputs, 1, false, paint)?;
    }
    Ok(())
}

/// A schema, and the document that its references point into.
#[derive(Clone, Copy)]
struct Place<'a> {
    root: &'a Json,
    node: &'a Json,
}

impl<'a> Place<'a> {
    /// Follows one `#/...` reference; another one behind it is shown as it is, so that a circle ends.
    fn at(self, node: &'a Json) -> Self {
        let target = node.get("$ref").and_then(Json::as_str).and_then(|r| r.strip_prefix('#'));
        let node = target.and_then(|t| self.root.pointer(t)).unwrap_or(node);
        Self { node, ..self }
    }

    fn properties(self) -> Option<&'a serde_json::Map<String, Json>> {
        self.node.get("properties").and_then(Json::as_object).filter(|p| !p.is_empty())
    }

    /// What holds the fields of a list's items or a map's values.
    fn inner(self) -> Self {
        let of = |key: &str| self.node.get(key).filter(|n| n.is_object());
        match of("items").or_else(|| of("additionalProperties")) {
            Some(node) if self.properties().is_none() => self.at(node),
            _ => self,
        }
    }

    fn is_required(self, name: &str) -> bool {
        let required = self.node.get("required").and_then(Json::as_array);
        required.is_some_and(|names| names.iter().any(|n| n == name))
    }

    /// `string`, `list of integer`, `a | b`.
    fn kind(self) -> String {
        if let Some(values) = self.node.get("enum").and_then(Json::as_array) {
            return values.iter().map(|v| document::flow(v, Paint(false))).collect::<Vec<_>>().join(" | ");
        }
        let kind = match self.node.get("type") {
            Some(Json::String(one)) => outside::line(one).into_owned(),
            Some(Json::Array(many)) => {
                let words = many.iter().filter_map(Json::as_str).filter(|k| *k != "null").map(outside::line);
                words.collect::<Vec<_>>().join(" or ")
            }
            _ => "any".to_owned(),
        };
        let inner = self.inner();
        match kind.as_str() {
            "array" if !std::ptr::eq(inner.node, self.node) => format!("list of {}", inner.flat_kind()),
            "array" => "list".to_owned(),
            "object" if !std::ptr::eq(inner.node, self.node) => format!("map of {}", inner.flat_kind()),
            "object" => "map".to_owned(),
            _ => kind,
        }
    }

    /// The kind without what it holds.
    fn flat_kind(self) -> String {
        match self.node.get("type").and_then(Json::as_str) {
            Some("object") => "maps".to_owned(),
            Some("array") => "lists".to_owned(),
            Some(other) => outside::line(other).into_owned(),
            None => "any".to_owned(),
        }
    }
}

/// What is required matters to who writes, not to who reads.
fn fields(
    out: &mut String,
    place: Place<'_>,
    level: usize,
    of_properties: bool,
    paint: Paint,
) -> fmt::Result {
    let indent = level * 2;
    let Some(properties) = place.properties() else {
        return writeln!(out, "{:indent$}{}", "", paint.dim("(none listed)"));
    };
    for (name, node) in properties {
        let inside = place.at(node);
        let mut words = vec![inside.kind()];
        if of_properties && place.is_required(name) {
            words.push("required".to_owned());
        }
        for (key, word) in
            [("x-immutable", "immutable"), ("x-sensitive", "sensitive"), ("x-identity", "identity")]
        {
            if inside.node.get(key).or_else(|| node.get(key)) == Some(&Json::Bool(true)) {
                words.push(word.to_owned());
            }
        }
        if let Some(default) = node.get("default").or_else(|| inside.node.get("default")) {
            words.push(format!("default {}", document::flow(default, Paint(false))));
        }
        let name = document::scalar(name);
        write!(out, "{:indent$}{}  {}", "", paint.bold(name), paint.cyan(words.join(", ")))?;
        let said = node.get("description").or_else(|| inside.node.get("description")).and_then(Json::as_str);
        match said.and_then(|s| s.lines().next()).map(outside::line) {
            Some(said) => writeln!(out, "  {said}")?,
            None => writeln!(out)?,
        }
        let deeper = inside.inner();
        if deeper.properties().is_some() {
            if level < MAX_LEVELS {
                fields(out, deeper, level + 1, of_properties, paint)?;
            } else {
                writeln!(out, "{:width$}{}", "", paint.dim("... (--json gives all)"), width = indent + 2)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sheave_model::TypeName;

    use super::*;

    #[test]
    fn a_type_for_people() {
        let schema = json!({
            "type": "object", "required": ["image"],
            "properties": {
                "image": {"type": "string", "description": "What to run.\nMore words."},
                "replicas": {"type": ["integer", "null"], "default": 1},
                "pull": {"enum": ["Always", "Never"], "x-immutable": true},
                "ports": {"$ref": "#/$defs/Ports"},
                "env": {"type": "object", "additionalProperties": {"type": "string"}},
                "mounts": {"type": "array", "items": {"type": "object", "required": ["path"],
                    "properties": {"path": {"type": "string"}, "self": {"$ref": "#/$defs/Circle"}}}},
                "hostile\u{1b}": {"type": "x\u{1b}", "description": "\u{1b}[2J", "default": "\u{7}"},
            },
            "$defs": {
                "Ports": {"type": "object", "description": "Where it listens.",
                    "properties": {"external": {"type": "array", "items": {"type": "integer"}, "default": []}}},
                "Circle": {"type": "object", "properties": {"again": {"$ref": "#/$defs/Circle"}}},
            },
            "x-outputs": {"type": "object", "required": ["password"], "properties": {"password": {"type": "string", "x-sensitive": true}}},
        });
        let of = TypeSchema {
            name: TypeName::new("kubernetes", "App"),
            role: Role::Emits,
            version: 1,
            summary: "A web application".into(),
            schema,
        };
        let text = text(&of, Paint(false));
        assert!(!text.replace('\n', "").contains(outside::acts), "{text}");
        insta::assert_snapshot!(format!("{}\n{text}", types(&[of])));
    }
}
