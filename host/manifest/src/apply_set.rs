//! The ApplySet inventory (KEP-3659): how a stack's members are labelled, and the parent object that names their kinds
//! and namespaces, so that `kubectl` and others can list them.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use sheave_model::ObjectId;

/// The label of the parent: its value is the set's id.
pub const ID_LABEL: &str = "applyset.kubernetes.io/id";
/// The label of each member: its value is the set's id.
pub const PART_OF_LABEL: &str = "applyset.kubernetes.io/part-of";
/// Who keeps the set: `sheave/VERSION`.
pub const TOOLING_ANNOTATION: &str = "applyset.kubernetes.io/tooling";
/// The members' kinds: `ConfigMap,Deployment.apps`.
pub const KINDS_ANNOTATION: &str = "applyset.kubernetes.io/contains-group-kinds";
/// The members' namespaces but for the parent's own.
pub const NAMESPACES_ANNOTATION: &str = "applyset.kubernetes.io/additional-namespaces";

/// The name of the tool in [`TOOLING_ANNOTATION`].
const TOOL: &str = "sheave";

/// Where a set's parent stands: a ConfigMap named after the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The ConfigMap's namespace: the target's.
    pub namespace: String,
    /// The ConfigMap's name.
    pub name: String,
}

/// The kinds and namespaces that a set's members may have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// `ConfigMap`, `Deployment.apps`.
    pub kinds: BTreeSet<String>,
    /// The namespaces, the parent's own included.
    pub namespaces: BTreeSet<String>,
}

/// Why a live object is not the parent of this set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// Another tool keeps it.
    #[error("the ApplySet is kept by `{0}`, not by {TOOL}")]
    OtherTool(String),
    /// It is no parent, or that of another set.
    #[error("the object does not carry the ApplySet's id")]
    OtherSet,
}

impl Parent {
    /// The parent of the stack with this uuid, for a target's namespace.
    pub fn new(stack_uuid: &str, namespace: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: format!("{TOOL}-{}", stack_uuid.to_ascii_lowercase()) }
    }

    /// The parent's own identity.
    pub fn object_id(&self) -> ObjectId {
        ObjectId {
            api_version: "v1".into(),
            kind: "ConfigMap".into(),
            namespace: Some(self.namespace.clone()),
            name: self.name.clone(),
        }
    }

    /// The set's id, the value of [`ID_LABEL`] and [`PART_OF_LABEL`].
    pub fn set_id(&self) -> String {
        // name.namespace.kind.group; the core group is empty.
        let hash = Sha256::digest(format!("{}.{}.ConfigMap.", self.name, self.namespace));
        format!("applyset-{}-v1", URL_SAFE_NO_PAD.encode(hash))
    }

    /// The selector that finds the members.
    pub fn selector(&self) -> String {
        format!("{PART_OF_LABEL}={}", self.set_id())
    }

    /// Labels an object as a member.
    pub fn label(&self, obj: &mut Json) {
        let Some(metadata) = obj.get_mut("metadata").and_then(Json::as_object_mut) else { return };
        let labels = metadata.entry("labels").or_insert(Json::Null);
        if labels.is_null() {
            *labels = json!({});
        }
        if let Some(labels) = labels.as_object_mut() {
            labels.insert(PART_OF_LABEL.to_owned(), Json::String(self.set_id()));
        }
    }

    /// The parent, to be applied. `stack` names it for people who come across it.
    pub fn object(&self, stack: &str, version: &str, scope: &Scope) -> Json {
        let list =
            |set: &mut dyn Iterator<Item = &String>| set.map(String::as_str).collect::<Vec<_>>().join(",");
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "labels": { ID_LABEL: self.set_id() },
                "annotations": {
                    TOOLING_ANNOTATION: format!("{TOOL}/{version}"),
                    KINDS_ANNOTATION: list(&mut scope.kinds.iter()),
                    NAMESPACES_ANNOTATION: list(&mut scope.namespaces.iter().filter(|ns| **ns != self.namespace)),
                },
            },
            "data": { "stack": stack },
        })
    }

    /// What a live parent says of its members.
    pub fn scope_of(&self, live: &Json) -> Result<Scope, ScopeError> {
        let get = |map: &str, key: &str| {
            live.get("metadata").and_then(|m| m.get(map)).and_then(|m| m.get(key)).and_then(Json::as_str)
        };
        let tool = get("annotations", TOOLING_ANNOTATION).unwrap_or("");
        if tool.split('/').next() != Some(TOOL) {
            return Err(ScopeError::OtherTool(tool.chars().take(80).collect()));
        }
        if get("labels", ID_LABEL) != Some(self.set_id().as_str()) {
            return Err(ScopeError::OtherSet);
        }
        let list = |key: &str| {
            let words = get("annotations", key).unwrap_or("").split(',').map(str::trim);
            words.filter(|s| !s.is_empty()).map(str::to_owned).collect::<BTreeSet<_>>()
        };
        let mut namespaces = list(NAMESPACES_ANNOTATION);
        namespaces.insert(self.namespace.clone());
        Ok(Scope { kinds: list(KINDS_ANNOTATION), namespaces })
    }
}

