//! `docs/tutorial.md`, as a reader goes through it: its files are written, its commands run against the control plane, and
//! what it shows is compared with what they say.
//!
//! A block that begins ```` ```yaml FILE ```` is that file; ```` ```diff FILE ```` changes it. In a ```` ```console ````
//! block each `$ ` begins a command, and what follows is its output: `...` stands for anything, alone in a line for any
//! lines; a command without output is only run. ```` ```console exit=1 ```` says how the last command ends.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use sheave_testkit::{Call, Cluster, Output, Stack, binary, root};

/// The namespace that the tutorial writes.
const NAMESPACE: &str = "blog-tutorial";

/// A fenced block: what stands behind the fence, and the lines within.
struct Block {
    line: usize,
    info: Vec<String>,
    text: String,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut open = false;
    for (n, line) in text.lines().enumerate() {
        if let Some(info) = line.strip_prefix("```") {
            open = !open;
            if open {
                let info = info.split_whitespace().map(str::to_owned).collect();
                found.push(Block { line: n + 1, info, text: String::new() });
            }
        } else if let Some(block) = found.last_mut().filter(|_| open) {
            block.text.push_str(line);
            block.text.push('\n');
        }
    }
    assert!(!open, "a block is never closed");
    found
}

/// A reader with a shell: a folder, what was exported, and the programs.
struct Reader {
    stack: Stack,
    folder: PathBuf,
    exported: BTreeMap<String, String>,
}

impl Reader {
    fn new(name: &str) -> Self {
        let stack = Stack::without_namespace(name);
        let programs = stack.root().join("bin");
        fs::create_dir(&programs).unwrap();
        symlink(binary::sheave(), programs.join("sheave")).unwrap();
        symlink(fs::canonicalize(Cluster::shared().kubectl()).unwrap(), programs.join("kubectl")).unwrap();
        stack.write("target/guests/file.wasm", binary::guest("file"));
        let folder = stack.project();
        Self { stack, folder, exported: BTreeMap::new() }
    }

    fn here(&self, text: &str) -> String {
        text.replace(NAMESPACE, self.stack.namespace())
    }

    /// Runs a line as a shell does, both outputs as one.
    fn run(&mut self, line: &str) -> Output {
        if let Some(to) = line.strip_prefix("cd ") {
            self.folder.push(to);
        }
        if let Some((name, value)) = line.strip_prefix("export ").and_then(|l| l.split_once('=')) {
            self.exported.insert(name.to_owned(), value.trim_matches('\'').to_owned());
        }
        let (home, script) = (self.stack.home(), format!("exec 2>&1; {line}"));
        let mut call = Call::new("/bin/sh".as_ref())
            .args(["-c", &script])
            .env("PATH", format!("{}:/usr/bin:/bin", self.stack.root().join("bin").display()))
            .env("LANG", "C.UTF-8")
            .env("TERM", "dumb")
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("KUBECONFIG", self.stack.kubeconfig());
        for (name, value) in &self.exported {
            call = call.env(name, value);
        }
        match line.starts_with("cd ") || line.starts_with("export ") {
            true => Call::new("/bin/true".as_ref()).run(),
            false => call.within(&self.folder).run(),
        }
    }

    fn follow(&mut self, block: &Block) {
        let text = self.here(&block.text);
        let words: Vec<&str> = block.info.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["console", rest @ ..] => {
                let code =
                    rest.first().map_or(0, |word| word.strip_prefix("exit=").unwrap().parse().unwrap());
                self.session(block.line, &text, code);
            }
            ["diff", file] => {
                let path = self.folder.join(file);
                let changed = patched(&fs::read_to_string(&path).unwrap(), &text);
                fs::write(path, changed.unwrap_or_else(|why| panic!("line {}: {why}", block.line))).unwrap();
            }
            [_, file] => {
                let path = self.folder.join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            _ => {}
        }
    }

    /// Commands, each with what it says. The last one ends with `code`.
    fn session(&mut self, line: usize, text: &str, code: i32) {
        let mut commands: Vec<(&str, Vec<&str>)> = Vec::new();
        for line in text.lines() {
            match line.strip_prefix("$ ") {
                Some(command) => commands.push((command, Vec::new())),
                None => commands.last_mut().unwrap().1.push(line),
            }
        }
        let last = commands.len() - 1;
        for (n, (command, expected)) in commands.iter().enumerate() {
            let said = self.run(command.split("   #").next().unwrap_or_default().trim_end());
            let code = if n == last { code } else { 0 };
            assert!(said.code() == Some(code), "line {line}: exit {code} was expected:\n{said}");
            let lines = words(said.stdout.lines());
            if !expected.is_empty() && !fits(&words(expected.iter().copied()), &lines) {
                panic!(
                    "line {line}, `{command}`: expected\n{}\n--- said\n{}",
                    expected.join("\n"),
                    said.stdout
                );
            }
        }
    }
}

/// Lines without what differs from run to run in how they are set: widths of columns, and empty lines.
fn words<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let plain = lines.map(|l| l.split_whitespace().collect::<Vec<_>>().join(" "));
    plain.filter(|l| !l.is_empty()).collect()
}

/// Whether the lines are as expected, `...` standing for anything.
fn fits(expected: &[String], lines: &[String]) -> bool {
    match expected.split_first() {
        None => lines.is_empty(),
        Some((any, rest)) if any == "..." => (0..=lines.len()).any(|n| fits(rest, &lines[n..])),
        Some((first, rest)) => {
            lines.split_first().is_some_and(|(line, left)| fit(first, line) && fits(rest, left))
        }
    }
}

fn fit(expected: &str, line: &str) -> bool {
    let mut parts = expected.split("...").map(str::trim);
    let Some(mut left) = line.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut ends_open = false;
    for part in parts {
        let Some(at) = (if part.is_empty() { Some(left.len()) } else { left.find(part) }) else {
            return false;
        };
        left = &left[at + part.len()..];
        ends_open = part.is_empty();
    }
    left.is_empty() || ends_open
}

/// A text with one change: lines with `-` and ` ` stand in it once, together; those with `+` and ` ` take their place.
fn patched(text: &str, change: &str) -> Result<String, String> {
    let side = |sign: char| -> Vec<&str> {
        let kept = change.lines().filter(|l| l.is_empty() || l.starts_with([' ', sign]));
        kept.map(|l| l.get(1..).unwrap_or_default()).collect()
    };
    let (old, new) = (side('-'), side('+'));
    let lines: Vec<&str> = text.lines().collect();
    let found: Vec<usize> = (0..lines.len()).filter(|n| lines[*n..].starts_with(&old)).collect();
    let [at] = found.as_slice() else {
        return Err(format!("it fits in {} places:\n{}\n--- of\n{text}", found.len(), old.join("\n")));
    };
    let all = lines[..*at].iter().chain(&new).chain(&lines[at + old.len()..]);
    Ok(all.map(|l| format!("{l}\n")).collect())
}

#[test]
fn the_tutorial_is_true() {
    let text = fs::read_to_string(root().join("docs/tutorial.md")).unwrap();
    let mut reader = Reader::new("tutorial");
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
                let mut reader = Reader::new("texts");
                fs::write(reader.folder.join("blueprint.yaml"), &block.text).unwrap();
                fs::copy(reader.folder.join("target/guests/file.wasm"), reader.folder.join("file.wasm"))
                    .unwrap();
                fs::create_dir_all(reader.folder.join("out")).unwrap();
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
    let mut reader = Reader::new("cli");
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
