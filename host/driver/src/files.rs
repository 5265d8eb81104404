//! The files of a blueprint's folder: texts that expressions read, and manifests that a type asks for.

use std::collections::{BTreeMap, HashSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::Value as Json;
use serde_saphyr::Error;
use serde_saphyr::budget::BudgetBreach;
use sheave_blueprint::Files;
use sheave_model::limits::MAX_OBJECTS_PER_RENDER;
use sheave_model::plugin::{Access, Grants};
use sheave_model::{Diagnostic, SecretText, Value, pointer};

use crate::load::MAX_TEXT;

/// Files of one folder of manifests: the largest bundles in the field have some hundreds.
const MAX_FILES: usize = 2_000;
/// Folders inside one another; a link may lead back to a folder around it.
const MAX_FOLDERS: usize = 16;
/// Bytes of all files of one folder: objects that a cluster would take, ten thousand small ones or some large.
const MAX_TOTAL: u64 = 64 << 20;
/// Lists and maps of one document inside one another: the reader takes more of the stack for each than others do.
const MAX_NESTING: usize = 64;
/// Keys, values, lists and maps of one file: some times those of the largest bundles of definitions in the field. Each takes some tens of
/// bytes of memory, where the text may have two.
const MAX_NODES: usize = 1_000_000;

/// What may be read: what is inside the folder. Links out of it are refused.
#[derive(Debug)]
pub(crate) struct FolderFiles {
    folder: PathBuf,
}

impl FolderFiles {
    pub(crate) fn new(folder: &str) -> Self {
        Self { folder: PathBuf::from(folder) }
    }

    /// The directory handle keeps `..`, absolute paths and links inside the folder.
    fn open(&self) -> std::io::Result<Dir> {
        Dir::open_ambient_dir(&self.folder, ambient_authority())
    }

    /// Makes the folders that are granted for writing and lie inside the blueprint's folder.
    pub(crate) fn make_folders(&self, grants: &Grants) -> std::io::Result<()> {
        for grant in grants.filesystem.iter().filter(|g| g.access == Access::Write) {
            if let Ok(inside) = Path::new(&grant.path).strip_prefix(&self.folder)
                && !inside.as_os_str().is_empty()
            {
                self.open()?.create_dir_all(inside)?;
            }
        }
        Ok(())
    }

    /// Every document of a file, or of the files of a folder, recursively and in the order of their names:
    /// `[{"file": ..., "index": ..., "document": ...}]`. What stands in the data of a Secret is secret.
    pub(crate) fn documents(&self, path: &str) -> Result<Value, Diagnostic> {
        let fault = |at: &str, why: String| {
            Diagnostic::error("files.unreadable", format!("`{at}` cannot be used: {why}"))
                .with_help("a path leads to a file or folder inside the blueprint's folder")
        };
        let dir = self.open().map_err(|e| fault(path, e.to_string()))?;
        let mut files = Vec::new();
        find(&dir, Path::new(path), 0, &mut files).map_err(|e| fault(path, e.to_string()))?;
        let mut out = Vec::new();
        let mut total = 0;
        for file in files {
            let shown = file.display().to_string();
            let text = read(&dir, &file).map_err(|e| fault(&shown, e.to_string()))?;
            total += text.len() as u64;
            if total > MAX_TOTAL {
                return Err(fault(path, format!("its files have more than {MAX_TOTAL} bytes")));
            }
            for (index, document) in parse(&text).map_err(|why| fault(&shown, why))? {
                out.push(Value::Map(BTreeMap::from([
                    ("file".to_owned(), Value::Text(shown.clone())),
                    ("index".to_owned(), Value::Int(i64::try_from(index).unwrap_or(i64::MAX))),
                    ("document".to_owned(), with_secrets(&document)),
                ])));
            }
        }
        Ok(Value::List(out))
    }
}

impl Files for FolderFiles {
    fn read(&self, path: &str) -> Result<String, String> {
        self.open().and_then(|dir| read(&dir, Path::new(path))).map_err(|e| e.to_string())
    }
}

fn read(dir: &Dir, path: &Path) -> std::io::Result<String> {
    let file = dir.open(path)?;
    let size = file.metadata()?.len();
    if size > MAX_TEXT {
        return Err(std::io::Error::other(format!("it has {size} bytes, {MAX_TEXT} are allowed")));
    }
    let mut text = String::new();
    file.take(MAX_TEXT).read_to_string(&mut text)?;
    Ok(text)
}

/// The file itself, or the manifests in the folder.
fn find(dir: &Dir, path: &Path, depth: usize, out: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let too_much = |what: &str| Err(std::io::Error::other(what.to_owned()));
    if dir.metadata(path)?.is_file() {
        if depth == 0 || is_manifest(path) {
            out.push(path.to_owned());
        }
        return if out.len() > MAX_FILES { too_much("there are more than 2,000 files") } else { Ok(()) };
    }
    if depth == MAX_FOLDERS {
        return too_much("its folders are nested deeper than 16");
    }
    let mut names = Vec::new();
    for entry in dir.read_dir(path)? {
        names.push(entry?.file_name());
    }
    names.sort();
    names.into_iter().try_for_each(|name| find(dir, &path.join(name), depth + 1, out))
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|e| ["yaml", "yml", "json"].iter().any(|known| e == *known))
}

