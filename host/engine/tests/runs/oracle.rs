//! Plans and runs of small random graphs, held against a second planner that is too simple to be wrong: it looks at each
//! resource alone, tries no cleverness with what waits for what, and shares nothing with the engine but the state.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use sheave_model::Address;
use sheave_model::event::RunOutcome;
use sheave_model::plan::{Action as Planned, Purpose};
use sheave_model::stack::{ResourceRecord, StackState, Status};

use crate::outside::{Outside, world};
use crate::{apply, plan};

/// What a blueprint may have: a letter each, so that the order of names is not the order of the graph.
const NAMES: [&str; 5] = ["c", "a", "e", "b", "d"];

/// How one resource reads another.
#[derive(Clone, Copy, Debug)]
enum Read {
    No,
    /// An output that each change of a thing makes unknown, and that a part's plan foretells.
    Id,
    /// An output that changes never change.
    Name,
}

/// What others did to one resource before a version is applied.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Drift {
    None,
    Gone,
    Changed,
}

/// A resource in one version.
#[derive(Clone, Debug)]
struct Wanted {
    there: bool,
    size: u8,
    broken: bool,
    drift: Drift,
    /// How it reads each of those before it.
    reads: Vec<Read>,
}

#[derive(Clone, Debug)]
struct Story {
    /// Which of them are provided.
    parts: Vec<bool>,
    versions: Vec<Vec<Wanted>>,
    shuffle: u64,
    forgetful: bool,
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let read = prop_oneof![4 => Just(Read::No), 2 => Just(Read::Id), 2 => Just(Read::Name)];
    let drift = prop_oneof![6 => Just(Drift::None), 1 => Just(Drift::Gone), 1 => Just(Drift::Changed)];
    let one = (prop::bool::weighted(0.8), 1..3_u8, prop::bool::weighted(0.15), drift, vec(read, NAMES.len()));
    one.prop_map(|(there, size, broken, drift, reads)| Wanted { there, size, broken, drift, reads })
}

fn story() -> impl Strategy<Value = Story> {
    let versions = vec(vec(wanted(), NAMES.len()), 1..5);
    let parts = vec(prop::bool::weighted(0.4), NAMES.len());
    (parts, versions, any::<u64>(), any::<bool>()).prop_map(|(parts, versions, shuffle, forgetful)| Story {
        parts,
        versions,
        shuffle,
        forgetful,
    })
}

/// One version of a story, and all that the simple planner has to know of it.
struct Version<'a> {
    parts: &'a [bool],
    wanted: &'a [Wanted],
}

impl Version<'_> {
    fn there(&self) -> impl Iterator<Item = usize> + '_ {
        (0..NAMES.len()).filter(|i| self.wanted[*i].there)
    }

    /// What resource `i` reads, by number; a part has no `name`.
    fn needs(&self, i: usize) -> impl Iterator<Item = (usize, bool)> + '_ {
        (0..i).filter(|n| self.wanted[*n].there).filter_map(move |n| match self.wanted[i].reads[n] {
            Read::No => None,
            Read::Id => Some((n, false)),
            Read::Name => Some((n, !self.parts[n])),
        })
    }

    fn text(&self) -> String {
        let mut text = "resources:\n".to_owned();
        for i in self.there() {
            let (name, kind) = (NAMES[i], if self.parts[i] { "Part" } else { "Thing" });
            let read = |(n, by_name)| {
                format!("${{resources.{}.outputs.{}}}", NAMES[n], if by_name { "name" } else { "id" })
            };
            let note: Vec<String> = self.needs(i).map(read).collect();
            text += &format!(
                "  {name}: {{type: t:{kind}, properties: {{name: {name}, size: {}, note: 'of {}'}}}}\n",
                self.wanted[i].size,
                note.join(" ")
            );
        }
        if self.there().next().is_none() { "resources: {}\n".to_owned() } else { text }
    }

    /// The size and the note that resource `i` has when all went well.
    fn values(&self, i: usize) -> (u64, String) {
        let read = |(n, by_name): (usize, bool)| match (self.parts[n], by_name) {
            (false, false) => format!("live-{}", NAMES[n]),
            _ => NAMES[n].to_owned(),
        };
        let note: Vec<String> = self.needs(i).map(read).collect();
        (self.wanted[i].size.into(), format!("of {}", note.join(" ")))
    }

    /// What the plan must have for each resource that the blueprint has.
    fn actions(&self, outside: &Outside, state: &StackState) -> BTreeMap<usize, Planned> {
        let mut actions = BTreeMap::new();
        for i in self.there() {
            let record = record(state, i);
            let known = |(n, by_name): (usize, bool)| match actions[&n] {
                _ if self.parts[n] => true,
                Planned::NoOp => true,
                // One that is made anew is another one, and so may be one that a run left undone.
                Planned::Update => by_name && is_settled(state, n) && live(outside, n).is_some(),
                _ => false,
            };
            let right = self.needs(i).all(known) && live(outside, i) == Some(self.values(i));
            let ready = record.is_some_and(|r| r.status == Status::Ready);
            let made_anew = if self.parts[i] { live(outside, i).is_none() } else { record.is_none() };
            let action = match (made_anew, right, ready) {
                (true, ..) => Planned::Create,
                (false, false, _) => Planned::Update,
                (false, true, true) => Planned::NoOp,
                (false, true, false) => Planned::Await,
            };
            actions.insert(i, action);
        }
        actions
    }
}

