//! The documentation against the sources: a page for each diagnostic code, links that lead somewhere, code that is built.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use sheave_testkit::root;

/// How the codes of diagnostics begin.
const FAMILIES: [&str; 28] = [
    "app",
    "author",
    "await",
    "blueprint",
    "cli",
    "cluster",
    "drift",
    "file",
    "files",
    "history",
    "http",
    "import",
    "input",
    "inventory",
    "key",
    "kubernetes",
    "manifest",
    "manifests",
    "object",
    "plan",
    "plugin",
    "registry",
    "run",
    "sdk",
    "secrets",
    "stack",
    "state",
    "target",
];

/// Texts of the same form that are no codes: events, and names of files and groups.
const OTHERS: [&str; 10] = [
    "object.applied",
    "object.deleted",
    "run.finished",
    "blueprint.yaml",
    "app.json",
    "plugin.yaml",
    "input.yaml",
    "plan.json",
    "state.db",
    "kubernetes.io",
];

/// Codes that are put together: how the source makes them, and what they become.
const MADE: [(&str, &[&str]); 1] = [(
    "\"kubernetes.duplicate-{what}\"",
    &[
        "kubernetes.duplicate-volume",
        "kubernetes.duplicate-container",
        "kubernetes.duplicate-variable",
        "kubernetes.duplicate-port",
        "kubernetes.duplicate-mount",
    ],
)];

/// All files beneath a folder with this ending, in order.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path, ending)),
            false if path.extension().is_some_and(|e| e == ending) => found.push(path),
            false => {}
        }
    }
    found.sort();
    found
}

/// The host's and the plugins' sources, without their tests.
fn sources() -> Vec<String> {
    let crates = ["host", "plugins"].map(|f| root().join(f));
    let folders = crates.iter().flat_map(|f| fs::read_dir(f).unwrap()).map(|e| e.unwrap().path().join("src"));
    let all = folders.filter(|f| f.is_dir()).flat_map(|f| files(&f, "rs"));
    let texts = all.filter(|p| !p.ends_with("tests.rs")).map(|p| fs::read_to_string(p).unwrap());
    texts.map(|text| text.split("\nmod tests {").next().unwrap_or_default().to_owned()).collect()
}

/// `family.rest-of-it` at the beginning of a text, up to the closing quote.
fn code(text: &str) -> Option<&str> {
    let code = &text[..text.find('"')?];
    let (family, rest) = code.split_once('.')?;
    let is_word = |word: &str| {
        !word.is_empty()
            && word.split('-').all(|part| {
                !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            })
    };
    (is_word(family) && rest.split('.').all(is_word)).then_some(code)
}

fn codes() -> BTreeSet<String> {
    let sources = sources();
    let mut found = BTreeSet::new();
    for source in &sources {
        let literals = source.match_indices('"').filter_map(|(at, _)| code(&source[at + 1..]));
        let ours = |code: &&str| FAMILIES.contains(&code.split('.').next().unwrap_or_default());
        found.extend(literals.filter(ours).filter(|c| !OTHERS.contains(c)).map(str::to_owned));
    }
    for (how, codes) in MADE {
        assert!(sources.iter().any(|s| s.contains(how)), "no source makes {how} any more");
        found.extend(codes.iter().map(|c| (*c).to_owned()));
    }
    found
}

fn pages() -> BTreeMap<String, String> {
    let all = files(&root().join("docs/errors"), "md");
    let named = all
        .iter()
        .map(|p| (p.file_stem().unwrap().to_string_lossy().into_owned(), fs::read_to_string(p).unwrap()));
    named.filter(|(name, _)| name != "README").collect()
}

#[test]
fn each_code_has_a_page_and_each_page_a_code() {
    let (codes, pages) = (codes(), pages());
    let without: Vec<_> = codes.iter().filter(|c| !pages.contains_key(*c)).collect();
    let stale: Vec<_> = pages.keys().filter(|p| !codes.contains(*p)).collect();
    assert!(
        without.is_empty() && stale.is_empty(),
        "codes without a page: {without:#?}\npages without a code: {stale:#?}"
    );
}

