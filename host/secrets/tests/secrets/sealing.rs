//! At rest: what is sealed comes back with the right key, and with no other.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use sheave_model::{Sealed, Value};
use sheave_secrets::{MasterKey, OpenError, Sealer};

use crate::fixture::*;

fn sealer() -> Sealer {
    Sealer::new(&key())
}

#[test]
fn plain_leaves_are_in_clear_and_secrets_are_not() {
    let value = map([
        ("user", Value::Text("blog".into())),
        ("password", secret("hunter2")),
        ("host", unknown("db#/host")),
    ]);
    let sealed = sealer().seal(&value, &mut Seeded(1));
    let text = sealed.0.to_string();
    assert!(text.contains("blog") && text.contains("db#/host") && !text.contains("hunter2"), "{text}");
    assert_eq!(sealer().open(&sealed).unwrap(), value);
    let again = sealer().seal(&value, &mut Seeded(2));
    assert_ne!(sealed, again, "another nonce, another text");
}

#[test]
fn another_key_opens_nothing_and_says_which_it_wants() {
    let sealed = sealer().seal(&secret("hunter2"), &mut Seeded(1));
    let other = Sealer::new(&MasterKey::from_bytes([8; 32]).stack("blog"));
    let error = other.open(&sealed).unwrap_err();
    let OpenError::OtherKey { sealed_with, .. } = &error else { panic!("{error}") };
    assert!(sealed.0["$sealed"].as_str().unwrap().contains(sealed_with.as_str()));
    assert!(error.diagnostic().help.unwrap().contains("SHEAVE_KEY"));
    let other_stack = Sealer::new(&MasterKey::from_bytes([7; 32]).stack("shop"));
    assert!(matches!(other_stack.open(&sealed), Err(OpenError::OtherKey { .. })));
}

#[test]
fn a_changed_or_moved_text_is_not_opened() {
    let sealed = sealer().seal(&secret("hunter2"), &mut Seeded(1));
    let text = sealed.0["$sealed"].as_str().unwrap().to_owned();
    let prefix = text.rfind('.').unwrap() + 1;
    for at in prefix..text.len() - 1 {
        let mut changed = text.clone();
        let letter = if &text[at..=at] == "A" { "B" } else { "A" };
        changed.replace_range(at..=at, letter);
        assert_eq!(sealer().open(&Sealed(json!({ "$sealed": changed }))), Err(OpenError::Tampered), "{at}");
    }
    // A leaf is no text and no bytes, and the other way round.
    assert_eq!(sealer().open_text(&sealed).unwrap_err(), OpenError::Tampered);
    assert_eq!(sealer().open_bytes(&sealed).unwrap_err(), OpenError::Tampered);
    let bytes = sealer().seal_bytes(b"hunter2", &mut Seeded(1));
    assert_eq!(sealer().open_text(&bytes).unwrap_err(), OpenError::Tampered);
}

#[test]
fn what_has_not_the_form_is_refused() {
    let unknown_marker = json!({"$other": 1});
    for node in [
        json!({"$sealed": 3}),
        json!({"$sealed": ""}),
        json!({"$sealed": "v1.x"}),
        json!({"$sealed": "v9.00.AA"}),
        json!({"$sealed": "x", "y": 1}),
        json!({"$unknown": {}}),
        json!({"$unknown": {"id": "x"}, "y": 1}),
        unknown_marker,
    ] {
        assert!(matches!(sealer().open(&Sealed(node.clone())), Err(OpenError::Malformed(_))), "{node}");
    }
    let id = sealer().seal_text("x", &mut Seeded(1)).0["$sealed"].as_str().unwrap()[3..11].to_owned();
    for body in ["", "AAAA", "!!!!", &"A".repeat(30)] {
        let node = json!({"$sealed": format!("v1.{id}.{body}")});
        assert!(matches!(sealer().open(&Sealed(node)), Err(OpenError::Malformed(_))), "{body}");
    }
}

#[test]
fn texts_and_bytes_come_back() {
    let text = sealer().seal_text("hunter2", &mut Seeded(1));
    assert_eq!(sealer().open_text(&text).unwrap().expose(), "hunter2");
    let bytes = sealer().seal_bytes(&[0, 255, 7], &mut Seeded(1));
    assert_eq!(sealer().open_bytes(&bytes).unwrap(), [0, 255, 7]);
    assert_eq!(sealer().open_bytes(&sealer().seal_bytes(&[], &mut Seeded(1))).unwrap(), Vec::<u8>::new());
    // What was never written opens as null.
    assert_eq!(sealer().open(&Sealed::default()).unwrap(), Value::Null);
}

#[test]
fn a_rotated_key_opens_the_old_and_seals_the_new() {
    let (old, new) = (key(), MasterKey::from_bytes([9; 32]).stack("blog"));
    let before = Sealer::new(&old);
    let rotating = Sealer::new(&new).opening_also(&old);
    let value = map([("p", Value::List(vec![secret("hunter2")])), ("$sealed", Value::Int(1))]);
    let sealed = [
        before.seal(&value, &mut Seeded(1)),
        before.seal_text("hunter2", &mut Seeded(2)),
        before.seal_bytes(b"hunter2", &mut Seeded(3)),
        before.seal(&secret("hunter2"), &mut Seeded(4)),
    ];
    let fresh: Vec<_> = sealed
        .iter()
        .map(|s| {
            assert!(rotating.is_stale(s));
            let fresh = rotating.reseal(s, &mut Seeded(5)).unwrap();
            assert!(!rotating.is_stale(&fresh), "{fresh:?}");
            fresh
        })
        .collect();
    let after = Sealer::new(&new);
    assert_eq!(after.open(&fresh[0]).unwrap(), value);
    assert_eq!(after.open_text(&fresh[1]).unwrap().expose(), "hunter2");
    assert_eq!(after.open_bytes(&fresh[2]).unwrap(), b"hunter2");
    assert_eq!(after.open(&fresh[3]).unwrap(), secret("hunter2"));
    assert!(before.open(&fresh[0]).is_err());
}

#[test]
fn debug_shows_ids_alone() {
    assert_eq!(format!("{:?}", sealer()).len(), r#"["01234567"]"#.len());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_value_comes_back(value in values(false), seed in 1..u64::MAX) {
        let sealed = sealer().seal(&value, &mut Seeded(seed));
        prop_assert_eq!(sealer().open(&sealed).unwrap(), value);
    }

    #[test]
    fn no_secret_is_in_what_is_stored(text in "[a-z0-9]{8,40}", seed in 1..u64::MAX) {
        let value = map([("$sealed", secret(&text)), ("x", map([("$unknown", secret(&text))]))]);
        let stored = sealer().seal(&value, &mut Seeded(seed)).0.to_string();
        prop_assert!(!stored.contains(&text));
    }

    #[test]
    fn hostile_state_never_stops_the_host(text in ".{0,60}", n in any::<i64>()) {
        for node in [json!({"$sealed": text.clone()}), json!({"$unknown": text.clone()}), json!({format!("${text}"): n})] {
            let _: Result<Value, _> = sealer().open(&Sealed(node.clone()));
            let _ = sealer().reseal(&Sealed(node), &mut Seeded(1));
        }
        let _: Json = json!(n);
    }
}
