//! A reader of the documentation: its files are written, its commands run against the control plane, and what it shows is
//! compared with what they say.
//!
//! A block that begins ```` ```yaml FILE ```` is that file; ```` ```diff FILE ```` changes it. In a ```` ```console ````
//! block each `$ ` begins a command, and what follows is its output: `...` stands for anything, alone in a line for any
//! lines; a command without output is only run. ```` ```console exit=1 ```` says how the last command ends.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::stack::NAMESPACE;
use crate::{Call, Cluster, Output, Stack, binary, must};

/// A fenced block.
#[derive(Debug)]
pub struct Block {
    /// Where it begins, from one.
    pub line: usize,
    /// The words behind the fence.
    pub info: Vec<String>,
    /// The lines within.
    pub text: String,
}

impl Block {
    /// The commands of a session, without what is said beside them.
    pub fn commands(&self) -> Vec<&str> {
        self.text.lines().filter_map(|l| l.strip_prefix("$ ")).map(bare).collect()
    }
}

/// A command without the comment behind it.
fn bare(command: &str) -> &str {
    command.split("  #").next().unwrap_or_default().trim_end()
}

/// The fenced blocks of a page, in order.
pub fn blocks(text: &str) -> Vec<Block> {
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
#[derive(Debug)]
pub struct Reader {
    stack: Stack,
    folder: PathBuf,
    exported: BTreeMap<String, String>,
    here: Vec<(String, String)>,
    on_terminal: bool,
    patience: Option<Duration>,
}

impl Reader {
    /// With an empty folder. In all texts that are read, `here` puts something in the place of something else, in which
    /// [`NAMESPACE`](crate::stack::NAMESPACE) stands for a namespace that is this reader's own, and is not there yet.
    pub fn new(name: &str, here: &[(&str, &str)]) -> Self {
        let stack = Stack::without_namespace(name);
        let programs = stack.root().join("bin");
        must(fs::create_dir(&programs), "a folder for programs");
        must(symlink(binary::sheave(), programs.join("sheave")), "sheave");
        let kubectl = must(fs::canonicalize(Cluster::shared().kubectl()), "kubectl");
        must(symlink(kubectl, programs.join("kubectl")), "kubectl");
        stack.write("target/guests/file.wasm", binary::guest("file"));
        let folder = stack.project();
        let own = |(from, to): &(&str, &str)| ((*from).to_owned(), to.replace(NAMESPACE, stack.namespace()));
        let here = here.iter().map(own).collect();
        Self { stack, folder, exported: BTreeMap::new(), here, on_terminal: false, patience: None }
    }

    /// Sits at a terminal, and says `yes` where it is asked.
    #[must_use]
    pub fn at_a_terminal(mut self) -> Self {
        self.on_terminal = true;
        self
    }

    /// Gives each command so much time.
    #[must_use]
    pub fn patient(mut self, limit: Duration) -> Self {
        self.patience = Some(limit);
        self
    }

    /// Its project, and its namespace.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Exports a variable.
    pub fn export(&mut self, name: &str, value: &str) {
        self.exported.insert(name.to_owned(), value.to_owned());
    }

    /// Writes a file as the page shows it.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.folder.join(path);
        if let Some(folder) = path.parent() {
            must(fs::create_dir_all(folder), folder.display());
        }
        must(fs::write(&path, self.here(text)), path.display());
    }

    fn here(&self, text: &str) -> String {
        self.here.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }

    /// Runs a line as a shell does, both outputs as one.
    pub fn run(&mut self, line: &str) -> Output {
        if let Some(to) = line.strip_prefix("cd ") {
            self.folder.push(to);
        }
        if let Some((name, value)) = line.strip_prefix("export ").and_then(|l| l.split_once('=')) {
            self.export(name, value.trim_matches('\''));
        }
        let script = match self.on_terminal {
            true => "printf 'yes\\n' | exec script --quiet --return --command \"$LINE\" /dev/null".to_owned(),
            false => format!("exec 2>&1; {line}"),
        };
        let home = self.stack.home();
        let mut call = Call::new("/bin/sh".as_ref())
            .args(["-c", &script])
            .env("LINE", line)
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
            false => match self.patience {
                Some(limit) => call.within(&self.folder).limit(limit).run(),
                None => call.within(&self.folder).run(),
            },
        }
    }

    /// Does what a block says.
    pub fn follow(&mut self, block: &Block) {
        let text = self.here(&block.text);
        let words: Vec<&str> = block.info.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["console", rest @ ..] => {
                let code = |word: &&str| word.strip_prefix("exit=").and_then(|n| n.parse().ok());
                self.session(block.line, &text, rest.first().and_then(code).unwrap_or(0));
            }
            ["diff", file] => {
                let path = self.folder.join(file);
                let old = must(fs::read_to_string(&path), path.display());
                let changed = must(patched(&old, &text), format_args!("line {}", block.line));
                must(fs::write(&path, changed), path.display());
            }
            [_, file] => self.write(file, &block.text),
            _ => {}
        }
    }

    /// Commands, each with what it says. The last one ends with `code`.
    fn session(&mut self, line: usize, text: &str, code: i32) {
        let mut commands: Vec<(&str, Vec<&str>)> = Vec::new();
        for line in text.lines() {
            match line.strip_prefix("$ ") {
                Some(command) => commands.push((command, Vec::new())),
                None => commands.last_mut().into_iter().for_each(|(_, said)| said.push(line)),
            }
        }
        let last = commands.len().saturating_sub(1);
        for (n, (command, expected)) in commands.iter().enumerate() {
            let said = self.run(bare(command));
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
