//! `grants:` of a plugin: what the operator lets it do. No expression stands in it, since it holds before anything is evaluated.

use std::collections::BTreeMap;

use sheave_model::Value;
use sheave_model::address;
use sheave_model::patterns::{BadPattern, HostPattern, KindPattern, NamePattern};
use sheave_model::plugin::{
    Access, ConnectionGrant, Danger, EmitGrant, FolderGrant, Grants, HostGrant, HttpGrant, LimitRaises,
    ReadGrant, SecretPlace,
};

use super::reader::{Fields, Reader};
use crate::codes;
use crate::nearest;
use crate::yaml::{Node, NodeKind};

/// The keys of `grants:`.
pub(crate) const KEYS: &[&str] =
    &["filesystem", "http", "clock", "random", "env", "args", "read", "reveal", "emit", "limits"];

/// Methods, for a nearest name: HTTP has others, which a grant may name as well.
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> Grants {
    let Some(fields) = reader.fields(node, "`grants`", KEYS) else { return Grants::default() };
    let flag = |reader: &mut Reader<'_>, key: &str| {
        fields.get(key).and_then(|e| reader.boolean(&e.value, &format!("`{key}`"))).unwrap_or_default()
    };
    Grants {
        filesystem: each(reader, fields, "filesystem", "folders", folder),
        http: each(reader, fields, "http", "connections and hosts", http),
        clock: flag(reader, "clock"),
        random: flag(reader, "random"),
        env: env(reader, fields),
        args: texts(reader, fields, "args"),
        read: each(reader, fields, "read", "kinds and namespaces", lookups),
        reveal: reveal(reader, fields),
        emit: fields.get("emit").map(|e| emit(reader, &e.value)).unwrap_or_default(),
        limits: fields.get("limits").map(|e| limits(reader, &e.value)).unwrap_or_default(),
    }
}

