//! What is wrong is said in full, at its place, and nothing is changed: one folder of `tests/golden/bad-input` a case.
//!
//! A folder holds `blueprint.yaml` and whatever that names; `expected.txt` is the session, word for word. Without a file
//! `commands` the session is `validate` and `plan`; a file `env` adds variables. In all texts `@namespace@`, `@server@`
//! and `@authority@` stand for those of the test cluster. `SHEAVE_BLESS=1` writes `expected.txt` anew.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use sheave_testkit::leaks::files;
use sheave_testkit::{Stack, root};

/// No mistake may take long to explain: the slowest is a cluster that does not answer.
const LIMIT: Duration = Duration::from_secs(30);

/// Cases at once: most wait for the cluster.
const WORKERS: usize = 4;

struct Cluster {
    server: String,
    authority: String,
}

impl Cluster {
    fn of(stack: &Stack) -> Self {
        let view = |path: &str| {
            let path = format!("jsonpath={{.clusters[0].cluster.{path}}}");
            stack.try_kubectl(&["config", "view", "--raw", "-o", &path]).exits(0).stdout
        };
        Self { server: view("server"), authority: view("certificate-authority-data") }
    }
}

/// Plays a folder's session.
fn play(folder: &Path) -> String {
    let stack = Stack::new("bad");
    let mut cluster = None;
    let mut commands = "validate\nplan\n".to_owned();
    let mut variables = Vec::new();
    for path in files(folder) {
        let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
        let bytes = fs::read(&path).unwrap();
        let Ok(text) = String::from_utf8(bytes.clone()) else {
            stack.write(&name, bytes);
            continue;
        };
        match name.as_str() {
            "expected.txt" => {}
            "commands" => commands = text,
            "env" => variables.extend(
                text.lines().map(|l| l.split_once('=').unwrap()).map(|(k, v)| (k.to_owned(), v.to_owned())),
            ),
            _ => {
                let mut text = text.replace("@namespace@", stack.namespace());
                if text.contains("@server@") {
                    let of = cluster.get_or_insert_with(|| Cluster::of(&stack));
                    text = text.replace("@server@", &of.server).replace("@authority@", &of.authority);
                }
                stack.write(&name, &text);
                // Text guests and built ones alike; the one that is missing on purpose stays so.
                for guest in
                    text.split("guests/").skip(1).filter_map(|t| t.split_once(".wasm")).map(|(g, _)| g)
                {
                    if guest != "nowhere" {
                        stack.guest(guest);
                    }
                }
            }
        }
    }
    let before = listing(&stack);
    let mut said = String::new();
    let mut last = String::new();
    for command in commands.lines() {
        let mut call = stack.sheave(command.split_whitespace()).limit(LIMIT);
        for (name, value) in &variables {
            call = call.env(name, value);
        }
        let run = call.run();
        let mut text = format!("{}{}", run.stdout, run.stderr);
        text =
            text.replace(stack.root().to_str().unwrap(), "@root@").replace(stack.namespace(), "@namespace@");
        if let Some(cluster) = &cluster {
            let address = cluster.server.trim_start_matches("https://");
            text = text.replace(&cluster.server, "@server@").replace(address, "@address@");
        }
        text = without(&text, " after ", " s", |c| c.is_ascii_digit() || c == '.', "@time@");
        let code = run.code().map_or_else(|| "killed".to_owned(), |c| format!("exit {c}"));
        let text = format!("{}\n[{code}]\n", text.trim_end());
        let shown = if text == last { "(as before)\n" } else { &text };
        let _ = writeln!(said, "$ sheave {command}\n{shown}");
        last = text;
    }
    assert_eq!(listing(&stack), before, "{}: files were changed", folder.display());
    let objects = stack.names("all,configmaps,secrets");
    assert!(objects.is_empty(), "{}: {objects:?} were made", folder.display());
    said
}

/// The text with `by` for whatever of `what` stands between `before` and `after`.
fn without(text: &str, before: &str, after: &str, what: fn(char) -> bool, by: &str) -> String {
    let mut out = String::new();
    for (n, part) in text.split(before).enumerate() {
        if n > 0 {
            out.push_str(before);
        }
        let rest = part.trim_start_matches(what);
        if n > 0 && rest.len() < part.len() && rest.starts_with(after) {
            out.push_str(by);
            out.push_str(rest);
        } else {
            out.push_str(part);
        }
    }
    out
}

/// Each file of the project with its content, but for the state: to look whether there is one makes it.
fn listing(stack: &Stack) -> BTreeMap<PathBuf, Vec<u8>> {
    // The state, and the lock file that the first run with a plugin writes.
    let kept = [".sheave", "sheave.lock"].map(|name| stack.project().join(name));
    let project =
        files(&stack.project()).into_iter().filter(|p| !kept.iter().any(|kept| p.starts_with(kept)));
    project.map(|p| (p.clone(), fs::read(p).unwrap())).collect()
}

#[test]
fn each_mistake_is_explained_and_changes_nothing() {
    let folder = root().join("tests/golden/bad-input");
    let mut cases: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() > 30, "{cases:?}");
    // `SHEAVE_CASE=cycle` plays one.
    if let Ok(only) = std::env::var("SHEAVE_CASE") {
        cases.retain(|c| c.ends_with(&only));
    }
    let bless = std::env::var_os("SHEAVE_BLESS").is_some();
    let queue = Mutex::new(VecDeque::from(cases));
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(case) = { queue.lock().unwrap().pop_front() } {
                    let said = play(&case);
                    let expected = fs::read_to_string(case.join("expected.txt")).unwrap_or_default();
                    if bless {
                        fs::write(case.join("expected.txt"), &said).unwrap();
                    } else if said != expected {
                        let name = case.file_name().unwrap().to_string_lossy().into_owned();
                        wrong
                            .lock()
                            .unwrap()
                            .push(format!("=== {name}\n--- expected\n{expected}--- found\n{said}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(
        wrong.is_empty(),
        "{} cases differ (SHEAVE_BLESS=1 takes them over)\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
