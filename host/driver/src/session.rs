//! The loop of one run: events in, actions out, and between them one durable write.
//!
//! Outcomes of what has ended and intents of what is to begin go to the store in one transaction; only then is anything
//! sent, though an apply is prepared meanwhile. So a host that is killed anywhere has written down all that it may have
//! done. What nothing outside hangs on is held for a moment, so that what follows at once is written with it: a write is a
//! sync of the disk.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use sheave_engine::{Action, ApplyRequest, Event, Failure, Finished, Run};
use sheave_model::event::What;
use sheave_model::journal::Entry;
use sheave_model::plan::Plan;
use sheave_model::stack::StackState;
use sheave_model::{Diagnostic, SecretText, TypeName, Value};
use sheave_state::{LockGuard, SqliteStore, StateError, Store as _};
use tokio::time::Instant;

use crate::at_work::{AtWork, Panicked};
use crate::context::Context;
use crate::keys::SystemRandom;
use crate::live::WIDE_FROM;
use crate::moves;
use crate::perform::{perform, perform_apply};
use crate::promise::{Promise, Writes};
use crate::request::Cancel;
use crate::{driver, failpoint};

/// Actions in work from which outcomes are gathered for a moment before they are written: a write is a sync of the disk,
/// and one for each outcome would keep the cluster waiting for the disk.
const GATHER_FROM: usize = 16;
/// How long outcomes are gathered. Far below what a person sees; a killed host asks the cluster again for those that were not
/// written yet.
const GATHER_FOR: Duration = Duration::from_millis(25);
/// How often is looked what has ended meanwhile: to wake for each takes longer than to take it in. Far below what [`AT_ONCE`]
/// applies take with any server.
const GATHER_LOOK: Duration = Duration::from_millis(8);
/// Outcomes that are written at once in any case: what a killed host has to ask for stays little.
const GATHER_MOST: usize = 128;

/// How long actions are held: some calls of plugins long.
const HOLD_FOR: Duration = Duration::from_millis(5);

/// Comparisons at work at once, and applies. They take turns at the cluster, and each that has begun takes memory. As many as the
/// operator may ask for in flight.
const AT_ONCE: usize = 256;

/// Renders that have begun, at the least: as many as may be in flight, where those look something up. They take turns on the
/// processor, and what else wants a turn there, such as a request, comes after all of them.
const RENDERS: usize = 16;

/// Where the loop stopped.
#[derive(Debug)]
pub(crate) enum Pause {
    /// The plan is complete.
    Approval(Box<Plan>),
    /// The run is over.
    Finished(Finished),
    /// The operator said stop twice: what was sent may or may not have arrived; the journal knows.
    Aborted,
}

/// One run.
pub(crate) struct Session<'a> {
    pub(crate) context: Arc<Context>,
    pub(crate) run: Run,
    /// The state as this run's own entries make it.
    pub(crate) state: StackState,
    pub(crate) journal: Option<(&'a SqliteStore, &'a LockGuard)>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    work: AtWork,
    rendering: Turns,
    /// How many resources of each type were to be rendered so far.
    types: BTreeMap<TypeName, usize>,
    comparing: Turns,
    applying: Turns<(Box<ApplyRequest>, Promise)>,
    stops: u8,
    cancel: Cancel,
    /// Whether the last step had something to write down: only then does gathering save anything.
    writes: bool,
    written: Writes,
    held: Held,
}

/// What is written with what follows.
#[derive(Debug, Default)]
struct Held {
    /// What is begun once its intents are written.
    actions: Vec<Action>,
    entries: Vec<Entry>,
    /// Said once it is written.
    told: Vec<What>,
    since: Option<Instant>,
}

/// Actions of one sort, of which only so many are at work at once.
#[derive(Debug)]
struct Turns<T = Action> {
    begun: usize,
    /// These come first.
    early: VecDeque<T>,
    waiting: VecDeque<T>,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self { begun: 0, early: VecDeque::new(), waiting: VecDeque::new() }
    }
}

