//! A live stack for people and for scripts.

use serde_json::{Value as Json, json};
use sheave_driver::{StatusReport, StatusRow};
use sheave_model::stack::Status;

use super::{outside, table};
use crate::look::Paint;

/// Each resource with its objects, and why one is not ready.
pub(crate) fn text(status: &StatusReport, paint: Paint) -> String {
    let stack = outside::line(&status.stack).into_owned();
    if status.rows.is_empty() {
        return format!("Stack {stack} holds nothing.\n");
    }
    let mut rows = Vec::new();
    for row in &status.rows {
        let (word, why) = said(row);
        let line = |text: &str| outside::line(text).into_owned();
        rows.push(vec![line(&row.address.to_string()), line(&row.type_name), word.to_owned(), line(why)]);
        for (_, id, found) in &row.objects {
            let found = found.as_deref().unwrap_or("not there");
            rows.push(vec![
                format!("  {}", line(&id.to_string())),
                String::new(),
                String::new(),
                line(found),
            ]);
        }
    }
    let ready = status.rows.iter().filter(|r| r.ready).count();
    let all = status.rows.len();
    let last = format!("{ready} of {all} ready");
    let last = if ready == all { paint.green(last).to_string() } else { paint.yellow(last).to_string() };
    format!("Stack {stack}\n\n{}\n{last}\n", table::table(&["RESOURCE", "TYPE", "STATUS", "REASON"], &rows))
}

/// The same as one document.
pub(crate) fn json(status: &StatusReport) -> Json {
    let rows: Vec<_> = status
        .rows
        .iter()
        .map(|row| {
            let (word, why) = said(row);
            let objects: Vec<_> = row
                .objects
                .iter()
                .map(|(target, id, found)| json!({"target": target, "object": id, "status": found}))
                .collect();
            json!({
                "address": row.address, "type": row.type_name, "ready": row.ready, "status": word, "reason": why,
                "objects": objects,
            })
        })
        .collect();
    json!({"stack": status.stack, "ready": status.rows.iter().all(|r| r.ready), "resources": rows})
}

fn said(row: &StatusRow) -> (&'static str, &str) {
    match (&row.status, row.ready) {
        (Status::Applying, _) => ("applying", "a run was cut off here"),
        (Status::Ready, true) => ("ready", ""),
        (Status::Ready, false) => ("not ready", ""),
        (Status::Failed(why), _) => ("failed", why),
        (Status::Tainted(why), _) => ("tainted", why),
    }
}

#[cfg(test)]
mod tests {
    use sheave_model::ObjectId;

    use super::*;

    fn row(address: &str, status: Status, ready: bool) -> StatusRow {
        let id = |name: &str| ObjectId {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            namespace: Some("blog".into()),
            name: name.into(),
        };
        StatusRow {
            address: address.parse().unwrap(),
            type_name: "kubernetes:App".into(),
            status,
            objects: vec![
                ("main".into(), id("web"), Some("1 of 2 replicas\nready".into())),
                ("main".into(), id("gone"), None),
            ],
            ready,
        }
    }

    #[test]
    fn a_stack_at_a_glance() {
        let rows = vec![
            row("web", Status::Ready, true),
            row("db", Status::Ready, false),
            row("vm", Status::Tainted("cut off while \u{1b}creating".into()), false),
        ];
        let status = StatusReport { stack: "blog".into(), rows, report: Default::default() };
        insta::assert_snapshot!(text(&status, Paint(false)));
        insta::assert_snapshot!(serde_json::to_string_pretty(&json(&status)).unwrap());
    }
}
