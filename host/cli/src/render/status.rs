//! A live stack for people and for scripts.

use std::collections::BTreeMap;

use jiff::{Timestamp, Unit};
use serde_json::{Value as Json, json};
use sheave_driver::{StatusReport, StatusRow};
use sheave_model::stack::Status;
use sheave_model::{Address, Diagnostic};

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

/// A fault of a target, beneath the table.
pub(crate) fn fault(fault: &Diagnostic, paint: Paint) -> String {
    format!("{} {}\n", paint.red("error:"), outside::line(&fault.summary))
}

/// From one look at a stack to the next: what is said of each resource.
#[derive(Default)]
pub(crate) struct Changes {
    said: BTreeMap<Address, String>,
}

impl Changes {
    /// A line for each resource that something else is to be said of than at the last look: text, or JSON with the time.
    pub(crate) fn lines(&mut self, status: &StatusReport, json: bool) -> Vec<String> {
        let mut lines = Vec::new();
        let at = Timestamp::now();
        let at = format!("{:.3}", at.round(Unit::Millisecond).unwrap_or(at));
        for row in &status.rows {
            let said = said_in_full(row);
            if self.said.get(&row.address) == Some(&said) {
                continue;
            }
            lines.push(if json {
                let mut line = row_json(row);
                line["at"] = Json::from(at.as_str());
                line["stack"] = Json::from(status.stack.as_str());
                line.to_string()
            } else {
                said.clone()
            });
            self.said.insert(row.address.clone(), said);
        }
        let there = |address: &Address| status.rows.iter().any(|r| r.address == *address);
        let gone: Vec<_> = self.said.keys().filter(|a| !there(a)).cloned().collect();
        for address in gone {
            self.said.remove(&address);
            lines.push(if json {
                json!({"at": at, "stack": status.stack, "address": address, "status": "gone", "ready": false})
                    .to_string()
            } else {
                format!("{}: gone", outside::line(&address.to_string()))
            });
        }
        lines
    }
}

/// `web: not ready: Deployment blog/web: in progress: 1 of 2 replicas are ready`. One line.
fn said_in_full(row: &StatusRow) -> String {
    let (word, why) = said(row);
    let mut text = format!("{}: {word}", outside::line(&row.address.to_string()));
    if !why.is_empty() {
        text.push_str(&format!(": {}", outside::line(why)));
    }
    let objects = row.objects.iter().filter(|(.., found)| found.as_deref() != Some("ready"));
    for (i, (_, id, found)) in objects.enumerate() {
        let found = found.as_deref().unwrap_or("not there");
        let between = if i == 0 { ": " } else { "; " };
        text.push_str(&format!("{between}{}: {}", outside::line(&id.to_string()), outside::line(found)));
    }
    text
}

/// The same as one document.
pub(crate) fn json(status: &StatusReport) -> Json {
    let rows: Vec<_> = status.rows.iter().map(row_json).collect();
    json!({"stack": status.stack, "ready": status.rows.iter().all(|r| r.ready), "resources": rows})
}

fn row_json(row: &StatusRow) -> Json {
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
    fn only_changes_are_told_after_the_first_look() {
        let look =
            |rows: Vec<StatusRow>| StatusReport { stack: "blog".into(), rows, report: Default::default() };
        let mut changes = Changes::default();
        let (web, db) = (row("web", Status::Ready, true), row("db", Status::Ready, false));
        let first = changes.lines(&look(vec![web.clone(), db.clone()]), false);
        assert_eq!(first.len(), 2);
        assert_eq!(
            first[1],
            "db: not ready: Deployment blog/web: 1 of 2 replicas ready; Deployment blog/gone: not there"
        );
        assert!(changes.lines(&look(vec![web.clone(), db.clone()]), false).is_empty());
        let ready = StatusRow { objects: Vec::new(), ready: true, ..db };
        assert_eq!(changes.lines(&look(vec![web, ready.clone()]), false), ["db: ready"]);
        assert_eq!(changes.lines(&look(vec![ready]), false), ["web: gone"]);
        let json = Changes::default().lines(&look(vec![row("web", Status::Ready, true)]), true);
        let json: Json = serde_json::from_str(&json[0]).unwrap();
        assert_eq!((&json["address"], &json["stack"]), (&json!("web"), &json!("blog")));
        assert!(json["at"].is_string());
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
