//! What to look for: a secret's text and its base64 forms.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use zeroize::Zeroizing;

/// Secrets below this many bytes are masked only where they stand as a word of their own: masking every `a` of a text
/// would say more about the secret than it hides, and three characters protect nothing.
pub(crate) const MIN_ANYWHERE: usize = 4;
/// Secrets above this many bytes are not looked for in base64 within base64: it would take sixteen times their size.
const MAX_NESTED: usize = 4096;

/// One text to look for.
pub(crate) struct Pattern {
    pub(crate) text: Zeroizing<Vec<u8>>,
    /// Also covers one base64 character before it, which holds some of the secret's bits.
    pub(crate) before: bool,
    /// Also covers one base64 character after it, and padding.
    pub(crate) after: bool,
    /// Only where no letter or digit is beside it.
    pub(crate) word: bool,
}

/// Collects the patterns of many secrets, each once.
#[derive(Default)]
pub(crate) struct Patterns {
    seen: HashSet<Vec<u8>>,
    pub(crate) list: Vec<Pattern>,
}

impl Patterns {
    pub(crate) fn add_secret(&mut self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        if secret.len() < MIN_ANYWHERE {
            self.add(secret.as_bytes(), false, false, true);
            self.add(STANDARD.encode(secret).as_bytes(), false, false, true);
            return;
        }
        let compact: String = secret.split_ascii_whitespace().collect();
        for form in [secret, secret.trim(), &compact, &secret.replace(' ', "+")] {
            if form.len() >= MIN_ANYWHERE {
                self.add(form.as_bytes(), false, false, false);
            }
        }
        self.add_base64(secret.as_bytes());
        // A JSON document that holds the secret, in base64: a pull secret.
        let json = serde_json::Value::from(secret).to_string();
        let json = &json.as_bytes()[1..json.len() - 1];
        if json != secret.as_bytes() {
            self.add_base64(json);
        }
        if secret.len() <= MAX_NESTED {
            for (inner, _, _) in base64_forms(secret.as_bytes()) {
                self.add_base64(&inner);
                self.add_base64(&in_url_alphabet(&inner));
            }
        }
    }

    fn add_base64(&mut self, bytes: &[u8]) {
        for (form, before, after) in base64_forms(bytes) {
            self.add(&in_url_alphabet(&form), before, after, false);
            self.add(&form, before, after, false);
        }
    }

    fn add(&mut self, text: &[u8], before: bool, after: bool, word: bool) {
        if self.seen.insert(text.to_vec()) {
            self.list.push(Pattern { text: Zeroizing::new(text.to_vec()), before, after, word });
        }
    }
}

/// The characters that `bytes` make in base64 whatever stands before and after them, for each of the three places in a
/// group of three; and whether characters before and after hold some of its bits, too.
fn base64_forms(bytes: &[u8]) -> impl Iterator<Item = (Vec<u8>, bool, bool)> {
    (0..3).map(move |offset| {
        let mut shifted = Zeroizing::new(vec![0; offset]);
        shifted.extend_from_slice(bytes);
        let encoded = STANDARD_NO_PAD.encode(&*shifted);
        let partial = shifted.len() % 3 != 0;
        let start = [0, 2, 3][offset];
        let end = encoded.len() - usize::from(partial);
        (encoded.as_bytes()[start..end].to_vec(), offset > 0, partial)
    })
}

fn in_url_alphabet(base64: &[u8]) -> Vec<u8> {
    let letter = |b: &u8| match b {
        b'+' => b'-',
        b'/' => b'_',
        other => *other,
    };
    base64.iter().map(letter).collect()
}
