//! A run as it goes: events in, and out of it JSON lines, plain lines or progress bars.

mod bars;
mod json;
mod lines;

pub(crate) use self::bars::FRAME;

use std::time::Instant;

use sheave_driver::Report;
use sheave_model::event::{Event, RunOutcome, What};
use sheave_model::plan::Counts;
use sheave_model::{Diagnostic, Sources};

use self::bars::Bars;
use self::lines::Lines;
use crate::look::Look;
use crate::out::Out;

/// Shows events, and remembers what the last word needs.
pub(crate) struct Watch {
    out: Out,
    mode: Mode,
    stack: String,
    began: Instant,
    said: Vec<Diagnostic>,
    finished: Option<Event>,
}

enum Mode {
    Json,
    Lines(Lines),
    Bars(Bars),
}

impl Watch {
    /// Shows on `out`: JSON where `json` says so, else bars where the terminal has them and `quiet` (a log would be drawn
    /// over) does not forbid them.
    pub(crate) fn new(out: Out, look: Look, json: bool, quiet: bool, stack: &str) -> Self {
        let mode = match (json, look.bars && !quiet) {
            (true, _) => Mode::Json,
            (false, true) => Mode::Bars(Bars::new(look.out)),
            (false, false) => Mode::Lines(Lines::new(look.out)),
        };
        Self { out, mode, stack: stack.to_owned(), began: Instant::now(), said: Vec::new(), finished: None }
    }

    /// Shows events that came together.
    pub(crate) fn events(&mut self, events: impl Iterator<Item = Event>) {
        // Above what is drawn each line is written by itself.
        if !self.moves() {
            self.out.hold();
        }
        events.for_each(|event| self.event(event));
        self.out.release();
    }

    /// Shows one event. The run's end is kept back: it is the last thing said, whatever else there is to say.
    pub(crate) fn event(&mut self, event: Event) {
        self.stack.clone_from(&event.stack);
        if let What::Failed { diagnostic, .. } | What::Diagnostic { diagnostic } = &event.what {
            self.said.push(diagnostic.clone());
        }
        if matches!(event.what, What::Finished { .. }) {
            if let Mode::Bars(bars) = &mut self.mode {
                bars.clear();
            }
            self.finished = Some(event);
            return;
        }
        match &mut self.mode {
            Mode::Json => self.out.line(&json::line(&event, &Sources::default())),
            Mode::Lines(lines) => {
                if let Some(line) = lines.line(&event) {
                    self.out.line(&line);
                }
            }
            Mode::Bars(bars) => bars.event(&event, &mut self.out),
        }
    }

    /// Time went by: what moves moves on.
    pub(crate) fn tick(&mut self) {
        if let Mode::Bars(bars) = &mut self.mode {
            bars.tick();
        }
    }

    /// Whether [`Self::tick`] has anything to move.
    pub(crate) fn moves(&self) -> bool {
        matches!(self.mode, Mode::Bars(_))
    }

    /// Prints `text` for people; in JSON nothing.
    pub(crate) fn show(&mut self, text: &str) {
        match &mut self.mode {
            Mode::Json => {}
            Mode::Lines(_) => self.out.text(text),
            Mode::Bars(bars) => bars.above(|| self.out.text(text)),
        }
    }

    /// Writes `text` to standard error, above what is drawn.
    pub(crate) fn aside(&mut self, text: &str) {
        match &mut self.mode {
            Mode::Json | Mode::Lines(_) => crate::out::err(text),
            Mode::Bars(bars) => bars.above(|| crate::out::err(text)),
        }
    }

    /// The operator is about to be asked: nothing is drawn until the next event.
    pub(crate) fn pause(&mut self) {
        if let Mode::Bars(bars) = &mut self.mode {
            bars.clear();
        }
    }

    /// Says whose run it was, where no event did.
    pub(crate) fn name(&mut self, stack: impl FnOnce() -> String) {
        if self.stack.is_empty() {
            self.stack = stack();
        }
    }

    /// Ends the watching. In JSON the diagnostics that were not among the events are written, then `run.finished`: the
    /// run's own, or one made of `outcome` and `counts`. An `outcome` other than ok wins over what the run said, since
    /// it may know of what came after.
    pub(crate) fn finish(mut self, report: &Report, outcome: RunOutcome, counts: Counts) -> Ended {
        self.pause();
        let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let own = || json::event(&self.stack, What::Finished { outcome, counts, millis });
        let mut finished = self.finished.take().unwrap_or_else(own);
        let mut took = millis;
        if let What::Finished { outcome: said, millis, .. } = &mut finished.what {
            took = *millis;
            if outcome != RunOutcome::Ok {
                *said = outcome;
            }
        }
        if matches!(self.mode, Mode::Json) {
            for diagnostic in report.diagnostics.iter().filter(|d| !self.said.contains(d)) {
                let event = json::event(&self.stack, What::Diagnostic { diagnostic: diagnostic.clone() });
                self.out.line(&json::line(&event, &report.sources));
            }
            self.out.line(&json::line(&finished, &report.sources));
        }
        Ended { out: self.out, said: self.said, millis: took }
    }
}

/// What is left of a [`Watch`].
pub(crate) struct Ended {
    /// Where more can be written.
    pub(crate) out: Out,
    /// Diagnostics that came as events: for people, so far only one line of each.
    pub(crate) said: Vec<Diagnostic>,
    /// How long the run took.
    pub(crate) millis: u64,
}