impl<T> Turns<T> {
    fn next(&mut self) -> Option<T> {
        self.early.pop_front().or_else(|| self.waiting.pop_front())
    }

    fn is_over(&self) -> bool {
        self.begun == 0 && self.early.is_empty() && self.waiting.is_empty()
    }
}

impl<'a> Session<'a> {
    pub(crate) fn new(
        context: Arc<Context>,
        run: Run,
        journal: Option<(&'a SqliteStore, &'a LockGuard)>,
        cancel: Cancel,
    ) -> Self {
        let state = context.state.clone();
        Self {
            context,
            run,
            state,
            journal,
            diagnostics: Vec::new(),
            work: AtWork::new(),
            rendering: Turns::default(),
            types: BTreeMap::new(),
            comparing: Turns::default(),
            applying: Turns::default(),
            stops: 0,
            cancel,
            writes: false,
            written: Writes::new(),
            held: Held::default(),
        }
    }

    /// Frees what it has taken, while others go on.
    pub(crate) fn free(self) {
        driver::free((self.run, self.state, self.work, self.context));
    }

    /// Writes entries down, durably, after those that are held, and what was told of them: a plan stands in its run's record.
    pub(crate) async fn append(&mut self, entries: Vec<Entry>, told: &[What]) -> Result<(), StateError> {
        self.write(entries, told, false).await
    }

    /// The same for the run's last entries: the lock is given back with them, which spares a sync of the disk.
    pub(crate) async fn end(&mut self, entries: Vec<Entry>, told: &[What]) -> Result<(), StateError> {
        self.write(entries, told, true).await
    }

    async fn write(&mut self, entries: Vec<Entry>, told: &[What], last: bool) -> Result<(), StateError> {
        let Some((store, lock)) = self.journal else { return Ok(()) };
        let held = std::mem::take(&mut self.held);
        if !held.actions.is_empty() {
            self.held = Held { actions: held.actions, since: held.since, ..Held::default() };
        }
        let kept = held.told.iter().chain(told).filter(|what| !matches!(what, What::Planned { .. }));
        let events: Vec<_> = kept.map(|what| self.context.event(what.clone())).collect();
        for entry in &entries {
            self.state.record(entry);
        }
        let mut all = held.entries;
        all.extend(entries);
        if last {
            store.end_with(lock, &all, &events, &self.state).await?;
        } else if !all.is_empty() || !events.is_empty() {
            store.append_with(lock, &all, &events, &self.state).await?;
        }
        self.written.done();
        for what in held.told {
            self.context.tell(what);
        }
        let any = |wanted: fn(&Entry) -> bool| all.iter().any(wanted);
        if any(|e| matches!(e, Entry::Outcome { .. })) {
            failpoint::pass("outcome");
        }
        if any(|e| matches!(e, Entry::Intent(_) | Entry::PasswordMade { .. })) {
            failpoint::pass("intent");
        }
        Ok(())
    }

    /// Keeps entries to be written with what follows; whoever calls this sees to it that something does.
    pub(crate) fn hold(&mut self, entries: Vec<Entry>, told: Vec<What>) {
        if self.journal.is_none() {
            for what in told {
                self.context.tell(what);
            }
        } else if !entries.is_empty() || !told.is_empty() {
            for entry in &entries {
                self.state.record(entry);
            }
            self.held.entries.extend(entries);
            self.held.told.extend(told);
            self.held.since.get_or_insert_with(Instant::now);
        }
    }

