//! How a plan looks at what is there: one list of all namespaces where objects of a kind stand in many, and without the right to that
//! one for each.
#![allow(clippy::unwrap_used, reason = "helpers of tests assert by panicking, as tests do")]

use sheave_testkit::{Output, Stack, audit};

const NAMESPACES: usize = 5;

/// Ten LimitRanges, of which no other test makes many, in five namespaces, which are there.
fn stack(name: &str, context: &str) -> Stack {
    let stack = Stack::new(name);
    for n in 0..NAMESPACES {
        let _ = stack.try_kubectl(&["create", "namespace", &namespace(&stack, n)]).exits(0);
    }
    stack.blueprint(&format!(
        r#"
blueprint: lists
targets: {{main: {{kubernetes: {{context: {context}, namespace: "@namespace@-0"}}}}}}
plugins: {{kubernetes: {{}}}}
resources:
  spread:
    type: kubernetes:LimitRange
    count: 10
    properties:
      metadata: {{namespace: "@namespace@-${{string(each.key % {NAMESPACES})}}"}}
      spec: {{limits: [{{type: Container, default: {{cpu: "1"}}}}]}}
"#
    ));
    stack
}

fn namespace(stack: &Stack, n: usize) -> String {
    format!("{}-{n}", stack.namespace())
}

/// The namespaces go with it.
struct Cleared(Stack);

impl Drop for Cleared {
    fn drop(&mut self) {
        for n in 0..NAMESPACES {
            let namespace = namespace(&self.0, n);
            let _ = self.0.try_kubectl(&[
                "delete",
                "namespace",
                &namespace,
                "--wait=false",
                "--ignore-not-found",
            ]);
        }
    }
}

/// What a run asked about LimitRanges: lists of all namespaces, lists of one, and single ones.
fn asked(stack: &Stack, run: impl FnOnce() -> Output) -> (usize, usize, usize) {
    let mark = audit::mark();
    let _ = run();
    let requests = audit::requests_since(mark, stack);
    let count = |verb: &str, all: bool| {
        let ranges = requests.iter().filter(|r| r.verb == verb && r.uri.contains("/limitranges"));
        ranges.filter(|r| r.uri.starts_with("/api/v1/limitranges") == all).count()
    };
    (count("list", true), count("list", false), count("get", false))
}

#[test]
fn many_namespaces_take_one_list() {
    let stack = Cleared(stack("spread", "admin"));
    let stack = &stack.0;
    // The first three namespaces do not make many yet: their objects are asked for by themselves.
    let (all, one, single) = asked(stack, || stack.apply());
    assert_eq!((all, one), (1, 0));
    assert!(single <= 6, "{single}");
    assert_eq!(asked(stack, || stack.run(["plan", "--detailed-exitcode"]).exits(0)), (1, 0, 0));

    let changed = namespace(stack, 3);
    let _ = stack.try_kubectl(&["--namespace", &changed, "delete", "limitrange", "spread-3"]).exits(0);
    // What is missing in the list is looked for by itself, when it is looked for and when it is compared: somebody may have taken
    // its label off.
    let (all, one, single) =
        asked(stack, || stack.run(["plan", "--detailed-exitcode"]).exits(2).says("spread[3]"));
    assert_eq!((all, one, single), (1, 0, 2));
}

#[test]
fn who_may_list_in_these_namespaces_only_is_told_nothing() {
    let stack = Cleared(stack("narrow", "nobody"));
    let stack = &stack.0;
    for n in 0..NAMESPACES {
        let namespace = namespace(stack, n);
        let resources = ["create", "role", "edit", "--verb", "*", "--resource", "limitranges,configmaps"];
        let may = ["create", "rolebinding", "edit", "--role", "edit", "--user", "nobody"];
        for args in [&resources[..], &may[..]] {
            let _ = stack.try_kubectl(&[&["--namespace", &namespace], args].concat()).exits(0);
        }
    }
    let quiet = |run: Output| {
        assert!(!run.stdout.contains("forbidden") && !run.stderr.contains("forbidden"), "{run}");
        run
    };
    let _ = quiet(stack.apply());
    let _ = quiet(stack.run(["plan", "--detailed-exitcode"]).exits(0));
    let _ = quiet(stack.run(["destroy", "--yes"]).exits(0));
}
