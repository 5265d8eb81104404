//! `replace-when`: what is made anew, and when.

use sheave_model::Address;
use sheave_model::event::RunOutcome;
use sheave_model::plan::Action as Planned;
use sheave_model::stack::{StackState, Status};

use crate::outside::{Ended, Outside};
use crate::{apply, plan};

fn thing(when: &str, size: u32) -> String {
    format!(
        "resources:\n  a: {{type: t:Thing, replace-when: {when}, properties: {{name: first, size: {size}}}}}\n"
    )
}

fn part(when: &str, size: u32) -> String {
    thing(when, size).replace("t:Thing", "t:Part")
}

fn action(ended: &Ended, address: &str) -> Planned {
    let found = ended.actions().into_iter().find(|(a, _)| a == address);
    found.unwrap_or_else(|| panic!("{address}: {:?}", ended.diagnostics)).1
}

fn applied(outside: &mut Outside, state: &mut StackState, text: &str) -> Vec<String> {
    outside.log.clear();
    let ended = apply(outside, state, text);
    assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
    outside.log.clone()
}

#[test]
fn another_value_makes_it_anew_once() {
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    assert_eq!(applied(&mut outside, &mut state, &thing("v1", 1)), ["apply first"]);
    assert!(plan(&mut outside, &state, &thing("v1", 1)).plan.unwrap().is_empty());
    // What is not watched changes in place.
    assert_eq!(action(&plan(&mut outside, &state, &thing("v1", 2)), "a"), Planned::Update);

    let ended = plan(&mut outside, &state, &thing("v2", 1));
    let planned = &ended.plan.unwrap().resources[0];
    assert_eq!((planned.action, planned.renew), (Planned::Replace, true));
    assert_eq!(planned.why.as_deref(), Some("the value of `replace-when` has changed"));
    assert_eq!(applied(&mut outside, &mut state, &thing("v2", 1)), ["delete first", "apply first"]);
    assert!(plan(&mut outside, &state, &thing("v2", 1)).plan.unwrap().is_empty());
}

#[test]
fn a_named_property_makes_it_anew_alone_or_in_a_list() {
    for when in ["/size", "[/size, /fixed]", "[/name, '${1 + 1}', /size]"] {
        let (mut outside, mut state) = (Outside::default(), StackState::default());
        applied(&mut outside, &mut state, &thing(when, 1));
        assert!(plan(&mut outside, &state, &thing(when, 1)).plan.unwrap().is_empty(), "{when}");
        let ended = plan(&mut outside, &state, &thing(when, 2));
        assert_eq!(action(&ended, "a"), Planned::Replace, "{when}");
        let why = ended.plan.unwrap().resources[0].why.clone().unwrap();
        assert!(why.contains("`/size`"), "{why}");
        assert_eq!(applied(&mut outside, &mut state, &thing(when, 2)), ["delete first", "apply first"]);
        assert!(plan(&mut outside, &state, &thing(when, 2)).plan.unwrap().is_empty(), "{when}");
    }
}

#[test]
fn while_it_is_true_each_run_makes_it_anew() {
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    applied(&mut outside, &mut state, &thing("false", 1));
    assert!(plan(&mut outside, &state, &thing("false", 1)).plan.unwrap().is_empty());
    for _ in 0..2 {
        assert_eq!(applied(&mut outside, &mut state, &thing("true", 1)), ["delete first", "apply first"]);
    }
    assert!(
        plan(&mut outside, &state, &thing("false", 1)).plan.unwrap().is_empty(),
        "to end it is no change"
    );
}

#[test]
fn to_begin_to_watch_is_written_down_and_no_reason_by_itself() {
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    applied(&mut outside, &mut state, &thing("false", 1));
    assert_eq!(action(&plan(&mut outside, &state, &thing("/size", 1)), "a"), Planned::Await);
    assert_eq!(applied(&mut outside, &mut state, &thing("/size", 1)), Vec::<String>::new());
    assert!(plan(&mut outside, &state, &thing("/size", 1)).plan.unwrap().is_empty());
    // Beside it, another value: still nothing that could have changed.
    assert_eq!(action(&plan(&mut outside, &state, &thing("[/size, v1]", 1)), "a"), Planned::Await);
    assert_eq!(action(&plan(&mut outside, &state, &thing("[/size, v1]", 2)), "a"), Planned::Replace);
}

#[test]
fn what_is_known_after_apply_counts_as_another_value() {
    let text = |size: u32| {
        format!(
            "resources:\n  a: {{type: t:Thing, properties: {{name: first, size: {size}}}}}\n  \
             b: {{type: t:Thing, replace-when: '${{resources.a.outputs.id}}', properties: {{name: second}}}}\n"
        )
    };
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    applied(&mut outside, &mut state, &text(1));
    assert!(plan(&mut outside, &state, &text(1)).plan.unwrap().is_empty());
    let ended = plan(&mut outside, &state, &text(2));
    assert_eq!((action(&ended, "a"), action(&ended, "b")), (Planned::Update, Planned::Replace));
    let done = applied(&mut outside, &mut state, &text(2));
    assert_eq!(done, ["apply first", "delete second", "apply second"]);
    assert!(plan(&mut outside, &state, &text(2)).plan.unwrap().is_empty());
}

#[test]
fn one_that_was_cut_short_is_made_anew_again() {
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    applied(&mut outside, &mut state, &thing("v1", 1));
    outside.broken.insert("a".into());
    assert_eq!(apply(&mut outside, &mut state, &thing("v2", 1)).outcome(), Some(RunOutcome::Failed));
    outside.broken.clear();
    let record = &state.resources[&Address::new("a")];
    assert!(record.renewing && record.status != Status::Ready);
    applied(&mut outside, &mut state, &thing("v2", 1));
    assert!(plan(&mut outside, &state, &thing("v2", 1)).plan.unwrap().is_empty());
}

#[test]
fn a_providers_resource_is_removed_and_made_again() {
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    applied(&mut outside, &mut state, &part("/size", 1));
    assert_eq!(action(&plan(&mut outside, &state, &part("/size", 2)), "a"), Planned::Replace);
    assert_eq!(applied(&mut outside, &mut state, &part("/size", 2)), ["unprovide a", "provide a"]);
    assert!(plan(&mut outside, &state, &part("/size", 2)).plan.unwrap().is_empty());
    assert_eq!(applied(&mut outside, &mut state, &part("true", 2)), ["unprovide a", "provide a"]);
}

#[test]
fn what_is_protected_is_not_made_anew() {
    let text = |when: &str| thing(when, 1).replace("properties", "prevent-destroy: true, properties");
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    applied(&mut outside, &mut state, &text("v1"));
    let ended = plan(&mut outside, &state, &text("v2"));
    assert_eq!(ended.codes(), ["plan.prevent-destroy"]);
}
