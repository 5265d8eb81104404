//! Names that Kubernetes, DNS and others accept, made of a resource's address.

/// The longest DNS label.
const LONGEST: usize = 63;

/// `address` as a DNS label: `web[2]` is `web-2`, `shard["EU_west"]` is `shard-eu-west`, `db.volume` is `db-volume`.
///
/// Where characters are lost for good, or the label would be too long, eight characters of a hash keep it apart
/// from others.
pub fn dns_label(address: &str) -> String {
    let mut label = String::with_capacity(address.len());
    let mut lost = false;
    for c in address.chars() {
        match c {
            'a'..='z' | '0'..='9' => label.push(c),
            'A'..='Z' => label.push(c.to_ascii_lowercase()),
            _ => {
                lost |= !matches!(c, '.' | '-' | '_' | '[' | ']' | '"');
                if !label.is_empty() && !label.ends_with('-') {
                    label.push('-');
                }
            }
        }
    }
    label.truncate(label.trim_end_matches('-').len());
    if lost || label.is_empty() || label.len() > LONGEST {
        label.truncate(LONGEST - 9);
        label.truncate(label.trim_end_matches('-').len());
        let hash = fnv(address.as_bytes());
        label = if label.is_empty() { format!("x{hash:08x}") } else { format!("{label}-{hash:08x}") };
    }
    label
}

/// FNV-1a: enough to keep names apart, and the same everywhere and always.
fn fnv(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_labels() {
        for (address, label) in [
            ("web", "web"),
            ("web[2]", "web-2"),
            (r#"shard["eu"]"#, "shard-eu"),
            (r#"shard["EU_west"].Data_base"#, "shard-eu-west-data-base"),
            ("db.primary[0].volume", "db-primary-0-volume"),
            ("a__b--", "a-b"),
        ] {
            assert_eq!(dns_label(address), label);
        }
    }

    #[test]
    fn what_is_lost_is_hashed() {
        let (one, other) = (dns_label(r#"s["日"]"#), dns_label(r#"s["本"]"#));
        assert!(one.starts_with("s-") && one != other, "{one} {other}");
        let long = "a".repeat(70);
        assert_eq!(dns_label(&long).len(), 63);
        assert_ne!(dns_label(&long), dns_label(&format!("{long}b")));
        assert_eq!(dns_label("-").len(), 9);
    }
}
