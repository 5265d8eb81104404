//! Single objects: get, server-side apply, delete.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Map, Value as Json, json};
use sheave_manifest::{FIELD_MANAGER, encoded_len, identity, is_sensitive, locate};
use sheave_model::ObjectId;

use crate::error::{Cause, ClusterError, FieldConflict, Words, named};
use crate::retry::Backoff;
use crate::transport::{Ask, JSON, Reply};
use crate::unions::first_own;
use crate::url::{encode, object_path, with_query};
use crate::{Cluster, Resource};

/// How often an apply is sent that met another write: the server itself tries several times before it says so.
const MAX_STALE: usize = 4;
/// How long a kind that was just defined may stay unserved: the server establishes it within a second or so.
const NEW_KIND: Duration = Duration::from_secs(10);

/// How an object is applied.
#[derive(Clone, Debug)]
pub struct ApplyOptions {
    /// Take fields that other managers own.
    pub force: bool,
    /// Ask only what would come of it.
    pub dry_run: bool,
    /// Under which name the fields are owned.
    pub field_manager: String,
}

impl Default for ApplyOptions {
    fn default() -> Self {
        Self { force: false, dry_run: false, field_manager: FIELD_MANAGER.to_owned() }
    }
}

/// What came of an apply.
#[derive(Clone)]
pub struct Applied {
    /// The object as it is now, or would be.
    pub object: Json,
    /// Whether it did not exist before.
    pub created: bool,
    /// What the server warns of, such as a deprecated version.
    pub warnings: Vec<Words>,
}

/// What becomes of the objects that an object made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagation {
    /// They are deleted after it.
    #[default]
    Background,
    /// They are deleted before it.
    Foreground,
    /// They stay.
    Orphan,
}

/// What came of a delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// It is gone.
    Gone,
    /// It is being deleted: finalizers or a grace period hold it.
    Terminating,
    /// It was not there.
    NotFound,
    /// Another object of that name stands there; it was not touched.
    OtherUid,
}

impl Cluster {
    async fn path_of(&self, id: &ObjectId) -> Result<(Resource, String), ClusterError> {
        let resource = self.scope_of(&id.api_version, &id.kind).await?;
        let namespace = id.namespace.as_deref().unwrap_or(self.namespace());
        let path = object_path(&id.api_version, &resource, Some(namespace), Some(&id.name));
        Ok((resource, path))
    }

    /// The live object; none where there is none.
    pub async fn get(&self, id: &ObjectId) -> Result<Option<Json>, ClusterError> {
        let (_, path) = self.path_of(id).await?;
        let ask = Ask::get(named("get", id), path);
        let reply = self.inner.transport.send(&ask).await?;
        if reply.status == StatusCode::NOT_FOUND {
            return match self.kind_is_gone(&id.api_version, &id.kind, &reply.body).await {
                Some(gone) => Err(gone),
                None => Ok(None),
            };
        }
        self.inner.transport.parse(&ask, &reply).map(Some)
    }

