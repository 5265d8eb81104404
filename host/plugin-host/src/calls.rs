//! The functions of a plugin, each as one call in a fresh instance.

use std::sync::Arc;

use sheave_model::asked::Effective;
use sheave_model::manifest::PluginManifest;

use crate::bindings::exports::sheave::plugin::{emit, provide};
use crate::bindings::sheave::plugin::types as wit;
use crate::error::CallError;
use crate::guest::Guest;
use crate::http::Outside;
use crate::plugin::{Call, Plugin, Rights};
use crate::reply::{self, Reply};
use crate::wire::{
    Change, Checked, Doc, Emitted, Failure, Instance, Live, Lookup, NeedsOrObjects, Observation, Planned,
    PluginDiagnostic, Role, Snapshot, Step, TypeInfo,
};

fn pure<'a>(function: &'static str, instance: &'a str) -> Call<'a> {
    Call { function, instance, rights: Rights::Pure, outside: None }
}

/// Whether nothing in a document is marked.
fn is_plain(doc: &wit::Doc) -> bool {
    doc.marks.is_empty()
}

fn is_same(one: &wit::Doc, other: &wit::Doc) -> bool {
    let marks = |doc: &wit::Doc| doc.marks.len();
    let mut pairs = one.marks.iter().zip(&other.marks);
    one.json == other.json
        && marks(one) == marks(other)
        && pairs.all(|(a, b)| a.pointer == b.pointer && a.kind == b.kind)
}

impl Plugin {
    /// The same plugin, for calls that may use connections and tokens.
    #[must_use]
    pub fn with_outside(&self, outside: Arc<dyn Outside>) -> Self {
        Self(self.0.clone(), Some(outside))
    }

