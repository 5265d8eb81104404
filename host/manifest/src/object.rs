//! The shape of one object: its identity, and what is sent of it under server-side apply.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};
use sheave_model::limits::MAX_DEPTH;
use sheave_model::{Diagnostic, ObjectId, pointer};

use crate::owned::Ownership;

/// The largest object that is sent: API servers refuse bodies above 3 MiB.
pub const MAX_OBJECT_BYTES: usize = 3 * 1024 * 1024;
/// The largest object that is stored: etcd refuses more where nobody raised its `--max-request-bytes`.
pub(crate) const MAX_STORED_BYTES: usize = 1536 * 1024;
/// What the values of a ConfigMap or a Secret may hold together, decoded: Kubernetes validates it.
pub(crate) const MAX_DATA_BYTES: usize = 1024 * 1024;

/// Fields of `metadata` that the server writes; a manifest that was read from a cluster carries them.
const SERVER_METADATA: &[&str] =
    &["managedFields", "creationTimestamp", "resourceVersion", "uid", "generation", "selfLink"];

/// Why a document is no object that could be applied. Holds no values but names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// A field that every object has is missing or empty.
    #[error("the object has no `{0}`")]
    Missing(&'static str),
    /// A field has the wrong JSON type.
    #[error("`{pointer}` of the object must be a {expected}")]
    WrongType {
        /// Where, an RFC 6901 pointer; empty for the object itself.
        pointer: String,
        /// The word for what belongs there.
        expected: &'static str,
    },
    /// A name breaks Kubernetes' rules for names.
    #[error("`{value}` is no valid {what}: {rule}")]
    BadName {
        /// What it should be, such as `name`.
        what: &'static str,
        /// What was given.
        value: String,
        /// The rule.
        rule: &'static str,
    },
    /// It asks the server for a name: then nothing could find it again.
    #[error("`metadata.generateName` is not supported: give the object a name")]
    GenerateName,
    /// A list where one object belongs.
    #[error("`{0}` is a list of objects: give its items one by one")]
    IsList(String),
    /// It nests deeper than any reader should follow.
    #[error("the object nests deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// It is larger than an API server takes.
    #[error("the object has {0} bytes; an API server takes at most {MAX_OBJECT_BYTES}")]
    TooLarge(usize),
    /// It is larger than what is stored of one.
    #[error("the object's texts have {0} bytes; of one object at most {MAX_STORED_BYTES} bytes are stored")]
    TooLargeToStore(usize),
    /// A ConfigMap or a Secret with more data than Kubernetes lets it have.
    #[error("the object's data has {0} bytes; a ConfigMap or a Secret takes at most {MAX_DATA_BYTES}")]
    TooMuchData(usize),
}

impl ManifestError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "manifest.missing-field",
            Self::WrongType { .. } => "manifest.wrong-type",
            Self::BadName { .. } => "manifest.bad-name",
            Self::GenerateName => "manifest.generate-name",
            Self::IsList(_) => "manifest.is-list",
            Self::TooDeep => "manifest.too-deep",
            Self::TooLarge(_) | Self::TooLargeToStore(_) | Self::TooMuchData(_) => "manifest.too-large",
        }
    }

    /// For people.
    pub fn diagnostic(&self) -> Diagnostic {
        let diagnostic = Diagnostic::error(self.code(), self.to_string());
        match self {
            Self::Missing(_) => {
                diagnostic.with_help("every object has `apiVersion`, `kind` and `metadata.name`")
            }
            Self::TooLarge(_) | Self::TooLargeToStore(_) | Self::TooMuchData(_) => {
                diagnostic.with_help("split it, or keep large content outside the cluster")
            }
            Self::WrongType { pointer, .. } if !pointer.is_empty() => diagnostic.pointing(pointer.as_str()),
            _ => diagnostic,
        }
    }
}

