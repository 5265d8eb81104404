//! The crates that decide do not act: no file, no network, no clock, no chance, in what they link and in what they write.

use crate::{packages, rust, tree};

/// The crates that must give the same answer to the same question, whenever and wherever it is asked.
const PURE: [&str; 4] = ["model", "blueprint", "engine", "manifest"];

/// Crates that act, by the beginning of their names, and what each would bring in.
const ACTING: [(&str, &str); 26] = [
    ("tokio", "a runtime"),
    ("async-std", "a runtime"),
    ("smol", "a runtime"),
    ("futures-executor", "a runtime"),
    ("mio", "sockets"),
    ("socket2", "sockets"),
    ("hyper", "sockets"),
    ("reqwest", "sockets"),
    ("kube", "a cluster"),
    ("k8s-openapi", "a cluster's types"),
    ("wasmtime", "plugins"),
    ("wasmi", "plugins"),
    ("sqlx", "a database"),
    ("rusqlite", "a database"),
    ("rustix", "system calls"),
    ("nix", "system calls"),
    ("tempfile", "files"),
    ("walkdir", "files"),
    ("cap-std", "files"),
    ("rand", "chance"),
    ("getrandom", "chance"),
    ("fastrand", "chance"),
    ("chrono", "a clock"),
    ("jiff", "a clock"),
    ("time", "a clock"),
    ("tracing-subscriber", "output"),
];

/// What the standard library offers to those who act. (An address of `std::net` is a number: to read one is no act.)
const WORDS: [&str; 14] = [
    "std::fs",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "std::env",
    "std::process",
    "std::thread",
    "std::os",
    "SystemTime",
    "Instant",
    "stdin",
    "RandomState",
    "tokio",
];

#[test]
fn pure_crates_link_nothing_that_acts() {
    let mut faults = Vec::new();
    for name in PURE {
        for linked in packages::linked(&format!("sheave-{name}")).unwrap() {
            for (acting, what) in ACTING {
                if linked == acting || linked.strip_prefix(acting).is_some_and(|rest| rest.starts_with('-')) {
                    faults.push(format!("{name} links {linked}, which brings in {what}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn pure_crates_name_nothing_that_acts() {
    let mut faults = Vec::new();
    for name in PURE {
        for path in tree::files(&format!("host/{name}/src"), ".rs").unwrap() {
            if rust::is_test_file(&path) {
                continue;
            }
            let code = rust::without_tests(&rust::code(&tree::read(&path).unwrap()));
            for word in WORDS {
                for line in rust::lines_with(&code, word) {
                    faults.push(format!("{}:{line} names {word}", path.display()));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}
