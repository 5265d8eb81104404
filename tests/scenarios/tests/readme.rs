//! The commands of README.md and plugins/README.md: those of `sheave` are run, as by somebody at a terminal. The tasks of
//! the project build for minutes, and run in CI as they are: here only their names and arguments are looked at.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use std::fs;
use std::process::Command;

use sheave_testkit::reader::blocks;
use sheave_testkit::{Block, Reader, root};

/// Where the blueprint of the page puts what it makes.
const PLACES: [(&str, &str); 2] =
    [("namespace: hello}", "namespace: @namespace@}"), ("{name: hello}", "{name: @namespace@}")];

fn page(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn sessions(page: &str) -> Vec<Block> {
    blocks(page).into_iter().filter(|b| b.info.first().is_some_and(|word| word == "console")).collect()
}

/// What stands between backticks in the text outside of blocks.
fn spans(page: &str) -> Vec<String> {
    let prose = page.split("\n```").step_by(2).collect::<Vec<_>>().join("\n").replace('\n', " ");
    prose.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Cargo, as who calls it would: nothing of what it sets for tests.
fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|n| n.starts_with("CARGO_PKG_") || n.starts_with("CARGO_MANIFEST_")) {
            cargo.env_remove(&name);
        }
    }
    cargo.current_dir(root());
    cargo
}

/// Whether cargo could do this: a task with its arguments, a package of the guests.
fn cargo_can(command: &str) -> Result<(), String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let at = words.iter().position(|w| *w == "cargo").ok_or("no cargo")?;
    match &words[at + 1..] {
        ["xtask", task @ ..] if !task.is_empty() => {
            let said = cargo().arg("xtask").args(task).arg("--help").output().unwrap();
            said.status.success().then_some(()).ok_or(String::from_utf8_lossy(&said.stderr).into_owned())
        }
        ["run" | "test", "-p", package] => {
            let question =
                ["metadata", "--no-deps", "--format-version=1", "--manifest-path=plugins/Cargo.toml"];
            let said = cargo().args(question).output().unwrap();
            let all: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
            let there = all["packages"].as_array().unwrap().iter().any(|p| p["name"] == **package);
            there.then_some(()).ok_or_else(|| format!("no package {package}"))
        }
        ["test"] => Ok(()),
        _ => Err("this test does not know how to look at it".to_owned()),
    }
}

#[test]
fn commands_of_the_readme_run() {
    let text = page("README.md");
    let start = |name| Reader::new(name, &PLACES).at_a_terminal();
    // What `init` writes goes where the input says, which is there already.
    let mut reader = start("readme");
    let namespace = reader.stack().namespace().to_owned();
    let _ = reader.stack().try_kubectl(&["create", "namespace", &namespace]).exits(0);
    reader.export("SHEAVE_INPUT_namespace", &namespace);
    let mut run = 0;
    for block in blocks(&text) {
        let is = |language: &str| block.info.first().is_some_and(|word| word == language);
        if is("yaml") && block.text.starts_with("blueprint:") {
            reader = start("hello");
            reader.write("blueprint.yaml", &block.text);
        } else if is("console") && !block.commands().iter().any(|c| c.starts_with("cargo ")) {
            reader.follow(&block);
            run += block.commands().len();
        }
    }
    assert!(run >= 9, "{run} commands");
    let web = reader.stack().object("deployment", "web").unwrap();
    assert_eq!(web["spec"]["replicas"], 3, "what the page applies last");
}

#[test]
fn tasks_and_packages_of_the_readmes_are_there() {
    let mut looked = 0;
    for path in ["README.md", "plugins/README.md"] {
        let text = page(path);
        let mut commands = spans(&text);
        commands.extend(sessions(&text).iter().flat_map(Block::commands).map(str::to_owned));
        for command in commands.iter().filter(|c| c.split_whitespace().any(|word| word == "cargo")) {
            cargo_can(command).unwrap_or_else(|why| panic!("{path}: `{command}`: {why}"));
            looked += 1;
        }
    }
    assert!(looked >= 8, "{looked} commands");
}

#[test]
fn commands_named_in_the_readmes_are_there() {
    let mut reader = Reader::new("named", &[]);
    let mut looked = 0;
    for path in ["README.md", "plugins/README.md"] {
        for span in spans(&page(path)).iter().filter(|s| s.starts_with("sheave ")) {
            let there = reader.run(&format!("{span} --help")).code() == Some(0);
            assert!(there, "{path}: `{span}`");
            looked += 1;
        }
    }
    assert!(looked >= 2, "{looked} commands");
}