/// An object's identity, where its basic shape is right.
pub fn identity(obj: &Json) -> Result<ObjectId, ManifestError> {
    let fields = obj
        .as_object()
        .ok_or_else(|| ManifestError::WrongType { pointer: String::new(), expected: "map" })?;
    let api_version = text(fields, "", "apiVersion")?.ok_or(ManifestError::Missing("apiVersion"))?;
    check_api_version(api_version)?;
    let kind = text(fields, "", "kind")?.ok_or(ManifestError::Missing("kind"))?;
    if kind.len() > 63
        || !kind.starts_with(|c: char| c.is_ascii_alphabetic())
        || !kind.chars().all(|c| c.is_ascii_alphanumeric())
    {
        return Err(bad_name("kind", kind, "a letter, then letters and digits, at most 63"));
    }
    if kind.ends_with("List") && fields.get("items").is_some_and(Json::is_array) {
        return Err(ManifestError::IsList(kind.to_owned()));
    }
    let metadata = match fields.get("metadata") {
        None | Some(Json::Null) => return Err(ManifestError::Missing("metadata.name")),
        Some(Json::Object(m)) => m,
        Some(_) => return Err(ManifestError::WrongType { pointer: "/metadata".into(), expected: "map" }),
    };
    let name = match text(metadata, "/metadata", "name")? {
        Some(name) => name,
        None if metadata.contains_key("generateName") => return Err(ManifestError::GenerateName),
        None => return Err(ManifestError::Missing("metadata.name")),
    };
    let id = ObjectId {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: text(metadata, "/metadata", "namespace")?.map(str::to_owned),
        name: name.to_owned(),
    };
    check_names(&id)?;
    Ok(id)
}

fn text<'a>(
    fields: &'a Map<String, Json>,
    parent: &str,
    key: &'static str,
) -> Result<Option<&'a str>, ManifestError> {
    match fields.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(s)) if s.is_empty() => Ok(None),
        Some(Json::String(s)) => Ok(Some(s)),
        Some(_) => Err(ManifestError::WrongType { pointer: pointer::join(parent, key), expected: "string" }),
    }
}

fn bad_name(what: &'static str, value: &str, rule: &'static str) -> ManifestError {
    // Long enough to recognise, short enough for a line.
    const SHOWN: usize = 300;
    let value = value.chars().take(SHOWN).collect();
    ManifestError::BadName { what, value, rule }
}

fn check_api_version(api_version: &str) -> Result<(), ManifestError> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let ok = (group.is_empty() != api_version.contains('/'))
        && (group.is_empty() || is_dns_subdomain(group))
        && is_dns_label(version);
    ok.then_some(()).ok_or_else(|| {
        bad_name("apiVersion", api_version, "`VERSION`, or `GROUP/VERSION` in lower case, such as `apps/v1`")
    })
}

fn check_names(id: &ObjectId) -> Result<(), ManifestError> {
    // Names of roles and bindings may hold colons and capitals, those of IPAddress colons: there the name need only be
    // one segment of a path.
    let loose = id.group() == "rbac.authorization.k8s.io" || id.kind == "IPAddress";
    if loose {
        let name = id.name.as_str();
        if name == "."
            || name == ".."
            || name.len() > 253
            || name.contains(['/', '%'])
            || name.contains(char::is_control)
        {
            return Err(bad_name("name", name, "at most 253 characters, no `/` and no `%`"));
        }
    } else if !is_dns_subdomain(&id.name) {
        return Err(bad_name(
            "name",
            &id.name,
            "lower case letters, digits, `-` and `.`, a letter or digit first and last, at most 253",
        ));
    }
    match id.namespace.as_deref() {
        Some(namespace) if !is_dns_label(namespace) => Err(bad_name(
            "namespace",
            namespace,
            "lower case letters, digits and `-`, a letter or digit first and last, at most 63",
        )),
        _ => Ok(()),
    }
}

