//! Random blueprints, edits of them, and what each is to leave.

use std::collections::BTreeSet;

use super::choice::Choice;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    ConfigMap,
    Secret,
    Service,
    Deployment,
    Namespace,
    File,
}

/// How many there are of a resource.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    Once,
    Count(usize),
    Each(usize),
    When(bool),
}

/// Keys of a `for-each`.
const KEYS: [&str; 3] = ["eu", "us", "asia"];

#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) kind: Kind,
    shape: Shape,
    /// What its values are made of: 1 to 3.
    word: usize,
    /// A resource before it that it reads, where that one is there.
    reads: Option<usize>,
    /// What it reads of an object: its uid, known only when it was made, or its name.
    uid: bool,
    /// It stands in the namespace that the blueprint makes, if there is one.
    apart: bool,
    pub(crate) force: bool,
}

/// A blueprint, by numbers; what is none is not in it.
#[derive(Clone, Debug)]
pub(crate) struct Blueprint(pub(crate) Vec<Option<Resource>>);

/// One thing that has to be there.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) number: usize,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    /// In the namespace that the blueprint makes.
    pub(crate) apart: bool,
    pub(crate) word: usize,
    pub(crate) reads: Reads,
}

/// What a thing's text repeats.
#[derive(Clone, Debug)]
pub(crate) enum Reads {
    Text(String),
    /// The uid of the object that comes of this resource.
    Uid(usize),
}

fn resource(choice: &mut Choice, number: usize) -> Resource {
    use Kind::{ConfigMap, Deployment, File, Namespace, Secret, Service};
    // The kind goes by the number: the same address never becomes what works in another way.
    let kind = match number {
        0 => File,
        1 => Namespace,
        2 => Deployment,
        _ => choice.of(&[ConfigMap, ConfigMap, Secret, Service]),
    };
    let shape = match choice.below(8) {
        _ if matches!(kind, Namespace | Deployment) => Shape::Once,
        0 => Shape::Count(choice.below(4)),
        1 => Shape::Each(choice.below(4)),
        2 | 3 => Shape::When(choice.percent(60)),
        _ => Shape::Once,
    };
    let reads = choice.percent(60).then(|| choice.below(8)).filter(|_| kind != Namespace);
    Resource {
        kind,
        shape,
        word: 1 + choice.below(3),
        reads,
        uid: choice.percent(50),
        apart: choice.percent(30) && matches!(kind, ConfigMap | Secret),
        force: false,
    }
}

impl Blueprint {
    pub(crate) fn random(choice: &mut Choice) -> Self {
        let mut blueprint = Self(vec![None; 4 + choice.below(5)]);
        for number in 0..blueprint.0.len() {
            blueprint.throw(choice, number);
        }
        blueprint
    }

    fn throw(&mut self, choice: &mut Choice, number: usize) {
        let often = match number {
            1 => 20,
            2 => 40,
            _ => 80,
        };
        self.0[number] = choice.percent(often).then(|| resource(choice, number));
    }

    /// The next version: some are other ones, some go, some come, some have another word.
    pub(crate) fn edit(&mut self, choice: &mut Choice) {
        for number in 0..self.0.len() {
            match choice.below(10) {
                0..3 => self.throw(choice, number),
                3..5 => {
                    let word = 1 + choice.below(3);
                    self.0[number].iter_mut().for_each(|r| r.word = word);
                }
                _ => {}
            }
        }
    }

    /// The order in which they may read each other is not that of their names.
    fn place(&self, number: usize) -> usize {
        (number * 5 + 3) % 11
    }

    fn read(&self, number: usize) -> Option<(usize, &Resource)> {
        let from = self.0[number].as_ref()?.reads?;
        let other = self.0.get(from)?.as_ref()?;
        (self.place(from) < self.place(number)).then_some((from, other))
    }

    fn has_namespace(&self) -> bool {
        self.0.get(1).is_some_and(Option::is_some)
    }

    /// The expression for what a resource reads, and what comes of it.
    fn reading(&self, number: usize) -> (String, Reads) {
        let Some((from, other)) = self.read(number) else {
            return ("nothing".to_owned(), Reads::Text("nothing".to_owned()));
        };
        let uid = other.kind != Kind::File && self.0[number].as_ref().is_some_and(|r| r.uid);
        let one = match (uid, other.kind) {
            (true, _) => format!("resources.r{from}.outputs.uid"),
            (_, Kind::File) => format!("string(resources.r{from}.outputs.size)"),
            _ => format!("resources.r{from}.outputs.name"),
        };
        let of_one = || match (uid, other.kind) {
            (true, _) => Reads::Uid(from),
            (_, Kind::File) => Reads::Text(content(other.word, &self.text_of_file(from)).len().to_string()),
            (_, Kind::Namespace) => Reads::Text("@namespace@-apart".to_owned()),
            _ => Reads::Text(format!("r{from}")),
        };
        match other.shape {
            Shape::Once => (format!("${{{one}}}"), of_one()),
            Shape::When(true) => (format!("${{resources.r{from} == null ? 'none' : {one}}}"), of_one()),
            Shape::When(false) => {
                (format!("${{resources.r{from} == null ? 'none' : {one}}}"), Reads::Text("none".to_owned()))
            }
            Shape::Count(n) | Shape::Each(n) => {
                (format!("${{string(size(resources.r{from}))}}"), Reads::Text(n.to_string()))
            }
        }
    }

