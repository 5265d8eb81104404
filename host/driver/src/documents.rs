//! Between values and the documents of the plugin interface: tokens on the way in, values again on the way out.

use sheave_model::plugin::{InstanceInfo, Snapshot};
use sheave_model::{Address, Diagnostic, TypeName, Unknown, UnknownKind, Value, pointer};
use sheave_plugin_host::wire;
use sheave_secrets::{Family, MarkKind, Mask, Minted, TokenTable};

use crate::context::Context;

/// A document for a plugin, and the tokens in it.
pub(crate) struct Sent {
    pub(crate) doc: wire::Doc,
    pub(crate) tokens: TokenTable,
}

impl Context {
    /// Puts tokens in for marked leaves. Unknown leaves that are no text become null, marked.
    pub(crate) fn send(&self, plugin: &str, value: &Value, family: Family) -> Result<Sent, Diagnostic> {
        let mut blanks = Vec::new();
        let value = without_blanks(value, &mut String::new(), &mut blanks);
        let Minted { json, marks, tokens } =
            sheave_secrets::mint(&self.key, plugin, &value, family).map_err(|e| e.diagnostic())?;
        let mut marks: Vec<wire::Mark> = marks
            .into_iter()
            .map(|(pointer, kind)| wire::Mark {
                pointer,
                kind: match kind {
                    MarkKind::Unknown => wire::MarkKind::Unknown,
                    MarkKind::Secret => wire::MarkKind::Secret,
                },
            })
            .collect();
        marks.extend(blanks.into_iter().map(|pointer| wire::Mark { pointer, kind: wire::MarkKind::Unknown }));
        Ok(Sent { doc: wire::Doc { json: json.to_string(), marks }, tokens })
    }

    /// What a call is about. Its settings hold tokens as properties do: what they stand for goes into `tokens`.
    pub(crate) fn instance(
        &self,
        info: &InstanceInfo,
        family: Family,
        tokens: &mut TokenTable,
    ) -> Result<wire::Instance, Diagnostic> {
        let settings = self.send(&info.type_name.plugin, &info.settings, family)?;
        tokens.merge(settings.tokens);
        Ok(wire::Instance {
            type_name: info.type_name.name.clone(),
            name: info.address.to_string(),
            stack: info.stack.clone(),
            schema_version: info.schema_version,
            settings: settings.doc,
        })
    }

    /// The same, from an address and a type of this run.
    pub(crate) fn instance_of(
        &self,
        address: &Address,
        type_name: &TypeName,
        family: Family,
        tokens: &mut TokenTable,
    ) -> Result<wire::Instance, Diagnostic> {
        let info = InstanceInfo {
            type_name: type_name.clone(),
            address: self
                .state
                .resources
                .get(address)
                .and_then(|r| r.named.clone())
                .unwrap_or_else(|| address.clone()),
            stack: self.stack.clone(),
            schema_version: self.types.get(type_name).map_or(0, |t| t.info.version),
            settings: self.settings_of(&type_name.plugin).unwrap_or_else(Value::empty),
        };
        self.instance(&info, family, tokens)
    }

    /// What a plugin is asked about a resource with: the instance and the properties, and the tokens of both.
    pub(crate) fn question(
        &self,
        address: &Address,
        type_name: &TypeName,
        properties: &Value,
        family: Family,
    ) -> Result<(wire::Instance, Sent), Diagnostic> {
        let mut tokens = TokenTable::default();
        let instance = self.instance_of(address, type_name, family, &mut tokens)?;
        let sent = self.send(&type_name.plugin, properties, family)?;
        tokens.merge(sent.tokens);
        Ok((instance, Sent { doc: sent.doc, tokens }))
    }

    /// A snapshot for its plugin.
    pub(crate) fn send_snapshot(
        &self,
        plugin: &str,
        snapshot: &Snapshot,
        tokens: &mut TokenTable,
    ) -> Result<wire::Snapshot, Diagnostic> {
        let state = self.send(plugin, &snapshot.state, Family::First)?;
        let outputs = self.send(plugin, &snapshot.outputs, Family::First)?;
        tokens.merge(state.tokens);
        tokens.merge(outputs.tokens);
        Ok(wire::Snapshot {
            id: snapshot.id.clone(),
            state: state.doc,
            outputs: outputs.doc,
            private_data: snapshot.private.clone(),
        })
    }
}

/// A plugin's document as a value: tokens restored, marked leaves unknown.
pub(crate) fn receive(doc: &wire::Doc, tokens: &TokenTable, address: &Address) -> Result<Value, Diagnostic> {
    let json: serde_json::Value = serde_json::from_str(&doc.json).map_err(|e| {
        Diagnostic::error("plugin.bad-reply", format!("the plugin gave a document that is no JSON: {e}"))
    })?;
    let mut value = sheave_secrets::restore(tokens, &json).map_err(|e| e.diagnostic())?;
    for mark in &doc.marks {
        if let Some(leaf) = at_mut(&mut value, &mark.pointer) {
            mark_leaf(leaf, mark, address);
        }
    }
    Ok(value)
}

fn mark_leaf(leaf: &mut Value, mark: &wire::Mark, address: &Address) {
    match (mark.kind, &mut *leaf) {
        (_, Value::Unknown(_) | Value::Secret(_)) => {}
        (wire::MarkKind::Unknown, other) => {
            let kind = if matches!(other, Value::Text(_)) { UnknownKind::Text } else { UnknownKind::Other };
            let id = format!("{address}#{}", mark.pointer);
            *other = Value::Unknown(Unknown { id, kind, secret: false });
        }
        (wire::MarkKind::Secret, Value::Text(text)) => {
            let text = std::mem::take(text);
            *leaf = Value::Secret(sheave_model::SecretText::new(text));
        }
        (wire::MarkKind::Secret, _) => {}
    }
}

/// Marks every text that holds one of these secrets: a plugin that was shown one may have written it out.
pub(crate) fn hide(value: &mut Value, secrets: &Mask) {
    match value {
        Value::Text(text) if secrets.text(text) != *text => {
            *value = Value::Secret(sheave_model::SecretText::new(std::mem::take(text)));
        }
        Value::List(items) => items.iter_mut().for_each(|item| hide(item, secrets)),
        Value::Map(fields) => fields.values_mut().for_each(|field| hide(field, secrets)),
        _ => {}
    }
}

/// The leaf or branch at a pointer.
pub(crate) fn at_mut<'a>(value: &'a mut Value, at: &str) -> Option<&'a mut Value> {
    pointer::parts(at)?.iter().try_fold(value, |v, part| match v {
        Value::Map(m) => m.get_mut(part),
        Value::List(l) => l.get_mut(part.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Replaces unknown leaves that cannot travel as a token by null, and lists where they stood.
fn without_blanks(value: &Value, at: &mut String, blanks: &mut Vec<String>) -> Value {
    let length = at.len();
    match value {
        Value::Unknown(u) if u.kind != UnknownKind::Text => {
            blanks.push(at.clone());
            Value::Null
        }
        Value::List(items) => {
            let items = items.iter().enumerate().map(|(i, item)| {
                pointer::push(at, &i.to_string());
                let item = without_blanks(item, at, blanks);
                at.truncate(length);
                item
            });
            Value::List(items.collect())
        }
        Value::Map(fields) => {
            let fields = fields.iter().map(|(key, item)| {
                pointer::push(at, key);
                let item = without_blanks(item, at, blanks);
                at.truncate(length);
                (key.clone(), item)
            });
            Value::Map(fields.collect())
        }
        other => other.clone(),
    }
}
