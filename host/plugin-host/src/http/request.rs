//! A request as it leaves: measured, its tokens replaced where they may be, the host's own headers put on.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::Value as Json;
use wasmtime_wasi_http::{Error, WasiBody};
use zeroize::Zeroizing;

use super::{Outside, Placed, denied};
use crate::limits;

/// Headers that say how bytes travel, or for whom they are: never a plugin's, nor a connection's.
const HOSTS_OWN: [HeaderName; 15] = [
    header::HOST,
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::CONTENT_LENGTH,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::EXPECT,
    header::ACCEPT_ENCODING,
    header::PROXY_AUTHORIZATION,
    header::PROXY_AUTHENTICATE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("http2-settings"),
    HeaderName::from_static("forwarded"),
];

/// Whether a header is the host's own.
pub(crate) fn is_the_hosts(name: &HeaderName) -> bool {
    HOSTS_OWN.contains(name)
}

/// The headers that are sent: the plugin's with tokens replaced, then the connection's.
pub(crate) fn headers(
    given: &HeaderMap,
    connection: &HeaderMap,
    outside: Option<&dyn Outside>,
) -> Result<HeaderMap, Error> {
    if given.len() > limits::HTTP_HEADERS {
        return Err(Error::HttpRequestHeaderSectionSize(None));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        if name == header::CONTENT_LENGTH || name == header::HOST {
            // Measured again, since what takes a token's place is longer or shorter; and the host's own.
            continue;
        }
        if is_the_hosts(name) {
            return Err(denied(format!("the header `{name}` is the host's own")));
        }
        if connection.contains_key(name) {
            return Err(denied(format!("the header `{name}` is the connection's own")));
        }
        headers.append(name, header_value(name, value, outside)?);
    }
    headers.extend(connection.clone());
    // What is compressed could hold a secret where no mask finds it.
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if !headers.contains_key(header::USER_AGENT) {
        headers.insert(
            header::USER_AGENT,
            HeaderValue::from_static(concat!("sheave/", env!("CARGO_PKG_VERSION"))),
        );
    }
    Ok(headers)
}

fn header_value(
    name: &HeaderName,
    value: &HeaderValue,
    outside: Option<&dyn Outside>,
) -> Result<HeaderValue, Error> {
    let (Some(outside), Ok(text)) = (outside, value.to_str()) else { return Ok(value.clone()) };
    match outside.placed(text) {
        Placed::Plain => Ok(value.clone()),
        Placed::Secret(secret) => {
            let mut value = HeaderValue::from_str(secret.expose()).map_err(|_| {
                denied(format!("the secret for the header `{name}` holds what no header can"))
            })?;
            value.set_sensitive(true);
            Ok(value)
        }
        Placed::Unknown => Err(denied(format!("the value of the header `{name}` is not known yet"))),
        Placed::Partly => Err(misplaced(&format!("inside the header `{name}`"))),
    }
}

/// The path and query: nothing of a secret may stand in them, since servers log them.
pub(crate) fn path(path: &str, outside: Option<&dyn Outside>) -> Result<(), Error> {
    match outside.map_or(Placed::Plain, |outside| outside.placed(path)) {
        Placed::Plain => Ok(()),
        _ => Err(misplaced("in the URL")),
    }
}

fn misplaced(place: &str) -> Error {
    denied(format!("a secret may be a whole header or a whole text of a JSON body, and stands {place}"))
}

/// Takes a body in, up to the limit.
pub(crate) async fn collect(body: WasiBody) -> Result<Bytes, Error> {
    match Limited::new(body, limits::HTTP_BODY).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(e) if e.is::<LengthLimitError>() => {
            Err(Error::HttpRequestBodySize(Some(limits::HTTP_BODY as u64)))
        }
        Err(e) => Err(e.downcast::<Error>().map_or(Error::HttpProtocolError, |e| *e)),
    }
}

/// The body that is sent: tokens in JSON replaced, measured again.
pub(crate) fn body(body: Bytes, headers: &HeaderMap, outside: Option<&dyn Outside>) -> Result<Bytes, Error> {
    let Some(outside) = outside else { return Ok(body) };
    // A token is ASCII: bytes that are no text cannot break one up.
    let text = String::from_utf8_lossy(&body);
    let is_json = headers.get(header::CONTENT_TYPE).is_some_and(is_json);
    if !is_json {
        return match outside.placed(&text) {
            Placed::Plain => Ok(body),
            _ => Err(misplaced("in a body that is not JSON (`content-type: application/json`)")),
        };
    }
    let Ok(mut json) = serde_json::from_str::<Json>(&text) else {
        return match outside.placed(&text) {
            Placed::Plain => Ok(body),
            _ => Err(misplaced("in a body that says it is JSON and is not")),
        };
    };
    let mut found = false;
    fill(&mut json, outside, &mut found)?;
    if !found {
        return Ok(body);
    }
    let text = Zeroizing::new(json.to_string());
    zero(&mut json);
    if text.len() > limits::HTTP_BODY {
        return Err(Error::HttpRequestBodySize(Some(limits::HTTP_BODY as u64)));
    }
    Ok(Bytes::copy_from_slice(text.as_bytes()))
}