/// The documents of a text that are not empty, each with its place. JSON is YAML, too.
fn parse(text: &str) -> Result<Vec<(usize, Json)>, String> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_documents: MAX_OBJECTS_PER_RENDER,
            max_nodes: MAX_NODES,
            max_depth: MAX_NESTING,
            // The beginnings and ends of lists, maps and documents, too.
            max_events: 2 * MAX_NODES,
        },
    };
    let documents: Vec<Json> =
        serde_saphyr::from_multiple_with_options(text, options).map_err(|e| match e.without_snippet() {
            Error::Budget { breach: BudgetBreach::Documents { .. }, .. } => {
                format!("it has more than {MAX_OBJECTS_PER_RENDER} documents: split it, and name the folder")
            }
            Error::Budget { breach: BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. }, .. } => {
                format!("it has more than {MAX_NODES} values: split it, and name the folder")
            }
            // Only the first line: the others show the text itself, which may hold secrets.
            other => other.to_string().lines().next().unwrap_or("it is no YAML").to_owned(),
        })?;
    Ok(documents.into_iter().enumerate().filter(|(_, d)| !d.is_null()).collect())
}

/// The document as a value, the data of Secrets in it marked, also inside of lists.
fn with_secrets(document: &Json) -> Value {
    let mut secrets = HashSet::new();
    find_secrets(document, false, &mut String::new(), 0, &mut secrets);
    let value = Value::from_json(document);
    if secrets.is_empty() { value } else { marked(value, &secrets, &mut String::new()) }
}

/// Where the data of Secrets stands. The items of a `SecretList` are Secrets, whatever they say of themselves.
fn find_secrets(
    object: &Json,
    in_secret_list: bool,
    at: &mut String,
    depth: usize,
    out: &mut HashSet<String>,
) {
    let kind = object.get("kind").and_then(Json::as_str).unwrap_or("");
    if in_secret_list || kind == "Secret" {
        out.extend(["data", "stringData"].iter().map(|key| pointer::join(at, key)));
        // What kubectl writes there holds the whole object.
        out.insert(format!("{at}/metadata/annotations/{LAST_APPLIED}"));
    }
    let items = object.get("items").and_then(Json::as_array).filter(|_| depth < MAX_NESTING);
    for (n, item) in items.into_iter().flatten().enumerate() {
        let length = at.len();
        at.push_str("/items");
        pointer::push(at, &n.to_string());
        find_secrets(item, kind == "SecretList", at, depth + 1, out);
        at.truncate(length);
    }
}

/// As a part of a pointer.
const LAST_APPLIED: &str = "kubectl.kubernetes.io~1last-applied-configuration";

fn marked(value: Value, secrets: &HashSet<String>, at: &mut String) -> Value {
    if secrets.contains(at) {
        return secret(value);
    }
    let length = at.len();
    let mut inside = |key: &str, value: Value| {
        pointer::push(at, key);
        let out = marked(value, secrets, at);
        at.truncate(length);
        out
    };
    match value {
        Value::Map(fields) => {
            let marked = fields.into_iter().map(|(k, v)| {
                let v = inside(&k, v);
                (k, v)
            });
            Value::Map(marked.collect())
        }
        Value::List(items) => {
            Value::List(items.into_iter().enumerate().map(|(i, v)| inside(&i.to_string(), v)).collect())
        }
        leaf => leaf,
    }
}

