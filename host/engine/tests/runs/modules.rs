//! Blueprints inside one another, parts of a stack, what others made, and resources that move.

use sheave_engine::MovedAddress;
use sheave_model::Address;
use sheave_model::event::RunOutcome;
use sheave_model::plan::{Action as Planned, Purpose};
use sheave_model::stack::StackState;

use crate::outside::{Ended, Outside, world};
use crate::{apply, plan};

fn at(text: &str) -> Address {
    text.parse().unwrap()
}

fn addresses(state: &StackState) -> Vec<String> {
    state.resources.keys().map(ToString::to_string).collect()
}

const NESTED: &str = "
resources:
  base: {type: t:Thing, properties: {name: base}}
  all: {type: ./outer, inputs: {names: ['${resources.base.outputs.name}', y]}}
  last: {type: t:Thing, properties: {name: '${resources.all.outputs.ids.join(\",\")}'}}
outputs:
  ids: ${resources.all.outputs.ids}
";

#[test]
fn modules_stand_in_one_another_and_give_outputs() {
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    let ended = apply(&mut outside, &mut state, NESTED);
    assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
    assert_eq!(
        addresses(&state),
        ["all.pairs[0].one", "all.pairs[0].two", "all.pairs[1].one", "all.pairs[1].two", "base", "last"]
    );
    assert_eq!(outside.log.first().unwrap(), "apply base");
    assert_eq!(outside.log.last().unwrap(), "apply all.pairs[0].two,all.pairs[1].two");
    let again = plan(&mut outside, &state, NESTED);
    assert!(again.plan.unwrap().is_empty(), "{:?}", again.diagnostics);

    // What the modules need, and what needs them, is known to a destroy as well.
    outside.log.clear();
    let ended = outside.run(world("resources: {}\n", &state, Purpose::Destroy, &[]), &mut state, true);
    assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
    assert!(outside.log[0].starts_with("delete all."), "{:?}", outside.log);
    assert_eq!(outside.log.last().unwrap(), "delete base", "{:?}", outside.log);
    for n in 0..2 {
        let place = |what: String| outside.log.iter().position(|l| *l == what).unwrap();
        let one = ["base", "y"][n];
        assert!(place(format!("unprovide all.pairs[{n}].two")) < place(format!("delete {one}-one")));
    }
}

#[test]
fn what_goes_says_why() {
    let text = |all: &str, rest: &str| {
        format!("resources:\n  all: {{type: ./outer, inputs: {{names: [x]}}{all}}}\n{rest}")
    };
    let two = "  one: {type: t:Thing, properties: {name: one}}\n  each: {type: t:Thing, count: 2, properties: {name: 'n${each.key}'}}\n";
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    apply(&mut outside, &mut state, &text("", two));
    let off = two.replace("count: 2,", "count: 2, when: '${each.key != 1}',");
    let planned = plan(&mut outside, &state, &text(", when: false", &off)).plan.unwrap();
    let mut why: Vec<String> = planned
        .resources
        .iter()
        .filter(|r| r.action == Planned::Delete)
        .map(|r| format!("{}: {}", r.address, r.why.as_deref().unwrap()))
        .collect();
    why.sort();
    assert_eq!(
        why,
        [
            "all.pairs[0].one: the `when` of `all` is false",
            "all.pairs[0].two: the `when` of `all` is false",
            "each[1]: its `when` is false"
        ]
    );
    let planned = plan(&mut outside, &state, &text("", "")).plan.unwrap();
    let one = planned.resources.iter().find(|r| r.address == at("one")).unwrap();
    assert_eq!(one.why.as_deref(), Some("no longer in the blueprint"));
}

#[test]
fn a_module_that_shrinks_loses_its_last_instances_only() {
    let text = |names: &str| format!("resources: {{all: {{type: ./outer, inputs: {{names: {names}}}}}}}\n");
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    apply(&mut outside, &mut state, &text("[x, y]"));
    let ended = apply(&mut outside, &mut state, &text("[x]"));
    assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
    assert_eq!(addresses(&state), ["all.pairs[0].one", "all.pairs[0].two"]);
}

