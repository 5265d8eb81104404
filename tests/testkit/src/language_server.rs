//! A real language server, as editors run it, over its standard input and output.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::{must, root};

/// The server that editors use for YAML: `yaml-language-server` of npm.
const PACKAGE: &str = "yaml-language-server@2.0.0";

/// Messages that may come before an answer: more mean that it will not come.
const MAX_MESSAGES: usize = 1_000;

/// A running server.
#[derive(Debug)]
pub struct LanguageServer {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    next: i64,
    notes: Vec<Value>,
}

/// Where the server is, installed once.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let folder = root().join("target/tools").join(PACKAGE.replace('@', "-"));
        let program = folder.join("node_modules/.bin/yaml-language-server");
        if !program.exists() {
            must(std::fs::create_dir_all(&folder), folder.display());
            let mut npm = Command::new("npm");
            npm.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&folder).arg(PACKAGE);
            let done = must(npm.output(), "npm (Debian: `apt-get install nodejs npm`)");
            assert!(
                done.status.success(),
                "npm install {PACKAGE}: {}",
                String::from_utf8_lossy(&done.stderr)
            );
        }
        program
    })
}

impl LanguageServer {
    /// Starts it for the project in a folder.
    pub fn start(folder: &Path) -> Self {
        let mut command = Command::new(program());
        command.arg("--stdio").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = must(command.spawn(), "yaml-language-server");
        let (stdin, stdout) = match (child.stdin.take(), child.stdout.take()) {
            (Some(stdin), Some(stdout)) => (stdin, BufReader::new(stdout)),
            _ => panic!("no pipes"),
        };
        let mut server = Self { child, stdin, stdout, next: 0, notes: Vec::new() };
        let uri = format!("file://{}", folder.display());
        let _ = server.ask(
            "initialize",
            &json!({"processId": null, "rootUri": uri, "capabilities": {
                "workspace": {"configuration": true},
                "textDocument": {
                    "completion": {"completionItem": {"snippetSupport": true}}, "hover": {}, "publishDiagnostics": {}}}}),
        );
        server.tell("initialized", &json!({}));
        server
    }

    /// Opens a text.
    pub fn open(&mut self, uri: &str, text: &str) {
        let document = json!({"uri": uri, "languageId": "yaml", "version": 1, "text": text});
        self.tell("textDocument/didOpen", &json!({"textDocument": document}));
    }

    /// What it answers at a place: line and column from zero.
    pub fn at(&mut self, method: &str, uri: &str, line: usize, column: usize) -> Value {
        let place = json!({"textDocument": {"uri": uri}, "position": {"line": line, "character": column}});
        self.ask(method, &place)
    }

    /// The faults that it finds in a text, once it has said which.
    pub fn faults(&mut self, uri: &str) -> Vec<String> {
        for _ in 0..MAX_MESSAGES {
            let found = self
                .notes
                .iter()
                .rev()
                .find(|n| n["method"] == "textDocument/publishDiagnostics" && n["params"]["uri"] == uri);
            if let Some(found) = found {
                let all = found["params"]["diagnostics"].as_array().cloned().unwrap_or_default();
                return all.iter().map(|d| d["message"].as_str().unwrap_or_default().to_owned()).collect();
            }
            let message = self.read();
            self.take(message);
        }
        panic!("nothing was said of {uri}");
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.next += 1;
        let id = self.next;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        for _ in 0..MAX_MESSAGES {
            let message = self.read();
            if message["id"] == id && message.get("method").is_none() {
                return message["result"].clone();
            }
            self.take(message);
        }
        panic!("no answer to {method}");
    }

    /// Keeps what is told. Asked for settings, it has none but that nothing is fetched from a network.
    fn take(&mut self, message: Value) {
        if let (Some(id), Some(_)) = (message.get("id").cloned(), message.get("method")) {
            let settings = |item: &Value| match item["section"].as_str() {
                Some("yaml") => json!({"schemaStore": {"enable": false}}),
                _ => Value::Null,
            };
            let items = message["params"]["items"].as_array();
            let answer = items.map(|all| all.iter().map(settings).collect::<Vec<_>>());
            self.send(&json!({"jsonrpc": "2.0", "id": id, "result": answer}));
        } else {
            self.notes.push(message);
        }
    }

    fn tell(&mut self, method: &str, params: &Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        let written = write!(self.stdin, "Content-Length: {}\r\n\r\n{text}", text.len());
        must(written.and_then(|()| self.stdin.flush()), "yaml-language-server");
    }

    fn read(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            let read = must(self.stdout.read_line(&mut line), "yaml-language-server");
            assert!(read > 0, "yaml-language-server ended");
            match line.trim() {
                "" => break,
                header => {
                    if let Some(n) = header.strip_prefix("Content-Length: ") {
                        length = must(n.parse(), header);
                    }
                }
            }
        }
        let mut body = vec![0; length];
        must(self.stdout.read_exact(&mut body), "yaml-language-server");
        must(serde_json::from_slice(&body), "yaml-language-server")
    }
}

impl Drop for LanguageServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
