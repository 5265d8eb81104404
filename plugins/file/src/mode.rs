//! Permissions as people write them: three or four octal digits.

use std::fmt;

use sheave_sdk::Diagnostic;

/// What a file has where the blueprint does not say: all may read, its owner may write.
pub(crate) const DEFAULT: &str = "0644";

/// Without it the plugin could not see whether the file is still as it should be.
const OWNER_READS: u32 = 0o400;

/// A file's permission bits. What is there may have setuid, setgid and sticky; what is wanted never does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mode(u32);

impl Mode {
    /// Of a file's bits.
    pub(crate) fn of(bits: u32) -> Self {
        Self(bits & 0o7777)
    }

    pub(crate) fn bits(self) -> u32 {
        self.0
    }

    /// As the blueprint says it.
    pub(crate) fn parse(text: &str) -> Result<Self, Diagnostic> {
        let octal = matches!(text.len(), 3 | 4) && text.bytes().all(|b| matches!(b, b'0'..=b'7'));
        let Some(bits) = u32::from_str_radix(text, 8).ok().filter(|_| octal) else {
            return Err(fault(text, "a mode has three or four octal digits, in quotes, such as `\"0600\"`"));
        };
        if bits > 0o777 {
            return Err(fault(
                text,
                "setuid, setgid and sticky cannot be set: the first of four digits is 0",
            ));
        }
        if bits & OWNER_READS == 0 {
            return Err(fault(
                text,
                "its owner must be able to read it, or no plan could see what became of it: such as `\"0400\"`",
            ));
        }
        Ok(Self(bits))
    }
}

fn fault(text: &str, detail: &str) -> Diagnostic {
    Diagnostic::error("file.bad-mode", format!("`{text}` cannot be a file's mode")).at("/mode").detail(detail)
}

/// Four digits.
impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_octal_digits_and_written_in_one_way() {
        for (text, shown) in [("0600", "0600"), ("600", "0600"), ("0777", "0777"), ("400", "0400")] {
            assert_eq!(Mode::parse(text).unwrap().to_string(), shown, "{text}");
        }
        assert_eq!(Mode::parse(DEFAULT).unwrap().bits(), 0o644);
        assert_eq!(Mode::of(0o104_755).to_string(), "4755", "what is there may have them");
    }

    #[test]
    fn other_forms_are_refused() {
        let refused =
            ["", "6", "60", "00600", "0800", "06a0", "+600", "-600", " 600", "0o600", "u=rw", "６00"];
        for (texts, says) in [
            (&refused[..], "octal digits"),
            (&["4755", "2755", "1777", "7777"], "setuid"),
            (&["0000", "0377", "044"], "owner"),
        ] {
            for text in texts {
                let fault = Mode::parse(text).unwrap_err();
                assert_eq!((fault.code.as_str(), fault.pointer.as_deref()), ("file.bad-mode", Some("/mode")));
                assert!(fault.detail.contains(says), "{text}: {}", fault.detail);
            }
        }
    }
}
