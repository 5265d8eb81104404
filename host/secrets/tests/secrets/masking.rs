//! Masking: a known secret is found however it is written.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use sheave_model::SecretText;
use sheave_secrets::{Mask, SENSITIVE};

fn mask(secrets: &[&str]) -> Mask {
    Mask::new(secrets.iter().map(|s| SecretText::new((*s).to_owned())))
}

fn in_url(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02X}")).collect()
}

fn in_json(text: &str) -> String {
    let quoted = Json::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[test]
fn every_way_to_write_it_is_found() {
    let secret = "p@ss\"w\\örd 1/2+3";
    let mask = mask(&[secret]);
    let python: String = secret.encode_utf16().map(|u| format!("\\u{u:04x}")).collect();
    let form = "p%40ss%22w%5C%C3%B6rd+1%2F2%2B3".to_owned();
    let pull_secret = STANDARD.encode(format!(r#"{{"auths":{{"x":{{"password":"{}"}}}}}}"#, in_json(secret)));
    let lines: Vec<_> = STANDARD.encode(format!("xx{secret}yyyy")).into_bytes();
    let lines =
        lines.chunks(7).map(|l| String::from_utf8_lossy(l).into_owned()).collect::<Vec<_>>().join("\n  ");
    for written in [
        secret.to_owned(),
        in_json(secret),
        in_json(&in_json(secret)),
        in_url(secret),
        in_url(secret).to_lowercase(),
        in_json(&in_url(secret)),
        in_url(&in_json(secret)),
        python,
        form,
        format!("{secret:?}"),
        STANDARD.encode(secret),
        STANDARD.encode(format!("user:{secret}")),
        STANDARD.encode(STANDARD.encode(format!("u:{secret}"))),
        URL_SAFE_NO_PAD.encode(format!("??>{secret}>>?")),
        in_url(&STANDARD.encode(secret)),
        pull_secret,
        lines,
        secret.replace(' ', "\n      "),
    ] {
        let masked = mask.text(&format!("denied: {written} (401)"));
        assert!(masked.contains(SENSITIVE), "{written} -> {masked}");
        for left in ["p@ss", "örd", "1/2"] {
            assert!(!masked.contains(left), "{written} -> {masked}");
        }
        assert!(masked.starts_with("denied: ") && masked.ends_with(" (401)"), "{masked}");
    }
}

#[test]
fn the_rest_of_the_text_stays() {
    let mask = mask(&["hunter2", "swordfish"]);
    assert_eq!(
        mask.text("user=a password=hunter2 again hunter2, and swordfish\nnext"),
        "user=a password=(sensitive) again (sensitive), and (sensitive)\nnext"
    );
    for text in ["", "nothing here", "hunter 3", "a\\nb%20c\n", "ünï"] {
        assert_eq!(mask.text(text), text);
    }
    assert!(Mask::default().is_empty() && self::mask(&[""]).is_empty());
}

#[test]
fn secrets_that_overlap_are_masked_together() {
    let mask = mask(&["abcd1234", "1234wxyz", "abcd", "d123"]);
    assert_eq!(mask.text("<abcd1234wxyz>"), "<(sensitive)>");
    assert_eq!(mask.text("<abcdabcd>"), "<(sensitive)>");
    assert_eq!(self::mask(&["abcd1234", "1234wxyz"]).text("<abcd1234wxyz>"), "<(sensitive)>");
}

#[test]
fn short_secrets_are_masked_as_words() {
    let mask = mask(&["a", "123", "é!"]);
    assert_eq!(
        mask.text("a cat has 123 lives, not 1234; a-b é!"),
        "(sensitive) cat has (sensitive) lives, not 1234; (sensitive)-b (sensitive)"
    );
    assert_eq!(mask.text("YQ== MTIz xMTIz"), "(sensitive) (sensitive) xMTIz");
    let mut json = json!({"port": 123, "name": "a", "other": "banana", "n": 1234});
    mask.json(&mut json);
    assert_eq!(json, json!({"port": SENSITIVE, "name": SENSITIVE, "other": "banana", "n": 1234}));
}

#[test]
fn json_is_masked_at_every_place() {
    let mask = mask(&["hunter2", "424242"]);
    let mut json = json!({
        "list": ["x hunter2", {"deep": STANDARD.encode("hunter2")}], "hunter2": true, "n": 424242,
        "f": 1.5, "nested": "{\"password\":\"hunter2\"}",
    });
    mask.json(&mut json);
    assert_eq!(
        json,
        json!({
            "list": ["x (sensitive)", {"deep": "(sensitive)"}], "(sensitive)": true, "n": "(sensitive)",
            "f": 1.5, "nested": "{\"password\":\"(sensitive)\"}",
        })
    );
    let mut keys = json!({"a hunter2": 1, "b": 2, "a (sensitive)": 3});
    mask.json(&mut keys);
    assert_eq!(keys.as_object().unwrap().len(), 3, "no field is lost: {keys}");
}

#[test]
fn a_long_secret_is_found_whole_and_cut_off() {
    let pem: String = (0..3000_u32).map(|n| char::from(b'!' + (n * 7 % 90) as u8)).collect();
    let mask = mask(&[&pem]);
    assert_eq!(mask.text(&format!("<{pem}>")), "<(sensitive)>");
    assert_eq!(mask.text(&format!("{}...", &pem[..100])), "(sensitive)...");
    assert_eq!(mask.text(&STANDARD.encode(&pem)), SENSITIVE);
    assert_eq!(mask.text(&in_json(&pem)), SENSITIVE);
}

#[test]
fn a_secret_of_several_lines_is_found_indented() {
    let pem = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n";
    let mask = mask(&[pem]);
    let yaml: String = pem.lines().map(|l| format!("    {l}\n")).collect();
    assert_eq!(mask.text(&format!("tls.key: |\n{yaml}other: x")), "tls.key: |\n    (sensitive)\nother: x");
    assert_eq!(mask.text(pem.trim()), SENSITIVE);
}

#[test]
fn hostile_texts_end_and_leak_nothing() {
    let secret = "a".repeat(100_000);
    let mask = mask(&[&secret, "aaaa", "aaaaaa"]);
    let masked = mask.text(&"a".repeat(300_000));
    assert_eq!(masked, SENSITIVE);
    for text in ["\\u0061".repeat(50_000), "%61".repeat(50_000), "\\".repeat(100_000), "%5c".repeat(50_000)] {
        assert!(!mask.text(&text).contains("0061"), "{}", &text[..12]);
    }
}

#[test]
fn debug_shows_nothing() {
    assert_eq!(format!("{:?}", mask(&["hunter2"])), "Mask(..)");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn raw_or_escaped_it_is_gone(secret in "[ -~]{4,30}", before in "[ -~]{0,9}", after in "[ -~]{0,9}") {
        prop_assume!(!SENSITIVE.contains(secret.trim()) && !secret.contains("sensi"));
        let mask = mask(&[&secret]);
        let plain = format!("{before}{secret}{after}");
        for text in [plain.clone(), in_json(&plain), in_json(&in_json(&plain)), in_url(&plain), in_json(&in_url(&plain))] {
            prop_assert!(mask.text(&text).contains(SENSITIVE), "{}", text);
        }
        prop_assert!(!mask.text(&plain).replace(SENSITIVE, "\0").contains(&secret));
    }

    #[test]
    fn secrets_that_come_one_by_one_are_masked_as_all_at_once(
        secrets in prop::collection::vec("[abc]{1,9}", 0..40),
        text in "[abc /%]{0,60}",
    ) {
        let grown = secrets.iter().fold(Mask::default(), |mask, s| mask.with([SecretText::new(s.clone())]));
        let all: Vec<&str> = secrets.iter().map(String::as_str).collect();
        prop_assert_eq!(grown.text(&text), mask(&all).text(&text));
    }

    #[test]
    fn base64_at_any_offset_is_gone(
        secret in "[ -~]{4,30}",
        before in prop::collection::vec(any::<u8>(), 0..9),
        after in prop::collection::vec(any::<u8>(), 0..9),
        url in any::<bool>(),
    ) {
        let mask = mask(&[&secret]);
        let bytes = [&before[..], secret.as_bytes(), &after].concat();
        let text = if url { URL_SAFE_NO_PAD.encode(&bytes) } else { STANDARD.encode(&bytes) };
        let masked = mask.text(&text);
        prop_assert!(masked.contains(SENSITIVE), "{}", text);
        // What is left decodes to what stood around, and to nothing of the secret: not one of its bits.
        let (left, right) = masked.split_once(SENSITIVE).unwrap();
        prop_assert!(left.len() * 6 <= before.len() * 8, "{} {}", left, text);
        // The last character is filled up with up to four bits.
        prop_assert!(right.trim_end_matches('=').len() * 6 <= after.len() * 8 + 4, "{} {}", right, text);
        let nested = STANDARD.encode(&text);
        prop_assert!(mask.text(&nested).contains(SENSITIVE), "{}", nested);
    }

    #[test]
    fn texts_without_it_stay(text in "[ -~\n]{0,80}") {
        let mask = mask(&["ünfindbar", "\u{1}\u{2}\u{3}\u{4}"]);
        prop_assert_eq!(mask.text(&text), text);
    }

    #[test]
    fn any_secret_and_any_text_end_well(secrets in prop::collection::vec(".{0,20}", 0..5), text in ".{0,80}") {
        let mask = Mask::new(secrets.iter().map(|s| SecretText::new(s.clone())));
        let masked = mask.text(&text);
        for secret in secrets.iter().filter(|s| s.len() >= 4 && !SENSITIVE.contains(s.as_str())) {
            prop_assert!(!masked.replace(SENSITIVE, "\0").contains(secret));
        }
    }
}
