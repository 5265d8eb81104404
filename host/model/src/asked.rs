//! Asks against grants, and asks against earlier ones: what holds, and what an update would widen.

use std::collections::BTreeSet;
use std::fmt;

use crate::grants::{
    Access, ConnectionGrant, Danger, EmitGrant, FolderGrant, Grants, HostGrant, HttpGrant, ReadGrant,
    SecretPlace, allows_method,
};
use crate::manifest::{Asks, HttpAsk};
use crate::patterns::{HostPattern, KindPattern, NamePattern};
use crate::pointer::is_within;

/// What a plugin gets, and where asks and grants are not the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effective {
    /// What is asked for and granted.
    pub grants: Grants,
    /// What is granted and not asked for, in words.
    pub unasked: Vec<String>,
    /// What is asked for and not granted, in words.
    pub ungranted: Vec<String>,
}

/// What holds of these grants: what is asked for, too. Raised limits hold by themselves.
pub fn effective(asks: &Asks, grants: &Grants) -> Effective {
    let mut held = Grants { limits: grants.limits.clone(), ..Grants::default() };
    let mut unasked = Vec::new();
    let asked_access = asks.filesystem.iter().map(|a| a.access).max();
    for folder in &grants.filesystem {
        match asked_access {
            Some(access) => held
                .filesystem
                .push(FolderGrant { path: folder.path.clone(), access: access.min(folder.access) }),
            None => unasked.push(format!("the folder `{}`", folder.path)),
        }
    }
    for http in &grants.http {
        let found: Vec<HttpGrant> = asks.http.iter().filter_map(|ask| http_of(ask, http)).collect();
        for grant in &found {
            if !held.http.contains(grant) {
                held.http.push(grant.clone());
            }
        }
        if found.is_empty() {
            unasked.push(match http {
                HttpGrant::Connection(c) => format!("the connection `{}`", c.connection),
                HttpGrant::Host(h) => format!("HTTP with `{}`", h.host),
            });
        }
    }
    let mut plain = |granted: bool, asked: bool, what: &str| {
        if granted && !asked {
            unasked.push(what.to_owned());
        }
        granted && asked
    };
    held.clock = plain(grants.clock, asks.clock.is_some(), "the clock");
    held.random = plain(grants.random, asks.random.is_some(), "randomness");
    if plain(!grants.args.is_empty(), asks.args.is_some(), "arguments") {
        held.args.clone_from(&grants.args);
    }
    for (name, value) in &grants.env {
        if plain(
            true,
            asks.env.contains_key(name) || asks.env.contains_key("*"),
            &format!("the variable `{name}`"),
        ) {
            held.env.insert(name.clone(), value.clone());
        }
    }
    for secret in &grants.reveal {
        if plain(true, asks.reveal.is_some(), &format!("revealing `{secret}`")) {
            held.reveal.push(secret.clone());
        }
    }
    for read in &grants.read {
        let before = held.read.len();
        held.read.extend(asks.read.iter().filter_map(|ask| {
            let kinds = meet(&ask.kinds, &read.kinds, KindPattern::common);
            let namespaces = if ask.namespaces.is_empty() {
                read.namespaces.clone()
            } else {
                meet(&ask.namespaces, &read.namespaces, NamePattern::common)
            };
            // An empty list means the target's own namespace: it must not come of two that have nothing in common.
            let apart = namespaces.is_empty() && !read.namespaces.is_empty();
            (!kinds.is_empty() && !apart).then_some(ReadGrant { kinds, namespaces })
        }));
        if held.read.len() == before {
            let kinds: Vec<&str> = read.kinds.iter().map(KindPattern::as_str).collect();
            unasked.push(format!("looking at {}", kinds.join(", ")));
        }
    }
    held.emit = emit_of(asks, &grants.emit, &mut unasked);
    let have = claims_of_grants(&held);
    let ungranted = claims(asks).into_iter().filter(|ask| !have.iter().any(|h| h.meets(ask)));
    let ungranted = ungranted.map(|c| c.to_string()).collect();
    Effective { ungranted, grants: held, unasked }
}

fn http_of(ask: &HttpAsk, grant: &HttpGrant) -> Option<HttpGrant> {
    match (ask, grant) {
        (HttpAsk::Connection(ask), HttpGrant::Connection(grant)) => {
            let methods = methods(&ask.methods, &grant.methods)?;
            let known = ask.connection.matches(&grant.connection);
            let connection = grant.connection.clone();
            known.then_some(HttpGrant::Connection(ConnectionGrant { connection, methods }))
        }
        (HttpAsk::Host(ask), HttpGrant::Host(grant)) => {
            let host = if ask.host.covers(&grant.host) {
                grant.host.clone()
            } else if grant.host.covers(&ask.host) {
                ask.host.clone()
            } else {
                return None;
            };
            let asked = |port: &u16| ask.ports.is_empty() || ask.ports.contains(port);
            let ports: Vec<u16> = grant.ports().iter().copied().filter(asked).collect();
            let methods = methods(&ask.methods, &grant.methods)?;
            let (private, plain) = (ask.private && grant.private, ask.plain && grant.plain);
            (!ports.is_empty()).then_some(HttpGrant::Host(HostGrant { host, ports, methods, private, plain }))
        }
        _ => None,
    }
}

