//! Tokens: what a plugin gets, what it may do with them, and what is found when it does more.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use sheave_model::{Unknown, UnknownKind, Value};
use sheave_secrets::{
    Comparison, Family, MarkKind, MasterKey, Minted, Misplaced, compare, mint, misplaced_secret, restore,
};

use crate::fixture::*;

fn minted(value: &Value, family: Family) -> Minted {
    mint(&key(), "files", value, family).unwrap()
}

fn token(value: Value) -> String {
    minted(&value, Family::First).json.as_str().unwrap().to_owned()
}

/// What two renders by `plugin` say together.
fn rendered(value: &Value, family: Family, plugin: impl Fn(&Json) -> Json) -> Comparison {
    let (first, second) = (minted(value, Family::First), minted(value, family));
    compare((&plugin(&first.json), &first.tokens), (&plugin(&second.json), &second.tokens))
}

/// As the engine does it: one render more for each family that there is.
fn judged(value: &Value, plugin: impl Fn(&Json) -> Json) -> Comparison {
    let families = minted(value, Family::First).tokens.families_to_compare();
    let mut last = None;
    for family in families {
        match rendered(value, *family, &plugin) {
            Comparison::Same(value) => last = Some(Comparison::Same(value)),
            fault => return fault,
        }
    }
    last.unwrap()
}

fn text(json: &Json, at: &str) -> String {
    json.pointer(at).unwrap().as_str().unwrap().to_owned()
}

#[test]
fn a_token_says_nothing_and_stays_the_same() {
    let first = token(secret("hunter2"));
    assert_eq!(first, token(secret("hunter2")));
    assert_eq!(first, "ztp3p6w6ye2w25ag2ah5sxgwxr", "the form is a promise: saved plans hold it");
    assert_ne!(first, token(secret("hunter3")));
    assert_ne!(first, token(unknown("hunter2")));
    let other = |key: &sheave_secrets::StackKey, plugin| {
        mint(key, plugin, &secret("hunter2"), Family::First).unwrap().json
    };
    assert_ne!(other(&key(), "http"), json!(first));
    assert_ne!(other(&MasterKey::from_bytes([7; 32]).stack("shop"), "files"), json!(first));
    assert_ne!(other(&MasterKey::from_bytes([8; 32]).stack("blog"), "files"), json!(first));
}

#[test]
fn marks_say_which_leaf_and_why() {
    let both = Value::Unknown(Unknown { id: "vm#/key".into(), kind: UnknownKind::Text, secret: true });
    let value =
        map([("a/b", Value::List(vec![secret("hunter2"), Value::Int(1)])), ("c", both), ("d", unknown("x"))]);
    let minted = minted(&value, Family::First);
    let marks: Vec<_> = minted.marks.iter().map(|(at, kind)| (at.as_str(), *kind)).collect();
    assert_eq!(
        marks,
        [
            ("/a~1b/0", MarkKind::Secret),
            ("/c", MarkKind::Unknown),
            ("/c", MarkKind::Secret),
            ("/d", MarkKind::Unknown)
        ]
    );
    assert!(!minted.json.to_string().contains("hunter2"));
    assert!(!format!("{minted:?}").contains("hunter2"));
}

#[test]
fn an_unknown_that_is_no_text_has_no_token() {
    let value =
        map([("n", Value::Unknown(Unknown { id: "x".into(), kind: UnknownKind::Other, secret: false }))]);
    let error = mint(&key(), "files", &value, Family::First).unwrap_err();
    assert_eq!(error, Misplaced::UnknownLeaf { pointer: "/n".into() });
}

