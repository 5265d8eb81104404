//! Which crate may use which: the edges of docs/architecture.md, and the libraries that only one crate knows.

use crate::packages::{Kind, Package, workspace};

/// What each crate of the host may link, by folder. A crate that is not listed here may not be there.
const EDGES: [(&str, &[&str]); 13] = [
    ("model", &[]),
    ("blueprint", &["model"]),
    ("engine", &["model", "blueprint"]),
    ("manifest", &["model"]),
    ("secrets", &["model"]),
    ("state", &["model"]),
    ("plugin-host", &["model"]),
    ("builtin", &[]),
    ("registry", &["model"]),
    ("cluster", &["model", "manifest"]),
    (
        "driver",
        &[
            "model",
            "blueprint",
            "engine",
            "state",
            "secrets",
            "manifest",
            "plugin-host",
            "builtin",
            "cluster",
            "registry",
        ],
    ),
    ("authoring", &["model", "plugin-host"]),
    ("cli", &["model", "driver", "authoring", "registry"]),
];

/// Libraries whose interface one crate hides from all others: `(how its crates' names begin, the folders that may)`.
/// `tests/bench` measures what those crates cost beside the bare library.
const HIDDEN: [(&str, &[&str]); 7] = [
    ("wasmtime", &["host/plugin-host", "tests/bench"]),
    ("kube", &["host/cluster", "tests/bench"]),
    ("k8s-openapi", &["host/cluster"]),
    ("sqlx", &["host/state"]),
    ("miette", &["host/cli"]),
    ("oci-client", &["host/registry"]),
    ("sigstore", &["host/registry"]),
];

/// What tests may use beyond their crate's own edges.
const FOR_TESTS: [&str; 1] = ["sheave-testkit"];

/// What the tests of one crate may use beyond that: `(folder, crates, why)`.
const TEST_EDGES: [(&str, &[&str], &str); 1] = [(
    "host/builtin",
    &["sheave-plugin-host", "sheave-model"],
    "its tests load what its build script compiled",
)];

fn packages() -> Vec<Package> {
    workspace().unwrap()
}

fn folder<'a>(package: &'a Package, of: &str) -> Option<&'a str> {
    package.folder.strip_prefix(of)
}

#[test]
fn every_crate_of_the_host_is_on_the_map_and_named_after_its_folder() {
    let packages = packages();
    let hosts: Vec<_> = packages.iter().filter_map(|p| Some((folder(p, "host/")?, p))).collect();
    for (folder, package) in &hosts {
        assert!(EDGES.iter().any(|(name, _)| name == folder), "{folder} is not among the edges");
        assert_eq!(package.name, format!("sheave-{folder}"));
    }
    for (name, _) in EDGES {
        assert!(
            hosts.iter().any(|(folder, _)| *folder == name),
            "{name} is among the edges, and not in host/"
        );
    }
}

#[test]
fn crates_use_only_what_is_below_them() {
    let mut faults = Vec::new();
    for package in &packages() {
        let Some((_, allowed)) = EDGES.iter().find(|(name, _)| Some(*name) == folder(package, "host/"))
        else {
            continue;
        };
        let is_allowed = |name: &str| allowed.iter().any(|a| name.strip_prefix("sheave-") == Some(a));
        for used in package.uses(&[Kind::Normal]).filter(|n| n.starts_with("sheave-")) {
            if !is_allowed(used) {
                faults.push(format!("{} uses {used}", package.name));
            }
        }
        for used in package.uses(&[Kind::Dev]).filter(|n| n.starts_with("sheave-")) {
            let granted =
                TEST_EDGES.iter().any(|(of, crates, _)| *of == package.folder && crates.contains(&used));
            if !is_allowed(used) && !granted && !FOR_TESTS.contains(&used) && used != package.name {
                faults.push(format!("the tests of {} use {used}", package.name));
            }
        }
        // The built-in plugin is compiled ahead by the code that will load it; no other build script needs ours.
        for used in package.uses(&[Kind::Build]).filter(|n| n.starts_with("sheave-")) {
            if (package.name.as_str(), used) != ("sheave-builtin", "sheave-plugin-host") {
                faults.push(format!("the build script of {} uses {used}", package.name));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn some_libraries_are_known_to_one_crate_only() {
    let mut faults = Vec::new();
    for package in &packages() {
        for used in package.uses(&[Kind::Normal, Kind::Build, Kind::Dev]) {
            for (start, allowed) in HIDDEN {
                let is_it =
                    used == start || used.strip_prefix(start).is_some_and(|rest| rest.starts_with('-'));
                if is_it && !allowed.contains(&package.folder.as_str()) {
                    faults.push(format!("{} uses {used}", package.folder));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn nothing_that_ships_uses_what_tests_use() {
    let mut faults = Vec::new();
    for package in packages().iter().filter(|p| p.folder.starts_with("host/")) {
        for used in package.uses(&[Kind::Normal, Kind::Build]) {
            let is_test_crate = FOR_TESTS.contains(&used) || matches!(used, "xtask" | "insta" | "proptest");
            if is_test_crate || used.starts_with("sheave-scenarios") || used.starts_with("sheave-layering") {
                faults.push(format!("{} uses {used}", package.name));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}