/// The methods of both; none where they have nothing in common, since an empty list means all.
fn methods(asked: &[String], granted: &[String]) -> Option<Vec<String>> {
    if granted.is_empty() {
        return Some(asked.iter().map(|m| m.to_ascii_uppercase()).collect());
    }
    let both: Vec<String> =
        granted.iter().filter(|m| allows_method(asked, m)).map(|m| m.to_ascii_uppercase()).collect();
    (!both.is_empty()).then_some(both)
}

/// What both lists mean: of each pair what it has in common.
fn meet<T: Ord>(a: &[T], b: &[T], common: impl Fn(&T, &T) -> Option<T>) -> Vec<T> {
    let both: BTreeSet<T> = a.iter().flat_map(|x| b.iter().filter_map(|y| common(x, y))).collect();
    both.into_iter().collect()
}

fn emit_of(asks: &Asks, grant: &EmitGrant, unasked: &mut Vec<String>) -> EmitGrant {
    let ask = asks.emit.as_ref().map(crate::manifest::EmitAsk::asked).unwrap_or_default();
    fn said<T: Ord + fmt::Display>(
        asked: &[T],
        granted: &[T],
        common: impl Fn(&T, &T) -> Option<T>,
        what: &str,
        unasked: &mut Vec<String>,
    ) -> Vec<T> {
        let alone = granted.iter().filter(|g| !asked.iter().any(|a| common(a, g).is_some()));
        unasked.extend(alone.map(|g| format!("{what} `{g}`")));
        meet(asked, granted, common)
    }
    let kinds = match (ask.kinds, &grant.kinds) {
        (None, kinds) => kinds.clone(),
        (Some(asked), None) => Some(asked),
        (Some(asked), Some(kinds)) => {
            Some(said(&asked, kinds, KindPattern::common, "emitting the kind", unasked))
        }
    };
    let names = NamePattern::common;
    EmitGrant {
        kinds,
        namespaces: said(&ask.namespaces, &grant.namespaces, names, "emitting into the namespace", unasked),
        targets: said(&ask.targets, &grant.targets, names, "emitting to the target", unasked),
        cluster_scoped: said(
            &ask.cluster_scoped,
            &grant.cluster_scoped,
            KindPattern::common,
            "emitting the cluster-scoped kind",
            unasked,
        ),
        allow: said(&ask.allow, &grant.allow, |a, b| (a == b).then_some(*a), "emitting", unasked),
        secrets_in: said(&ask.secrets_in, &grant.secrets_in, common_place, "secrets in", unasked),
    }
}

fn common_place(a: &SecretPlace, b: &SecretPlace) -> Option<SecretPlace> {
    let pointer = match is_within(&a.pointer, &b.pointer) {
        true => &a.pointer,
        false => is_within(&b.pointer, &a.pointer).then_some(&b.pointer)?,
    };
    Some(SecretPlace { kind: a.kind.common(&b.kind)?, pointer: pointer.clone() })
}

impl fmt::Display for Danger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.pointer)
    }
}

/// What an update of a plugin changes in what it asks for, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// What it asks for now and did not before: to be accepted.
    pub widened: Vec<String>,
    /// What it no longer asks for.
    pub narrowed: Vec<String>,
}

/// What changed from `old` to `new`. Reasons may change freely.
pub fn difference(old: &Asks, new: &Asks) -> Difference {
    let (old, new) = (claims(old), claims(new));
    Difference { widened: beyond(&new, &old), narrowed: beyond(&old, &new) }
}

fn beyond(claims: &BTreeSet<Claim>, of: &BTreeSet<Claim>) -> Vec<String> {
    claims.iter().filter(|c| !of.iter().any(|o| o.covers(c))).map(ToString::to_string).collect()
}

/// Each thing that is asked for, in words, in a fixed order.
pub fn asked_words(asks: &Asks) -> Vec<String> {
    claims(asks).iter().filter(|c| !matches!(c, Claim::AnyKind)).map(ToString::to_string).collect()
}

/// Each thing that is granted, in words, in a fixed order.
pub fn granted_words(grants: &Grants) -> Vec<String> {
    let mut words: Vec<String> =
        grants.filesystem.iter().map(|f| format!("{} `{}`", access_word(f.access), f.path)).collect();
    let rest =
        claims_of_grants(grants).into_iter().filter(|c| !matches!(c, Claim::Folder(_) | Claim::AnyKind));
    words.extend(rest.map(|c| c.to_string()));
    words
}

