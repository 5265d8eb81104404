//! `rogue`, an emitter that breaks every rule it can: what becomes of its calls.

use std::collections::BTreeSet;

use sheave_model::plugin::{Grants, LimitRaises};
use sheave_plugin_host::wire::{Doc, Failure, Instance, Mark, MarkKind, NeedsOrObjects};
use sheave_plugin_host::{CallError, limits};

use crate::support::*;

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
pub(crate) async fn rogue() {
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

#[tokio::test]
async fn what_a_rogue_is_given_it_emits_and_what_it_looks_for_it_shows() {
    let objects = r#"{"objects": [{"kind": "Role"}, {"kind": "Pod"}], "kilobytes": 1}"#;
    let all = render("Emit", objects, &Grants::default()).await.unwrap();
    assert!(all.len() == 2 && all[0].contains("Role") && all[1].len() > 1_000, "{all:?}");
    assert!(render("Seen", "{}", &Grants::default()).await.unwrap()[0].contains("nothing"));
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
async fn a_marked_document_is_rendered_at_once_only_where_the_check_gave_that_very_one_back() {
    let plugin = load(&built("rogue"), &Grants::default()).await;
    let marked = |json: &str, pointers: &[&str]| {
        let mark = |p: &&str| Mark { pointer: (*p).to_owned(), kind: MarkKind::Secret };
        Doc { marks: pointers.iter().map(mark).collect(), ..doc(json) }
    };
    let props = marked(r#"{"value":"token"}"#, &["/value"]);
    let same = plugin.check_and_render(&of("Honest"), &props).await.unwrap();
    assert_eq!(same.props, props);
    assert_eq!(same.next, Some(plugin.needs_or_render(&of("Honest"), &props).await.unwrap()));
    let filled = marked(r#"{"fill":1,"value":"token"}"#, &["/value"]);
    assert_eq!(plugin.check_and_render(&of("Honest"), &filled).await.unwrap().next, None);
    // Tokens in the settings alone.
    let settings = marked(r#"{"password":"token"}"#, &["/password"]);
    let of = Instance { settings, ..of("Honest") };
    assert!(plugin.check_and_render(&of, &doc(r#"{"value":"a"}"#)).await.unwrap().next.is_some());
    let filled = doc(r#"{"fill":1,"value":"a"}"#);
    assert_eq!(plugin.check_and_render(&of, &filled).await.unwrap().next, None);
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
    let filled = plugin.check_and_render(&of("Honest"), &doc(r#"{"value": "a", "fill": 1}"#)).await.unwrap();
    assert!(filled.props.json.contains("filled") && filled.next.is_some(), "{filled:?}");
    // The function that broke down is the one that is named.
    let error = plugin.check_and_render(&of("Panic"), &props).await.unwrap_err();
    assert!(error.to_string().contains("`render`"), "{error}");
}
