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

/// Resources in work that are drawn, each on two lines where it waits for pods: the rest is counted, so that the drawing
/// fits a small terminal.
const MAX_DRAWN: usize = 10;

/// A resource in work, what it waits for, and how long.
const WORK: &str = "{spinner} {prefix}  {wide_msg} {elapsed}";
/// Beneath it: what its pods say.
const WHY: &str = "    {wide_msg}";
/// While it is planned, and how far the work is then.
const PLANNING: &str = "{spinner} {wide_msg} {elapsed}";
const TOTAL: &str = "{spinner} [{bar:24}] {wide_msg} {elapsed}";
/// Done, at work, to do.
const BAR: &str = "=> ";

/// Time between two frames.
pub(crate) const FRAME: Duration = Duration::from_millis(100);

pub(super) struct Bars {
    multi: MultiProgress,
    lines: Lines,
    /// The line that counts: beneath the others.
    total: Option<ProgressBar>,
    drawn: BTreeMap<Address, Work>,
    /// In work, beyond what is drawn.
    others: BTreeMap<Address, Action>,
    planned: usize,
    to_do: usize,
    done: usize,
}

/// The lines of one resource.
struct Work {
    bar: ProgressBar,
    why: Option<ProgressBar>,
}

impl Work {
    fn bars(self) -> impl Iterator<Item = ProgressBar> {
        std::iter::once(self.bar).chain(self.why)
    }
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
                let object = object.as_ref().map(|o| format!("{}: ", outside::line(&o.to_string())));
                let percent = percent.map(|p| format!(" ({p}%)")).unwrap_or_default();
                self.wait(address, &object.unwrap_or_default(), &outside::line(reason), &percent);
                // A wait is drawn in its place; as a line it would scroll away what is done.
                return;
            }
            What::Ready { address, .. } | What::Deleted { address } | What::Failed { address, .. } => {
                self.end(address)
            }
            What::ObjectApplied { .. }
            | What::ObjectDeleted { .. }
            | What::Diagnostic { .. }
            | What::Revealed { .. }
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
        let drawn = self.drawn.values().map(|w| &w.bar);
        drawn.chain(&self.total).for_each(ProgressBar::tick);
    }

    /// Takes everything off the screen.
    pub(super) fn clear(&mut self) {
        let drawn = std::mem::take(&mut self.drawn).into_values().flat_map(Work::bars);
        for bar in drawn.chain(self.total.take()) {
            self.take_off(&bar);
        }
        self.others.clear();
    }

    fn take_off(&self, bar: &ProgressBar) {
        bar.finish_and_clear();
        self.multi.remove(bar);
    }

    /// Draws why a resource waits. What pods say gets a line of its own: it is what the operator looks for, and would be
    /// cut off behind the rest.
    fn wait(&mut self, address: &Address, object: &str, reason: &str, percent: &str) {
        let Some(work) = self.drawn.get_mut(address) else { return };
        let (what, why) = reason.split_once("; ").unwrap_or((reason, ""));
        work.bar.set_message([object, what, percent].concat());
        match (&work.why, why) {
            (None, "") => {}
            (Some(line), "") => {
                line.finish_and_clear();
                self.multi.remove(line);
                work.why = None;
            }
            (Some(line), why) => line.set_message(why.to_owned()),
            (None, why) => {
                let line = self.multi.insert_after(&work.bar, bar(WHY));
                line.set_message(why.to_owned());
                work.why = Some(line);
            }
        }
    }

    fn start(&mut self, address: &Address, action: Action) {
        if self.drawn.contains_key(address) {
            return;
        }
        if self.drawn.len() >= MAX_DRAWN {
            self.others.insert(address.clone(), action);
            return;
        }
        let bar = bar(WORK);
        bar.set_prefix(outside::line(&address.to_string()).into_owned());
        bar.set_message(line::doing(action));
        let bar = match &self.total {
            Some(total) => self.multi.insert_before(total, bar),
            None => self.multi.add(bar),
        };
        self.drawn.insert(address.clone(), Work { bar, why: None });
    }

    fn end(&mut self, address: &Address) {
        self.done += 1;
        self.others.remove(address);
        if let Some(work) = self.drawn.remove(address) {
            work.bars().for_each(|bar| self.take_off(&bar));
            if let Some((address, action)) = self.others.pop_first() {
                self.start(&address, action);
            }
        }
    }

    fn count(&mut self) {
        let planning = self.drawn.is_empty() && self.done == 0;
        let all = self.to_do.max(self.done + self.drawn.len());
        let text = if planning {
            format!("planning: {} so far", self.planned)
        } else {
            let others = match self.others.len() {
                0 => String::new(),
                n => format!(", {n} more in work"),
            };
            format!("{} of {all} done{others}", self.done)
        };
        let total = self.total.get_or_insert_with(|| self.multi.add(bar(PLANNING)));
        if !planning && total.length().is_none() {
            total.set_style(style(TOTAL));
        }
        if !planning {
            total.set_length(all as u64);
            total.set_position(self.done as u64);
        }
        total.set_message(text);
    }
}

fn bar(template: &str) -> ProgressBar {
    ProgressBar::no_length().with_style(style(template))
}

/// The templates are constants of this module; one that did not parse would show in its default form.
fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars(BAR)
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
        for template in [WORK, WHY, PLANNING, TOTAL] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }

    #[test]
    fn what_pods_say_gets_a_line_of_its_own() {
        let mut bars = Bars::new(Paint(false));
        bars.multi.set_draw_target(ProgressDrawTarget::hidden());
        let mut out = Out::to(std::io::sink());
        bars.event(&event("web", "resource.started"), &mut out);
        let said = |bars: &Bars| {
            let work = &bars.drawn[&Address::new("web")];
            (work.bar.message(), work.why.as_ref().map(ProgressBar::message))
        };
        for (reason, what, why) in [
            ("0 of 1 ready", "0 of 1 ready", None),
            (
                "0 of 1 ready; pod a: slow; last warning: b",
                "0 of 1 ready",
                Some("pod a: slow; last warning: b"),
            ),
            ("0 of 1 ready; pod a: gone", "0 of 1 ready", Some("pod a: gone")),
            ("1 of 1 ready", "1 of 1 ready", None),
        ] {
            bars.wait(&Address::new("web"), "", reason, "");
            assert_eq!(said(&bars), (what.to_owned(), why.map(str::to_owned)));
        }
        bars.wait(&Address::new("web"), "", "0 of 1 ready; pod a: slow", "");
        bars.event(&event("web", "resource.ready"), &mut out);
        assert!(bars.drawn.is_empty());
        assert_eq!(bars.total.as_ref().and_then(ProgressBar::length), Some(1));
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
        assert!(bars.drawn.contains_key(&Address::new(format!("r{MAX_DRAWN:02}"))));
        bars.clear();
        assert!(bars.drawn.is_empty() && bars.total.is_none());
    }
}
