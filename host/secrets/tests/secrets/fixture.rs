//! Keys, randomness and values to try things with.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sheave_model::{SecretText, Unknown, UnknownKind, Value};
use sheave_secrets::{MasterKey, RandomSource, StackKey};

pub(crate) fn key() -> StackKey {
    MasterKey::from_bytes([7; 32]).stack("blog")
}

/// A small generator (xorshift): the same bytes for the same seed.
pub(crate) struct Seeded(pub(crate) u64);

impl RandomSource for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = (self.0 >> 24) as u8;
        }
    }
}

pub(crate) fn secret(text: &str) -> Value {
    Value::Secret(SecretText::new(text.to_owned()))
}

pub(crate) fn unknown(id: &str) -> Value {
    Value::Unknown(Unknown { id: id.to_owned(), kind: UnknownKind::Text, secret: false })
}

pub(crate) fn map<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Map(fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
}

/// Any value; unknown leaves are texts where `tokens` is set, so that all of it can be minted.
pub(crate) fn values(tokens: bool) -> impl Strategy<Value = Value> {
    let kind = if tokens {
        Just(UnknownKind::Text).boxed()
    } else {
        prop_oneof![Just(UnknownKind::Text), Just(UnknownKind::Other)].boxed()
    };
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        prop::num::f64::NORMAL.prop_map(Value::Float),
        ".*".prop_map(Value::Text),
        ".*".prop_map(|s| Value::Secret(SecretText::new(s))),
        ("[a-z#/]{1,9}", kind, any::<bool>()).prop_map(|(id, kind, secret)| Value::Unknown(Unknown {
            id,
            kind,
            secret
        })),
    ];
    let name = prop_oneof![
        4 => "[a-z/~]{0,4}".boxed(),
        1 => prop::sample::select(vec!["$sealed", "$unknown", "$secret", "$", "$$", "$$sealed"])
            .prop_map(String::from)
            .boxed(),
    ];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
            prop::collection::btree_map(name.clone(), inner, 0..5)
                .prop_map(|m: BTreeMap<_, _>| Value::Map(m)),
        ]
    })
}
