//! Taking over a thing that is there: where it stands is all that is known of it, until a blueprint's properties are set on it.

use serde_json::Value;
use sheave_sdk::http::Reply;
use sheave_sdk::{Context, Diagnostic, Failure, Severity};

use crate::props::{Props, Request};
use crate::{template, view};

/// Bytes of a reply that are kept whole, to say how the blueprint differs from it. Of longer ones only that they changed is seen.
const KEPT: usize = 64 << 10;
/// Differences that are named.
const NAMED: usize = 20;

/// The id of an import, `CONNECTION:/PATH` or a URL, as properties that read it, and the thing's own id: the last part of its path.
pub(crate) fn props(identity: &str) -> Result<(Props, String), Failure> {
    let wrong = || {
        Failure::other(
            "http.bad-import",
            format!("`{identity}` does not say where the thing stands"),
            "write `CONNECTION:/things/7`, with a connection of the blueprint, or `https://HOST/things/7`",
        )
    };
    let (connection, url, path) = match identity.split_once("://") {
        Some((scheme @ ("https" | "http"), rest)) => {
            let (host, path) = rest.split_at(rest.find('/').ok_or_else(wrong)?);
            (None, Some(format!("{scheme}://{host}")), path)
        }
        Some(_) => return Err(wrong()),
        None => {
            let (connection, path) = identity.split_once(':').ok_or_else(wrong)?;
            (Some(connection.to_owned()), None, path)
        }
    };
    let id = last_part(path).ok_or_else(wrong)?;
    // It is a path as it stands, and no template.
    if !path.starts_with('/') || path.contains(['{', '}']) {
        return Err(wrong());
    }
    let read = Some(Request { path: path.to_owned(), ..Request::default() });
    Ok((Props { connection, url, read, ..Props::default() }, id))
}

/// The id by which the blueprint's own requests find what was taken over; none: they find something else.
pub(crate) fn id_by(props: &Props, path: &str) -> Option<String> {
    let Some(read) = &props.read else { return props.identity.clone().or_else(|| last_part(path)) };
    if let Some(identity) = &props.identity {
        return (template::path(&read.path, identity, true) == path).then(|| identity.clone());
    }
    let Some((before, after)) = read.path.split_once(template::ID) else {
        return last_part(path).filter(|_| read.path == path);
    };
    let id = decoded(path.strip_prefix(before)?.strip_suffix(after)?)?;
    (!id.is_empty() && template::path(&read.path, &id, false) == path).then_some(id)
}

fn last_part(path: &str) -> Option<String> {
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    path.rsplit('/').next().filter(|last| !last.is_empty()).map(str::to_owned)
}

/// A part of a path without its escapes.
fn decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let [first, more @ ..] = rest {
        rest = more;
        if *first == b'%' {
            let [high, low, more @ ..] = more else { return None };
            let digits = [*high, *low];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
            rest = more;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Where the thing that was taken over stands, and why the blueprint does not find it there.
pub(crate) fn elsewhere(path: &str) -> Failure {
    Failure::invalid(
        Diagnostic::error("http.adopted-elsewhere", format!("`read` does not lead to what was taken over, `{path}`"))
            .detail("let `identity`, `read` and the import speak of the same thing, or `sheave state rm` the resource and import it again")
            .at("/read/path"),
    )
}

/// What there is, as it is compared from one look to the next.
pub(crate) fn seen(reply: &Reply) -> Value {
    match reply.json().filter(|_| reply.body.len() <= KEPT) {
        Some(json) => json,
        None => view::seen(None, &Request::default(), reply),
    }
}

/// How what would be sent differs from what there is. Properties with tokens are left out: nobody can compare them.
pub(crate) fn notes(cx: &Context, props: &Props, seen: &Value) -> Vec<Diagnostic> {
    let Some(update) = &props.update else {
        return vec![note("it was taken over, and without `update` it stays as it is".to_owned())];
    };
    let (at, body) = match (&update.body, &update.text) {
        (Some(body), _) => ("/update/body", body),
        (None, None) => match &props.create.body {
            Some(body) => ("/create/body", body),
            None => return Vec::new(),
        },
        (None, Some(_)) => return Vec::new(),
    };
    let mut found = Vec::new();
    differ(body, seen, String::new(), &mut found);
    found.retain(|(place, ..)| !cx.has_token(&format!("{at}{place}")));
    let notes = found.iter().take(NAMED).map(|(place, wanted, there)| {
        let there = there.map_or("not there".to_owned(), Value::to_string);
        note(format!("`{place}` is {there}, and will be {wanted}")).at(format!("{at}{place}"))
    });
    notes.collect()
}

fn note(summary: String) -> Diagnostic {
    Diagnostic { severity: Severity::Note, ..Diagnostic::warning("http.adopted", summary) }
}

fn differ<'a>(
    wanted: &'a Value,
    there: &'a Value,
    at: String,
    found: &mut Vec<(String, &'a Value, Option<&'a Value>)>,
) {
    match wanted {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, item) in fields {
                let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                match there.get(key) {
                    Some(there) => differ(item, there, at, found),
                    None => found.push((at, item, None)),
                }
            }
        }
        _ if wanted != there => found.push((at, wanted, Some(there))),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_id_says_where_the_thing_stands() {
        let of = |identity: &str| {
            props(identity).ok().map(|(p, id)| (p.connection.or(p.url).unwrap(), p.read.unwrap().path, id))
        };
        let some = |a: &str, b: &str, c: &str| Some((a.to_owned(), b.to_owned(), c.to_owned()));
        assert_eq!(of("api:/things/7"), some("api", "/things/7", "7"));
        assert_eq!(of("api:/things/a:b/"), some("api", "/things/a:b/", "a:b"));
        assert_eq!(of("https://a.example:8443/v2/x?y=1"), some("https://a.example:8443", "/v2/x?y=1", "x"));
        for odd in ["7", "api", "api:7", "api:/", "ftp://a/7", "https://a", "https://a/", "api:/things/{id}"]
        {
            assert_eq!(of(odd), None, "{odd}");
        }
    }

    #[test]
    fn the_blueprint_s_own_requests_find_it_by_its_id() {
        let by = |read: &str, identity: Option<&str>, path: &str| {
            let read = Some(Request { path: read.to_owned(), ..Request::default() });
            id_by(&Props { read, identity: identity.map(str::to_owned), ..Props::default() }, path)
        };
        assert_eq!(by("/things/{id}", None, "/things/a%20b").as_deref(), Some("a b"));
        assert_eq!(by("/{id}", Some("deep/page.txt"), "/deep/page.txt").as_deref(), Some("deep/page.txt"));
        assert_eq!(by("/things/{id}?full=1", None, "/things/7?full=1").as_deref(), Some("7"));
        assert_eq!(by("/only", None, "/only").as_deref(), Some("only"));
        for (read, identity, path) in [
            ("/things/{id}", None, "/other/7"),
            ("/{id}", Some("a"), "/b"),
            ("/x/{id}", None, "/x/a/b"),
            ("/x/{id}", None, "/x/%zz"),
        ] {
            assert_eq!(by(read, identity, path), None, "{read} {path}");
        }
    }

    #[test]
    fn what_differs_is_named() {
        let (wanted, there) =
            (json!({"a": 1, "b": {"c/d": 2}, "e": [1]}), json!({"a": 1, "b": {"c/d": 3}, "f": 1}));
        let mut found = Vec::new();
        differ(&wanted, &there, String::new(), &mut found);
        let places: Vec<_> = found.iter().map(|(at, ..)| at.as_str()).collect();
        assert_eq!(places, ["/b/c~1d", "/e"]);
    }
}
