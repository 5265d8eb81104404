//! A disk that fills up under the state in mid-run: what was done is known afterwards, and the next run goes on.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use std::path::Path;

use sheave_testkit::{Call, Output, Stack, binary};

/// Objects whose records do not fit into the small disk.
const MANY: usize = 400;

/// In a file system of its own, of a size of its own: nothing but this script sees it, and it goes with it.
const SCRIPT: &str = r#"
set -u
mount -t tmpfs -o size=700k none .sheave
"$SHEAVE" apply --yes
echo "first: $?"
mount -o remount,size=64m .sheave
"$SHEAVE" apply --yes
echo "second: $?"
"$SHEAVE" plan --detailed-exitcode
echo "plan: $?"
"$SHEAVE" destroy --yes
echo "destroy: $?"
"#;

/// A state that has room for a stack's name, and for no intent of so many objects.
const ONE_APPLY: &str = r#"
mount -t tmpfs -o size=400k none .sheave
exec "$SHEAVE" apply --yes
"#;

/// With a file system of its own for the state: a mount namespace is not seen by others; who is not root has one inside a user
/// namespace.
fn run(stack: &Stack, script: &str) -> Output {
    stack.folder(".sheave");
    stack.blueprint(&format!(
        "blueprint: full\ntargets: {{main: {{kubernetes: {{context: admin, namespace: \"@namespace@\"}}}}}}\n\
         plugins: {{kubernetes: {{}}}}\nresources:\n  many: {{type: \"kubernetes:ConfigMap\", count: {MANY}, \
         properties: {{data: {{a: \"${{string(each.key)}}\"}}}}}}\n"
    ));
    Call::new(Path::new("/usr/bin/unshare"))
        .args(["--user", "--map-root-user", "--mount", "/bin/sh", "-c", script])
        .within(&stack.project())
        .env("SHEAVE", binary::sheave())
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", stack.home())
        .env("XDG_CONFIG_HOME", stack.home().join("config"))
        .env("XDG_CACHE_HOME", stack.home().join("cache"))
        .env("KUBECONFIG", stack.kubeconfig())
        .run()
}

#[test]
fn a_full_disk_stops_the_run_and_the_next_goes_on() {
    let stack = Stack::new("full");
    let run = run(&stack, SCRIPT);
    for said in ["first: 1", "second: 0", "plan: 0", "destroy: 0"] {
        assert!(run.stdout.contains(said), "{said}: {run}");
    }
    assert!(run.stderr.contains("state.disk-full"), "{run}");
    assert!(run.stderr.contains(".sheave/state.db"), "{run}");
    assert_eq!(stack.names("configmaps"), Vec::<String>::new(), "nothing is left of either run");
}

#[test]
fn what_cannot_be_written_down_is_not_sent() {
    let stack = Stack::new("unsent");
    let run = run(&stack, ONE_APPLY).exits(1);
    assert!(run.stderr.contains("state.disk-full"), "{run}");
    // The inventory, which names no object, is there.
    let made = stack.names("configmaps");
    assert!(matches!(&made[..], [only] if only.starts_with("ConfigMap/sheave-")), "{made:?}");
}
