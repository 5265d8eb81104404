//! Lengths of time as blueprints write them: `90s`, `5m`, `1h30m`.

use std::time::Duration;

/// The length of time; none where the text is none, or longer than a month.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    const LONGEST: u64 = 31 * 24 * 3600 * 1000;
    let mut rest = text;
    let mut millis = 0_u64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
        let (unit, each) = units.into_iter().find(|(unit, _)| rest.starts_with(unit))?;
        rest = &rest[unit.len()..];
        millis = millis.checked_add(number.checked_mul(each)?)?;
    }
    (1..=LONGEST).contains(&millis).then(|| Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, millis) in
            [("90s", 90_000), ("5m", 300_000), ("1h30m", 5_400_000), ("250ms", 250), ("1d", 86_400_000)]
        {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "5", "m", "5 m", "-5m", "5x", "0s", "999999999999d", "1.5h"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
