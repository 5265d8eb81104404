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
    within_reach(route, found)
}

/// All addresses that were found. One out of reach among others is how a name is turned against its own network.
fn within_reach(route: &Route, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Error> {
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

/// What the reader of a reply's head holds: the headers, and a line as long as the longest that is asked for before them. It
/// reads in steps, so that the exact limit is looked at when the head is there.
const HEAD_BUFFER: usize = limits::HTTP_HEADER_BYTES + limits::HTTP_URL;

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    out: Outgoing,
    patience: &Patience,
) -> Result<Response<Bytes>, Error> {
    let (mut sender, connection) = http1::Builder::new()
        .max_headers(limits::HTTP_HEADERS)
        .max_buf_size(HEAD_BUFFER)
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
    if section(&parts.headers) > limits::HTTP_HEADER_BYTES {
        return Err(headers_too_large());
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

/// Bytes of headers as they are sent, a line each.
fn section(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + ": \r\n".len() + value.len()).sum()
}

fn headers_too_large() -> Error {
    Error::HttpResponseHeaderSectionSize(u32::try_from(limits::HTTP_HEADER_BYTES).ok())
}

fn broken(error: hyper::Error) -> Error {
    if error.is_parse_too_large() {
        headers_too_large()
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
    use tokio::net::TcpSocket;

    use super::*;
    use crate::http::address::Reach;

    /// Short enough for a test that waits for its end.
    const SOON: Duration = Duration::from_millis(50);
    /// Much longer than any of these tests takes.
    const LATE: Duration = Duration::from_secs(600);
    /// Who waits longer waits for the wrong thing.
    const STUCK: Duration = Duration::from_secs(60);

    fn patience() -> Patience {
        Patience { connect: LATE, first_byte: LATE, between_bytes: LATE, deadline: Instant::now() + LATE }
    }

    fn route(reach: Reach) -> Route {
        Route {
            host: Host::parse("server.example").unwrap(),
            port: 80,
            tls: None,
            reach,
            path: "/".to_owned(),
            headers: HeaderMap::new(),
        }
    }

    /// An exchange with a server that has read the request.
    async fn with<F: Future<Output = ()> + Send + 'static>(
        patience: Patience,
        answer: impl FnOnce(DuplexStream) -> F + Send + 'static,
    ) -> Result<Response<Bytes>, Error> {
        let (near, mut far) = tokio::io::duplex(1 << 20);
        tokio::spawn(async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(far.read_u8().await.unwrap());
            }
            answer(far).await;
        });
        let out = Outgoing {
            method: Method::GET,
            route: route(Reach::Public),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        tokio::time::timeout(STUCK, talk(near, out, &patience)).await.unwrap()
    }

    /// It says all of this, and keeps the connection open.
    async fn says(patience: Patience, parts: Vec<String>) -> Result<Response<Bytes>, Error> {
        with(patience, |mut far| async move {
            for part in parts {
                far.write_all(part.as_bytes()).await.unwrap();
            }
            std::future::pending().await
        })
        .await
    }

    const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n";

    #[tokio::test]
    async fn a_first_byte_is_waited_for_so_long() {
        let reply = says(patience(), vec![HEAD.into(), "done".into()]).await.unwrap();
        assert_eq!(&reply.body()[..], b"done");
        let hasty = Patience { first_byte: SOON, ..patience() };
        for silence in [vec![], vec!["HTTP/1.1 200".to_owned()]] {
            let error = says(hasty, silence).await.unwrap_err();
            assert!(matches!(error, Error::HttpResponseTimeout), "{error:?}");
        }
    }

    #[tokio::test]
    async fn the_next_part_is_waited_for_so_long() {
        let parts = |last: &[&str]| {
            [HEAD, "do"].iter().chain(last).map(|part| (*part).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(&says(patience(), parts(&["ne"])).await.unwrap().body()[..], b"done");
        let hasty = Patience { between_bytes: SOON, ..patience() };
        let error = says(hasty, parts(&[])).await.unwrap_err();
        assert!(matches!(error, Error::ConnectionReadTimeout), "{error:?}");
    }

    #[tokio::test]
    async fn the_end_of_the_call_is_the_end_of_all_waiting() {
        let over = Patience { deadline: Instant::now() + SOON, ..patience() };
        let error = says(over, vec![]).await.unwrap_err();
        assert!(matches!(error, Error::HttpResponseTimeout), "{error:?}");
        let over = Patience { deadline: Instant::now() + SOON, ..patience() };
        let error = says(over, vec![HEAD.into(), "do".into()]).await.unwrap_err();
        assert!(matches!(error, Error::ConnectionReadTimeout), "{error:?}");
    }

    #[tokio::test]
    async fn headers_as_large_as_may_be_and_one_byte_more() {
        let (status, fixed) = ("HTTP/1.1 200 OK\r\n", "content-length: 4\r\n");
        let reply = |bytes: usize| {
            let filler = format!("x: {}\r\n", "y".repeat(bytes - fixed.len() - "x: \r\n".len()));
            vec![format!("{status}{filler}{fixed}\r\ndone")]
        };
        let most = says(patience(), reply(limits::HTTP_HEADER_BYTES)).await.unwrap();
        assert_eq!(section(most.headers()), limits::HTTP_HEADER_BYTES);
        for bytes in [limits::HTTP_HEADER_BYTES + 1, 10 * limits::HTTP_HEADER_BYTES] {
            let error = says(patience(), reply(bytes)).await.unwrap_err();
            assert!(matches!(error, Error::HttpResponseHeaderSectionSize(Some(65_536))), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_connection_is_waited_for_so_long_and_leaves_time_for_the_next_address() {
        // Nobody takes connections from its queue: once that is full, the kernel answers no more.
        let silent = TcpSocket::new_v4().unwrap();
        silent.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = silent.local_addr().unwrap();
        let _listening = silent.listen(1).unwrap();
        let hasty = Patience { connect: SOON, ..patience() };
        let mut queued = Vec::new();
        let full = loop {
            match tokio::time::timeout(STUCK, connect(&[address], &hasty)).await.unwrap() {
                Ok(stream) => queued.push(stream),
                Err(error) => break error,
            }
        };
        assert!(matches!(full, Error::ConnectionTimeout), "{full:?}");
        let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = connect(&[address, other.local_addr().unwrap()], &hasty).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), other.local_addr().unwrap());
    }

    #[test]
    fn one_address_out_of_reach_is_enough() {
        let public = |n: u8| SocketAddr::from(([1, 1, 1, n], 80));
        let mut found: Vec<SocketAddr> = (1..=limits::HTTP_ADDRESSES as u8).map(public).collect();
        assert_eq!(within_reach(&route(Reach::Public), found.clone()).unwrap(), found);
        *found.last_mut().unwrap() = SocketAddr::from(([10, 0, 0, 1], 80));
        let error = within_reach(&route(Reach::Public), found.clone()).unwrap_err();
        assert!(format!("{error:?}").contains("10.0.0.1"), "{error:?}");
        assert!(within_reach(&route(Reach::Private), found).is_ok());
    }
}
