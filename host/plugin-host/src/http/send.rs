//! One exchange: the name is resolved here, every address looked at, and the connection goes to an address that was.
//!
//! A connection serves one request: what another plugin, or another call, said on it can have no bearing on this one.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, Response, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use wasmtime_wasi_http::Error;
use wasmtime_wasi_http::io::TokioIo;

use super::address::{self, Refused};
use super::name::Host;
use super::rules::Route;
use super::{Outside, denied};
use crate::limits;

/// How long each part of an exchange may take; the guest can ask for less.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) connect: Duration,
    pub(crate) first_byte: Duration,
    pub(crate) between_bytes: Duration,
    /// When the exchange is over, whatever it does.
    pub(crate) deadline: Instant,
}

impl Patience {
    fn until(&self, part: Duration) -> Instant {
        self.deadline.min(Instant::now() + part)
    }
}

/// What is sent.
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) route: Route,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Sends a request and takes the whole reply in, masked.
pub(crate) async fn exchange(
    out: Outgoing,
    patience: Patience,
    outside: Option<Arc<dyn Outside>>,
) -> Result<Response<Bytes>, Error> {
    let addresses = timeout_at(patience.until(patience.connect), resolve(&out.route))
        .await
        .map_err(|_| Error::DnsTimeout)??;
    let stream = connect(&addresses, &patience).await?;
    let reply = match &out.route.tls {
        None => talk(stream, out, &patience).await?,
        Some(config) => {
            let name = match &out.route.host {
                Host::Name(name) => {
                    ServerName::try_from(name.clone()).map_err(|_| Error::TlsCertificateError)?
                }
                Host::Ip(ip) => ServerName::from(*ip),
            };
            let connector = tokio_rustls::TlsConnector::from(config.clone());
            let stream = timeout_at(patience.until(patience.connect), connector.connect(name, stream))
                .await
                .map_err(|_| Error::ConnectionTimeout)?
                .map_err(tls_error)?;
            talk(stream, out, &patience).await?
        }
    };
    Ok(masked(reply, outside.as_deref()))
}

/// Every address of the name, where all of them are within reach.
async fn resolve(route: &Route) -> Result<Vec<SocketAddr>, Error> {
    let unknown =
        || Error::DnsError { rcode: Some(format!("no address for `{}`", route.host)), info_code: None };
    let found: Vec<SocketAddr> = match &route.host {
        Host::Ip(ip) => vec![SocketAddr::new(*ip, route.port)],
        Host::Name(name) => tokio::net::lookup_host((name.as_str(), route.port))
            .await
            .map_err(|_| unknown())?
            .take(limits::HTTP_ADDRESSES)
            .collect(),
    };
    if found.is_empty() {
        return Err(unknown());
    }
    // One address out of reach among others is how a name is turned against its own network.
    for address in &found {
        address::check(address.ip(), route.reach).map_err(|why| refused(&route.host, address.ip(), why))?;
    }
    Ok(found)
}

fn refused(host: &Host, ip: IpAddr, why: Refused) -> Error {
    denied(match why {
        Refused::Private(why) => format!(
            "`{host}` has the address {ip}, and {why}: `private: true` in its grant, or a connection, allows that"
        ),
        Refused::Metadata => format!(
            "`{host}` has the address {ip} of a cloud's metadata service: only a grant with `private: true`, or a \
             connection whose URL names that address, allows that"
        ),
        Refused::Never(why) => format!("`{host}` has the address {ip}, and {why}: nothing allows that"),
    })
}

async fn connect(addresses: &[SocketAddr], patience: &Patience) -> Result<TcpStream, Error> {
    let mut last = Error::DestinationUnavailable;
    // An address that never answers leaves time for those after it.
    let share = patience.connect / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    for address in addresses {
        match timeout_at(patience.until(share), TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // A request is written at once: nothing is won by waiting for more.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(e)) if e.kind() == std::io::ErrorKind::ConnectionRefused => {
                last = Error::ConnectionRefused
            }
            Ok(Err(_)) => last = Error::DestinationUnavailable,
            Err(_) => last = Error::ConnectionTimeout,
        }
    }
    Err(last)
}

