//! Stacks put together: from parts, from other stacks, from what others made, and under new names.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use std::path::Path;

use sheave_testkit::{Output, Stack};

const HEAD: &str = "targets: {main: {kubernetes: {context: admin, namespace: \"@namespace@\"}}}\nplugins: {kubernetes: {}}\n";

fn write(stack: &Stack, file: &str, name: &str, rest: &str) {
    stack.write(file, format!("blueprint: {name}\n{HEAD}{rest}").replace("@namespace@", stack.namespace()));
}

fn uid(stack: &Stack, name: &str) -> String {
    stack.object("configmap", name).unwrap()["metadata"]["uid"].as_str().unwrap().to_owned()
}

fn note(stack: &Stack, name: &str) -> String {
    stack.object("configmap", name).unwrap()["data"]["note"].as_str().unwrap().to_owned()
}

#[test]
fn only_a_part_and_what_it_needs() {
    let stack = Stack::new("only");
    let text = |word: &str| {
        format!(
            "resources:\n  \
             base: {{type: \"kubernetes:ConfigMap\", properties: {{data: {{note: {word}}}}}}}\n  \
             user: {{type: \"kubernetes:ConfigMap\", properties: {{data: {{note: \"${{resources.base.outputs.uid}} {word}\"}}}}}}\n  \
             other: {{type: \"kubernetes:ConfigMap\", properties: {{data: {{note: {word}}}}}}}\n  \
             many: {{type: \"kubernetes:ConfigMap\", count: 3, properties: {{data: {{note: {word}}}}}}}\n"
        )
    };
    write(&stack, "blueprint.yaml", "only", &text("one"));
    let _ = stack.run(["apply", "--yes"]).exits(0);
    write(&stack, "blueprint.yaml", "only", &text("two"));
    let _ = stack.run(["apply", "--yes", "--only", "user", "--only", "many[1]"]).exits(0);
    assert_eq!(note(&stack, "base"), "two", "what it needs");
    assert!(note(&stack, "user").ends_with(" two"));
    assert_eq!(note(&stack, "other"), "one", "and nothing else");
    assert_eq!(
        [note(&stack, "many-0"), note(&stack, "many-1"), note(&stack, "many-2")],
        ["one", "two", "one"]
    );
    // Nothing is removed on the way.
    write(
        &stack,
        "blueprint.yaml",
        "only",
        "resources:\n  other: {type: \"kubernetes:ConfigMap\", properties: {data: {note: three}}}\n",
    );
    let _ = stack.run(["apply", "--yes", "--only", "other"]).exits(0);
    assert!(stack.object("configmap", "base").is_some());
    let _ = stack.run(["apply", "--yes"]).exits(0);
    assert!(stack.object("configmap", "base").is_none());
    let unknown = stack.run(["plan", "--only", "nowhere"]).exits(1);
    assert!(unknown.explained().contains("nowhere"), "{unknown}");
}

#[test]
fn a_resource_with_a_new_name_is_the_same_object() {
    let stack = Stack::new("moved");
    let text = |name: &str, moved: &str| {
        format!(
            "resources:\n  {name}: {{type: \"kubernetes:ConfigMap\", properties: {{data: {{note: here}}}}}}\n{moved}"
        )
    };
    write(&stack, "blueprint.yaml", "moved", &text("old", ""));
    let _ = stack.run(["apply", "--yes"]).exits(0);
    let before = uid(&stack, "old");
    write(&stack, "blueprint.yaml", "moved", &text("new", "moved: [{from: old, to: new}]\n"));
    let planned = stack.run(["plan", "--detailed-exitcode"]).exits(2).says("old").says("new");
    assert!(!planned.stdout.contains("to create") && !planned.stdout.contains("to delete"), "{planned}");
    let _ = stack.run(["apply", "--yes"]).exits(0);
    assert_eq!(uid(&stack, "old"), before, "its object keeps the name that it had");
    assert_eq!(stack.run(["state", "list"]).exits(0).stdout.trim(), "new");
    // The line may stay, or go.
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
    write(&stack, "blueprint.yaml", "moved", &text("new", ""));
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
    let _ = stack.run(["destroy", "--yes"]).exits(0);
    assert!(stack.object("configmap", "old").is_none());
}