fn is_dns_label(text: &str) -> bool {
    let edge = |c: Option<u8>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    text.len() <= 63
        && edge(text.bytes().next())
        && edge(text.bytes().last())
        && text.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
}

fn is_dns_subdomain(text: &str) -> bool {
    // Each part of a subdomain follows the rule for labels but for its length.
    let edge = |c: Option<u8>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    text.len() <= 253
        && text.split('.').all(|part| {
            edge(part.bytes().next())
                && edge(part.bytes().last())
                && part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
        })
}

/// What is sent of an object under server-side apply: without what the server writes (`managedFields`, `status`,
/// `creationTimestamp`, ...), a Secret's `stringData` turned into base64 `data`. Checks the basic shape first.
pub fn prepare(mut obj: Json) -> Result<Json, ManifestError> {
    let id = identity(&obj)?;
    if !within_depth(&obj, MAX_DEPTH) {
        return Err(ManifestError::TooDeep);
    }
    if let Some(fields) = obj.as_object_mut() {
        fields.remove("status");
        if id.api_version == "v1" && id.kind == "Secret" {
            encode_string_data(fields)?;
        }
        if let Some(metadata) = fields.get_mut("metadata").and_then(Json::as_object_mut) {
            metadata.retain(|key, value| {
                !(SERVER_METADATA.contains(&key.as_str()) || key == "namespace" && value.is_null())
            });
        }
    }
    drop_null_timestamps(&mut obj);
    let bytes = encoded_len(&obj);
    if bytes > MAX_OBJECT_BYTES {
        return Err(ManifestError::TooLarge(bytes));
    }
    if bytes > MAX_DATA_BYTES {
        check_stored(&id, &obj)?;
    }
    Ok(obj)
}

/// What the server would refuse after it has taken the request. Stored objects are not JSON, but each text stands in them
/// whole: together they are the least that an object takes.
fn check_stored(id: &ObjectId, obj: &Json) -> Result<(), ManifestError> {
    let kind = (id.api_version.as_str(), id.kind.as_str());
    let sum = |field: &str, size: fn(&str) -> usize| -> usize {
        let values = obj.get(field).and_then(Json::as_object).into_iter().flat_map(Map::values);
        values.filter_map(Json::as_str).map(size).sum()
    };
    let data = match kind {
        ("v1", "ConfigMap") => sum("data", str::len) + sum("binaryData", decoded_len),
        ("v1", "Secret") => sum("data", decoded_len),
        _ => 0,
    };
    if data > MAX_DATA_BYTES {
        return Err(ManifestError::TooMuchData(data));
    }
    let texts = if data > 0 { data } else { texts_len(obj) };
    if texts > MAX_STORED_BYTES { Err(ManifestError::TooLargeToStore(texts)) } else { Ok(()) }
}

/// The bytes that a base64 text stands for.
fn decoded_len(text: &str) -> usize {
    let padding = text.bytes().rev().take_while(|b| *b == b'=').count();
    (text.len() / 4 * 3).saturating_sub(padding.min(2))
}

fn texts_len(value: &Json) -> usize {
    match value {
        Json::String(text) => text.len(),
        Json::Array(items) => items.iter().map(texts_len).sum(),
        Json::Object(fields) => fields.values().map(texts_len).sum(),
        _ => 0,
    }
}

/// Under server-side apply a `stringData` key that is dropped stays in `data`, since nobody owned it there.
fn encode_string_data(fields: &mut Map<String, Json>) -> Result<(), ManifestError> {
    let plain = match fields.remove("stringData") {
        None | Some(Json::Null) => return Ok(()),
        Some(Json::Object(plain)) => plain,
        Some(_) => {
            return Err(ManifestError::WrongType {
                pointer: "/stringData".into(),
                expected: "map of strings",
            });
        }
    };
    let data = fields.entry("data").or_insert(Json::Null);
    if data.is_null() {
        *data = Json::Object(Map::new());
    }
    let Json::Object(data) = data else {
        return Err(ManifestError::WrongType { pointer: "/data".into(), expected: "map of strings" });
    };
    for (key, value) in plain {
        let Json::String(text) = value else {
            let pointer = pointer::join("/stringData", &key);
            return Err(ManifestError::WrongType { pointer, expected: "string" });
        };
        data.insert(key, Json::String(STANDARD.encode(text)));
    }
    Ok(())
}

