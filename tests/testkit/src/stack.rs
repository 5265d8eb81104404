//! A stack in a folder of its own, with a namespace of its own, and the binary run against it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::cluster::unique;
use crate::{Call, Cluster, Output, binary, must};

/// What stands for the stack's namespace in the texts that a test writes.
pub const NAMESPACE: &str = "@namespace@";

/// The label that all objects of one stack carry.
pub const PART_OF: &str = "applyset.kubernetes.io/part-of";
/// The label by which a stack's inventory names itself.
pub const SET_ID: &str = "applyset.kubernetes.io/id";

/// How long kubectl may take.
const KUBECTL_LIMIT: Duration = Duration::from_secs(240);

/// A project folder with its user's home beside it, and a namespace. Both go when it is dropped.
#[derive(Debug)]
pub struct Stack {
    folder: TempDir,
    namespace: String,
}

impl Stack {
    /// An empty project and an empty namespace; `name` is part of the namespace's.
    pub fn new(name: &str) -> Self {
        let stack = Self::without_namespace(name);
        let _ = stack.try_kubectl(&["create", "namespace", &stack.namespace]).exits(0);
        stack
    }

    /// The same, but the namespace is for the test to make.
    pub fn without_namespace(name: &str) -> Self {
        // Not where TMPDIR says: what is printed is wrapped, and should be so everywhere alike.
        let folder = must(tempfile::Builder::new().prefix("sheave-test-").tempdir_in("/tmp"), "a folder");
        for sub in ["home", "project"] {
            must(fs::create_dir(folder.path().join(sub)), sub);
        }
        let stack = Self { folder, namespace: unique(&format!("test-{name}")) };
        let kubeconfig = must(fs::read_to_string(Cluster::shared().kubeconfig()), "the kubeconfig");
        must(fs::write(stack.kubeconfig(), acting_as(&kubeconfig, &stack.namespace)), "the kubeconfig");
        stack
    }

    /// Its namespace, different in every run.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The folder around all that runs of it write.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of the blueprint, where commands run.
    pub fn project(&self) -> PathBuf {
        self.root().join("project")
    }

