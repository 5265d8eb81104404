//! JSON and YAML, to text and back.

use std::borrow::Cow;
use std::convert::Infallible;

use sheave_model::{SourceId, UnknownKind, Value};

use super::Answer;
use super::functions::{Args, Texts};
use super::session::cost;
use super::walk::{Walk, fault};
use crate::cel::functions::Function;
use crate::codes;
use crate::yaml;

impl<'s> Walk<'s> {
    /// One text of a whole value: secret where any leaf is, unknown where any leaf is.
    pub(super) fn encode(&self, function: Function, args: &Args<'_, 's>) -> Answer<Cow<'s, Value>> {
        let value = args.value(0);
        // Quoting and indenting make text longer than the value is.
        self.spend(4 * cost(value), args.at)?;
        if value.has_unknown() {
            return self.call_unknown(args, UnknownKind::Text);
        }
        let mut leaf = |leaf: &Value| -> Result<serde_json::Value, Infallible> {
            Ok(serde_json::Value::from(super::arithmetic::exposed(leaf)))
        };
        let json = match value.to_json_with(&mut leaf) {
            Ok(json) => json,
            Err(never) => match never {},
        };
        let text = if function == Function::JsonEncode { json.to_string() } else { yaml::emit::emit(&json) };
        self.made(text, value.has_secret(), args.at)
    }

    pub(super) fn decode(&self, function: Function, args: &Args<'_, 's>) -> Answer<Cow<'s, Value>> {
        let texts = args.texts(1)?;
        args.no_secret()?;
        let Texts::Known(texts, _) = texts else { return self.call_unknown(args, UnknownKind::Other) };
        let text = texts[0];
        // Reading takes far longer than copying.
        self.text_size(text.len(), args.at)?;
        self.spend(text.len() as u64 / 4, args.at)?;
        let value = if function == Function::JsonDecode {
            let json: serde_json::Value =
                serde_json::from_str(text).map_err(|e| args.bad(0, format!("the text is not JSON: {e}")))?;
            Value::from_json(&json)
        } else {
            let (root, mut faults) = yaml::load(SourceId(u32::MAX), text);
            let value = match &root {
                Some(node) => crate::syntax::read_value(node, &mut faults),
                None => Some(Value::Null),
            };
            match (value, faults.into_iter().find(sheave_model::Diagnostic::is_error)) {
                (Some(value), None) => value,
                (_, found) => {
                    let why = found.map(|d| d.detail.unwrap_or(d.summary)).unwrap_or_default();
                    return Err(fault(
                        codes::BAD_EXPRESSION,
                        format!("the text is not YAML: {why}"),
                        args.place(0),
                    ));
                }
            }
        };
        self.spend(cost(&value), args.at)?;
        Ok(Cow::Owned(value))
    }
}
