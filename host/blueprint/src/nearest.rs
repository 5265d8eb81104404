//! The nearest name to a misspelt one.

/// The candidate that `name` was probably meant to be; none where nothing is near.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Compares short names only: the distance takes time in the product of both lengths.
    const LONGEST: usize = 64;
    if name.len() > LONGEST {
        return None;
    }
    let folded = name.to_ascii_lowercase();
    let allowed = match name.chars().count() {
        0..=3 => 1,
        4..=5 => 2,
        _ => 3,
    };
    candidates
        .into_iter()
        .filter(|c| c.len() <= LONGEST && *c != name)
        .filter_map(|c| {
            let lower = c.to_ascii_lowercase();
            let distance = strsim::osa_distance(&folded, &lower);
            // `input` for `inputs`, `external` for `externalIP`: a beginning is near, however long the rest.
            let begins = folded.len() >= 3
                && (lower.starts_with(&folded) || folded.starts_with(&lower) && lower.len() >= 4);
            let near = distance <= allowed && distance < folded.chars().count().max(2);
            (near || begins).then_some((if begins { distance.min(allowed) } else { distance }, c))
        })
        .min_by(|a, b| a.0.cmp(&b.0).then(a.1.cmp(b.1)))
        .map(|(_, c)| c)
}

/// The sentence for a diagnostic's help: the nearest name, or all of a few names.
pub(crate) fn help<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let all: Vec<&str> = candidates.into_iter().collect();
    if let Some(near) = nearest(name, all.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    (!all.is_empty() && all.len() <= 12).then(|| format!("there is {}", listed(&all)))
}

/// `a`, `b` and `c`, each in backticks.
pub(crate) fn listed(names: &[&str]) -> String {
    match names {
        [] => "nothing".into(),
        [one] => format!("`{one}`"),
        [most @ .., last] => {
            let most: Vec<String> = most.iter().map(|n| format!("`{n}`")).collect();
            format!("{} and `{last}`", most.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let names = ["replicas", "image", "name", "ports", "inputs", "externalIP", "IP"];
        for (wrong, right) in [
            ("replcias", Some("replicas")),
            ("Image", Some("image")),
            ("nmae", Some("name")),
            ("input", Some("inputs")),
            ("external", Some("externalIP")),
            ("rep", Some("replicas")),
            ("port", Some("ports")),
            ("zzz", None),
            ("x", None),
        ] {
            assert_eq!(nearest(wrong, names), right, "{wrong}");
        }
    }
}
