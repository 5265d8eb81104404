//! `docs/tutorial.md`, as a reader goes through it, and what other pages say of blueprints and commands.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use std::collections::BTreeSet;
use std::fs;

use sheave_testkit::reader::blocks;
use sheave_testkit::stack::NAMESPACE;
use sheave_testkit::{Reader, root};

#[test]
fn the_tutorial_is_true() {
    let text = fs::read_to_string(root().join("docs/tutorial.md")).unwrap();
    let mut reader = Reader::new("tutorial", &[("blog-tutorial", NAMESPACE)]);
    let blocks = blocks(&text);
    assert!(blocks.len() > 20, "{} blocks", blocks.len());
    for block in &blocks {
        reader.follow(block);
    }
}

/// The blueprints that other pages show whole are valid.
#[test]
fn blueprints_in_the_texts_are_valid() {
    let pages = ["README.md", "docs/blueprint.md", "docs/kubernetes.md", "docs/plugins.md"];
    let mut whole = 0;
    for page in pages {
        let Ok(text) = fs::read_to_string(root().join(page)) else { panic!("{page}") };
        for block in blocks(&text).iter().filter(|b| b.info.first().is_some_and(|w| w == "yaml")) {
            if block.text.starts_with("blueprint:") {
                let mut reader = Reader::new("texts", &[]);
                let folder = reader.folder().to_owned();
                reader.write("blueprint.yaml", &block.text);
                fs::copy(folder.join("target/guests/file.wasm"), folder.join("file.wasm")).unwrap();
                fs::create_dir_all(folder.join("out")).unwrap();
                let said = reader.run("sheave validate");
                assert!(said.code() == Some(0), "{page}, line {}:\n{said}", block.line);
                whole += 1;
            }
        }
    }
    assert!(whole >= 2, "{whole}");
}

/// `docs/cli.md` names every command and option, and none that is not there.
#[test]
fn the_command_line_is_described() {
    let page = fs::read_to_string(root().join("docs/cli.md")).unwrap();
    let mut reader = Reader::new("cli", &[]);
    let mut help = |command: &str| reader.run(&format!("sheave {command} --help")).exits(0).stdout;
    let commands = |help: &str| -> Vec<String> {
        let list = help.split("Commands:\n").nth(1).and_then(|l| l.split("\n\n").next()).unwrap_or_default();
        let lines = list.lines().filter(|l| l.starts_with("  ") && !l.starts_with("   "));
        lines
            .filter_map(|l| l.split_whitespace().next())
            .filter(|n| *n != "help")
            .map(str::to_owned)
            .collect()
    };
    let mut known = options(&help(""));
    for name in commands(&help("")) {
        let inner = commands(&help(&name));
        let all: Vec<String> = match inner.is_empty() {
            true => vec![name],
            false => inner.iter().map(|i| format!("{name} {i}")).collect(),
        };
        for command in all {
            assert!(
                page.contains(&format!("| `sheave {command}")),
                "docs/cli.md does not name `sheave {command}`"
            );
            known.extend(options(&help(&command)));
        }
    }
    let said = options(&page);
    let (missing, strange) = (known.difference(&said), said.difference(&known));
    let (missing, strange): (Vec<_>, Vec<_>) = (missing.collect(), strange.collect());
    assert!(missing.is_empty() && strange.is_empty(), "docs/cli.md lacks {missing:?}, and names {strange:?}");
}

/// The long options that a text names.
fn options(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')));
    let is_option = |word: &&str| {
        let name = word.strip_prefix("--").unwrap_or_default();
        name.starts_with(|c: char| c.is_ascii_lowercase())
    };
    words.filter(is_option).map(str::to_owned).collect()
}