fn record(state: &StackState, i: usize) -> Option<&ResourceRecord> {
    state.resources.get(&Address::new(NAMES[i])).map(AsRef::as_ref)
}

fn is_settled(state: &StackState, i: usize) -> bool {
    record(state, i).is_some_and(|r| r.outputs.is_some() && r.status == Status::Ready)
}

/// The size and the note of what is outside.
fn live(outside: &Outside, i: usize) -> Option<(u64, String)> {
    let object = outside.objects.iter().find(|(id, _)| id.name == NAMES[i]).map(|(_, o)| o);
    let found = object.or_else(|| outside.parts.get(NAMES[i]))?;
    Some((found["size"].as_u64().unwrap(), found["note"].as_str().unwrap().to_owned()))
}

fn drift(outside: &mut Outside, i: usize, how: Drift) {
    let object = outside.objects.iter_mut().find(|(id, _)| id.name == NAMES[i]);
    match how {
        Drift::None => return,
        Drift::Gone => {
            outside.objects.retain(|id, _| id.name != NAMES[i]);
            outside.parts.remove(NAMES[i]);
        }
        Drift::Changed => {
            if let Some(found) = object.map(|(_, o)| o).or_else(|| outside.parts.get_mut(NAMES[i])) {
                found["size"] = 99.into();
            }
        }
    }
    outside.forgetful = true;
}

/// `first` and `then` where both were done, in this order.
fn in_order(log: &[String], first: &str, then: &str) -> bool {
    let at = |line: &str| log.iter().position(|l| l == line);
    match (at(first), at(then)) {
        (Some(first), Some(then)) => first < then,
        _ => true,
    }
}

/// Everything that `of` leads to from `i`.
fn closure(i: usize, of: &dyn Fn(usize) -> Vec<usize>) -> BTreeSet<usize> {
    let (mut found, mut open) = (BTreeSet::new(), of(i));
    while let Some(next) = open.pop() {
        if found.insert(next) {
            open.extend(of(next));
        }
    }
    found
}