    /// What a file repeats; a file reads nothing that has a uid.
    fn text_of_file(&self, number: usize) -> String {
        match self.reading(number).1 {
            Reads::Text(text) => text,
            Reads::Uid(_) => "0".repeat(36),
        }
    }

    /// Its text; `@namespace@` stands for the stack's own.
    pub(crate) fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        for (number, resource) in self.0.iter().enumerate() {
            let Some(r) = resource else { continue };
            let (reads, _) = self.reading(number);
            let (word, key) = (r.word, r.key());
            let apart = if r.apart && self.has_namespace() {
                ", namespace: '${resources.r1.outputs.name}'"
            } else {
                ""
            };
            let meta = format!("metadata: {{name: 'r{number}{key}'{apart}}}");
            let notes = format!(
                "metadata: {{name: 'r{number}{key}', annotations: {{word: w{word}, reads: \"{reads}\"}}}}"
            );
            let (type_name, properties) = match r.kind {
                Kind::ConfigMap => {
                    ("kubernetes:ConfigMap", format!("{meta}, data: {{word: w{word}, reads: \"{reads}\"}}"))
                }
                Kind::Secret => (
                    "kubernetes:Secret",
                    format!("{meta}, stringData: {{word: w{word}, reads: \"{reads}\"}}"),
                ),
                Kind::Service => (
                    "kubernetes:Service",
                    format!(
                        "{notes}, spec: {{selector: {{app: w{word}}}, ports: [{{port: {}}}]}}",
                        80 + word
                    ),
                ),
                Kind::Deployment => (
                    "kubernetes:Deployment",
                    format!(
                        "{notes}, spec: {{replicas: {word}, selector: {{matchLabels: {{app: r{number}}}}}, template: {{metadata: \
                         {{labels: {{app: r{number}}}}}, spec: {{containers: [{{name: a, image: 'a:1'}}]}}}}}}"
                    ),
                ),
                Kind::Namespace => (
                    "kubernetes:Namespace",
                    format!("metadata: {{name: '@namespace@-apart', annotations: {{word: w{word}}}}}"),
                ),
                Kind::File => {
                    ("file:File", format!("path: 'r{number}{key}', content: \"{}\"", content(word, &reads)))
                }
            };
            text += &format!("  r{number}:\n    type: {type_name}\n");
            match r.shape {
                Shape::Once => {}
                Shape::Count(n) => text += &format!("    count: {n}\n"),
                Shape::Each(n) => {
                    let each: Vec<String> = KEYS[..n].iter().map(|k| format!("{k}: {k}")).collect();
                    text += &format!("    for-each: {{{}}}\n", each.join(", "));
                }
                Shape::When(is) => text += &format!("    when: {is}\n"),
            }
            if r.kind == Kind::Namespace {
                text += "    keep: false\n";
            }
            if r.force && r.kind != Kind::File {
                text += "    force: true\n";
            }
            text += &format!("    properties: {{{properties}}}\n");
        }
        if self.0.iter().flatten().next().is_none() {
            format!("{}resources: {{}}\n", text.replace("resources:\n", ""))
        } else {
            text
        }
    }

    /// All that it is to leave.
    pub(crate) fn expected(&self) -> Vec<Expected> {
        let mut expected = Vec::new();
        for (number, resource) in self.0.iter().enumerate() {
            let Some(r) = resource else { continue };
            let keys: Vec<String> = match r.shape {
                Shape::Once | Shape::When(true) => vec![String::new()],
                Shape::When(false) => vec![],
                Shape::Count(n) => (0..n).map(|i| format!("-{i}")).collect(),
                Shape::Each(n) => KEYS[..n].iter().map(|k| format!("-{k}")).collect(),
            };
            for key in keys {
                expected.push(Expected {
                    number,
                    kind: r.kind,
                    name: if r.kind == Kind::Namespace {
                        "@namespace@-apart".to_owned()
                    } else {
                        format!("r{number}{key}")
                    },
                    apart: r.apart && self.has_namespace(),
                    word: r.word,
                    reads: self.reading(number).1,
                });
            }
        }
        expected
    }

    /// Takes back what others wrote to these.
    pub(crate) fn force(&mut self, numbers: &BTreeSet<usize>) {
        for number in numbers {
            self.0[*number].iter_mut().for_each(|r| r.force = true);
        }
    }
}

impl Resource {
    /// What an instance's name has behind the resource's.
    fn key(&self) -> &'static str {
        match self.shape {
            Shape::Once | Shape::When(_) => "",
            Shape::Count(_) => "-${string(each.key)}",
            Shape::Each(_) => "-${each.key}",
        }
    }
}

/// What a file holds.
pub(crate) fn content(word: usize, reads: &str) -> String {
    format!("w{word} {reads}")
}

const HEAD: &str = r#"blueprint: random
targets: {main: {kubernetes: {context: admin, namespace: "@namespace@"}}}
plugins:
  kubernetes: {}
  file: {source: guests/file.wasm, grants: {filesystem: [{path: ./out, access: write}]}}
resources:
"#;
