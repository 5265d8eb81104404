//! Every guest under `tests/guests` has a test here, named after it: without one, this file does not compile.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, in what tests share as well"
)]

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use sheave_model::plugin::{Access, Grants, LimitRaises};
use sheave_plugin_host::wire::{Change, Failure, Mark, MarkKind, NeedsOrObjects, Step};
use sheave_plugin_host::{CallError, HostConfig, LimitName, LoadError, limits};
use support::*;

/// What the build script found under `tests/guests`: `each_guest!(check)` expands to `check!(name);` for each.
mod listed {
    include!(concat!(env!("OUT_DIR"), "/guests.rs"));
    macro_rules! has_a_test {
        ($name:ident) => {
            #[expect(unused_imports, reason = "that the name can be imported is the check")]
            use super::$name as _;
        };
    }
    each_guest!(has_a_test);
}

/// Renders one of rogue's types with the given properties.
async fn render(ty: &str, props: &str, grants: &Grants) -> Result<Vec<String>, CallError> {
    let plugin = load(&built("rogue"), grants).await;
    let objects = plugin.render(&of(ty), &doc(props), &[]).await?;
    Ok(objects.into_iter().map(|o| o.manifest.json).collect())
}

async fn fault(ty: &str, grants: &Grants) -> CallError {
    render(ty, "{}", grants).await.unwrap_err()
}

/// The types of rogue that have a test below.
const ROGUE: &[&str] = &[
    "Loop", "Hog", "Recurse", "Trap", "Panic", "Flood", "Deep", "Garbage", "Many", "Twins", "Nowhere",
    "Dangling", "Logs", "Paint", "Echo", "Honest", "Hash", "Base64", "Piece", "Leak", "Differs", "Branch",
    // What becomes of what these emit and see is the driver's part, and tested with the program.
    "Emit", "Seen",
];

#[tokio::test]
async fn rogue() {
    let plugin = load(&built("rogue"), &Grants::default()).await;
    assert!(plugin.emits() && !plugin.provides() && !plugin.adopts());
    assert_eq!(plugin.digest(), sheave_plugin_host::digest(&built("rogue")));
    let types: BTreeSet<_> = plugin.describe().await.unwrap().into_iter().map(|t| t.name).collect();
    assert_eq!(types, ROGUE.iter().map(|t| (*t).to_owned()).collect(), "every type of rogue has a test");
    assert_eq!(plugin.settings_schema().await.unwrap(), None);
    assert!(plugin.schema("Loop").await.unwrap().contains("x-outputs"));
    match plugin.schema("Absent").await.unwrap_err() {
        CallError::Answer(Failure::Invalid(all)) => assert_eq!(all[0].code, "rogue.unknown-type"),
        other => panic!("{other:?}"),
    }
    let error = plugin.plan(&create("Loop", "{}")).await.unwrap_err();
    assert!(matches!(&error, CallError::BadReply { .. }), "{error:?}");
}

#[tokio::test]
async fn a_loop_ends_by_the_clock() {
    let error = fault("Loop", &Grants::default()).await;
    assert!(matches!(code(&error).as_str(), "plugin.limit.time" | "plugin.limit.fuel"), "{error:?}");
    let CallError::Limit { backtrace, .. } = error else { unreachable!() };
    assert!(backtrace.contains("rogue::misdeeds::loops"), "{backtrace}");
}

#[tokio::test]
async fn a_loop_with_time_ends_by_fuel() {
    let grants = raised(LimitRaises { call_millis: Some(600_000), ..LimitRaises::default() });
    assert_eq!(code(&fault("Loop", &grants).await), "plugin.limit.fuel");
}

#[tokio::test]
async fn memory_is_bounded_and_can_be_raised() {
    let error = fault("Hog", &Grants::default()).await;
    assert_eq!(code(&error), "plugin.limit.memory");
    assert!(error.to_string().contains("64 MiB"), "{error}");
    let raised = raised(LimitRaises { memory_mib: Some(128), ..LimitRaises::default() });
    assert!(fault("Hog", &raised).await.to_string().contains("128 MiB"));
}

#[tokio::test]
async fn traps_have_readable_backtraces() {
    let error = fault("Trap", &Grants::default()).await;
    assert_eq!(code(&error), "plugin.trap");
    let CallError::Trap { function, backtrace, message, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*function, "render");
    assert!(message.contains("unreachable"), "{message}");
    assert!(
        backtrace.starts_with("0: rogue::misdeeds::step_on_a_mine\n1: rogue::misdeeds::trap\n"),
        "{backtrace}"
    );
    assert!(error.diagnostic().detail.unwrap().contains("step_on_a_mine"));
}

