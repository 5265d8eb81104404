//! Events as plain lines, for pipes and logs: one line each, and not the same one twice.

use std::collections::BTreeMap;

use sheave_model::Address;
use sheave_model::event::{Event, What};

use crate::look::Paint;
use crate::render::line;

/// Milliseconds from which the time that something took is said.
const WORTH_SAYING: u64 = 1000;

pub(super) struct Lines {
    paint: Paint,
    began: BTreeMap<Address, String>,
    waits: BTreeMap<Address, String>,
}

impl Lines {
    pub(super) fn new(paint: Paint) -> Self {
        Self { paint, began: BTreeMap::new(), waits: BTreeMap::new() }
    }

    /// The event's line; none for what the plan or the summary says better, and for waiting on for the same reason.
    pub(super) fn line(&mut self, event: &Event) -> Option<String> {
        let line = line::event(event, self.paint);
        match &event.what {
            What::Planned { .. } | What::Finished { .. } => None,
            What::Started { address, .. } => {
                self.began.insert(address.clone(), event.at.clone());
                Some(line)
            }
            What::Waiting { address, .. } => {
                let before = self.waits.insert(address.clone(), line.clone());
                (before.as_ref() != Some(&line)).then_some(line)
            }
            What::Ready { address, .. } | What::Deleted { address } => {
                self.waits.remove(address);
                let began = self.began.remove(address);
                let took = began.and_then(|b| line::between(&b, &event.at)).filter(|t| *t >= WORTH_SAYING);
                let took = took.map(line::span);
                Some(took.map_or(line.clone(), |took| {
                    format!("{line} {}", self.paint.dim(format_args!("({took})")))
                }))
            }
            What::Failed { .. }
            | What::ObjectApplied { .. }
            | What::ObjectDeleted { .. }
            | What::Revealed { .. }
            | What::Diagnostic { .. } => Some(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(second: u32, what: serde_json::Value) -> Event {
        let mut event =
            json!({"at": format!("2026-01-02T03:04:{second:02}.000Z"), "stack": "blog", "address": "web"});
        event.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn a_run_in_a_pipe() {
        let wait = |second, reason| at(second, json!({"type": "resource.waiting", "reason": reason}));
        let run = [
            at(0, json!({"type": "resource.planned", "action": "create"})),
            at(1, json!({"type": "resource.started", "action": "create"})),
            wait(2, "0 of 2"),
            wait(3, "0 of 2"),
            wait(4, "1 of 2"),
            wait(5, "0 of 2"),
            at(13, json!({"type": "resource.ready", "action": "create"})),
        ];
        let mut lines = Lines::new(Paint(false));
        let said: Vec<_> = run.iter().filter_map(|e| lines.line(e)).collect();
        assert_eq!(
            said,
            [
                "web: creating",
                "web: waiting: 0 of 2",
                "web: waiting: 1 of 2",
                "web: waiting: 0 of 2",
                "web: ready, created (12 s)",
            ]
        );
    }
}
