//! JSON Schema out of the author's structs, closed at every depth.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// The schema of properties `P`, with that of outputs `O` under `x-outputs`, as JSON Schema 2020-12.
///
/// Keywords of the interface go on fields: `#[schemars(extend("x-immutable" = true))]`.
pub fn of<P: JsonSchema, O: JsonSchema>() -> Schema {
    let settings = || SchemaSettings::draft2020_12().with_transform(RecursiveTransform(close));
    let mut schema = settings().into_generator().into_root_schema_for::<P>();
    let mut outputs = settings()
        .for_serialize()
        .with(|s| s.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<O>();
    for keyword in ["$schema", "title"] {
        outputs.remove(keyword);
    }
    schema.remove("title");
    schema.insert("x-outputs".to_owned(), outputs.to_value());
    schema
}

/// A misspelled field is an error with a suggestion, so every object that lists its fields has no others.
fn close(schema: &mut Schema) {
    let lists_fields = schema.get("properties").is_some_and(Value::is_object);
    if lists_fields && schema.get("additionalProperties").is_none() {
        schema.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
}

/// The names of an object schema's properties that carry `keyword: true`.
pub(crate) fn having<'a>(schema: &'a Value, keyword: &'a str) -> impl Iterator<Item = &'a str> {
    fields(schema).filter(move |(_, s)| s.get(keyword) == Some(&Value::Bool(true))).map(|(name, _)| name)
}

/// An object schema's properties.
pub(crate) fn fields(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(k, v)| (k.as_str(), v))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Props {
        /// Where it listens.
        #[schemars(extend("x-immutable" = true))]
        port: u16,
        labels: std::collections::BTreeMap<String, String>,
        inner: Option<Inner>,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Inner {
        name: String,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Outputs {
        #[schemars(extend("x-stable" = true))]
        url: String,
        inner: Inner,
    }

    #[test]
    fn schema_is_closed_and_keeps_keywords() {
        let schema = of::<Props, Outputs>().to_value();
        assert_eq!(schema["additionalProperties"], json!(false));
        assert_eq!(schema["$defs"]["Inner"]["additionalProperties"], json!(false));
        assert_eq!(schema["properties"]["labels"]["additionalProperties"], json!({"type": "string"}));
        assert_eq!(schema["properties"]["port"]["x-immutable"], json!(true));
        assert_eq!(schema["properties"]["port"]["description"], "Where it listens.");
        assert_eq!(
            schema["x-outputs"]["properties"]["inner"]["type"], "object",
            "outputs stand by themselves"
        );
        assert_eq!(having(&schema["x-outputs"], "x-stable").collect::<Vec<_>>(), ["url"]);
    }
}
