//! Kubernetes' amounts, as far as comparing two of them needs.

/// The suffixes and what they multiply by.
const SUFFIXES: [(&str, f64); 16] = [
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("", 1.0),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
];

/// The number that an amount stands for, near enough to say which of two is larger; none where it is no amount, or
/// not above zero.
pub(crate) fn parse(text: &str) -> Option<f64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let factor = match suffix.strip_prefix(['e', 'E']) {
        // `1e3`; a bare `E` is exa.
        Some(exponent) if exponent.parse::<i32>().is_ok() => 10_f64.powi(exponent.parse().ok()?),
        _ => SUFFIXES.iter().find(|(name, _)| *name == suffix)?.1,
    };
    let number: f64 = number.parse().ok()?;
    let amount = number * factor;
    (amount > 0.0 && amount.is_finite()).then_some(amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        for (text, number) in [
            ("1", 1.0),
            ("0.5", 0.5),
            ("500m", 0.5),
            (".5", 0.5),
            ("1.", 1.0),
            ("2k", 2000.0),
            ("1Ki", 1024.0),
            ("1e3", 1000.0),
            ("1E3", 1000.0),
            ("1e-3", 0.001),
            ("1E", 1e18),
        ] {
            assert_eq!(parse(text), Some(number), "{text}");
        }
        for bad in
            ["", "m", "-1", "0", "1 Gi", "1GB", "1gi", "1..2", "1e", "1e99999999999", "NaN", "½", "1e999"]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