/// Generated manifests carry `creationTimestamp: null` in pod templates too, where it would be claimed for nothing.
fn drop_null_timestamps(value: &mut Json) {
    match value {
        Json::Object(fields) => {
            if let Some(Json::Object(metadata)) = fields.get_mut("metadata")
                && metadata.get("creationTimestamp").is_some_and(Json::is_null)
            {
                metadata.remove("creationTimestamp");
            }
            fields.values_mut().for_each(drop_null_timestamps);
        }
        Json::Array(items) => items.iter_mut().for_each(drop_null_timestamps),
        _ => {}
    }
}

pub(crate) fn within_depth(value: &Json, levels: usize) -> bool {
    match value {
        Json::Array(_) | Json::Object(_) if levels == 0 => false,
        Json::Array(items) => items.iter().all(|v| within_depth(v, levels - 1)),
        Json::Object(fields) => fields.values().all(|v| within_depth(v, levels - 1)),
        _ => true,
    }
}

/// The length of the JSON text, without holding it.
pub fn encoded_len(value: &Json) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Neither the sink nor a JSON value can fail to be written.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

/// Takes the fields at `ignore` (RFC 6901 pointers) out of what is claimed. A field that `manager` alone owns in the
/// live object keeps its live value instead: dropping it would make the server delete it or set it back to its default
/// before its rightful owner (an autoscaler, say) had taken it over.
pub fn leave_out(obj: &mut Json, live: Option<&Json>, manager: &str, ignore: &[String]) {
    let owned = live.map(|live| Ownership::of(live, manager));
    for at in ignore {
        let kept = live
            .zip(owned.as_ref())
            .filter(|(_, owned)| owned.only_ours(at))
            .and_then(|(l, _)| l.pointer(at));
        let Some((parent, last)) = at.rsplit_once('/') else { continue };
        let last = last.replace("~1", "/").replace("~0", "~");
        match (obj.pointer_mut(parent), kept) {
            (Some(Json::Object(fields)), Some(value)) => {
                fields.insert(last, value.clone());
            }
            (Some(Json::Object(fields)), None) => {
                fields.remove(&last);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(api_version: &str, kind: &str, name: &str) -> Json {
        json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}})
    }

    #[test]
    fn reads_an_identity() {
        let mut obj = object("apps/v1", "Deployment", "web");
        obj["metadata"]["namespace"] = json!("blog");
        let id = identity(&obj).unwrap();
        assert_eq!(id.to_string(), "Deployment blog/web");
        assert_eq!(id.group(), "apps");
    }

    #[test]
    fn names_follow_the_kind() {
        for (version, kind, name, ok) in [
            ("v1", "ConfigMap", "kube-root-ca.crt", true),
            ("v1", "ConfigMap", "Upper", false),
            ("v1", "ConfigMap", "a..b", false),
            ("v1", "ConfigMap", "-a", false),
            ("v1", "ConfigMap", "a/b", false),
            ("v1", "ConfigMap", "a_b", false),
            ("rbac.authorization.k8s.io/v1", "ClusterRole", "system:Node", true),
            ("rbac.authorization.k8s.io/v1", "ClusterRole", "..", false),
            ("rbac.authorization.k8s.io/v1", "ClusterRole", "a%2f", false),
            ("/v1", "ConfigMap", "a", false),
            ("apps/", "ConfigMap", "a", false),
            ("a/b/c", "ConfigMap", "a", false),
            ("Apps/v1", "ConfigMap", "a", false),
            ("v1", "Config Map", "a", false),
            ("v1", "1Map", "a", false),
        ] {
            assert_eq!(identity(&object(version, kind, name)).is_ok(), ok, "{version} {kind} {name}");
        }
        assert!(identity(&object("v1", "ConfigMap", &"a".repeat(253))).is_ok());
        assert!(identity(&object("v1", "ConfigMap", &"a".repeat(254))).is_err());
    }

    #[test]
    fn says_what_is_missing_or_wrong() {
        let code = |obj: Json| identity(&obj).unwrap_err().code();
        assert_eq!(code(json!([])), "manifest.wrong-type");
        assert_eq!(code(json!({})), "manifest.missing-field");
        assert_eq!(code(json!({"apiVersion": 1, "kind": "A"})), "manifest.wrong-type");
        assert_eq!(code(json!({"apiVersion": "v1", "kind": "A", "metadata": {}})), "manifest.missing-field");
        assert_eq!(
            code(json!({"apiVersion": "v1", "kind": "A", "metadata": {"generateName": "x-"}})),
            "manifest.generate-name"
        );
        assert_eq!(code(json!({"apiVersion": "v1", "kind": "List", "items": []})), "manifest.is-list");
    }

    #[test]
    fn prepares_without_what_the_server_writes() {
        let got = prepare(json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": null, "uid": "u", "resourceVersion": "1", "generation": 2,
                "creationTimestamp": null, "managedFields": [], "labels": {"a": "b"}},
            "spec": {"template": {"metadata": {"creationTimestamp": null, "labels": {}}}},
            "status": {"replicas": 1},
        }));
        assert_eq!(
            got.unwrap(),
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"a": "b"}},
                "spec": {"template": {"metadata": {"labels": {}}}}})
        );
    }

    #[test]
    fn string_data_becomes_data() {
        let mut secret = object("v1", "Secret", "s");
        secret["stringData"] = json!({"a": "b", "c": "ü"});
        secret["data"] = json!({"a": "old", "z": "eg=="});
        let got = prepare(secret).unwrap();
        assert_eq!(got["data"], json!({"a": "Yg==", "c": "w7w=", "z": "eg=="}));
        assert_eq!(got.get("stringData"), None);

        let mut wrong = object("v1", "Secret", "s");
        wrong["stringData"] = json!({"a": 7});
        assert!(
            matches!(prepare(wrong), Err(ManifestError::WrongType { pointer, .. }) if pointer == "/stringData/a")
        );
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let mut deep = json!(1);
        for _ in 0..MAX_DEPTH + 2 {
            deep = json!([deep]);
        }
        let mut obj = object("v1", "ConfigMap", "a");
        obj["x"] = deep;
        assert_eq!(prepare(obj), Err(ManifestError::TooDeep));
        let mut obj = object("v1", "ConfigMap", "a");
        obj["data"] = json!({"k": "x".repeat(MAX_OBJECT_BYTES)});
        assert!(matches!(prepare(obj), Err(ManifestError::TooLarge(n)) if n > MAX_OBJECT_BYTES));
    }

    #[test]
    fn an_ignored_field_that_only_we_own_keeps_its_live_value() {
        let live = |managers: Json| json!({"metadata": {"managedFields": managers}, "spec": {"replicas": 7}});
        let ours =
            json!({"manager": "sheave", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}});
        let scaler =
            json!({"manager": "hpa", "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}}});
        let ignore = ["/spec/replicas".to_owned()];
        for (live, want) in [
            (None, json!({"spec": {}})),
            (Some(live(json!([ours.clone()]))), json!({"spec": {"replicas": 7}})),
            (Some(live(json!([scaler.clone()]))), json!({"spec": {}})),
            (Some(live(json!([ours, scaler]))), json!({"spec": {}})),
        ] {
            let mut obj = json!({"spec": {"replicas": 2}});
            leave_out(&mut obj, live.as_ref(), "sheave", &ignore);
            assert_eq!(obj, want);
        }
    }
}