/// Whether a content type is JSON's.
fn is_json(value: &HeaderValue) -> bool {
    let Ok(text) = value.to_str() else { return false };
    let kind = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

fn fill(json: &mut Json, outside: &dyn Outside, found: &mut bool) -> Result<(), Error> {
    match json {
        Json::String(text) => match outside.placed(text) {
            Placed::Plain => {}
            Placed::Secret(secret) => {
                *found = true;
                *text = secret.expose().to_owned();
            }
            Placed::Unknown => return Err(denied("a text of the body is not known yet".to_owned())),
            Placed::Partly => return Err(misplaced("inside a text of the body")),
        },
        Json::Array(items) => items.iter_mut().try_for_each(|item| fill(item, outside, found))?,
        Json::Object(fields) => {
            for (key, item) in fields {
                if !matches!(outside.placed(key), Placed::Plain) {
                    return Err(misplaced("in a key of the body"));
                }
                fill(item, outside, found)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Overwrites the texts of what was filled.
fn zero(json: &mut Json) {
    use zeroize::Zeroize as _;
    match json {
        Json::String(text) => text.zeroize(),
        Json::Array(items) => items.iter_mut().for_each(zero),
        Json::Object(fields) => fields.values_mut().for_each(zero),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sheave_model::SecretText;

    use super::super::Connection;
    use super::*;

    /// `tok` stands for a secret, `unk` for what is not known.
    struct Tokens;

    impl Outside for Tokens {
        fn connection(&self, name: &str) -> Result<Arc<Connection>, String> {
            Err(name.to_owned())
        }

        fn mask(&self, text: &str) -> String {
            text.to_owned()
        }

        fn placed(&self, text: &str) -> Placed {
            match text {
                "tok" => Placed::Secret(SecretText::new("pass\"word\n".to_owned())),
                "unk" => Placed::Unknown,
                text if text.contains("tok") || text.contains("unk") => Placed::Partly,
                _ => Placed::Plain,
            }
        }
    }

    fn typed(text: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, text.parse().unwrap());
        headers
    }

    fn sent(text: &str, kind: &str) -> Result<String, String> {
        let sent = body(Bytes::copy_from_slice(text.as_bytes()), &typed(kind), Some(&Tokens));
        sent.map(|b| String::from_utf8(b.to_vec()).unwrap()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_whole_text_of_json_is_filled_and_escaped_again() {
        for kind in ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"] {
            assert_eq!(
                sent(r#"{"a": ["tok", 1], "b": "\u0074ok"}"#, kind).unwrap(),
                r#"{"a":["pass\"word\n",1],"b":"pass\"word\n"}"#
            );
        }
        let untouched = r#"{ "a" : 1.10, "a": 123456789012345678901234567890 }"#;
        assert_eq!(sent(untouched, "application/json").unwrap(), untouched);
    }

    #[test]
    fn tokens_elsewhere_are_refused() {
        for (text, kind, why) in [
            ("tok", "text/plain", "not JSON"),
            ("tok {", "application/json", "says it is JSON"),
            (r#"{"a": "x-tok"}"#, "application/json", "inside a text"),
            (r#"{"tok": 1}"#, "application/json", "in a key"),
            (r#"{"a": "unk"}"#, "application/json", "not known yet"),
            (r#""tok""#, "text/json", "not JSON"),
        ] {
            let said = sent(text, kind).unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
        assert!(path("/things?key=tok", Some(&Tokens)).unwrap_err().to_string().contains("in the URL"));
        assert!(path("/things", Some(&Tokens)).is_ok());
    }

    #[test]
    fn headers_are_filled_as_a_whole() {
        let with = |name: &'static str, value: &'static str| {
            let mut given = HeaderMap::new();
            given.insert(name, HeaderValue::from_static(value));
            given
        };
        let mut own = HeaderMap::new();
        own.insert(header::AUTHORIZATION, HeaderValue::from_static("Basic x"));
        let why = |given: &HeaderMap| headers(given, &own, Some(&Tokens)).unwrap_err().to_string();
        assert!(why(&with("x-key", "Bearer tok")).contains("inside the header `x-key`"));
        assert!(why(&with("x-key", "unk")).contains("not known"));
        // A header takes no line's end, whoever it comes from.
        assert!(why(&with("x-key", "tok")).contains("holds what no header can"));
        assert!(why(&with("authorization", "Basic y")).contains("connection's own"));
        for name in ["transfer-encoding", "expect", "te", "accept-encoding"] {
            assert!(why(&with(name, "x")).contains("host's own"), "{name}");
        }
        let sent = headers(&with("content-length", "9"), &own, None).unwrap();
        assert!(!sent.contains_key(header::CONTENT_LENGTH));
        assert_eq!(sent[header::AUTHORIZATION], "Basic x");
        assert_eq!(sent[header::ACCEPT_ENCODING], "identity");
        let many = |n: usize| -> HeaderMap {
            (0..n)
                .map(|i| (HeaderName::try_from(format!("x-{i}")).unwrap(), HeaderValue::from_static("1")))
                .collect()
        };
        assert!(headers(&many(limits::HTTP_HEADERS), &HeaderMap::new(), None).is_ok());
        let more = headers(&many(limits::HTTP_HEADERS + 1), &HeaderMap::new(), None).unwrap_err();
        assert!(matches!(more, Error::HttpRequestHeaderSectionSize(_)), "{more}");
    }
}
