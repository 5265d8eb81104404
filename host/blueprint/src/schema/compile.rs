//! From a schema's JSON to rules. Each part is compiled once, however many `$ref` lead to it.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use sheave_model::{limits::MAX_DEPTH, pointer};

use super::SchemaError;
use super::rules::{Additional, OnUnknown, Rules, Types};
use crate::limits::{MAX_SCHEMA_NODES, MAX_SCHEMA_PATTERN_PROGRAM};

pub(super) fn compile(root: &Json, at: &str) -> Result<(Vec<Rules>, usize), SchemaError> {
    let mut compiler = Compiler { root, known: BTreeMap::new(), nodes: Vec::new(), depth: 0 };
    let start = compiler.at(at)?;
    Ok((compiler.nodes, start))
}

struct Compiler<'a> {
    root: &'a Json,
    /// Pointers that have been begun: a schema may lead to itself.
    known: BTreeMap<String, usize>,
    nodes: Vec<Rules>,
    depth: usize,
}

fn error(at: &str, why: impl Into<String>) -> SchemaError {
    SchemaError { pointer: at.to_owned(), why: why.into() }
}

impl Compiler<'_> {
    fn at(&mut self, at: &str) -> Result<usize, SchemaError> {
        if let Some(known) = self.known.get(at) {
            return Ok(*known);
        }
        let root = self.root;
        let schema = root.pointer(at).ok_or_else(|| error(at, "there is nothing"))?;
        if self.nodes.len() >= MAX_SCHEMA_NODES || self.depth >= MAX_DEPTH {
            return Err(error(at, "it is larger or deeper than a schema may be"));
        }
        let id = self.nodes.len();
        self.nodes.push(Rules::default());
        self.known.insert(at.to_owned(), id);
        self.depth += 1;
        let rules = self.rules(schema, at)?;
        self.depth -= 1;
        self.nodes[id] = rules;
        Ok(id)
    }

    fn rules(&mut self, schema: &Json, at: &str) -> Result<Rules, SchemaError> {
        let keywords = match schema {
            Json::Bool(accept) => return Ok(Rules { never: !accept, ..Rules::default() }),
            Json::Object(keywords) => keywords,
            _ => return Err(error(at, "a schema is a map, `true` or `false`")),
        };
        let mut rules = Rules::default();
        for (key, value) in keywords {
            self.keyword(&mut rules, key, value, at)?;
        }
        if rules.sensitive
            && rules
                .types
                .is_some_and(|t| t.and(Types::STRING.with(Types::MAP).with(Types::LIST)) == Types::default())
        {
            return Err(error(at, "`x-sensitive` stands on what is no string"));
        }
        Ok(rules)
    }

    fn keyword(&mut self, rules: &mut Rules, key: &str, value: &Json, at: &str) -> Result<(), SchemaError> {
        let here = pointer::join(at, key);
        match key {
            "$ref" => {
                let target = text(value, &here)?;
                let target =
                    target.strip_prefix('#').ok_or_else(|| error(&here, "only `#...` can be referred to"))?;
                rules.reference = Some(self.at(&unescape(target, &here)?)?);
            }
            "type" => {
                let words: Vec<&Json> =
                    value.as_array().map_or_else(|| vec![value], |all| all.iter().collect());
                let mut types = Types::default();
                for word in words {
                    let known = word.as_str().and_then(Types::named);
                    types =
                        types.with(known.ok_or_else(|| error(&here, format!("there is no type {word}")))?);
                }
                rules.types = Some(types);
            }
            "enum" => rules.allowed = Some(list(value, &here)?.clone()),
            "const" => rules.allowed = Some(vec![value.clone()]),
            "properties" => rules.map().properties = self.children(value, &here)?.into_iter().collect(),
            "patternProperties" => {
                for (pattern, child) in self.children(value, &here)? {
                    let regex = regex(&pattern, &here)?;
                    rules.map().patterns.push((regex, child));
                }
            }
            "additionalProperties" => {
                rules.map().additional = match value {
                    Json::Bool(true) => Additional::Any,
                    Json::Bool(false) => Additional::Never,
                    _ => Additional::Like(self.at(&here)?),
                };
            }
            "propertyNames" => rules.map().names = Some(self.at(&here)?),
            "required" => rules.map().required = texts(value, &here)?,
            "minProperties" => rules.map().least = Some(size(value, &here)?),
            "maxProperties" => rules.map().most = Some(size(value, &here)?),
            "dependentRequired" => {
                let all = value.as_object().ok_or_else(|| error(&here, "a map was expected"))?;
                for (name, needs) in all {
                    rules.map().dependent.push((name.clone(), texts(needs, &here)?));
                }
            }
            "dependentSchemas" => rules.map().dependent_schemas = self.children(value, &here)?,
            "items" => rules.list().items = Some(self.at(&here)?),
            "prefixItems" => rules.list().first = self.all(value, &here)?,
            "minItems" => rules.list().least = Some(size(value, &here)?),
            "maxItems" => rules.list().most = Some(size(value, &here)?),
            "uniqueItems" => rules.list().unique = value.as_bool().unwrap_or(false),
            "contains" => rules.list().contains = Some(self.at(&here)?),
            "minContains" => rules.list().contains_least = size(value, &here)?,
            "maxContains" => rules.list().contains_most = Some(size(value, &here)?),
            "minimum" => rules.number().least = Some(number(value, &here)?),
            "maximum" => rules.number().most = Some(number(value, &here)?),
            "exclusiveMinimum" => rules.number().above = Some(number(value, &here)?),
            "exclusiveMaximum" => rules.number().below = Some(number(value, &here)?),
            "multipleOf" => {
                let by = value.as_f64().filter(|n| *n > 0.0 && n.is_finite());
                rules.number().multiple =
                    Some(by.ok_or_else(|| error(&here, "a number above zero was expected"))?);
            }
            "minLength" => rules.text().least = Some(size(value, &here)?),
            "maxLength" => rules.text().most = Some(size(value, &here)?),
            "pattern" => rules.text().pattern = Some(regex(text(value, &here)?, &here)?),
            "format" => rules.text().format = Some(text(value, &here)?.to_owned()),
            "allOf" => rules.combine().all = self.all(value, &here)?,
            "anyOf" => rules.combine().any = self.all(value, &here)?,
            "oneOf" => rules.combine().one = self.all(value, &here)?,
            "not" => rules.combine().not = Some(self.at(&here)?),
            "if" => rules.combine().condition = Some(self.at(&here)?),
            "then" => rules.combine().then = Some(self.at(&here)?),
            "else" => rules.combine().otherwise = Some(self.at(&here)?),
            "title" => rules.title = value.as_str().map(str::to_owned),
            "x-unknown" => {
                rules.on_unknown = Some(match value.as_str() {
                    Some("token") => OnUnknown::Token,
                    Some("defer") => OnUnknown::Defer,
                    _ => return Err(error(&here, "`token` or `defer` was expected")),
                });
            }
            "x-sensitive" => rules.sensitive = value.as_bool() == Some(true),
            "x-identity" | "x-files" => rules.early |= *value != Json::Bool(false),
            // Annotations, and keywords that describe no data here.
            _ => {}
        }
        Ok(())
    }

    fn children(&mut self, value: &Json, at: &str) -> Result<Vec<(String, usize)>, SchemaError> {
        let all = value.as_object().ok_or_else(|| error(at, "a map of schemas was expected"))?;
        all.keys().map(|key| Ok((key.clone(), self.at(&pointer::join(at, key))?))).collect()
    }

    fn all(&mut self, value: &Json, at: &str) -> Result<Vec<usize>, SchemaError> {
        let count = list(value, at)?.len();
        (0..count).map(|n| self.at(&format!("{at}/{n}"))).collect()
    }
}

