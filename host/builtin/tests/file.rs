//! The plugin `file`, built from `plugins/file`, on a real folder through the host that runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sheave_model::plugin::{Access, FolderGrant, Grants};
use sheave_plugin_host::wire::{Change, Doc, Failure, Instance, Mark, MarkKind, Planned, Snapshot, Step};
use sheave_plugin_host::{CallError, HostConfig, Plugin, PluginHost};

const COMPONENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/guests/file.wasm");

async fn plugin(folders: &[(&Path, Access)]) -> Plugin {
    let wasm = fs::read(COMPONENT).expect("`cargo xtask guests` builds it");
    let grant = |(path, access): &(&Path, Access)| FolderGrant {
        path: path.to_str().unwrap().to_owned(),
        access: *access,
    };
    let grants = Grants { filesystem: folders.iter().map(grant).collect(), ..Grants::default() };
    PluginHost::new(HostConfig::default()).unwrap().load("file", &wasm, &grants).await.unwrap()
}

async fn writing(folder: &Path) -> Plugin {
    plugin(&[(folder, Access::Write)]).await
}

fn doc(json: &Value) -> Doc {
    Doc { json: json.to_string(), marks: Vec::new() }
}

fn of() -> Instance {
    Instance {
        type_name: "File".to_owned(),
        name: "page".to_owned(),
        stack: "test".to_owned(),
        schema_version: 1,
        settings: doc(&Value::Null),
    }
}

fn change(prior: Option<&Snapshot>, desired: Option<&Value>) -> Change {
    Change { of: of(), prior: prior.cloned(), desired: desired.map(doc) }
}

fn agreed() -> Planned {
    Planned { outputs: doc(&json!({})), replace: Vec::new(), notes: Vec::new() }
}

fn page(content: &str) -> Value {
    json!({"path": "www/index.html", "content": content})
}

/// Applies to the end, through every `pending`.
async fn apply(plugin: &Plugin, what: &Change, key: &str) -> Result<Option<Snapshot>, CallError> {
    let mut resume = None;
    loop {
        match plugin.apply(what, &agreed(), key, resume.as_deref()).await? {
            Step::Done(snapshot) => return Ok(snapshot),
            Step::Pending { resume: next, .. } => resume = Some(next),
            Step::Partial { why, .. } => panic!("{why:?}"),
        }
    }
}

fn failure<T: std::fmt::Debug>(result: Result<T, CallError>) -> Failure {
    match result {
        Err(CallError::Answer(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

fn code(failure: &Failure) -> &str {
    match failure {
        Failure::Invalid(found) => &found[0].code,
        Failure::Denied(d) | Failure::Conflict(d) | Failure::Other(d) => &d.code,
        other => panic!("{other:?}"),
    }
}

fn outputs(snapshot: &Snapshot) -> Value {
    serde_json::from_str(&snapshot.outputs.json).unwrap()
}

/// Everything beneath a folder that is no folder.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(
                files(&path).iter().map(|f| format!("{}/{f}", path.file_name().unwrap().to_str().unwrap())),
            );
        } else {
            found.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn lives_from_creation_to_deletion() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = writing(folder.path()).await;
    let planned = plugin.plan(&change(None, Some(&page("hello")))).await.unwrap();
    let made = apply(&plugin, &change(None, Some(&page("hello"))), "1").await.unwrap().unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("www/index.html")).unwrap(), "hello");
    assert_eq!(files(folder.path()), ["www/index.html"]);
    let said: Value = serde_json::from_str(&planned.outputs.json).unwrap();
    assert_eq!(said, outputs(&made), "what the plan said is what came");
    assert_eq!(plugin.read(&of(), &made).await.unwrap().as_ref(), Some(&made));

    let longer = page(&"x".repeat(3_000_000));
    let changed = apply(&plugin, &change(Some(&made), Some(&longer)), "2").await.unwrap().unwrap();
    assert_eq!(outputs(&changed)["size"], json!(3_000_000));
    assert_eq!(files(folder.path()), ["www/index.html"]);

    assert_eq!(apply(&plugin, &change(Some(&changed), None), "3").await.unwrap(), None);
    assert!(files(folder.path()).is_empty());
    assert_eq!(
        apply(&plugin, &change(Some(&changed), None), "3").await.unwrap(),
        None,
        "gone already is no fault"
    );
    assert_eq!(plugin.read(&of(), &changed).await.unwrap(), None);
}

#[tokio::test]
async fn a_creation_that_was_cut_off_anywhere_ends_in_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = writing(folder.path()).await;
    let what = change(None, Some(&page("hello")));
    // Cut off before the first answer was kept: the same call again.
    let first = plugin.apply(&what, &agreed(), "1", None).await.unwrap();
    assert_eq!(plugin.apply(&what, &agreed(), "1", None).await.unwrap(), first);
    let Step::Pending { resume, .. } = first else { panic!("{first:?}") };
    assert!(!folder.path().join("www/index.html").exists(), "no half of it under its name");
    // Cut off after the file got its name, before that was kept.
    let Step::Done(Some(made)) = plugin.apply(&what, &agreed(), "1", Some(&resume)).await.unwrap() else {
        panic!()
    };
    let again = plugin.apply(&what, &agreed(), "1", Some(&resume)).await.unwrap();
    assert_eq!(again, Step::Done(Some(made)));
    assert_eq!(files(folder.path()), ["www/index.html"]);
}

