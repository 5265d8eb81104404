//! Which network addresses a plugin may reach: those of the public internet, unless the operator says otherwise.
//!
//! What is not known to be public is refused, so that a range that somebody assigns tomorrow is not open today.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why no grant reaches an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It takes `private: true`.
    Private(&'static str),
    /// It is one host's only when its URL says so literally.
    Metadata,
    /// It is nobody's: no grant helps.
    Never(&'static str),
}

/// How far a rule lets requests go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The public internet.
    Public,
    /// That, and every private address but the clouds' metadata services: the operator wrote the URL.
    Written,
    /// Everything that is somebody's.
    Private,
}

/// Whether an address is within reach.
pub(crate) fn check(ip: IpAddr, reach: Reach) -> Result<(), Refused> {
    match class(ip) {
        Ok(()) => Ok(()),
        Err(never @ Refused::Never(_)) => Err(never),
        Err(_) if reach == Reach::Private => Ok(()),
        Err(Refused::Metadata) => Err(Refused::Metadata),
        Err(private) if reach == Reach::Public => Err(private),
        Err(_) => Ok(()),
    }
}

fn class(ip: IpAddr) -> Result<(), Refused> {
    match ip {
        IpAddr::V4(ip) => class_v4(ip),
        IpAddr::V6(ip) => class_v6(ip),
    }
}

/// Where clouds give credentials to whoever asks from within.
const METADATA_V4: [Ipv4Addr; 4] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
];
const METADATA_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

fn class_v4(ip: Ipv4Addr) -> Result<(), Refused> {
    use Refused::{Never, Private};
    if METADATA_V4.contains(&ip) {
        return Err(Refused::Metadata);
    }
    Err(match ip.octets() {
        [0, ..] => Never("it is unspecified"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Private("it is private"),
        [127, ..] => Private("it is this machine's own (loopback)"),
        [169, 254, ..] => Private("it is link-local"),
        [100, 64..=127, ..] => Private("it is a carrier's (CGNAT)"),
        [198, 18 | 19, ..] => Private("it is for benchmarks"),
        [192, 0, 0, _] => Private("it is a protocol's own"),
        [192, 88, 99, _] => Never("it is a 6to4 relay"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Private("it is for documentation"),
        [224..=239, ..] => Never("it is multicast"),
        [255, 255, 255, 255] => Never("it is a broadcast"),
        [240..=255, ..] => Never("it is reserved"),
        _ => return Ok(()),
    })
}

fn class_v6(ip: Ipv6Addr) -> Result<(), Refused> {
    use Refused::{Never, Private};
    if METADATA_V6.contains(&ip) {
        return Err(Refused::Metadata);
    }
    let parts = ip.segments();
    if let Some(inner) = embedded(parts) {
        // What it stands for decides; and such a spelling of a public address is nobody's honest one.
        return match class_v4(inner) {
            Ok(()) => Err(Private("it wraps an IPv4 address")),
            refused => refused,
        };
    }
    Err(match parts {
        [0, 0, 0, 0, 0, 0, 0, 0] => Never("it is unspecified"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Private("it is this machine's own (loopback)"),
        [first, ..] if first & 0xfe00 == 0xfc00 => Private("it is unique-local"),
        [first, ..] if first & 0xffc0 == 0xfe80 => Private("it is link-local"),
        [first, ..] if first & 0xffc0 == 0xfec0 => Private("it is site-local"),
        [first, ..] if first & 0xff00 == 0xff00 => Never("it is multicast"),
        [0x2001, second, ..] if second < 0x200 => Private("it is a protocol's own"),
        [0x2001, 0xdb8, ..] => Private("it is for documentation"),
        [0x3fff, second, ..] if second < 0x1000 => Private("it is for documentation"),
        [first, ..] if first & 0xe000 == 0x2000 => return Ok(()),
        _ => Private("it is not known to be public"),
    })
}

/// The IPv4 address that an IPv6 one stands for: mapped, compatible, translated (NAT64), 6to4.
fn embedded(parts: [u16; 8]) -> Option<Ipv4Addr> {
    let (high, low) = match parts {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => (high, low),
        [0x64, 0xff9b, _, _, _, _, high, low] => (high, low),
        [0x2002, high, low, ..] => (high, low),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => (high, low),
        _ => return None,
    };
    Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, reach: Reach) -> Result<(), Refused> {
        check(text.parse().unwrap(), reach)
    }

    #[test]
    fn the_public_internet_is_within_reach() {
        for public in
            ["1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"]
        {
            for reach in [Reach::Public, Reach::Written, Reach::Private] {
                assert_eq!(of(public, reach), Ok(()), "{public}");
            }
        }
    }

    #[test]
    fn what_is_private_takes_a_grant() {
        for private in [
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "127.0.0.1",
            "127.255.0.9",
            "169.254.1.1",
            "100.64.0.1",
            "198.18.0.1",
            "192.0.2.1",
            "::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "2001::1",
            "2001:db8::1",
            "3fff:1::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::7f00:1",
            "2002:7f00:1::1",
            "2002:808:808::1",
            "::ffff:0:127.0.0.1",
            "4000::1",
            "100::1",
        ] {
            assert!(
                matches!(of(private, Reach::Public), Err(Refused::Private(_))),
                "{private}: {:?}",
                of(private, Reach::Public)
            );
            assert_eq!(of(private, Reach::Written), Ok(()), "{private}");
            assert_eq!(of(private, Reach::Private), Ok(()), "{private}");
        }
    }

    #[test]
    fn metadata_takes_the_grant_itself() {
        for metadata in [
            "169.254.169.254",
            "fd00:ec2::254",
            "169.254.170.2",
            "100.100.100.200",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "::169.254.169.254",
            "fd20:ce::254",
        ] {
            assert_eq!(of(metadata, Reach::Public), Err(Refused::Metadata), "{metadata}");
            assert_eq!(of(metadata, Reach::Written), Err(Refused::Metadata), "{metadata}");
            assert_eq!(of(metadata, Reach::Private), Ok(()), "{metadata}");
        }
    }

    #[test]
    fn some_are_nobody_s() {
        for never in [
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "255.255.255.255",
            "250.0.0.1",
            "192.88.99.1",
            "::",
            "ff02::1",
            "::ffff:0.0.0.0",
            "2002:e000:1::",
        ] {
            assert!(matches!(of(never, Reach::Private), Err(Refused::Never(_))), "{never}");
        }
    }
}
