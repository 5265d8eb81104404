//! Tokens: their form, and the table that says what each stands for.

use std::collections::HashMap;
use std::fmt;

use sheave_model::{Diagnostic, SecretText, Unknown};

/// A token of the first family: two letters, then 24 of [`BODY`] (120 bits). Of the second: the mirror image of that,
/// one longer. Every position of the two differs, their order among each other is reversed, and so is their place
/// among other texts: what a plugin cuts off, measures or sorts by a token differs between the families.
const PREFIX: &str = "zt";
/// In the order of their codes, so that mirroring reverses the order of texts.
const BODY: &[u8; 32] = b"234567abcdefghijklmnopqrstuvwxyz";
const BODY_LEN: usize = 24;
/// Length of a token of the first family, in bytes.
pub(crate) const FIRST_LEN: usize = PREFIX.len() + BODY_LEN;
/// Length of a token of the second family.
pub(crate) const SECOND_LEN: usize = FIRST_LEN + 1;

/// What a token stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Meaning {
    Secret(SecretText),
    Unknown(Unknown),
}

impl Meaning {
    /// Secret now, or when it will be known.
    pub(crate) fn is_secret(&self) -> bool {
        match self {
            Self::Secret(_) => true,
            Self::Unknown(unknown) => unknown.secret,
        }
    }
}

/// What stands for what it stands for in either family.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) meaning: Meaning,
    /// The token of the first family: the same for both, so that what is derived from it is the same.
    pub(crate) first: String,
}

/// What the tokens of a call stand for.
#[derive(Clone, Default)]
pub struct TokenTable(HashMap<String, Entry>);

impl TokenTable {
    /// Whether there is no token at all: one render is enough.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes in what another table knows: of other properties, or of another family.
    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The secrets that it knows, for masking what the call returns.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretText> {
        self.0.values().filter_map(|entry| match &entry.meaning {
            Meaning::Secret(secret) => Some(secret),
            Meaning::Unknown(_) => None,
        })
    }

    /// What a text holds of these tokens.
    pub fn stands(&self, text: &str) -> Stands {
        match self.pieces(text).as_slice() {
            [Piece::Token(entry)] => match &entry.meaning {
                Meaning::Secret(secret) => Stands::Secret(secret.clone()),
                Meaning::Unknown(_) => Stands::Unknown,
            },
            pieces if pieces.iter().any(|piece| matches!(piece, Piece::Token(_))) => Stands::Inside,
            _ => Stands::Nothing,
        }
    }

    pub(crate) fn insert(&mut self, token: String, entry: Entry) {
        self.0.insert(token, entry);
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.0.iter().map(|(token, entry)| (token.as_str(), entry))
    }

    pub(crate) fn knows(&self, token: &str) -> bool {
        self.0.contains_key(token)
    }

    /// The pieces of `text`, tokens told from what is around them. Leftmost first; linear in the text.
    pub(crate) fn pieces<'t>(&'t self, text: &'t str) -> Vec<Piece<'t>> {
        let mut pieces = Vec::new();
        let (mut plain, mut at) = (0, 0);
        while !self.is_empty() && at + FIRST_LEN <= text.len() {
            let found = [FIRST_LEN, SECOND_LEN]
                .into_iter()
                .find_map(|len| Some((at + len, self.0.get(text.get(at..at + len)?)?)));
            let Some((end, entry)) = found else {
                at += 1;
                continue;
            };
            if plain < at {
                pieces.push(Piece::Plain(&text[plain..at]));
            }
            pieces.push(Piece::Token(entry));
            (plain, at) = (end, end);
        }
        if plain < text.len() {
            pieces.push(Piece::Plain(&text[plain..]));
        }
        pieces
    }

    /// Whether a token stands anywhere in `text`.
    pub(crate) fn occurs_in(&self, text: &str) -> bool {
        self.pieces(text).iter().any(|piece| matches!(piece, Piece::Token(_)))
    }
}

impl fmt::Debug for TokenTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenTable({} tokens)", self.0.len())
    }
}

/// What a text holds of tokens.
#[derive(Clone, Debug, PartialEq)]
pub enum Stands {
    /// None.
    Nothing,
    /// It is one, of this secret.
    Secret(SecretText),
    /// It is one, of what is not known.
    Unknown,
    /// One stands within it, or several do.
    Inside,
}

/// A part of a text.
pub(crate) enum Piece<'t> {
    Plain(&'t str),
    Token(&'t Entry),
}

impl PartialEq for Piece<'_> {
    /// The same up to the family of the tokens.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Plain(a), Self::Plain(b)) => a == b,
            (Self::Token(a), Self::Token(b)) => a.first == b.first,
            _ => false,
        }
    }
}

/// Something that is not where tokens can be, or that no token can stand for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misplaced {
    /// An unknown leaf that will not be a text: what holds it is to be deferred.
    #[error("the value at `{pointer}` is known only after apply, and is not a text")]
    UnknownLeaf {
        /// Where it is.
        pointer: String,
    },
    /// A token in a map's key.
    #[error("a key of the map at `{pointer}` holds a value that is secret or not known yet")]
    TokenInKey {
        /// Where the map is.
        pointer: String,
    },
}

impl Misplaced {
    /// As the CLI shows it.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::UnknownLeaf { pointer } => {
                Diagnostic::error("plugin.unknown-leaf", self.to_string()).pointing(pointer.as_str())
            }
            Self::TokenInKey { pointer } => Diagnostic::error("plugin.token-in-key", self.to_string())
                .with_help("only values can be secret or known after apply; choose a key that is neither")
                .pointing(pointer.as_str()),
        }
    }
}

/// The token of the first family that these bytes make.
pub(crate) fn first_token(bytes: &[u8; 32]) -> String {
    let body = bytes.iter().take(BODY_LEN).map(|b| char::from(BODY[usize::from(b & 31)]));
    PREFIX.chars().chain(body).collect()
}

/// The token of the second family for a token of the first.
pub(crate) fn second_token(first: &str) -> String {
    let mut mirrored: String = first.bytes().take(PREFIX.len()).map(mirror_letter).collect();
    mirrored.extend(first.bytes().skip(PREFIX.len()).map(mirror_body));
    // Its own last letter once more: it differs from the first family's last.
    mirrored.extend(first.bytes().last().map(mirror_body));
    mirrored
}

fn mirror_letter(letter: u8) -> char {
    char::from(b'a' + (b'z' - letter))
}

fn mirror_body(c: u8) -> char {
    let place = BODY.iter().position(|b| *b == c).unwrap_or(0);
    char::from(BODY[BODY.len() - 1 - place])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_differ_at_every_place_and_sort_the_other_way() {
        let (a, b) = (first_token(&[7; 32]), first_token(&[9; 32]));
        let (c, d) = (second_token(&a), second_token(&b));
        assert!(a < b && c > d);
        assert!(c.as_str() < "b" && a.as_str() > "z");
        assert!(a.bytes().zip(c.bytes()).all(|(x, y)| x != y), "{a} {c}");
        assert_ne!(a.bytes().last(), c.bytes().last());
        assert_eq!((a.len(), c.len()), (FIRST_LEN, SECOND_LEN));
    }

    #[test]
    fn every_byte_gives_a_safe_token() {
        for byte in 0..=255 {
            let first = first_token(&[byte; 32]);
            for token in [second_token(&first), first] {
                assert!(token.starts_with(|c: char| c.is_ascii_lowercase()));
                assert!(token.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
                assert!(token.len() <= 63);
            }
        }
    }
}
