//! The first example, from nothing to nothing again: what an operator does in the first half hour.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use std::fs;

use serde_json::{Value, json};
use sheave_testkit::{Example, audit};

/// Address and action of each planned resource that is not left as it is.
fn changes(plan: &Value) -> Vec<(&str, &str)> {
    let resources = plan["resources"].as_array().unwrap().iter();
    let all = resources.map(|r| (r["address"].as_str().unwrap(), r["action"].as_str().unwrap()));
    all.filter(|(_, action)| *action != "noop").collect()
}

#[test]
fn it_is_applied_and_then_there_is_nothing_to_do() {
    let first = Example::new("first");
    let _ = first.run(&["validate"]).exits(0);
    let applied = first.run(&["apply", "--yes"]).exits(0).says("web").says("web.txt");
    assert!(first.namespace_is_there());

    let web = first.stack.object("deployment", "web").unwrap();
    assert_eq!(web["status"]["availableReplicas"], 2, "it is waited for");
    let secret = first.stack.object("secret", "credentials").unwrap();
    assert_eq!(secret["data"]["user"], "d2Vi", "base64");
    assert_eq!(secret["data"]["password"].as_str().unwrap().len(), 32, "24 characters in base64");

    let card = fs::read_to_string(first.folder().join("out/web.txt")).unwrap();
    assert!(card.contains("Deployment web") && card.contains(first.stack.namespace()), "{card}");
    assert!(card.contains(web["metadata"]["uid"].as_str().unwrap()), "{card}");

    let outputs = first.run(&["outputs", "--json"]).exits(0).json();
    assert_eq!(
        outputs["deployment"]["value"].as_str().or(outputs["deployment"].as_str()),
        Some("web"),
        "{outputs}"
    );
    assert_eq!(first.run(&["outputs", "card"]).exits(0).stdout.trim(), "web.txt");
    let listed = first.run(&["state", "list"]).exits(0).stdout;
    assert_eq!(listed.lines().collect::<Vec<_>>(), ["card", "credentials", "space", "web"]);
    let _ = first.run(&["status"]).exits(0);

    // That nothing is to be done is seen without asking anybody to change anything, leases and inventory included.
    let mark = audit::mark();
    let _ = first.run(&["plan", "--detailed-exitcode"]).exits(0);
    let again = first.run(&["apply", "--yes"]).exits(0).says("Nothing to do");
    assert!(again.took < applied.took + applied.took, "{again}");
    let requests = audit::requests_since(mark, &first.stack);
    assert!(
        !requests.is_empty() && requests.iter().all(|r| r.user_agent.starts_with("sheave/")),
        "{requests:?}"
    );
    let mutating: Vec<_> = requests.iter().filter(|r| r.is_mutating()).collect();
    assert!(mutating.is_empty(), "{mutating:#?}");
}

#[test]
fn a_change_is_one_field_and_a_removal_is_pruned() {
    let first = Example::new("first");
    let _ = first.run(&["apply", "--yes"]).exits(0);

    let plan = first.plan(&["--input", "replicas=3"]);
    assert_eq!(changes(&plan), [("web", "update")], "{plan:#}");
    let web = plan["resources"].as_array().unwrap().iter().find(|r| r["address"] == "web").unwrap();
    let expected = json!([{"pointer": "/spec/replicas", "before": {"value": 2}, "after": {"value": 3}}]);
    assert_eq!(web["objects"][0]["changes"], expected, "{web:#}");
    let _ = first.run(&["plan", "--input", "replicas=3", "--detailed-exitcode"]).exits(2).says("replicas");

    let before = first.stack.object("deployment", "web").unwrap();
    let _ = first.run(&["apply", "--yes", "--input", "replicas=3"]).exits(0);
    let after = first.stack.object("deployment", "web").unwrap();
    assert_eq!(after["status"]["availableReplicas"], 3);
    assert_eq!(before["metadata"]["uid"], after["metadata"]["uid"], "changed in place");
    let _ = first.run(&["plan", "--input", "replicas=3", "--detailed-exitcode"]).exits(0);

    // The card goes, and with it its file and the output that reads it.
    first.edit(|text| {
        let (head, rest) = text.split_once("  card:\n").unwrap();
        let (_, outputs) = rest.split_once("\noutputs:").unwrap();
        format!("{head}\noutputs:{}", outputs.replace("  card: ${resources.card.outputs.path}\n", ""))
    });
    assert_eq!(changes(&first.plan(&["--input", "replicas=3"])), [("card", "delete")]);
    let _ = first.run(&["apply", "--yes", "--input", "replicas=3"]).exits(0);
    assert!(!first.folder().join("out/web.txt").exists());

    // So goes the password's Secret, and the Deployment no longer reads it.
    first.edit(|text| {
        let (head, rest) = text.split_once("  credentials:\n").unwrap();
        let (_, web) = rest.split_once("\n  web:\n").unwrap();
        let web = web.split_once("                env:\n").map_or(web, |(web, _)| web);
        format!("{head}  web:\n{web}outputs: {{}}\n")
    });
    let _ = first.run(&["apply", "--yes", "--input", "replicas=3"]).exits(0);
    assert_eq!(first.stack.object("secret", "credentials"), None);
    assert_eq!(first.run(&["state", "list"]).exits(0).stdout.lines().collect::<Vec<_>>(), ["space", "web"]);
}

#[test]
fn destroy_needs_the_state_alone_and_leaves_nothing() {
    let first = Example::new("first");
    let _ = first.run(&["apply", "--yes"]).exits(0);
    let set = first.stack.set_id().expect("an inventory");
    let members = first.stack.members(&set);
    let expected = [
        "deployment.apps/web".to_owned(),
        format!("namespace/{}", first.stack.namespace()),
        "secret/credentials".to_owned(),
    ];
    let mut sorted = members.clone();
    sorted.sort();
    assert_eq!(sorted, expected, "the inventory's label is on all objects, and on nothing else");

    // Blueprint, inputs and plugin are gone.
    let state = format!("sqlite:{}", first.folder().join(".sheave/state.db").display());
    fs::remove_file(first.folder().join("blueprint.yaml")).unwrap();
    fs::remove_dir_all(first.stack.project().join("target")).unwrap();
    first.stack.folder("empty");
    let empty = first.stack.project().join("empty");
    let bare = |args: &[&str]| first.stack.sheave(args.iter().copied()).within(&empty);
    let _ = bare(&["destroy", "--yes", "--state", &state]).run().exits(0);

    assert!(!first.namespace_is_there());
    assert_eq!(first.stack.members(&set), Vec::<String>::new());
    assert_eq!(fs::read_dir(first.folder().join("out")).unwrap().count(), 0);
    assert_eq!(bare(&["state", "list", "--state", &state]).run().exits(0).stdout, "");
    assert_eq!(fs::read_dir(&empty).unwrap().count(), 0, "nothing was left where it was called");
}