#[test]
fn text_around_tokens_becomes_one_leaf() {
    let value = map([("p", secret("hunter2")), ("q", secret("swordfish")), ("h", unknown("db#/host"))]);
    let minted = minted(&value, Family::First);
    let (p, q, h) = (text(&minted.json, "/p"), text(&minted.json, "/q"), text(&minted.json, "/h"));
    let back = |text: String| restore(&minted.tokens, &json!(text)).unwrap();
    assert_eq!(back(format!("user:{p}@{q}")), secret("user:hunter2@swordfish"));
    assert_eq!(back(format!("{p}{p}")), secret("hunter2hunter2"), "tokens side by side");
    assert_eq!(back(format!("é{p}é")), secret("éhunter2é"));
    let Value::Unknown(url) = back(format!("http://{h}:80")) else { panic!() };
    assert_eq!((url.kind, url.secret), (UnknownKind::Text, false));
    assert_eq!(back(format!("http://{h}:80")), Value::Unknown(url.clone()), "the same id for the same text");
    assert_ne!(back(format!("http://{h}:81")), Value::Unknown(url.clone()));
    let Value::Unknown(both) = back(format!("{p}@{h}")) else { panic!() };
    assert!(both.secret && !both.id.contains("hunter2"));
}

#[test]
fn what_is_not_a_whole_token_is_text() {
    let minted = minted(&secret("hunter2"), Family::First);
    let whole = text(&minted.json, "");
    for part in [
        &whole[..25],
        &whole[1..],
        &whole.to_uppercase(),
        &whole.replace('z', "Z"),
        &format!("{}-{}", &whole[..9], &whole[9..]),
    ] {
        assert_eq!(restore(&minted.tokens, &json!(part)).unwrap(), Value::Text(part.to_string()));
    }
}

#[test]
fn a_token_in_a_key_is_refused() {
    let minted = minted(&map([("p", secret("hunter2"))]), Family::First);
    let json = json!({"a": [{format!("x-{}", text(&minted.json, "/p")): 1}]});
    let error = restore(&minted.tokens, &json).unwrap_err();
    assert_eq!(error, Misplaced::TokenInKey { pointer: "/a/0".into() });
    let found = judged(&map([("p", secret("hunter2"))]), |props| json!({"data": {text(props, "/p"): "x"}}));
    assert_eq!(found, Comparison::TokenInKey { pointer: "/data".into() });
    assert_eq!(found.diagnostic().unwrap().code, "plugin.token-in-key");
}

#[test]
fn placing_is_allowed() {
    let props = map([("p", secret("hunter2")), ("h", unknown("db#/host"))]);
    let found = judged(&props, |props| {
        json!({"data": {"password": props["p"], "url": format!("http://{}@{}/", text(props, "/p"), text(props, "/h"))},
               "host": props["h"], "n": 3})
    });
    let Comparison::Same(value) = found else { panic!("{found:?}") };
    assert_eq!(value.at("/data/password"), Some(&secret("hunter2")));
    assert_eq!(value.at("/host"), Some(&unknown("db#/host")));
    assert_eq!(value.at("/n"), Some(&Value::Int(3)));
    assert!(matches!(value.at("/data/url"), Some(Value::Unknown(u)) if u.secret));
}

type Compute = fn(&str) -> Json;

/// Everything that a plugin may try to do with a token besides placing it.
fn computations() -> Vec<(&'static str, Compute)> {
    vec![
        ("upper case", |t| json!(t.to_uppercase())),
        ("the first half", |t| json!(t[..t.len() / 2])),
        ("the second half", |t| json!(t[t.len() / 2..])),
        ("one letter", |t| json!(t[..1])),
        ("the last letter", |t| json!(t[t.len() - 1..])),
        ("the middle", |t| json!(t[9..12])),
        ("reversed", |t| json!(t.chars().rev().collect::<String>())),
        ("length", |t| json!(t.len())),
        ("length as text", |t| json!(format!("{} letters", t.len()))),
        ("sum of letters", |t| json!(t.bytes().map(u64::from).sum::<u64>())),
        ("sorted before m", |t| json!(t < "m")),
        ("cut at 26", |t| json!(t.chars().take(30).skip(26).collect::<String>())),
        ("padded", |t| json!(format!("{t:>40}"))),
        ("whole and half", |t| json!(format!("{t}{}", &t[..5]))),
        ("text or null", |t| if t < "m" { json!("x") } else { Json::Null }),
    ]
}

