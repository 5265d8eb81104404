//! When a desired leaf and a live one mean the same, although the server writes it another way.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use crate::quantity::Quantity;

/// Whether two leaves mean the same at a field whose names, from the root, are `names` (empty for list items).
pub(crate) fn same(a: &Json, b: &Json, kind: &str, names: &[&str]) -> bool {
    match (a, b) {
        (Json::Number(x), Json::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        _ if a == b => true,
        (Json::String(_) | Json::Number(_), Json::String(_) | Json::Number(_))
            if is_quantity(kind, names) =>
        {
            matches!((quantity(a), quantity(b)), (Some(x), Some(y)) if x == y)
        }
        (Json::String(x), Json::String(y)) if is_bytes(kind, names) => {
            matches!((bytes(x), bytes(y)), (Some(x), Some(y)) if x == y)
        }
        _ => false,
    }
}

fn quantity(value: &Json) -> Option<Quantity> {
    match value {
        Json::String(s) => Quantity::parse(s),
        Json::Number(n) => Quantity::parse(&n.to_string()),
        _ => None,
    }
}

/// The server writes base64 anew, without line breaks.
fn bytes(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text.bytes().filter(|b| !b.is_ascii_whitespace()).collect::<Vec<_>>()).ok()
}

fn is_bytes(kind: &str, names: &[&str]) -> bool {
    matches!((kind, names), ("Secret", ["data", _]) | ("ConfigMap", ["binaryData", _]))
}

/// Whether a quantity stands there; by name, since the same names are used by custom resources that follow suit.
fn is_quantity(kind: &str, names: &[&str]) -> bool {
    let [above @ .., parent, name] = names else { return false };
    if matches!(above.first().unwrap_or(parent), &"data" | &"stringData" | &"metadata" | &"binaryData") {
        return false;
    }
    match *parent {
        "requests" | "limits" | "hard" | "capacity" | "allocatable" | "podFixed" => true,
        "default" | "defaultRequest" | "max" | "min" | "maxLimitRequestRatio" => kind == "LimitRange",
        "target" => matches!(*name, "value" | "averageValue"),
        "emptyDir" => *name == "sizeLimit",
        "resourceFieldRef" => *name == "divisor",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn quantities_are_equal_by_meaning_where_they_stand() {
        let limits = ["spec", "containers", "", "resources", "limits", "cpu"];
        assert!(same(&json!("1000m"), &json!("1"), "Pod", &limits));
        assert!(same(&json!(1), &json!("1"), "Pod", &limits));
        assert!(same(&json!(0.5), &json!("500m"), "Pod", &limits));
        assert!(!same(&json!("2"), &json!("1"), "Pod", &limits));
        assert!(!same(&json!("x"), &json!("y"), "Pod", &limits));
        assert!(!same(&json!("1000m"), &json!("1"), "Pod", &["spec", "containers", "", "env", "", "value"]));
        assert!(!same(&json!("1k"), &json!("1000"), "ConfigMap", &["data", "limits"]));
        assert!(!same(&json!("1k"), &json!("1000"), "ConfigMap", &["data", "limits", "x"]));
        assert!(same(
            &json!("1Gi"),
            &json!("1024Mi"),
            "LimitRange",
            &["spec", "limits", "", "max", "memory"]
        ));
        assert!(!same(&json!("1k"), &json!("1000"), "Widget", &["spec", "max", "text"]));
    }

    #[test]
    fn numbers_and_base64() {
        assert!(same(&json!(1.0), &json!(1), "Pod", &["spec", "x"]));
        assert!(!same(&json!(80), &json!("80"), "Service", &["spec", "ports", "", "targetPort"]));
        assert!(same(&json!("YQ==\n"), &json!("YQ=="), "Secret", &["data", "a"]));
        assert!(!same(&json!("YQ==\n"), &json!("YQ=="), "ConfigMap", &["data", "a"]));
        assert!(!same(&json!("Yg=="), &json!("YQ=="), "Secret", &["data", "a"]));
    }
}
