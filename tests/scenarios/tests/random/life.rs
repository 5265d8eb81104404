//! The life of one random stack: versions, faults by others and kills in between, the end.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sheave_testkit::stack::{PART_OF, SET_ID};
use sheave_testkit::{Output, Stack};

use super::blueprint::{Blueprint, Expected, Kind, Reads, content};
use super::choice::Choice;

/// What a blueprint may make of objects.
const KINDS: &str = "configmaps,secrets,services,deployments";

/// Passages of a place that a small run has; later ones kill nobody.
const PASSAGES: usize = 8;

pub(crate) struct Life {
    choice: Choice,
    stack: Stack,
    blueprint: Blueprint,
    /// Resources to whose objects others wrote.
    meddled: BTreeSet<usize>,
    /// Whether all that the blueprint says is there, but for what others did since.
    whole: bool,
    told: Vec<String>,
}

/// What there is: kind, namespace and name, and what it says.
type World = BTreeMap<(String, String, String), Value>;

impl Life {
    pub(crate) fn begin(mut choice: Choice) -> Self {
        let stack = Stack::new("random");
        stack.guest("file");
        stack.folder("out");
        let blueprint = Blueprint::random(&mut choice);
        Self { choice, stack, blueprint, meddled: BTreeSet::new(), whole: false, told: Vec::new() }
    }

    pub(crate) fn live_on(mut self) {
        let versions = 2 + self.choice.below(2);
        for version in 0..versions {
            if version > 0 {
                self.blueprint.edit(&mut self.choice);
            }
            self.write();
            self.killed("apply", 50);
            // A version may be left half made.
            if self.choice.percent(75) {
                self.run(&["apply", "--yes"]);
                self.whole = true;
                if self.choice.percent(60) {
                    self.faults();
                }
            }
        }
        if self.choice.percent(70) {
            self.write();
            self.run(&["apply", "--yes"]);
            self.is_as_wanted();
            self.run(&["plan", "--detailed-exitcode"]);
        }
        let set = self.stack.set_id();
        self.killed("destroy", 40);
        if !self.stack.run(["state", "list"]).stderr.contains("stack.none") {
            self.run(&["destroy", "--yes"]);
        }
        self.nothing_is_left(set.as_deref());
    }

    fn write(&mut self) {
        self.blueprint.force(&self.meddled);
        let text = self.blueprint.text();
        self.stack.blueprint(&text);
        self.told.push(text);
    }

    /// Runs it to its end, which is a good one.
    fn run(&mut self, args: &[&str]) {
        self.told.push(args.join(" "));
        let run = self.stack.run(args.iter().copied());
        self.is_good(&run);
    }

    fn is_good(&self, run: &Output) {
        assert!(run.code() == Some(0), "{}\n{run}", self.told.join("\n"));
    }

    /// So often of a hundred times, runs it with a kill somewhere, once or twice.
    fn killed(&mut self, verb: &str, often: usize) {
        while self.choice.percent(often) {
            let place = self.choice.of(&["inventory", "intent", "sent", "outcome"]);
            let at = format!("{place}:{}", 1 + self.choice.below(PASSAGES));
            self.told.push(format!("{verb} until {at}"));
            self.whole = false;
            let run = self.stack.sheave([verb, "--yes"]).env("SHEAVE_FAILPOINT", &at).run();
            if !run.was_killed() {
                return self.is_good(&run);
            }
        }
    }

    /// Others delete and change what the stack made.
    fn faults(&mut self) {
        for one in self.blueprint.expected() {
            match self.choice.below(6) {
                0 => self.delete(&one),
                1 if self.whole => self.change(&one),
                _ => {}
            }
        }
    }

    fn delete(&mut self, one: &Expected) {
        self.told.push(format!("others delete {:?} {}", one.kind, one.name));
        match one.kind {
            Kind::Namespace => {}
            Kind::File => {
                let _ = std::fs::remove_file(self.stack.project().join("out").join(&one.name));
            }
            kind => {
                let (kind, namespace) = (format!("{kind:?}"), self.namespace(one));
                let args = ["delete", &kind, &one.name, "--namespace", &namespace, "--ignore-not-found"];
                let _ = self.stack.try_kubectl(&args).exits(0);
            }
        }
    }

    fn change(&mut self, one: &Expected) {
        self.told.push(format!("others change {:?} {}", one.kind, one.name));
        let theirs = match one.kind {
            Kind::Namespace => return,
            Kind::File => return self.stack.write(&format!("out/{}", one.name), "theirs"),
            Kind::ConfigMap => json!({"apiVersion": "v1", "data": {"word": "theirs"}}),
            Kind::Secret => json!({"apiVersion": "v1", "data": {"word": base64("theirs")}}),
            Kind::Service => json!({"apiVersion": "v1", "metadata": {"annotations": {"word": "theirs"}}}),
            Kind::Deployment => json!({"apiVersion": "apps/v1", "spec": {"replicas": 5}}),
        };
        let mut theirs = theirs;
        theirs["kind"] = format!("{:?}", one.kind).into();
        theirs["metadata"]["name"] = one.name.as_str().into();
        theirs["metadata"]["namespace"] = self.namespace(one).into();
        self.stack.write(".theirs.json", theirs.to_string());
        let path = self.stack.project().join(".theirs.json");
        let flags = ["apply", "--server-side", "--force-conflicts", "--field-manager=others", "-f"];
        let args = [&flags[..], &[path.to_str().unwrap()]].concat();
        let _ = self.stack.try_kubectl(&args).exits(0);
        self.meddled.insert(one.number);
    }

