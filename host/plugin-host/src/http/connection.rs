//! A named connection: where it leads and how one proves who one is. Plugins know its name alone.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use rustls::ClientConfig;
use sheave_model::{Diagnostic, SecretText, pointer};
use zeroize::Zeroizing;

use super::name::Host;
use super::tls;

/// What follows a connection's name in the authority that a plugin speaks to: no name of the internet ends so.
pub const CONNECTION_SUFFIX: &str = ".connection.invalid";

/// Bytes of a connection's URL: longer ones are cut off by servers.
const URL_BYTES: usize = 8 << 10;

/// How a connection is written in the blueprint, evaluated.
#[derive(Clone, Debug, Default)]
pub struct ConnectionSettings {
    /// `https://api.example.com/v2`.
    pub url: String,
    /// How one proves who one is.
    pub auth: Option<Auth>,
    /// Certificates to trust in place of the system's, PEM.
    pub ca: Option<String>,
    /// Headers of every request.
    pub headers: Vec<(String, SecretText)>,
}

/// How one proves to a server who one is.
#[derive(Clone, Debug)]
pub enum Auth {
    /// `authorization: Basic ...`.
    Basic {
        /// The user's name.
        username: SecretText,
        /// The password.
        password: SecretText,
    },
    /// `authorization: Bearer ...`.
    Bearer {
        /// The token.
        token: SecretText,
    },
    /// A header of the server's own.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: SecretText,
    },
    /// A certificate.
    Mtls {
        /// PEM, the chain.
        certificate: SecretText,
        /// PEM.
        key: SecretText,
    },
}

/// A connection that is ready to be used.
pub struct Connection {
    pub(crate) host: Host,
    pub(crate) port: u16,
    /// None: in plain.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// Without a slash at its end.
    pub(crate) base: String,
    /// Credentials among them; marked sensitive.
    pub(crate) headers: HeaderMap,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Connection {
    /// Checks how a connection is written.
    ///
    /// # Errors
    /// `target.bad-connection`, which says what is wrong and never shows a secret.
    pub fn new(name: &str, settings: &ConnectionSettings) -> Result<Self, Diagnostic> {
        Self::read(settings).map_err(|Wrong { at, why }| {
            Diagnostic::error("target.bad-connection", format!("target `{name}` is no connection: {why}"))
                .with_help("write `http: {url: \"https://HOST/PATH\"}`, and `auth`, `ca` and `headers` as docs/blueprint.md says")
                .pointing(at)
        })
    }

    fn read(settings: &ConnectionSettings) -> Result<Self, Wrong> {
        let wrong_url = |why: &str| Wrong::at("/url", why);
        if settings.url.len() > URL_BYTES {
            return Err(wrong_url("its URL is too long"));
        }
        let (scheme, rest) =
            settings.url.split_once("://").ok_or_else(|| wrong_url("its `url` has no scheme"))?;
        let (authority, path) = match rest.find(['/', '?', '#']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let secure = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(wrong_url("its `url` must begin with https:// or http://")),
        };
        let (host, port) =
            Host::of_authority(authority, if secure { 443 } else { 80 }).map_err(|why| wrong_url(&why))?;
        let base = path.trim_end_matches('/');
        let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'?' | b'#' | b'\\' | b'"' | b'<' | b'>');
        if !base.bytes().all(plain) {
            return Err(wrong_url("its `url` must end with its path: no query, no fragment, no spaces"));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &settings.headers {
            put(&mut headers, name, value.expose())
                .map_err(|why| Wrong { at: pointer::join("/headers", name), why })?;
        }
        let mut identity = None;
        match &settings.auth {
            None => {}
            Some(Auth::Basic { username, password }) => {
                if username.expose().contains(':') {
                    return Err(Wrong::at("/auth/basic/username", "a user name cannot have a colon in it"));
                }
                let pair = Zeroizing::new(format!("{}:{}", username.expose(), password.expose()));
                let coded = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(pair.as_bytes()));
                put(&mut headers, AUTHORIZATION.as_str(), &Zeroizing::new(format!("Basic {}", *coded)))
                    .map_err(|why| Wrong::at("/auth/basic", why))?;
            }
            Some(Auth::Bearer { token }) => {
                let value = Zeroizing::new(format!("Bearer {}", token.expose()));
                put(&mut headers, AUTHORIZATION.as_str(), &value)
                    .map_err(|why| Wrong::at("/auth/bearer/token", why))?;
            }
            Some(Auth::Header { name, value }) => {
                put(&mut headers, name, value.expose()).map_err(|why| Wrong::at("/auth/header", why))?;
            }
            Some(Auth::Mtls { certificate, key }) => identity = Some((certificate, key)),
        }
        let certificates = if identity.is_some() { "/auth/mtls" } else { "/ca" };
        let tls = match secure {
            true => {
                let config = tls::config(settings.ca.as_deref(), identity);
                Some(config.map_err(|why| {
                    let of_ca = settings.ca.is_some() && why.contains("`ca`");
                    Wrong::at(if of_ca { "/ca" } else { certificates }, why)
                })?)
            }
            false if identity.is_some() || settings.ca.is_some() => {
                return Err(Wrong::at(certificates, "certificates need https://"));
            }
            false => None,
        };
        Ok(Self { host, port, tls, base: base.to_owned(), headers })
    }
}

