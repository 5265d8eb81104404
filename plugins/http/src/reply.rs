//! What a reply means.

use serde_json::Value;
use sheave_sdk::http::Reply;
use sheave_sdk::{Diagnostic, Failure};

use crate::props::{Request, Until};

/// How much of a server's own words is shown.
const WORDS: usize = 500;
/// How long to wait where a server says to, and not how long.
const LATER_MS: u32 = 2000;

/// What an answer's status says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Done,
    /// It is not there.
    Gone,
    /// Not now: milliseconds to wait.
    Later(u32),
    /// Somebody else was first, or changed it.
    Conflict,
    Denied,
    /// The server broke down in the middle: it may have done it.
    Unclear,
    Refused,
}

/// What an answer to this request says.
pub(crate) fn verdict(request: &Request, reply: &Reply) -> Verdict {
    let expected = match request.expect.as_slice() {
        [] => (200..300).contains(&reply.status),
        named => named.contains(&reply.status),
    };
    match reply.status {
        _ if expected => Verdict::Done,
        404 | 410 => Verdict::Gone,
        409 | 412 => Verdict::Conflict,
        429 | 503 => {
            Verdict::Later(reply.retry_after().map_or(LATER_MS, |s| s.saturating_mul(1000)).max(100))
        }
        401 | 403 | 407 => Verdict::Denied,
        500..=599 => Verdict::Unclear,
        _ => Verdict::Refused,
    }
}

/// An answer as what the plugin reports.
pub(crate) fn failure(what: &str, server: &str, verdict: Verdict, reply: &Reply) -> Failure {
    let summary = format!("cannot {what}: {server} answered {}", reply.status);
    match verdict {
        Verdict::Denied => Failure::denied("http.denied", summary, words(reply)),
        Verdict::Conflict => Failure::conflict("http.conflict", summary, words(reply)),
        Verdict::Later(ms) => {
            Failure::retry(ms, Diagnostic::error("http.busy", summary).detail(words(reply)))
        }
        Verdict::Gone => Failure::other("http.not-found", summary, words(reply)),
        _ => Failure::other("http.refused", summary, words(reply)),
    }
}

/// What the server says, shortened.
pub(crate) fn words(reply: &Reply) -> String {
    let text = String::from_utf8_lossy(&reply.body);
    let mut text = text.trim().to_owned();
    if text.len() > WORDS {
        text.truncate(text.floor_char_boundary(WORDS));
        text.push_str(" ...");
    }
    match (reply.header("location"), text.is_empty()) {
        (Some(location), true) => format!("it points to {location}; redirects are not followed"),
        _ => text,
    }
}

/// What stands at a place of a reply: a JSON pointer, or `header:NAME`.
pub(crate) fn at(reply: &Reply, json: Option<&Value>, place: &str) -> Option<Value> {
    match place.strip_prefix("header:") {
        Some(name) => reply.header(name).map(|value| Value::String(value.to_owned())),
        None => json?.pointer(place).cloned(),
    }
}

/// The id that a creation's answer gives.
pub(crate) fn id(place: Option<&str>, reply: &Reply) -> Option<String> {
    let json = reply.json();
    match place {
        Some("location") => {
            let location = reply.header("location")?;
            let path = location.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
            path.rsplit('/').next().filter(|last| !last.is_empty()).map(str::to_owned)
        }
        place => text(&at(reply, json.as_ref(), place.unwrap_or("/id"))?),
    }
}

/// An id is a text or a number.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// How far a thing is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Readiness {
    Ready,
    /// What to show meanwhile.
    Waiting(String, Option<u8>),
    Failed(String),
}