fn access_word(access: Access) -> &'static str {
    match access {
        Access::Read => "read the folder",
        Access::Write => "read and write the folder",
    }
}

/// One thing that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    Folder(Access),
    Connection { name: NamePattern, methods: BTreeSet<String> },
    Host { host: HostPattern, ports: BTreeSet<u16>, methods: BTreeSet<String>, private: bool, plain: bool },
    Clock,
    Random,
    Env(String),
    Args,
    Read { kind: KindPattern, namespace: Option<NamePattern> },
    Reveal,
    AnyKind,
    Kind(KindPattern),
    Namespace(NamePattern),
    Target(NamePattern),
    ClusterScoped(KindPattern),
    Allow(Danger),
    SecretsIn(SecretPlace),
}

/// Whether one list allows all that another does; an empty one allows everything.
fn over<T: Ord>(a: &BTreeSet<T>, b: &BTreeSet<T>) -> bool {
    a.is_empty() || !b.is_empty() && b.is_subset(a)
}

impl Claim {
    /// Whether who has this has the other, too.
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Folder(a), Self::Folder(b)) => a >= b,
            (Self::Connection { name: a, methods: m }, Self::Connection { name: b, methods: n }) => {
                a.covers(b) && over(m, n)
            }
            (
                Self::Host { host: a, ports: p, methods: m, private: x, plain: y },
                Self::Host { host: b, ports: q, methods: n, private: v, plain: w },
            ) => a.covers(b) && over(p, q) && over(m, n) && (*x || !v) && (*y || !w),
            (Self::Env(a), Self::Env(b)) => a == "*" || a == b,
            (Self::Read { kind: a, namespace: n }, Self::Read { kind: b, namespace: m }) => {
                a.covers(b) && n.as_ref().is_none_or(|n| m.as_ref().is_some_and(|m| n.covers(m)))
            }
            (Self::AnyKind, Self::Kind(_)) => true,
            (Self::Kind(a), Self::Kind(b)) | (Self::ClusterScoped(a), Self::ClusterScoped(b)) => a.covers(b),
            (Self::Namespace(a), Self::Namespace(b)) | (Self::Target(a), Self::Target(b)) => a.covers(b),
            (Self::SecretsIn(a), Self::SecretsIn(b)) => {
                a.kind.covers(&b.kind) && is_within(&b.pointer, &a.pointer)
            }
            (a, b) => a == b,
        }
    }

    /// Whether an effective grant gives at least a part of what is asked.
    fn meets(&self, ask: &Self) -> bool {
        match (self, ask) {
            (Self::Folder(a), Self::Folder(b)) => a >= b,
            (Self::Connection { name: a, .. }, Self::Connection { name: b, .. }) => b.covers(a),
            (Self::Host { host: a, .. }, Self::Host { host: b, .. }) => a.covers(b) || b.covers(a),
            (Self::Env(a), Self::Env(b)) => a == b || b == "*",
            (Self::Read { kind: a, .. }, Self::Read { kind: b, .. }) => a.common(b).is_some(),
            (Self::AnyKind | Self::Kind(_), Self::AnyKind) => true,
            (Self::Kind(a), Self::Kind(b)) | (Self::ClusterScoped(a), Self::ClusterScoped(b)) => {
                a.common(b).is_some()
            }
            (Self::SecretsIn(a), Self::SecretsIn(b)) => common_place(a, b).is_some(),
            _ => self.covers(ask) || ask.covers(self),
        }
    }
}

fn claims(asks: &Asks) -> BTreeSet<Claim> {
    let mut all: BTreeSet<Claim> = asks.filesystem.iter().map(|a| Claim::Folder(a.access)).collect();
    let upper = |m: &[String]| m.iter().map(|m| m.to_ascii_uppercase()).collect();
    all.extend(asks.http.iter().map(|ask| match ask {
        HttpAsk::Connection(c) => {
            Claim::Connection { name: c.connection.clone(), methods: upper(&c.methods) }
        }
        HttpAsk::Host(h) => Claim::Host {
            host: h.host.clone(),
            ports: h.ports.iter().copied().collect(),
            methods: upper(&h.methods),
            private: h.private,
            plain: h.plain,
        },
    }));
    all.extend(asks.env.keys().cloned().map(Claim::Env));
    let plain = [
        (&asks.clock, Claim::Clock),
        (&asks.random, Claim::Random),
        (&asks.args, Claim::Args),
        (&asks.reveal, Claim::Reveal),
    ];
    all.extend(plain.into_iter().filter(|(ask, _)| ask.is_some()).map(|(_, claim)| claim));
    for ask in &asks.read {
        reads(&ask.kinds, &ask.namespaces, &mut all);
    }
    let emit = asks.emit.as_ref().map(crate::manifest::EmitAsk::asked).unwrap_or_default();
    emits(&emit, &mut all);
    all
}

