//! Rendering: properties checked, live objects looked up, objects rendered, twice where they hold tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value as Json;
use sheave_cluster::ClusterError;
use sheave_engine::{CompiledType, Failure, RenderRequest, Rendered, RenderedObject};
use sheave_model::facts::Permit;
use sheave_model::plan::ObjectOrder;
use sheave_model::plugin::{EmitGrant, ObjectId, ReadGrant};
use sheave_model::{Address, Diagnostic, TypeName, Unknown, UnknownKind, Value};
use sheave_plugin_host::wire;
use sheave_secrets::{Comparison, Family, TokenTable};

use super::call::{check_sent, failed, render_key, take_in};
use crate::context::{Context, locked};
use crate::files::FolderFiles;
use crate::plugins::BUILTIN;

/// Rounds in which `needs` may ask for more.
const MAX_LOOKUP_ROUNDS: usize = 5;

/// Renders a resource's objects. None: it has objects of a kind that nobody knows so far, and is asked again when everything else
/// is rendered; only where it `may_wait`.
pub(crate) async fn render(
    context: &Context,
    request: RenderRequest,
    may_wait: bool,
) -> Result<Option<Rendered>, Failure> {
    let RenderRequest { address, type_name, target, properties, known } = &request;
    let read = with_files(&context.types, &context.files, type_name, properties)
        .map_err(|d| Failure::blueprint(vec![d.on(address.clone())]))?;
    let properties = read.as_ref().unwrap_or(properties);
    // Whether a target was reached must not show in the key: the same render has the same one in each run. One that
    // cannot be reached is complained of where its objects are placed.
    if let Some(target) = target {
        let _ = context.targets.cluster(target).await;
    }
    let key = render_key(context, address, type_name, target.as_deref(), properties);
    // What may look around may find something else than the last time.
    let looks =
        context.plugins.bound.get(&type_name.plugin).is_some_and(|b| !b.plugin.held().grants.read.is_empty());
    if known.as_ref() == Some(&key) && !looks {
        locked(&context.renders).insert(address.clone(), request);
        return Ok(Some(Rendered::Unchanged));
    }
    if let Some((of, rendered)) = locked(&context.rendered).remove(address)
        && of == key
    {
        return Ok(Some(rendered));
    }
    context.learn(properties);
    let world = |d: Diagnostic| Failure::world(vec![context.clean(d).on(address.clone())]);
    let (checked, ahead) = check_first(context, address, type_name, properties).await?;
    let permit = Box::new(permit(context, type_name, target.as_deref(), &checked).map_err(world)?);
    let call = Call { context, address, type_name, target: target.as_deref(), permit: &permit };
    let mut first = call.round(&checked, Family::First, ahead).await?;
    let mut objects: Vec<Value> = first.objects.iter().map(|o| Value::from_json(&o.json)).collect();
    for family in first.tokens.families_to_compare() {
        let other = call.round(&checked, *family, None).await?;
        objects = match call.join(&first, other)? {
            Ok(objects) => objects,
            Err(why) => return Ok(Some(Rendered::Deferred { properties: Arc::new(checked), why })),
        };
    }
    restart_pods(context, &mut objects, &first.objects, address).map_err(world)?;
    let shapes: Vec<Json> = if first.is_plain() {
        first.objects.iter_mut().map(|o| o.json.take()).collect()
    } else {
        objects.iter().map(shape_of).collect()
    };
    let targets: Vec<&str> = first
        .objects
        .iter()
        .map(
            |o| if o.emitted.target.is_empty() { target.as_deref().unwrap_or("") } else { &o.emitted.target },
        )
        .collect();
    for (target, shape) in targets.iter().zip(&shapes) {
        context.definitions.learn(target, shape);
    }
    if may_wait && call.has_unknown_kind(&targets, &shapes).await && context.definitions.put_off(&request) {
        return Ok(None);
    }
    let mut placed = Vec::with_capacity(objects.len());
    for ((manifest, shape), object) in objects.into_iter().zip(shapes).zip(first.objects) {
        match call.place(target.as_deref(), manifest, shape, object.emitted).await? {
            Ok(object) => placed.push(object),
            Err(why) => return Ok(Some(Rendered::Deferred { properties: Arc::new(checked), why })),
        }
    }
    leave_to_autoscalers(&mut placed);
    let mut seen = BTreeSet::new();
    if let Some(twice) = placed.iter().find(|o| !seen.insert((&o.target, &o.id))) {
        let summary = format!("the plugin `{}` emitted {} twice", type_name.plugin, twice.id);
        return Err(world(Diagnostic::error("plugin.bad-reply", summary)));
    }
    let properties = Arc::new(checked);
    let rendered = Rendered::Objects { properties, key: key.clone(), objects: placed, permit };
    locked(&context.rendered).insert(address.clone(), (key, rendered.clone()));
    Ok(Some(rendered))
}