#[tokio::test]
async fn a_panic_s_message_is_shown() {
    let error = fault("Panic", &Grants::default()).await;
    let CallError::Trap { last_words, .. } = &error else { panic!("{error:?}") };
    assert!(last_words.as_deref().unwrap().contains("all is lost"));
    assert!(error.diagnostic().detail.unwrap().contains("all is lost"));
}

#[tokio::test]
async fn endless_recursion_is_a_trap() {
    // Which of its two stacks ends first is the compiler's choice.
    assert_eq!(code(&fault("Recurse", &Grants::default()).await), "plugin.trap");
}

#[tokio::test]
async fn a_large_reply_is_refused() {
    assert_eq!(code(&fault("Flood", &Grants::default()).await), "plugin.limit.memory");
    let memory = raised(LimitRaises { memory_mib: Some(512), ..LimitRaises::default() });
    assert_eq!(code(&fault("Flood", &memory).await), "plugin.limit.reply");
    let nine = r#"{"megabytes": 9}"#;
    assert_eq!(code(&render("Flood", nine, &Grants::default()).await.unwrap_err()), "plugin.limit.reply");
    let reply = raised(LimitRaises { reply_mib: Some(9), ..LimitRaises::default() });
    assert_eq!(render("Flood", nine, &reply).await.unwrap()[0].len(), 9_000_002);
    // Beside the text there are the fields of its record, which count too: a hundred bytes.
    let bytes = |n: usize| format!(r#"{{"bytes": {n}}}"#);
    let most = render("Flood", &bytes(limits::REPLY - 200), &Grants::default()).await.unwrap();
    assert_eq!(most[0].len(), limits::REPLY - 198);
    let more = render("Flood", &bytes(limits::REPLY), &Grants::default()).await.unwrap_err();
    assert_eq!(code(&more), "plugin.limit.reply");
    assert!(more.to_string().contains("8 MiB"), "{more}");
}

#[tokio::test]
async fn replies_that_break_the_rules_are_refused() {
    for (ty, wanted, word) in [
        ("Deep", "plugin.limit.depth", "127 levels"),
        ("Garbage", "plugin.bad-reply", "not JSON"),
        ("Many", "plugin.limit.objects", "10000"),
        ("Twins", "plugin.bad-reply", "two objects in slot `twin`"),
        ("Nowhere", "plugin.bad-reply", "`/data/absent`"),
        ("Dangling", "plugin.bad-reply", "no slot `absent`"),
    ] {
        let error = fault(ty, &Grants::default()).await;
        assert_eq!(code(&error), wanted, "{ty}");
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[tokio::test]
async fn a_flood_of_log_lines_is_cut() {
    let (host, lines) = host();
    let plugin = host.load("guest", &built("rogue"), &Grants::default()).await.unwrap();
    plugin.render(&of("Logs"), &doc("{}"), &[]).await.unwrap();
    let lines = lines.lock().unwrap();
    assert_eq!(lines.len(), 1_001);
    assert_eq!(lines[1_000].code, Some("plugin.limit.log"));
    assert_eq!(
        (lines[0].message.as_str(), lines[0].function, lines[0].instance.as_str()),
        ("line 0", "render", "web")
    );
}

#[tokio::test]
async fn escape_sequences_are_shown_and_not_obeyed() {
    let (host, lines) = host();
    let plugin = host.load("guest", &built("rogue"), &Grants::default()).await.unwrap();
    plugin.render(&of("Paint"), &doc("{}"), &[]).await.unwrap();
    let lines = lines.lock().unwrap();
    assert_eq!(lines[0].message, "␛[2J␛[31mdone␍␊sheave: all is well");
    assert_eq!(lines[0].fields, [("colour␛[0m".to_owned(), "␇red".to_owned())]);
}

#[tokio::test]
async fn a_guest_shows_all_that_it_was_given() {
    let (host, lines) = host();
    let plugin = host.load("guest", &built("rogue"), &Grants::default()).await.unwrap();
    let mut props = doc(r#"{"value":"tok-1"}"#);
    props.marks.push(Mark { pointer: "/value".to_owned(), kind: MarkKind::Secret });
    assert_eq!(plugin.check(&of("Echo"), &props).await.unwrap(), props);
    let objects = plugin.render(&of("Echo"), &props, &[]).await.unwrap();
    assert!(
        objects[0].manifest.json.contains("tok-1")
            && objects[0].manifest.json.contains("/value MarkKind::Secret")
    );
    assert!(lines.lock().unwrap()[0].message.contains("tok-1"));
}

#[tokio::test]
async fn what_is_made_of_a_token_depends_on_it() {
    let grants = Grants::default();
    for (ty, same_shape) in [
        ("Honest", true),
        ("Hash", true),
        ("Base64", true),
        ("Piece", true),
        ("Leak", true),
        ("Differs", false),
        ("Branch", true),
    ] {
        let a = render(ty, r#"{"value":"tok-aaaa"}"#, &grants).await.unwrap();
        let again = render(ty, r#"{"value":"tok-aaaa"}"#, &grants).await.unwrap();
        let b = render(ty, r#"{"value":"tok-bbbb"}"#, &grants).await.unwrap();
        assert_eq!(a, again, "{ty}: the same properties, the same objects");
        assert_ne!(a, b, "{ty}");
        assert_eq!(a[0].contains("a key of that name"), !same_shape);
    }
    assert!(render("Base64", r#"{"value":"hi"}"#, &grants).await.unwrap()[0].contains("aGk="));
}

/// Applies one of vandal's types.
#[tokio::test]
async fn what_a_rogue_is_given_it_emits_and_what_it_looks_for_it_shows() {
    let objects = r#"{"objects": [{"kind": "Role"}, {"kind": "Pod"}], "kilobytes": 1}"#;
    let all = render("Emit", objects, &Grants::default()).await.unwrap();
    assert!(all.len() == 2 && all[0].contains("Role") && all[1].len() > 1_000, "{all:?}");
    assert!(render("Seen", "{}", &Grants::default()).await.unwrap()[0].contains("nothing"));
}

async fn apply(ty: &str, props: &str, grants: &Grants) -> Result<Step, CallError> {
    load(&built("vandal"), grants).await.apply(&create(ty, props), &agreed(), "op", None).await
}

async fn outputs(ty: &str, props: &str, grants: &Grants) -> serde_json::Value {
    match apply(ty, props, grants).await.unwrap() {
        Step::Done(Some(snapshot)) => {
            assert_eq!(snapshot.private_data, [0, 255, 7]);
            serde_json::from_str(&snapshot.outputs.json).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

/// The types of vandal that have a test below.
const VANDAL: &[&str] = &[
    "Note", "Escape", "Modes", "Look", "Peek", "Dice", "Sleep", "Spin", "Half", "Ruin", "Liar", "Busy",
    "Crowd", "Hoard", "Gamble", "Coin",
];

#[tokio::test]
async fn vandal() {
    let plugin = load(&built("vandal"), &Grants::default()).await;
    assert!(plugin.provides() && !plugin.emits());
    let types: BTreeSet<_> = plugin.describe().await.unwrap().into_iter().map(|t| t.name).collect();
    assert_eq!(types, VANDAL.iter().map(|t| (*t).to_owned()).collect(), "every type of vandal has a test");
}

#[tokio::test]
async fn a_granted_folder_can_be_written() {
    let at = tempfile::tempdir().unwrap();
    let props = r#"{"path": "a.txt", "text": "hello"}"#;
    let seen = outputs("Note", props, &folder(at.path(), Access::Write)).await;
    assert_eq!(seen["text"], "hello");
    assert_eq!(std::fs::read_to_string(at.path().join("a.txt")).unwrap(), "hello");
    match apply("Note", props, &Grants::default()).await.unwrap_err() {
        CallError::Answer(Failure::Denied(d)) => assert_eq!(d.code, "vandal.no-folder"),
        other => panic!("{other:?}"),
    }
    let read_only = apply("Note", props, &folder(at.path(), Access::Read)).await.unwrap_err();
    assert_eq!(read_only.code(), "vandal.write");
    assert!(read_only.diagnostic().summary.contains("not-permitted"), "{read_only:?}");
}

#[tokio::test]
async fn a_granted_folder_is_named_as_it_was_granted_and_seen_only_where_grants_hold() {
    let at = tempfile::tempdir().unwrap();
    let grants = folder(at.path(), Access::Write);
    let seen = outputs("Look", "{}", &grants).await;
    assert_eq!(seen["folders"], serde_json::json!([at.path().to_str().unwrap()]));
    let plan = load(&built("vandal"), &grants).await.plan(&create("Look", "{}")).await.unwrap();
    assert_eq!(plan.outputs.json, r#"{"args":[],"env":{},"folders":[]}"#);
    let gone = folder(&at.path().join("absent"), Access::Read);
    let error = apply("Look", "{}", &gone).await.unwrap_err();
    assert_eq!(error.diagnostic().code, "plugin.grant-folder");
}

#[tokio::test]
async fn no_path_leads_out_of_a_granted_folder() {
    let at = tempfile::tempdir().unwrap();
    let inside = at.path().join("granted");
    std::fs::create_dir(&inside).unwrap();
    let secret = at.path().join("secret");
    std::fs::write(&secret, "outside").unwrap();
    std::fs::write(inside.join("inside"), "inside").unwrap();
    std::os::unix::fs::symlink(&secret, inside.join("link")).unwrap();
    std::os::unix::fs::symlink("../secret", inside.join("relative-link")).unwrap();
    std::os::unix::fs::symlink(at.path(), inside.join("folder-link")).unwrap();
    std::fs::create_dir(inside.join("sub")).unwrap();
    let absolute = secret.to_str().unwrap();
    let paths = serde_json::json!({"paths": [
        "../secret", absolute, "sub/../../secret", "folder-link/secret", "../granted/../secret", "/etc/passwd",
        "link", "relative-link",
    ]});
    let tried = outputs("Escape", &paths.to_string(), &folder(&inside, Access::Write)).await;
    let tried = tried.as_object().unwrap();
    assert_eq!(tried.len(), 32);
    for (what, came_of_it) in tried {
        let came_of_it = came_of_it.as_str().unwrap();
        // The link itself lies inside: it may be removed, and replaced.
        let own = what.ends_with(" link") || what.ends_with("relative-link");
        let harmless = own && (what.starts_with("unlink") || what.starts_with("rename"));
        assert!(came_of_it.starts_with("refused: ") || harmless, "{what}: {came_of_it}");
        assert!(!came_of_it.contains("outside"), "{what}: {came_of_it}");
    }
    assert_eq!(std::fs::read_to_string(&secret).unwrap(), "outside");
}

#[tokio::test]
async fn a_path_that_becomes_a_link_while_it_is_walked_leads_nowhere_else() {
    let at = tempfile::tempdir().unwrap();
    let (inside, outside) = (at.path().join("granted"), at.path().join("outside"));
    for folder in [&inside, &outside, &inside.join("real")] {
        std::fs::create_dir(folder).unwrap();
    }
    std::fs::write(outside.join("secret"), "outside").unwrap();
    std::fs::write(inside.join("real/secret"), "inside").unwrap();
    std::fs::write(inside.join("inside"), "inside").unwrap();
    std::os::unix::fs::symlink(&outside, inside.join("link")).unwrap();
    std::os::unix::fs::symlink("real", inside.join("swap")).unwrap();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (stopped, folder_of) = (stop.clone(), inside.clone());
    let swapping = std::thread::spawn(move || {
        for target in [Path::new("real"), Path::new("../outside")].iter().cycle() {
            if stopped.load(std::sync::atomic::Ordering::Relaxed) {
                return;
            }
            let next = folder_of.join("next");
            std::os::unix::fs::symlink(target, &next).unwrap();
            std::fs::rename(&next, folder_of.join("swap")).unwrap();
        }
    });
    // Spellings of one path, so that each is tried for itself.
    let paths: Vec<String> = (0..300).map(|n| format!("swap/{}secret", "./".repeat(n))).collect();
    let props = serde_json::json!({"paths": paths}).to_string();
    let tried = outputs("Escape", &props, &folder(&inside, Access::Read)).await;
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    swapping.join().unwrap();
    let tried = tried.as_object().unwrap();
    assert!(tried.values().any(|v| v == "read: inside"), "the path was walked: {tried:?}");
    assert!(!tried.values().any(|v| v.as_str().unwrap().contains("outside")), "{tried:?}");
    assert_eq!(std::fs::read_to_string(outside.join("secret")).unwrap(), "outside");
}

#[tokio::test]
async fn a_name_that_ends_in_a_slash_is_no_way_around() {
    let at = tempfile::tempdir().unwrap();
    let inside = at.path().join("granted");
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(inside.join("inside"), "inside").unwrap();
    std::os::unix::fs::symlink(at.path(), inside.join("up")).unwrap();
    std::fs::write(at.path().join("secret"), "outside").unwrap();
    let props = r#"{"paths": ["up/", "up//secret", "up/./secret", "../", "./..//secret", "/", "//etc/passwd", "inside/", "up/../secret", "..\u0000/secret"]}"#;
    let tried = outputs("Escape", props, &folder(&inside, Access::Write)).await;
    for (what, came_of_it) in tried.as_object().unwrap() {
        assert!(came_of_it.as_str().unwrap().starts_with("refused: "), "{what}: {came_of_it}");
    }
    assert_eq!(std::fs::read_to_string(at.path().join("secret")).unwrap(), "outside");
}

#[tokio::test]
async fn floods_of_handles_and_of_chance_end_at_their_limits() {
    let at = tempfile::tempdir().unwrap();
    let grants = folder(at.path(), Access::Write);
    for (ty, props) in [("Crowd", "{}"), ("Hoard", "{}"), ("Gamble", "{}"), ("Gamble", r#"{"bytes": 65537}"#)]
    {
        for grants in [&Grants::default(), &grants] {
            let result = apply(ty, props, grants).await;
            let error = match result {
                Err(error) => error,
                Ok(step) => panic!("{ty} {props}: {step:?}"),
            };
            // Without a folder there is nothing to hoard, and where the system has no more files the guest hears of it.
            let expected: &[&str] = match ty {
                "Gamble" => &["plugin.trap"],
                "Hoard" => &["plugin.limit.handles", "vandal.no-folder", "vandal.hoard"],
                _ => &["plugin.limit.handles"],
            };
            assert!(expected.contains(&error.code()), "{ty} {props}: {error:?}");
            if ty == "Crowd" {
                assert!(
                    error.to_string().contains("more handles in `apply` than the 10000 allowed"),
                    "{error}"
                );
            }
        }
    }
    assert_eq!(outputs("Gamble", r#"{"bytes": 65536}"#, &grants).await["won"], 65_536);
}

#[tokio::test]
async fn a_render_that_needs_nothing_is_one_call() {
    let plugin = load(&built("rogue"), &Grants::default()).await;
    let props = doc(r#"{"value": "a"}"#);
    let both = plugin.needs_or_render(&of("Honest"), &props).await.unwrap();
    assert_eq!(both, NeedsOrObjects::Objects(plugin.render(&of("Honest"), &props, &[]).await.unwrap()));
    assert_eq!(code(&plugin.needs_or_render(&of("Many"), &props).await.unwrap_err()), "plugin.limit.objects");
}

#[tokio::test]
async fn a_check_goes_on_to_the_render() {
    let plugin = load(&built("rogue"), &Grants::default()).await;
    let props = doc(r#"{"value": "a"}"#);
    let done = plugin.check_and_render(&of("Honest"), &props).await.unwrap();
    assert_eq!(done.props, plugin.check(&of("Honest"), &props).await.unwrap());
    assert_eq!(done.next, Some(plugin.needs_or_render(&of("Honest"), &done.props).await.unwrap()));
    assert_eq!(
        code(&plugin.check_and_render(&of("Many"), &props).await.unwrap_err()),
        "plugin.limit.objects"
    );
    // The function that broke down is the one that is named.
    let error = plugin.check_and_render(&of("Panic"), &props).await.unwrap_err();
    assert!(error.to_string().contains("`render`"), "{error}");
}

#[tokio::test]
async fn permissions_change_in_a_folder_granted_for_writing_and_nowhere_else() {
    use std::os::unix::fs::PermissionsExt as _;
    let at = tempfile::tempdir().unwrap();
    let inside = at.path().join("granted");
    std::fs::create_dir(&inside).unwrap();
    let secret = at.path().join("secret");
    let all = [secret.clone(), inside.join("inside")];
    for path in &all {
        std::fs::write(path, "text").unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o640)).unwrap();
    }
    std::os::unix::fs::symlink(&secret, inside.join("link")).unwrap();
    std::os::unix::fs::symlink(at.path(), inside.join("up")).unwrap();
    let modes = || all.clone().map(|path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777);
    let (named, above) = (inside.to_str().unwrap(), at.path().to_str().unwrap());
    let writing = folder(&inside, Access::Write);
    let props = |folder: &str, mode: u32, paths: &[&str]| {
        serde_json::json!({"folder": folder, "mode": mode, "paths": paths}).to_string()
    };
    let all_refused = |tried: &serde_json::Value, why: &str| {
        let tried = tried.as_object().unwrap();
        assert!(!tried.is_empty());
        for (what, came_of_it) in tried {
            let came_of_it = came_of_it.as_str().unwrap();
            assert!(came_of_it.starts_with("refused: ") && came_of_it.contains(why), "{what}: {came_of_it}");
        }
        assert_eq!(modes(), [0o640, 0o640]);
    };

    let out = ["../secret", secret.to_str().unwrap(), "up/secret", "link", "..", ""];
    all_refused(&outputs("Modes", &props(named, 0o600, &out), &writing).await, "");
    let own = props(named, 0o600, &["inside"]);
    let other = outputs("Modes", &props(above, 0o600, &["secret"]), &writing).await;
    all_refused(&other, &format!("`{above}` was not granted"));
    all_refused(&outputs("Modes", &own, &Grants::default()).await, &format!("`{named}` was not granted"));
    // A plan is a pure call, whatever was granted.
    let planned = load(&built("vandal"), &writing).await.plan(&create("Modes", &own)).await.unwrap();
    let planned: serde_json::Value = serde_json::from_str(&planned.outputs.json).unwrap();
    all_refused(&planned["tried"], "was not granted");

    let reading = outputs("Modes", &own, &folder(&inside, Access::Read)).await;
    assert_eq!(reading["mode inside"], "640");
    assert!(reading["set inside"].as_str().unwrap().contains("`access: write`"), "{reading}");
    assert!(reading["create inside"].as_str().unwrap().contains("`access: write`"), "{reading}");
    let setuid = outputs("Modes", &props(named, 0o4755, &["inside", "new"]), &writing).await;
    assert!(setuid["set inside"].as_str().unwrap().contains("0o777"), "{setuid}");
    assert!(setuid["create new"].as_str().unwrap().contains("0o777"), "{setuid}");
    assert_eq!(modes(), [0o640, 0o640]);
    assert!(!inside.join("new").exists());

    let done = outputs("Modes", &own, &writing).await;
    assert_eq!((&done["mode inside"], &done["set inside"]), (&"640".into(), &"done".into()));
    assert_eq!(modes(), [0o640, 0o600]);
}

#[tokio::test]
async fn reveal_is_denied() {
    let seen = outputs("Peek", r#"{"value": "tok-1"}"#, &Grants::default()).await;
    assert!(seen["refused"].as_str().unwrap().contains("grant"), "{seen}");
}

#[tokio::test]
async fn clock_and_dice_are_the_same_in_every_run() {
    let at = tempfile::tempdir().unwrap();
    for grants in [Grants::default(), folder(at.path(), Access::Read)] {
        let seen = outputs("Dice", "{}", &grants).await;
        assert_eq!(seen, outputs("Dice", "{}", &grants).await);
        assert!(seen["clock"][0].as_u64() > Some(0) && seen["clock"][1].as_u64() > seen["clock"][0].as_u64());
        assert_ne!(seen["number"], 0);
    }
}

#[tokio::test]
async fn clock_and_chance_are_real_where_they_are_granted() {
    let granted = Grants { clock: true, random: true, ..Grants::default() };
    let (first, second) = (outputs("Dice", "{}", &granted).await, outputs("Dice", "{}", &granted).await);
    assert_ne!(first["number"], second["number"]);
    assert_ne!(first["bytes"], second["bytes"]);
    let fixed = outputs("Dice", "{}", &Grants::default()).await;
    let only_clock = outputs("Dice", "{}", &Grants { clock: true, ..Grants::default() }).await;
    let again = outputs("Dice", "{}", &Grants { clock: true, ..Grants::default() }).await;
    assert_eq!(only_clock["bytes"], again["bytes"], "one grant is not the other");
    let only_random = outputs("Dice", "{}", &Grants { random: true, ..Grants::default() }).await;
    let step =
        |seen: &serde_json::Value| seen["clock"][1].as_u64().unwrap() - seen["clock"][0].as_u64().unwrap();
    assert_eq!(step(&only_random), step(&fixed), "a clock that counts its readings");
}

#[tokio::test]
async fn a_nap_ends_at_once_where_nothing_is_granted() {
    assert_eq!(outputs("Sleep", "{}", &Grants::default()).await["slept"], true);
}

fn impatient() -> HostConfig {
    HostConfig { provider_call: Duration::from_millis(200), ..HostConfig::default() }
}

#[tokio::test]
async fn a_guest_parked_in_the_host_is_cut() {
    let at = tempfile::tempdir().unwrap();
    let (host, _) = host_with(impatient());
    let plugin = host.load("guest", &built("vandal"), &folder(at.path(), Access::Read)).await.unwrap();
    let since = Instant::now();
    let error = plugin.apply(&create("Sleep", "{}"), &agreed(), "op", None).await.unwrap_err();
    assert_eq!(code(&error), "plugin.limit.time");
    assert!(error.to_string().contains("200 ms"), "{error}");
    assert!(since.elapsed() < Duration::from_secs(600), "it wanted to wait for an hour");
}

#[tokio::test]
async fn a_provider_that_loops_is_cut_and_others_run_on() {
    let (host, _) = host_with(impatient());
    let plugin = host.load("guest", &built("vandal"), &Grants::default()).await.unwrap();
    let (spin, half) = (create("Spin", "{}"), create("Half", "{}"));
    let agreed = agreed();
    let spinning = plugin.apply(&spin, &agreed, "op", None);
    let other = async {
        let mut resume = None;
        let mut steps = 0;
        loop {
            steps += 1;
            match plugin.apply(&half, &agreed, "op", resume.as_deref()).await.unwrap() {
                Step::Pending { resume: r, message, percent, .. } => {
                    assert_eq!((message, percent), (format!("step {steps} of 3"), Some(steps * 33)));
                    resume = Some(r);
                }
                Step::Done(Some(_)) => return (steps, Instant::now()),
                other => panic!("{other:?}"),
            }
        }
    };
    // Both on one thread: the looping guest gives way at each tick.
    let timed = async { (spinning.await, Instant::now()) };
    let ((error, cut), (steps, done)) = tokio::join!(timed, other);
    assert_eq!(code(&error.unwrap_err()), "plugin.limit.time");
    assert_eq!(steps, 3);
    assert!(done < cut);
}

#[tokio::test]
async fn what_a_provider_says_is_told_from_what_it_cannot_say() {
    let grants = Grants::default();
    match apply("Ruin", "{}", &grants).await.unwrap() {
        Step::Partial { left, why } => {
            assert_eq!((left.id.as_str(), why[0].code.as_str()), ("vandal", "vandal.ruin"))
        }
        other => panic!("{other:?}"),
    }
    match apply("Busy", "{}", &grants).await.unwrap_err() {
        CallError::Answer(Failure::Retry { after_ms, .. }) => assert_eq!(after_ms, 50),
        other => panic!("{other:?}"),
    }
    assert_eq!(code(&apply("Liar", "{}", &grants).await.unwrap_err()), "plugin.bad-reply");
}

#[tokio::test]
async fn asker() {
    // How often it is answered is the tests' in http.rs; here nothing was granted.
    let plugin = load(&built("asker"), &Grants::default()).await;
    let what = create("Ask", r#"{"server": "127.0.0.1:1", "times": 2}"#);
    let Step::Done(Some(asked)) = plugin.apply(&what, &agreed(), "op", None).await.unwrap() else { panic!() };
    let outputs: serde_json::Value = serde_json::from_str(&asked.outputs.json).unwrap();
    assert_eq!((&outputs["answered"], outputs["refused"].as_array().unwrap().len()), (&0.into(), 2));
    assert!(outputs["refused"][0].as_str().unwrap().contains("not granted to this plugin"), "{outputs}");
}

#[tokio::test]
async fn counter() {
    let at = tempfile::tempdir().unwrap();
    let plugin = load(&built("counter"), &folder(at.path(), Access::Write)).await;
    let what = create("Thing", r#"{"size": 3}"#);
    let planned = plugin.plan(&what).await.unwrap();
    assert_eq!(planned.outputs.marks, [Mark { pointer: "/id".to_owned(), kind: MarkKind::Unknown }]);
    let Step::Done(Some(made)) = plugin.apply(&what, &planned, "key-1", None).await.unwrap() else {
        panic!()
    };
    assert_eq!(std::fs::read_to_string(at.path().join("things/key-1")).unwrap(), r#"{"size": 3}"#);
    assert_eq!(plugin.read(&what.of, &made).await.unwrap().as_ref(), Some(&made));
    let delete = Change { of: what.of.clone(), prior: Some(made.clone()), desired: None };
    assert_eq!(plugin.apply(&delete, &planned, "key-2", None).await.unwrap(), Step::Done(None));
    assert_eq!(plugin.read(&what.of, &made).await.unwrap(), None);
    let calls = std::fs::read_to_string(at.path().join("calls")).unwrap();
    assert_eq!(calls, "create web key-1\ndelete web key-2\n");
}

fn load_code(error: &LoadError) -> &'static str {
    let diagnostic = error.diagnostic();
    assert_eq!(diagnostic.code, error.code());
    assert!(diagnostic.help.is_some() && diagnostic.summary.contains("guest"), "{diagnostic:?}");
    error.code()
}

#[tokio::test]
async fn core_module() {
    let error = refused(&component("core-module")).await;
    assert_eq!(load_code(&error), "plugin.not-a-component");
    assert!(error.to_string().contains("a core module"), "{error}");
    assert!(error.diagnostic().help.unwrap().contains("component new"));
}

#[tokio::test]
async fn undeclared_import() {
    let error = refused(&component("undeclared-import")).await;
    assert_eq!(load_code(&error), "plugin.import-refused");
    assert!(error.to_string().contains("`acme:db/query@1.0.0`"), "{error}");
}

#[tokio::test]
async fn wants_network() {
    let error = refused(&component("wants-network")).await;
    assert_eq!(load_code(&error), "plugin.import-refused");
    assert!(error.diagnostic().help.unwrap().contains("serve none"));
}

#[tokio::test]
async fn old_interface() {
    let error = refused(&component("old-interface")).await;
    assert_eq!(load_code(&error), "plugin.interface-version");
    assert!(
        error.to_string().contains("speaks sheave:plugin@0.0.9, this host speaks sheave:plugin@0.1.0"),
        "{error}"
    );
}

#[tokio::test]
async fn only_model() {
    let error = refused(&component("only-model")).await;
    assert_eq!(load_code(&error), "plugin.missing-export");
}

#[tokio::test]
async fn empty_interfaces() {
    let error = refused(&component("empty-interfaces")).await;
    assert_eq!(load_code(&error), "plugin.missing-export");
    assert!(error.to_string().contains("sheave:plugin/model@0.1.0#describe"), "{error}");
}

#[tokio::test]
async fn wrong_types() {
    let error = refused(&component("wrong-types")).await;
    assert_eq!(load_code(&error), "plugin.interface-mismatch");
    assert!(error.diagnostic().detail.unwrap().contains("describe"));
}

#[tokio::test]
async fn wrong_import() {
    let error = refused(&component("wrong-import")).await;
    assert_eq!(load_code(&error), "plugin.interface-mismatch");
}

#[tokio::test]
async fn shared_memory() {
    let error = refused(&component("shared-memory")).await;
    assert_eq!(load_code(&error), "plugin.invalid");
    assert!(error.diagnostic().detail.unwrap().contains("threads"));
}

#[tokio::test]
async fn many_memories() {
    let error = refused(&component("many-memories")).await;
    assert_eq!(load_code(&error), "plugin.too-large");
    assert!(error.to_string().contains("9 memories, 8 are allowed"), "{error}");
}

/// Renders with a guest of `modules`.
async fn module_fault(name: &str) -> CallError {
    let (host, _) = host();
    let plugin = host.load("guest", &module(name), &Grants::default()).await.unwrap();
    plugin.render(&of("Any"), &doc("{}"), &[]).await.unwrap_err()
}

#[tokio::test]
async fn spins_at_start() {
    let error = module_fault("spins-at-start").await;
    assert!(matches!(code(&error).as_str(), "plugin.limit.time" | "plugin.limit.fuel"), "{error:?}");
}

#[tokio::test]
async fn far_pointer() {
    let error = module_fault("far-pointer").await;
    assert_eq!(code(&error), "plugin.bad-reply");
    assert!(error.to_string().contains("out of bounds"), "{error}");
}

#[tokio::test]
async fn wide_memory() {
    assert_eq!(code(&module_fault("wide-memory").await), "plugin.limit.memory");
}

#[tokio::test]
async fn two_memories() {
    assert_eq!(code(&module_fault("two-memories").await), "plugin.limit.memory");
}

#[tokio::test]
async fn table_hog() {
    let error = module_fault("table-hog").await;
    assert!(matches!(error, CallError::Limit { limit: LimitName::Tables, .. }), "{error:?}");
}

#[tokio::test]
async fn hundredfold() {
    // How little memory that takes is the test in reply_memory.rs.
    assert_eq!(code(&module_fault("hundredfold").await), "plugin.limit.reply");
}