#[test]
fn every_family_of_codes_is_known() {
    let mut strangers = BTreeSet::new();
    for source in sources() {
        for begin in ["Diagnostic::error(", "Diagnostic::warning("] {
            for (at, _) in source.match_indices(begin) {
                let Some(literal) = source[at + begin.len()..].trim_start().strip_prefix('"') else {
                    continue;
                };
                if let Some(code) =
                    code(literal).filter(|c| !FAMILIES.contains(&c.split('.').next().unwrap_or_default()))
                {
                    strangers.insert(code.to_owned());
                }
            }
        }
    }
    assert!(strangers.is_empty(), "of no family that this test knows: {strangers:?}");
}

#[test]
fn pages_have_their_parts_and_stand_in_the_index() {
    let index = fs::read_to_string(root().join("docs/errors/README.md")).unwrap();
    for (code, page) in pages() {
        assert!(page.starts_with(&format!("# `{code}`\n")), "{code}: its heading");
        for part in ["\n## Example\n", "\n## The way out\n"] {
            assert!(page.contains(part), "{code}: {part}");
        }
        assert!(index.contains(&format!("[`{code}`]({code}.md)")), "{code} is not in the index");
    }
}

/// What is written for readers.
fn texts() -> Vec<PathBuf> {
    let mut all = files(&root().join("docs"), "md");
    all.push(root().join("README.md"));
    all
}

/// A heading as links name it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    kept.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// The text without what stands in fences.
fn prose(text: &str) -> String {
    text.split("\n```").step_by(2).collect::<Vec<_>>().join("\n")
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for path in texts() {
        let text = prose(&fs::read_to_string(&path).unwrap());
        for (at, _) in text.match_indices("](") {
            let link = &text[at + 2..at + text[at..].find(')').unwrap()];
            if link.starts_with("http") {
                continue;
            }
            let (file, wanted) = link.split_once('#').unwrap_or((link, ""));
            let to = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let leads = to.exists()
                && (wanted.is_empty() || {
                    let there = prose(&fs::read_to_string(&to).unwrap());
                    there.lines().any(|l| l.starts_with('#') && anchor(l.trim_start_matches('#')) == wanted)
                });
            if !leads {
                broken.push(format!("{}: {link}", path.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// The fenced blocks of a text that say they are of this language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let begin = format!("\n```{language}\n");
    let after = text.split(&begin).skip(1);
    after.map(|rest| rest.split("\n```").next().unwrap_or_default().to_owned()).collect()
}

/// Rust that readers copy is built: it stands in the SDK's own example, which its tests compile, or in a plugin.
#[test]
fn plugins_in_the_texts_are_built() {
    let sdk = fs::read_to_string(root().join("plugins/sdk/src/lib.rs")).unwrap();
    let comments: Vec<&str> = sdk.lines().filter_map(|l| l.strip_prefix("//!")).collect();
    let example = comments.iter().map(|l| l.strip_prefix(' ').unwrap_or(l)).collect::<Vec<_>>().join("\n");
    let mut built = vec![example];
    let folders = ["plugins/file/src", "plugins/sdk/src"].map(|f| files(&root().join(f), "rs"));
    built.extend(folders.iter().flatten().map(|p| fs::read_to_string(p).unwrap()));
    for path in texts() {
        for block in blocks(&fs::read_to_string(&path).unwrap(), "rust") {
            // Pieces are told apart by a line of three dots.
            for piece in block.split("\n...\n") {
                let found = built.iter().any(|b| b.contains(piece.trim_matches('\n')));
                assert!(found, "{}: nothing that is built has this:\n{piece}", path.display());
            }
        }
    }
}

#[test]
fn texts_speak_of_the_project_alone() {
    let (registry, machine) = (["crates", "io"].join("."), ["/work", "/"].concat());
    for path in texts() {
        let text = fs::read_to_string(&path).unwrap();
        for word in [registry.as_str(), machine.as_str(), "TODO", "FIXME"] {
            assert!(!text.contains(word), "{}: {word}", path.display());
        }
    }
}