impl Scope {
    /// The scope of these members.
    pub fn of<'a>(members: impl IntoIterator<Item = &'a ObjectId>) -> Self {
        let mut scope = Self::default();
        for id in members {
            let kind = match id.group() {
                "" => id.kind.clone(),
                group => format!("{}.{group}", id.kind),
            };
            scope.kinds.insert(kind);
            scope.namespaces.extend(id.namespace.clone());
        }
        scope
    }

    /// What the parent must say before members in `more` are applied: all of both, so that a run which is cut off
    /// loses sight of nothing.
    #[must_use]
    pub fn widened(&self, more: &Self) -> Self {
        let mut both = self.clone();
        both.add(more.clone());
        both
    }

    /// Adds `more`, at a cost that follows what is added.
    pub fn add(&mut self, more: Self) {
        self.kinds.extend(more.kinds);
        self.namespaces.extend(more.namespaces);
    }

    /// Whether `other` lies within.
    pub fn holds(&self, other: &Self) -> bool {
        self.kinds.is_superset(&other.kinds) && self.namespaces.is_superset(&other.namespaces)
    }
}

/// The set that a live object belongs to, by [`PART_OF_LABEL`]; none: to no set.
pub fn part_of(live: &Json) -> Option<&str> {
    live.pointer("/metadata/labels")?.get(PART_OF_LABEL)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "5f0d1c0e-7f6b-4d0a-9a51-1f2f0e3d4c5b";

    fn id(api_version: &str, kind: &str, namespace: Option<&str>) -> ObjectId {
        ObjectId {
            api_version: api_version.into(),
            kind: kind.into(),
            namespace: namespace.map(str::to_owned),
            name: "x".into(),
        }
    }

    #[test]
    fn the_id_is_the_one_of_the_specification() {
        // printf '%s' my-set.default.ConfigMap. | sha256sum | xxd -r -p | base64 | tr '+/' '-_' | tr -d =
        let parent = Parent { namespace: "default".into(), name: "my-set".into() };
        assert_eq!(parent.set_id(), "applyset-DaObTxGT41gT7jz9wyulA3kuIrhUKfuOcjAfLI6wcmQ-v1");
        assert!(parent.set_id().len() <= 63, "it must fit into a label");
    }

    #[test]
    fn the_parent_reads_back() {
        let parent = Parent::new(UUID, "blog");
        let scope = Scope::of([
            &id("apps/v1", "Deployment", Some("blog")),
            &id("v1", "ConfigMap", Some("other")),
            &id("v1", "Namespace", None),
        ]);
        let object = parent.object("wordpress", "0.1.0", &scope);
        let annotations = &object["metadata"]["annotations"];
        assert_eq!(annotations[KINDS_ANNOTATION], "ConfigMap,Deployment.apps,Namespace");
        assert_eq!(annotations[NAMESPACES_ANNOTATION], "other");
        assert_eq!(annotations[TOOLING_ANNOTATION], "sheave/0.1.0");
        assert_eq!(parent.scope_of(&object), Ok(scope));
        assert_eq!(crate::identity(&object), Ok(parent.object_id()));
    }

    #[test]
    fn foreign_parents_are_refused() {
        let parent = Parent::new(UUID, "blog");
        let mut object = parent.object("w", "0.1.0", &Scope::default());
        object["metadata"]["labels"][ID_LABEL] = json!("applyset-x-v1");
        assert_eq!(parent.scope_of(&object), Err(ScopeError::OtherSet));
        object["metadata"]["annotations"][TOOLING_ANNOTATION] = json!("kubectl/v1.36");
        assert_eq!(parent.scope_of(&object), Err(ScopeError::OtherTool("kubectl/v1.36".into())));
        assert!(parent.scope_of(&json!(null)).is_err());
    }

    #[test]
    fn widening_loses_nothing() {
        let old = Scope::of([&id("apps/v1", "Deployment", Some("a"))]);
        let new = Scope::of([&id("v1", "Secret", Some("b"))]);
        let wide = old.widened(&new);
        assert!(wide.holds(&old) && wide.holds(&new) && !new.holds(&wide));
    }

    #[test]
    fn members_are_labelled() {
        let parent = Parent::new(UUID, "blog");
        for mut obj in [
            json!({"metadata": {}}),
            json!({"metadata": {"labels": null}}),
            json!({"metadata": {"labels": {"a": "b"}}}),
        ] {
            parent.label(&mut obj);
            assert_eq!(obj["metadata"]["labels"][PART_OF_LABEL], json!(parent.set_id()));
        }
    }
}
