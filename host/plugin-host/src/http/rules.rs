//! What a plugin was granted: with whom it may speak, how, and who it is there.

use std::sync::Arc;

use http::uri::Scheme;
use http::{HeaderMap, Method, Uri};
use rustls::ClientConfig;
use sheave_model::grants::allows_method;
use sheave_model::plugin::HttpGrant;

use super::Outside;
use super::address::Reach;
use super::connection::CONNECTION_SUFFIX;
use super::name::{Host, Pattern};
use super::tls;

/// Where a request that is allowed goes.
pub(crate) struct Route {
    pub(crate) host: Host,
    pub(crate) port: u16,
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) reach: Reach,
    /// What the server is asked for.
    pub(crate) path: String,
    /// The host's own: credentials.
    pub(crate) headers: HeaderMap,
}

/// The grants of one plugin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    connections: Vec<(String, Vec<String>)>,
    hosts: Vec<HostRule>,
}

#[derive(Clone, Debug)]
struct HostRule {
    pattern: Pattern,
    ports: Vec<u16>,
    methods: Vec<String>,
    private: bool,
    plain: bool,
}

impl Rules {
    /// Reads grants. A host that is no plain name is granted to nobody: it is left out, with the reason.
    pub(crate) fn of(grants: &[HttpGrant]) -> Result<Self, String> {
        let mut rules = Self::default();
        for grant in grants {
            match grant {
                HttpGrant::Connection(grant) => {
                    rules.connections.push((grant.connection.clone(), grant.methods.clone()));
                }
                HttpGrant::Host(grant) => rules.hosts.push(HostRule {
                    pattern: Pattern::parse(grant.host.as_str())?,
                    ports: grant.ports().to_vec(),
                    methods: grant.methods.clone(),
                    private: grant.private,
                    plain: grant.plain,
                }),
            }
        }
        Ok(rules)
    }

    /// Where a request goes; or which grant is missing.
    pub(crate) fn route(
        &self,
        method: &Method,
        uri: &Uri,
        outside: Option<&dyn Outside>,
    ) -> Result<Route, String> {
        let authority = uri.authority().map_or("", |a| a.as_str());
        let path = uri.path_and_query().map_or("/", |p| p.as_str());
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        if let Some(name) = authority.strip_suffix(CONNECTION_SUFFIX) {
            return self.connection(method, name, &path, outside);
        }
        let secure = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err("only https:// and http:// are spoken".to_owned()),
        };
        let (host, port) = Host::of_authority(authority, if secure { 443 } else { 80 })?;
        self.host(method, host, port, secure, path)
    }

    fn connection(
        &self,
        method: &Method,
        name: &str,
        path: &str,
        outside: Option<&dyn Outside>,
    ) -> Result<Route, String> {
        let shown = crate::text::line(name);
        let granted: Vec<_> = self.connections.iter().filter(|(granted, _)| granted == name).collect();
        if granted.is_empty() {
            return Err(format!(
                "the connection `{shown}` was not granted to this plugin: `grants: {{http: [{{connection: {shown}}}]}}`"
            ));
        }
        if !granted.iter().any(|(_, methods)| allows_method(methods, method.as_str())) {
            return Err(format!(
                "{method} on the connection `{shown}` was not granted to this plugin: add it to the grant's `methods`"
            ));
        }
        if climbs(path) {
            return Err(format!("the path leads out of the connection `{shown}`"));
        }
        let outside = outside.ok_or_else(|| format!("the connection `{shown}` is not known here"))?;
        let connection = outside.connection(name)?;
        // A server that the operator named by its address is meant, whatever it is.
        let literal = matches!(connection.host, Host::Ip(_));
        Ok(Route {
            host: connection.host.clone(),
            port: connection.port,
            tls: connection.tls.clone(),
            reach: if literal { Reach::Private } else { Reach::Written },
            path: format!("{}{path}", connection.base),
            headers: connection.headers.clone(),
        })
    }

    fn host(
        &self,
        method: &Method,
        host: Host,
        port: u16,
        secure: bool,
        path: String,
    ) -> Result<Route, String> {
        let url = format!("{}://{host}:{port}", if secure { "https" } else { "http" });
        let named: Vec<_> = self.hosts.iter().filter(|rule| rule.pattern.matches(&host)).collect();
        let missing = |what: String| Err(format!("{what} was not granted to this plugin"));
        if named.is_empty() {
            return missing(format!("`{url}` (`grants: {{http: [{{host: \"{host}\"}}]}}`)"));
        }
        let at_port: Vec<_> = named.into_iter().filter(|rule| rule.ports.contains(&port)).collect();
        if at_port.is_empty() {
            return missing(format!("port {port} of `{host}` (`ports: [{port}]` in its grant)"));
        }
        let spoken: Vec<_> = at_port.into_iter().filter(|rule| secure || rule.plain).collect();
        if spoken.is_empty() {
            return missing(format!("`{url}` without TLS (`plain: true` in its grant)"));
        }
        let allowed: Vec<_> =
            spoken.into_iter().filter(|rule| allows_method(&rule.methods, method.as_str())).collect();
        if allowed.is_empty() {
            return missing(format!("{method} on `{url}` (`methods` in its grant)"));
        }
        let private = allowed.iter().any(|rule| rule.private);
        Ok(Route {
            host,
            port,
            tls: if secure { Some(tls::systems()?) } else { None },
            reach: if private { Reach::Private } else { Reach::Public },
            path,
            headers: HeaderMap::new(),
        })
    }
}