fn secret(value: Value) -> Value {
    match value {
        Value::Text(text) => Value::Secret(SecretText::new(text)),
        Value::Map(fields) => Value::Map(fields.into_iter().map(|(k, v)| (k, secret(v))).collect()),
        other => other,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use sheave_model::plugin::FolderGrant;

    fn folder() -> (tempfile::TempDir, FolderFiles) {
        let dir = tempfile::tempdir().unwrap();
        let files = FolderFiles::new(dir.path().to_str().unwrap());
        (dir, files)
    }

    fn places(found: &Value) -> Vec<String> {
        let Value::List(items) = found else { return Vec::new() };
        let text = |v: &Value, at: &str| match v.at(at) {
            Some(Value::Text(text)) => text.clone(),
            Some(Value::Int(n)) => n.to_string(),
            _ => String::new(),
        };
        items
            .iter()
            .map(|i| format!("{} {} {}", text(i, "/file"), text(i, "/index"), text(i, "/document/kind")))
            .collect()
    }

    #[test]
    fn a_bundle_may_be_as_large_as_a_plugin_may_render() {
        let (dir, files) = folder();
        let bundle = |documents: usize| {
            std::fs::write(dir.path().join("all.yaml"), "---\nkind: ConfigMap\n".repeat(documents)).unwrap();
            files.documents("all.yaml")
        };
        let Value::List(found) = bundle(MAX_OBJECTS_PER_RENDER).unwrap() else { panic!() };
        assert_eq!(found.len(), MAX_OBJECTS_PER_RENDER);
        let said = bundle(MAX_OBJECTS_PER_RENDER + 1).unwrap_err().summary;
        assert!(said.contains("more than 10000 documents"), "{said}");
        let list = |values: usize| {
            std::fs::write(dir.path().join("list.yaml"), format!("a: [{}]", "1,".repeat(values))).unwrap();
            files.documents("list.yaml")
        };
        let nested = |depth: usize| {
            let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            std::fs::write(dir.path().join("deep.yaml"), text).unwrap();
            files.documents("deep.yaml")
        };
        nested(MAX_NESTING).unwrap();
        nested(MAX_NESTING + 1).unwrap_err();
        // The document's map, its one key, and the list itself count as well.
        list(MAX_NODES - 3).unwrap();
        let said = list(MAX_NODES).unwrap_err().summary;
        assert!(said.contains("more than 1000000 values"), "{said}");
    }

    #[test]
    fn a_folder_is_read_in_order_and_documents_apart() {
        let (dir, files) = folder();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("m/b.yaml", "kind: B\n---\n---\nkind: C\n");
        write("m/a/z.json", "{\"kind\": \"Z\"}");
        write("m/README.md", "no manifest");
        let found = files.documents("m").unwrap();
        assert_eq!(places(&found), ["m/a/z.json 0 Z", "m/b.yaml 0 B", "m/b.yaml 1 C"]);
        assert_eq!(places(&files.documents("m/b.yaml").unwrap()).len(), 2);
    }

    #[test]
    fn granted_folders_are_made_inside_and_nowhere_else() {
        let (dir, files) = folder();
        let (other, _) = folder();
        let grant = |path: PathBuf, access| FolderGrant { path: path.to_str().unwrap().to_owned(), access };
        std::os::unix::fs::symlink(other.path(), dir.path().join("link")).unwrap();
        let inside = dir.path().join("out/deep");
        let outside = other.path().join("made");
        let read = dir.path().join("read");
        let folders = vec![
            grant(inside.clone(), Access::Write),
            grant(outside.clone(), Access::Write),
            grant(read.clone(), Access::Read),
        ];
        files.make_folders(&Grants { filesystem: folders, ..Grants::default() }).unwrap();
        assert!(inside.is_dir() && !outside.exists() && !read.exists());
        let link = vec![grant(dir.path().join("link/made"), Access::Write)];
        assert!(files.make_folders(&Grants { filesystem: link, ..Grants::default() }).is_err());
        assert!(!outside.exists());
    }

    #[test]
    fn what_lies_outside_is_not_read() {
        let (dir, files) = folder();
        let (other, _) = folder();
        std::fs::write(other.path().join("x.yaml"), "kind: X").unwrap();
        std::os::unix::fs::symlink(other.path().join("x.yaml"), dir.path().join("link.yaml")).unwrap();
        for path in ["../x", "/etc/passwd", "link.yaml", "nowhere"] {
            assert_eq!(files.documents(path).unwrap_err().code, "files.unreadable", "{path}");
        }
    }

    #[test]
    fn the_data_of_secrets_is_secret_and_no_fault_repeats_it() {
        let (dir, files) = folder();
        let secret = "kind: Secret\ndata: {a: aHVudGVyMg==}\nstringData: {b: hunter2}\nmetadata: {name: s}\n";
        let list =
            "kind: List\nitems:\n- {kind: ConfigMap, data: {a: open}}\n- {kind: Secret, data: {a: hidden}}\n";
        let typed = "kind: SecretList\nitems:\n- {data: {a: covered}, metadata: {annotations: {kubectl.kubernetes.io/last-applied-configuration: veiled}}}\n";
        let nested = "kind: List\nitems:\n- kind: List\n  items: [{kind: Secret, data: {a: buried}}]\n";
        std::fs::write(dir.path().join("s.yaml"), format!("{secret}---\n{list}---\n{typed}---\n{nested}"))
            .unwrap();
        let found = files.documents("s.yaml").unwrap();
        let shown = format!("{found:?}");
        assert!(
            !shown.contains("hunter2") && !shown.contains("aHVu") && !shown.contains("hidden"),
            "{shown}"
        );
        assert!(shown.contains("open"));
        std::fs::write(dir.path().join("bad.yaml"), "kind: Secret\ndata: {a: hunter2\nb: [").unwrap();
        let fault = files.documents("bad.yaml").unwrap_err();
        assert!(!format!("{fault:?}").contains("hunter2"), "{fault:?}");
    }
}
