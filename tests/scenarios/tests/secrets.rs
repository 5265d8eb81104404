//! Where secrets are, and where they are not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use sheave_testkit::{Output, Secret, Stack};

/// All that escaping changes is in it: quotes, a backslash, URL signs, HTML signs, a letter that is two bytes.
const PASSWORD: &str = "p@ss/w\"rd+<1>\\&é=%20";

const BLUEPRINT: &str = r#"
blueprint: secrets
inputs:
  password: {type: string, secret: true}
targets: {main: {kubernetes: {context: admin, namespace: "@namespace@"}}}
plugins:
  kubernetes: {}
  rogue: {source: guests/rogue.wasm}
  counter: {source: guests/counter.wasm, grants: {filesystem: [{path: ./granted, access: write}]}}
resources:
  given:
    type: kubernetes:Secret
    properties:
      stringData:
        whole: ${inputs.password}
        inside: "postgres://web:${inputs.password}@db/"
        made: ${randomPassword("db", 24)}
      data:
        encoded: ${base64Encode(inputs.password)}
  digest:
    type: kubernetes:Secret
    properties: {stringData: {digest: "${sha256(inputs.password)}"}}
  thing:
    type: counter:Thing
    properties:
      password: ${inputs.password}
      made: ${randomPassword("db", 24)}
      text: it is ${inputs.password}.
outputs:
  password: ${inputs.password}
  thing: ${resources.thing.outputs.name}
"#;

fn stack(name: &str, blueprint: &str) -> Stack {
    let stack = Stack::new(name);
    stack.guest("rogue");
    stack.guest("counter");
    stack.folder("granted");
    stack.blueprint(blueprint);
    stack
}

fn run(stack: &Stack, args: &[&str]) -> Output {
    stack.sheave(args.iter().copied()).env("SHEAVE_INPUT_password", PASSWORD).run()
}

fn decoded(secret: &Value, key: &str) -> String {
    let text = secret["data"][key].as_str().unwrap();
    String::from_utf8(sheave_testkit::leaks::decode_base64(text)).unwrap()
}

#[test]
fn a_secret_is_in_the_secrets_data_and_nowhere_else() {
    let stack = stack("secrets", BLUEPRINT);
    let mut said = vec![
        run(&stack, &["validate"]).exits(0),
        run(&stack, &["plan", "--out", "plan.json"]).exits(0),
        run(&stack, &["plan", "--json"]).exits(0),
    ];
    // The most talkative form of a run, looked at while it lasts.
    let mut apply = stack.sheave(["apply", "--yes", "-vvv"]).env("SHEAVE_INPUT_password", PASSWORD).start();
    let command_line = fs::read(format!("/proc/{}/cmdline", apply.pid())).unwrap();
    apply.until("some output", |out| !out.stderr.is_empty() || !out.stdout.is_empty());
    said.push(apply.finish().exits(0));

    let given = stack.object("secret", "given").unwrap();
    assert_eq!(decoded(&given, "whole"), PASSWORD);
    assert_eq!(decoded(&given, "inside"), format!("postgres://web:{PASSWORD}@db/"));
    assert_eq!(decoded(&given, "encoded"), PASSWORD);
    let made = decoded(&given, "made");
    assert_eq!(made.len(), 24);

    said.push(run(&stack, &["plan", "--detailed-exitcode"]).exits(0));
    said.push(run(&stack, &["apply", "--yes", "--json"]).exits(0));
    said.extend(
        [&["outputs"][..], &["outputs", "--json"], &["events"], &["events", "--json"], &["status"]]
            .map(|a| run(&stack, a).exits(0)),
    );
    said.extend(["given", "digest", "thing"].map(|a| run(&stack, &["state", "show", a]).exits(0)));
    said.push(run(&stack, &["state", "show", "thing", "--json"]).exits(0));
    said.push(run(&stack, &["outputs", "password"]).exits(1));
    said.push(run(&stack, &["plan", "--json", "--input", "nonsense=1"]).exits(1));

    let secrets =
        [PASSWORD, &made, &decoded(&stack.object("secret", "digest").unwrap(), "digest")].map(Secret::new);
    for secret in &secrets {
        for output in &said {
            secret.must_not_be_in(&output.shown, &output.stdout);
            secret.must_not_be_in(&output.shown, &output.stderr);
        }
        secret.must_not_be_in("the command line", &command_line);
        // State and its log, plan, caches, configuration, and what the guest wrote down of what it was given.
        assert_eq!(secret.search(stack.root()), []);
        for object in stack.objects("configmaps") {
            secret.must_not_be_in("a ConfigMap", object.to_string());
        }
    }
    // That they are looked for in the right places: asked for by name, it is shown.
    let shown = run(&stack, &["outputs", "password", "--reveal"]).exits(0);
    assert!(shown.stdout.contains(PASSWORD), "{shown}");
    let database = fs::read(stack.project().join(".sheave/state.db")).unwrap();
    assert!(
        database.windows(4).any(|w| w == b"seal" || w == b"give"),
        "the state is where it was looked for"
    );
}

