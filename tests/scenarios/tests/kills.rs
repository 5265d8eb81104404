//! A host that is killed anywhere: the next run ends as an unkilled one would, nothing twice, nothing orphaned,
//! nothing forgotten.
//!
//! The binary kills itself by SIGKILL at the Nth passage of a place: after intents are durable, after an inventory or another
//! request was sent and answered, after outcomes are durable. Each test goes through all N until a run comes through.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sheave_testkit::{Output, Stack};

/// One of each: an object, a secret that is made, a thing outside that reads both, an object that reads the thing.
const BLUEPRINT: &str = r#"
blueprint: killed
inputs: {word: {type: string}, more: {type: boolean}}
targets: {main: {kubernetes: {context: admin, namespace: "@namespace@"}}}
plugins:
  kubernetes: {}
  counter: {source: guests/counter.wasm, grants: {filesystem: [{path: ./granted, access: write}]}}
resources:
  first:
    type: kubernetes:ConfigMap
    properties: {data: {word: "${inputs.word}"}}
  made:
    type: kubernetes:Secret
    properties: {stringData: {password: "${randomPassword('made', 16)}"}}
  thing:
    type: counter:Thing
    properties: {word: "${inputs.word}", reads: "${resources.first.outputs.name}"}
  last:
    type: kubernetes:ConfigMap
    properties: {data: {reads: "${resources.thing.outputs.name}", word: "${inputs.word}"}}
  extra:
    count: '${inputs.more ? 1 : 0}'
    type: counter:Thing
    properties: {reads: "${resources.made.outputs.name}"}
outputs:
  last: ${resources.last.outputs.name}
  thing: ${resources.thing.outputs.name}
  word: ${inputs.word}
"#;

/// More places than any run of the blueprint passes: a loop that does not end is a fault.
const MOST: usize = 40;

struct Killed(Stack);

impl Killed {
    fn new(place: &str) -> Self {
        let stack = Stack::new(&format!("kill-{place}"));
        stack.guest("counter");
        stack.blueprint(BLUEPRINT);
        Self(stack)
    }

    /// The state, and the guest's folder, as before the first run. The user's key and caches stay.
    fn forget(&self) {
        for folder in [".sheave", "granted"] {
            let path = self.0.project().join(folder);
            if path.exists() {
                std::fs::remove_dir_all(path).unwrap();
            }
        }
        self.0.folder("granted");
    }

    fn call(&self, args: &[&str], word: &str, failpoint: Option<&str>) -> Output {
        let call = self.0.sheave(args.iter().copied());
        // `first` has one thing more than `second`, so that an update deletes, too.
        let more = if word == "first" { "true" } else { "false" };
        let call = call.env("SHEAVE_INPUT_word", word).env("SHEAVE_INPUT_more", more);
        match failpoint {
            Some(place) => call.env("SHEAVE_FAILPOINT", place).run(),
            None => call.run(),
        }
    }

    /// Runs it to be killed; false: it came through.
    fn kill(&self, args: &[&str], word: &str, failpoint: &str) -> bool {
        let run = self.call(args, word, Some(failpoint));
        if run.was_killed() {
            return true;
        }
        let _ = run.exits(0);
        false
    }

    /// All that a run is to leave, without what differs from stack to stack.
    fn world(&self) -> Value {
        let set = self.0.set_id();
        let mut inventories = 0;
        let mut objects = Vec::new();
        for object in self.0.objects("configmaps,secrets") {
            let labels = &object["metadata"]["labels"];
            if labels["applyset.kubernetes.io/id"].is_string() {
                inventories += 1;
                continue;
            }
            assert_eq!(labels["applyset.kubernetes.io/part-of"].as_str(), set.as_deref(), "{object:#}");
            let password = object["data"]["password"].as_str().map(str::len);
            let data = if password.is_some() { json!(password) } else { object["data"].clone() };
            objects.push(json!([object["kind"], object["metadata"]["name"], data]));
        }
        let things = self.things();
        let keys: BTreeSet<_> = things.iter().map(|(key, _)| key).collect();
        assert_eq!(keys.len(), things.len());
        let mut contents: Vec<_> = things.into_iter().map(|(_, content)| content).collect();
        contents.sort();
        json!({
            "inventories": inventories,
            "objects": objects,
            "things": contents,
            "outputs": self.0.run(["outputs", "--json"]).exits(0).json(),
            "state": self.0.run(["state", "list"]).exits(0).stdout,
        })
    }

    /// The counter's things: key and content.
    fn things(&self) -> Vec<(String, String)> {
        let Ok(folder) = std::fs::read_dir(self.0.project().join("granted/things")) else {
            return Vec::new();
        };
        let entries = folder.map(Result::unwrap);
        let read = |e: std::fs::DirEntry| {
            (e.file_name().into_string().unwrap(), std::fs::read_to_string(e.path()).unwrap())
        };
        entries.map(read).collect()
    }

    fn must_be_empty(&self, why: &str) {
        assert_eq!(self.0.names("configmaps,secrets"), Vec::<String>::new(), "{why}: left in the cluster");
        assert_eq!(self.things(), [], "{why}: left outside");
        assert_eq!(self.0.run(["state", "list"]).exits(0).stdout, "", "{why}: left in the state");
    }

