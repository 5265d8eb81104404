//! What every source keeps to, whatever it does.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::{rust, tree};

/// Folders with sources of ours.
const SOURCES: [&str; 5] = ["host", "plugins", "tests", "examples", "xtask"];

/// Lines that a file may have: beyond it, it does more than one thing.
const MAX_LINES: usize = 800;

/// Names that say nothing, and so gather everything.
const EMPTY_NAMES: [&str; 6] = ["util", "utils", "common", "misc", "helper", "helpers"];

/// The module that holds what the language cannot check, and says why.
const UNSAFE_MODULE: &str = "host/plugin-host/src/native.rs";

fn sources(end: &str) -> Vec<PathBuf> {
    SOURCES
        .iter()
        .filter(|f| tree::root().join(f).is_dir())
        .flat_map(|f| tree::files(f, end).unwrap())
        .collect()
}

/// The sources of the host and its tools, tests left out.
fn host_code() -> Vec<(PathBuf, String)> {
    let all = ["host", "tests", "xtask"].iter().flat_map(|f| tree::files(f, ".rs").unwrap());
    let ours = all.filter(|path| !path.starts_with("tests/guests"));
    ours.map(|path| (path.clone(), rust::code(&tree::read(&path).unwrap()))).collect()
}

#[test]
fn every_module_says_what_it_is_for() {
    let silent: Vec<_> =
        sources(".rs").into_iter().filter(|p| !tree::read(p).unwrap().starts_with("//!")).collect();
    assert!(silent.is_empty(), "these do not open with a `//!` line: {silent:#?}");
}

#[test]
fn no_file_is_too_long() {
    let ends = [".rs", ".go", ".py", ".c", ".js"];
    let long: Vec<_> = ends
        .iter()
        .flat_map(|end| sources(end))
        .map(|path| (tree::read(&path).unwrap().lines().count(), path))
        .filter(|(lines, _)| *lines > MAX_LINES)
        .collect();
    assert!(long.is_empty(), "more than {MAX_LINES} lines: {long:#?}");
}

#[test]
fn names_say_something() {
    let ends = [".rs", ".go", ".py", ".c", ".js"];
    let empty: BTreeSet<_> = ends
        .iter()
        .flat_map(|end| sources(end))
        .filter(|path| {
            let stem = path.file_stem().into_iter();
            path.parent()
                .into_iter()
                .flatten()
                .chain(stem)
                .any(|part| EMPTY_NAMES.iter().any(|name| part == *name))
        })
        .collect();
    assert!(empty.is_empty(), "{empty:#?}");
}

#[test]
fn unsafe_code_stands_in_one_module() {
    let faults: Vec<_> = host_code()
        .iter()
        .filter(|(path, _)| !path.ends_with(UNSAFE_MODULE))
        .flat_map(|(path, code)| {
            rust::lines_with(code, "unsafe").into_iter().map(|line| format!("{}:{line}", path.display()))
        })
        .collect();
    assert!(faults.is_empty(), "unsafe code outside of {UNSAFE_MODULE}: {faults:#?}");
}

#[test]
fn libraries_do_not_print() {
    let mut faults = Vec::new();
    for (path, code) in host_code() {
        if !path.starts_with("host") || path.starts_with("host/cli") || rust::is_test_file(&path) {
            continue;
        }
        let code = rust::without_tests(&code);
        for word in ["print!", "println!", "eprint!", "eprintln!", "dbg!", "io::stdout", "io::stderr"] {
            for line in rust::lines_with(&code, word) {
                faults.push(format!("{}:{line} has {word}", path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_map_names_every_room() {
    let map = tree::read("docs/architecture.md".as_ref()).unwrap();
    let mut missing = Vec::new();
    for of in ["host", "plugins", "tests"] {
        for entry in std::fs::read_dir(tree::root().join(of)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_room = entry.path().is_dir() && name != "target" && !name.starts_with('.');
            if is_room && !map.contains(&format!("`{of}/{name}`")) {
                missing.push(format!("{of}/{name}"));
            }
        }
    }
    assert!(missing.is_empty(), "docs/architecture.md says nothing of: {missing:#?}");
}

/// Where this machine gets packages from is its own business: a host name in the tree would send others there.
#[test]
fn no_package_registry_of_this_machine_is_named() {
    let hosts = registry_hosts();
    let mut faults = Vec::new();
    for path in tree::files(".", "").unwrap() {
        // What is no text names nothing.
        let Ok(text) = tree::read(&path) else { continue };
        for host in hosts.iter().filter(|h| text.contains(h.as_str())) {
            faults.push(format!("{} names {host}", path.display()));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// The hosts that cargo's settings and the environment name for package registries. The public home of cargo's index is
/// none of them: every lock file names it.
fn registry_hosts() -> BTreeSet<String> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let config = home.and_then(|h| std::fs::read_to_string(h.join("config.toml")).ok()).unwrap_or_default();
    let variables = std::env::vars().filter(|(name, _)| {
        let name = name.to_ascii_uppercase();
        name == "GOPROXY"
            || (name.starts_with("CARGO_") && (name.contains("REGISTR") || name.contains("SOURCE")))
            || name.ends_with("INDEX_URL")
            || name.ends_with("CONFIG_REGISTRY")
    });
    let texts = std::iter::once(config).chain(variables.map(|(_, value)| value));
    texts.flat_map(|text| hosts(&text)).filter(|h| h != "github.com" && h != "localhost").collect()
}

fn hosts(text: &str) -> Vec<String> {
    let ends = |c: char| c.is_whitespace() || matches!(c, '/' | ':' | '"' | '\'' | ',' | '|' | '?');
    let host = |rest: &str| {
        let authority = rest.split(ends).next().unwrap_or_default();
        authority.rsplit('@').next().unwrap_or_default().to_owned()
    };
    text.split("://").skip(1).map(host).filter(|h| h.contains('.')).collect()
}

#[test]
fn hosts_are_found_in_settings() {
    let text = "registry = \"sparse+https://cargo.example.org/index/\"\nx = 'http://me@b.example.org:80'";
    assert_eq!(hosts(text), ["cargo.example.org", "b.example.org"]);
    assert_eq!(hosts("https://go.example.org,direct"), ["go.example.org"]);
}
