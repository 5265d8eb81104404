//! Plugins in every language: the authors' pages as a reader goes through them, new projects of each sort, and what a plugin
//! can find out about the machine it runs on.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use sheave_testkit::reader::blocks;
use sheave_testkit::stack::NAMESPACE;
use sheave_testkit::{Call, Output, Reader, authors, binary, root};

/// Compilers of other languages, on a machine that is busy.
const LONG: Duration = Duration::from_mins(15);

fn follow(language: &str) {
    let page = format!("docs/authors/{language}.md");
    let text = fs::read_to_string(root().join(&page)).unwrap();
    let mut reader =
        Reader::new(&format!("authors-{language}"), &[("hello-authors", NAMESPACE)]).patient(LONG);
    for (name, value) in authors::variables(&reader.stack().root().join("bin")) {
        reader.export(&name, &value);
    }
    let blocks = blocks(&text);
    let commands: usize = blocks.iter().map(|b| b.commands().len()).sum();
    assert!(commands >= 4, "{page} has {commands} commands");
    for block in &blocks {
        reader.follow(block);
    }
}

#[test]
fn the_page_for_rust_is_true() {
    follow("rust");
}

#[test]
fn the_page_for_go_is_true() {
    follow("go");
}

#[test]
fn the_page_for_python_is_true() {
    follow("python");
}

#[test]
fn the_page_for_javascript_is_true() {
    follow("js");
}

#[test]
fn the_page_for_c_is_true() {
    follow("c");
}

/// The program, in a folder, with every tool at hand.
fn call(folder: &Path, args: &[&str]) -> Call {
    let mut call = Call::new(binary::sheave()).within(folder).limit(LONG).args(args.iter().copied());
    for (name, value) in authors::variables(binary::sheave().parent().unwrap()) {
        call = call.env(&name, value);
    }
    let home = folder.join("home");
    call.env("HOME", &home).env("XDG_CONFIG_HOME", home.join("c")).env("XDG_CACHE_HOME", home.join("x"))
}

fn sheave(folder: &Path, args: &[&str]) -> Output {
    call(folder, args).run()
}

/// A new provider builds and gives the answers that those in all other languages give. (Emitters do on the pages.)
fn provides(language: &str) {
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let args = ["plugin", "new", "to-dos", "--lang", language, "--role", "provides"];
    let _ = sheave(folder.path(), &args).exits(0);
    let _ = sheave(folder.path(), &["plugin", "build", "to-dos"]).exits(0).says("build/to-dos.wasm: Note");
    let _ = sheave(folder.path(), &["plugin", "test", "to-dos"]).exits(0).says("3 of 3 as expected");
}

#[test]
fn a_provider_in_rust() {
    provides("rust");
}

#[test]
fn a_provider_in_go() {
    provides("go");
}

#[test]
fn a_provider_in_python() {
    provides("python");
}

#[test]
fn a_provider_in_javascript() {
    provides("js");
}

#[test]
fn a_provider_in_c() {
    provides("c");
}

/// Whatever is saved is built and tested again; a fault in it is shown, and does not end the watch.
#[test]
fn the_watch_builds_and_tests_what_is_saved() {
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let _ = sheave(folder.path(), &["plugin", "new", "watched", "--lang", "c"]).exits(0);
    let source = folder.path().join("watched/plugin.c");
    let text = fs::read_to_string(&source).unwrap();
    let mut watch = call(folder.path(), &["plugin", "dev", "watched"]).start();
    let round = |number: usize, says: &'static str| {
        move |out: &Output| {
            let rounds: Vec<&str> = out.stdout.split("Waiting for a change").collect();
            rounds.len() > number && rounds[number - 1].contains(says)
        }
    };
    watch.until("the first round", round(1, "5 of 5 as expected"));
    fs::write(&source, text.replace("<h1>", "<h2>")).unwrap();
    watch.until("another page", round(2, "<h2>"));
    fs::write(&source, "no C").unwrap();
    watch.until("the fault", round(3, "author.build-failed"));
    fs::write(&source, text).unwrap();
    watch.until("all well again", round(4, "5 of 5 as expected"));
    watch.interrupt();
    assert_ne!(watch.finish().code(), Some(1));
}

