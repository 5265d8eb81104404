//! Whole runs of the engine over a small world.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, in what tests share as well"
)]

mod lint;
mod modules;
mod oracle;
mod outside;
mod renew;

use outside::{Ended, Outside, world};
use sheave_engine::Inside;
use sheave_model::ObjectId;
use sheave_model::event::RunOutcome;
use sheave_model::plan::{Action as Planned, Purpose};
use sheave_model::stack::StackState;

fn apply(outside: &mut Outside, state: &mut StackState, text: &str) -> Ended {
    let world = world(text, state, Purpose::Apply, &[]);
    outside.run(world, state, true)
}

fn plan(outside: &mut Outside, state: &StackState, text: &str) -> Ended {
    let mut copy = state.clone();
    let ended = outside.run(world(text, state, Purpose::Apply, &[]), &mut copy, false);
    assert_eq!(copy, *state, "a plan wrote something down");
    ended
}

const TWO: &str = "
resources:
  a: {type: t:Thing, properties: {name: first}}
  b: {type: t:Part, properties: {name: '${resources.a.outputs.id}'}}
outputs:
  id: ${resources.b.outputs.id}
";

#[test]
fn a_dependant_comes_after_and_the_second_plan_is_empty() {
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    let ended = apply(&mut outside, &mut state, TWO);
    assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
    assert_eq!(outside.log, ["apply first", "provide b"]);
    assert_eq!(outside.parts["b"]["name"], "live-a");
    let again = plan(&mut outside, &state, TWO);
    assert!(again.plan.unwrap().is_empty(), "{:?}", again.diagnostics);
}

#[test]
fn an_output_not_known_yet_stands_at_its_leaf() {
    let ended = plan(&mut Outside::default(), &StackState::default(), TWO);
    let plan = ended.plan.unwrap();
    let b = plan.resources.iter().find(|r| r.address.to_string() == "b").unwrap();
    assert_eq!(b.properties.0["name"]["$unknown"], "a#/id");
}

#[test]
fn a_resource_that_left_the_blueprint_is_removed_dependants_first() {
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    apply(&mut outside, &mut state, TWO);
    outside.log.clear();
    let ended = apply(&mut outside, &mut state, "resources: {}\n");
    assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
    assert_eq!(outside.log, ["unprovide b", "delete first"]);
    assert!(state.resources.is_empty() && state.in_flight.is_empty());
}

#[test]
fn destroy_needs_no_blueprint() {
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    apply(&mut outside, &mut state, TWO);
    let gone = world("resources: {}\n", &state, Purpose::Destroy, &[]);
    let ended = outside.run(gone, &mut state, true);
    assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
    assert!(outside.objects.is_empty() && outside.parts.is_empty() && state.resources.is_empty());
}

/// Two resources in each layer, each of which needs both of the layer beneath: as many ways down as 2 to the layers.
#[test]
fn what_needs_each_other_in_layers_is_removed_from_the_top() {
    const LAYERS: usize = 60;
    let mut text = "resources:\n".to_owned();
    for layer in 0..LAYERS {
        let needs = match layer.checked_sub(1) {
            Some(below) => format!(", depends-on: [a{below}, b{below}]"),
            None => String::new(),
        };
        for name in ["a", "b"] {
            text +=
                &format!("  {name}{layer}: {{type: t:Thing, properties: {{name: {name}{layer}}}{needs}}}\n");
        }
    }
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    apply(&mut outside, &mut state, &text);
    assert_eq!(outside.objects.len(), 2 * LAYERS);
    outside.log.clear();
    let gone = world("resources: {}\n", &state, Purpose::Destroy, &[]);
    let plan = outside.run(gone, &mut state, true).plan.unwrap();
    let shown: Vec<String> = plan.resources.iter().map(|r| r.address.to_string()).collect();
    let wanted: Vec<String> =
        (0..LAYERS).rev().flat_map(|layer| [format!("a{layer}"), format!("b{layer}")]).collect();
    assert_eq!(shown, wanted);
    assert!(outside.objects.is_empty());
}

