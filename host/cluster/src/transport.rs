//! Sends requests: bounded in number, size and time, with retries, and with fresh credentials where they ran out.

use std::error::Error as StdError;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use jiff::{SignedDuration, Timestamp};
use kube::client::AuthError;
use serde::Deserialize;
use serde_json::Value as Json;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::connect::{BoxError, Lines};
use crate::error::{ClusterError, Words};
use crate::retry::Retries;
use crate::status;

/// Requests in flight: what saturates an API server on two cores, a third of the streams that it lets one connection
/// have at the least, and one connection each where the other end has no HTTP/2.
const MAX_IN_FLIGHT: usize = 32;
/// An API server gives up on a request after 60 s; a little later nothing will come any more.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(70);
/// The largest reply that is read: a page of a list stays far below.
const MAX_REPLY_BYTES: usize = 256 * 1024 * 1024;

/// One request.
pub(crate) struct Ask {
    /// For errors: `get ConfigMap a/b`.
    pub(crate) what: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) accept: &'static str,
    pub(crate) body: Bytes,
    /// Whether it may be sent again when it is not known what became of it.
    pub(crate) repeatable: bool,
}

pub(crate) const JSON: &str = "application/json";

impl Ask {
    pub(crate) fn get(what: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            method: Method::GET,
            path: path.into(),
            content_type: None,
            accept: JSON,
            body: Bytes::new(),
            repeatable: true,
        }
    }

    /// With a body that is wiped from memory when the last copy of the request goes.
    pub(crate) fn with_secret_body(mut self, body: Vec<u8>) -> Self {
        self.body = Bytes::from_owner(Zeroizing::new(body));
        self
    }
}

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

pub(crate) struct Transport {
    /// The target's name, for errors.
    pub(crate) target: String,
    server: String,
    config: kube::Config,
    /// With how often they were made anew.
    lines: RwLock<(u32, Lines)>,
    renewing: tokio::sync::Mutex<()>,
    slots: Semaphore,
    /// Since when it takes no connection, though it had answered: shared, so that not each request waits for it anew.
    away: Mutex<Option<Instant>>,
    /// How far the server's clock is ahead of ours, from its first answer.
    ahead: OnceLock<SignedDuration>,
}

impl Transport {
    pub(crate) async fn new(target: &str, mut config: kube::Config) -> Result<Self, ClusterError> {
        let agent = concat!("sheave/", env!("CARGO_PKG_VERSION"));
        config.headers.push((header::USER_AGENT, header::HeaderValue::from_static(agent)));
        let lines = build(target, &config).await?;
        Ok(Self {
            target: target.to_owned(),
            server: config.cluster_url.to_string().trim_end_matches('/').to_owned(),
            config,
            lines: RwLock::new((0, lines)),
            renewing: tokio::sync::Mutex::new(()),
            slots: Semaphore::new(MAX_IN_FLIGHT),
            away: Mutex::new(None),
            ahead: OnceLock::new(),
        })
    }

    /// The reply's JSON, where it is a success.
    pub(crate) async fn json(&self, ask: &Ask) -> Result<Json, ClusterError> {
        let reply = self.send(ask).await?;
        self.parse(ask, &reply)
    }

    pub(crate) fn parse(&self, ask: &Ask, reply: &Reply) -> Result<Json, ClusterError> {
        self.read(ask, reply)
    }

    /// An answer as whatever it should be.
    pub(crate) fn read<'a, T: Deserialize<'a>>(
        &self,
        ask: &Ask,
        reply: &'a Reply,
    ) -> Result<T, ClusterError> {
        if !reply.status.is_success() {
            return Err(self.fault(ask, reply, Duration::ZERO));
        }
        serde_json::from_slice(&reply.body).map_err(|_| ClusterError::Server {
            what: ask.what.clone(),
            status: reply.status.as_u16(),
            words: Words::new("the answer is no JSON"),
        })
    }

    pub(crate) fn fault(&self, ask: &Ask, reply: &Reply, waited: Duration) -> ClusterError {
        status::fault(&ask.what, &self.target, reply.status, &reply.body, waited)
    }