#[tokio::test]
async fn a_strangers_file_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = writing(folder.path()).await;
    fs::create_dir(folder.path().join("www")).unwrap();
    let path = folder.path().join("www/index.html");
    for stranger in ["theirs", "hello"] {
        fs::write(&path, stranger).unwrap();
        let refused = failure(apply(&plugin, &change(None, Some(&page("hello"))), "1").await);
        assert!(matches!(&refused, Failure::Conflict(d) if d.code == "file.exists"), "{refused:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), stranger);
    }
    // One that comes while the finished file waits for its name.
    fs::remove_file(&path).unwrap();
    let what = change(None, Some(&page("hello")));
    let Step::Pending { resume, .. } = plugin.apply(&what, &agreed(), "2", None).await.unwrap() else {
        panic!()
    };
    fs::write(&path, "theirs").unwrap();
    assert_eq!(code(&failure(plugin.apply(&what, &agreed(), "2", Some(&resume)).await)), "file.exists");
    assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
    assert_eq!(files(folder.path()), ["www/index.html"], "nothing unfinished is left");

    let adopted = plugin.adopt(&of(), "www/index.html").await.unwrap();
    assert_eq!(outputs(&adopted)["size"], json!(6));
    apply(&plugin, &change(Some(&adopted), Some(&page("ours"))), "3").await.unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "ours");
    assert!(matches!(failure(plugin.adopt(&of(), "nothing").await), Failure::NotFound));
}

#[tokio::test]
async fn drift_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = writing(folder.path()).await;
    let made = apply(&plugin, &change(None, Some(&page("hello"))), "1").await.unwrap().unwrap();
    let path = folder.path().join("www/index.html");
    fs::write(&path, "HELLO").unwrap();
    let read = plugin.read(&of(), &made).await.unwrap().unwrap();
    assert_ne!(outputs(&read)["sha256"], outputs(&made)["sha256"]);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(plugin.read(&of(), &made).await.unwrap(), None, "a folder is no file");
    let refused = failure(apply(&plugin, &change(Some(&made), None), "2").await);
    assert_eq!(code(&refused), "file.exists");
}

#[tokio::test]
async fn links_are_not_followed() {
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let plugin = writing(folder.path()).await;
    let secret = outside.path().join("secret");
    fs::write(&secret, "theirs").unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("www")).unwrap();
    let refused = failure(apply(&plugin, &change(None, Some(&page("hello"))), "1").await);
    assert!(matches!(refused, Failure::Denied(_) | Failure::Other(_) | Failure::Conflict(_)), "{refused:?}");
    assert_eq!(files(outside.path()), ["secret"]);
    fs::remove_file(folder.path().join("www")).unwrap();
    fs::create_dir(folder.path().join("www")).unwrap();
    std::os::unix::fs::symlink(&secret, folder.path().join("www/index.html")).unwrap();
    let refused = failure(apply(&plugin, &change(None, Some(&page("hello"))), "1").await);
    assert_eq!(code(&refused), "file.exists");
    assert_eq!(fs::read_to_string(&secret).unwrap(), "theirs");
}

#[tokio::test]
async fn faults_are_told_before_anything_is_done() {
    let plugin = plugin(&[]).await;
    for path in ["../x", "/etc/passwd", "a/../../b", ""] {
        let props = doc(&json!({"path": path, "content": ""}));
        assert_eq!(code(&failure(plugin.check(&of(), &props).await)), "file.bad-path", "{path}");
    }
    let mut secret = doc(&page("token"));
    secret.marks = vec![Mark { pointer: "/content".to_owned(), kind: MarkKind::Secret }];
    assert_eq!(code(&failure(plugin.check(&of(), &secret).await)), "file.secret-content");
    let mut unknown = doc(&page("token"));
    unknown.marks = vec![Mark { pointer: "/content".to_owned(), kind: MarkKind::Unknown }];
    plugin.check(&of(), &unknown).await.unwrap();
    let what = Change { of: of(), prior: None, desired: Some(unknown) };
    let marks: Vec<_> =
        plugin.plan(&what).await.unwrap().outputs.marks.into_iter().map(|m| m.pointer).collect();
    assert_eq!(marks, ["/sha256", "/size"]);
}

#[tokio::test]
async fn what_is_not_granted_is_denied() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let what = change(None, Some(&page("hello")));
    let denied = failure(apply(&plugin(&[]).await, &what, "1").await);
    assert!(matches!(&denied, Failure::Denied(d) if d.code == "file.no-folder"), "{denied:?}");
    let two = plugin(&[(folder.path(), Access::Write), (other.path(), Access::Write)]).await;
    assert_eq!(code(&failure(apply(&two, &what, "1").await)), "file.many-folders");
    let reading = plugin(&[(folder.path(), Access::Read)]).await;
    let denied = failure(apply(&reading, &what, "1").await);
    assert!(matches!(&denied, Failure::Denied(_)), "{denied:?}");
    assert!(files(folder.path()).is_empty());
}

#[tokio::test]
async fn another_path_is_a_replacement() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = writing(folder.path()).await;
    let made = apply(&plugin, &change(None, Some(&page("hello"))), "1").await.unwrap().unwrap();
    let moved = json!({"path": "other", "content": "hello"});
    assert_eq!(plugin.plan(&change(Some(&made), Some(&moved))).await.unwrap().replace, ["/path"]);
    assert!(plugin.plan(&change(Some(&made), Some(&page("new")))).await.unwrap().replace.is_empty());
}