#[test]
fn an_output_that_was_emitted_is_known_before_anything_is_made() {
    let text = "
resources:
  a: {type: t:Thing, properties: {name: first}}
  b: {type: t:Thing, properties: {name: '${resources.a.outputs.called}-x'}}
  c: {type: t:Thing, properties: {name: '${resources.b.outputs.id}'}}
  d: {type: t:Thing, properties: {name: '${resources.c.outputs.called}-y'}}
";
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    let planned = plan(&mut outside, &state, text).plan.unwrap();
    let of = |name: &str| planned.resources.iter().find(|r| r.address.name() == name).unwrap();
    assert!(
        of("b").deferred.is_none() && of("b").properties.0.to_string().contains("first-x"),
        "{planned:#?}"
    );
    assert!(
        !of("d").properties.0.to_string().contains("-y\""),
        "what is emitted is not known itself: {planned:#?}"
    );
    let ended = apply(&mut outside, &mut state, text);
    assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
    assert_eq!(outside.log, ["apply first", "apply first-x", "apply live-b", "apply live-b-y"]);
    assert!(plan(&mut outside, &state, text).plan.unwrap().is_empty());
}

#[test]
fn what_fails_stops_what_needs_it_and_nothing_else() {
    let text = "
resources:
  a: {type: t:Thing, properties: {name: bad}}
  b: {type: t:Thing, properties: {name: '${resources.a.outputs.id}x', size: 1}}
  c: {type: t:Thing, properties: {name: good}}
";
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    outside.broken.insert("a".into());
    apply(&mut outside, &mut state, "resources: {old: {type: t:Thing, properties: {name: old}}}\n");
    let ended = apply(&mut outside, &mut state, text);
    assert_eq!(ended.outcome(), Some(RunOutcome::Failed));
    assert!(outside.log.contains(&"apply good".to_owned()));
    assert!(!outside.log.iter().any(|l| l.starts_with("delete")), "nothing is pruned when something failed");
    assert_eq!(ended.codes().iter().filter(|c| **c == "run.blocked").count(), 1, "{:?}", ended.codes());
    outside.broken.clear();
    let ended = apply(&mut outside, &mut state, text);
    assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
    assert!(outside.log.contains(&"delete old".to_owned()));
}

#[test]
fn what_holds_others_is_there_first_and_goes_last() {
    let text = "
resources:
  a: {type: t:Thing, properties: {name: in-it}}
  room: {type: t:Space, properties: {name: room}, keep: false}
";
    for backwards in [false, true] {
        let (mut outside, mut state) = (Outside { backwards, ..Outside::default() }, StackState::default());
        let ended = apply(&mut outside, &mut state, text);
        assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
        assert_eq!(outside.log, ["apply room", "apply in-it"]);
        outside.log.clear();
        apply(&mut outside, &mut state, "resources: {}\n");
        assert_eq!(outside.log, ["delete in-it", "delete room"]);
    }
}

#[test]
fn what_holds_things_of_others_stays_unless_it_was_said() {
    let text = |keep: &str| {
        format!(
            "resources:\n  a: {{type: t:Thing, properties: {{name: in-it}}}}\n  \
             room: {{type: t:Space, properties: {{name: room}}{keep}}}\n"
        )
    };
    let stranger = ObjectId {
        api_version: "v1".into(),
        kind: "ConfigMap".into(),
        namespace: Some("room".into()),
        name: "theirs".into(),
    };
    let cases = [
        ("", vec![stranger.clone()], vec![], "left where it is, for what this stack did not make", false),
        ("", vec![], vec!["Secret: no".to_owned()], "left where it is, since what it holds", false),
        ("", vec![], vec![], "", true),
        (", keep: false", vec![stranger], vec![], "with it goes what this stack did not make", true),
    ];
    for (keep, strangers, unseen, note, goes) in cases {
        let (mut outside, mut state) = (Outside::default(), StackState::default());
        apply(&mut outside, &mut state, &text(keep));
        outside.log.clear();
        outside.inside.insert("room".into(), Inside { strangers, unseen });
        let ended = outside.run(world("resources: {}\n", &state, Purpose::Destroy, &[]), &mut state, true);
        assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
        let plan = ended.plan.unwrap();
        let room = plan.resources.iter().find(|r| r.address.name() == "room").unwrap();
        let (action, said) = (room.action, room.objects[0].notes.join("\n"));
        assert_eq!(action, if goes { Planned::Delete } else { Planned::Forget }, "{keep}");
        assert!(said.starts_with(note) && said.is_empty() == note.is_empty(), "{said}");
        let gone = ["delete in-it", "delete room"];
        assert_eq!(outside.log, if goes { &gone[..] } else { &gone[..1] });
        assert!(state.resources.is_empty());
    }
}