fn claims_of_grants(grants: &Grants) -> BTreeSet<Claim> {
    let mut all: BTreeSet<Claim> = grants.filesystem.iter().map(|f| Claim::Folder(f.access)).collect();
    all.extend(grants.http.iter().filter_map(|http| {
        Some(match http {
            HttpGrant::Connection(c) => Claim::Connection {
                name: c.connection.parse().ok()?,
                methods: c.methods.iter().cloned().collect(),
            },
            HttpGrant::Host(h) => Claim::Host {
                host: h.host.clone(),
                ports: h.ports().iter().copied().collect(),
                methods: h.methods.iter().cloned().collect(),
                private: h.private,
                plain: h.plain,
            },
        })
    }));
    all.extend(grants.env.keys().cloned().map(Claim::Env));
    let plain = [
        (grants.clock, Claim::Clock),
        (grants.random, Claim::Random),
        (!grants.args.is_empty(), Claim::Args),
        (!grants.reveal.is_empty(), Claim::Reveal),
    ];
    all.extend(plain.into_iter().filter(|(given, _)| *given).map(|(_, claim)| claim));
    for read in &grants.read {
        reads(&read.kinds, &read.namespaces, &mut all);
    }
    emits(&grants.emit, &mut all);
    all
}

fn reads(kinds: &[KindPattern], namespaces: &[NamePattern], all: &mut BTreeSet<Claim>) {
    for kind in kinds {
        if namespaces.is_empty() {
            all.insert(Claim::Read { kind: kind.clone(), namespace: None });
        }
        let named = namespaces.iter().cloned();
        all.extend(named.map(|n| Claim::Read { kind: kind.clone(), namespace: Some(n) }));
    }
}

fn emits(emit: &EmitGrant, all: &mut BTreeSet<Claim>) {
    match &emit.kinds {
        None => {
            all.insert(Claim::AnyKind);
        }
        Some(kinds) => all.extend(kinds.iter().cloned().map(Claim::Kind)),
    }
    all.extend(emit.namespaces.iter().cloned().map(Claim::Namespace));
    all.extend(emit.targets.iter().cloned().map(Claim::Target));
    all.extend(emit.cluster_scoped.iter().cloned().map(Claim::ClusterScoped));
    all.extend(emit.allow.iter().copied().map(Claim::Allow));
    all.extend(emit.secrets_in.iter().cloned().map(Claim::SecretsIn));
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = |methods: &BTreeSet<String>| match methods.len() {
            0 => String::new(),
            _ => format!(" by {}", methods.iter().cloned().collect::<Vec<_>>().join(", ")),
        };
        match self {
            Self::Folder(access) => write!(f, "{}", access_word(*access)),
            Self::Connection { name, methods } if name.as_str() == "*" => {
                write!(f, "use a connection{}", with(methods))
            }
            Self::Connection { name, methods } => write!(f, "use the connection `{name}`{}", with(methods)),
            Self::Host { host, ports, methods, private, plain } => {
                if host.is_any() {
                    f.write_str("speak HTTP with hosts")?;
                } else {
                    write!(f, "speak HTTP with `{host}`")?;
                }
                if !ports.is_empty() {
                    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
                    write!(f, " on port {}", ports.join(", "))?;
                }
                f.write_str(&with(methods))?;
                f.write_str(if *private { ", private addresses included" } else { "" })?;
                f.write_str(if *plain { ", without TLS, too" } else { "" })
            }
            Self::Clock => f.write_str("read the clock"),
            Self::Random => f.write_str("use randomness"),
            Self::Env(name) if name == "*" => f.write_str("read environment variables"),
            Self::Env(name) => write!(f, "read the environment variable `{name}`"),
            Self::Args => f.write_str("take arguments"),
            Self::Read { kind, namespace: None } => write!(f, "look at `{kind}`"),
            Self::Read { kind, namespace: Some(n) } => write!(f, "look at `{kind}` in the namespace `{n}`"),
            Self::Reveal => f.write_str("see secrets"),
            Self::AnyKind => f.write_str("emit any namespaced kind"),
            Self::Kind(kind) => write!(f, "emit `{kind}`"),
            Self::Namespace(name) => write!(f, "emit into the namespace `{name}`"),
            Self::Target(name) => write!(f, "emit to the target `{name}`"),
            Self::ClusterScoped(kind) => write!(f, "emit the cluster-scoped kind `{kind}`"),
            Self::Allow(danger) => write!(f, "emit what is dangerous: {danger}"),
            Self::SecretsIn(place) => write!(f, "place secrets in {place}"),
        }
    }
}
