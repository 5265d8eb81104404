//! Requests to servers: over a connection of the blueprint, or to a host that was granted.
//!
//! Only [`read`](crate::Provider::read), [`create`](crate::Provider::create), [`update`](crate::Provider::update),
//! [`delete`](crate::Provider::delete) and [`adopt`](crate::Provider::adopt) speak HTTP. The host adds a connection's
//! credentials, follows no redirect, and masks every secret that it knows in a reply. A token ([`crate::Context::is_secret`])
//! may be a whole header or a whole text of a JSON body: the host puts the secret in its place.

use serde_json::Value;

use crate::bindings::asks::wasi::http::outgoing_handler::handle;
use crate::bindings::asks::wasi::http::types::{
    ErrorCode, Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
};
use crate::bindings::asks::wasi::io::streams::StreamError;
use crate::{Diagnostic, Failure};

/// What follows a connection's name in a URL.
const CONNECTION_SUFFIX: &str = ".connection.invalid";
/// What one write takes.
const CHUNK: usize = 4096;
/// What one read asks for.
const READ: u64 = 64 << 10;

/// Where a request goes.
#[derive(Clone, Copy, Debug)]
pub enum To<'a> {
    /// A connection that the blueprint names under `targets:`; paths are beneath its URL.
    Connection(&'a str),
    /// `https://HOST` or `https://HOST:PORT`.
    Origin(&'a str),
}

/// A request that is to be sent.
#[derive(Clone, Debug, Default)]
pub struct Request {
    method: String,
    scheme: String,
    authority: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

/// What a server answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// `200`, `404`, ...
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Secrets that the host knows are masked.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoReply {
    /// What the host refused, with the grant that is missing.
    Denied(String),
    /// Nothing was sent.
    Unreachable(String),
    /// It was sent, or part of it: nobody knows what became of it.
    Lost(String),
}

impl Request {
    /// `path` begins with a slash, and may have a query.
    pub fn new(method: &str, to: To<'_>, path: &str) -> Self {
        let (scheme, authority) = match to {
            To::Connection(name) => ("https", format!("{name}{CONNECTION_SUFFIX}")),
            To::Origin(url) => {
                let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
                (scheme, rest.trim_end_matches('/').to_owned())
            }
        };
        Self {
            method: method.to_owned(),
            scheme: scheme.to_owned(),
            authority,
            path: path.to_owned(),
            ..Self::default()
        }
    }

    /// With a header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Whether it has the header.
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// With a JSON body, and the header that says so.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        let said = self.has_header("content-type");
        let with = self.body(body.to_string());
        if said { with } else { with.header("content-type", "application/json") }
    }

    /// Sends it and takes the whole answer in.
    ///
    /// # Errors
    /// See [`NoReply`]. An answer of any status is none.
    pub fn send(&self) -> Result<Reply, NoReply> {
        if !cfg!(target_family = "wasm") {
            return Err(NoReply::Unreachable("no host runs this".to_owned()));
        }
        let invalid = |what: &str| NoReply::Denied(format!("the {what} of the request is not valid"));
        let headers: Vec<_> = self.headers.iter().map(|(n, v)| (n.clone(), v.clone().into_bytes())).collect();
        let headers = Fields::from_list(&headers).map_err(|_| {
            NoReply::Denied("a header of the request is not valid, or the host's own".to_owned())
        })?;
        let request = OutgoingRequest::new(headers);
        request.set_method(&method(&self.method)).map_err(|()| invalid("method"))?;
        request.set_scheme(Some(&scheme(&self.scheme))).map_err(|()| invalid("scheme"))?;
        request.set_authority(Some(&self.authority)).map_err(|()| invalid("host"))?;
        request.set_path_with_query(Some(&self.path)).map_err(|()| invalid("path"))?;
        let body = match &self.body {
            Some(bytes) => Some((request.body().map_err(|()| invalid("body"))?, bytes)),
            None => None,
        };
        let answer = handle(request, None).map_err(|code| NoReply::of(&code))?;
        // Where the host refused the request it no longer takes its body: what it says comes with the answer.
        let written = body.is_none_or(|(body, bytes)| write(body, bytes));
        answer.subscribe().block();
        match answer.get() {
            Some(Ok(Ok(reply))) => read(&reply),
            Some(Ok(Err(code))) => Err(NoReply::of(&code)),
            _ if !written => Err(NoReply::Lost("the request could not be written".to_owned())),
            _ => Err(NoReply::Lost("the host gave no answer".to_owned())),
        }
    }
}

/// Whether all was taken.
fn write(body: OutgoingBody, bytes: &[u8]) -> bool {
    let Ok(stream) = body.write() else { return false };
    let taken = bytes.chunks(CHUNK).all(|chunk| stream.blocking_write_and_flush(chunk).is_ok());
    drop(stream);
    taken && OutgoingBody::finish(body, None).is_ok()
}

fn read(reply: &IncomingResponse) -> Result<Reply, NoReply> {
    let lost = |what: &str| NoReply::Lost(what.to_owned());
    let headers = reply.headers().entries().into_iter();
    let headers = headers
        .map(|(name, value)| (name.to_ascii_lowercase(), String::from_utf8_lossy(&value).into_owned()));
    let (status, headers) = (reply.status(), headers.collect());
    let content = reply.consume().map_err(|()| lost("the reply has no body"))?;
    let stream = content.stream().map_err(|()| lost("the reply's body cannot be read"))?;
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(READ) {
            Ok(bytes) => body.extend(bytes),
            Err(StreamError::Closed) => return Ok(Reply { status, headers, body }),
            Err(StreamError::LastOperationFailed(why)) => return Err(lost(&why.to_debug_string())),
        }
    }
}

