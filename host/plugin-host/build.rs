//! Tells the crate for which target it is built, and its tests which guests there are.

use std::fmt::Write as _;
use std::path::Path;

fn main() {
    // Guests are compiled for the target by name, so that the compiler uses the CPU features that every such machine has.
    println!("cargo::rustc-env=SHEAVE_TARGET={}", std::env::var("TARGET").unwrap_or_default());
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../../wit/plugin.wit");
    list_guests();
}

/// Writes `each_guest!`, which names every guest under `tests/guests`: a guest without a test does not compile.
fn list_guests() {
    let guests = Path::new("../../tests/guests");
    let mut names = Vec::new();
    for folder in [guests.to_owned(), guests.join("components"), guests.join("modules")] {
        println!("cargo::rerun-if-changed={}", folder.display());
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_guest = path.join("Cargo.toml").exists() || path.extension().is_some_and(|e| e == "wat");
            if let Some(name) = path.file_stem().and_then(|s| s.to_str()).filter(|_| is_guest) {
                names.push(name.replace('-', "_"));
            }
        }
    }
    names.sort();
    let mut out = String::from("macro_rules! each_guest { ($m:ident) => {\n");
    for name in names {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "    $m!({name});");
    }
    out.push_str("} }\n");
    let folder = std::env::var("OUT_DIR").unwrap_or_default();
    if let Err(e) = std::fs::write(Path::new(&folder).join("guests.rs"), out) {
        println!("cargo::error=the list of guests cannot be written: {e}");
    }
}
