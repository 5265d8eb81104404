//! The plugin `file`, built from `plugins/file`, on a real folder through the host that runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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

fn page_with(content: &str, mode: &str) -> Value {
    json!({"path": "www/index.html", "content": content, "mode": mode})
}

/// The permission bits of `www/index.html`.
fn mode_in(folder: &Path) -> u32 {
    mode_of(&folder.join("www/index.html"))
}

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
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
    symlink(outside.path(), folder.path().join("www")).unwrap();
    let refused = failure(apply(&plugin, &change(None, Some(&page("hello"))), "1").await);
    assert!(matches!(refused, Failure::Denied(_) | Failure::Other(_) | Failure::Conflict(_)), "{refused:?}");
    assert_eq!(files(outside.path()), ["secret"]);
    fs::remove_file(folder.path().join("www")).unwrap();
    fs::create_dir(folder.path().join("www")).unwrap();
    symlink(&secret, folder.path().join("www/index.html")).unwrap();
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

#[tokio::test]
async fn a_file_has_the_mode_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = writing(folder.path()).await;
    let mut made = None;
    for (asked, bits) in [(page("a"), 0o644), (page_with("a", "0600"), 0o600), (page_with("a", "777"), 0o777)]
    {
        let what = change(None, Some(&asked));
        let planned = plugin.plan(&what).await.unwrap();
        let done = apply(&plugin, &what, "1").await.unwrap().unwrap();
        assert_eq!(mode_in(folder.path()), bits, "{asked}");
        assert_eq!(outputs(&done)["mode"], json!(format!("0{bits:o}")));
        assert_eq!(serde_json::from_str::<Value>(&planned.outputs.json).unwrap(), outputs(&done));
        assert_eq!(plugin.read(&of(), &done).await.unwrap().as_ref(), Some(&done), "nothing drifted");
        fs::remove_file(folder.path().join("www/index.html")).unwrap();
        made = Some(done);
    }
    // One that its owner must not write is written all the same, and can be changed.
    let (shut, what) = (page_with("a", "0400"), page_with("b", "0400"));
    let done = apply(&plugin, &change(None, Some(&shut)), "2").await.unwrap().unwrap();
    apply(&plugin, &change(Some(&done), Some(&what)), "3").await.unwrap();
    assert_eq!(mode_in(folder.path()), 0o400);
    assert_eq!(fs::read_to_string(folder.path().join("www/index.html")).unwrap(), "b");

    // As it was recorded before there were modes.
    let mut old = made.unwrap();
    old.state = doc(&json!({"path": "www/index.html", "sha256": "", "size": 0}));
    assert_eq!(outputs(&plugin.read(&of(), &old).await.unwrap().unwrap())["mode"], "0400");
}

#[tokio::test]
async fn the_mode_alone_is_changed_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = writing(folder.path()).await;
    let made = apply(&plugin, &change(None, Some(&page("hello"))), "1").await.unwrap().unwrap();
    let what = change(Some(&made), Some(&page_with("hello", "0600")));
    let planned = plugin.plan(&what).await.unwrap();
    assert!(planned.replace.is_empty());
    let changed = apply(&plugin, &what, "2").await.unwrap().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&planned.outputs.json).unwrap(), outputs(&changed));
    assert_eq!((outputs(&changed)["mode"].as_str(), mode_in(folder.path())), (Some("0600"), 0o600));
    assert_eq!(outputs(&changed)["sha256"], outputs(&made)["sha256"]);
    assert_eq!(files(folder.path()), ["www/index.html"]);
}

#[tokio::test]
async fn a_mode_that_drifted_is_seen_and_put_right() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = writing(folder.path()).await;
    let asked = page_with("hello", "0640");
    let made = apply(&plugin, &change(None, Some(&asked)), "1").await.unwrap().unwrap();
    // The last but one takes away the plugin's own right to read, unless root runs this.
    for (bits, shown) in [(0o666, "0666"), (0o600, "0600"), (0o000, "0000"), (0o4755, "4755")] {
        chmod(&folder.path().join("www/index.html"), bits);
        let read = plugin.read(&of(), &made).await.unwrap().unwrap();
        assert_ne!(read.state, made.state);
        assert_eq!(outputs(&read)["mode"], json!(shown));
        assert_eq!(outputs(&read)["size"], json!(5));
        let what = change(Some(&read), Some(&asked));
        assert!(plugin.plan(&what).await.unwrap().replace.is_empty());
        assert_eq!(apply(&plugin, &what, shown).await.unwrap().as_ref(), Some(&made));
        assert_eq!(mode_in(folder.path()), 0o640, "{shown}");
        assert_eq!(fs::read_to_string(folder.path().join("www/index.html")).unwrap(), "hello");
    }
    let adopted = plugin.adopt(&of(), "www/index.html").await.unwrap();
    assert_eq!(outputs(&adopted)["mode"], json!("0640"));
}

