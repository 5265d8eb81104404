//! The languages that there are SDKs for.

use serde::{Deserialize, Serialize};

/// A language with an SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Rust, through `wasm32-unknown-unknown`.
    Rust,
    /// Go, through its own compiler.
    Go,
    /// Python, through componentize-py.
    Python,
    /// JavaScript, through componentize-qjs.
    Js,
    /// C, through zig or clang.
    C,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Rust, Self::Go, Self::Python, Self::Js, Self::C];

    /// As it is written in `plugin.yaml` and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Go => "go",
            Self::Python => "python",
            Self::Js => "js",
            Self::C => "c",
        }
    }

    /// The language of that word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.word() == word)
    }
}