/// What Python can ask of a machine, shown on the page.
const CURIOUS: &str = r#"
import os, random, time, uuid
from dataclasses import dataclass
from typing import Annotated
from sheave import label
from sheave.emitter import Emitter, Object, Observation

@dataclass
class Props:
    message: str

@dataclass
class Outputs:
    pods: int

class Page(Emitter[Props, Outputs]):
    """what it sees"""

    def render(self, cx, props, found):
        seen = {"clock": str(time.time() < 1e9), "env": str(len(os.environ)), "random": str(random.random()), "uuid": str(uuid.uuid4())}
        try:
            open("/etc/passwd")
            seen["file"] = "read"
        except OSError as fault:
            seen["file"] = type(fault).__name__
        return [Object("seen", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": label(cx.name)}, "data": seen})]

    def observe(self, cx, props, live):
        return Observation(Outputs(0))
"#;

/// A component of Python that was not cut off from WASI when it was built meets the same machine in every run: one that has
/// nothing.
#[test]
fn python_without_stubs_sees_the_same_nothing_in_every_run() {
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let _ = sheave(folder.path(), &["plugin", "new", "curious", "--lang", "python"]).exits(0);
    let plugin = folder.path().join("curious");
    fs::write(plugin.join("plugin.py"), CURIOUS).unwrap();
    fs::remove_dir_all(plugin.join("golden")).unwrap();
    fs::create_dir_all(plugin.join("golden/seen")).unwrap();
    fs::write(plugin.join("golden/seen/input.yaml"), "properties: {message: x}\n").unwrap();
    fs::create_dir_all(plugin.join("build")).unwrap();
    let mut tool = Call::new("/bin/sh".as_ref()).within(&plugin).limit(LONG).args([
        "-c",
        "componentize-py -d sdk/wit -w emitter -q componentize -p . -p sdk sheave_entry_emitter -o build/curious.wasm",
    ]);
    for (name, value) in authors::variables(binary::sheave().parent().unwrap()) {
        tool = tool.env(&name, value);
    }
    let _ = tool.run().exits(0);
    let _ = sheave(folder.path(), &["plugin", "test", "curious", "--bless"]).exits(0);
    let said = fs::read_to_string(plugin.join("golden/seen/expected.yaml")).unwrap();
    for seen in ["env: \"0\"", "clock: \"True\"", "Error"] {
        assert!(said.contains(seen), "{seen}:\n{said}");
    }
    let _ = sheave(folder.path(), &["plugin", "test", "curious"]).exits(0);
}

/// A component of JavaScript that imports what no plugin has is refused, and the refusal names it.
#[test]
fn javascript_that_asks_for_more_is_refused_by_name() {
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let _ = sheave(folder.path(), &["plugin", "new", "greedy", "--lang", "js"]).exits(0);
    let plugin = folder.path().join("greedy");
    let wit = plugin.join("sdk/wit/plugin.wit");
    let more = "interface telephone { call: func(number: string); }\nworld emitter { import telephone;";
    let text = fs::read_to_string(&wit).unwrap().replace("world emitter {", more);
    fs::write(&wit, text).unwrap();
    let script = plugin.join("plugin.js");
    let text = fs::read_to_string(&script).unwrap();
    fs::write(&script, format!("import telephone from \"sheave:plugin/telephone\";\ntelephone;\n{text}"))
        .unwrap();
    let said = sheave(folder.path(), &["plugin", "build", "greedy"]).exits(1);
    assert!(said.stderr.contains("plugin.import-refused") && said.stderr.contains("telephone"), "{said}");
}
