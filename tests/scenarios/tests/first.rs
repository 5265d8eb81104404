//! The first example, from nothing to nothing again: what an operator does in the first half hour.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use sheave_testkit::{Call, Output, Stack, audit, binary, root};

/// The example in a project of its own, at the same place beneath it.
struct First(Stack);

impl First {
    fn new(name: &str) -> Self {
        let stack = Stack::without_namespace(name);
        let text = fs::read_to_string(root().join("examples/first/blueprint.yaml")).unwrap();
        stack.write("examples/first/blueprint.yaml", text);
        stack.folder("examples/first/out");
        stack.write("target/guests/file.wasm", binary::guest("file"));
        Self(stack)
    }

    fn folder(&self) -> PathBuf {
        self.0.project().join("examples/first")
    }

    fn call(&self, args: &[&str]) -> Call {
        let call = self.0.sheave(args.iter().copied()).within(&self.folder());
        call.env("SHEAVE_INPUT_namespace", self.0.namespace())
    }

    fn run(&self, args: &[&str]) -> Output {
        self.call(args).run()
    }

    /// Rewrites the blueprint.
    fn edit(&self, change: impl Fn(&str) -> String) {
        let path = self.folder().join("blueprint.yaml");
        let text = fs::read_to_string(&path).unwrap();
        let changed = change(&text);
        assert_ne!(text, changed);
        fs::write(path, changed).unwrap();
    }

    fn plan(&self, args: &[&str]) -> Value {
        let mut all = vec!["plan", "--out", "plan.json"];
        all.extend(args);
        let _ = self.run(&all).exits(0);
        serde_json::from_str(&fs::read_to_string(self.folder().join("plan.json")).unwrap()).unwrap()
    }

    fn namespace_is_there(&self) -> bool {
        let found =
            self.0.try_kubectl(&["get", "namespace", self.0.namespace(), "--ignore-not-found"]).exits(0);
        !found.stdout.is_empty()
    }
}

/// Address and action of each planned resource that is not left as it is.
fn changes(plan: &Value) -> Vec<(&str, &str)> {
    let resources = plan["resources"].as_array().unwrap().iter();
    let all = resources.map(|r| (r["address"].as_str().unwrap(), r["action"].as_str().unwrap()));
    all.filter(|(_, action)| *action != "noop").collect()
}

#[test]
fn it_is_applied_and_then_there_is_nothing_to_do() {
    let first = First::new("first");
    let _ = first.run(&["validate"]).exits(0);
    let applied = first.run(&["apply", "--yes"]).exits(0).says("web").says("web.txt");
    assert!(first.namespace_is_there());

    let web = first.0.object("deployment", "web").unwrap();
    assert_eq!(web["status"]["availableReplicas"], 2, "it is waited for");
    let secret = first.0.object("secret", "credentials").unwrap();
    assert_eq!(secret["data"]["user"], "d2Vi", "base64");
    assert_eq!(secret["data"]["password"].as_str().unwrap().len(), 32, "24 characters in base64");

    let card = fs::read_to_string(first.folder().join("out/web.txt")).unwrap();
    assert!(card.contains("Deployment web") && card.contains(first.0.namespace()), "{card}");
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
    let requests = audit::requests_since(mark, &first.0);
    assert!(
        !requests.is_empty() && requests.iter().all(|r| r.user_agent.starts_with("sheave/")),
        "{requests:?}"
    );
    let mutating: Vec<_> = requests.iter().filter(|r| r.is_mutating()).collect();
    assert!(mutating.is_empty(), "{mutating:#?}");
}

#[test]
fn a_change_is_one_field_and_a_removal_is_pruned() {
    let first = First::new("change");
    let _ = first.run(&["apply", "--yes"]).exits(0);

    let plan = first.plan(&["--input", "replicas=3"]);
    assert_eq!(changes(&plan), [("web", "update")], "{plan:#}");
    let web = plan["resources"].as_array().unwrap().iter().find(|r| r["address"] == "web").unwrap();
    let expected = json!([{"pointer": "/spec/replicas", "before": {"value": 2}, "after": {"value": 3}}]);
    assert_eq!(web["objects"][0]["changes"], expected, "{web:#}");
    let _ = first.run(&["plan", "--input", "replicas=3", "--detailed-exitcode"]).exits(2).says("replicas");

    let before = first.0.object("deployment", "web").unwrap();
    let _ = first.run(&["apply", "--yes", "--input", "replicas=3"]).exits(0);
    let after = first.0.object("deployment", "web").unwrap();
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
    assert_eq!(first.0.object("secret", "credentials"), None);
    assert_eq!(first.run(&["state", "list"]).exits(0).stdout.lines().collect::<Vec<_>>(), ["space", "web"]);
}

#[test]
fn destroy_needs_the_state_alone_and_leaves_nothing() {
    let first = First::new("destroy");
    let _ = first.run(&["apply", "--yes"]).exits(0);
    let set = first.0.set_id().expect("an inventory");
    let members = first.0.members(&set);
    let expected = [
        "deployment.apps/web".to_owned(),
        format!("namespace/{}", first.0.namespace()),
        "secret/credentials".to_owned(),
    ];
    let mut sorted = members.clone();
    sorted.sort();
    assert_eq!(sorted, expected, "the inventory's label is on all objects, and on nothing else");

    // Blueprint, inputs and plugin are gone.
    let state = format!("sqlite:{}", first.folder().join(".sheave/state.db").display());
    fs::remove_file(first.folder().join("blueprint.yaml")).unwrap();
    fs::remove_dir_all(first.0.project().join("target")).unwrap();
    first.0.folder("empty");
    let empty = first.0.project().join("empty");
    let bare = |args: &[&str]| first.0.sheave(args.iter().copied()).within(&empty);
    let _ = bare(&["destroy", "--yes", "--state", &state]).run().exits(0);

    assert!(!first.namespace_is_there());
    assert_eq!(first.0.members(&set), Vec::<String>::new());
    assert_eq!(fs::read_dir(first.folder().join("out")).unwrap().count(), 0);
    assert_eq!(bare(&["state", "list", "--state", &state]).run().exits(0).stdout, "");
    assert_eq!(fs::read_dir(&empty).unwrap().count(), 0, "nothing was left where it was called");
}