    fn apply(&self, word: &str) -> Output {
        self.call(&["apply", "--yes"], word, None).exits(0)
    }

    fn destroy(&self) {
        let _ = self.0.run(["destroy", "--yes"]).exits(0);
    }

    /// What an unkilled run from nothing leaves.
    fn expected(&self, word: &str) -> Value {
        self.forget();
        let _ = self.apply(word);
        let world = self.world();
        self.destroy();
        self.must_be_empty("after an unkilled destroy");
        world
    }
}

/// Kills a run of `args` at each passage of `place`; before it stands what applying `before` made.
fn each(place: &str, check: impl Fn(&Killed, &str) -> bool) {
    let killed = Killed::new(place);
    for n in 1..=MOST {
        killed.forget();
        if !check(&killed, &format!("{place}:{n}")) {
            assert!(n > 1, "nobody was killed: is the binary built with the feature `failpoints`?");
            return;
        }
    }
    panic!("{MOST} passages of {place}, and still not through");
}

fn killed_creations(place: &str) {
    let expected = Killed::new("expected").expected("first");
    each(place, |killed, at| {
        let died = killed.kill(&["apply", "--yes"], "first", at);
        let _ = killed.apply("first");
        assert_eq!(killed.world(), expected, "{at}");
        let _ = killed.call(&["plan", "--detailed-exitcode"], "first", None).exits(0);
        killed.destroy();
        killed.must_be_empty(at);
        died
    });
}

fn killed_changes(place: &str) {
    let expected = Killed::new("expected").expected("second");
    each(place, |killed, at| {
        let _ = killed.apply("first");
        let died = killed.kill(&["apply", "--yes"], "second", at);
        let _ = killed.apply("second");
        assert_eq!(killed.world(), expected, "{at}");
        let _ = killed.call(&["plan", "--detailed-exitcode"], "second", None).exits(0);
        killed.destroy();
        killed.must_be_empty(at);
        died
    });
}

fn killed_destroys(place: &str) {
    each(place, |killed, at| {
        let _ = killed.apply("first");
        let died = killed.kill(&["destroy", "--yes"], "first", at);
        killed.destroy();
        killed.must_be_empty(at);
        died
    });
}

#[test]
fn creations_survive_kills_after_intents() {
    killed_creations("intent");
}

#[test]
fn creations_survive_kills_after_inventories() {
    killed_creations("inventory");
}

#[test]
fn creations_survive_kills_after_requests() {
    killed_creations("sent");
}

#[test]
fn creations_survive_kills_after_outcomes() {
    killed_creations("outcome");
}

#[test]
fn changes_survive_kills_after_intents() {
    killed_changes("intent");
}

#[test]
fn changes_survive_kills_after_requests() {
    killed_changes("sent");
}

#[test]
fn changes_survive_kills_after_outcomes() {
    killed_changes("outcome");
}

#[test]
fn destroys_survive_kills_after_intents() {
    killed_destroys("intent");
}

#[test]
fn destroys_survive_kills_after_requests() {
    killed_destroys("sent");
}

#[test]
fn destroys_survive_kills_after_outcomes() {
    killed_destroys("outcome");
}

#[test]
fn a_killed_run_can_be_destroyed_without_another_apply() {
    for place in ["inventory", "intent", "sent", "outcome"] {
        each(place, |killed, at| {
            let died = killed.kill(&["apply", "--yes"], "first", at);
            // Killed before anything was written down, there is no stack.
            if !killed.0.run(["state", "list"]).stderr.contains("stack.none") {
                killed.destroy();
                killed.must_be_empty(at);
            }
            died
        });
    }
}

/// Others delete, a run makes it again and is killed before it could say so: the new one is the stack's all the same.
#[test]
fn what_was_made_again_by_a_killed_run_is_not_lost() {
    for after in ["apply", "destroy"] {
        each("sent", |killed, at| {
            let _ = killed.apply("first");
            let _ = killed.0.kubectl(&["delete", "configmap", "first"]);
            let died = killed.kill(&["apply", "--yes"], "first", at);
            if after == "apply" {
                let _ = killed.apply("first");
                let _ = killed.call(&["plan", "--detailed-exitcode"], "first", None).exits(0);
            }
            killed.destroy();
            killed.must_be_empty(&format!("{after}, {at}"));
            died
        });
    }
}

/// A thing that is made in steps, each at once after the one before.
const STEPS: &str = r#"
blueprint: steps
plugins:
  vandal: {source: guests/vandal.wasm}
resources:
  half: {type: "vandal:Half", properties: {pause: 0}}
"#;

#[test]
fn how_far_a_plugin_came_is_durable_before_it_is_called_again() {
    let stack = Stack::new("kill-steps");
    stack.guest("vandal");
    stack.blueprint(STEPS);
    let killed = stack.sheave(["apply", "--yes"]).env("SHEAVE_FAILPOINT", "outcome:1").run();
    assert!(killed.was_killed(), "nobody was killed: is the binary built with the feature `failpoints`?");
    let events = stack.sheave(["apply", "--yes", "--json"]).run().exits(0).events();
    let steps: Vec<&Value> = events.iter().filter_map(|e| e.pointer("/reason")).collect();
    assert_eq!(steps, ["step 2 of 3"], "it goes on behind the one step that was done: {events:#?}");
}