/// What an autoscaler beside it scales does not say how many it wants: that number is handed over as it is, and not
/// taken away, which would set it back to one.
fn leave_to_autoscalers(objects: &mut [RenderedObject]) {
    let mut autoscalers: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    for autoscaler in objects.iter().filter(|o| o.id.kind == sheave_manifest::AUTOSCALER) {
        let shape = shape_of(&autoscaler.manifest);
        if let Some(name) = shape.pointer("/spec/scaleTargetRef/name").and_then(Json::as_str) {
            autoscalers.entry(name.to_owned()).or_default().push(shape);
        }
    }
    for scaled in objects {
        let by = autoscalers.get(&scaled.id.name).into_iter().flatten();
        let silent = || scaled.manifest.at(sheave_manifest::REPLICAS).is_none();
        if by.into_iter().any(|a| sheave_manifest::scales(a, &scaled.id)) && silent() {
            scaled.ignore.push(sheave_manifest::REPLICAS.to_owned());
        }
    }
}

/// What was rendered when the properties were checked, and the tokens in it.
struct Ahead {
    next: wire::NeedsOrObjects,
    tokens: TokenTable,
}

/// Lets the plugin check the properties, and render them at once. That only saves an instance: what it makes of them is used when
/// the host has found the check to be in order. Properties with tokens come to the same, whether they are taken in and sent again
/// or not, where the plugin gives them back as they were; where it does not, they are rendered afterwards.
async fn check_first(
    context: &Context,
    address: &Address,
    type_name: &TypeName,
    properties: &Value,
) -> Result<(Value, Option<Ahead>), Failure> {
    let world = |d: Diagnostic| Failure::world(vec![context.clean(d).on(address.clone())]);
    let plugin = &context.plugin_of(type_name).map_err(world)?.plugin;
    let (instance, sent) = context.question(address, type_name, properties, Family::First).map_err(world)?;
    if !plugin.emits() {
        let checked = check_sent(context, address, type_name, properties, &instance, &sent).await?;
        return Ok((checked, None));
    }
    let done = plugin
        .check_and_render(&instance, &sent.doc)
        .await
        .map_err(|e| failed(context, address, e, false))?;
    let (props, warnings) = (&done.props, done.warnings);
    let checked = take_in(context, address, type_name, properties, &sent.tokens, props, warnings)?;
    let tokens = sent.tokens;
    Ok((checked, done.next.map(|next| Ahead { next, tokens })))
}

/// The annotation of a pod template that changes when something does that its pods read at their start.
const RESTART_ON: &str = "sheave-restart-on";

/// Writes the keyed digest of the slots that an object's pods restart on into its pod template. What is not known yet
/// makes the digest unknown, too.
fn restart_pods(
    context: &Context,
    objects: &mut [Value],
    raw: &[Raw],
    address: &Address,
) -> Result<(), Diagnostic> {
    for (at, of) in raw.iter().enumerate().filter(|(_, r)| !r.emitted.restart_on.is_empty()) {
        let mut parts = Vec::new();
        let mut unknown = false;
        for slot in &of.emitted.restart_on {
            let Some(content) = raw.iter().position(|r| r.emitted.slot == *slot).and_then(|n| objects.get(n))
            else {
                let summary = format!(
                    "slot `{}` of `{address}` restarts on `{slot}`, which there is not",
                    of.emitted.slot
                );
                return Err(Diagnostic::error("plugin.bad-reply", summary));
            };
            for field in ["data", "binaryData", "stringData"] {
                let Some(value) = content.at(&format!("/{field}")) else { continue };
                unknown |= value.has_unknown();
                parts.push(serde_json::json!([slot, field, context.masked(value).0]));
            }
        }
        let digest = if unknown {
            let id = format!("{address}#restart/{}", of.emitted.slot);
            Value::Unknown(Unknown { id, kind: UnknownKind::Text, secret: false })
        } else {
            Value::Text(context.key.digest("restart-on", Json::Array(parts).to_string().as_bytes()))
        };
        let templates = [&["spec", "template"][..], &["spec", "jobTemplate", "spec", "template"]];
        let Some(object) = objects.get_mut(at) else { continue };
        let path = templates.iter().find(|path| inside(object, path).is_some());
        if let Some(Value::Map(template)) = path.and_then(|path| inside(object, path))
            && let Value::Map(metadata) = template.entry("metadata".to_owned()).or_insert_with(Value::empty)
            && let Value::Map(annotations) =
                metadata.entry("annotations".to_owned()).or_insert_with(Value::empty)
        {
            annotations.insert(RESTART_ON.to_owned(), digest);
        }
    }
    Ok(())
}

