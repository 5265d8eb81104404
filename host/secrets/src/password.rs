//! Passwords: letters and digits, every one as likely as any other.

use sheave_model::SecretText;
use zeroize::Zeroizing;

use crate::key::RandomSource;

/// The shortest that is made: eight letters and digits are 47 bits, the least that stands against guessing online.
pub const MIN_PASSWORD: u32 = 8;
/// The longest: beyond it common servers cut off (bcrypt reads 72 bytes) or refuse, and 762 bits are enough.
pub const MAX_PASSWORD: u32 = 128;

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A length outside the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters, not {0}")]
pub struct PasswordLength(pub u32);

/// A new password of `length` ASCII letters and digits: no character that a shell, a URL or YAML would read otherwise.
///
/// # Errors
/// The length is below [`MIN_PASSWORD`] or above [`MAX_PASSWORD`].
pub fn password(length: u32, random: &mut dyn RandomSource) -> Result<SecretText, PasswordLength> {
    if !(MIN_PASSWORD..=MAX_PASSWORD).contains(&length) {
        return Err(PasswordLength(length));
    }
    // Four rounds of 62 make 248; bytes above are thrown away, so that the others are equally likely.
    let fair = 247;
    let length = length as usize;
    let mut text = String::with_capacity(length);
    let mut bytes = Zeroizing::new([0; 64]);
    while text.len() < length {
        random.fill(&mut *bytes);
        let chars = bytes.iter().filter(|b| **b <= fair).map(|b| char::from(LETTERS[usize::from(b % 62)]));
        text.extend(chars.take(length - text.len()));
    }
    Ok(SecretText::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts up, so that every byte comes equally often.
    struct Counting(u8);

    impl RandomSource for Counting {
        fn fill(&mut self, bytes: &mut [u8]) {
            for byte in bytes {
                *byte = self.0;
                self.0 = self.0.wrapping_add(1);
            }
        }
    }

    #[test]
    fn every_letter_is_equally_likely() {
        let mut random = Counting(0);
        let mut counts = std::collections::BTreeMap::new();
        // 31 passwords of 128 characters use up 16 rounds of the 248 fair bytes exactly.
        let mut text = String::new();
        for _ in 0..31 {
            text.push_str(password(128, &mut random).unwrap().expose());
        }
        for c in text.chars() {
            *counts.entry(c).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 62);
        let (least, most) = (counts.values().min().unwrap(), counts.values().max().unwrap());
        assert!(most - least <= 31, "{least} {most}");
    }

    #[test]
    fn the_bytes_of_the_incomplete_round_are_not_used() {
        struct Last;
        impl RandomSource for Last {
            fn fill(&mut self, bytes: &mut [u8]) {
                bytes.fill(255);
                bytes[..8].copy_from_slice(&[0, 61, 62, 247, 248, 251, 254, 255]);
            }
        }
        // 248 and above are skipped; four characters a fill are left.
        assert_eq!(password(8, &mut Last).unwrap().expose(), "A9A9A9A9");
    }

    #[test]
    fn lengths_have_limits() {
        for length in [0, 7, 129, u32::MAX] {
            assert_eq!(password(length, &mut Counting(0)), Err(PasswordLength(length)));
        }
        assert_eq!(password(8, &mut Counting(9)).unwrap().expose().len(), 8);
    }
}
