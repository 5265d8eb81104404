//! Judges each case under `tests/readiness/`: drop in a file, or add a case to one, and it is run.
//!
//! A file holds a list of cases: `case` names it, `is` is what [`Readiness`] must say in words, `object` is the live
//! object; `kind` of the file's first word is only for people.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, in what tests share as well"
)]

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value as Json;
use sheave_manifest::{Readiness, readiness};

fn words(readiness: &Readiness) -> String {
    match readiness {
        Readiness::Ready => "ready".to_owned(),
        Readiness::InProgress { reason } => format!("in progress: {reason}"),
        Readiness::Failed { rule, reason } => format!("failed {rule}: {reason}"),
        Readiness::Terminating => "terminating".to_owned(),
        Readiness::Absent => "absent".to_owned(),
    }
}

#[test]
fn every_case_is_judged_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readiness");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let (mut count, mut names, mut wrong) = (0, BTreeSet::new(), Vec::new());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let cases: Vec<Json> =
            serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        for case in cases {
            let name = format!("{}: {}", file.file_stem().unwrap().display(), case["case"].as_str().unwrap());
            let (want, got) = (case["is"].as_str().unwrap(), words(&readiness(&case["object"])));
            if want != got {
                wrong.push(format!("{name}\n  want {want}\n  got  {got}"));
            }
            assert!(names.insert(name.clone()), "{name} is there twice");
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 60, "only {count} cases were found");
}