fn inside<'a>(object: &'a mut Value, path: &[&str]) -> Option<&'a mut Value> {
    path.iter().try_fold(object, |value, key| match value {
        Value::Map(fields) => fields.get_mut(*key),
        _ => None,
    })
}

/// The properties with the documents of files in place of their paths (`x-files`); none where the type has no such.
pub(crate) fn with_files(
    types: &BTreeMap<TypeName, Arc<CompiledType>>,
    files: &FolderFiles,
    type_name: &TypeName,
    properties: &Value,
) -> Result<Option<Value>, Diagnostic> {
    let Some(kind) = types.get(type_name) else { return Ok(None) };
    let Value::Map(fields) = properties else { return Ok(None) };
    let mut read = None;
    for (name, schema) in kind.info.schema.get("properties").and_then(Json::as_object).into_iter().flatten() {
        let wanted = schema.get("x-files").and_then(Json::as_bool) == Some(true);
        let Some(Value::Text(path)) = fields.get(name).filter(|_| wanted) else { continue };
        let documents = files.documents(path).map_err(|d| d.pointing(format!("/{name}").as_str()))?;
        read.get_or_insert_with(|| fields.clone()).insert(name.clone(), documents);
    }
    Ok(read.map(Value::Map))
}

struct Call<'a> {
    context: &'a Context,
    address: &'a Address,
    type_name: &'a TypeName,
    target: Option<&'a str>,
    permit: &'a Permit,
}

/// What may be emitted: of a plugin what it asked for and was granted, of the built-in one what the user wrote.
fn permit(
    context: &Context,
    type_name: &TypeName,
    target: Option<&str>,
    properties: &Value,
) -> Result<Permit, Diagnostic> {
    let bound = context.plugin_of(type_name)?;
    let emit = if bound.pin.source == BUILTIN {
        let written = &bound.pin.grants.emit;
        EmitGrant {
            secrets_in: written.secrets_in.clone(),
            ..sheave_manifest::wish(&type_name.name, properties)
        }
    } else {
        bound.plugin.held().grants.emit.clone()
    };
    let (plugin, target) = (type_name.plugin.clone(), target.unwrap_or_default().to_owned());
    Ok(Permit { plugin, target, emit })
}

/// One object as a render gave it.
struct Raw {
    emitted: wire::Emitted,
    json: Json,
}

struct Round {
    objects: Vec<Raw>,
    tokens: TokenTable,
}

impl Round {
    /// Whether the objects are in full what the plugin wrote.
    fn is_plain(&self) -> bool {
        self.tokens.families_to_compare().is_empty()
            && self.objects.iter().all(|o| o.emitted.restart_on.is_empty())
    }
}