#[test]
fn a_guest_is_given_tokens_only() {
    let stack = stack("tokens", BLUEPRINT);
    let _ = run(&stack, &["apply", "--yes"]).exits(0);
    let other = "another-password";
    let again = stack.sheave(["apply", "--yes"]).env("SHEAVE_INPUT_password", other).run().exits(0);
    assert!(!again.stdout.contains("Nothing to do"), "{again}");
    let _ = stack.run(["destroy", "--yes"]).exits(0);

    let seen = stack.read("granted/seen").expect("what the guest was given");
    let lines: Vec<Value> = seen.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert!(lines.len() >= 4, "created, read, updated, read, deleted: {seen}");
    for secret in [PASSWORD, other] {
        Secret::new(secret).must_not_be_in("the guest's memory", &seen);
    }
    let given: Vec<[String; 3]> = lines
        .iter()
        .filter_map(|l| serde_json::from_str::<Value>(l["desired"].as_str()?).ok())
        .map(|desired| {
            // A text with a secret in it is one secret; the same secret elsewhere would be the same token.
            let given = ["password", "made", "text"].map(|key| desired[key].as_str().unwrap().to_owned());
            assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), 3, "each secret has its own: {desired}");
            given
        })
        .collect();
    assert_eq!(given.len(), 2, "created and updated: {seen}");
    assert_ne!(given[0][0], given[1][0], "another secret, another token");
    assert_eq!(given[0][1], given[1][1], "the same secret, the same token");
    for token in given.iter().flatten() {
        let label = token.len() <= 63
            && token.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        assert!(label, "safe as a DNS label: {token}");
    }
}

const HEAD: &str = r#"
blueprint: misuse
inputs: {password: {type: string, secret: true}}
targets: {main: {kubernetes: {context: admin, namespace: "@namespace@"}}}
plugins:
  kubernetes: {}
  rogue: {source: guests/rogue.wasm}
resources:
"#;

#[test]
fn what_is_computed_from_a_secret_or_misplaced_is_refused() {
    let cases = [
        ("Hash", "plugin.computed-from-secret"),
        ("Base64", "plugin.computed-from-secret"),
        ("Piece", "plugin.computed-from-secret"),
        ("Leak", "blueprint.secret-misplaced"),
        ("Honest", "blueprint.secret-misplaced"),
        ("Echo", "blueprint.secret-misplaced"),
        ("Differs", "plugin.token-in-key"),
        ("Branch", "plugin.computed-from-secret"),
    ];
    let stack = stack("misuse", HEAD);
    let secret = Secret::new(PASSWORD);
    for (name, code) in cases {
        stack.blueprint(&format!(
            "{HEAD}  odd: {{type: \"rogue:{name}\", properties: {{value: \"${{inputs.password}}\"}}}}\n"
        ));
        for args in [&["plan", "-vvv"][..], &["apply", "--yes"]] {
            let refused = run(&stack, args).exits(1);
            assert!(refused.stderr.contains(code), "{name}: {code} was expected:\n{refused}");
            secret.must_not_be_in(name, &refused.stdout);
            secret.must_not_be_in(name, &refused.stderr);
        }
    }
    assert_eq!(stack.names("configmaps"), Vec::<String>::new(), "nothing was sent");
    assert_eq!(secret.search(stack.root()), []);
}

#[test]
fn a_secret_that_the_cluster_shows_elsewhere_is_masked() {
    let stack = stack(
        "echoed",
        &format!(
            "{HEAD}  keep: {{type: \"kubernetes:Secret\", properties: {{stringData: {{password: \"${{inputs.password}}\"}}}}}}\n  \
             note: {{type: \"kubernetes:ConfigMap\", properties: {{data: {{note: nothing}}}}}}\n"
        ),
    );
    let _ = run(&stack, &["apply", "--yes"]).exits(0);
    // Somebody writes the password where everybody can read it.
    let patch = serde_json::json!({"data": {"note": format!("the password is {PASSWORD}")}}).to_string();
    let _ = stack.kubectl(&["patch", "configmap", "note", "--type=merge", "-p", &patch]);
    let secret = Secret::new(PASSWORD);
    for args in [&["plan", "-vvv"][..], &["plan", "--json"], &["plan", "--out", "plan.json"]] {
        let shown = run(&stack, args).exits(0);
        secret.must_not_be_in("the plan of drift", &shown.stdout);
        secret.must_not_be_in("the plan of drift", &shown.stderr);
    }
    assert_eq!(secret.search(stack.root()), []);
}