fn text<'a>(value: &'a Json, at: &str) -> Result<&'a str, SchemaError> {
    value.as_str().ok_or_else(|| error(at, "a text was expected"))
}

fn texts(value: &Json, at: &str) -> Result<Vec<String>, SchemaError> {
    list(value, at)?.iter().map(|v| text(v, at).map(str::to_owned)).collect()
}

fn list<'a>(value: &'a Json, at: &str) -> Result<&'a Vec<Json>, SchemaError> {
    value.as_array().ok_or_else(|| error(at, "a list was expected"))
}

fn size(value: &Json, at: &str) -> Result<usize, SchemaError> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "JSON Schema allows 2.0 for 2"
    )]
    let whole = || value.as_f64().filter(|f| *f >= 0.0 && f.fract() == 0.0).map(|f| f as u64);
    let number =
        value.as_u64().or_else(whole).ok_or_else(|| error(at, "a whole number from zero was expected"))?;
    Ok(usize::try_from(number).unwrap_or(usize::MAX))
}

fn number(value: &Json, at: &str) -> Result<Json, SchemaError> {
    if value.is_number() { Ok(value.clone()) } else { Err(error(at, "a number was expected")) }
}

fn regex(pattern: &str, at: &str) -> Result<regex::Regex, SchemaError> {
    regex::RegexBuilder::new(pattern)
        .size_limit(MAX_SCHEMA_PATTERN_PROGRAM)
        .dfa_size_limit(MAX_SCHEMA_PATTERN_PROGRAM)
        .build()
        .map_err(|_| error(at, format!("`{pattern}` is no regular expression (RE2), or too large")))
}

/// A `$ref` is a URI: `%24defs` means `$defs`.
fn unescape(text: &str, at: &str) -> Result<String, SchemaError> {
    let mut out = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut n = 0;
    while n < bytes.len() {
        if bytes[n] == b'%' {
            let hex = text.get(n + 1..n + 3).and_then(|h| u8::from_str_radix(h, 16).ok());
            out.push(hex.ok_or_else(|| error(at, "`%` is not followed by two digits"))?);
            n += 3;
        } else {
            out.push(bytes[n]);
            n += 1;
        }
    }
    String::from_utf8(out).map_err(|_| error(at, "it is not UTF-8"))
}
