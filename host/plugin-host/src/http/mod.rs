//! HTTP for plugins that were granted it: `wasi:http/outgoing-handler`, in `read`, `apply` and `adopt` alone.
//!
//! A request is checked by its name first ([`rules`]), then by every address of that name ([`address`]), and goes to
//! an address that was checked ([`send`]). Redirects are not followed, proxies of the environment not asked, nothing
//! is decompressed. Requests and replies are held whole and bounded, so that tokens can be replaced in the one
//! ([`request`]) and secrets masked in the other.

mod address;
mod connection;
mod name;
mod request;
mod rules;
mod send;
mod tls;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, Method, Response};
use http_body_util::{BodyExt as _, Full};
use sheave_model::SecretText;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

pub use connection::{Auth, CONNECTION_SUFFIX, Connection, ConnectionSettings};
pub(crate) use rules::Rules;

use crate::limits;
use send::{Outgoing, Patience};

/// What the host knows and plugins do not: connections, secrets, what tokens stand for. One for each call.
pub trait Outside: Send + Sync {
    /// The connection of that name in the blueprint.
    ///
    /// # Errors
    /// Why there is none, for people.
    fn connection(&self, name: &str) -> Result<Arc<Connection>, String>;

    /// The text without any secret that is known.
    fn mask(&self, text: &str) -> String;

    /// What a text that is about to be sent holds of tokens.
    fn placed(&self, text: &str) -> Placed;

    /// The secret that a token stands for, where the plugin may see it. That it is seen is written down before it comes.
    ///
    /// # Errors
    /// Why it may not, for people.
    fn reveal<'a>(&'a self, _token: &'a str) -> Revealing<'a> {
        Box::pin(async { Err(NOT_REVEALED.to_owned()) })
    }
}

/// A secret on its way to who may see it, or why it stays.
pub type Revealing<'a> = Pin<Box<dyn Future<Output = Result<SecretText, String>> + Send + 'a>>;

/// What a text holds of tokens.
#[derive(Clone, Debug)]
pub enum Placed {
    /// None.
    Plain,
    /// It is one, of this secret.
    Secret(SecretText),
    /// It is one, of what is not known yet.
    Unknown,
    /// One stands within it, or several do.
    Partly,
}

/// What a plugin is told that was not granted to see a secret.
pub const NOT_REVEALED: &str =
    "to see a secret needs the grant `reveal`, which this plugin does not have for it";

/// How errors begin that say which grant is missing: the interface has no case of its own with words.
pub(crate) const DENIED: &str = "denied: ";

pub(crate) fn denied(why: String) -> Error {
    Error::InternalError(Some(format!("{DENIED}{why}")))
}

/// One call's side of `wasi:http`.
pub(crate) struct Http {
    rules: Rules,
    outside: Option<Arc<dyn Outside>>,
    deadline: Instant,
    sent: AtomicUsize,
    at_once: Arc<Semaphore>,
}

impl Http {
    /// For a call that ends at `deadline` by the host's clock. A guest learns of a server that is too slow a little
    /// before, so that it can still say so.
    pub(crate) fn new(
        rules: Rules,
        outside: Option<Arc<dyn Outside>>,
        deadline: std::time::Instant,
        time: Duration,
    ) -> Self {
        let grace = (time / 10).min(limits::HTTP_GRACE);
        let deadline = deadline.checked_sub(grace).unwrap_or(deadline);
        Self {
            rules,
            outside,
            deadline: deadline.into(),
            sent: AtomicUsize::new(0),
            at_once: Arc::new(Semaphore::new(limits::HTTP_AT_ONCE)),
        }
    }

    /// For a call that has no network at all.
    pub(crate) fn none() -> Self {
        Self::new(Rules::default(), None, std::time::Instant::now(), Duration::ZERO)
    }

    fn patience(&self, options: Option<&RequestOptions>) -> Patience {
        let least = |asked: Option<Duration>, most: Duration| asked.map_or(most, |asked| asked.min(most));
        Patience {
            connect: least(options.and_then(|o| o.connect_timeout), limits::HTTP_CONNECT),
            first_byte: least(options.and_then(|o| o.first_byte_timeout), limits::HTTP_FIRST_BYTE),
            between_bytes: least(options.and_then(|o| o.between_bytes_timeout), limits::HTTP_BETWEEN_BYTES),
            deadline: self.deadline,
        }
    }
}

type Work = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Box<dyn Future<Output = Result<(Response<WasiBody>, Work), Error>> + Send>;

impl WasiHttpHooks for Http {
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        // A guest may measure its body, and its measure is checked; all else is said when the request is sent, in words.
        *name == http::header::HOST
    }

    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Work,
    ) -> Sent {
        let outside = self.outside.clone();
        let patience = self.patience(options.as_ref());
        let at_once = self.at_once.clone();
        let (parts, body) = request.into_parts();
        let planned = if self.sent.fetch_add(1, Ordering::Relaxed) >= limits::HTTP_REQUESTS {
            Err(Error::ConnectionLimitReached)
        } else if parts.method == Method::CONNECT || parts.method == Method::TRACE {
            Err(denied(format!("{} is not spoken", parts.method)))
        } else {
            self.rules.route(&parts.method, &parts.uri, outside.as_deref()).map_err(denied)
        };
        Box::new(async move {
            let route = planned?;
            let known = outside.as_deref();
            if route.path.len() > limits::HTTP_URL {
                return Err(Error::HttpRequestUriTooLong);
            }
            request::path(&route.path, known)?;
            let headers = request::headers(&parts.headers, &route.headers, known)?;
            let exchange = async {
                let _turn = at_once.acquire_owned().await.map_err(|_| Error::ConnectionLimitReached)?;
                let body = request::body(request::collect(body).await?, &headers, known)?;
                send::exchange(
                    Outgoing { method: parts.method, route, headers, body },
                    patience,
                    outside.clone(),
                )
                .await
            };
            let reply = tokio::time::timeout_at(patience.deadline, exchange)
                .await
                .map_err(|_| Error::HttpResponseTimeout)??;
            let reply =
                reply.map(|body: Bytes| Full::new(body).map_err(|never| match never {}).boxed_unsync());
            let over: Work = Box::new(async { Ok(()) });
            Ok((reply, over))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_may_be_less_patient_and_not_more() {
        let http = Http::none();
        let of = |asked: Option<Duration>| {
            let options = RequestOptions {
                connect_timeout: asked,
                first_byte_timeout: asked,
                between_bytes_timeout: asked,
            };
            let patience = http.patience(Some(&options));
            [patience.connect, patience.first_byte, patience.between_bytes]
        };
        let most = [limits::HTTP_CONNECT, limits::HTTP_FIRST_BYTE, limits::HTTP_BETWEEN_BYTES];
        let none = http.patience(None);
        assert_eq!([none.connect, none.first_byte, none.between_bytes], most);
        assert_eq!(of(None), most);
        assert_eq!(of(Some(Duration::from_secs(1))), [Duration::from_secs(1); 3]);
        assert_eq!(of(Some(Duration::MAX)), most);
    }

    #[test]
    fn a_call_has_so_many_requests_under_way_and_no_more() {
        assert_eq!(Http::none().at_once.available_permits(), limits::HTTP_AT_ONCE);
    }
}
