//! Answers as text: YAML, its fields in order, so that two answers are alike where their texts are.

use serde_json::Value;

pub(super) fn text(answer: &Value) -> String {
    // Whatever is JSON is YAML: where the writer fails, JSON it is.
    serde_saphyr::to_string(answer).unwrap_or_else(|_| format!("{answer:#}\n"))
}

pub(super) fn read(text: &str) -> Result<Value, String> {
    serde_saphyr::from_str(text).map_err(|e| e.to_string())
}