#[test]
fn how_many_modules_there_are_may_be_known_later() {
    let text = "
resources:
  a: {type: t:Thing, properties: {name: x}}
  pairs: {type: ./pair, for-each: '${[resources.a.outputs.id, \"z\"].filter(n, n != \"x\")}', inputs: {name: '${each.value}'}}
outputs: {n: '${resources.pairs.map(p, p.outputs.id)}'}
";
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    let planned = plan(&mut outside, &state, text);
    let deferred: Vec<String> = planned
        .plan
        .iter()
        .flat_map(|p| &p.resources)
        .filter(|r| r.deferred.is_some())
        .map(|r| r.address.to_string())
        .collect();
    assert_eq!(deferred, ["pairs.one", "pairs.two"], "{:?}", planned.diagnostics);
    let ended = apply(&mut outside, &mut state, text);
    assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
    assert_eq!(addresses(&state), ["a", "pairs[0].one", "pairs[0].two", "pairs[1].one", "pairs[1].two"]);
    let again = plan(&mut outside, &state, text);
    assert!(again.plan.unwrap().is_empty(), "{:?}", again.diagnostics);
}

#[test]
fn what_fails_in_a_module_stops_what_reads_it() {
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    outside.broken.insert("all.pairs[1].one".into());
    let ended = apply(&mut outside, &mut state, NESTED);
    assert_eq!(ended.outcome(), Some(RunOutcome::Failed));
    assert!(addresses(&state).contains(&"all.pairs[0].two".to_owned()), "{:?}", addresses(&state));
    assert!(!addresses(&state).contains(&"last".to_owned()));
    assert_eq!(ended.codes().iter().filter(|c| **c == "run.blocked").count(), 2, "{:?}", ended.diagnostics);
    outside.broken.clear();
    let ended = apply(&mut outside, &mut state, NESTED);
    assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
}

#[test]
fn inputs_of_a_module_are_checked() {
    let text = "resources: {p: {type: ./pair, inputs: {name: x, size: '${[\"a\"][0]}'}}}\n";
    let ended = plan(&mut Outside::default(), &StackState::default(), text);
    assert!(ended.plan.is_none());
    assert_eq!(ended.codes(), ["blueprint.input-invalid"], "{:?}", ended.diagnostics);
}

fn only(outside: &mut Outside, state: &mut StackState, text: &str, what: &[&str]) -> Ended {
    let mut world = world(text, state, Purpose::Apply, &[]);
    world.only = what.iter().map(|a| at(a)).collect();
    outside.run(world, state, true)
}

#[test]
fn a_part_of_a_stack_with_what_it_needs() {
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    let ended = only(&mut outside, &mut state, NESTED, &["all.pairs[0].one"]);
    assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
    assert_eq!(addresses(&state), ["all.pairs[0].one", "base"]);
    let ended = only(&mut outside, &mut state, NESTED, &["all.pairs[1]"]);
    assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
    assert_eq!(addresses(&state), ["all.pairs[0].one", "all.pairs[1].one", "all.pairs[1].two", "base"]);
    let ended = apply(&mut outside, &mut state, NESTED);
    assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
    // Another value, of which one instance is meant.
    let list = |size: u32| {
        format!(
            "resources: {{w: {{type: t:Thing, count: 3, properties: {{name: 'w${{each.key}}', size: {size}}}}}}}\n"
        )
    };
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    apply(&mut outside, &mut state, &list(1));
    outside.log.clear();
    let ended = only(&mut outside, &mut state, &list(2), &["w[1]"]);
    assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
    assert_eq!(outside.log, ["apply w1"]);
    assert_eq!(addresses(&state).len(), 3, "nothing is removed");
}

