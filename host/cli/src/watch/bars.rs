//! Events on a terminal: finished work scrolls away above, what is in work stays below with its reason for waiting.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use sheave_model::Address;
use sheave_model::event::{Event, What};
use sheave_model::plan::Action;

use super::lines::Lines;
use crate::look::Paint;
use crate::out::Out;
use crate::render::{line, outside};

/// Resources in work that are drawn: the rest is counted, so that the drawing fits a small terminal.
const MAX_DRAWN: usize = 12;

/// Time between two frames.
pub(crate) const FRAME: Duration = Duration::from_millis(100);

pub(super) struct Bars {
    multi: MultiProgress,
    lines: Lines,
    /// The line that counts: beneath the others.
    total: Option<ProgressBar>,
    drawn: BTreeMap<Address, ProgressBar>,
    /// In work, beyond what is drawn.
    others: BTreeMap<Address, Action>,
    planned: usize,
    to_do: usize,
    done: usize,
}

impl Bars {
    pub(super) fn new(paint: Paint) -> Self {
        Self {
            multi: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()),
            lines: Lines::new(paint),
            total: None,
            drawn: BTreeMap::new(),
            others: BTreeMap::new(),
            planned: 0,
            to_do: 0,
            done: 0,
        }
    }

    pub(super) fn event(&mut self, event: &Event, out: &mut Out) {
        match &event.what {
            What::Planned { action, .. } => {
                self.planned += 1;
                self.to_do += usize::from(*action != Action::NoOp);
            }
            What::Started { address, action } => self.start(address, *action),
            What::Waiting { address, object, reason, percent } => {
                if let Some(bar) = self.drawn.get(address) {
                    let object = object.as_ref().map(|o| format!("{}: ", outside::line(&o.to_string())));
                    let percent = percent.map(|p| format!(" ({p}%)"));
                    let text = [
                        object.unwrap_or_default(),
                        outside::line(reason).into_owned(),
                        percent.unwrap_or_default(),
                    ];
                    bar.set_message(text.concat());
                }
                // A wait is drawn in its place; as a line it would scroll away what is done.
                return;
            }
            What::Ready { address, .. } | What::Deleted { address } | What::Failed { address, .. } => {
                self.end(address)
            }
            What::ObjectApplied { .. }
            | What::ObjectDeleted { .. }
            | What::Diagnostic { .. }
            | What::Finished { .. } => {}
        }
        if let Some(line) = self.lines.line(event) {
            self.above(|| out.line(&line));
        }
        self.count();
    }

    /// Runs `print` with nothing drawn in its way.
    pub(super) fn above(&self, print: impl FnOnce()) {
        self.multi.suspend(print);
    }

    pub(super) fn tick(&mut self) {
        for bar in self.drawn.values().chain(&self.total) {
            bar.tick();
        }
    }

    /// Takes everything off the screen.
    pub(super) fn clear(&mut self) {
        for bar in std::mem::take(&mut self.drawn).into_values().chain(self.total.take()) {
            bar.finish_and_clear();
            self.multi.remove(&bar);
        }
        self.others.clear();
    }

    fn start(&mut self, address: &Address, action: Action) {
        if self.drawn.contains_key(address) {
            return;
        }
        if self.drawn.len() >= MAX_DRAWN {
            self.others.insert(address.clone(), action);
            return;
        }
        let bar = bar("{spinner} {prefix}  {wide_msg} {elapsed}");
        bar.set_prefix(outside::line(&address.to_string()).into_owned());
        bar.set_message(line::doing(action));
        let bar = match &self.total {
            Some(total) => self.multi.insert_before(total, bar),
            None => self.multi.add(bar),
        };
        self.drawn.insert(address.clone(), bar);
    }

    fn end(&mut self, address: &Address) {
        self.done += 1;
        self.others.remove(address);
        if let Some(bar) = self.drawn.remove(address) {
            bar.finish_and_clear();
            self.multi.remove(&bar);
            if let Some((address, action)) = self.others.pop_first() {
                self.start(&address, action);
            }
        }
    }

    fn count(&mut self) {
        let text = if self.drawn.is_empty() && self.done == 0 {
            format!("planning: {} so far", self.planned)
        } else {
            let others = match self.others.len() {
                0 => String::new(),
                n => format!(", {n} more in work"),
            };
            format!("{} of {} done{others}", self.done, self.to_do.max(self.done + self.drawn.len()))
        };
        let total = self.total.get_or_insert_with(|| self.multi.add(bar("{spinner} {wide_msg} {elapsed}")));
        total.set_message(text);
    }
}

fn bar(template: &str) -> ProgressBar {
    let bar = ProgressBar::no_length();
    // The templates are constants of this module; one that did not parse would show in its default form.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(address: &str, kind: &str) -> Event {
        serde_json::from_value(
            json!({"at": "2026-01-02T03:04:05.000Z", "stack": "s", "type": kind, "address": address,
            "action": "create", "reason": "r"}),
        )
        .unwrap()
    }

    #[test]
    fn templates_parse() {
        for template in ["{spinner} {prefix}  {wide_msg} {elapsed}", "{spinner} {wide_msg} {elapsed}"] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }

    #[test]
    fn more_work_than_lines_is_counted_and_moves_up() {
        let mut bars = Bars::new(Paint(false));
        bars.multi.set_draw_target(ProgressDrawTarget::hidden());
        let mut out = Out::to(std::io::sink());
        for i in 0..MAX_DRAWN + 3 {
            bars.event(&event(&format!("r{i:02}"), "resource.started"), &mut out);
        }
        assert_eq!((bars.drawn.len(), bars.others.len()), (MAX_DRAWN, 3));
        bars.event(&event("r00", "resource.ready"), &mut out);
        assert_eq!((bars.drawn.len(), bars.others.len(), bars.done), (MAX_DRAWN, 2, 1));
        assert!(bars.drawn.contains_key(&Address::new("r12")));
        bars.clear();
        assert!(bars.drawn.is_empty() && bars.total.is_none());
    }
}