/// Applies a version, and holds plan and run against what the simple planner says.
fn check(version: &Version<'_>, outside: &mut Outside, state: &mut StackState) -> TestCaseResult {
    let text = version.text();
    let actions = version.actions(outside, state);
    let gone: Vec<usize> =
        (0..NAMES.len()).filter(|i| !version.wanted[*i].there && record(state, *i).is_some()).collect();

    let ended = plan(outside, state, &text);
    let mut expected: BTreeMap<String, Planned> =
        actions.iter().map(|(i, a)| (NAMES[*i].to_owned(), *a)).collect();
    expected.extend(gone.iter().map(|i| (NAMES[*i].to_owned(), Planned::Delete)));
    let planned = ended.actions();
    prop_assert_eq!(planned.iter().cloned().collect::<BTreeMap<_, _>>(), expected, "{}", text);
    prop_assert_eq!(planned.len(), actions.len() + gone.len());
    let listed: Vec<String> = planned.into_iter().map(|(a, _)| a).collect();
    let needs = |i| version.needs(i).map(|(n, _)| n).collect::<Vec<_>>();
    for i in version.there() {
        for need in needs(i) {
            prop_assert!(in_order(&listed, NAMES[need], NAMES[i]), "{listed:?}\n{text}");
        }
    }

    // What is tried and refused fails; what needs something that failed is not tried.
    let line = |i: usize| format!("{} {}", if version.parts[i] { "provide" } else { "apply" }, NAMES[i]);
    let changes = |i: usize| match actions[&i] {
        Planned::Create => true,
        // A part may turn out to be right once all that it reads is known.
        Planned::Update => !version.parts[i] || live(outside, i) != Some(version.values(i)),
        _ => false,
    };
    let (mut failed, mut lines) = (BTreeSet::new(), BTreeSet::new());
    for i in version.there() {
        if needs(i).iter().any(|n| failed.contains(n)) {
            failed.insert(i);
        } else if changes(i) {
            if version.wanted[i].broken {
                failed.insert(i)
            } else {
                lines.insert(line(i))
            };
        }
    }
    let removal =
        |i: usize| format!("{} {}", if version.parts[i] { "unprovide" } else { "delete" }, NAMES[i]);
    let removed = |i: &usize| version.parts[*i] || record(state, *i).is_some_and(|r| !r.objects.is_empty());
    if failed.is_empty() {
        lines.extend(gone.iter().filter(|i| removed(i)).map(|i| removal(*i)));
    }
    let requires = |i: usize| {
        let required = record(state, i).map(|r| r.requires.clone()).unwrap_or_default();
        (0..NAMES.len()).filter(|n| required.contains(&Address::new(NAMES[*n]))).collect::<Vec<_>>()
    };
    let mut orders: Vec<(String, String)> = Vec::new();
    for i in version.there() {
        orders.extend(closure(i, &needs).into_iter().map(|need| (line(need), line(i))));
        orders.extend(gone.iter().map(|g| (line(i), removal(*g))));
    }
    for i in &gone {
        let below = closure(*i, &|n| requires(n).into_iter().filter(|n| gone.contains(n)).collect());
        orders.extend(below.into_iter().map(|need| (removal(*i), removal(need))));
    }

    outside.broken =
        version.there().filter(|i| version.wanted[*i].broken).map(|i| NAMES[i].to_owned()).collect();
    outside.log.clear();
    let ended = apply(outside, state, &text);
    prop_assert_eq!(outside.log.len(), lines.len(), "{:?}, and not {:?}\n{}", &outside.log, &lines, &text);
    prop_assert_eq!(outside.log.iter().cloned().collect::<BTreeSet<_>>(), lines, "{}", &text);
    for (first, then) in &orders {
        prop_assert!(in_order(&outside.log, first, then), "{first} first: {:?}\n{text}", outside.log);
    }
    let outcome = if failed.is_empty() { RunOutcome::Ok } else { RunOutcome::Failed };
    prop_assert_eq!(ended.outcome(), Some(outcome), "{:?}\n{}", ended.diagnostics, text);
    Ok(())
}

/// The outside is what the version asks for, and nothing else.
fn settled(version: &Version<'_>, outside: &mut Outside, state: &StackState) -> TestCaseResult {
    let wanted: BTreeMap<usize, _> = version.there().map(|i| (i, version.values(i))).collect();
    let found = (0..NAMES.len()).filter_map(|i| Some((i, live(outside, i)?))).collect();
    prop_assert_eq!(wanted, found);
    prop_assert_eq!(outside.objects.len() + outside.parts.len(), version.there().count());
    let again = plan(outside, state, &version.text());
    prop_assert!(again.plan.is_some_and(|p| p.is_empty()), "{:?}", again.diagnostics);
    Ok(())
}

fn tell(story: &Story) -> TestCaseResult {
    let mut state = StackState::default();
    let mut outside =
        Outside { shuffle: Some(story.shuffle), forgetful: story.forgetful, ..Outside::default() };
    for wanted in &story.versions {
        for (i, one) in wanted.iter().enumerate() {
            drift(&mut outside, i, one.drift);
        }
        check(&Version { parts: &story.parts, wanted }, &mut outside, &mut state)?;
    }
    // Once more with nothing in the way, then to the end.
    let mut last = story.versions.last().cloned().unwrap_or_default();
    last.iter_mut().for_each(|one| one.broken = false);
    let last = Version { parts: &story.parts, wanted: &last };
    check(&last, &mut outside, &mut state)?;
    settled(&last, &mut outside, &state)?;
    let gone = world("resources: {}\n", &state, Purpose::Destroy, &[]);
    let ended = outside.run(gone, &mut state, true);
    prop_assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
    prop_assert!(outside.objects.is_empty() && outside.parts.is_empty() && state.resources.is_empty());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_agrees_with_a_planner_too_simple_to_be_wrong(story in story()) {
        tell(&story)?;
    }
}