    /// Applies an object by server-side apply. `obj` is as `sheave_manifest::prepare` gives it.
    pub async fn apply(&self, obj: &Json, options: &ApplyOptions) -> Result<Applied, ClusterError> {
        let id = identity(obj).map_err(|e| ClusterError::Invalid {
            what: "apply an object".to_owned(),
            causes: vec![Cause { field: String::new(), message: Words::new(&e.to_string()) }],
            words: Words::default(),
        })?;
        let (_, path) = self.path_of(&id).await?;
        let force = if options.force { "true" } else { "false" };
        let mut query = vec![
            ("fieldManager", options.field_manager.as_str()),
            ("force", force),
            ("fieldValidation", "Strict"),
        ];
        if options.dry_run {
            query.push(("dryRun", "All"));
        }
        let what = if options.dry_run { "try" } else { "apply" };
        let path = with_query(&path, &query);
        let asking = |body: &Json| {
            let mut ask = Ask::get(named(what, &id), path.as_str()).with_secret_body(encoded(body));
            ask.method = Method::PATCH;
            ask.content_type = Some("application/apply-patch+yaml");
            ask
        };
        let ask = asking(obj);
        let mut tries = 0;
        let mut reply = loop {
            let reply = self.once_served(&ask, &id).await?;
            tries += 1;
            // Others wrote it while the server merged: an apply says what is wanted, whatever is there.
            let met = reply.status == StatusCode::CONFLICT
                && matches!(self.inner.transport.parse(&ask, &reply), Err(ClusterError::Stale { .. }));
            if !met || tries >= MAX_STALE {
                break reply;
            }
        };
        if reply.status == StatusCode::UNPROCESSABLE_ENTITY
            && !options.dry_run
            && let Some(live) = self.get(&id).await?
            && let Some(first) = first_own(&id, obj, &live)
            && self.inner.transport.send(&asking(&first)).await?.status.is_success()
        {
            reply = self.inner.transport.send(&ask).await?;
        }
        match self.inner.transport.parse(&ask, &reply) {
            Ok(object) => Ok(Applied {
                object,
                created: reply.status == StatusCode::CREATED,
                warnings: reply.headers.get_all(http::header::WARNING).iter().filter_map(warning).collect(),
            }),
            Err(ClusterError::Conflict { what, conflicts, words }) => {
                let conflicts = self.with_values(&id, obj, conflicts).await;
                Err(ClusterError::Conflict { what, conflicts, words })
            }
            Err(other) => Err(other),
        }
    }

    /// Sends a request about an object, again for a while where its kind was discovered but is not served yet.
    async fn once_served(&self, ask: &Ask, id: &ObjectId) -> Result<Reply, ClusterError> {
        let started = tokio::time::Instant::now();
        let native = sheave_manifest::native(&id.api_version, &id.kind).is_some();
        let mut backoff = Backoff::new();
        loop {
            let reply = self.inner.transport.send(ask).await?;
            if reply.status != StatusCode::NOT_FOUND {
                return Ok(reply);
            }
            match self.kind_is_gone(&id.api_version, &id.kind, &reply.body).await {
                None => return Ok(reply),
                Some(gone) if native || started.elapsed() > NEW_KIND => return Err(gone),
                Some(_) => tokio::time::sleep(backoff.wait()).await,
            }
        }
    }

    /// Adds to each conflict what either side has. Fields that are secret by their kind are left out.
    async fn with_values(
        &self,
        id: &ObjectId,
        obj: &Json,
        conflicts: Vec<FieldConflict>,
    ) -> Vec<FieldConflict> {
        let live = self.get(id).await.ok().flatten().unwrap_or(Json::Null);
        let shown = |value: &Json| Words::new(&value.to_string());
        conflicts
            .into_iter()
            .map(|mut conflict| {
                let ours = locate(&conflict.field, obj);
                let theirs = locate(&conflict.field, &live);
                let sensitive = [&ours, &theirs].into_iter().flatten().any(|(at, _)| is_sensitive(id, at));
                if !sensitive {
                    conflict.ours = ours.as_ref().map(|(_, value)| shown(value));
                    conflict.theirs = theirs.map(|(_, value)| shown(value));
                }
                conflict.pointer = ours.map(|(at, _)| at);
                conflict
            })
            .collect()
    }