/// What is wrong with how a connection is written, and at which of its settings.
struct Wrong {
    at: String,
    why: String,
}

impl Wrong {
    fn at(at: &str, why: impl Into<String>) -> Self {
        Self { at: at.to_owned(), why: why.into() }
    }
}

fn put(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), String> {
    let shown = crate::text::line(name).into_owned();
    let name = HeaderName::try_from(name).map_err(|_| format!("`{shown}` is no header's name"))?;
    if super::request::is_the_hosts(&name) {
        return Err(format!("the header `{shown}` is Sheave's own"));
    }
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| format!("the value of the header `{shown}` holds what no header can"))?;
    value.set_sensitive(true);
    if headers.insert(name, value).is_some() {
        return Err(format!("the header `{shown}` stands twice"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> Result<Connection, Diagnostic> {
        Connection::new("api", &ConnectionSettings { url: url.to_owned(), ..ConnectionSettings::default() })
    }

    #[test]
    fn urls() {
        let connection = of("https://API.example.com:8443/v2/").unwrap();
        assert_eq!((connection.host.to_string().as_str(), connection.port), ("api.example.com", 8443));
        assert_eq!(connection.base, "/v2");
        assert!(connection.tls.is_some());
        assert!(of("http://127.0.0.1").unwrap().tls.is_none());
        for odd in [
            "",
            "api.example.com",
            "ftp://a",
            "https://",
            "https://u:p@a/",
            "https://a/?q=1",
            "https://a/#f",
            "https://a/b c",
            "HTTPS://a",
            "https://0x7f.1/",
            "https://a\\b",
        ] {
            let why = of(odd).unwrap_err();
            assert_eq!(why.code, "target.bad-connection", "{odd}");
        }
    }

    #[test]
    fn secrets_are_never_shown() {
        let secret = |text: &str| SecretText::new(text.to_owned());
        let with = |auth, headers| ConnectionSettings {
            url: "https://a".to_owned(),
            auth: Some(auth),
            ca: None,
            headers,
        };
        let basic = Auth::Basic { username: secret("u"), password: secret("hunter2hunter2") };
        let settings = with(basic.clone(), vec![("x-key".to_owned(), secret("keykeykey"))]);
        let connection = Connection::new("api", &settings).unwrap();
        assert!(connection.headers[AUTHORIZATION].is_sensitive());
        let shown = format!("{settings:?} {connection:?} {:?}", connection.headers);
        assert!(
            !shown.contains("hunter2") && !shown.contains("keykey") && !shown.contains("aHVudGVy"),
            "{shown}"
        );
        for settings in [
            with(Auth::Bearer { token: secret("bad\r\ntoken") }, Vec::new()),
            with(
                Auth::Mtls { certificate: secret("no-pem-secret"), key: secret("no-pem-secret") },
                Vec::new(),
            ),
            with(basic.clone(), vec![("authorization".to_owned(), secret("twice-secret"))]),
            with(basic, vec![("host".to_owned(), secret("evil-secret"))]),
        ] {
            let why = Connection::new("api", &settings).unwrap_err();
            let shown = format!("{why:?}");
            assert!(!shown.contains("secret") && !shown.contains("token`"), "{shown}");
        }
    }
}