#[test]
fn a_password_goes_along_with_what_moves() {
    let stack = Stack::new("carried");
    let keep = "  keep: {type: \"kubernetes:Secret\", properties: {stringData: {password: '${randomPassword(\"db\", 24)}'}}}\n";
    let head = "plugins: {kubernetes: {}}\n";
    stack.write(
        "part/blueprint.yaml",
        format!("blueprint: part\ntargets: {{main: {{kubernetes: {{}}}}}}\n{head}resources:\n{keep}"),
    );
    let root = |rest: &str| write(&stack, "blueprint.yaml", "carried", rest);
    let password = || {
        let all = stack.objects("secrets");
        let [secret] = all.as_slice() else { panic!("{all:#?}") };
        (secret["data"]["password"].as_str().unwrap().to_owned(), secret["metadata"]["uid"].clone())
    };
    root(&format!("resources:\n{keep}"));
    stack.apply();
    let first = password();

    // Into a module, which is then left to itself; and to another one, by hand.
    root("resources: {part: {type: ./part}}\nmoved: [{from: keep, to: part.keep}]\n");
    let planned = stack.run(["plan"]).exits(0);
    assert!(!planned.stdout.contains("Passwords to be made"), "{planned}");
    stack.apply();
    assert_eq!(password(), first);
    root("resources: {part: {type: ./part}}\n");
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
    let _ = stack.run(["state", "mv", "part", "other"]).exits(0);
    root("resources: {other: {type: ./part}}\n");
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
    stack.apply();
    assert_eq!(password(), first);
}

#[test]
fn what_others_made_is_read_and_left_alone() {
    let stack = Stack::new("existing");
    let text = |more: &str| {
        format!(
            "resources:\n  \
             theirs: {{type: \"kubernetes:ConfigMap\", existing: true, properties: {{metadata: {{name: settings}}}}}}\n  \
             ours: {{type: \"kubernetes:ConfigMap\", properties: {{data: {{note: \"${{resources.theirs.outputs.uid}}\"}}}}}}\n{more}"
        )
    };
    write(&stack, "blueprint.yaml", "existing", &text(""));
    let absent = stack.run(["plan"]).exits(1);
    assert!(absent.stderr.contains("object.missing") && absent.explained().contains("settings"), "{absent}");
    let _ = stack.kubectl(&["create", "configmap", "settings", "--from-literal=a=b"]);
    let before = stack.object("configmap", "settings").unwrap();
    let _ = stack.run(["apply", "--yes"]).exits(0);
    assert_eq!(note(&stack, "ours"), before["metadata"]["uid"].as_str().unwrap());
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
    let _ = stack.run(["destroy", "--yes"]).exits(0);
    assert_eq!(stack.object("configmap", "settings").unwrap(), before, "not even a label");
    assert!(stack.object("configmap", "ours").is_none());
}

fn within(stack: &Stack, folder: &str, args: &[&str]) -> Output {
    stack.sheave(args.iter().copied()).within(&stack.project().join(folder)).run()
}