/// Each entry of a list of maps.
fn each<T>(
    reader: &mut Reader<'_>,
    fields: Fields<'_>,
    key: &str,
    of: &str,
    read: fn(&mut Reader<'_>, &Node) -> Option<T>,
) -> Vec<T> {
    let Some(entry) = fields.get(key) else { return Vec::new() };
    match &entry.value.kind {
        NodeKind::List(items) => items.iter().filter_map(|n| read(reader, n)).collect(),
        _ if entry.value.is_null() => Vec::new(),
        _ => {
            reader.expected(&entry.value, &format!("`{key}`"), &format!("a list of {of}"));
            Vec::new()
        }
    }
}

fn texts(reader: &mut Reader<'_>, fields: Fields<'_>, key: &str) -> Vec<String> {
    let Some(entry) = fields.get(key) else { return Vec::new() };
    reader.strings(&entry.value, &format!("`{key}`")).into_iter().map(|(text, _)| text).collect()
}

/// Texts that must be patterns.
fn patterns<T>(reader: &mut Reader<'_>, fields: Fields<'_>, key: &str) -> Vec<T>
where
    T: std::str::FromStr<Err = BadPattern>,
{
    let Some(entry) = fields.get(key) else { return Vec::new() };
    let mut out = Vec::new();
    for (text, span) in reader.strings(&entry.value, &format!("`{key}`")) {
        match text.parse() {
            Ok(pattern) => out.push(pattern),
            Err(why) => {
                reader.error(codes::INVALID_VALUE, format!("`{key}`: {why}"), span);
            }
        }
    }
    out
}

/// One text that must be there.
fn needed(
    reader: &mut Reader<'_>,
    fields: Fields<'_>,
    node: &Node,
    key: &str,
    what: &str,
    like: &str,
) -> Option<String> {
    match fields.get(key) {
        Some(e) => reader.string(&e.value, &format!("`{key}`")),
        None => {
            missing(reader, node, key, what, like);
            None
        }
    }
}

fn missing(reader: &mut Reader<'_>, node: &Node, key: &str, what: &str, like: &str) {
    reader.error(codes::MISSING_KEY, format!("{what} needs `{key}`"), node.span).help =
        Some(format!("write `{like}`"));
}

fn folder(reader: &mut Reader<'_>, node: &Node) -> Option<FolderGrant> {
    const LIKE: &str = "{path: ./folder, access: read}";
    let fields = reader.fields(node, "a folder grant", &["path", "access"])?;
    let path = needed(reader, fields, node, "path", "a folder grant", LIKE)?;
    let Some(entry) = fields.get("access") else {
        missing(reader, node, "access", "a folder grant", LIKE);
        return None;
    };
    let access =
        reader.word(&entry.value, "`access`", &[("read", Access::Read), ("write", Access::Write)])?;
    Some(FolderGrant { path, access })
}

fn http(reader: &mut Reader<'_>, node: &Node) -> Option<HttpGrant> {
    const LIKE: &str = "{connection: NAME}` or `{host: api.example.com}";
    let what = "an HTTP grant";
    let all = ["connection", "host", "ports", "methods", "private", "plain"];
    let fields = reader.fields(node, what, &all)?;
    match (fields.get("connection"), fields.get("host")) {
        (None, None) => {
            missing(reader, node, "connection` or `host", what, LIKE);
            None
        }
        (Some(_), Some(host)) => {
            let summary = "an HTTP grant names a connection or a host, not both";
            reader.error(codes::INVALID_VALUE, summary, host.key_span);
            None
        }
        (Some(entry), None) => {
            for other in ["ports", "private", "plain"].iter().filter_map(|k| fields.get(k)) {
                let summary = format!("the grant of a connection has no `{}`", other.key);
                reader.error(codes::UNKNOWN_KEY, summary, other.key_span).help =
                    Some("the connection's `url` says where it goes".into());
            }
            let connection = reader.string(&entry.value, "`connection`")?;
            reader.name(&connection, entry.value.span).then_some(())?;
            Some(HttpGrant::Connection(ConnectionGrant { connection, methods: methods(reader, fields) }))
        }
        (None, Some(entry)) => {
            let text = reader.string(&entry.value, "`host`")?;
            let host: HostPattern = match text.parse() {
                Ok(host) => host,
                Err(why) => {
                    reader.error(codes::INVALID_VALUE, format!("`host`: {why}"), entry.value.span);
                    return None;
                }
            };
            let mut flag = |key: &str| {
                fields
                    .get(key)
                    .and_then(|e| reader.boolean(&e.value, &format!("`{key}`")))
                    .unwrap_or_default()
            };
            let (private, plain) = (flag("private"), flag("plain"));
            let ports = ports(reader, fields);
            Some(HttpGrant::Host(HostGrant { host, ports, methods: methods(reader, fields), private, plain }))
        }
    }
}

fn ports(reader: &mut Reader<'_>, fields: Fields<'_>) -> Vec<u16> {
    let Some(entry) = fields.get("ports") else { return Vec::new() };
    let NodeKind::List(items) = &entry.value.kind else {
        reader.expected(&entry.value, "`ports`", "a list of ports");
        return Vec::new();
    };
    let mut out = Vec::new();
    for item in items {
        match reader.literal(item, "a port") {
            Some(Value::Int(n)) if n > 0 && u16::try_from(n).is_ok() => out.extend(u16::try_from(n)),
            Some(_) => {
                let summary = "a port is a whole number from 1 to 65535";
                reader.error(codes::INVALID_VALUE, summary, item.span);
            }
            None => {}
        }
    }
    out
}

fn methods(reader: &mut Reader<'_>, fields: Fields<'_>) -> Vec<String> {
    let Some(entry) = fields.get("methods") else { return Vec::new() };
    let mut out = Vec::new();
    for (text, span) in reader.strings(&entry.value, "`methods`") {
        let word = !text.is_empty() && text.len() <= 20 && text.chars().all(|c| c.is_ascii_uppercase());
        if word {
            out.push(text);
            continue;
        }
        let near = nearest::nearest(&text, METHODS.iter().copied()).map(|n| format!("did you mean `{n}`?"));
        let summary = format!("`{text}` is no HTTP method: they are written in capitals");
        reader.error(codes::INVALID_VALUE, summary, span).help = near.or_else(|| {
            METHODS.iter().find(|m| m.eq_ignore_ascii_case(&text)).map(|m| format!("write `{m}`"))
        });
    }
    out
}

fn env(reader: &mut Reader<'_>, fields: Fields<'_>) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let Some(map) = fields.get("env").and_then(|e| reader.map(&e.value, "`env`")) else { return out };
    for entry in map.iter() {
        let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if entry.key.is_empty()
            || !entry.key.chars().all(good)
            || entry.key.starts_with(|c: char| c.is_ascii_digit())
        {
            let summary = format!("`{}` is no name of an environment variable", entry.key);
            reader.error(codes::BAD_NAME, summary, entry.key_span).help =
                Some("letters, digits and `_`, no digit first".into());
            continue;
        }
        if let Some(value) = reader.string(&entry.value, &format!("the variable `{}`", entry.key)) {
            out.insert(entry.key.clone(), value);
        }
    }
    out
}