    /// Takes everything off an object that Sheave owns in it, and leaves the object. One that is gone, or another one by
    /// now, has nothing of ours.
    pub async fn release(&self, id: &ObjectId, uid: &str) -> Result<(), ClusterError> {
        let mut nothing = json!({
            "apiVersion": id.api_version,
            "kind": id.kind,
            "metadata": {"name": id.name, "uid": uid},
        });
        if let Some(namespace) = &id.namespace {
            nothing["metadata"]["namespace"] = namespace.as_str().into();
        }
        // With its uid, an object that is not there is not made: that is a conflict, too.
        match self.apply(&nothing, &ApplyOptions::default()).await {
            Ok(_) | Err(ClusterError::Stale { .. } | ClusterError::NotFound { .. }) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// Deletes an object; with `uid`, only the one that has it. What it made goes after it.
    pub async fn delete(&self, id: &ObjectId, uid: Option<&str>) -> Result<Deleted, ClusterError> {
        self.delete_with(id, uid, Propagation::Background).await
    }

    /// The same, saying what becomes of the objects that it made.
    pub async fn delete_with(
        &self,
        id: &ObjectId,
        uid: Option<&str>,
        propagation: Propagation,
    ) -> Result<Deleted, ClusterError> {
        let (_, path) = self.path_of(id).await?;
        let policy = match propagation {
            Propagation::Background => "Background",
            Propagation::Foreground => "Foreground",
            Propagation::Orphan => "Orphan",
        };
        let mut options = Map::new();
        options.insert("kind".into(), "DeleteOptions".into());
        options.insert("apiVersion".into(), "v1".into());
        options.insert("propagationPolicy".into(), policy.into());
        if let Some(uid) = uid {
            options.insert("preconditions".into(), json!({ "uid": uid }));
        }
        let mut ask = Ask::get(named("delete", id), path).with_secret_body(encoded(&Json::Object(options)));
        ask.method = Method::DELETE;
        ask.content_type = Some(JSON);
        let reply = self.inner.transport.send(&ask).await?;
        match self.inner.transport.parse(&ask, &reply) {
            // An object that is held back comes as itself; one that is gone, as a status or as it last was.
            Ok(answer) => {
                let held = answer.pointer("/metadata/deletionTimestamp").is_some_and(|t| !t.is_null())
                    && is_held(&answer);
                Ok(if held { Deleted::Terminating } else { Deleted::Gone })
            }
            Err(ClusterError::NotFound { .. } | ClusterError::NamespaceMissing { .. }) => {
                Ok(Deleted::NotFound)
            }
            Err(ClusterError::Stale { .. }) if uid.is_some() => Ok(Deleted::OtherUid),
            Err(other) => Err(other),
        }
    }

    /// Writes `metadata.managedFields` (see `sheave_manifest::take_over`) of the live object as it was read: one that
    /// has changed since is [`ClusterError::Stale`].
    pub async fn patch_managed_fields(
        &self,
        id: &ObjectId,
        resource_version: &str,
        managed_fields: &Json,
    ) -> Result<Json, ClusterError> {
        let (_, path) = self.path_of(id).await?;
        // The version is replaced, not tested: so a mismatch is a conflict, and not an invalid patch.
        let patch = json!([
            {"op": "replace", "path": "/metadata/managedFields", "value": managed_fields},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": resource_version},
        ]);
        let path = with_query(&path, &[("fieldManager", FIELD_MANAGER)]);
        let mut ask = Ask::get(named("take over", id), path).with_secret_body(encoded(&patch));
        ask.method = Method::PATCH;
        ask.content_type = Some("application/json-patch+json");
        self.inner.transport.json(&ask).await
    }
}

/// Whether something holds an object that is being deleted: a finalizer, or a grace period.
fn is_held(obj: &Json) -> bool {
    let finalizers = |at: &str| obj.pointer(at).and_then(Json::as_array).is_some_and(|f| !f.is_empty());
    finalizers("/metadata/finalizers")
        || finalizers("/spec/finalizers")
        || obj.pointer("/metadata/deletionGracePeriodSeconds").and_then(Json::as_i64).is_some_and(|s| s > 0)
}

/// The JSON text, in one buffer that never grows: growing would leave copies behind that nobody wipes.
fn encoded(value: &Json) -> Vec<u8> {
    let mut text = Vec::with_capacity(encoded_len(value));
    // A JSON value can always be written, and memory takes it.
    let _ = serde_json::to_writer(&mut text, value);
    text
}

/// The text of a `Warning` header: `299 - "text"`.
fn warning(value: &http::HeaderValue) -> Option<Words> {
    let text = value.to_str().ok()?;
    let quoted = text.split_once('"')?.1;
    Some(Words::new(&quoted.strip_suffix('"').unwrap_or(quoted).replace("\\\"", "\"")))
}

/// A selector for one object by its name.
pub(crate) fn by_name(name: &str) -> String {
    format!("metadata.name={}", encode(name))
}