fn method(text: &str) -> Method {
    match text.to_ascii_uppercase().as_str() {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

fn scheme(text: &str) -> Scheme {
    match text {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    }
}

impl Reply {
    /// A header's first value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; none where it is something else.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The seconds that `retry-after` asks for, at most an hour; a date counts as none.
    pub fn retry_after(&self) -> Option<u32> {
        self.header("retry-after")?.trim().parse().ok().map(|seconds: u32| seconds.min(3600))
    }
}

impl NoReply {
    fn of(code: &ErrorCode) -> Self {
        let words = |text: &str| text.to_owned();
        match code {
            ErrorCode::InternalError(Some(why)) => match why.strip_prefix("denied: ") {
                Some(why) => Self::Denied(why.to_owned()),
                None => Self::Lost(why.clone()),
            },
            ErrorCode::DnsTimeout => Self::Unreachable(words("its name could not be looked up in time")),
            ErrorCode::DnsError(why) => Self::Unreachable(
                why.rcode.clone().unwrap_or_else(|| words("its name could not be looked up")),
            ),
            ErrorCode::DestinationNotFound | ErrorCode::DestinationUnavailable => {
                Self::Unreachable(words("it cannot be reached"))
            }
            ErrorCode::ConnectionRefused => Self::Unreachable(words("it refused the connection")),
            ErrorCode::ConnectionTimeout => Self::Unreachable(words("it could not be connected to in time")),
            ErrorCode::TlsCertificateError => Self::Unreachable(words("its certificate is not trusted")),
            ErrorCode::TlsProtocolError => Self::Unreachable(words("it does not speak TLS as it should")),
            ErrorCode::TlsAlertReceived(alert) => Self::Unreachable(format!(
                "it ended TLS: {}",
                alert.alert_message.as_deref().unwrap_or("no reason")
            )),
            ErrorCode::ConnectionLimitReached => {
                Self::Unreachable(words("this call has sent too many requests"))
            }
            ErrorCode::HttpRequestBodySize(_) => Self::Unreachable(words("the request's body is too large")),
            ErrorCode::HttpRequestHeaderSectionSize(_) | ErrorCode::HttpRequestHeaderSize(_) => {
                Self::Unreachable(words("the request has too many headers"))
            }
            ErrorCode::HttpRequestUriInvalid | ErrorCode::HttpRequestUriTooLong => {
                Self::Unreachable(words("the request's URL is not valid or too long"))
            }
            ErrorCode::HttpRequestMethodInvalid => {
                Self::Unreachable(words("the request's method is not valid"))
            }
            ErrorCode::HttpResponseBodySize(_) => Self::Lost(words("its reply is too large")),
            ErrorCode::HttpResponseHeaderSectionSize(_) => {
                Self::Lost(words("its reply's headers are too large"))
            }
            ErrorCode::HttpResponseContentCoding(coding) => {
                Self::Lost(format!("its reply is compressed ({})", coding.as_deref().unwrap_or("unknown")))
            }
            ErrorCode::HttpResponseTimeout | ErrorCode::ConnectionReadTimeout => {
                Self::Lost(words("it did not answer in time"))
            }
            ErrorCode::HttpResponseIncomplete | ErrorCode::ConnectionTerminated => {
                Self::Lost(words("it ended the connection"))
            }
            other => Self::Lost(format!("{other:?}")),
        }
    }

    /// Why, for people.
    pub fn why(&self) -> &str {
        match self {
            Self::Denied(why) | Self::Unreachable(why) | Self::Lost(why) => why,
        }
    }

    /// As what a plugin answers.
    pub fn failure(&self, server: &str) -> Failure {
        match self {
            Self::Denied(why) => {
                Failure::denied("http.not-granted", format!("{server} may not be asked"), why.clone())
            }
            Self::Unreachable(why) | Self::Lost(why) => Failure::retry(
                1000,
                Diagnostic::error("http.unreachable", format!("{server} gave no answer")).detail(why.clone()),
            ),
        }
    }
}