fn lookups(reader: &mut Reader<'_>, node: &Node) -> Option<ReadGrant> {
    let fields = reader.fields(node, "a read grant", &["kinds", "namespaces"])?;
    if fields.get("kinds").is_none() {
        missing(reader, node, "kinds", "a read grant", "{kinds: [Service], namespaces: [blog]}");
        return None;
    }
    let kinds: Vec<KindPattern> = patterns(reader, fields, "kinds");
    let namespaces: Vec<NamePattern> = patterns(reader, fields, "namespaces");
    (!kinds.is_empty()).then_some(ReadGrant { kinds, namespaces })
}

fn reveal(reader: &mut Reader<'_>, fields: Fields<'_>) -> Vec<String> {
    let Some(entry) = fields.get("reveal") else { return Vec::new() };
    let mut out = Vec::new();
    for (text, span) in reader.strings(&entry.value, "`reveal`") {
        let is_output = |text: &str| {
            text.split_once(".outputs.")
                .is_some_and(|(n, o)| address::is_name(n) && !o.is_empty() && !o.contains('.'))
        };
        let named = match text.split_once('.') {
            Some(("inputs" | "passwords", name)) => address::is_name(name),
            Some(("resources", output)) => is_output(output),
            _ => false,
        };
        if named {
            out.push(text);
        } else {
            reader.error(codes::INVALID_VALUE, format!("`{text}` names no secret"), span).help = Some(
                "write `inputs.NAME`, `passwords.NAME` of a `randomPassword`, or `resources.NAME.outputs.OUTPUT`".into(),
            );
        }
    }
    out
}

fn emit(reader: &mut Reader<'_>, node: &Node) -> EmitGrant {
    let known = ["kinds", "namespaces", "targets", "cluster-scoped", "allow", "secrets-in"];
    let Some(fields) = reader.fields(node, "`emit`", &known) else { return EmitGrant::default() };
    EmitGrant {
        kinds: fields.get("kinds").map(|_| patterns(reader, fields, "kinds")),
        namespaces: patterns(reader, fields, "namespaces"),
        targets: patterns(reader, fields, "targets"),
        cluster_scoped: patterns(reader, fields, "cluster-scoped"),
        allow: dangers(reader, fields),
        secrets_in: each(reader, fields, "secrets-in", "kinds and pointers", secret_place),
    }
}

fn dangers(reader: &mut Reader<'_>, fields: Fields<'_>) -> Vec<Danger> {
    let Some(entry) = fields.get("allow") else { return Vec::new() };
    match &entry.value.kind {
        NodeKind::List(items) => {
            items.iter().filter_map(|n| reader.word(n, "an entry of `allow`", &Danger::ALL)).collect()
        }
        _ if entry.value.is_null() => Vec::new(),
        _ => {
            reader.expected(&entry.value, "`allow`", "a list");
            Vec::new()
        }
    }
}

fn secret_place(reader: &mut Reader<'_>, node: &Node) -> Option<SecretPlace> {
    const LIKE: &str = "{kind: ConfigMap, pointer: /data/config}";
    let what = "an entry of `secrets-in`";
    let fields = reader.fields(node, what, &["kind", "pointer"])?;
    let kind = needed(reader, fields, node, "kind", what, LIKE)?;
    let pointer = needed(reader, fields, node, "pointer", what, LIKE)?;
    let span = |key: &str| fields.get(key).map_or(node.span, |e| e.value.span);
    let kind = match kind.parse() {
        Ok(kind) => kind,
        Err(why) => {
            reader.error(codes::INVALID_VALUE, format!("{why}"), span("kind"));
            return None;
        }
    };
    if !pointer.starts_with('/') || sheave_model::pointer::parts(&pointer).is_none() {
        let summary = format!("`{pointer}` is no pointer into an object");
        reader.error(codes::INVALID_VALUE, summary, span("pointer")).help =
            Some(format!("write its keys, each after a `/`: `{LIKE}`"));
        return None;
    }
    Some(SecretPlace { kind, pointer })
}

fn limits(reader: &mut Reader<'_>, node: &Node) -> LimitRaises {
    let mut out = LimitRaises::default();
    let known = ["memory-mib", "call-millis", "reply-mib", "fuel-millions"];
    let Some(fields) = reader.fields(node, "`limits`", &known) else { return out };
    for (key, place) in known.into_iter().zip([
        &mut out.memory_mib,
        &mut out.call_millis,
        &mut out.reply_mib,
        &mut out.fuel_millions,
    ]) {
        let Some(entry) = fields.get(key) else { continue };
        match reader.literal(&entry.value, &format!("`{key}`")) {
            Some(Value::Int(n)) if n > 0 && u32::try_from(n).is_ok() => *place = u32::try_from(n).ok(),
            Some(_) => reader.expected(&entry.value, &format!("`{key}`"), "a whole number above zero"),
            None => {}
        }
    }
    out
}
