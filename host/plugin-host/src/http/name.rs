//! The name of a server in its one honest spelling: everything that two programs could read in two ways is refused.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bytes of a host's name: what DNS takes.
const LONGEST: usize = 253;
/// Bytes between two dots.
const LONGEST_LABEL: usize = 63;

/// A server by name or address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// Lower case, no dot at its end.
    Name(String),
    Ip(IpAddr),
}

impl Host {
    /// Reads what a URL or a grant calls a server.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let odd = |why: &str| Err(format!("`{}` is no plain host name: {why}", crate::text::line(text)));
        if let Some(inner) = text.strip_prefix('[') {
            let Some(inner) = inner.strip_suffix(']') else { return odd("the bracket does not close") };
            return match inner.parse::<Ipv6Addr>() {
                Ok(ip) => Ok(Self::Ip(ip.into())),
                Err(_) => odd("it is no IPv6 address (zones are not taken)"),
            };
        }
        if text.is_empty() || text.len() > LONGEST {
            return odd("it must have 1 to 253 letters");
        }
        if !text.is_ascii() {
            return odd("write it as DNS does (`xn--...`)");
        }
        if let Some(bad) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')))
        {
            return odd(&format!("{bad:?} cannot stand in it"));
        }
        if text.ends_with('.') {
            return odd("leave the dot at its end out");
        }
        if text.split('.').any(|label| label.is_empty() || label.len() > LONGEST_LABEL) {
            return odd("between dots stand 1 to 63 letters");
        }
        let name = text.to_ascii_lowercase();
        // `0x7f.1`, `2130706433`, `0177.0.0.1`: C libraries read them as addresses, so nothing else may.
        let last = name.rsplit('.').next().unwrap_or_default();
        let is_number = last.bytes().all(|b| b.is_ascii_digit())
            || last.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        if is_number {
            return match name.parse::<Ipv4Addr>() {
                Ok(ip) => Ok(Self::Ip(ip.into())),
                Err(_) => odd("it ends in a number, and is no IPv4 address of four decimal parts"),
            };
        }
        Ok(Self::Name(name))
    }

    /// The server and the port of an authority.
    pub(crate) fn of_authority(authority: &str, default_port: u16) -> Result<(Self, u16), String> {
        if authority.contains('@') {
            return Err("a user name or password in a URL is not taken".to_owned());
        }
        let (host, port) = match authority.rfind(':') {
            Some(at) if !authority[at..].contains(']') => (&authority[..at], Some(&authority[at + 1..])),
            _ => (authority, None),
        };
        let port = match port {
            None => default_port,
            Some(port) => match port.parse::<u16>() {
                Ok(number) if number != 0 && number.to_string() == port => number,
                _ => return Err(format!("`{}` is no port", crate::text::line(port))),
            },
        };
        Ok((Self::parse(host)?, port))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ip(IpAddr::V4(ip)) => write!(f, "{ip}"),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
        }
    }
}

/// Which servers a grant names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    Exact(Host),
    /// Every name beneath `.suffix`; the suffix itself is not among them.
    Beneath(String),
    /// All.
    Any,
}

impl Pattern {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Any);
        }
        match text.strip_prefix("*.") {
            None => Host::parse(text).map(Self::Exact),
            Some(suffix) => match Host::parse(suffix)? {
                Host::Name(name) => Ok(Self::Beneath(format!(".{name}"))),
                Host::Ip(_) => Err(format!("`{}`: nothing is beneath an address", crate::text::line(text))),
            },
        }
    }

    pub(crate) fn matches(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Exact(exact), host) => exact == host,
            (Self::Beneath(suffix), Host::Name(name)) => name.ends_with(suffix.as_str()),
            (Self::Beneath(_), Host::Ip(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_spelling() {
        for (text, is) in [
            ("Example.COM", "example.com"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("[0:0::0001]", "[::1]"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(Host::parse(text).unwrap().to_string(), is);
        }
    }

    #[test]
    fn odd_spellings_are_refused() {
        for odd in [
            "",
            ".",
            "example.com.",
            "a..b",
            "0x7f.1",
            "0x7f000001",
            "2130706433",
            "0177.0.0.1",
            "127.1",
            "127.0.0.01",
            "1.2.3.4.5",
            "bücher.example",
            "a%2eb",
            "a b",
            "a/b",
            "user@host",
            "[::1",
            "[fe80::1%eth0]",
            "[127.0.0.1]",
            "a\r\nb",
            "a\0b",
            "①.example",
            "1.2.3.0x4",
        ] {
            assert!(Host::parse(odd).is_err(), "{odd:?}");
        }
    }

    #[test]
    fn authorities() {
        let of = |text| Host::of_authority(text, 443).map(|(host, port)| format!("{host} {port}"));
        assert_eq!(of("Example.com").unwrap(), "example.com 443");
        assert_eq!(of("example.com:8443").unwrap(), "example.com 8443");
        assert_eq!(of("[::1]:80").unwrap(), "[::1] 80");
        assert_eq!(of("[::1]").unwrap(), "[::1] 443");
        for odd in
            ["user@example.com", "u:p@example.com", "a:", "a:0", "a:080", "a:70000", "a:+1", "a:1:2", "::1"]
        {
            assert!(of(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn patterns() {
        let matches = |pattern, host| Pattern::parse(pattern).unwrap().matches(&Host::parse(host).unwrap());
        assert!(matches("api.example.com", "API.example.com"));
        assert!(matches("*.example.com", "a.b.example.com"));
        assert!(matches("[::1]", "[0::1]"));
        assert!(!matches("*.example.com", "example.com"));
        assert!(!matches("*.example.com", "badexample.com"));
        assert!(!matches("example.com", "a.example.com"));
        assert!(!matches("*.example.com", "example.com.evil.org"));
        assert!(matches("*", "a.example.com") && matches("*", "10.0.0.1"));
        for odd in ["*.", "*.1.2.3.4", "a.*.b", "**.b", "https://a"] {
            assert!(Pattern::parse(odd).is_err(), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_is_taken_again_as_the_same(text in "[a-zA-Z0-9.\\[\\]:x_-]{0,20}") {
            if let Ok(host) = Host::parse(&text) {
                prop_assert_eq!(Host::parse(&host.to_string()).unwrap(), host);
            }
        }
    }
}
