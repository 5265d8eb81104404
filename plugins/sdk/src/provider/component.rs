//! Providers as the interface wants them: documents in, documents out.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde_json::{Map, Value};

use super::{Attempt, Change, Known, Pending, Planned, Provider, Resource, Step};
use crate::bindings::adopts::exports::sheave::plugin::adopt as wit_adopt;
use crate::bindings::base::sheave::plugin::types::Snapshot;
use crate::bindings::exports::{Model, Role, TypeInfo};
use crate::bindings::provides::exports::sheave::plugin::provide as wit;
use crate::context::{doc, json, parse, read};
use crate::{Context, Description, Diagnostic, Doc, Failure, Instance, Mark, MarkKind, model, schema};

/// A type in terms of JSON: what [`Provider`] becomes.
pub trait ProviderType: Sync {
    /// Name, version and summary.
    fn describe(&self) -> Description;
    /// JSON Schema 2020-12 of the properties, with the outputs' under `x-outputs`.
    fn schema(&self) -> Cow<'static, str>;
    /// See [`Provider::check`].
    fn check(&self, cx: &Context, props: Value) -> Vec<Diagnostic>;
    /// See [`Provider::plan`].
    fn plan(&self, cx: &Context, prior: Option<Snapshot>, desired: Value) -> Result<Planned, Failure>;
    /// See [`Provider::read`].
    fn read(&self, cx: &Context, prior: Snapshot) -> Result<Option<Snapshot>, Failure>;
    /// Creates, updates or deletes: which one, `prior` and `desired` tell.
    fn apply(
        &self,
        cx: &Context,
        prior: Option<Snapshot>,
        desired: Option<Value>,
        attempt: &Attempt,
    ) -> Result<wit::Step, Failure>;
    /// See [`Provider::adopt`].
    fn adopt(&self, cx: &Context, identity: &str) -> Result<Snapshot, Failure>;
}

/// A [`Provider`] as a [`ProviderType`].
#[derive(Debug)]
pub struct Typed<P>(PhantomData<fn() -> P>);

impl<P> Typed<P> {
    /// The one there is.
    pub const NEW: Self = Self(PhantomData);
}

const BAD_PROPS: &str = "sdk.bad-properties";
const BAD_STATE: &str = "sdk.bad-state";

impl<P: Provider> Typed<P> {
    fn known(prior: Snapshot) -> Result<Known<P::State>, Failure> {
        Ok(Known { id: prior.id, state: parse(BAD_STATE, read(&prior.state)?)?, private: prior.private_data })
    }

    fn snapshot(resource: Resource<P>) -> Result<Snapshot, Failure> {
        let secret = |pointer: String| Mark { pointer, kind: MarkKind::Secret };
        let mut state = doc(&json(&resource.state)?);
        state.marks = P::secrets_of_state(&resource.state).into_iter().map(secret).collect();
        let mut outputs = doc(&json(&resource.outputs)?);
        outputs.marks = P::secrets_of_outputs(&resource.outputs).into_iter().map(secret).collect();
        Ok(Snapshot { id: resource.id, state, outputs, private_data: resource.private })
    }
}

impl<P: Provider> ProviderType for Typed<P> {
    fn describe(&self) -> Description {
        Description { name: P::NAME, summary: P::SUMMARY, version: P::VERSION }
    }

    fn schema(&self) -> Cow<'static, str> {
        schema::of::<P::Props, P::Outputs>().to_value().to_string().into()
    }

    fn check(&self, cx: &Context, props: Value) -> Vec<Diagnostic> {
        match parse(BAD_PROPS, props) {
            Ok(props) => P::check(cx, &props),
            Err(Failure::Invalid(faults)) => faults,
            Err(_) => Vec::new(),
        }
    }

    fn plan(&self, cx: &Context, prior: Option<Snapshot>, desired: Value) -> Result<Planned, Failure> {
        let json_of = |doc: fn(&Snapshot) -> &Doc| prior.as_ref().map_or(Ok(Value::Null), |p| read(doc(p)));
        let (prior_state, prior_outputs) = (json_of(|p| &p.state)?, json_of(|p| &p.outputs)?);
        let change = Change::<P> {
            props: parse(BAD_PROPS, desired.clone())?,
            prior: prior.map(Self::known).transpose()?,
            prior_state,
            prior_outputs,
            desired,
        };
        let mut planned = P::plan(cx, &change)?;
        let schema = schema::of::<P::Props, P::Outputs>().to_value();
        for name in planned.unknown.iter().filter(|name| !name.starts_with('/')) {
            planned.outputs.insert(name.clone(), unknown(&schema["x-outputs"], name));
        }
        Ok(planned)
    }

    fn read(&self, cx: &Context, prior: Snapshot) -> Result<Option<Snapshot>, Failure> {
        P::read(cx, Self::known(prior)?)?.map(Self::snapshot).transpose()
    }

    fn apply(
        &self,
        cx: &Context,
        prior: Option<Snapshot>,
        desired: Option<Value>,
        attempt: &Attempt,
    ) -> Result<wit::Step, Failure> {
        let desired = desired.map(|d| parse(BAD_PROPS, d)).transpose()?;
        let step = match (prior.map(Self::known).transpose()?, desired) {
            (None, Some(props)) => P::create(cx, props, attempt)?,
            (Some(known), Some(props)) => P::update(cx, known, props, attempt)?,
            (Some(known), None) => P::delete(cx, known, attempt)?,
            (None, None) => Step::Gone,
        };
        Ok(match step {
            Step::Done(resource) => wit::Step::Done(Some(Self::snapshot(resource)?)),
            Step::Gone => wit::Step::Done(None),
            Step::Pending(Pending { resume, after_ms, message, percent }) => {
                wit::Step::Pending(wit::Pending { resume, after_ms, message, percent })
            }
            Step::Partial(left, why) => wit::Step::Partial(wit::Tainted { left: Self::snapshot(left)?, why }),
        })
    }

    fn adopt(&self, cx: &Context, identity: &str) -> Result<Snapshot, Failure> {
        Self::snapshot(P::adopt(cx, identity)?)
    }
}

