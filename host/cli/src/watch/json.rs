//! Events as the lines of `--json`: a stable interface.

use jiff::{Timestamp, Unit};
use serde_json::{Value as Json, json};
use sheave_model::event::{Event, What};
use sheave_model::{Sources, Span};

/// An event of now.
pub(super) fn event(stack: &str, what: What) -> Event {
    let now = Timestamp::now();
    let at = format!("{:.3}", now.round(Unit::Millisecond).unwrap_or(now));
    Event { at, stack: stack.to_owned(), what }
}

/// `event` on one line. A label whose text is among `sources` also says its file, line and column.
pub(super) fn line(event: &Event, sources: &Sources) -> String {
    // An event is made of texts, numbers and maps of texts: writing it as JSON cannot fail.
    let plain = || serde_json::to_string(event).unwrap_or_default();
    let (What::Failed { diagnostic, .. } | What::Diagnostic { diagnostic }) = &event.what else {
        return plain();
    };
    if diagnostic.labels.iter().all(|l| sources.get(l.span.source).is_none()) {
        return plain();
    }
    let Ok(mut out) = serde_json::to_value(event) else { return plain() };
    let labels = out.pointer_mut("/diagnostic/labels").and_then(Json::as_array_mut);
    for (label, json) in diagnostic.labels.iter().zip(labels.into_iter().flatten()) {
        if let (Some(place), Some(fields)) = (place(label.span, sources), json.as_object_mut()) {
            fields.extend(place);
        }
    }
    out.to_string()
}

/// The file's name as it was given, and line and column counted from one, the column in characters.
fn place(span: Span, sources: &Sources) -> Option<serde_json::Map<String, Json>> {
    let (name, text) = sources.get(span.source)?;
    let before = text.get(..span.start)?;
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    let column = before.get(line_start..)?.chars().count() + 1;
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    match json!({"file": name, "line": line, "column": column}) {
        Json::Object(fields) => Some(fields),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use sheave_model::Diagnostic;

    use super::*;

    #[test]
    fn labels_say_where_they_are() {
        let mut sources = Sources::default();
        let source = sources.add("blueprint.yaml", "a: 1\nä: b\n");
        let fault = Diagnostic::error("a.b", "x").at(Span { source, start: 9, end: 10 }, "here");
        let event =
            Event { at: "now".into(), stack: "s".into(), what: What::Diagnostic { diagnostic: fault } };
        let json: Json = serde_json::from_str(&line(&event, &sources)).unwrap();
        let label = &json["diagnostic"]["labels"][0];
        assert_eq!(
            (&label["file"], &label["line"], &label["column"]),
            (&json!("blueprint.yaml"), &json!(2), &json!(4))
        );
        assert_eq!(json["type"], "diagnostic");
        assert!(
            line(&event, &Sources::default()).starts_with(r#"{"at":"now","stack":"s","type":"diagnostic""#)
        );
    }

    #[test]
    fn times_are_rfc_3339_with_milliseconds() {
        let at = event("s", What::Deleted { address: "a".parse().unwrap() }).at;
        assert_eq!(at.len(), "2026-01-02T03:04:05.678Z".len(), "{at}");
        assert!(at.ends_with('Z'));
    }
}