    /// Runs from one event on until there is something to decide. Where the run is over, its last entries are still held:
    /// they are written with its end.
    pub(crate) async fn advance(&mut self, first: Event) -> Result<Pause, StateError> {
        let mut inbox = vec![first];
        loop {
            let mut entries = Vec::new();
            let mut actions = Vec::new();
            for event in inbox.drain(..) {
                entries.extend(self.context.entry_of_event(&event));
                actions.extend(self.run.step(event));
            }
            self.note_targets(&actions, &mut entries).await;
            self.prepare(&actions, &mut entries, &mut inbox);
            let mut told: Vec<What> = Vec::new();
            let mut asked = Vec::with_capacity(actions.len());
            for action in actions {
                match action {
                    Action::Notify(what) => told.push(what),
                    other => asked.push(other),
                }
            }
            self.writes = self.journal.is_some() && !entries.is_empty();
            // The intent of an operation, or how far its last step came, is durable before it goes on.
            let urgent = entries.iter().any(is_used_at_once);
            self.hold(entries, told);
            let mut asked = self.begin_together(asked);
            if urgent || asked.iter().any(changes_things) || self.held.entries.len() >= GATHER_MOST {
                asked = self.prepare_applies(asked);
                self.append(Vec::new(), &[]).await?;
            }
            self.diagnostics.extend(self.run.take_diagnostics());
            if let Some(pause) = self.send(asked) {
                if !matches!(pause, Pause::Finished(_)) {
                    self.append(Vec::new(), &[]).await?;
                }
                return Ok(pause);
            }
            if inbox.is_empty() && !self.next(&mut inbox).await? {
                self.append(Vec::new(), &[]).await?;
                return Ok(Pause::Aborted);
            }
        }
    }

    /// What is to begin now. While renders are at work, more of what changes something is about to be asked for: it is held
    /// for a moment, so that all of it is one write.
    fn begin_together(&mut self, asked: Vec<Action>) -> Vec<Action> {
        let mut all = std::mem::take(&mut self.held.actions);
        all.extend(asked);
        let waited = self.held.since.is_some_and(|since| since.elapsed() >= HOLD_FOR);
        if self.journal.is_none() || !self.is_thinking() || waited || self.stops > 0 {
            return all;
        }
        let (later, now): (Vec<_>, Vec<_>) = all.into_iter().partition(changes_things);
        // One that goes on where it was has no intent to be held with.
        if !later.is_empty() {
            self.held.since.get_or_insert_with(Instant::now);
        }
        self.held.actions = later;
        now
    }

    /// Begins the applies among these, lower ranks first, whose intents are about to be written; gives back the rest.
    fn prepare_applies(&mut self, asked: Vec<Action>) -> Vec<Action> {
        let mut applies = Vec::new();
        let mut rest = Vec::new();
        for action in asked {
            match action {
                Action::Apply(request) => applies.push(request),
                other => rest.push(other),
            }
        }
        applies.sort_by_key(|request| request.order.rank);
        let promise = self.written.promise();
        self.applying.waiting.extend(applies.into_iter().map(|request| (request, promise.clone())));
        self.take_turns();
        rest
    }

    /// Whether something is being rendered or compared.
    fn is_thinking(&self) -> bool {
        self.rendering.begun + self.comparing.begun > 0
    }

    /// Waits for at least one event; what is held is written where none comes soon, or begins.
    async fn next(&mut self, inbox: &mut Vec<Event>) -> Result<bool, StateError> {
        if let Some(since) = self.held.since {
            // A killed host asks the cluster again for an outcome that was not written yet.
            let hold = if self.held.actions.is_empty() { GATHER_FOR } else { HOLD_FOR };
            if let Ok(more) = tokio::time::timeout_at(since + hold, self.receive(inbox)).await {
                return Ok(more);
            }
            if !self.held.actions.is_empty() {
                return Ok(self.notice_stop(inbox));
            }
            self.append(Vec::new(), &[]).await?;
        }
        Ok(self.receive(inbox).await)
    }

    /// Writes down how to reach a target again before something is made there for the first time: one whose settings
    /// read resources was not reached before.
    async fn note_targets(&self, actions: &[Action], entries: &mut Vec<Entry>) {
        if self.journal.is_none() {
            return;
        }
        let mut new: BTreeSet<&str> = BTreeSet::new();
        for action in actions {
            if let Action::Apply(request) = action
                && !self.state.targets.contains_key(&request.target)
                && new.insert(&request.target)
                && let Some(target) = self.context.targets.record(&request.target).await
            {
                entries.push(Entry::TargetUsed { name: request.target.clone(), target });
            }
        }
    }

