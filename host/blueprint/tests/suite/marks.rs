//! What the two marks promise, over expressions by chance: an answer given although something is unknown is the answer
//! whatever that turns out to be; and nothing that is shown hangs on a secret.

use proptest::prelude::*;
use serde_json::json;
use sheave_blueprint::codes;
use sheave_model::{SecretText, UnknownKind, Value};

use crate::generate::Generator;
use crate::support::{World, show, unknown};

/// Whether `partial` promises nothing that `whole` breaks.
fn agrees(partial: &Value, whole: &Value) -> bool {
    match (partial, whole) {
        (Value::Unknown(u), whole) => {
            u.kind == UnknownKind::Other || matches!(whole, Value::Text(_) | Value::Secret(_))
        }
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| agrees(a, b)),
        (Value::Map(a), Value::Map(b)) => {
            a.keys().eq(b.keys()) && a.values().zip(b.values()).all(|(a, b)| agrees(a, b))
        }
        (a, b) => a == b,
    }
}

/// What an input may turn out to be.
fn candidates(input: &str) -> Vec<Value> {
    let of = |json: serde_json::Value| -> Vec<Value> {
        json.as_array().into_iter().flatten().map(Value::from_json).collect()
    };
    match input {
        "n" => of(json!([0, 1, 7, -3])),
        "t" => of(json!(["", "x", "a,b", "long text"])),
        "b" => of(json!([true, false])),
        "l" => of(json!([[], [1], [1, 2], [7, 7, 0]])),
        _ => of(json!([{"a": 1, "b": "y"}, {"a": 0, "b": ""}, {"b": "only"}])),
    }
}

fn usual(world: &mut World) {
    for (name, value) in [
        ("n", json!(7)),
        ("t", json!("x")),
        ("b", json!(true)),
        ("l", json!([1, 2, 7])),
        ("m", json!({"a": 1, "b": "y"})),
    ] {
        world.set(name, Value::from_json(&value));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_holds_whatever_the_unknown_turns_out_to_be(
        seed in proptest::collection::vec(any::<u8>(), 0..80),
        which in 0..6_usize,
    ) {
        let text = Generator::new(&seed, false).any(4);
        let Ok(mut world) = World::new(&text) else { return Ok(()) };
        usual(&mut world);
        let input = ["n", "t", "b", "l", "m", "inside"][which];
        let kind = if input == "t" { UnknownKind::Text } else { UnknownKind::Other };
        let hole = unknown("u", kind, false);
        // Inside: the list itself is known, one of its elements is not.
        let (name, partial_value, whole_values): (&str, Value, Vec<Value>) = if input == "inside" {
            let list = |v: Value| Value::List(vec![Value::Int(1), v, Value::Int(7)]);
            ("l", list(hole), [0, 1, 2, 7].into_iter().map(|n| list(Value::Int(n))).collect())
        } else {
            (input, hole, candidates(input))
        };
        world.set(name, partial_value);
        let partial = world.value();
        for value in whole_values {
            world.set(name, value.clone());
            let whole = world.value();
            match (&partial, &whole) {
                (Ok(p), Ok(w)) => prop_assert!(
                    agrees(p, w), "{text}\n with {name} unknown: {}\n with {}: {}", show(p), show(&value), show(w)
                ),
                // Refused although it would have been right: only where knowing early is asked for.
                (Err(faults), Ok(w)) => prop_assert!(
                    faults.iter().any(|f| f.code == codes::UNKNOWN_MISPLACED),
                    "{text}\n refused with {name} unknown: {}\n with {}: {}", faults[0].summary, show(&value), show(w)
                ),
                _ => {}
            }
        }
    }

    #[test]
    fn nothing_shown_hangs_on_a_secret(seed in proptest::collection::vec(any::<u8>(), 0..80)) {
        let text = Generator::new(&seed, false).any(4);
        let Ok(mut world) = World::new(&text) else { return Ok(()) };
        usual(&mut world);
        let mut shown = |secret: &str| {
            world.set("t", Value::Secret(SecretText::new(secret.into())));
            world.value().ok().map(|v| masked(&v))
        };
        let answers: Vec<String> = ["", "x", "a,b", "another one"].into_iter().filter_map(&mut shown).collect();
        prop_assert!(answers.windows(2).all(|w| w[0] == w[1]), "{text}: {answers:?}");
    }

    #[test]
    fn the_same_unknown_gives_the_same_ids(seed in proptest::collection::vec(any::<u8>(), 0..60)) {
        let text = Generator::new(&seed, false).any(3);
        let Ok(mut world) = World::new(&text) else { return Ok(()) };
        world.set("n", unknown("u", UnknownKind::Other, false));
        let (first, second) = (world.value(), world.value());
        prop_assert_eq!(first, second);
    }
}

fn masked(value: &Value) -> String {
    match value {
        Value::Secret(_) => "<secret>".into(),
        Value::List(items) => format!("{:?}", items.iter().map(masked).collect::<Vec<_>>()),
        Value::Map(entries) => {
            format!("{:?}", entries.iter().map(|(k, v)| (k, masked(v))).collect::<Vec<_>>())
        }
        other => show(other),
    }
}

#[test]
fn derived_unknowns_differ_where_their_values_may() {
    let ids = |text: &str| {
        let mut world = World::new(text).unwrap();
        world.set("n", unknown("u", UnknownKind::Other, false));
        let mut out = Vec::new();
        world.value().unwrap().each_leaf(&mut |_, leaf| {
            if let Value::Unknown(u) = leaf {
                out.push(u.id.clone());
            }
        });
        out
    };
    let each = ids("[1, 2].map(x, x + inputs.n)");
    assert_ne!(each[0], each[1]);
    let two = ids("[inputs.n + 1, inputs.n + 2]");
    assert_ne!(two[0], two[1]);
    assert_eq!(ids("inputs.n"), ["u"]);
    assert_eq!(ids("[inputs.n, inputs.n]"), ["u", "u"]);
    assert_eq!(ids("inputs.n.a[1]"), ["u/a/1"]);
}
