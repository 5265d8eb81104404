//! The API server's audit log: what was asked of it, and by whom.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};

use serde_json::Value;

use crate::cluster::{kubectl, unique};
use crate::{Cluster, Stack, must};

/// How often the fence is looked for: the server writes its log within milliseconds.
const LOOKS: usize = 20;

/// A place in the audit log.
#[derive(Clone, Copy, Debug)]
pub struct Mark(u64);

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    /// `get`, `patch`, ...
    pub verb: String,
    /// Path and query.
    pub uri: String,
    /// The program that asked.
    pub user_agent: String,
    /// As whom it asked: each [`Stack`](crate::Stack) asks under its namespace's name.
    pub user: String,
}

impl Request {
    /// Whether it was to change something, be it only on trial.
    pub fn is_mutating(&self) -> bool {
        !matches!(self.verb.as_str(), "get" | "list" | "watch")
    }
}

/// The log's end now.
pub fn mark() -> Mark {
    let path = Cluster::shared().audit_log();
    Mark(must(std::fs::metadata(&path), path.display()).len())
}

/// The requests of a stack's runs since `mark`, all that were answered before this call.
pub fn requests_since(mark: Mark, stack: &Stack) -> Vec<Request> {
    let fence = unique("fence");
    for _ in 0..LOOKS {
        // A request of our own, later than all that is asked for: once it is logged, they are.
        kubectl(&["get", "--raw", &format!("/version?fence={fence}")]);
        let requests = read(mark);
        if let Some(end) = requests.iter().position(|r| r.uri.contains(&fence)) {
            let own = requests[..end].iter().filter(|r| r.user == stack.namespace());
            return own.cloned().collect();
        }
    }
    panic!("{} does not show a request that was answered", Cluster::shared().audit_log().display());
}

fn read(Mark(from): Mark) -> Vec<Request> {
    let path = Cluster::shared().audit_log();
    let mut file = must(File::open(&path), path.display());
    // A log that is shorter now was begun anew.
    let from = if must(file.metadata(), path.display()).len() < from { 0 } else { from };
    must(file.seek(SeekFrom::Start(from)), path.display());
    let lines = BufReader::new(file).lines();
    let requests = lines.map_while(Result::ok).filter_map(|line| {
        // The last line may be half written.
        let event: Value = serde_json::from_str(&line).ok()?;
        let text = |at: &str| event.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(Request {
            verb: text("/verb"),
            uri: text("/requestURI"),
            user_agent: text("/userAgent"),
            user: text("/impersonatedUser/username"),
        })
    });
    requests.collect()
}