    /// Writes what actions need written; makes passwords, which are kept before they are used.
    fn prepare(&self, actions: &[Action], entries: &mut Vec<Entry>, inbox: &mut Vec<Event>) {
        let mut carried = BTreeMap::new();
        for action in actions {
            entries.extend(self.context.entry_of_action(action));
            if let Action::Move { from, to, .. } = action {
                carried.extend(moves::carried(&self.state, from, to));
            }
            if let Action::Finish { address, outputs } = action {
                self.context.may_reveal_outputs(address, outputs);
            }
            if let Action::MakePasswords(wanted) = action {
                let made = self.make_passwords(wanted);
                for (name, password) in made.iter().flatten() {
                    self.context.may_reveal_password(name, password);
                    let password = self.context.seal(&Value::Secret(password.clone()));
                    entries.push(Entry::PasswordMade { name: name.clone(), password });
                }
                inbox.push(Event::PasswordsMade(made));
            }
        }
        entries.extend(carried.into_iter().map(|(name, password)| Entry::PasswordMade { name, password }));
    }

    fn make_passwords(
        &self,
        wanted: &BTreeMap<String, u32>,
    ) -> Result<BTreeMap<String, SecretText>, Failure> {
        let mut made = BTreeMap::new();
        for (name, length) in wanted {
            let password = sheave_secrets::password(*length, &mut SystemRandom).map_err(|e| {
                let fault = Diagnostic::error("secrets.password-length", format!("password `{name}`: {e}"));
                Failure::blueprint(vec![fault])
            })?;
            made.insert(name.clone(), password);
        }
        Ok(made)
    }

    /// Begins what is to be done; the pause, where there is one.
    fn send(&mut self, actions: Vec<Action>) -> Option<Pause> {
        let mut pause = None;
        for action in actions {
            match action {
                Action::AwaitApproval(plan) => pause = Some(Pause::Approval(plan)),
                Action::Finished(finished) => pause = Some(Pause::Finished(finished)),
                Action::Begin(_)
                | Action::Finish { .. }
                | Action::Fail { .. }
                | Action::Forget { .. }
                | Action::SetOutputs(_)
                | Action::MakePasswords(_)
                | Action::Move { .. }
                | Action::Notify(_)
                // Begun before its intent was written.
                | Action::Apply(_) => {}
                Action::Connect { target, settings } => {
                    let connected = self.context.targets.connect(&target, &settings, &self.context.folder);
                    self.diagnostics.extend(connected.err());
                }
                Action::Configure { plugin, settings } => self.context.configure(&plugin, settings),
                Action::Render(ref request) => {
                    self.context.live.expect(&request.address);
                    let before = self.types.entry(request.type_name.clone()).or_default();
                    *before += 1;
                    // The first of each type show which lists of live objects are needed: those come while the rest is rendered.
                    let early = *before <= WIDE_FROM;
                    let Turns { early: first, waiting, .. } = &mut self.rendering;
                    if early { first.push_back(action) } else { waiting.push_back(action) }
                }
                Action::Diff(_) => self.comparing.waiting.push_back(action),
                action if self.is_near(&action) => {
                    self.work.begin_here(perform(self.context.clone(), action));
                }
                outside => self.work.begin_elsewhere(perform(self.context.clone(), outside)),
            }
        }
        self.take_turns();
        pause
    }

    /// Whether an action is done without a plugin and without a long answer to read.
    fn is_near(&self, action: &Action) -> bool {
        match action {
            Action::Await(_) => true,
            Action::Observe(request) => {
                let kind = self.context.types.get(&request.type_name);
                kind.is_some_and(|kind| kind.live_outputs.is_some())
            }
            _ => false,
        }
    }