impl Call<'_> {
    fn world(&self, diagnostic: Diagnostic) -> Failure {
        Failure::world(vec![self.context.clean(diagnostic).on(self.address.clone())])
    }

    /// One render, with one family of tokens. `ahead` is what was rendered when the properties were checked.
    async fn round(
        &self,
        properties: &Value,
        family: Family,
        ahead: Option<Ahead>,
    ) -> Result<Round, Failure> {
        let ahead = match ahead {
            Some(Ahead { next: wire::NeedsOrObjects::Objects(emitted), tokens }) => {
                return self.read(emitted, tokens);
            }
            other => other.map(|ahead| ahead.next),
        };
        let plugin = &self.context.plugin_of(self.type_name).map_err(|d| self.world(d))?.plugin;
        let question = self.context.question(self.address, self.type_name, properties, family);
        let (instance, sent) = question.map_err(|d| self.world(d))?;
        let fail = |e| failed(self.context, self.address, e, false);
        let first = match ahead {
            Some(first) => first,
            None => plugin.needs_or_render(&instance, &sent.doc).await.map_err(fail)?,
        };
        let emitted = match first {
            wire::NeedsOrObjects::Objects(emitted) => emitted,
            wire::NeedsOrObjects::Needs(mut wanted) => {
                let mut found: Vec<wire::Live> = Vec::new();
                for round in 1.. {
                    if round > MAX_LOOKUP_ROUNDS {
                        let summary = format!(
                            "the plugin `{}` asks for more live objects each time: {MAX_LOOKUP_ROUNDS} rounds are allowed",
                            self.type_name.plugin
                        );
                        return Err(self.world(Diagnostic::error("plugin.limit.lookups", summary)));
                    }
                    found = self.look_up(&wanted).await?;
                    wanted = plugin.needs(&instance, &sent.doc, &found).await.map_err(fail)?;
                    if wanted.len() <= found.len() {
                        break;
                    }
                }
                plugin.render(&instance, &sent.doc, &found).await.map_err(fail)?
            }
        };
        self.read(emitted, sent.tokens)
    }

    fn read(&self, emitted: Vec<wire::Emitted>, tokens: TokenTable) -> Result<Round, Failure> {
        let mut objects = Vec::with_capacity(emitted.len());
        for emitted in emitted {
            let json: Json = serde_json::from_str(&emitted.manifest.json).map_err(|e| {
                let summary = format!("slot `{}` of `{}` is no JSON: {e}", emitted.slot, self.address);
                self.world(Diagnostic::error("plugin.bad-reply", summary))
            })?;
            objects.push(Raw { emitted, json });
        }
        Ok(Round { objects, tokens })
    }

    /// Whether an object is of a kind that neither its cluster knows nor, so far, this run defines.
    async fn has_unknown_kind(&self, targets: &[&str], shapes: &[Json]) -> bool {
        for (target, shape) in targets.iter().zip(shapes) {
            let Ok(id) = sheave_manifest::identity(shape) else { continue };
            if sheave_manifest::native(&id.api_version, &id.kind).is_some()
                || self.context.definitions.of(target, &id).is_some()
            {
                continue;
            }
            if let Ok(cluster) = self.context.targets.cluster(target).await
                && matches!(
                    cluster.scope_of(&id.api_version, &id.kind).await,
                    Err(ClusterError::NoSuchKind { .. })
                )
            {
                return true;
            }
        }
        false
    }

    /// What a plugin was granted to look at beyond this stack's own objects; none: not that.
    async fn granted(&self, lookup: &wire::Lookup) -> Result<Option<Arc<Json>>, Failure> {
        let grants = &self.context.plugin_of(self.type_name).map_err(|d| self.world(d))?.plugin.held().grants;
        let target = if lookup.target.is_empty() { self.target.unwrap_or_default() } else { &lookup.target };
        let near = self.target == Some(target) || grants.emit.targets.iter().any(|t| t.matches(target));
        let group = sheave_model::plugin::group_of(&lookup.api_version);
        let of_kind: Vec<&ReadGrant> =
            grants.read.iter().filter(|r| r.kinds.iter().any(|k| k.matches(group, &lookup.kind))).collect();
        if !near || of_kind.is_empty() {
            return Ok(None);
        }
        let cluster = self.context.targets.cluster(target).await.map_err(|d| self.world(d))?;
        let mut id = ObjectId {
            api_version: lookup.api_version.clone(),
            kind: lookup.kind.clone(),
            namespace: lookup.namespace.clone(),
            name: lookup.name.clone(),
        };
        if self.context.is_namespaced(target, cluster, &id).await.map_err(|d| self.world(d))? {
            let namespace = id.namespace.get_or_insert_with(|| cluster.namespace().to_owned());
            let may = of_kind.iter().any(|read| match read.namespaces.as_slice() {
                [] => namespace == cluster.namespace(),
                named => named.iter().any(|n| n.matches(namespace)),
            });
            if !may {
                return Ok(None);
            }
        } else {
            id.namespace = None;
        }
        self.context.live_object(target, &id).await.map_err(|d| self.world(d))
    }

    /// Live objects that the plugin wants to see: this stack's own, and what it may look at.
    async fn look_up(&self, wanted: &[wire::Lookup]) -> Result<Vec<wire::Live>, Failure> {
        let mut found = Vec::with_capacity(wanted.len());
        for (i, lookup) in wanted.iter().enumerate() {
            if let Some(body) = self.context.seen_before(self.address, lookup) {
                found.push(wire::Live { slot: i.to_string(), body });
                continue;
            }
            let own = self.context.state.resources.values().flat_map(|r| &r.objects).find(|o| {
                (lookup.target.is_empty() || o.target == lookup.target)
                    && o.id.api_version == lookup.api_version
                    && o.id.kind == lookup.kind
                    && o.id.name == lookup.name
                    && (lookup.namespace.is_none() || o.id.namespace == lookup.namespace)
            });
            let Some(own) = own else {
                let live = self.granted(lookup).await?;
                let body = live.map(|live| self.context.show_to_plugin(&live));
                self.context.has_seen(self.address, lookup, body.as_ref());
                found.push(wire::Live { slot: i.to_string(), body });
                continue;
            };
            let live = self.context.member(&own.target, &own.id).await.map_err(|d| self.world(d))?;
            let body = live.map(|live| self.context.show_to_plugin(&live));
            self.context.has_seen(self.address, lookup, body.as_ref());
            found.push(wire::Live { slot: i.to_string(), body });
        }
        Ok(found)
    }

    /// Joins two renders: what differs beyond the tokens was computed from one.
    fn join(&self, first: &Round, second: Round) -> Result<Result<Vec<Value>, String>, Failure> {
        // Only what is not known yet will ever be known.
        let differ = |why: String| match sheave_secrets::frames_differ(&first.tokens, &second.tokens) {
            Comparison::ShapeDiffers { .. } => Ok(Err(why)),
            fault => Err(self.uneven(fault, None)),
        };
        let mut others: BTreeMap<String, Raw> =
            second.objects.into_iter().map(|o| (o.emitted.slot.clone(), o)).collect();
        if others.len() != first.objects.len() {
            return differ("how many objects there are is known after apply".to_owned());
        }
        let mut joined = Vec::with_capacity(first.objects.len());
        for raw in &first.objects {
            let slot = &raw.emitted.slot;
            let Some(other) = others.remove(slot) else {
                return differ("which objects there are is known after apply".to_owned());
            };
            let same_frame = raw.emitted.target == other.emitted.target
                && raw.emitted.after == other.emitted.after
                && raw.emitted.ready_when == other.emitted.ready_when
                && raw.emitted.restart_on == other.emitted.restart_on;
            if !same_frame {
                return differ(format!("how slot `{slot}` is applied is known after apply"));
            }
            let compared = sheave_secrets::compare((&raw.json, &first.tokens), (&other.json, &second.tokens));
            match compared {
                Comparison::Same(value) => joined.push(value),
                Comparison::ShapeDiffers { pointer } => {
                    return Ok(Err(format!(
                        "the shape of slot `{slot}` at `{pointer}` is known after apply"
                    )));
                }
                fault => return Err(self.uneven(fault, Some(slot))),
            }
        }
        Ok(Ok(joined))
    }

    /// Two renders that should be alike and are not, as a failure of the plugin's.
    fn uneven(&self, fault: Comparison, slot: Option<&str>) -> Failure {
        let fault = fault.diagnostic().unwrap_or_else(|| {
            Diagnostic::error("plugin.bad-reply", "two renders of the same properties do not fit")
        });
        let place = match (slot, fault.pointer.as_deref().filter(|p| !p.is_empty())) {
            (Some(slot), Some(pointer)) => format!("slot `{slot}`, `{pointer}`"),
            (Some(slot), None) => format!("slot `{slot}`"),
            _ => "the objects themselves".to_owned(),
        };
        let summary = format!("plugin `{}`, {place}: {}", self.type_name.plugin, fault.summary);
        // The pointer is one of the object, not of the properties.
        self.world(Diagnostic { summary, pointer: None, ..fault })
    }

    /// Gives an object its target, namespace, identity and order, and sees that secrets stand where they may.
    async fn place(
        &self,
        default_target: Option<&str>,
        mut manifest: Value,
        mut shape: Json,
        emitted: wire::Emitted,
    ) -> Result<Result<RenderedObject, String>, Failure> {
        let target = match (emitted.target.as_str(), default_target) {
            ("", Some(target)) => target.to_owned(),
            (named, _) if self.context.targets.names().any(|t| t == named) => named.to_owned(),
            (named, _) => {
                let summary = format!(
                    "the plugin `{}` emitted to `{named}`, which is no target",
                    self.type_name.plugin
                );
                return Err(self.world(Diagnostic::error("plugin.bad-reply", summary)));
            }
        };
        for pointer in ["/apiVersion", "/kind", "/metadata/name", "/metadata/namespace"] {
            match manifest.at(pointer) {
                Some(Value::Unknown(_)) => return Ok(Err(format!("`{pointer}` is known after apply"))),
                Some(Value::Secret(_)) => {
                    let summary = format!("`{pointer}` of slot `{}` would hold a secret", emitted.slot);
                    return Err(Failure::blueprint(vec![
                        Diagnostic::error("blueprint.secret-misplaced", summary).on(self.address.clone()),
                    ]));
                }
                _ => {}
            }
        }
        let mut id = sheave_manifest::identity(&shape)
            .map_err(|e| Failure::blueprint(vec![e.diagnostic().on(self.address.clone())]))?;
        let cluster = self.context.targets.cluster(&target).await.map_err(|d| self.world(d))?;
        let namespaced =
            self.context.is_namespaced(&target, cluster, &id).await.map_err(|d| self.world(d))?;
        if namespaced && id.namespace.is_none() {
            id.namespace = Some(cluster.namespace().to_owned());
            set_namespace(&mut manifest, cluster.namespace());
            // It has a name, so it has metadata.
            if let Some(metadata) = shape.get_mut("metadata").and_then(Json::as_object_mut) {
                metadata.insert("namespace".to_owned(), cluster.namespace().into());
            }
        } else if !namespaced && id.namespace.is_some() {
            let summary =
                format!("{} belongs to no namespace, and slot `{}` gives it one", id.kind, emitted.slot);
            return Err(Failure::blueprint(vec![
                Diagnostic::error("kubernetes.cluster-scoped", summary).on(self.address.clone()),
            ]));
        }
        let is_secret = id.api_version == "v1" && id.kind == "Secret";
        let in_grant = |at: &str| {
            let places = &self.permit.emit.secrets_in;
            places.iter().any(|p| p.kind.matches(id.group(), &id.kind) && p.holds(at))
        };
        let allowed = |at: &str| {
            is_secret && (at.starts_with("/data/") || at.starts_with("/stringData/")) || in_grant(at)
        };
        if let Some(at) = sheave_secrets::misplaced_secret(&manifest, &allowed) {
            let summary = format!("a secret would stand in {id} at `{at}`, where others can read it");
            let help = format!(
                "secrets belong into a Secret's data; refer to it from there (`secretKeyRef`). Where the plugin cannot, \
                 `grants: {{emit: {{secrets-in: [{{kind: {}, pointer: {at}}}]}}}}` allows it",
                id.kind
            );
            let fault = Diagnostic::error("blueprint.secret-misplaced", summary).with_help(help);
            return Err(Failure::blueprint(vec![fault.on(self.address.clone())]));
        }
        if let Some(definition) = self.context.definitions.of(&target, &id)
            && matches!(
                cluster.scope_of(&id.api_version, &id.kind).await,
                Err(ClusterError::NoSuchKind { .. })
            )
        {
            for warning in crate::definitions::check(&definition, &id, &manifest) {
                self.context.warn(self.context.clean(warning).on(self.address.clone()));
            }
        }
        let in_target = |key: String| format!("{target}/{key}");
        let order = ObjectOrder {
            rank: sheave_manifest::rank(&id),
            provides: sheave_manifest::provides(&shape).map(in_target),
            requires: sheave_manifest::requires(&shape).into_iter().map(in_target).collect(),
            after: emitted.after,
            shared: sheave_manifest::is_shared(&id),
        };
        let ready_when = emitted.ready_when;
        let manifest = Arc::new(manifest);
        let (slot, ignore) = (emitted.slot, Vec::new());
        let facts = sheave_manifest::facts(&shape, &id, cluster.namespace());
        Ok(Ok(RenderedObject { slot, target, id, manifest, order, ready_when, ignore, facts }))
    }
}

/// The object as JSON, an empty text at marked leaves: for what looks at its shape and identity alone.
fn shape_of(manifest: &Value) -> Json {
    let blank: Result<Json, std::convert::Infallible> =
        manifest.to_json_with(&mut |_| Ok(Json::String(String::new())));
    blank.unwrap_or_default()
}

fn set_namespace(manifest: &mut Value, namespace: &str) {
    if let Value::Map(fields) = manifest
        && let Value::Map(metadata) = fields.entry("metadata".to_owned()).or_insert_with(Value::empty)
    {
        metadata.insert("namespace".to_owned(), Value::Text(namespace.to_owned()));
    }
}
