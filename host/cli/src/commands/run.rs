//! What planning and carrying out share: events shown while the driver works, and requests to stop heard.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::future::poll_fn;
use std::io;
use std::pin::pin;

use sheave_driver::{Cancel, Fault, Report, Watcher};
use sheave_model::Diagnostic;
use sheave_model::event::{Event, RunOutcome};
use sheave_model::plan::Counts;
use tokio::sync::{Notify, mpsc};
use tokio::time::MissedTickBehavior;

use super::{Session, drawn, explain, has_errors, named, told_by};
use crate::exit::Exit;
use crate::interrupt::Interrupts;
use crate::out::Out;
use crate::prompt;
use crate::watch::{FRAME, Watch};

/// What the operator reads at the first and at the second request to stop.
const STOPPING: [&str; 2] = [
    "\nStopping: what runs is let finish, nothing new begins. Once more to stop at once.\n",
    "\nStopping at once. The next run resumes from what is recorded.\n",
];

/// One run as it is watched.
pub(super) struct Run<'a> {
    session: &'a Session,
    watch: RefCell<Watch>,
    events: RefCell<mpsc::UnboundedReceiver<Event>>,
    /// Rings at the first request to stop: nobody is to be asked any more.
    stop: Notify,
    stops: Cell<usize>,
    asking: Cell<bool>,
    drawn: RefCell<Vec<Diagnostic>>,
}

impl<'a> Run<'a> {
    /// Takes `out` for the time of the run.
    pub(super) fn new(session: &'a Session, out: &mut Out) -> (Self, Watcher) {
        let out = std::mem::replace(out, Out::to(io::sink()));
        let (tell, events) = mpsc::unbounded_channel();
        let run = Self {
            session,
            watch: RefCell::new(Watch::new(out, session.look, session.json, session.logs, &session.stack)),
            events: RefCell::new(events),
            stop: Notify::new(),
            stops: Cell::new(0),
            asking: Cell::new(false),
            drawn: RefCell::default(),
        };
        (run, tell)
    }

    /// The same for work that is soon done and says at its end what came of it: its events are for scripts alone.
    pub(super) fn quiet(session: &'a Session, out: &mut Out) -> (Self, Watcher) {
        let (run, tell) = Self::new(session, out);
        if session.json {
            return (run, tell);
        }
        // Sent to nobody: a receiver that went away is no fault.
        (run, mpsc::unbounded_channel().0)
    }

    /// Lets `work` run, which tells the watcher of its events. The first request to stop goes to `cancel`, and the second; the
    /// third, or the first where there is no `cancel`, drops the work: none.
    pub(super) async fn through<T>(
        &self,
        work: impl Future<Output = T>,
        cancel: Option<&Cancel>,
    ) -> Option<T> {
        let mut interrupts = Interrupts::new();
        let mut frames = tokio::time::interval(FRAME);
        frames.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let moves = self.watch.borrow().moves();
        let mut work = pin!(work);
        let done = loop {
            tokio::select! {
                biased;
                () = interrupts.next() => {
                    let before = self.stops.replace(self.stops.get() + 1);
                    self.stop.notify_one();
                    let (Some(cancel), Some(word)) = (cancel, STOPPING.get(before)) else { return None };
                    cancel.cancel();
                    self.watch.borrow_mut().aside(if self.asking.get() { "\n" } else { word });
                }
                done = &mut work => break done,
                // Borrowed for a moment only: `work` may want to catch up in between.
                Some(event) = poll_fn(|cx| self.events.borrow_mut().poll_recv(cx)) => self.show_events(Some(event)),
                _ = frames.tick(), if moves => self.watch.borrow_mut().tick(),
            }
        };
        self.catch_up();
        Some(done)
    }

    /// Shows the events that came and were not shown yet.
    fn catch_up(&self) {
        self.show_events(None);
    }

    /// Shows an event, and those that wait behind it.
    fn show_events(&self, first: Option<Event>) {
        let waiting = std::iter::from_fn(|| self.events.borrow_mut().try_recv().ok());
        self.watch.borrow_mut().events(first.into_iter().chain(waiting));
    }

    /// Asks the operator, with nothing drawn in the way. A request to stop is a no.
    pub(super) async fn ask(&self, question: &str) -> bool {
        self.watch.borrow_mut().pause();
        self.asking.set(true);
        let approved = tokio::select! {
            () = self.stop.notified() => false,
            approved = prompt::ask(question) => approved,
        };
        self.asking.set(false);
        approved
    }

    /// Shows `text` to people, after the events that came before and instead of what is drawn.
    pub(super) fn show(&self, text: &str) {
        self.catch_up();
        let mut watch = self.watch.borrow_mut();
        watch.pause();
        watch.show(text);
    }

    /// Whether the operator asked to stop.
    pub(super) fn stopped(&self) -> bool {
        self.stops.get() > 0
    }

    /// Draws for people what `report` says, above what is in work.
    pub(super) fn explain(&self, report: &Report) {
        if !self.session.json {
            self.watch.borrow_mut().aside(&drawn(self.session.look, report));
            self.drawn.borrow_mut().extend_from_slice(&report.diagnostics);
        }
    }

    /// The last word of a run that gave a report. For people what was not drawn yet is drawn; gives how long it took.
    pub(super) fn finish(self, report: Report, outcome: RunOutcome, counts: Counts, out: &mut Out) -> u64 {
        let mut watch = self.watch.into_inner();
        if self.session.json {
            watch.name(|| named(&self.session.stack, &self.session.file));
        }
        let ended = watch.finish(&report, outcome, counts);
        *out = ended.out;
        if !self.session.json {
            let mut drawn: HashSet<Diagnostic> = self.drawn.into_inner().into_iter().collect();
            let mut all = report.diagnostics;
            all.extend(ended.said);
            all.retain(|d| drawn.insert(d.clone()));
            explain(self.session.look, &Report { diagnostics: all, sources: report.sources });
        }
        ended.millis
    }

    /// The last word of a run that could not be done. One that was asked to stop before it began has no other reason.
    pub(super) fn fail(self, fault: Fault, out: &mut Out) -> Exit {
        let (exit, report) = told_by(fault);
        let (exit, outcome) = if self.stopped() && !has_errors(&report) {
            (Exit::Interrupted, RunOutcome::Cancelled)
        } else {
            (exit, RunOutcome::Failed)
        };
        self.finish(*report, outcome, Counts::default(), out);
        exit
    }

    /// The last word of a run that was dropped.
    pub(super) fn drop(self, out: &mut Out) -> Exit {
        self.finish(Report::default(), RunOutcome::Cancelled, Counts::default(), out);
        Exit::Interrupted
    }
}
