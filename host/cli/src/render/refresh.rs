//! What a refresh found, for people.

use std::fmt::Write as _;

use sheave_driver::RefreshReport;

use super::{change, outside, plan};
use crate::look::Paint;

/// What drifted, field by field, and which outputs are others now.
pub(crate) fn text(found: &RefreshReport, paint: Paint) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    for drifted in &found.drift {
        let address = drifted.address.to_string();
        let address = outside::line(&address);
        let id = drifted.object.as_ref().map(ToString::to_string);
        let id = id.as_deref().map(outside::line);
        if drifted.changes.is_empty() {
            let what = id.map(|id| format!("{id} is")).unwrap_or_else(|| "it is".into());
            let _ = writeln!(out, "{}", paint.yellow(format_args!("{address}: {what} gone")));
            continue;
        }
        if let Some(id) = id {
            let _ = plan::drifted(&mut out, &address, &id, &drifted.changes, paint);
        } else {
            let head = format_args!("{address}: it was changed outside of Sheave");
            let _ = writeln!(out, "{}", paint.yellow(head));
            let _ = change::changes(&mut out, &drifted.changes, 2, paint);
        }
    }
    if !found.drift.is_empty() {
        out.push('\n');
    }
    for address in &found.changed {
        let _ = writeln!(out, "{}: its outputs are others now", outside::line(&address.to_string()));
    }
    for name in &found.outputs {
        let _ = writeln!(out, "output {}: another one now", outside::line(name));
    }
    let objects = match found.drift.len() {
        0 => "Nothing drifted".to_owned(),
        n => format!("{} drifted", plan::count(n, "thing")),
    };
    let outputs = match found.changed.len() + found.outputs.len() {
        0 => "outputs are as they were".to_owned(),
        _ => "the new outputs are recorded".to_owned(),
    };
    let what =
        if found.drift.is_empty() { "" } else { " `sheave apply` brings back what the blueprint says." };
    let _ = writeln!(out, "{}{what}", paint.bold(format_args!("{objects}; {outputs}.")));
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sheave_driver::Drifted;
    use sheave_model::plan::Counts;

    use super::*;

    fn report(drift: Vec<Drifted>, changed: &[&str], outputs: &[&str]) -> RefreshReport {
        RefreshReport {
            drift,
            changed: changed.iter().map(|a| a.parse().unwrap()).collect(),
            outputs: outputs.iter().map(|o| (*o).to_owned()).collect(),
            counts: Counts::default(),
            report: Default::default(),
        }
    }

    #[test]
    fn what_drifted_is_told_field_by_field() {
        let object =
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "blog", "name": "web"});
        let field = json!({"pointer": "/spec/replicas", "before": {"value": 5}, "after": {"value": 2}, "manager": "kubectl"});
        let size = json!({"pointer": "/size", "before": {"value": 3}, "after": {"value": 4}, "manager": "outside of Sheave"});
        let of =
            |address: &str, object: Option<&serde_json::Value>, changes: Vec<&serde_json::Value>| Drifted {
                address: address.parse().unwrap(),
                object: object.map(|o| serde_json::from_value(o.clone()).unwrap()),
                changes: changes.into_iter().map(|c| serde_json::from_value(c.clone()).unwrap()).collect(),
            };
        let drift = vec![
            of("web", Some(&object), vec![&field]),
            of("web", Some(&object), vec![]),
            of("card", None, vec![&size]),
        ];
        let some = text(&report(drift, &["web"], &["url"]), Paint(false));
        let none = text(&report(Vec::new(), &[], &[]), Paint(false));
        insta::assert_snapshot!(format!("{some}\n---\n{none}"));
    }
}
