//! A type's schema for people: what can be written, and what it gives.

use std::collections::BTreeSet;
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
            let said = values.iter().filter(|v| !v.is_null()).map(|v| document::flow(v, Paint(false)));
            return said.collect::<Vec<_>>().join(" | ");
        }
        let kind = self.types().join(" or ");
        let inner = self.inner();
        match kind.as_str() {
            "array" if !std::ptr::eq(inner.node, self.node) => format!("list of {}", inner.flat_kind()),
            "array" => "list".to_owned(),
            "object" if !std::ptr::eq(inner.node, self.node) => format!("map of {}", inner.flat_kind()),
            "object" => "map".to_owned(),
            "" => "any".to_owned(),
            _ => kind,
        }
    }

    /// What it may be but null, in the words of JSON Schema; nothing where it may be anything. Where one of several schemas
    /// holds, what each of them says.
    fn types(self) -> Vec<String> {
        let several = ["anyOf", "oneOf"].iter().find_map(|key| self.node.get(key)?.as_array());
        let alternatives = several.into_iter().flatten().flat_map(|node| self.at(node).own_types());
        let mut known = BTreeSet::from(["null"]);
        let words = self.own_types().chain(alternatives).filter(|word| known.insert(word));
        words.map(|word| outside::line(word).into_owned()).collect()
    }

    /// What stands under `type`.
    fn own_types(self) -> impl Iterator<Item = &'a str> {
        let (one, many) = match self.node.get("type") {
            Some(Json::Array(many)) => (None, many.as_slice()),
            one => (one, &[][..]),
        };
        one.into_iter().chain(many).filter_map(Json::as_str)
    }

    /// The kind without what it holds.
    fn flat_kind(self) -> String {
        let several = |word: String| match word.as_str() {
            "object" => "maps".to_owned(),
            "array" => "lists".to_owned(),
            _ => word,
        };
        let words: Vec<_> = self.types().into_iter().map(several).collect();
        if words.is_empty() { "any".to_owned() } else { words.join(" or ") }
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
        // Its lines are as long as they were in a source; here each property has one.
        let said = said.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
        match said.filter(|text| !text.is_empty()) {
            Some(said) => writeln!(out, "  {}", outside::line(&said))?,
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
                "pull": {"enum": ["Always", "Never", null], "x-immutable": true},
                "ports": {"$ref": "#/$defs/Ports"},
                "env": {"type": "object", "additionalProperties": {"type": "string"}},
                "args": {"type": ["array", "null"], "items": {"type": ["string", "number", "null"]}},
                "any": {"type": "array", "items": {}},
                "of": {"type": "object", "additionalProperties": {"anyOf": [
                    {"type": "string"}, {"$ref": "#/$defs/Circle"}, {"type": "null"}, {"type": "string"}]}},
                "one": {"oneOf": [{"type": "boolean"}, {"enum": [1]}], "description": "A\n\n  b."},
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
