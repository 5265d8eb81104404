//! Opens connections: one that all requests share (HTTP/2), and one for each watch (HTTP/1.1).
//!
//! A handshake costs both sides more than most requests do, and a plan over many namespaces would need as many as it
//! sends requests at once. Watches are kept apart, since a server bounds how many streams share a connection (250 with an
//! API server that is not told otherwise): more watches than that would hold up every request behind them. Where the other
//! end does not speak HTTP/2, a reverse proxy say, requests have connections of their own too.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper_rustls::{FixedServerNameResolver, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::ConfigExt as _;
use kube::client::middleware::AuthLayer;
use rustls::ClientConfig;
use tokio::sync::OnceCell;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceBuilder, ServiceExt as _};

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A connection that is not there by then, TLS and all, will not come.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A shared connection on which nothing has come for so long is asked whether it is still there, while requests wait.
const PING_AFTER: Duration = Duration::from_secs(30);
/// One that does not answer that by then is given up. Both as client-go has them.
const PING_TIMEOUT: Duration = Duration::from_secs(15);

/// Sends one request, with credentials, to the cluster's server.
type Line = BoxCloneSyncService<Request<Full<Bytes>>, Response<Incoming>, BoxError>;

/// What sends to one cluster. Cheap to clone; clones share connections.
#[derive(Clone)]
pub(crate) struct Lines {
    requests: Line,
    watches: Line,
    /// Set once the first request has been answered, well or ill: until then it is not known whether a connection can be
    /// shared, and each request would open one.
    tried: Arc<OnceCell<()>>,
}

impl Lines {
    /// Blocks while credential plugins run.
    pub(crate) fn new(config: &kube::Config) -> Result<Self, kube::Error> {
        let mut tcp = HttpConnector::new();
        // The address may say https: TLS comes above.
        tcp.enforce_http(false);
        // A request is often two small writes; the second would wait for the other side's acknowledgement of the first.
        tcp.set_nodelay(true);
        let tls = config.rustls_client_config()?;
        let Some(proxy) = config.proxy_url.clone() else { return Self::over(tcp, config, tls) };
        match proxy.scheme_str() {
            Some("socks5") => Self::over(SocksV5::new(proxy, tcp), config, tls),
            Some("http") => Self::over(tunnel(proxy, tcp), config, tls),
            Some("https") => {
                let to_proxy = HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_only();
                let to_proxy = to_proxy.enable_http1().wrap_connector(tcp);
                Self::over(tunnel(proxy, to_proxy), config, tls)
            }
            _ => Err(kube::Error::ProxyProtocolUnsupported { proxy_url: Box::new(proxy) }),
        }
    }

    fn over<C>(connector: C, config: &kube::Config, tls: ClientConfig) -> Result<Self, kube::Error>
    where
        C: Service<Uri, Response: Connection + Read + Write + Send + Unpin + 'static>,
        C: Clone + Send + Sync + 'static,
        C::Future: Send + 'static,
        C::Error: Into<BoxError>,
    {
        let auth = config.auth_layer()?;
        let https = || -> Result<_, kube::Error> {
            let https = HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http();
            let Some(name) = &config.tls_server_name else { return Ok(https) };
            let name = name.clone().try_into().map_err(kube::client::RustlsTlsError::InvalidServerName);
            let name = name.map_err(kube::Error::RustlsTls)?;
            Ok(https.with_server_name_resolver(FixedServerNameResolver::new(name)))
        };
        let shared = https()?.enable_all_versions().wrap_connector(connector.clone());
        let apart = https()?.enable_http1().wrap_connector(connector);
        Ok(Self {
            requests: line(shared, config, auth.as_ref())?,
            watches: line(apart, config, auth.as_ref())?,
            tried: Arc::default(),
        })
    }

    /// Sends a request of which only the answer matters. The first one goes alone.
    pub(crate) async fn request(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, BoxError> {
        let mut waiting = Some(request);
        let mut answer = None;
        self.tried
            .get_or_init(async || {
                if let Some(first) = waiting.take() {
                    answer = Some(self.requests.clone().oneshot(first).await);
                }
            })
            .await;
        match (answer, waiting) {
            (Some(answer), _) => answer,
            (None, Some(request)) => self.requests.clone().oneshot(request).await,
            (None, None) => Err("the first request was given up".into()),
        }
    }

    /// Begins a watch, which is an answer that does not end.
    pub(crate) async fn watch(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, BoxError> {
        self.watches.clone().oneshot(request).await
    }
}

/// One way of connecting, with what each request carries: the server's address, credentials, headers.
fn line<C>(connector: C, config: &kube::Config, auth: Option<&AuthLayer>) -> Result<Line, kube::Error>
where
    C: Service<Uri, Response: Connection + Read + Write + Send + Unpin + 'static, Error = BoxError>,
    C: Clone + Send + Sync + 'static,
    C::Future: Send + 'static,
{
    let connector = tower::service_fn(move |server: Uri| {
        let connecting = tokio::time::timeout(CONNECT_TIMEOUT, connector.clone().oneshot(server));
        Box::pin(async move {
            connecting
                .await
                .unwrap_or_else(|_| Err(format!("no connection within {CONNECT_TIMEOUT:?}").into()))
        })
    });
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .http2_keep_alive_interval(PING_AFTER)
        .http2_keep_alive_timeout(PING_TIMEOUT)
        .build(connector);
    let stack = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .map_err(BoxError::from)
        .option_layer(auth)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(client);
    Ok(BoxCloneSyncService::new(stack))
}

/// Through an HTTP proxy, with the user and password of its URL.
fn tunnel<C>(proxy: Uri, connector: C) -> Tunnel<C> {
    let auth = proxy.authority().and_then(|a| a.as_str().rsplit_once('@')).map(|(user, _)| basic(user));
    let tunnel = Tunnel::new(proxy, connector);
    match auth.and_then(|text| HeaderValue::from_str(&text).ok()) {
        Some(auth) => tunnel.with_auth(auth),
        None => tunnel,
    }
}

/// A header's value of what stands before the `@` of a URL, where special characters are escaped (RFC 3986, 3.2.1).
fn basic(user_and_password: &str) -> String {
    let plain: Vec<u8> = percent_encoding::percent_decode_str(user_and_password).collect();
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(plain))
}

#[cfg(test)]
mod tests {
    use super::basic;

    #[test]
    fn a_proxys_password_is_unescaped() {
        // "me:p@ss:word+%41"
        assert_eq!(basic("me:p%40ss%3Aword+%2541"), "Basic bWU6cEBzczp3b3JkKyU0MQ==");
    }
}