#[test]
fn a_list_of_instances_grows_and_shrinks_at_its_end() {
    let text = |n: u32| {
        format!(
            "resources:\n  s: {{type: t:Thing, count: {n}, properties: {{name: 's-${{string(each.key)}}'}}}}\n"
        )
    };
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    apply(&mut outside, &mut state, &text(3));
    assert_eq!(outside.objects.len(), 3);
    outside.log.clear();
    apply(&mut outside, &mut state, &text(2));
    assert_eq!(outside.log, ["delete s-2"]);
}

#[test]
fn instances_known_only_after_apply_are_expanded_in_the_same_run() {
    let text = "
resources:
  a: {type: t:Thing, properties: {name: first}}
  s: {type: t:Thing, for-each: '${[resources.a.outputs.id]}', properties: {name: '${each.value}'}}
  all: {type: t:Thing, when: '${resources.a.outputs.id == \"live-a\"}', properties: {name: last}}
";
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    let ended = apply(&mut outside, &mut state, text);
    assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
    assert!(outside.objects.keys().any(|id| id.name == "live-a"), "{:?}", outside.log);
    assert!(outside.objects.keys().any(|id| id.name == "last"), "{:?}", outside.log);
    let again = plan(&mut outside, &state, text);
    assert!(again.plan.unwrap().is_empty());
}

#[test]
fn a_password_is_made_once_and_never_in_the_plan() {
    let text =
        "resources:\n  a: {type: t:Thing, properties: {name: x, fixed: '${randomPassword(\"db\", 12)}'}}\n";
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    let first = plan(&mut outside, &state, text).plan.unwrap();
    assert_eq!(first.passwords.get("db"), Some(&12));
    let ended = apply(&mut outside, &mut state, text);
    assert_eq!(ended.outcome(), Some(RunOutcome::Ok), "{:?}", ended.diagnostics);
    assert!(state.passwords.contains_key("db"));
    assert!(!serde_json::to_string(&ended.plan).unwrap().contains("made-db"));
}

#[test]
fn changing_a_property_updates_and_keeps_stable_outputs_known() {
    let text = |size: u32| {
        format!(
            "resources:\n  a: {{type: t:Thing, properties: {{name: first, size: {size}}}}}\n  \
             b: {{type: t:Thing, properties: {{name: 'of-${{resources.a.outputs.name}}'}}}}\n"
        )
    };
    let (mut outside, mut state) = (Outside::default(), StackState::default());
    apply(&mut outside, &mut state, &text(1));
    let ended = plan(&mut outside, &state, &text(2));
    assert_eq!(ended.actions(), [("a".to_owned(), Planned::Update), ("b".to_owned(), Planned::NoOp)]);
}

#[test]
fn what_others_deleted_keeps_no_output() {
    let text = "
resources:
  a: {type: t:Thing, properties: {name: first}}
  b: {type: t:Thing, properties: {name: second, note: 'of ${resources.a.outputs.name}'}}
";
    let (mut outside, mut state) = (Outside { forgetful: true, ..Outside::default() }, StackState::default());
    apply(&mut outside, &mut state, text);
    outside.objects.retain(|id, _| id.name != "first");
    let ended = plan(&mut outside, &state, text);
    assert_eq!(ended.actions(), [("a".to_owned(), Planned::Update), ("b".to_owned(), Planned::Update)]);
}
