//! A stack's outputs for people and for scripts. A secret is shown only where it is asked for by its name.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use sheave_model::{Masked, Value};

use super::{document, outside};
use crate::look::Paint;

/// All outputs as YAML, secrets as `(sensitive)`.
pub(crate) fn text(outputs: &BTreeMap<String, Value>, indent: usize, paint: Paint) -> String {
    if outputs.is_empty() {
        return String::new();
    }
    let named: serde_json::Map<_, _> = outputs
        .iter()
        .map(|(name, value)| {
            (name.clone(), std::sync::Arc::unwrap_or_clone(Masked::of(value, &|_| String::new()).0))
        })
        .collect();
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = document::yaml(&mut out, &Json::from(named), indent, paint);
    out
}

/// All outputs as `{name: {"value": ..., "sensitive": bool}}`; null stands for a secret and for what is not known.
pub(crate) fn json(outputs: &BTreeMap<String, Value>) -> Json {
    let one = |value: &Value| json!({"value": shown(value, false), "sensitive": value.has_secret()});
    outputs.iter().map(|(name, value)| (name.clone(), one(value))).collect::<serde_json::Map<_, _>>().into()
}

/// One output's value, secrets in clear where `reveal` says so and null otherwise.
pub(crate) fn shown(value: &Value, reveal: bool) -> Json {
    let mut leaf = |leaf: &Value| -> Result<Json, std::convert::Infallible> {
        Ok(match leaf {
            Value::Secret(secret) if reveal => Json::from(secret.expose()),
            _ => Json::Null,
        })
    };
    match value.to_json_with(&mut leaf) {
        Ok(json) => json,
        Err(never) => match never {},
    }
}

/// One output as a script wants it: a text as it is, anything else as JSON. On a terminal a text is made harmless first.
pub(crate) fn raw(value: &Json, terminal: bool) -> String {
    match value {
        Json::String(text) if terminal => outside::block(text).into_owned(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use sheave_model::{SecretText, Unknown, UnknownKind};

    use super::*;

    fn outputs() -> BTreeMap<String, Value> {
        let secret = || Value::Secret(SecretText::new("hunter2".into()));
        let unknown =
            Value::Unknown(Unknown { id: "web#/ip".into(), kind: UnknownKind::Text, secret: false });
        let map = Value::Map(
            [("user".to_owned(), Value::Text("root".into())), ("pass".to_owned(), secret())].into(),
        );
        [("url", Value::Text("http://blog".into())), ("login", map), ("password", secret()), ("ip", unknown)]
            .map(|(k, v)| (k.to_owned(), v))
            .into()
    }

    #[test]
    fn secrets_stay_hidden() {
        let (text, json) = (text(&outputs(), 0, Paint(false)), json(&outputs()).to_string());
        assert!(!text.contains("hunter2") && !json.contains("hunter2"));
        insta::assert_snapshot!(format!("{text}\n{json}\n"));
    }

    #[test]
    fn one_asked_for_by_name_is_shown() {
        assert_eq!(raw(&shown(&outputs()["password"], true), false), "hunter2");
        assert_eq!(raw(&shown(&outputs()["login"], true), false), r#"{"pass":"hunter2","user":"root"}"#);
        assert_eq!(raw(&shown(&outputs()["login"], false), false), r#"{"pass":null,"user":"root"}"#);
        assert_eq!(raw(&json!("a\u{1b}"), true), "a\\u{1b}");
    }
}