#[test]
fn what_is_computed_from_a_secret_is_refused() {
    for (what, compute) in computations() {
        let found =
            judged(&map([("p", secret("hunter2"))]), |p| json!({"x": {"y": compute(&text(p, "/p"))}}));
        assert_eq!(found, Comparison::ComputedFromSecret { pointer: "/x/y".into() }, "{what}");
        assert_eq!(found.diagnostic().unwrap().code, "plugin.computed-from-secret");
    }
}

#[test]
fn what_is_computed_from_an_unknown_is_unknown() {
    for (what, compute) in computations() {
        let found = judged(&map([("h", unknown("db#/host"))]), |p| json!({"x": compute(&text(p, "/h"))}));
        let Comparison::Same(value) = found else { panic!("{what}: {found:?}") };
        let Some(Value::Unknown(leaf)) = value.at("/x") else { panic!("{what}: {value:?}") };
        assert!(!leaf.secret, "{what}");
        let is_text = matches!(compute("zzzzzzzzzzzzzzzzzzzzzzzzzz"), Json::String(_));
        let mixed = what == "text or null";
        assert_eq!(leaf.kind == UnknownKind::Text, is_text && !mixed, "{what}");
    }
}

#[test]
fn the_blame_falls_on_the_right_token() {
    // An honest plugin splits an unknown `host:port` while a secret stands beside it.
    let props = map([("p", secret("hunter2")), ("h", unknown("db#/endpoint"))]);
    let split = |p: &Json| json!({"password": p["p"], "host": text(p, "/h")[..9]});
    let Comparison::Same(value) = judged(&props, split) else { panic!() };
    assert_eq!(value.at("/password"), Some(&secret("hunter2")));
    assert!(matches!(value.at("/host"), Some(Value::Unknown(u)) if !u.secret));
    let cheat = |p: &Json| json!({"password": text(p, "/p")[..9], "host": p["h"]});
    assert_eq!(judged(&props, cheat), Comparison::ComputedFromSecret { pointer: "/password".into() });
    // With one other family for both it cannot be told: a secret is assumed.
    assert_eq!(
        rendered(&props, Family::Second, split),
        Comparison::ComputedFromSecret { pointer: "/host".into() }
    );
}

#[test]
fn an_unknown_that_will_be_secret_counts_as_one() {
    let props =
        map([("k", Value::Unknown(Unknown { id: "vm#/key".into(), kind: UnknownKind::Text, secret: true }))]);
    let found = judged(&props, |p| json!({"x": text(p, "/k").to_uppercase()}));
    assert_eq!(found, Comparison::ComputedFromSecret { pointer: "/x".into() });
}

#[test]
fn another_shape_is_told_apart() {
    let props = map([("h", unknown("db#/host")), ("p", secret("hunter2"))]);
    let at = |pointer: &str| Comparison::ShapeDiffers { pointer: pointer.into() };
    let letters = |p: &Json| json!({"l": text(p, "/h").chars().map(String::from).collect::<Vec<_>>()});
    assert_eq!(judged(&props, letters), at("/l"));
    let keys = |p: &Json| json!({"m": {text(p, "/h")[..4].to_owned(): 1}});
    assert_eq!(judged(&props, keys), at("/m"));
    let kind = |p: &Json| if text(p, "/h").as_str() < "m" { json!({"m": {}}) } else { json!({"m": "x"}) };
    assert_eq!(judged(&props, kind), at("/m"));
    let one_more = |p: &Json| {
        if text(p, "/h").as_str() < "m" { json!({"m": {"a": 1, "b": 2}}) } else { json!({"m": {"a": 1}}) }
    };
    assert_eq!(judged(&props, one_more), at("/m"));
    assert_eq!(at("/m").diagnostic(), None);
}

#[test]
fn a_plugin_that_is_not_deterministic_is_told_so() {
    let none = minted(&Value::empty(), Family::First);
    let other = compare((&json!({"at": 1}), &none.tokens), (&json!({"at": 2}), &none.tokens));
    assert_eq!(other, Comparison::Unstable { pointer: "/at".into() });
    assert_eq!(other.diagnostic().unwrap().code, "plugin.not-deterministic");
    let shape = compare((&json!([1]), &none.tokens), (&json!([1, 2]), &none.tokens));
    assert_eq!(shape, Comparison::Unstable { pointer: String::new() });
    assert!(none.tokens.families_to_compare().is_empty());
}