/// Whether a thing is ready, by the reply to `read`.
pub(crate) fn readiness(until: &Until, json: Option<&Value>) -> Readiness {
    let found = json.and_then(|json| json.pointer(&until.pointer)).filter(|value| !value.is_null());
    let ready = match (&until.equals, until.among.as_slice(), until.exists) {
        (Some(wanted), _, _) => found == Some(wanted),
        (None, [], exists) => found.is_some() == exists.unwrap_or(true),
        (None, among, _) => found.is_some_and(|found| among.contains(found)),
    };
    let shown = found.map_or("nothing yet".to_owned(), ToString::to_string);
    let said = until.message.as_ref().and_then(|at| json?.pointer(at)?.as_str());
    let message = said.map_or_else(|| format!("`{}` is {shown}", until.pointer), str::to_owned);
    if ready {
        Readiness::Ready
    } else if found.is_some_and(|found| until.fails.contains(found)) {
        Readiness::Failed(message)
    } else {
        let percent = until.percent.as_ref().and_then(|at| json?.pointer(at)?.as_u64());
        Readiness::Waiting(message, percent.map(|n| u8::try_from(n.min(100)).unwrap_or(100)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Reply { status, headers, body: body.into() }
    }

    #[test]
    fn statuses() {
        let of = |status| verdict(&Request::default(), &reply(status, &[], ""));
        for (status, is) in [
            (200, Verdict::Done),
            (204, Verdict::Done),
            (301, Verdict::Refused),
            (400, Verdict::Refused),
            (401, Verdict::Denied),
            (404, Verdict::Gone),
            (409, Verdict::Conflict),
            (412, Verdict::Conflict),
            (500, Verdict::Unclear),
            (503, Verdict::Later(LATER_MS)),
        ] {
            assert_eq!(of(status), is, "{status}");
        }
        let named = Request { expect: vec![202, 404], ..Request::default() };
        assert_eq!(verdict(&named, &reply(404, &[], "")), Verdict::Done);
        assert_eq!(verdict(&named, &reply(200, &[], "")), Verdict::Refused);
        let later = |after| verdict(&Request::default(), &reply(429, &[("retry-after", after)], ""));
        assert_eq!(later("7"), Verdict::Later(7000));
        assert_eq!(later("99999999"), Verdict::Later(3_600_000));
        assert_eq!(later("0"), Verdict::Later(100));
        assert_eq!(later("Wed, 21 Oct 2015 07:28:00 GMT"), Verdict::Later(LATER_MS));
    }

    #[test]
    fn a_server_s_words_are_bounded() {
        let long = "é".repeat(1000);
        assert!(words(&reply(400, &[], &long)).len() < WORDS + 5);
        assert!(words(&reply(302, &[("location", "http://x/")], "")).contains("redirects are not followed"));
    }

    #[test]
    fn ids() {
        assert_eq!(id(None, &reply(201, &[], r#"{"id": 7}"#)).unwrap(), "7");
        assert_eq!(id(Some("/a/b"), &reply(201, &[], r#"{"a": {"b": "x"}}"#)).unwrap(), "x");
        assert_eq!(id(Some("header:x-id"), &reply(201, &[("x-id", "h")], "")).unwrap(), "h");
        let location = |to| id(Some("location"), &reply(201, &[("location", to)], ""));
        assert_eq!(location("https://a/things/5?x=1").unwrap(), "5");
        assert_eq!(location("/things/6/").unwrap(), "6");
        for none in [
            id(None, &reply(201, &[], "")),
            id(None, &reply(201, &[], r#"{"id": ""}"#)),
            location("/"),
            id(None, &reply(201, &[], r#"{"id": null}"#)),
        ] {
            assert_eq!(none, None);
        }
    }

    #[test]
    fn readiness_by_what_stands_somewhere() {
        let until = |rest: serde_json::Value| -> Until {
            let mut all = json!({"pointer": "/state"});
            all.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            serde_json::from_value(all).unwrap()
        };
        let of = |until: &Until, json: serde_json::Value| readiness(until, Some(&json));
        let equals =
            until(json!({"equals": "up", "fails": ["broken"], "message": "/why", "percent": "/done"}));
        assert_eq!(of(&equals, json!({"state": "up"})), Readiness::Ready);
        assert_eq!(
            of(&equals, json!({"state": "new", "why": "booting", "done": 40})),
            Readiness::Waiting("booting".into(), Some(40))
        );
        assert_eq!(
            of(&equals, json!({"state": "broken"})),
            Readiness::Failed("`/state` is \"broken\"".into())
        );
        assert!(matches!(readiness(&equals, None), Readiness::Waiting(..)));
        assert_eq!(of(&until(json!({"in": [1, 2]})), json!({"state": 2})), Readiness::Ready);
        assert_eq!(of(&until(json!({"exists": true})), json!({"state": {}})), Readiness::Ready);
        assert_eq!(of(&until(json!({"exists": false})), json!({})), Readiness::Ready);
        assert!(matches!(of(&until(json!({"exists": false})), json!({"state": 1})), Readiness::Waiting(..)));
    }
}