    fn own(&self, text: &str) -> String {
        text.replace("@namespace@", self.stack.namespace())
    }

    fn namespace(&self, one: &Expected) -> String {
        self.own(if one.apart { "@namespace@-apart" } else { "@namespace@" })
    }

    /// The objects, in both namespaces, and the uid of each.
    fn found(&self, set: &str) -> (World, BTreeMap<(String, String, String), String>) {
        let (mut world, mut uids) = (World::new(), BTreeMap::new());
        let label = format!("{PART_OF}={set}");
        let mut all = self.stack.objects(KINDS);
        all.retain(|o| !o["metadata"]["labels"][SET_ID].is_string());
        for object in &all {
            assert_eq!(object["metadata"]["labels"][PART_OF], set, "{object:#}\n{}", self.told.join("\n"));
        }
        let args =
            ["get", "configmaps,secrets,services,deployments,namespaces", "-A", "-l", &label, "-o", "json"];
        let labelled = self.stack.try_kubectl(&args).exits(0).json();
        for object in all.iter().chain(labelled["items"].as_array().unwrap()) {
            let meta = &object["metadata"];
            let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
            let key = (text(&object["kind"]), text(&meta["namespace"]), text(&meta["name"]));
            let notes = &meta["annotations"];
            let says = match key.0.as_str() {
                "ConfigMap" | "Secret" => object["data"].clone(),
                "Service" => json!([notes["word"], notes["reads"], object["spec"]["ports"][0]["port"]]),
                "Deployment" => json!([notes["word"], notes["reads"], object["spec"]["replicas"]]),
                _ => notes["word"].clone(),
            };
            uids.insert(key.clone(), text(&meta["uid"]));
            world.insert(key, says);
        }
        (world, uids)
    }

    fn is_as_wanted(&self) {
        let set = self.stack.set_id().unwrap_or_default();
        let (world, uids) = self.found(&set);
        let expected = self.blueprint.expected();
        let key = |one: &Expected| match one.kind {
            Kind::Namespace => ("Namespace".to_owned(), String::new(), self.own(&one.name)),
            kind => (format!("{kind:?}"), self.namespace(one), one.name.clone()),
        };
        let (mut wanted, mut files) = (World::new(), BTreeMap::new());
        for one in &expected {
            let word = format!("w{}", one.word);
            let reads = match &one.reads {
                Reads::Text(text) => self.own(text),
                Reads::Uid(from) => {
                    let other = expected.iter().find(|o| o.number == *from).unwrap();
                    uids.get(&key(other)).cloned().unwrap_or_default()
                }
            };
            let says = match one.kind {
                Kind::ConfigMap => json!({"word": word, "reads": reads}),
                Kind::Secret => json!({"word": base64(&word), "reads": base64(&reads)}),
                Kind::Service => json!([word, reads, 80 + one.word]),
                Kind::Deployment => json!([word, reads, one.word]),
                Kind::Namespace => json!(word),
                Kind::File => {
                    files.insert(one.name.clone(), content(one.word, &reads));
                    continue;
                }
            };
            wanted.insert(key(one), says);
        }
        assert_eq!(world, wanted, "{}", self.told.join("\n"));
        assert_eq!(self.files(), files, "{}", self.told.join("\n"));
    }

    fn files(&self) -> BTreeMap<String, String> {
        let entries = std::fs::read_dir(self.stack.project().join("out")).unwrap().map(Result::unwrap);
        let read = |e: std::fs::DirEntry| {
            (e.file_name().into_string().unwrap(), std::fs::read_to_string(e.path()).unwrap())
        };
        entries.map(read).collect()
    }

    fn nothing_is_left(&self, set: Option<&str>) {
        let told = self.told.join("\n");
        assert_eq!(self.stack.names(KINDS), Vec::<String>::new(), "{told}");
        if let Some(set) = set {
            assert_eq!(self.found(set).0, World::new(), "{told}");
        }
        assert_eq!(self.files(), BTreeMap::new(), "{told}");
        assert_eq!(self.stack.run(["state", "list"]).stdout, "", "{told}");
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        let apart = self.own("@namespace@-apart");
        let _ =
            self.stack.try_kubectl(&["delete", "namespace", &apart, "--wait=false", "--ignore-not-found"]);
    }
}

fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in text.as_bytes().chunks(3) {
        let bits = (0..3).fold(0, |bits, i| bits << 8 | usize::from(three.get(i).copied().unwrap_or(0)));
        for i in 0..4 {
            out.push(if i <= three.len() { char::from(LETTERS[bits >> (18 - 6 * i) & 63]) } else { '=' });
        }
    }
    out
}
