//! A stranger's blueprint: read, resolved, its inputs bound, its templates evaluated.
#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use sheave_blueprint::{NoFiles, NoPasswords, Scope, bind_inputs, parse, resolve};
use sheave_model::plugin::{Role, TypeCatalog, TypeSchema};
use sheave_model::{Sources, TypeName};

/// One type, with something of every kind in its schema.
struct Catalog(TypeSchema);

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let schema = json!({
        "type": "object",
        "properties": {
            "text": {"type": "string", "pattern": "^[a-z]*$"}, "number": {"type": "integer", "minimum": 0},
            "list": {"type": "array", "items": {"$ref": "#"}}, "map": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        "additionalProperties": false,
        "x-outputs": {"type": "object", "properties": {"host": {"type": "string"}, "key": {"type": "string", "x-sensitive": true}}},
    });
    let name = TypeName { plugin: "p".to_owned(), name: "T".to_owned() };
    Catalog(TypeSchema { name, role: Role::Emits, version: 1, summary: String::new(), schema })
});

impl TypeCatalog for Catalog {
    fn get(&self, name: &TypeName) -> Option<&TypeSchema> {
        (self.0.name == *name).then_some(&self.0)
    }

    fn all(&self) -> Vec<&TypeSchema> {
        vec![&self.0]
    }

    fn settings_schema(&self, _: &str) -> Option<&serde_json::Value> {
        None
    }
}

fuzz_target!(|text: &str| {
    let mut sources = Sources::default();
    let id = sources.add("blueprint.yaml".to_owned(), text.to_owned());
    let Some(syntax) = parse(id, text).syntax else { return };
    let Some(graph) = resolve(syntax, &*CATALOG).graph else { return };
    let Ok(inputs) = bind_inputs(&graph, &[]) else { return };
    let none = BTreeMap::new();
    let scope = Scope {
        inputs: &inputs,
        resources: &none,
        stacks: &none,
        each: None,
        stack: "fuzz",
        module: "",
        files: &NoFiles,
        passwords: &NoPasswords,
    };
    for spec in graph.resources.values() {
        let _ = graph.evaluate(&spec.properties, &scope);
    }
});
