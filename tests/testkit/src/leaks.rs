//! Looks for a secret in everything that a run left, in each guise that it may have taken.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::must;

/// A secret with its guises.
#[derive(Clone, Debug)]
pub struct Secret {
    guises: Vec<(String, Vec<u8>)>,
}

impl Secret {
    /// Guises that are shorter would be found by chance.
    const SHORTEST: usize = 8;

    /// All guises of this text.
    pub fn new(text: &str) -> Self {
        assert!(text.len() >= Self::SHORTEST, "too short to be looked for");
        let mut guises: Vec<(String, String)> = vec![
            ("in clear".to_owned(), text.to_owned()),
            ("as JSON".to_owned(), json(text)),
            ("as JSON in JSON".to_owned(), json(&json(text))),
            ("as JSON for HTML".to_owned(), json_for_html(text)),
            ("in a URL".to_owned(), url(text, "%20", |out, b| write!(out, "%{b:02X}"))),
            ("in a URL, lower case".to_owned(), url(text, "%20", |out, b| write!(out, "%{b:02x}"))),
            ("in a form".to_owned(), url(text, "+", |out, b| write!(out, "%{b:02X}"))),
            ("in hexadecimal".to_owned(), hex(text)),
            ("in hexadecimal, upper case".to_owned(), hex(text).to_uppercase()),
        ];
        for offset in 0..3 {
            guises.push((format!("in base64 at offset {offset}"), base64(text, offset, &STANDARD_NO_PAD)));
            guises.push((
                format!("in base64 for URLs at offset {offset}"),
                base64(text, offset, &URL_SAFE_NO_PAD),
            ));
        }
        Self { guises: guises.into_iter().map(|(name, guise)| (name, guise.into_bytes())).collect() }
    }

    /// The guise in which it stands in `bytes`; none: it does not.
    pub fn found_in(&self, bytes: &[u8]) -> Option<&str> {
        let stands = |guise: &[u8]| bytes.windows(guise.len()).any(|w| w == guise);
        self.guises.iter().find(|(_, guise)| stands(guise)).map(|(name, _)| name.as_str())
    }

    /// Sees to it that it does not stand there.
    pub fn must_not_be_in(&self, what: &str, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        if let Some(guise) = self.found_in(bytes) {
            panic!("{what} holds the secret {guise}:\n{}", String::from_utf8_lossy(bytes));
        }
    }

    /// Every file under `folder` that holds it, and how. Links are not followed.
    pub fn search(&self, folder: &Path) -> Vec<(PathBuf, String)> {
        let mut found = Vec::new();
        for path in files(folder) {
            let bytes = must(fs::read(&path), path.display());
            if let Some(guise) = self.found_in(&bytes) {
                found.push((path, guise.to_owned()));
            }
        }
        found
    }
}

/// Every file under `folder`, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in must(fs::read_dir(&next), next.display()) {
            let entry = must(entry, next.display());
            let kind = must(entry.file_type(), next.display());
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

/// The bytes behind base64, as the API server writes it.
pub fn decode_base64(text: &str) -> Vec<u8> {
    must(base64::Engine::decode(&STANDARD, text), text)
}

fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// As Go's encoder writes it.
fn json_for_html(text: &str) -> String {
    json(text).replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

fn url(text: &str, space: &str, escape: fn(&mut String, u8) -> std::fmt::Result) -> String {
    let mut out = String::new();
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) {
            out.push(char::from(b));
        } else if b == b' ' {
            out.push_str(space);
        } else {
            let _ = escape(&mut out, b);
        }
    }
    out
}

/// The letters of base64 that `text` alone decides where `offset` bytes stand before it.
fn base64(text: &str, offset: usize, engine: &impl base64::Engine) -> String {
    let mut bytes = vec![0; offset];
    bytes.extend(text.as_bytes());
    let letters = engine.encode(&bytes);
    let (first, end) = ((offset * 8).div_ceil(6), bytes.len() * 8 / 6);
    letters[first..end].to_owned()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    #[test]
    fn every_guise_is_found() {
        let text = "p@ss w\"ord/<&>\\ é+1";
        let secret = Secret::new(text);
        for before in ["", "x", "xy"] {
            let hidden = STANDARD_NO_PAD.encode(format!("{before}{text}and more"));
            assert!(secret.found_in(hidden.as_bytes()).is_some_and(|g| g.contains("base64")), "{hidden}");
        }
        let said = serde_json::json!({"a": format!("it is {text}")}).to_string();
        assert_eq!(secret.found_in(said.as_bytes()), Some("as JSON"));
        assert_eq!(secret.found_in(b"a=p%40ss+w%22ord%2F%3C%26%3E%5C+%C3%A9%2B1&b"), Some("in a form"));
        assert_eq!(secret.found_in(b"nothing of it"), None);
    }

    #[test]
    fn files_are_searched() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("deep")).unwrap();
        fs::write(folder.path().join("deep/x"), b"\0\xffhunter2hunter2\0").unwrap();
        fs::write(folder.path().join("y"), b"nothing").unwrap();
        let found = Secret::new("hunter2hunter2").search(folder.path());
        assert_eq!(found, [(folder.path().join("deep/x"), "in clear".to_owned())]);
    }
}
