//! Which proxy leads to a cluster: the kubeconfig's own, or the environment's, by the rules that kubectl follows.

use std::net::IpAddr;

use http::Uri;

/// The environment's proxy for `server`, where one applies. `env` looks a variable up.
pub(crate) fn from_environment(
    server: &Uri,
    env: impl Fn(&str) -> Option<String>,
) -> Result<Option<Uri>, String> {
    let var = |upper: &str| {
        [upper.to_owned(), upper.to_ascii_lowercase()].iter().find_map(|n| env(n).filter(|v| !v.is_empty()))
    };
    let name = if server.scheme_str() == Some("http") { "HTTP_PROXY" } else { "HTTPS_PROXY" };
    let Some(proxy) = var(name) else { return Ok(None) };
    let host = server.host().unwrap_or("").trim_matches(['[', ']']).to_ascii_lowercase();
    let port = server.port_u16().unwrap_or(if server.scheme_str() == Some("http") { 80 } else { 443 });
    if bypasses(&var("NO_PROXY").unwrap_or_default(), &host, port) {
        return Ok(None);
    }
    // A bare host means an HTTP proxy.
    let proxy = if proxy.contains("://") { proxy } else { format!("http://{proxy}") };
    // The text may hold a password: it is not repeated.
    proxy.parse().map(Some).map_err(|_| format!("the variable {name} holds no valid URL"))
}

fn bypasses(no_proxy: &str, host: &str, port: u16) -> bool {
    let ip = host.parse::<IpAddr>().ok();
    if host == "localhost" || ip.is_some_and(|ip| ip.is_loopback()) {
        return true;
    }
    no_proxy.split(',').map(|rule| rule.trim().to_ascii_lowercase()).filter(|rule| !rule.is_empty()).any(
        |rule| {
            if rule == "*" {
                return true;
            }
            if let (Some((net, bits)), Some(ip)) = (rule.split_once('/'), ip) {
                return in_network(ip, net, bits);
            }
            let (name, rule_port) = match rule.rsplit_once(':') {
                Some((name, digits)) if !name.contains(':') || name.ends_with(']') => {
                    (name, digits.parse::<u16>().ok())
                }
                _ => (rule.as_str(), None),
            };
            if rule_port.is_some_and(|p| p != port) {
                return false;
            }
            let name = name.trim_matches(['[', ']']);
            if let (Ok(rule_ip), Some(ip)) = (name.parse::<IpAddr>(), ip) {
                return rule_ip == ip;
            }
            // `example.com` means itself and what is beneath; `.example.com` and `*.example.com` only what is beneath.
            let name = name.strip_prefix('*').unwrap_or(name);
            match name.strip_prefix('.') {
                Some(suffix) => host.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.')),
                None => host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')),
            }
        },
    )
}

fn in_network(ip: IpAddr, net: &str, bits: &str) -> bool {
    let (Ok(net), Ok(bits)) = (net.parse::<IpAddr>(), bits.parse::<u32>()) else { return false };
    let same = |a: u128, b: u128, width: u32| bits <= width && (bits == 0 || (a ^ b) >> (width - bits) == 0);
    match (ip, net) {
        (IpAddr::V4(a), IpAddr::V4(b)) => same(u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => same(a.to_bits(), b.to_bits(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(server: &str, no_proxy: &str) -> Option<String> {
        let env = |name: &str| match name {
            "HTTPS_PROXY" => Some("http://proxy:3128".to_owned()),
            "no_proxy" => Some(no_proxy.to_owned()),
            _ => None,
        };
        from_environment(&server.parse().unwrap(), env).unwrap().map(|u| u.to_string())
    }

    #[test]
    fn the_environments_proxy_is_used_unless_excepted() {
        let through = |server: &str, no_proxy: &str| proxy(server, no_proxy).is_some();
        assert!(through("https://k8s.example.com", ""));
        assert!(!through("http://k8s.example.com", ""), "HTTP_PROXY is not set");
        for loopback in ["https://localhost:6443", "https://127.0.0.1:6443", "https://[::1]:6443"] {
            assert!(!through(loopback, ""), "{loopback}");
        }
        for rule in
            ["*", "example.com", ".example.com", "*.example.com", "K8S.example.com", "x, k8s.example.com:443"]
        {
            assert!(!through("https://k8s.example.com", rule), "{rule}");
        }
        for rule in ["xample.com", "example.org", "k8s.example.com:6443", ".k8s.example.com", "10.0.0.0/8"] {
            assert!(through("https://k8s.example.com", rule), "{rule}");
        }
        for rule in ["10.0.0.0/8", "10.1.2.3", "10.1.2.3:6443", "0.0.0.0/0"] {
            assert!(!through("https://10.1.2.3:6443", rule), "{rule}");
        }
        for rule in ["11.0.0.0/8", "10.1.2.4", "10.0.0.0/99", "x/8", "::/0"] {
            assert!(through("https://10.1.2.3:6443", rule), "{rule}");
        }
        assert!(!through("https://[fd00::1]:6443", "fd00::/8"));
    }

    #[test]
    fn a_broken_proxy_is_said_without_its_text() {
        let env = |name: &str| (name == "HTTPS_PROXY").then(|| "http://user:pass word@x".to_owned());
        let said = from_environment(&"https://a.b".parse().unwrap(), env).unwrap_err();
        assert!(said.contains("HTTPS_PROXY") && !said.contains("pass"));
    }
}
