//! Kubernetes' quantities (`500m`, `1.5Gi`, `1e3`), compared by what they mean.

/// An amount, exact to a thousand-millionth, which is as fine as Kubernetes keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity {
    nanos: i128,
}

/// No sensible quantity is longer; a text that is would only cost time.
const MAX_LEN: usize = 64;

impl Quantity {
    /// Reads a quantity; none where the text is none, or beyond what 128 bits hold.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_LEN {
            return None;
        }
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let mut mantissa: i128 = 0;
        for digit in whole.bytes().chain(fraction.bytes()) {
            mantissa = mantissa.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
        }
        let (tens, binary) = scale(suffix)?;
        mantissa = mantissa.checked_mul(1_i128.checked_shl(binary)?)?;
        let exponent = 9_i32.checked_add(tens)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
        let power = 10_i128.checked_pow(exponent.unsigned_abs());
        let nanos = match (exponent >= 0, power) {
            _ if mantissa == 0 => 0,
            (true, power) => mantissa.checked_mul(power?)?,
            // Finer than it is kept: rounded up, as the server does.
            (false, Some(power)) => mantissa / power + i128::from(mantissa % power != 0),
            (false, None) => 1,
        };
        Some(Self { nanos: if negative { -nanos } else { nanos } })
    }
}

/// A suffix as powers of ten and of two.
fn scale(suffix: &str) -> Option<(i32, u32)> {
    Some(match suffix {
        "" => (0, 0),
        "n" => (-9, 0),
        "u" => (-6, 0),
        "m" => (-3, 0),
        "k" => (3, 0),
        "M" => (6, 0),
        "G" => (9, 0),
        "T" => (12, 0),
        "P" => (15, 0),
        "E" => (18, 0),
        "Ki" => (0, 10),
        "Mi" => (0, 20),
        "Gi" => (0, 30),
        "Ti" => (0, 40),
        "Pi" => (0, 50),
        "Ei" => (0, 60),
        _ => (suffix.strip_prefix(['e', 'E'])?.parse().ok()?, 0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equal_amounts_are_equal() {
        for (a, b) in [
            ("1", "1000m"),
            ("0.5", "500m"),
            ("1.5Gi", "1536Mi"),
            ("1Ki", "1024"),
            ("1k", "1000"),
            ("1e3", "1k"),
            ("1E3", "1000"),
            ("12e-3", "12m"),
            ("0", "0Gi"),
            ("-1", "-1000m"),
            ("+1", "1"),
            (".5", "500m"),
            ("1.", "1"),
            ("0.0000000001", "1n"),
            ("1E", "1000P"),
            ("8Ei", "8192Pi"),
        ] {
            assert_eq!(Quantity::parse(a).unwrap(), Quantity::parse(b).unwrap(), "{a} {b}");
        }
        assert!(Quantity::parse("1Mi").unwrap() > Quantity::parse("1M").unwrap());
    }

    #[test]
    fn refuses_what_is_none() {
        for text in ["", "-", ".", "1x", "1.2.3", "1 Gi", "Gi", "1e", "1e99999999999", "0x10", "1KI", "1e40"]
        {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
        assert_eq!(Quantity::parse(&"9".repeat(65)), None);
    }

    proptest! {
        #[test]
        fn never_panics(text in ".{0,70}|[-+]?[0-9.]{0,70}(e[-+]?[0-9]{1,12}|[KMGTPE]i|[numkMGTPE])?") {
            let _ = Quantity::parse(&text);
        }

        #[test]
        fn milli_and_whole_agree(n in 0_i64..1_000_000_000) {
            prop_assert_eq!(Quantity::parse(&n.to_string()), Quantity::parse(&format!("{n}000m")));
        }
    }
}