/// A component's types; [`crate::provider!`] implements it.
pub trait Providers {
    /// Every type, in the order in which they are shown.
    fn types() -> &'static [&'static dyn ProviderType];
}

/// What the component exports.
#[derive(Debug)]
pub struct Exported<C>(PhantomData<C>);

impl<C: Providers> Exported<C> {
    fn find(name: &str) -> Result<&'static dyn ProviderType, Failure> {
        crate::heap::reserve();
        crate::log::report_panics();
        C::types()
            .iter()
            .copied()
            .find(|t| t.describe().name == name)
            .ok_or_else(|| model::no_such_type(name))
    }

    fn marks(desired: Option<&Doc>) -> &[Mark] {
        desired.map_or(&[], |d| &d.marks)
    }
}

impl<C: Providers> Model for Exported<C> {
    fn describe() -> Vec<TypeInfo> {
        C::types().iter().map(|t| t.describe().info(Role::Provides)).collect()
    }

    fn settings_schema() -> Option<String> {
        None
    }

    fn schema(type_name: String) -> Result<String, Failure> {
        Ok(Self::find(&type_name)?.schema().into_owned())
    }

    fn check(of: Instance, props: Doc) -> Result<Doc, Failure> {
        let found = Self::find(&of.type_name)?.check(&Context::new(&of, &props.marks)?, read(&props)?);
        model::checked(props, found)
    }

    fn upgrade(of: Instance, stored_version: u32, state: Doc) -> Result<Doc, Failure> {
        model::unchanged(Self::find(&of.type_name)?.describe(), stored_version, state)
    }
}

impl<C: Providers> wit::Guest for Exported<C> {
    fn plan(what: wit::Change) -> Result<wit::Planned, Failure> {
        let Some(desired) = what.desired else {
            return Ok(wit::Planned {
                outputs: doc(&Value::Object(Map::new())),
                replace: Vec::new(),
                notes: Vec::new(),
            });
        };
        let cx = Context::new(&what.of, &desired.marks)?;
        let Planned { outputs, unknown, replace, notes } =
            Self::find(&what.of.type_name)?.plan(&cx, what.prior, read(&desired)?)?;
        let mut outputs = doc(&Value::Object(outputs));
        let mark = |name: &String| Mark { pointer: pointer(name), kind: MarkKind::Unknown };
        outputs.marks = unknown.iter().map(mark).collect();
        Ok(wit::Planned { outputs, replace, notes })
    }

    fn read(of: Instance, prior: Snapshot) -> Result<Option<Snapshot>, Failure> {
        Self::find(&of.type_name)?.read(&Context::new(&of, &[])?, prior)
    }

    fn apply(
        what: wit::Change,
        _agreed: wit::Planned,
        op_key: String,
        resume: Option<Vec<u8>>,
    ) -> Result<wit::Step, Failure> {
        let cx = Context::new(&what.of, Self::marks(what.desired.as_ref()))?;
        let desired = what.desired.as_ref().map(read).transpose()?;
        Self::find(&what.of.type_name)?.apply(&cx, what.prior, desired, &Attempt { key: op_key, resume })
    }
}

impl<C: Providers> wit_adopt::Guest for Exported<C> {
    fn adopt(of: Instance, identity: String) -> Result<Snapshot, Failure> {
        Self::find(&of.type_name)?.adopt(&Context::new(&of, &[])?, &identity)
    }
}

/// What stands for an output that is not known: a text where it will be one, so that it can travel on as a token.
fn unknown(outputs: &Value, name: &str) -> Value {
    let is_text = outputs.pointer(&format!("/properties{}/type", pointer(name))) == Some(&"string".into());
    if is_text { "".into() } else { Value::Null }
}

/// The pointer to a map's field.
fn pointer(name: &str) -> String {
    if name.starts_with('/') {
        return name.to_owned();
    }
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}