    /// The user's home.
    pub fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// The user's kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.root().join("kubeconfig")
    }

    /// Writes the blueprint; [`NAMESPACE`] in it becomes the namespace.
    pub fn blueprint(&self, text: &str) {
        self.write("blueprint.yaml", text.replace(NAMESPACE, &self.namespace));
    }

    /// Writes a file of the project.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.project().join(path);
        if let Some(folder) = path.parent() {
            must(fs::create_dir_all(folder), folder.display());
        }
        must(fs::write(&path, text), path.display());
    }

    /// Reads a file of the project; none where it is not there.
    pub fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.project().join(path)).ok()
    }

    /// Makes a folder in the project.
    pub fn folder(&self, path: &str) {
        must(fs::create_dir_all(self.project().join(path)), path);
    }

    /// Puts a guest into the project, as `guests/NAME.wasm`.
    pub fn guest(&self, name: &str) {
        self.write(&format!("guests/{name}.wasm"), binary::guest(name));
    }

    /// The binary, about to be called in the project folder: nothing of the tester's environment reaches it.
    pub fn sheave<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Call {
        let home = self.home();
        Call::new(binary::sheave())
            .args(args)
            .within(&self.project())
            .env("PATH", "/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            .env("TERM", "dumb")
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("TMPDIR", self.root())
            .env("KUBECONFIG", self.kubeconfig())
    }

    /// Calls the binary.
    pub fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Output {
        self.sheave(args).run()
    }

    /// Applies, and sees to it that all went well.
    pub fn apply(&self) -> Output {
        self.run(["apply", "--yes"]).exits(0)
    }

    /// The saved form of a plan made now.
    pub fn plan(&self) -> Value {
        let _ = self.run(["plan", "--out", ".plan.json"]).exits(0);
        let path = self.project().join(".plan.json");
        let text = must(fs::read_to_string(&path), path.display());
        must(fs::remove_file(&path), path.display());
        must(serde_json::from_str(&text), path.display())
    }

    /// Calls kubectl, and lets the test judge.
    pub fn try_kubectl(&self, args: &[&str]) -> Output {
        let cluster = Cluster::shared();
        Call::new(&cluster.kubectl())
            .args(args.iter().copied())
            .env("KUBECONFIG", cluster.kubeconfig())
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.home())
            .limit(KUBECTL_LIMIT)
            .run()
    }

    /// Calls kubectl in the namespace.
    pub fn kubectl(&self, args: &[&str]) -> Output {
        let mut all = vec!["--namespace", self.namespace.as_str()];
        all.extend(args);
        self.try_kubectl(&all).exits(0)
    }

    /// An object of the namespace; none where it is not there.
    pub fn object(&self, kind: &str, name: &str) -> Option<Value> {
        let found = self.kubectl(&["get", kind, name, "--ignore-not-found", "-o", "json"]);
        (!found.stdout.is_empty()).then(|| found.json())
    }

    /// The objects of these kinds in the namespace, but for what Kubernetes puts into each; `kinds` as kubectl takes them.
    pub fn objects(&self, kinds: &str) -> Vec<Value> {
        let all = self.kubectl(&["get", kinds, "-o", "json"]).json();
        let all = all["items"].as_array().cloned().unwrap_or_default();
        all.into_iter().filter(|o| o["metadata"]["name"] != "kube-root-ca.crt").collect()
    }

    /// `Kind/name` of the same.
    pub fn names(&self, kinds: &str) -> Vec<String> {
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let name = |o: &Value| format!("{}/{}", text(&o["kind"]), text(&o["metadata"]["name"]));
        self.objects(kinds).iter().map(name).collect()
    }

    /// The id by which the stack's objects can be told, from its inventory in the namespace.
    pub fn set_id(&self) -> Option<String> {
        let all = self.kubectl(&["get", "configmaps", "-l", SET_ID, "-o", "json"]).json();
        all["items"]
            .as_array()?
            .iter()
            .find_map(|o| Some(o["metadata"]["labels"][SET_ID].as_str()?.to_owned()))
    }

    /// All objects of the cluster, of whatever kind and wherever, that carry this id.
    pub fn members(&self, set_id: &str) -> Vec<String> {
        let kinds = self.try_kubectl(&["api-resources", "--verbs=list", "-o", "name"]).exits(0).stdout;
        let kinds: Vec<&str> = kinds.lines().filter(|k| !k.starts_with("events")).collect();
        let label = format!("{PART_OF}={set_id}");
        let found = self
            .try_kubectl(&["get", &kinds.join(","), "--all-namespaces", "-l", &label, "-o", "name"])
            .exits(0);
        found.stdout.lines().map(str::to_owned).collect()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let cluster = Cluster::shared();
        // Not waited for: names are not used twice. That it is gone already is no fault, nor is any other here.
        let _ = Command::new(cluster.kubectl())
            .args(["delete", "namespace", &self.namespace, "--wait=false", "--ignore-not-found"])
            .env("KUBECONFIG", cluster.kubeconfig())
            .output();
    }
}

/// The kubeconfig, its administrator acting as `user`: the audit log tells such a user's requests from all others.
fn acting_as(kubeconfig: &str, user: &str) -> String {
    let mut out = String::new();
    let mut at_admin = false;
    for line in kubeconfig.lines() {
        out.push_str(line);
        out.push('\n');
        if line == "  user:" && at_admin {
            out.push_str(&format!("    as: {user}\n    as-groups: [\"system:masters\"]\n"));
        }
        at_admin = line.starts_with("- name: ") && line.ends_with("-admin");
    }
    assert!(out.contains("    as: "), "the kubeconfig has no administrator");
    out
}