/// Whether a path has a part that leads upwards, however it is written.
fn climbs(path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let plain = path
        .to_ascii_lowercase()
        .replace("%2e", ".")
        .replace("%2f", "/")
        .replace("%5c", "/")
        .replace('\\', "/");
    plain.split('/').any(|part| part == ".." || part.starts_with("..;"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules(grants: serde_json::Value) -> Rules {
        Rules::of(&serde_json::from_value::<Vec<HttpGrant>>(grants).unwrap()).unwrap()
    }

    fn route(rules: &Rules, method: &str, uri: &str) -> Result<Route, String> {
        rules.route(&method.parse().unwrap(), &uri.parse().unwrap(), None)
    }

    fn why(rules: &Rules, method: &str, uri: &str) -> String {
        route(rules, method, uri).map(|r| r.path).unwrap_err()
    }

    #[test]
    fn what_was_not_granted_is_named() {
        let some = rules(
            json!([{"host": "a.example.com", "methods": ["GET"]}, {"host": "*.plain.example", "plain": true}]),
        );
        let path = route(&some, "GET", "https://A.example.com/x?y=1").unwrap();
        assert_eq!((path.path.as_str(), path.port, path.reach), ("/x?y=1", 443, Reach::Public));
        assert_eq!(route(&some, "PUT", "http://b.plain.example").unwrap().path, "/");
        assert!(
            why(&Rules::default(), "GET", "https://a.example.com/").contains("{host: \"a.example.com\"}")
        );
        assert!(why(&some, "GET", "https://b.example.com/").contains("{host: \"b.example.com\"}"));
        assert!(why(&some, "GET", "https://a.example.com:444/").contains("`ports: [444]`"));
        assert!(why(&some, "POST", "https://a.example.com/").contains("POST"));
        assert!(why(&some, "GET", "http://a.example.com:443/").contains("`plain: true`"));
        assert!(why(&some, "GET", "https://u@a.example.com/").contains("user name"));
        assert!(why(&some, "GET", "https://api.connection.invalid/").contains("{connection: api}"));
        assert!(why(&some, "GET", "ftp://a.example.com/").contains("https://"));
    }

    #[test]
    fn private_addresses_take_a_word() {
        let some = rules(json!([{"host": "10.0.0.1", "private": true, "plain": true, "ports": [8080]}]));
        assert_eq!(route(&some, "GET", "http://10.0.0.1:8080/").unwrap().reach, Reach::Private);
        assert!(route(&some, "GET", "http://167772161:8080/").is_err());
    }

    #[test]
    fn no_path_leads_out_of_a_connection() {
        for out in ["/../x", "/a/..", "/%2e%2E/x", "/a/%2e./x", "/..%2fx", "/..\\x", "/..%5Cx", "/..;a/x"] {
            assert!(climbs(out), "{out}");
        }
        for within in ["/", "/a..b/c", "/x?back=../y", "/...", "/.well-known"] {
            assert!(!climbs(within), "{within}");
        }
    }
}
