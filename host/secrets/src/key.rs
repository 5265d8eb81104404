//! The keys: one for an installation, and from it one for each stack.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use sheave_model::{Diagnostic, Masked, SecretText, Value};
use zeroize::Zeroizing;

const KEY_LEN: usize = 32;

/// Where randomness comes from: the operating system's in production, a seeded one in tests.
pub trait RandomSource {
    /// Fills all of `bytes`.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// An installation's key: 32 random bytes, wiped when dropped. Everything else is derived from it.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; KEY_LEN]>);

/// A text that is no key. It does not say what the text was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key is not 32 bytes in base64 or hexadecimal: {why}")]
pub struct KeyError {
    /// What is wrong, without the text itself.
    pub why: String,
}

impl KeyError {
    /// As the CLI shows it.
    pub fn diagnostic(&self) -> Diagnostic {
        Diagnostic::error("secrets.key-malformed", self.to_string())
            .with_help("`openssl rand -base64 32` makes a key of the right form")
    }
}

impl MasterKey {
    /// Takes the bytes over.
    pub fn from_bytes(bytes: [u8; KEY_LEN]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads base64 (either alphabet, padded or not) or 64 hexadecimal digits; white space around is ignored.
    ///
    /// # Errors
    /// The text is neither, or not 32 bytes long.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let bytes = Zeroizing::new(if text.len() == 2 * KEY_LEN {
            unhex(text).ok_or_else(|| KeyError { why: "64 characters, not all hexadecimal".to_owned() })?
        } else {
            let lenient =
                GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
            GeneralPurpose::new(&alphabet::STANDARD, lenient)
                .decode(text.replace('-', "+").replace('_', "/"))
                .map_err(|_| KeyError { why: "it has characters that are in neither".to_owned() })?
        });
        let mut key = Zeroizing::new([0; KEY_LEN]);
        if bytes.len() != KEY_LEN {
            return Err(KeyError { why: format!("it has {} bytes", bytes.len()) });
        }
        key.copy_from_slice(&bytes);
        Ok(Self(key))
    }

    /// A new key.
    pub fn generate(random: &mut dyn RandomSource) -> Self {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        random.fill(&mut *key);
        Self(key)
    }

    /// The text that [`MasterKey::parse`] reads: base64.
    pub fn encode(&self) -> SecretText {
        SecretText::new(base64::engine::general_purpose::STANDARD.encode(*self.0))
    }

    /// The key of the stack with this name.
    pub fn stack(&self, name: &str) -> StackKey {
        let base = Zeroizing::new(keyed(&self.0, &[b"stack", name.as_bytes()]));
        let part = |purpose: &[u8]| Zeroizing::new(keyed(&base, &[purpose]));
        StackKey(Arc::new(Parts {
            name: name.to_owned(),
            token: part(b"token"),
            digest: part(b"digest"),
            seal: part(b"seal"),
        }))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

/// A stack's key: derived from the installation's key and the stack's name, one subkey a purpose. Cheap to clone.
#[derive(Clone)]
pub struct StackKey(Arc<Parts>);

struct Parts {
    name: String,
    token: Zeroizing<[u8; KEY_LEN]>,
    digest: Zeroizing<[u8; KEY_LEN]>,
    seal: Zeroizing<[u8; KEY_LEN]>,
}

impl StackKey {
    /// The stack's name.
    pub fn stack(&self) -> &str {
        &self.0.name
    }

    /// A keyed digest as 64 lower-case hexadecimal digits. Who lacks the key cannot test guesses against it.
    /// Digests of different purposes have nothing to do with each other.
    pub fn digest(&self, purpose: &str, bytes: &[u8]) -> String {
        hex(&keyed(&self.0.digest, &[purpose.as_bytes(), bytes]))
    }

    /// The digest that stands for a secret in [`Masked`].
    pub fn masker(&self) -> impl Fn(&str) -> String {
        let key = self.clone();
        move |secret| key.digest("masked", secret.as_bytes())
    }

    /// `value` as it may be shown and compared.
    pub fn mask(&self, value: &Value) -> Masked {
        Masked::of(value, &self.masker())
    }

    pub(crate) fn token_bytes(&self, parts: &[&[u8]]) -> [u8; 32] {
        keyed(&self.0.token, parts)
    }

    pub(crate) fn seal_key(&self) -> &[u8; KEY_LEN] {
        &self.0.seal
    }

    /// Names the sealing key without telling anything of it.
    pub(crate) fn seal_key_id(&self) -> String {
        hex(&keyed(&self.0.seal, &[b"id"])[..4])
    }
}

impl fmt::Debug for StackKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StackKey({:?}, ..)", self.0.name)
    }
}

/// HMAC-SHA-256 over the parts, each preceded by its length so that no two lists of parts are one message.
/// The master key is uniform, so this is also all of HKDF that is needed: its expansion of one block.
fn keyed(key: &[u8; KEY_LEN], parts: &[&[u8]]) -> [u8; 32] {
    let mut block = Zeroizing::new([0; 64]);
    block[..KEY_LEN].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    mac.update(b"sheave.v1");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|d| char::from(DIGITS[usize::from(d)])).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    text.as_bytes().chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_what_it_writes_in_every_form() {
        let key = MasterKey::from_bytes([0xfb; 32]);
        let standard = key.encode().expose().to_owned();
        assert!(standard.contains('+') && standard.ends_with('='), "{standard}");
        let url = standard.replace('+', "-").replace('/', "_");
        let bare = url.trim_end_matches('=').to_owned();
        for text in [standard, url, bare, hex(&[0xfb; 32]), format!("  {}\n", "FB".repeat(32))] {
            assert_eq!(*MasterKey::parse(&text).unwrap().0, [0xfb; 32], "{text}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_without_repeating_it() {
        for text in ["", "hunter2hunter2", "!!!!", &"zz".repeat(32), &"ab".repeat(31), "Zm9v"] {
            let error = MasterKey::parse(text).unwrap_err();
            assert!(text.is_empty() || !error.to_string().contains(text), "{error}");
        }
    }

    #[test]
    fn keys_show_nothing_in_debug() {
        let key = MasterKey::from_bytes([0x41; 32]);
        let shown = format!("{key:?} {:?}", key.stack("blog"));
        assert_eq!(shown, r#"MasterKey(..) StackKey("blog", ..)"#);
    }

    #[test]
    fn digests_depend_on_master_stack_and_purpose_alone() {
        let a = MasterKey::from_bytes([1; 32]);
        let digest = a.stack("blog").digest("input", b"x");
        assert_eq!(digest, a.stack("blog").digest("input", b"x"));
        assert_eq!(digest.len(), 64);
        assert_ne!(digest, a.stack("shop").digest("input", b"x"));
        assert_ne!(digest, a.stack("blog").digest("inpu", b"tx"));
        assert_ne!(digest, MasterKey::from_bytes([2; 32]).stack("blog").digest("input", b"x"));
    }
}
