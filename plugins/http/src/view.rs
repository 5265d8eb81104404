//! What of a reply is kept: for comparison, and as outputs.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use sheave_sdk::http::Reply;

use crate::props::{Outputs, Request};
use crate::reply;

/// What the host puts in the place of a secret.
const MASKED: &str = "(sensitive)";

/// What is compared from one look to the next: the named places, else those that were sent as JSON, else everything.
pub(crate) fn seen(named: Option<&[String]>, sent: &Request, reply: &Reply) -> Value {
    let json = reply.json();
    let places = match (named, &sent.body) {
        (Some(named), _) => named.to_vec(),
        (None, Some(body)) => {
            let mut places = Vec::new();
            leaves(body, String::new(), &mut places);
            places
        }
        (None, None) => return json!({"sha256": digest(&reply.body)}),
    };
    let found = places.into_iter().map(|place| {
        let value = reply::at(reply, json.as_ref(), &place).unwrap_or(Value::Null);
        (place, value)
    });
    Value::Object(found.collect())
}

fn leaves(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, item) in fields {
                leaves(item, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), places);
            }
        }
        // A list is one thing: a server that adds to it has changed it.
        _ => places.push(at),
    }
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Takes outputs out of a reply; what it does not have stays as it was. A secret that the host knows already comes
/// masked, and is the one that is kept.
pub(crate) fn outputs(
    values: &BTreeMap<String, String>,
    secrets: &BTreeMap<String, String>,
    reply: &Reply,
    kept: &mut Outputs,
) {
    let json = reply.json();
    for (name, place) in values {
        match reply::at(reply, json.as_ref(), place) {
            Some(value) => drop(kept.values.insert(name.clone(), value)),
            None => drop(kept.values.entry(name.clone()).or_insert(Value::Null)),
        }
    }
    kept.values.retain(|name, _| values.contains_key(name));
    for (name, place) in secrets {
        if let Some(text) = reply::at(reply, json.as_ref(), place).as_ref().and_then(reply::text)
            && text != MASKED
        {
            kept.secrets.insert(name.clone(), Some(text));
        }
        kept.secrets.entry(name.clone()).or_insert(None);
    }
    kept.secrets.retain(|name, _| secrets.contains_key(name));
}

/// Pointers to the secrets in something that has `secrets` beneath `at`.
pub(crate) fn secrets<T>(at: &str, secrets: &BTreeMap<String, T>) -> Vec<String> {
    secrets.keys().map(|key| format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"))).collect()
}

/// Outputs that only apply can tell, by name, as a plan gives them: a text for each.
pub(crate) fn unknown(names: &BTreeMap<String, String>, at: &str) -> (Value, Vec<String>) {
    let blank: Map<String, Value> =
        names.keys().map(|name| (name.clone(), Value::String(String::new()))).collect();
    (Value::Object(blank), secrets(at, names))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(body: &str) -> Reply {
        Reply { status: 200, headers: vec![("etag".to_owned(), "7".to_owned())], body: body.into() }
    }

    #[test]
    fn what_was_sent_is_compared() {
        let sent =
            Request { body: Some(json!({"a": {"b/c": 1}, "list": [1], "empty": {}})), ..Request::default() };
        let found = seen(None, &sent, &reply(r#"{"a": {"b/c": 2, "more": 3}, "list": [1, 2], "more": 1}"#));
        assert_eq!(found, json!({"/a/b~1c": 2, "/list": [1, 2], "/empty": null}));
        let named = ["/more".to_owned(), "header:etag".to_owned()];
        assert_eq!(
            seen(Some(&named), &sent, &reply(r#"{"more": 1}"#)),
            json!({"/more": 1, "header:etag": "7"})
        );
        let text = Request { text: Some("x".to_owned()), ..Request::default() };
        assert_ne!(seen(None, &text, &reply("a")), seen(None, &text, &reply("b")));
    }

    #[test]
    fn a_masked_secret_is_the_one_that_is_kept() {
        let names =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let (values, secret) = (names(&[("a", "/a"), ("tag", "header:ETag")]), names(&[("key", "/key")]));
        let mut kept = Outputs::default();
        outputs(&values, &secret, &reply(r#"{"a": {"b": 1}, "key": "s3cret"}"#), &mut kept);
        assert_eq!(kept.values["a"], json!({"b": 1}));
        assert_eq!(kept.values["tag"], json!("7"));
        outputs(&values, &secret, &reply(r#"{"key": "(sensitive)"}"#), &mut kept);
        assert_eq!((kept.secrets["key"].as_deref(), &kept.values["a"]), (Some("s3cret"), &json!({"b": 1})));
        assert_eq!(self::secrets("/secrets", &kept.secrets), ["/secrets/key"]);
        outputs(&names(&[]), &names(&[]), &reply("{}"), &mut kept);
        assert_eq!(kept, Outputs::default());
    }
}
