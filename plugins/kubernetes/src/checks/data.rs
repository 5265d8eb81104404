//! The keys of a ConfigMap's or Secret's data.

use sheave_sdk::Diagnostic;

use super::{Props, join};

/// Where data stands in a ConfigMap or a Secret.
const PLACES: [&str; 3] = ["/data", "/binaryData", "/stringData"];
const LONGEST_KEY: usize = 253;

/// Every key is a file's name; under server-side apply one that stands twice in a ConfigMap is refused.
pub(crate) fn keys_of_data(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    for place in PLACES {
        for (key, _) in props.map(place) {
            let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
            if key.is_empty()
                || key.len() > LONGEST_KEY
                || !key.bytes().all(good)
                || key == "."
                || key == ".."
            {
                let why = Diagnostic::error("kubernetes.bad-key", format!("`{key}` cannot be a key of data"));
                let rule = "letters, digits, `-`, `_` and `.`; at most 253 characters";
                found.push(why.at(join(place, key)).detail(rule));
            }
        }
    }
    for (key, _) in props.map("/binaryData") {
        if props.value.pointer(&join("/data", key)).is_some() {
            let why = format!("`{key}` stands in both `data` and `binaryData`");
            found.push(Diagnostic::error("kubernetes.duplicate-key", why).at(join("/binaryData", key)));
        }
    }
}
