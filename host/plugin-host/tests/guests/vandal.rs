//! `vandal`, a provider that breaks every rule it can: what it reaches, and how its calls end.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use sheave_model::plugin::{Access, Grants};
use sheave_plugin_host::wire::{Failure, Step};
use sheave_plugin_host::{CallError, HostConfig};

use crate::support::*;

/// Applies one of vandal's types.
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
pub(crate) async fn vandal() {
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
