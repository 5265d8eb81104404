//! What an app's objects are called, and the labels that hold them together.

use sheave_sdk::{Context, Map, Value, dns_label, json};

use super::props::Props;

/// The longest DNS label.
const LONGEST: usize = 63;

pub(crate) const NAME_LABEL: &str = "app.kubernetes.io/name";
pub(crate) const TOOL_LABEL: &str = "app.kubernetes.io/managed-by";

/// The names of one app.
pub(crate) struct Names {
    base: String,
    namespace: Option<String>,
    labels: Map<String, Value>,
    annotations: Map<String, Value>,
}

impl Names {
    pub(crate) fn new(cx: &Context, props: &Props) -> Self {
        let base = label(props.name.as_deref().unwrap_or(cx.name()));
        let texts = |map: &Option<super::props::Texts>| -> Map<String, Value> {
            map.iter().flatten().map(|(key, value)| (key.clone(), json!(value.0))).collect()
        };
        let mut labels = texts(&props.labels);
        labels.extend(selector_of(&base));
        Self { base, namespace: props.namespace.clone(), labels, annotations: texts(&props.annotations) }
    }

    /// The app's own name: its Deployment's, and that of all it has only one of.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// What belongs to the app beside its Deployment.
    pub(crate) fn of(&self, part: &str) -> String {
        join(&self.base, part)
    }

    pub(crate) fn secret(&self) -> String {
        self.of("env")
    }

    /// The labels by which Services find the pods. Two, so that no pod of another tool is found that has one of them.
    pub(crate) fn selector(&self) -> Map<String, Value> {
        selector_of(&self.base)
    }

    pub(crate) fn labels(&self) -> &Map<String, Value> {
        &self.labels
    }

    /// The metadata of an object.
    pub(crate) fn metadata(&self, name: impl Into<String>) -> Value {
        let mut metadata = json!({"name": name.into(), "labels": self.labels});
        super::put(&mut metadata, "namespace", self.namespace.clone());
        super::put(&mut metadata, "annotations", self.annotations());
        metadata
    }

    /// The annotations, where there are any.
    pub(crate) fn annotations(&self) -> Option<Value> {
        (!self.annotations.is_empty()).then(|| json!(self.annotations))
    }
}

fn selector_of(base: &str) -> Map<String, Value> {
    Map::from_iter([(NAME_LABEL.to_owned(), json!(base)), (TOOL_LABEL.to_owned(), json!("sheave"))])
}

/// Any text as a name that a Service can have too: a DNS label that begins with a letter.
pub(crate) fn label(text: &str) -> String {
    // Spaces part words, as `_` and `.` do.
    let label = dns_label(&text.trim().replace(char::is_whitespace, "-"));
    if label.starts_with(|c: char| c.is_ascii_digit()) { join("app", &label) } else { label }
}

/// Two labels as one; where that would be too long, a hash of the whole keeps it apart from others.
pub(crate) fn join(base: &str, part: &str) -> String {
    let whole = format!("{base}-{part}");
    if whole.len() <= LONGEST { whole } else { dns_label(&whole) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_becomes_a_name() {
        for (text, name) in [
            ("web", "web"),
            ("My Web_App", "my-web-app"),
            ("  a\tb ", "a-b"),
            ("2048", "app-2048"),
            (r#"shard["EU_west"]"#, "shard-eu-west"),
        ] {
            assert_eq!(label(text), name);
        }
    }

    #[test]
    fn long_names_stay_apart() {
        let base = "a".repeat(63);
        let (one, other) = (join(&base, "80"), join(&base, "443"));
        assert!(one.len() <= LONGEST && other.len() <= LONGEST && one != other, "{one} {other}");
    }
}
