//! The plugin interface does not change under its version: types are structural, so a changed interface breaks every compiled
//! plugin.

use std::collections::BTreeMap;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::tree;

/// The interface, and what was frozen: a version, an interface and its digest on each line.
const INTERFACE: &str = "wit/plugin.wit";
const FROZEN: &str = "wit/frozen.txt";

/// The text without comments, its white space made one.
fn bare(text: &str) -> String {
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// Version and interfaces of a package, each with its digest. Worlds are not among them: to let one import more breaks nothing.
fn digests(text: &str) -> (String, BTreeMap<String, String>) {
    let text = bare(text);
    let version = text.split('@').nth(1).and_then(|rest| rest.split(';').next()).unwrap_or_default();
    let mut found = BTreeMap::new();
    for part in text.split(" interface ").skip(1) {
        let name = part.split_whitespace().next().unwrap_or_default();
        let body = part.split(" world ").next().unwrap_or_default();
        let digest: String =
            Sha256::digest(body.as_bytes())[..8].iter().map(|b| format!("{b:02x}")).collect();
        found.insert(name.to_owned(), digest);
    }
    (version.to_owned(), found)
}

#[test]
fn what_changes_gets_a_new_version() {
    let (version, now) = digests(&tree::read(Path::new(INTERFACE)).unwrap());
    let frozen = tree::read(Path::new(FROZEN)).unwrap();
    let frozen: BTreeMap<(&str, &str), &str> = frozen
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some(((words.next()?, words.next()?), words.next()?))
        })
        .collect();
    let mut faults = Vec::new();
    for (name, digest) in &now {
        match frozen.get(&(version.as_str(), name.as_str())) {
            Some(known) if known == digest => {}
            Some(_) => faults.push(format!(
                "`{name}` of {version} has changed, which breaks every plugin that was built for it: give the package a new \
                 version, keep {version} for the host to speak as well, and freeze `{name}` of the new version"
            )),
            None => faults.push(format!("new: freeze it in {FROZEN} by the line `{version} {name} {digest}`")),
        }
    }
    for (of, name) in frozen.keys().filter(|(of, _)| *of == version) {
        if !now.contains_key(*name) {
            faults.push(format!("`{name}` of {of} is gone: plugins that use it do not load any more"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn comments_and_layout_are_not_the_interface() {
    let text = "package a:b@1.2.3;\n/// One.\ninterface one {\n  f: func();\n}\nworld w { export one; }";
    let other =
        "package a:b@1.2.3;\ninterface one { f: func(); } // done\nworld w { import log; export one; }";
    assert_eq!(digests(text), digests(other));
    assert_eq!(digests(text).0, "1.2.3");
    assert_ne!(digests(text).1, digests(&text.replace("f:", "g:")).1);
}
