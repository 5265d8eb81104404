//! The schema that editors read.

use serde_json::{Value as Json, json};
use sheave_blueprint::editor_schema;
use sheave_model::{Role, TypeCatalog, TypeName, TypeSchema};

/// One type, whose properties are called as JSON Schema's own words are.
struct Words(TypeSchema);

impl Words {
    fn new() -> Self {
        let amount = json!({"$ref": "#/$defs/Amount"});
        Self(TypeSchema {
            name: TypeName::new("words", "All"),
            role: Role::Emits,
            version: 1,
            summary: "all of them".into(),
            schema: json!({
                "type": "object", "additionalProperties": false,
                "properties": {
                    "default": amount, "const": amount, "examples": {"properties": {"enum": amount}},
                    "$schema": {"type": "string"}, "x-outputs": amount, "properties": amount,
                },
                "$defs": {"Amount": {"type": "integer", "description": "how many", "default": 3}},
                "x-outputs": {"type": "object"},
            }),
        })
    }
}

impl TypeCatalog for Words {
    fn get(&self, name: &TypeName) -> Option<&TypeSchema> {
        Some(&self.0).filter(|t| t.name == *name)
    }
    fn all(&self) -> Vec<&TypeSchema> {
        vec![&self.0]
    }
    fn settings_schema(&self, _: &str) -> Option<&Json> {
        None
    }
}

/// An editor that cannot follow one reference offers nothing at all.
#[test]
fn properties_may_be_called_as_keywords_are() {
    let schema = editor_schema(&Words::new());
    let validator = jsonschema::validator_for(&schema).unwrap();
    let valid = |properties: Json| {
        let resource = json!({"type": "words:All", "properties": properties});
        validator.is_valid(&json!({"blueprint": "b", "resources": {"r": resource}}))
    };
    for word in ["default", "const", "x-outputs", "properties"] {
        assert!(valid(json!({word: 1})), "{word}");
        assert!(valid(json!({word: "${1 + 1}"})), "{word}");
        assert!(!valid(json!({word: "one"})), "{word}");
    }
    assert!(valid(json!({"$schema": "text", "examples": {"enum": 1}})));
    assert!(!valid(json!({"examples": {"enum": "one"}})));
    let amount = &schema["$defs"]["properties words:All"]["$defs"]["Amount"];
    assert_eq!((amount["description"].as_str(), amount["default"].as_i64()), (Some("how many"), Some(3)));
}