#[test]
fn lists_that_were_sorted_by_tokens_are_found() {
    // Two tokens sort the other way round in the second family, and on the other side of any word.
    let props = map([("a", unknown("one")), ("b", unknown("two"))]);
    let sorted = |p: &Json| {
        let mut list = [text(p, "/a"), text(p, "/b"), "middle".to_owned()];
        list.sort();
        json!(list)
    };
    let Comparison::Same(value) = judged(&props, sorted) else { panic!() };
    assert!(matches!(value.at("/0"), Some(Value::Unknown(u)) if u.id.starts_with("computed:")));
    assert!(matches!(value.at("/2"), Some(Value::Unknown(u)) if u.id.starts_with("computed:")));
}

#[test]
fn choosing_among_tokens_is_computing() {
    // Whole tokens in both renders, and not the same ones.
    let least = |p: &Json| json!({"x": text(p, "/a").min(text(p, "/b"))});
    let Comparison::Same(value) = judged(&map([("a", unknown("one")), ("b", unknown("two"))]), least) else {
        panic!()
    };
    assert!(matches!(value.at("/x"), Some(Value::Unknown(u)) if u.id.starts_with("computed:")), "{value:?}");
    let found = judged(&map([("a", secret("one")), ("b", secret("two"))]), least);
    assert_eq!(found, Comparison::ComputedFromSecret { pointer: "/x".into() });
}

#[test]
fn secrets_out_of_place_are_named() {
    let both = Value::Unknown(Unknown { id: "x".into(), kind: UnknownKind::Text, secret: true });
    let value = map([("data", map([("p", secret("x"))])), ("spec", Value::List(vec![Value::Int(1), both]))]);
    let in_data = |at: &str| sheave_model::pointer::is_within(at, "/data");
    assert_eq!(misplaced_secret(&value, &in_data), Some("/spec/1".into()));
    assert_eq!(misplaced_secret(&value, &|_| true), None);
    assert_eq!(misplaced_secret(&value, &|_| false), Some("/data/p".into()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_minted_comes_back(value in values(true)) {
        for family in [Family::First, Family::Second, Family::SecondSecrets, Family::SecondUnknowns] {
            let minted = minted(&value, family);
            prop_assert_eq!(&restore(&minted.tokens, &minted.json).unwrap(), &value);
        }
    }

    #[test]
    fn passing_properties_on_is_always_allowed(value in values(true)) {
        for family in minted(&value, Family::First).tokens.families_to_compare() {
            prop_assert_eq!(rendered(&value, *family, Json::clone), Comparison::Same(value.clone()));
        }
    }

    #[test]
    fn no_secret_reaches_a_plugin(text in "[!-~]{6,40}") {
        let minted = minted(&map([("p", secret(&text))]), Family::First);
        prop_assert!(!minted.json.to_string().contains(&text));
    }

    #[test]
    fn any_piece_of_a_token_is_found(text in "[a-z]{1,12}", from in 0..26_usize, len in 1..26_usize) {
        let found = judged(&map([("p", secret(&text))]), |p| {
            let token = self::text(p, "/p");
            json!({"x": token[from..(from + len).min(26)]})
        });
        if (from, len) == (0, 26) {
            prop_assert!(matches!(found, Comparison::Same(_)));
        } else {
            prop_assert_eq!(found, Comparison::ComputedFromSecret { pointer: "/x".into() });
        }
    }

    #[test]
    fn hostile_json_never_stops_the_host(a in ".{0,200}", b in "(zt|ag|z|t){0,80}") {
        let minted = minted(&secret("hunter2"), Family::First);
        for text in [a, b] {
            let json = json!([text.clone(), {"k": text}]);
            let _ = restore(&minted.tokens, &json);
            let _ = compare((&json, &minted.tokens), (&json, &minted.tokens));
        }
    }
}