    /// Begins what waits for its turn, as much as there is room for.
    fn take_turns(&mut self) {
        // Before the next render begins: what is compared is done with, and its memory free.
        while self.comparing.begun < AT_ONCE
            && let Some(action) = self.comparing.next()
        {
            self.comparing.begun += 1;
            self.work.share_out(perform(self.context.clone(), action));
        }
        while self.rendering.begun < self.context.parallelism.max(RENDERS)
            && self.comparing.waiting.is_empty()
            && let Some(action) = self.rendering.next()
        {
            self.rendering.begun += 1;
            self.work.share_out(perform(self.context.clone(), action));
        }
        while self.applying.begun < AT_ONCE
            && let Some((request, intent)) = self.applying.next()
        {
            self.applying.begun += 1;
            self.work.begin_elsewhere(perform_apply(self.context.clone(), request, intent));
        }
    }

    /// Takes in what a task answered.
    fn take(&mut self, event: Option<Event>, inbox: &mut Vec<Event>) {
        let begun = match event {
            // Nothing at all: a render that was put off.
            None | Some(Event::Rendered { .. }) => Some(&mut self.rendering.begun),
            Some(Event::Diffed { .. }) => Some(&mut self.comparing.begun),
            Some(Event::Applied { .. }) => Some(&mut self.applying.begun),
            _ => None,
        };
        if let Some(begun) = begun {
            *begun = begun.saturating_sub(1);
            if self.rendering.is_over() && self.comparing.is_over() {
                let put_off = self.context.definitions.take_put_off();
                self.rendering.waiting.extend(put_off.into_iter().map(Action::Render));
            }
            self.take_turns();
        }
        inbox.extend(event);
    }

    /// Waits for at least one event, and takes all that are there; false: the operator wants it to end at once.
    async fn receive(&mut self, inbox: &mut Vec<Event>) -> bool {
        let mut stop = self.cancel.0.subscribe();
        while inbox.is_empty() {
            let seen = self.stops;
            tokio::select! {
                done = self.work.next() => match done {
                    Some(Ok(event)) => self.take(event, inbox),
                    // Its resource's end is not known. The journal has its intent.
                    Some(Err(Panicked)) => return false,
                    // Nothing runs and nothing was said: the engine always ends by itself, so this is a bug as well.
                    None => return false,
                },
                Ok(now) = async { stop.wait_for(|n| *n > seen).await.map(|n| *n) } => {
                    self.stops = now;
                    if now > 1 {
                        self.work.abort();
                        return false;
                    }
                    inbox.push(Event::Cancelled);
                }
            }
        }
        let until = Instant::now() + GATHER_FOR;
        let gathers = self.writes && self.stops == 0;
        while inbox.len() < GATHER_MOST {
            let done = match self.work.next_ready() {
                Some(done) => done,
                None if gathers && self.work.len() >= GATHER_FROM && Instant::now() < until => {
                    tokio::select! {
                        () = tokio::time::sleep_until(until.min(Instant::now() + GATHER_LOOK)) => {}
                        _ = stop.wait_for(|n| *n > 0) => break,
                    }
                    continue;
                }
                None => break,
            };
            match done {
                Ok(event) => self.take(event, inbox),
                Err(Panicked) => return false,
            }
        }
        self.notice_stop(inbox)
    }

    /// A wait that ^C cut short may be heard of before the ^C itself: the engine must know why. False: the operator wants it
    /// to end at once.
    fn notice_stop(&mut self, inbox: &mut Vec<Event>) -> bool {
        let now = *self.cancel.0.borrow();
        if now > self.stops {
            self.stops = now;
            if now > 1 {
                self.work.abort();
                return false;
            }
            inbox.insert(0, Event::Cancelled);
        }
        true
    }
}

/// Whether it changes something outside: what is written must be durable before.
fn changes_things(action: &Action) -> bool {
    matches!(action, Action::Apply(_) | Action::Delete(_) | Action::Provide(_))
}

/// Whether what follows uses it, in this run, as if it were durable.
fn is_used_at_once(entry: &Entry) -> bool {
    matches!(entry, Entry::PasswordMade { .. } | Entry::TargetUsed { .. })
}