fn tls_error(error: std::io::Error) -> Error {
    match error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(_)) => Error::TlsCertificateError,
        Some(rustls::Error::AlertReceived(alert)) => Error::TlsAlertReceived {
            alert_id: Some(u8::from(*alert)),
            alert_message: Some(format!("{alert:?}")),
        },
        Some(_) => Error::TlsProtocolError,
        None => Error::ConnectionTerminated,
    }
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    out: Outgoing,
    patience: &Patience,
) -> Result<Response<Bytes>, Error> {
    let (mut sender, connection) = http1::Builder::new()
        .max_headers(limits::HTTP_HEADERS)
        .max_buf_size(limits::HTTP_HEADER_BYTES)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let request = request(out)?;
    let exchange = async {
        let reply = timeout_at(patience.until(patience.first_byte), sender.send_request(request))
            .await
            .map_err(|_| Error::HttpResponseTimeout)?
            .map_err(broken)?;
        receive(reply, patience).await
    };
    // The connection moves its bytes in this very task: it ends with the exchange.
    let moving = async {
        let _ = connection.await;
        std::future::pending().await
    };
    tokio::select! {
        biased;
        reply = exchange => reply,
        never = moving => never,
    }
}

fn request(out: Outgoing) -> Result<Request<Full<Bytes>>, Error> {
    let Outgoing { method, route, mut headers, body } = out;
    let default = if route.tls.is_some() { 443 } else { 80 };
    let authority =
        if route.port == default { route.host.to_string() } else { format!("{}:{}", route.host, route.port) };
    headers.insert(header::HOST, HeaderValue::try_from(authority).map_err(|_| Error::HttpRequestUriInvalid)?);
    if !body.is_empty() || matches!(method, Method::POST | Method::PUT | Method::PATCH) {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    let mut request = Request::builder()
        .method(method)
        .version(Version::HTTP_11)
        .uri(route.path)
        .body(Full::new(body))
        .map_err(|_| Error::HttpRequestUriInvalid)?;
    *request.headers_mut() = headers;
    Ok(request)
}

async fn receive(
    reply: Response<hyper::body::Incoming>,
    patience: &Patience,
) -> Result<Response<Bytes>, Error> {
    let (parts, mut body) = reply.into_parts();
    if parts.status == http::StatusCode::SWITCHING_PROTOCOLS {
        return Err(Error::HttpUpgradeFailed);
    }
    if let Some(coding) = parts.headers.get(header::CONTENT_ENCODING).filter(|c| *c != "identity") {
        // What is compressed can be a thousand times as large, and hides secrets from the mask.
        let coding = coding.to_str().ok().map(|c| crate::text::line(c).into_owned());
        return Err(Error::HttpResponseContentCoding(coding));
    }
    let mut whole = Vec::new();
    loop {
        let frame = timeout_at(patience.until(patience.between_bytes), body.frame())
            .await
            .map_err(|_| Error::ConnectionReadTimeout)?;
        let Some(frame) = frame else { break };
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        if whole.len() + data.len() > limits::HTTP_BODY {
            return Err(Error::HttpResponseBodySize(Some(limits::HTTP_BODY as u64)));
        }
        whole.extend_from_slice(&data);
    }
    Ok(Response::from_parts(parts, whole.into()))
}

fn broken(error: hyper::Error) -> Error {
    if error.is_parse_too_large() {
        Error::HttpResponseHeaderSectionSize(u32::try_from(limits::HTTP_HEADER_BYTES).ok())
    } else if error.is_incomplete_message() {
        Error::HttpResponseIncomplete
    } else if error.is_parse() || error.is_user() {
        Error::HttpProtocolError
    } else {
        Error::ConnectionTerminated
    }
}

/// The reply without what only the host knows, and without the length, which may no longer be right.
fn masked(reply: Response<Bytes>, outside: Option<&dyn Outside>) -> Response<Bytes> {
    let (mut parts, mut body) = reply.into_parts();
    parts.extensions.clear();
    parts.headers.remove(header::CONTENT_LENGTH);
    if let Some(outside) = outside {
        for value in parts.headers.values_mut() {
            let shown = mask(value.as_bytes(), outside);
            if shown != value.as_bytes() {
                *value = HeaderValue::from_bytes(&shown).unwrap_or(HeaderValue::from_static("(sensitive)"));
            }
        }
        body = mask(&body, outside).into();
    }
    Response::from_parts(parts, body)
}

/// A secret is a text: it stands within one of the parts that are.
fn mask(bytes: &[u8], outside: &dyn Outside) -> Vec<u8> {
    let mut shown = Vec::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        if !chunk.valid().is_empty() {
            shown.extend_from_slice(outside.mask(chunk.valid()).as_bytes());
        }
        shown.extend_from_slice(chunk.invalid());
    }
    shown
}