#[test]
fn a_stack_reads_what_another_gives() {
    let stack = Stack::new("stacks");
    write(
        &stack,
        "network/blueprint.yaml",
        "network",
        "inputs: {word: {type: string, secret: true}}\nresources:\n  \
         cidr: {type: \"kubernetes:ConfigMap\", properties: {data: {note: 10.0.0.0/8}}}\n\
         outputs: {name: \"${resources.cidr.outputs.name}\", word: \"${inputs.word}\"}\n",
    );
    write(
        &stack,
        "app/blueprint.yaml",
        "app",
        "stacks: {network: {state: \"sqlite:../network/.sheave/state.db\"}}\nresources:\n  \
         app: {type: \"kubernetes:ConfigMap\", properties: {data: {note: \"uses ${stacks.network.outputs.name}\"}}}\n  \
         key: {type: \"kubernetes:Secret\", properties: {stringData: {word: \"${stacks.network.outputs.word}\"}}}\n",
    );
    let _ = within(&stack, "app", &["validate"]).exits(0);
    let early = within(&stack, "app", &["plan"]).exits(1);
    assert!(early.stderr.contains("stack.none"), "{early}");
    let secret = "the-word-of-the-network";
    let network = stack.sheave(["apply", "--yes"]).within(&stack.project().join("network"));
    let _ = network.env("SHEAVE_INPUT_word", secret).run().exits(0);
    let applied = within(&stack, "app", &["apply", "--yes"]).exits(0);
    assert!(
        !applied.stdout.contains(secret) && !applied.stderr.contains(secret),
        "it stays secret: {applied}"
    );
    assert_eq!(note(&stack, "app"), "uses cidr");
    let key = stack.object("secret", "key").unwrap();
    let decoded = sheave_testkit::leaks::decode_base64(key["data"]["word"].as_str().unwrap());
    assert_eq!(decoded, secret.as_bytes());
    let _ = within(&stack, "app", &["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn a_target_may_come_from_a_resource() {
    let stack = Stack::new("late");
    stack.guest("file");
    // A kubeconfig that the first resource writes, as one that makes a cluster would.
    let config = std::fs::read_to_string(stack.kubeconfig()).unwrap();
    stack.write("config.template", config);
    let text = format!(
        "blueprint: late\n\
         targets:\n  made: {{kubernetes: {{kubeconfig: \"out/${{resources.config.outputs.path}}\", context: admin, namespace: {}}}}}\n\
         plugins:\n  kubernetes: {{}}\n  file: {{source: guests/file.wasm, grants: {{filesystem: [{{path: ./out, access: write}}]}}}}\n\
         resources:\n  \
         config: {{type: \"file:File\", properties: {{path: kubeconfig, content: \"${{file('config.template')}}\"}}}}\n  \
         note: {{type: \"kubernetes:ConfigMap\", target: made, properties: {{data: {{note: there}}}}}}\n",
        stack.namespace()
    );
    stack.write("blueprint.yaml", text);
    let planned = stack.run(["plan"]).exits(0);
    assert!(planned.stdout.contains("note"), "{planned}");
    let _ = stack.run(["apply", "--yes"]).exits(0);
    assert_eq!(note(&stack, "note"), "there");
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
    let _ = stack.run(["destroy", "--yes"]).exits(0);
    assert!(stack.object("configmap", "note").is_none());
    assert!(!Path::new(&stack.project().join("out/kubeconfig")).exists());
}

#[test]
fn what_holds_data_is_replaced_only_with_the_word_for_it() {
    let stack = Stack::new("replace");
    let text = |size: &str, more: &str| {
        format!(
            "resources:\n  data:\n    type: kubernetes:PersistentVolumeClaim\n{more}    properties:\n      \
             spec: {{storageClassName: {size}, accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}\n"
        )
    };
    let claim = |stack: &Stack| {
        stack.object("persistentvolumeclaim", "data").unwrap()["metadata"]["uid"].as_str().unwrap().to_owned()
    };
    write(&stack, "blueprint.yaml", "replace", &text("standard", ""));
    let _ = stack.run(["apply", "--yes"]).exits(0);
    let before = claim(&stack);
    for (more, code) in [("", "plan.replace-loses-data"), ("    replace: never\n", "plan.replace-refused")] {
        write(&stack, "blueprint.yaml", "replace", &text("standard-wait", more));
        let refused = stack.run(["apply", "--yes"]).exits(1);
        assert!(refused.stderr.contains(code), "{refused}");
        assert_eq!(claim(&stack), before);
    }
    write(&stack, "blueprint.yaml", "replace", &text("standard-wait", "    replace: allow\n"));
    let _ = stack.run(["apply", "--yes"]).exits(0);
    assert_ne!(claim(&stack), before);
}