    /// Sends a request until it is answered; the answer may be a refusal, which is a reply like others.
    pub(crate) async fn send(&self, ask: &Ask) -> Result<Reply, ClusterError> {
        let mut retries = Retries::default();
        let mut renewed = false;
        loop {
            let generation = self.generation();
            let outcome = {
                // The semaphore is never closed; a request without a slot is still right.
                let _slot = self.slots.acquire().await;
                tokio::time::timeout(REQUEST_TIMEOUT, self.once(ask)).await
            };
            let wait = match outcome {
                Ok(Ok(reply)) => {
                    if reply.status == StatusCode::UNAUTHORIZED && !renewed && self.can_renew() {
                        renewed = true;
                        self.renew(generation).await?;
                        continue;
                    }
                    let after = reply.headers.get(header::RETRY_AFTER).and_then(|v| v.to_str().ok());
                    match retries.after_busy(reply.status, after) {
                        Some(wait) => wait,
                        None if reply.status == StatusCode::TOO_MANY_REQUESTS => {
                            return Err(self.fault(ask, &reply, retries.waited()));
                        }
                        None => return Ok(reply),
                    }
                }
                Ok(Err(cut)) if cut.again && ask.repeatable => match retries.after_cut(self.outage(&cut)) {
                    Some(wait) => wait,
                    None => return Err(cut.error),
                },
                Ok(Err(cut)) => return Err(cut.error),
                Err(_) => {
                    return Err(ClusterError::Timeout { what: ask.what.clone(), after: REQUEST_TIMEOUT });
                }
            };
            tracing::debug!(target = self.target, what = ask.what, ?wait, "asking again");
            tokio::time::sleep(wait).await;
        }
    }

