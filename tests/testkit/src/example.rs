//! An example of the repository in a project of its own, at the same place beneath it.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::{Call, Output, Stack, binary, must, root};

/// A copy of a folder of `examples/`, with a namespace that nothing else uses and that is not there yet.
#[derive(Debug)]
pub struct Example {
    /// What it stands in.
    pub stack: Stack,
    name: String,
}

impl Example {
    /// Copies it.
    pub fn new(name: &str) -> Self {
        let stack = Stack::without_namespace(name);
        let from = root().join("examples").join(name);
        for path in crate::leaks::files(&from) {
            let inside = must(path.strip_prefix(root()), path.display());
            if !inside.iter().any(|part| part == ".sheave" || part == "out") {
                stack.write(&inside.to_string_lossy(), must(fs::read(&path), path.display()));
            }
        }
        stack.write("target/guests/file.wasm", binary::guest("file"));
        Self { stack, name: name.to_owned() }
    }

    /// The copy.
    pub fn folder(&self) -> PathBuf {
        self.stack.project().join("examples").join(&self.name)
    }

    /// A call of `sheave` in it.
    pub fn call(&self, args: &[&str]) -> Call {
        let call = self.stack.sheave(args.iter().copied()).within(&self.folder());
        call.env("SHEAVE_INPUT_namespace", self.stack.namespace())
    }

    /// Such a call, to its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.call(args).run()
    }

    /// Rewrites the blueprint.
    pub fn edit(&self, change: impl Fn(&str) -> String) {
        let path = self.folder().join("blueprint.yaml");
        let text = must(fs::read_to_string(&path), path.display());
        let changed = change(&text);
        assert_ne!(text, changed);
        must(fs::write(&path, changed), path.display());
    }

    /// The plan as data.
    pub fn plan(&self, args: &[&str]) -> Value {
        let mut all = vec!["plan", "--out", "plan.json"];
        all.extend(args);
        let _ = self.run(&all).exits(0);
        let path = self.folder().join("plan.json");
        must(serde_json::from_str(&must(fs::read_to_string(&path), path.display())), path.display())
    }

    /// Whether its namespace exists.
    pub fn namespace_is_there(&self) -> bool {
        let name = self.stack.namespace();
        !self.stack.try_kubectl(&["get", "namespace", name, "--ignore-not-found"]).exits(0).stdout.is_empty()
    }
}
