//! One watch, kept alive: it starts anew after each cut, from where it was where the server still knows that.

use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use http::StatusCode;
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::Resource;
use crate::error::{ClusterError, Words};
use crate::retry::Backoff;
use crate::status;
use crate::transport::{Ask, Cut, REQUEST_TIMEOUT, Shared};
use crate::url::{object_path, with_query};

/// After that the server ends a watch, and we go on with another.
const WATCH_SECONDS: &str = "290";
/// A watch that says nothing for so long is dead: servers send a bookmark each minute.
const MAX_SILENCE: Duration = Duration::from_secs(150);
/// The longest event: an object has at most 3 MiB.
const MAX_EVENT_BYTES: usize = 16 * 1024 * 1024;
/// Attempts that fail in a row before the watch is given up: some two minutes, in which a server is started anew.
const MAX_FAILURES: u32 = 18;

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Watched {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) plural: String,
    pub(crate) namespace: Option<String>,
    /// Such as `metadata.name=x`.
    pub(crate) field_selector: Option<String>,
}

/// What a watch saw.
pub(crate) enum Seen {
    /// The object is so.
    Object(Json),
    /// It is gone; this is how it last was.
    Gone(Json),
    /// Some changes may have been missed.
    Gap,
}

/// First only what tells whether an event matters.
#[derive(Deserialize)]
struct Peek<'a> {
    #[serde(rename = "type", borrow)]
    kind: std::borrow::Cow<'a, str>,
    object: PeekObject,
}

#[derive(Deserialize)]
struct PeekObject {
    #[serde(default)]
    metadata: PeekMetadata,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PeekMetadata {
    name: String,
    resource_version: String,
}

#[derive(Deserialize)]
struct Full {
    object: Json,
}

/// How one connection ended.
enum End {
    /// As planned, or cut: go on from the last version.
    Cut(Option<ClusterError>),
    /// The server no longer knows that version.
    Forgotten,
    Failed(ClusterError),
}

/// Watches until that fails for good, and says why. `wanted` tells by its name whether an object matters.
pub(crate) async fn follow(
    transport: &Shared,
    watched: &Watched,
    wanted: impl Fn(&str) -> bool + Send,
    mut see: impl FnMut(Seen) + Send,
) -> ClusterError {
    let mut version = String::new();
    let mut backoff = Backoff::new();
    let mut failures = 0;
    loop {
        let mut heard = false;
        let end = connection(transport, watched, &mut version, &wanted, &mut see, &mut heard).await;
        if heard {
            backoff.reset();
            failures = 0;
        }
        match end {
            End::Cut(why) => {
                failures += u32::from(!heard);
                if failures > MAX_FAILURES {
                    return why.unwrap_or_else(|| ClusterError::Server {
                        what: what(watched),
                        status: 200,
                        words: Words::new("the server ends each watch at once"),
                    });
                }
            }
            End::Forgotten => version.clear(),
            End::Failed(error) => return error,
        }
        tokio::time::sleep(backoff.wait()).await;
    }
}

fn what(watched: &Watched) -> String {
    match &watched.namespace {
        Some(namespace) => format!("watch {} in namespace {namespace}", watched.kind),
        None => format!("watch {}", watched.kind),
    }
}

async fn connection(
    transport: &Shared,
    watched: &Watched,
    version: &mut String,
    wanted: &(impl Fn(&str) -> bool + Send),
    see: &mut (impl FnMut(Seen) + Send),
    heard: &mut bool,
) -> End {
    let resource = Resource { plural: watched.plural.clone(), namespaced: true };
    let path = object_path(&watched.api_version, &resource, watched.namespace.as_deref(), None);
    let mut query =
        vec![("watch", "true"), ("allowWatchBookmarks", "true"), ("timeoutSeconds", WATCH_SECONDS)];
    query.extend(watched.field_selector.as_deref().map(|s| ("fieldSelector", s)));
    if !version.is_empty() {
        query.push(("resourceVersion", version.as_str()));
    }
    let ask = Ask::get(what(watched), with_query(&path, &query));
    let response = match tokio::time::timeout(REQUEST_TIMEOUT, transport.watch(&ask)).await {
        Ok(Ok(response)) => response,
        Ok(Err(Cut { again: true, error, .. })) => return End::Cut(Some(error)),
        Err(_) => return End::Cut(None),
        Ok(Err(Cut { again: false, error, .. })) => return End::Failed(error),
    };
    let status = response.status();
    if status.is_success() && version.is_empty() {
        // The watch begins now, with what there is; what went before that is not told.
        see(Seen::Gap);
    }
    let mut body = response.into_body();
    let mut buffer = BytesMut::new();
    loop {
        let frame = match tokio::time::timeout(MAX_SILENCE, body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            // Silent, ended or cut.
            _ => break,
        };
        let Some(data) = frame.data_ref() else { continue };
        if buffer.len() + data.len() > MAX_EVENT_BYTES {
            return End::Cut(None);
        }
        buffer.extend_from_slice(data);
        if !status.is_success() {
            continue;
        }
        while let Some(end) = buffer.iter().position(|&b| b == b'\n') {
            if let Some(end) = event(transport, watched, &buffer[..end], version, wanted, see, heard) {
                return end;
            }
            buffer.advance(end + 1);
        }
    }
    match status {
        status if status.is_success() => End::Cut(None),
        StatusCode::GONE => End::Forgotten,
        StatusCode::TOO_MANY_REQUESTS => End::Cut(None),
        StatusCode::UNAUTHORIZED if transport.renewed().await => End::Cut(None),
        status if status.is_server_error() => End::Cut(None),
        status => End::Failed(status::fault(&ask.what, &transport.target, status, &buffer, Duration::ZERO)),
    }
}

/// Handles one line; some where the connection is of no more use.
fn event(
    transport: &Shared,
    watched: &Watched,
    line: &[u8],
    version: &mut String,
    wanted: &impl Fn(&str) -> bool,
    see: &mut impl FnMut(Seen),
    heard: &mut bool,
) -> Option<End> {
    if line.iter().all(u8::is_ascii_whitespace) {
        return None;
    }
    let Ok(peek) = serde_json::from_slice::<Peek<'_>>(line) else {
        return Some(End::Cut(None));
    };
    if peek.kind == "ERROR" {
        let body = serde_json::from_slice::<Full>(line).map(|f| f.object.to_string()).unwrap_or_default();
        let said = status::Status::of(body.as_bytes());
        return Some(match said.code {
            410 => End::Forgotten,
            403 | 401 => {
                let status = StatusCode::from_u16(said.code).unwrap_or(StatusCode::FORBIDDEN);
                End::Failed(status::fault(
                    &what(watched),
                    &transport.target,
                    status,
                    body.as_bytes(),
                    Duration::ZERO,
                ))
            }
            _ => End::Cut(None),
        });
    }
    *heard = true;
    if !peek.object.metadata.resource_version.is_empty() {
        *version = peek.object.metadata.resource_version;
    }
    if peek.kind == "BOOKMARK" || !wanted(&peek.object.metadata.name) {
        return None;
    }
    if let Ok(full) = serde_json::from_slice::<Full>(line) {
        see(if peek.kind == "DELETED" { Seen::Gone(full.object) } else { Seen::Object(full.object) });
    }
    None
}