    async fn once(&self, ask: &Ask) -> Result<Reply, Cut> {
        let response = self.answered(self.lines().request(self.request(ask)?).await)?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MAX_REPLY_BYTES).collect().await.map_err(|e| {
            if e.downcast_ref::<LengthLimitError>().is_some() {
                return Cut {
                    again: false,
                    refused: false,
                    error: ClusterError::Server {
                        what: ask.what.clone(),
                        status: head.status.as_u16(),
                        words: Words::new("the answer is larger than we read"),
                    },
                };
            }
            self.cut(&*e)
        })?;
        Ok(Reply { status: head.status, headers: head.headers, body: body.to_bytes() })
    }

    /// Begins a watch, and gives the response with its body still to come.
    pub(crate) async fn watch(&self, ask: &Ask) -> Result<http::Response<Incoming>, Cut> {
        self.answered(self.lines().watch(self.request(ask)?).await)
    }

    fn request(&self, ask: &Ask) -> Result<Request<Full<Bytes>>, Cut> {
        let mut request =
            Request::builder().method(ask.method.clone()).uri(&ask.path).header(header::ACCEPT, ask.accept);
        if let Some(kind) = ask.content_type {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        request.body(Full::new(ask.body.clone())).map_err(|e| Cut {
            again: false,
            refused: false,
            error: ClusterError::Server {
                what: ask.what.clone(),
                status: 0,
                words: Words::new(&e.to_string()),
            },
        })
    }

    fn answered(
        &self,
        answer: Result<http::Response<Incoming>, BoxError>,
    ) -> Result<http::Response<Incoming>, Cut> {
        let response = answer.map_err(|e| self.cut(&*e))?;
        self.ahead.get_or_init(|| clock_ahead(response.headers()));
        *self.away.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(response)
    }

    /// The time on the server's clock, to a second or two.
    pub(crate) fn server_now(&self) -> Timestamp {
        let ahead = self.ahead.get().copied().unwrap_or(SignedDuration::ZERO);
        let now = Timestamp::now();
        now.checked_add(ahead).unwrap_or(now)
    }

    /// Asks for fresh credentials after a refusal, where a plugin gives them. Whether to ask again.
    pub(crate) async fn renewed(&self) -> bool {
        self.can_renew() && self.renew(self.generation()).await.is_ok()
    }

    /// For how long the server has taken no connection; none where it did, or never answered.
    fn outage(&self, cut: &Cut) -> Option<Duration> {
        self.ahead.get().filter(|_| cut.refused)?;
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        Some(away.get_or_insert_with(Instant::now).elapsed())
    }

    fn cut(&self, error: &(dyn StdError + 'static)) -> Cut {
        if let Some(kube::Error::Auth(auth)) = error.downcast_ref::<kube::Error>() {
            return Cut { again: false, refused: false, error: credentials(&self.target, auth) };
        }
        if let Some(auth) = sources(error).find_map(|e| e.downcast_ref::<AuthError>()) {
            return Cut { again: false, refused: false, error: credentials(&self.target, auth) };
        }
        let why = chain(error);
        let (target, server) = (self.target.clone(), self.server.clone());
        if why.contains("certificate") {
            let error = ClusterError::Untrusted { target, server, why };
            return Cut { again: false, refused: false, error };
        }
        let refused = sources(error).filter_map(|e| e.downcast_ref::<hyper_util::client::legacy::Error>());
        let refused = refused.into_iter().any(|e| e.is_connect());
        Cut { again: true, refused, error: ClusterError::Unreachable { target, server, why } }
    }

    fn generation(&self) -> u32 {
        self.lines.read().unwrap_or_else(PoisonError::into_inner).0
    }

    fn lines(&self) -> Lines {
        self.lines.read().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// Whether asking the credential plugin again may help against a refusal.
    fn can_renew(&self) -> bool {
        self.config.auth_info.exec.is_some()
    }

    /// Makes the connections anew, which runs the credential plugin, unless somebody else just did.
    async fn renew(&self, seen: u32) -> Result<(), ClusterError> {
        let _one = self.renewing.lock().await;
        if self.generation() == seen {
            let lines = build(&self.target, &self.config).await?;
            *self.lines.write().unwrap_or_else(PoisonError::into_inner) = (seen + 1, lines);
        }
        Ok(())
    }
}

/// A request that got no answer.
pub(crate) struct Cut {
    /// Whether another attempt could go better.
    pub(crate) again: bool,
    /// Whether no connection came about.
    pub(crate) refused: bool,
    pub(crate) error: ClusterError,
}

fn clock_ahead(headers: &HeaderMap) -> SignedDuration {
    let date = headers.get(header::DATE).and_then(|d| d.to_str().ok());
    let theirs = date.and_then(|d| jiff::fmt::rfc2822::parse(d).ok());
    theirs.map_or(SignedDuration::ZERO, |t| t.timestamp().duration_since(Timestamp::now()))
}

/// Prepares connections. Credential plugins run meanwhile, as processes that are waited for: off the async threads.
async fn build(target: &str, config: &kube::Config) -> Result<Lines, ClusterError> {
    let (name, config) = (target.to_owned(), config.clone());
    let built = tokio::task::spawn_blocking(move || {
        Lines::new(&config).map_err(|e| match &e {
            kube::Error::Auth(auth) => credentials(&name, auth),
            other => {
                ClusterError::Credentials { why: chain(other), target: name.clone(), words: Words::default() }
            }
        })
    });
    built.await.unwrap_or_else(|_| {
        Err(ClusterError::Credentials {
            target: target.to_owned(),
            why: "no connection could be prepared".to_owned(),
            words: Words::default(),
        })
    })
}

fn credentials(target: &str, error: &AuthError) -> ClusterError {
    let (why, words) = match error {
        // Its own text would show the plugin's output, which is where tokens stand.
        AuthError::AuthExecRun { cmd, out } => (
            format!("the plugin `{cmd}` failed with {}", out.status),
            Words::new(&String::from_utf8_lossy(&out.stderr)),
        ),
        AuthError::AuthExecParse(_) => {
            ("the plugin's output is not what it should be".to_owned(), Words::default())
        }
        other => (chain(other), Words::default()),
    };
    ClusterError::Credentials { target: target.to_owned(), why, words }
}

fn sources<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    // A source that cycles must not hold us.
    const MAX_SOURCES: usize = 16;
    let mut next = Some(error);
    let each = move || {
        let e = next?;
        next = e.source();
        Some(e)
    };
    std::iter::from_fn(each).take(MAX_SOURCES)
}

/// The error and its causes in one line; each cause that the line before already says is left out.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut line = String::new();
    for text in sources(error).map(ToString::to_string) {
        if line.is_empty() {
            line = text;
        } else if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
    }
    line
}

/// Shared by what outlives one call.
pub(crate) type Shared = Arc<Transport>;