#[tokio::test]
async fn other_forms_of_a_mode_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = writing(folder.path()).await;
    for mode in ["", "60", "00600", "0680", "rw-------", "0o600", "4755", "2644", "1777", "0044"] {
        let props = page_with("hello", mode);
        let refused = failure(plugin.check(&of(), &doc(&props)).await);
        assert_eq!(code(&refused), "file.bad-mode", "{mode}");
        let what = change(None, Some(&props));
        assert_eq!(code(&failure(plugin.plan(&what).await)), "file.bad-mode", "{mode}");
        assert_eq!(code(&failure(apply(&plugin, &what, "1").await)), "file.bad-mode", "{mode}");
    }
    assert!(files(folder.path()).is_empty());
    let number = json!({"path": "a", "content": "", "mode": 600});
    assert_eq!(code(&failure(plugin.check(&of(), &doc(&number)).await)), "sdk.bad-properties");

    let marked = |kind| Doc {
        marks: vec![Mark { pointer: "/mode".to_owned(), kind }],
        ..doc(&page_with("hello", "token"))
    };
    let secret = failure(plugin.check(&of(), &marked(MarkKind::Secret)).await);
    assert_eq!(code(&secret), "file.secret-mode");
    let unknown = marked(MarkKind::Unknown);
    plugin.check(&of(), &unknown).await.unwrap();
    let what = Change { of: of(), prior: None, desired: Some(unknown) };
    let marks = plugin.plan(&what).await.unwrap().outputs.marks;
    assert_eq!(marks, [Mark { pointer: "/mode".to_owned(), kind: MarkKind::Unknown }]);
}

#[tokio::test]
async fn a_mode_is_not_set_through_a_link() {
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let plugin = writing(folder.path()).await;
    let secret = outside.path().join("secret");
    fs::write(&secret, "hello").unwrap();
    chmod(&secret, 0o600);
    let made = apply(&plugin, &change(None, Some(&page("hello"))), "1").await.unwrap().unwrap();
    let path = folder.path().join("www/index.html");
    fs::remove_file(&path).unwrap();
    symlink(&secret, &path).unwrap();
    assert_eq!(plugin.read(&of(), &made).await.unwrap(), None, "a link is no file");
    let what = change(Some(&made), Some(&page_with("hello", "0666")));
    assert_eq!(code(&failure(apply(&plugin, &what, "2").await)), "file.exists");
    // What leads to the file is a link out of the folder.
    fs::remove_file(&path).unwrap();
    fs::remove_dir(folder.path().join("www")).unwrap();
    symlink(outside.path(), folder.path().join("www")).unwrap();
    fs::rename(&secret, outside.path().join("index.html")).unwrap();
    let refused = failure(apply(&plugin, &what, "3").await);
    assert!(matches!(refused, Failure::Denied(_) | Failure::Other(_)), "{refused:?}");
    assert_eq!(mode_of(&outside.path().join("index.html")), 0o600);
    assert_eq!(files(outside.path()), ["index.html"]);
}

/// Somebody who opens every file as soon as it is there must not get hold of one that is not for them.
#[tokio::test]
async fn an_unfinished_file_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = writing(folder.path()).await;
    let what = change(None, Some(&page_with("hello", "0600")));
    let Step::Pending { resume, .. } = plugin.apply(&what, &agreed(), "1", None).await.unwrap() else {
        panic!()
    };
    let unfinished = folder.path().join("www").join(&files(&folder.path().join("www"))[0]);
    assert_eq!(mode_of(&unfinished), 0o600);
    assert!(matches!(plugin.apply(&what, &agreed(), "1", Some(&resume)).await.unwrap(), Step::Done(_)));
    assert_eq!(mode_in(folder.path()), 0o600);

    // Many megabytes take a while: whoever looks on sees no wider mode than the one at the end.
    let done = Arc::new(AtomicBool::new(false));
    let (seen_by, at) = (done.clone(), folder.path().join("www"));
    let watch = std::thread::spawn(move || {
        let mut widest = 0;
        loop {
            let over = seen_by.load(Ordering::Relaxed);
            for entry in fs::read_dir(&at).unwrap().flatten() {
                widest |= entry.metadata().map_or(0, |m| m.permissions().mode() & 0o777);
            }
            if over {
                return widest;
            }
        }
    });
    for key in 0..20 {
        let props = page_with(&"x".repeat(100_000), "0600");
        let read = plugin.adopt(&of(), "www/index.html").await.unwrap();
        apply(&plugin, &change(Some(&read), Some(&props)), &format!("again {key}")).await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    assert_eq!(watch.join().unwrap(), 0o600);
}
