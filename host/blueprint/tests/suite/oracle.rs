//! Our reading of CEL against that of the `cel` crate, over expressions by chance.

use std::collections::HashMap;
use std::sync::Arc;

use cel::objects::{Key, Map};
use cel::{Context, Program};
use proptest::prelude::*;
use serde_json::json;
use sheave_model::Value;

use crate::generate::Generator;
use crate::support::{World, show};

fn to_cel(value: &Value) -> cel::Value {
    match value {
        Value::Bool(b) => cel::Value::Bool(*b),
        Value::Int(n) => cel::Value::Int(*n),
        Value::Float(f) => cel::Value::Float(*f),
        Value::Text(t) => cel::Value::String(Arc::new(t.clone())),
        Value::List(items) => cel::Value::List(Arc::new(items.iter().map(to_cel).collect())),
        Value::Map(entries) => {
            let map: HashMap<Key, cel::Value> =
                entries.iter().map(|(k, v)| (Key::String(Arc::new(k.clone())), to_cel(v))).collect();
            cel::Value::Map(Map { map: Arc::new(map) })
        }
        _ => cel::Value::Null,
    }
}

fn from_cel(value: &cel::Value) -> Option<Value> {
    Some(match value {
        cel::Value::Null => Value::Null,
        cel::Value::Bool(b) => Value::Bool(*b),
        cel::Value::Int(n) => Value::Int(*n),
        cel::Value::Float(f) => Value::Float(*f),
        cel::Value::String(t) => Value::Text(t.to_string()),
        cel::Value::List(items) => Value::List(items.iter().map(from_cel).collect::<Option<_>>()?),
        cel::Value::Map(map) => Value::Map(
            map.map
                .iter()
                .map(|(k, v)| match k {
                    Key::String(k) => Some((k.to_string(), from_cel(v)?)),
                    _ => None,
                })
                .collect::<Option<_>>()?,
        ),
        _ => return None,
    })
}

/// What the `cel` crate makes of it; its parser wants a large stack.
fn theirs(text: &str, inputs: &Value) -> Option<Value> {
    let (text, inputs) = (text.to_owned(), to_cel(inputs));
    let run = move || {
        let program = Program::compile(&text).ok()?;
        let mut context = Context::default();
        context.add_variable_from_value("inputs", inputs);
        from_cel(&program.execute(&context).ok()?)
    };
    std::thread::Builder::new().stack_size(64 << 20).spawn(run).unwrap().join().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn both_give_the_same_answers(seed in proptest::collection::vec(any::<u8>(), 0..60)) {
        let text = Generator::new(&seed, true).any(4);
        let inputs = Value::from_json(&json!({"n": 7, "t": "x", "b": true, "l": [1, 2, 7], "m": {"a": 1, "b": "y"}}));
        let Ok(mut world) = World::new(&text) else { return Ok(()) };
        if let Value::Map(entries) = &inputs {
            entries.iter().for_each(|(name, value)| world.set(name, value.clone()));
        }
        match (world.value(), theirs(&text, &inputs)) {
            (Ok(ours), Some(theirs)) => prop_assert_eq!(show(&ours), show(&theirs), "{}", text),
            (Ok(ours), None) => prop_assert!(false, "{text}: ours {}, theirs an error", show(&ours)),
            (Err(faults), Some(theirs)) => {
                prop_assert!(false, "{text}: ours {}, theirs {}", faults[0].summary, show(&theirs));
            }
            (Err(_), None) => {}
        }
    }
}
