//! The last step before an object is sent: secrets put in, the stack's label put on, the shape prepared.

use serde_json::Value as Json;
use sheave_cluster::{Cluster, ClusterError};
use sheave_model::plugin::ObjectId;
use sheave_model::{Diagnostic, Value, pointer};
use sheave_plugin_host::wire;

use crate::context::Context;

/// Stands in a comparison where a value is not known yet: no cluster holds it.
pub(crate) const UNKNOWN_TEXT: &str = "\u{1}sheave-known-after-apply\u{1}";

/// What to do with leaves that are not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holes {
    /// Put [`UNKNOWN_TEXT`] there.
    Mark,
    /// Refuse: nothing may be sent with a hole.
    Refuse,
}

impl Context {
    /// The key of digests over objects.
    pub(crate) fn digest_key(&self) -> Vec<u8> {
        self.key.digest("objects", b"").into_bytes()
    }

    /// The object as it is sent: in clear. It goes to the cluster and into digests, and nowhere else.
    pub(crate) async fn desired(
        &self,
        target: &str,
        manifest: &Value,
        holes: Holes,
    ) -> Result<Json, Diagnostic> {
        let mut at_hole = None;
        let json = manifest.to_json_with(&mut |leaf| {
            Ok(match leaf {
                Value::Secret(secret) => Json::String(secret.expose().to_owned()),
                Value::Unknown(unknown) if holes == Holes::Refuse => {
                    at_hole = Some(unknown.id.clone());
                    return Err(());
                }
                _ => Json::String(UNKNOWN_TEXT.to_owned()),
            })
        });
        let Ok(json) = json else {
            let what = at_hole.unwrap_or_default();
            return Err(Diagnostic::error(
                "plan.still-unknown",
                format!("`{what}` is not known, and the object needs it"),
            ));
        };
        check_secret_data(&json, manifest)?;
        let mut json = sheave_manifest::prepare(json).map_err(|e| e.diagnostic())?;
        if let Ok(cluster) = self.targets.cluster(target).await
            && let Some(parent) = self.parent(cluster)
        {
            parent.label(&mut json);
        }
        Ok(json)
    }

    /// A live object as a plugin may see it: Secret data and known secrets masked.
    pub(crate) fn show_to_plugin(&self, live: &Json) -> wire::Doc {
        wire::Doc { json: self.shown_to_plugin(live).to_string(), marks: Vec::new() }
    }

    /// The same, before it is written out.
    pub(crate) fn shown_to_plugin(&self, live: &Json) -> Json {
        let mut shown = live.clone();
        if live.get("kind").and_then(Json::as_str) == Some("Secret") {
            for key in ["data", "stringData"] {
                if let Some(Json::Object(data)) = shown.get_mut(key) {
                    data.values_mut().for_each(|v| *v = Json::String("(sensitive)".to_owned()));
                }
            }
            // What kubectl keeps of an applied Secret holds its data, too.
            if let Some(Json::Object(notes)) = shown.pointer_mut("/metadata/annotations") {
                notes.remove("kubectl.kubernetes.io/last-applied-configuration");
            }
        }
        if let Some(Json::Object(metadata)) = shown.get_mut("metadata") {
            metadata.remove("managedFields");
        }
        self.mask().json(&mut shown);
        shown
    }

    /// Whether a kind's objects stand in namespaces. A kind that the cluster does not know yet does, unless a definition
    /// of it that this run applies says otherwise.
    pub(crate) async fn is_namespaced(
        &self,
        target: &str,
        cluster: &Cluster,
        id: &ObjectId,
    ) -> Result<bool, Diagnostic> {
        match cluster.scope_of(&id.api_version, &id.kind).await {
            Ok(resource) => Ok(resource.namespaced),
            Err(ClusterError::NoSuchKind { .. }) => {
                Ok(self.definitions.of(target, id).is_none_or(|d| crate::definitions::is_namespaced(&d)))
            }
            Err(e) => Err(self.clean(e.diagnostic())),
        }
    }
}

/// Kubernetes wants base64 under `data`. A secret there is the user's to encode, as in any manifest.
fn check_secret_data(json: &Json, manifest: &Value) -> Result<(), Diagnostic> {
    if json.get("kind").and_then(Json::as_str) != Some("Secret") {
        return Ok(());
    }
    let Some(Json::Object(data)) = json.get("data") else { return Ok(()) };
    for (key, value) in data {
        let at = pointer::join("/data", key);
        let secret = matches!(manifest.at(&at), Some(Value::Secret(_)));
        if secret && !value.as_str().is_some_and(is_base64) {
            let summary = format!("`{at}` of a Secret is base64, and what stands there is not");
            return Err(Diagnostic::error("kubernetes.not-base64", summary)
                .with_help("put clear text under `stringData`, or write `${base64Encode(...)}`"));
        }
    }
    Ok(())
}

fn is_base64(text: &str) -> bool {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).is_ok()
}

/// Rewrites every text in a JSON value.
pub(crate) fn fill(json: &mut Json, rewrite: &mut dyn FnMut(&str) -> String) {
    match json {
        Json::String(text) => *text = rewrite(text),
        Json::Array(items) => items.iter_mut().for_each(|item| fill(item, rewrite)),
        Json::Object(fields) => fields.values_mut().for_each(|field| fill(field, rewrite)),
        _ => {}
    }
}