    fn granted<'a>(&'a self, function: &'static str, instance: &'a str) -> Call<'a> {
        Call { function, instance, rights: Rights::Granted, outside: self.1.as_ref() }
    }

    /// The name under which it was loaded.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// SHA-256 of the component, lower-case hex.
    pub fn digest(&self) -> &str {
        &self.0.digest
    }

    /// What it says of itself; none where it says nothing.
    pub fn manifest(&self) -> Option<&PluginManifest> {
        self.0.manifest.as_ref()
    }

    /// What it gets: what it asks for and was granted.
    pub fn held(&self) -> &Effective {
        &self.0.held
    }

    /// What it imports, by name.
    pub fn imports(&self) -> &[String] {
        &self.0.imports
    }

    /// Whether it turns properties into objects: `needs`, `render` and `observe` can be called.
    pub fn emits(&self) -> bool {
        self.0.emit.is_some()
    }

    /// Whether it provides resources by itself: `plan`, `read` and `apply` can be called.
    pub fn provides(&self) -> bool {
        self.0.provide.is_some()
    }

    /// Whether `adopt` can be called.
    pub fn adopts(&self) -> bool {
        self.0.adopt.is_some()
    }

    /// Whether it can play the role.
    pub fn has_role(&self, role: Role) -> bool {
        match role {
            Role::Emits => self.emits(),
            Role::Provides => self.provides(),
        }
    }

    /// The plugin's types: names unique, roles among those that it has.
    ///
    /// # Errors
    ///
    /// [`CallError`], as of every call.
    pub async fn describe(&self) -> Result<Vec<TypeInfo>, CallError> {
        let call = pure("describe", "");
        let model = self.0.model.clone();
        let run = self.0.run(call, move |mut store, instance| {
            Box::pin(async move { model.load(&mut store, &instance)?.call_describe(&mut store).await })
        });
        let types: Vec<TypeInfo> = run.await?.into_iter().map(TypeInfo::from).collect();
        types.check().map_err(|fault| self.0.fault(&call, fault))?;
        reply::roles(&types, self.emits(), self.provides()).map_err(|fault| self.0.fault(&call, fault))?;
        Ok(types)
    }

    /// The JSON Schema of the plugin's settings; none: it takes none.
    ///
    /// # Errors
    ///
    /// [`CallError`], as of every call.
    pub async fn settings_schema(&self) -> Result<Option<String>, CallError> {
        let call = pure("settings-schema", "");
        let model = self.0.model.clone();
        let run = self.0.run(call, move |mut store, instance| {
            Box::pin(async move { model.load(&mut store, &instance)?.call_settings_schema(&mut store).await })
        });
        let schema = run.await?;
        schema.check().map_err(|fault| self.0.fault(&call, fault))?;
        Ok(schema)
    }

    /// The JSON Schema of a type's properties, and under `x-outputs` of its outputs: an object.
    ///
    /// # Errors
    ///
    /// [`CallError`], as of every call.
    pub async fn schema(&self, type_name: &str) -> Result<String, CallError> {
        let model = self.0.model.clone();
        let type_name = type_name.to_owned();
        let call = pure("schema", "");
        let run = self.0.run(call, move |mut store, instance| {
            Box::pin(
                async move { model.load(&mut store, &instance)?.call_schema(&mut store, &type_name).await },
            )
        });
        self.answer(&call, run.await?, |json| json)
    }

    /// The properties with defaults filled in.
    ///
    /// # Errors
    ///
    /// [`CallError`], as of every call.
    pub async fn check(&self, of: &Instance, props: &Doc) -> Result<Doc, CallError> {
        self.check_and_hear(of, props).await.map(|(props, _)| props)
    }

    /// The same, with what the plugin warns of: the lines of its log at the level `warn` that carry a `code`.
    ///
    /// # Errors
    ///
    /// [`CallError`], as of every call.
    pub async fn check_and_hear(
        &self,
        of: &Instance,
        props: &Doc,
    ) -> Result<(Doc, Vec<PluginDiagnostic>), CallError> {
        let model = self.0.model.clone();
        let (instance_of, props): (wit::Instance, wit::Doc) = (of.into(), props.into());
        let call = pure("check", &of.name);
        let run = self.0.run_and_hear(call, move |mut store, instance| {
            Box::pin(async move {
                model.load(&mut store, &instance)?.call_check(&mut store, &instance_of, &props).await
            })
        });
        let (answer, warnings) = run.await?;
        Ok((self.answer(&call, answer, Doc::from)?, warnings))
    }

    /// Stored state carried from `stored_version` to the type's present version.
    ///
    /// # Errors
    ///
    /// [`CallError`], as of every call.
    pub async fn upgrade(&self, of: &Instance, stored_version: u32, state: &Doc) -> Result<Doc, CallError> {
        let model = self.0.model.clone();
        let (instance_of, state): (wit::Instance, wit::Doc) = (of.into(), state.into());
        let call = pure("upgrade", &of.name);
        let run = self.0.run(call, move |mut store, instance| {
            Box::pin(async move {
                let guest = model.load(&mut store, &instance)?;
                guest.call_upgrade(&mut store, &instance_of, stored_version, &state).await
            })
        });
        self.answer(&call, run.await?, Doc::from)
    }

    /// The live objects that `render` wants to see beside those in `found`.
    ///
    /// # Errors
    ///
    /// [`CallError`], as of every call; [`CallError::BadReply`] where the plugin does not emit.
    pub async fn needs(&self, of: &Instance, props: &Doc, found: &[Live]) -> Result<Vec<Lookup>, CallError> {
        let call = pure("needs", &of.name);
        let emit = self.exported(&call, self.0.emit.as_ref())?;
        let (instance_of, props): (wit::Instance, wit::Doc) = (of.into(), props.into());
        let found: Vec<emit::Live> = found.iter().map(emit::Live::from).collect();
        let run = self.0.run(call, move |mut store, instance| {
            Box::pin(async move {
                emit.load(&mut store, &instance)?.call_needs(&mut store, &instance_of, &props, &found).await
            })
        });
        self.answer(&call, run.await?, |all| all.into_iter().map(Lookup::from).collect::<Vec<_>>())
    }

    /// The desired objects: slots unique, references among them known.
    ///
    /// # Errors
    ///
    /// [`CallError`], as of every call; [`CallError::BadReply`] where the plugin does not emit.
    pub async fn render(
        &self,
        of: &Instance,
        props: &Doc,
        found: &[Live],
    ) -> Result<Vec<Emitted>, CallError> {
        let call = pure("render", &of.name);
        let emit = self.exported(&call, self.0.emit.as_ref())?;
        let (instance_of, props): (wit::Instance, wit::Doc) = (of.into(), props.into());
        let found: Vec<emit::Live> = found.iter().map(emit::Live::from).collect();
        let run = self.0.run(call, move |mut store, instance| {
            Box::pin(async move {
                emit.load(&mut store, &instance)?.call_render(&mut store, &instance_of, &props, &found).await
            })
        });
        self.answer(&call, run.await?, |all| all.into_iter().map(Emitted::from).collect::<Vec<_>>())
    }

    /// `render` right after `needs`, in one instance and under the limits of one call; where `needs` asks for something, only
    /// that. Most plugins ask for nothing, and a second instance would cost more than both calls.
    ///
    /// # Errors
    ///
    /// [`CallError`], as of every call; [`CallError::BadReply`] where the plugin does not emit.
    pub async fn needs_or_render(&self, of: &Instance, props: &Doc) -> Result<NeedsOrObjects, CallError> {
        let call = pure("render", &of.name);
        let emit = self.exported(&call, self.0.emit.as_ref())?;
        let (instance_of, props): (wit::Instance, wit::Doc) = (of.into(), props.into());
        let run = self.0.run(call, move |mut store, instance| {
            Box::pin(async move {
                let guest = emit.load(&mut store, &instance)?;
                let needs = guest.call_needs(&mut store, &instance_of, &props, &[]).await?;
                match needs {
                    Ok(needs) if needs.is_empty() => {
                        let objects = guest.call_render(&mut store, &instance_of, &props, &[]).await?;
                        Ok(objects.map(|all| (Vec::new(), all)))
                    }
                    asked => Ok(asked.map(|needs| (needs, Vec::new()))),
                }
            })
        });
        self.needs_or_objects(&call, run.await?)
    }

    /// `check`, and with what it gives [`Plugin::needs_or_render`], all in one instance: starting one costs more than any of
    /// the three. Each part has the limits of a call of its own. Where anything is marked it is rendered here only if the plugin
    /// gave the very document back: in any other it is for the host to put tokens in first.
    ///
    /// # Errors
    ///
    /// [`CallError`], as of every call; [`CallError::BadReply`] where the plugin does not emit.
    pub async fn check_and_render(&self, of: &Instance, props: &Doc) -> Result<Checked, CallError> {
        let (check, render) = (pure("check", &of.name), pure("render", &of.name));
        let emit = self.exported(&render, self.0.emit.as_ref())?;
        let (model, fuel) = (self.0.model.clone(), self.0.limits.fuel);
        let (instance_of, props): (wit::Instance, wit::Doc) = (of.into(), props.into());
        let plain = is_plain(&props) && is_plain(&instance_of.settings);
        let run = self.0.run_and_hear(check, move |mut store, instance| {
            Box::pin(async move {
                let guest = model.load(&mut store, &instance)?;
                let checked = match guest.call_check(&mut store, &instance_of, &props).await? {
                    Ok(checked) if is_plain(&checked) && plain || is_same(&checked, &props) => checked,
                    other => return Ok((other, None)),
                };
                let guest = emit.load(&mut store, &instance)?;
                Guest::go_on(store, "render", fuel)?;
                let needs = guest.call_needs(&mut store, &instance_of, &checked, &[]).await?;
                let next = match needs {
                    Ok(needs) if needs.is_empty() => {
                        let objects = guest.call_render(&mut store, &instance_of, &checked, &[]).await?;
                        objects.map(|all| (Vec::new(), all))
                    }
                    asked => asked.map(|needs| (needs, Vec::new())),
                };
                Ok((Ok(checked), Some(next)))
            })
        });
        let ((checked, next), warnings) = run.await?;
        let props = self.answer(&check, checked, Doc::from)?;
        let next = next.map(|next| self.needs_or_objects(&render, next)).transpose()?;
        Ok(Checked { props, warnings, next })
    }

    /// What a plugin needs, or where that is nothing its objects.
    fn needs_or_objects(
        &self,
        call: &Call<'_>,
        answer: Result<(Vec<emit::Lookup>, Vec<emit::Emitted>), wit::Failure>,
    ) -> Result<NeedsOrObjects, CallError> {
        let (needs, objects) = match answer {
            Ok((needs, objects)) => (Ok(needs), objects),
            Err(failure) => (Err(failure), Vec::new()),
        };
        let needs = self.answer(call, needs, |all| all.into_iter().map(Lookup::from).collect::<Vec<_>>())?;
        if !needs.is_empty() {
            return Ok(NeedsOrObjects::Needs(needs));
        }
        let objects =
            self.answer(call, Ok(objects), |all| all.into_iter().map(Emitted::from).collect::<Vec<_>>())?;
        Ok(NeedsOrObjects::Objects(objects))
    }

    /// What the live objects mean for the instance.
    ///
    /// # Errors
    ///
    /// [`CallError`], as of every call; [`CallError::BadReply`] where the plugin does not emit.
    pub async fn observe(&self, of: &Instance, props: &Doc, live: &[Live]) -> Result<Observation, CallError> {
        let call = pure("observe", &of.name);
        let emit = self.exported(&call, self.0.emit.as_ref())?;
        let (instance_of, props): (wit::Instance, wit::Doc) = (of.into(), props.into());
        let live: Vec<emit::Live> = live.iter().map(emit::Live::from).collect();
        let run = self.0.run(call, move |mut store, instance| {
            Box::pin(async move {
                emit.load(&mut store, &instance)?.call_observe(&mut store, &instance_of, &props, &live).await
            })
        });
        self.answer(&call, run.await?, Observation::from)
    }

    /// What a provider would do. Runs with no grant.
    ///
    /// # Errors
    ///
    /// [`CallError`], as of every call; [`CallError::BadReply`] where the plugin does not provide.
    pub async fn plan(&self, what: &Change) -> Result<Planned, CallError> {
        let call = pure("plan", &what.of.name);
        let provide = self.exported(&call, self.0.provide.as_ref())?;
        let change: provide::Change = what.into();
        let run = self.0.run(call, move |mut store, instance| {
            Box::pin(async move { provide.load(&mut store, &instance)?.call_plan(&mut store, &change).await })
        });
        self.answer(&call, run.await?, Planned::from)
    }

    /// The resource as it is outside; none: it is gone. Runs with what was granted.
    ///
    /// # Errors
    ///
    /// [`CallError`], as of every call; [`CallError::BadReply`] where the plugin does not provide.
    pub async fn read(&self, of: &Instance, prior: &Snapshot) -> Result<Option<Snapshot>, CallError> {
        let call = self.granted("read", &of.name);
        let provide = self.exported(&call, self.0.provide.as_ref())?;
        let (instance_of, prior): (wit::Instance, wit::Snapshot) = (of.into(), prior.into());
        let run = self.0.run(call, move |mut store, instance| {
            Box::pin(async move {
                provide.load(&mut store, &instance)?.call_read(&mut store, &instance_of, &prior).await
            })
        });
        self.answer(&call, run.await?, |found| found.map(Snapshot::from))
    }

    /// Carries a change out, or a piece of it. Runs with what was granted.
    ///
    /// `op_key` is the same on every retry of one change; `resume` is what the last [`Step::Pending`] gave.
    ///
    /// # Errors
    ///
    /// [`CallError`], as of every call; [`CallError::BadReply`] where the plugin does not provide. Where it is neither
    /// [`CallError::Answer`] nor about loading, whether something changed outside is not known.
    pub async fn apply(
        &self,
        what: &Change,
        agreed: &Planned,
        op_key: &str,
        resume: Option<&[u8]>,
    ) -> Result<Step, CallError> {
        self.apply_with(Rights::Granted, what, agreed, op_key, resume).await
    }

    /// The same, once more: the last such call was cut off, and what it did is not known. The plugin can ask.
    ///
    /// # Errors
    ///
    /// As of [`Plugin::apply`].
    pub async fn apply_again(
        &self,
        what: &Change,
        agreed: &Planned,
        op_key: &str,
        resume: Option<&[u8]>,
    ) -> Result<Step, CallError> {
        self.apply_with(Rights::Repeated, what, agreed, op_key, resume).await
    }

    async fn apply_with(
        &self,
        rights: Rights,
        what: &Change,
        agreed: &Planned,
        op_key: &str,
        resume: Option<&[u8]>,
    ) -> Result<Step, CallError> {
        let call = Call { rights, ..self.granted("apply", &what.of.name) };
        let provide = self.exported(&call, self.0.provide.as_ref())?;
        let (change, agreed): (provide::Change, provide::Planned) = (what.into(), agreed.into());
        let (op_key, resume) = (op_key.to_owned(), resume.map(<[u8]>::to_vec));
        let run = self.0.run(call, move |mut store, instance| {
            Box::pin(async move {
                let guest = provide.load(&mut store, &instance)?;
                guest.call_apply(&mut store, &change, &agreed, &op_key, resume.as_deref()).await
            })
        });
        let step = self.answer(&call, run.await?, Step::from)?;
        reply::step(&step, what).map_err(|fault| self.0.fault(&call, fault))?;
        Ok(step)
    }

    /// Takes over what exists outside under `identity`. Runs with what was granted.
    ///
    /// # Errors
    ///
    /// [`CallError`], as of every call; [`CallError::BadReply`] where the plugin does not adopt.
    pub async fn adopt(&self, of: &Instance, identity: &str) -> Result<Snapshot, CallError> {
        let call = self.granted("adopt", &of.name);
        let adopt = self.exported(&call, self.0.adopt.as_ref())?;
        let (instance_of, identity): (wit::Instance, String) = (of.into(), identity.to_owned());
        let run = self.0.run(call, move |mut store, instance| {
            Box::pin(async move {
                adopt.load(&mut store, &instance)?.call_adopt(&mut store, &instance_of, &identity).await
            })
        });
        self.answer(&call, run.await?, Snapshot::from)
    }

    /// The plugin's answer: its failure, or its reply, converted and checked.
    fn answer<W, R: Reply>(
        &self,
        call: &Call<'_>,
        answer: Result<W, wit::Failure>,
        convert: impl FnOnce(W) -> R,
    ) -> Result<R, CallError> {
        let reply = answer.map(convert).map_err(|failure| CallError::Answer(Failure::from(failure)))?;
        reply.check().map_err(|fault| self.0.fault(call, fault))?;
        Ok(reply)
    }

    fn exported<I: Clone>(&self, call: &Call<'_>, interface: Option<&I>) -> Result<I, CallError> {
        let missing = || reply::Fault::Rule("the plugin does not export this function".to_owned());
        interface.cloned().ok_or_else(|| self.0.fault(call, missing()))
    }
}
