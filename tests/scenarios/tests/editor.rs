//! What `sheave schema` gives an editor: completion, words on hover and faults as one types, by the language server that
//! editors run.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use serde_json::Value;
use sheave_testkit::{LanguageServer, Stack};

/// Where the cursor stands; not part of the text.
const CURSOR: char = '|';

const BLUEPRINT: &str = "\
# yaml-language-server: $schema=./schema.json
blueprint: shop
inputs:
  replicas: {type: integer, default: 2}
targets: {main: {kubernetes: {namespace: shop}}}
plugins: {kubernetes: {}}
resources:
  web:
    type: kubernetes:App
    properties:
      image: nginx:1.29
      replicas: ${inputs.replicas}
";

/// A project with the schema in it, open in an editor.
struct Editor {
    stack: Stack,
    server: LanguageServer,
    opened: usize,
}

impl Editor {
    fn new() -> Self {
        let stack = Stack::without_namespace("editor");
        let schema = stack.run(["schema"]).exits(0).stdout;
        stack.write("schema.json", schema);
        let server = LanguageServer::start(&stack.project());
        Self { stack, server, opened: 0 }
    }

    /// Opens a text as a file of its own; gives its address, and the line and column of the cursor.
    fn open(&mut self, text: &str) -> (String, usize, usize) {
        self.opened += 1;
        let uri = format!("file://{}", self.stack.project().join(format!("{}.yaml", self.opened)).display());
        let before = text.split(CURSOR).next().unwrap();
        let line = before.matches('\n').count();
        let column = before.lines().last().filter(|_| !before.ends_with('\n')).unwrap_or_default().len();
        self.server.open(&uri, &text.replace(CURSOR, ""));
        (uri, line, column)
    }

    fn faults(&mut self, text: &str) -> Vec<String> {
        let (uri, ..) = self.open(text);
        self.server.faults(&uri)
    }

    /// What is offered at the cursor, with the words beside each.
    fn offers(&mut self, text: &str) -> Vec<(String, String)> {
        let (uri, line, column) = self.open(text);
        let answer = self.server.at("textDocument/completion", &uri, line, column);
        let words = |v: &Value| v["value"].as_str().or(v.as_str()).unwrap_or_default().to_owned();
        let items = answer["items"].as_array().unwrap().iter();
        items.map(|i| (i["label"].as_str().unwrap().to_owned(), words(&i["documentation"]))).collect()
    }

    fn hover(&mut self, text: &str) -> String {
        let (uri, line, column) = self.open(text);
        let answer = self.server.at("textDocument/hover", &uri, line, column);
        answer["contents"]["value"].as_str().unwrap_or_default().to_owned()
    }
}

fn about<'a>(offers: &'a [(String, String)], name: &str) -> &'a str {
    let found = offers.iter().find(|(label, _)| label == name);
    found.map_or_else(|| panic!("{name} is not offered: {offers:#?}"), |(_, words)| words)
}

#[test]
fn an_editor_completes_explains_and_checks_a_blueprint() {
    let mut editor = Editor::new();
    assert_eq!(
        editor.faults(BLUEPRINT),
        Vec::<String>::new(),
        "the schema is loaded, and an expression is no fault"
    );

    // Properties of the type at hand, and of no other.
    let offers = editor.offers(&format!("{BLUEPRINT}      |\n"));
    assert!(about(&offers, "autoscale").contains("load"), "{offers:#?}");
    assert!(about(&offers, "ports").contains("answers on"), "{offers:#?}");
    assert!(!offers.iter().any(|(label, _)| label == "spec" || label == "image"), "{offers:#?}");

    // In the middle of a word, and deeper down in a kind of Kubernetes' own.
    let offers = editor.offers(&BLUEPRINT.replace("replicas: ${inputs.replicas}", "repl|"));
    let _ = about(&offers, "replicas");
    let native = BLUEPRINT.split("    type:").next().unwrap();
    let offers = editor.offers(&format!(
        "{native}    type: kubernetes:Deployment\n    properties:\n      spec:\n        |\n"
    ));
    for field in ["replicas", "selector", "template", "strategy"] {
        let _ = about(&offers, field);
    }
    assert!(!offers.iter().any(|(label, _)| label == "clusterIP"), "{offers:#?}");

    // Types, with what each is; and the keys of a resource.
    let offers = editor.offers(&BLUEPRINT.replace("kubernetes:App", "kubernetes:A|"));
    assert!(about(&offers, "kubernetes:App").contains("container"), "{offers:#?}");
    let _ = about(&offers, "kubernetes:CronJob");
    let offers = editor.offers(&format!("{BLUEPRINT}    |\n"));
    assert!(about(&offers, "for-each").contains("each.key"), "{offers:#?}");

    let words = editor.hover(&BLUEPRINT.replace("replicas: $", "repl|icas: $"));
    assert!(words.contains("How many run at once"), "{words}");
    let words = editor.hover(&BLUEPRINT.replace("  image", "  ima|ge"));
    assert!(words.contains("The container image"), "{words}");

    for (right, wrong, said) in [
        ("replicas: $", "replicsa: $", "replicsa"),
        ("replicas: ${inputs.replicas}", "replicas: many", "Expected one of integer"),
        ("image: nginx:1.29\n", "tag: 1\n", "image"),
        ("kubernetes:App", "kubernetes:Ap", "No plugin of this blueprint has such a type"),
        ("    properties", "    propertys", "propertys"),
    ] {
        let faults = editor.faults(&BLUEPRINT.replace(right, wrong));
        assert!(faults.iter().any(|f| f.contains(said)), "`{wrong}`: {faults:#?}");
    }
}