#[test]
fn what_moved_is_neither_made_nor_removed() {
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    let text = |name: &str| {
        format!(
            "resources:\n  {name}: {{type: t:Thing, properties: {{name: x}}}}\n  user: {{type: t:Thing, properties: {{name: user}}, depends-on: [{name}]}}\n"
        )
    };
    apply(&mut outside, &mut state, &text("old"));
    outside.log.clear();
    let mut moved = state.clone();
    let requiring = moved.requiring(&at("old"));
    moved.rename(&at("old"), &at("new"), &requiring);
    let mut world = world(&text("new"), &moved, Purpose::Apply, &[]);
    world.moved = vec![MovedAddress { from: at("old"), to: at("new"), requiring }];
    let ended = outside.run(world, &mut state, true);
    assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
    assert_eq!(outside.log, Vec::<String>::new());
    assert_eq!(addresses(&state), ["new", "user"]);
    assert_eq!(state.resources[&at("new")].named, Some(at("old")));
    assert_eq!(state.resources[&at("user")].requires, [at("new")]);
    assert!(plan(&mut outside, &state, &text("new")).plan.unwrap().is_empty());
}

#[test]
fn an_object_that_changes_hands_is_not_removed() {
    let text = |name: &str| format!("resources: {{{name}: {{type: t:Thing, properties: {{name: x}}}}}}\n");
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    apply(&mut outside, &mut state, &text("old"));
    outside.log.clear();
    let ended = apply(&mut outside, &mut state, &text("new"));
    assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
    assert!(!outside.log.iter().any(|l| l.starts_with("delete")), "{:?}", outside.log);
    assert_eq!(addresses(&state), ["new"]);
    assert_eq!(outside.objects.len(), 1);

    // The same where the new one's name is known only when it is applied.
    let late = "resources:\n  first: {type: t:Thing, properties: {name: a}}\n  \
                new: {type: t:Thing, properties: {name: '${resources.first.outputs.id}'}}\n";
    let early = "resources: {old: {type: t:Thing, properties: {name: live-first}}}\n";
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    apply(&mut outside, &mut state, early);
    outside.log.clear();
    let ended = apply(&mut outside, &mut state, late);
    assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
    assert!(!outside.log.iter().any(|l| l.starts_with("delete")), "{:?}", outside.log);
    assert_eq!(addresses(&state), ["first", "new"]);
}

#[test]
fn what_others_made_is_read_and_never_changed() {
    let text = |more: &str| {
        format!(
            "resources:\n  theirs: {{type: t:Thing, properties: {{name: x}}{more}}}\n  \
             ours: {{type: t:Thing, properties: {{name: '${{resources.theirs.outputs.id}}-ours'}}}}\n"
        )
    };
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    apply(&mut outside, &mut StackState::default(), &text(""));
    outside.objects.retain(|id, _| id.name == "x");
    outside.log.clear();
    let ended = apply(&mut outside, &mut state, &text(", existing: true"));
    assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
    assert_eq!(outside.log, ["apply live-theirs-ours"], "known when planned, and not applied");
    assert_eq!(addresses(&state), ["ours"]);
    assert!(plan(&mut outside, &state, &text(", existing: true")).plan.unwrap().is_empty());

    // What was ours is released, and left where it is.
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    apply(&mut outside, &mut state, &text(""));
    outside.log.clear();
    let ended = apply(&mut outside, &mut state, &text(", existing: true"));
    assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
    assert_eq!(outside.log, Vec::<String>::new());
    assert_eq!(addresses(&state), ["ours"]);
}

#[test]
fn what_is_protected_stays() {
    let text = |yes: bool| {
        format!("resources: {{a: {{type: t:Thing, properties: {{name: x}}, prevent-destroy: {yes}}}}}\n")
    };
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    apply(&mut outside, &mut state, &text(true));
    for purpose in [Purpose::Apply, Purpose::Destroy] {
        let ended = outside.run(world("resources: {}\n", &state, purpose, &[]), &mut state, true);
        assert_eq!(ended.outcome(), Some(RunOutcome::Failed));
        assert_eq!(ended.codes(), ["plan.prevent-destroy"]);
    }
    let ended = apply(&mut outside, &mut state, &text(false));
    assert_eq!(ended.actions(), [("a".to_owned(), Planned::Await)], "the change of mind is written down");
    let ended = apply(&mut outside, &mut state, "resources: {}\n");
    assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
    assert!(outside.objects.is_empty());
}
