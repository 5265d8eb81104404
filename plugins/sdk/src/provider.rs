//! Types that create, read, update and delete something by themselves.

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::bindings::adopts::exports::sheave::plugin::adopt as wit_adopt;
use crate::bindings::base::sheave::plugin::types::Snapshot;
use crate::bindings::exports::{Role, TypeInfo};
use crate::bindings::provides::exports::sheave::plugin::provide as wit;
use crate::context::{doc, json, parse, read};
use crate::{Context, Description, Diagnostic, Doc, Failure, Instance, Mark, MarkKind, model, schema};

/// A type of things outside. Export it with [`crate::provider!`].
///
/// [`check`](Self::check) and [`plan`](Self::plan) are pure and run without any grant; the others run with what the
/// operator granted.
pub trait Provider: Sized + 'static {
    /// The name in `plugin:Name`.
    const NAME: &'static str;
    /// One line for people.
    const SUMMARY: &'static str;
    /// The version of the stored state.
    const VERSION: u32 = 1;
    /// What the blueprint writes. The schema is made of it.
    type Props: DeserializeOwned + JsonSchema;
    /// What expressions may read.
    type Outputs: Serialize + JsonSchema;
    /// What the plugin wants to know of the thing later, kept by the host. A field with a property's name is
    /// compared with that property when the schema says `x-immutable`.
    type State: Serialize + DeserializeOwned;

    /// Rules across fields, which the schema cannot say. A text leaf may hold a token: see [`Context::has_token`].
    fn check(cx: &Context, props: &Self::Props) -> Vec<Diagnostic> {
        let _ = (cx, props);
        Vec::new()
    }

    /// What a change would do. By default the schema tells: see [`Change::by_schema`].
    ///
    /// # Errors
    /// See [`Failure`].
    fn plan(cx: &Context, change: &Change<Self>) -> Result<Planned, Failure> {
        let _ = cx;
        Ok(change.by_schema())
    }

    /// Makes it. Called again with the same [`Attempt::key`] when the host was cut off: what is there already under
    /// that key is to be found, not made twice.
    ///
    /// # Errors
    /// See [`Failure`].
    fn create(cx: &Context, props: Self::Props, attempt: &Attempt) -> Result<Step<Self>, Failure>;

    /// What there is now; none: it is gone.
    ///
    /// # Errors
    /// See [`Failure`].
    fn read(cx: &Context, known: Known<Self::State>) -> Result<Option<Resource<Self>>, Failure>;

    /// Makes it as `props` says.
    ///
    /// # Errors
    /// See [`Failure`].
    fn update(
        cx: &Context,
        known: Known<Self::State>,
        props: Self::Props,
        attempt: &Attempt,
    ) -> Result<Step<Self>, Failure>;

    /// Deletes it; that it is gone already is no error.
    ///
    /// # Errors
    /// See [`Failure`].
    fn delete(cx: &Context, known: Known<Self::State>, attempt: &Attempt) -> Result<Step<Self>, Failure>;

    /// Takes over what exists under `identity`. Only called when exported by `provider!(adopting ...)`.
    ///
    /// # Errors
    /// See [`Failure`].
    fn adopt(cx: &Context, identity: &str) -> Result<Resource<Self>, Failure> {
        let _ = cx;
        let detail = "the plugin does not take over what exists";
        Err(Failure::other("sdk.no-adopt", format!("`{identity}` cannot be adopted"), detail))
    }
}

/// A thing that is there.
pub struct Resource<P: Provider> {
    /// Its identity outside.
    pub id: String,
    /// Kept by the host and given back.
    pub state: P::State,
    /// What expressions may read.
    pub outputs: P::Outputs,
    /// The plugin's own bytes, given back untouched.
    pub private: Vec<u8>,
}

/// What the host knows of a thing.
#[derive(Clone, Debug)]
pub struct Known<S> {
    /// Its identity outside.
    pub id: String,
    /// As it was when last seen.
    pub state: S,
    /// The plugin's own bytes.
    pub private: Vec<u8>,
}

/// One try at a change.
#[derive(Clone, Debug, Default)]
pub struct Attempt {
    /// The same on every try of one change: the idempotency key.
    pub key: String,
    /// What the last [`Pending`] said; none on the first call.
    pub resume: Option<Vec<u8>>,
}

/// How far a change came.
pub enum Step<P: Provider> {
    /// It is there as wanted.
    Done(Resource<P>),
    /// It is gone.
    Gone,
    /// Not finished.
    Pending(Pending),
    /// It is there, but not right: the host stores it as tainted.
    Partial(Resource<P>, Vec<Diagnostic>),
}

/// What to do next, kept durably by the host before it calls again.
#[derive(Clone, Debug, Default)]
pub struct Pending {
    /// Given back in [`Attempt::resume`].
    pub resume: Vec<u8>,
    /// Milliseconds to wait; zero: at once.
    pub after_ms: u32,
    /// For people.
    pub message: String,
    /// 0 to 100.
    pub percent: Option<u8>,
}

/// What a change would do.
#[derive(Clone, Debug, Default)]
pub struct Planned {
    /// The outputs, as far as they are known: a map.
    pub outputs: Map<String, Value>,
    /// Names of the outputs that only apply can tell.
    pub unknown: Vec<String>,
    /// Pointers of the properties that force a replacement; empty: in place.
    pub replace: Vec<String>,
    /// Words for the operator.
    pub notes: Vec<Diagnostic>,
}

/// A creation or an update that is being planned.
pub struct Change<P: Provider> {
    /// What there is; none: it is to be created.
    pub prior: Option<Known<P::State>>,
    /// What is wanted.
    pub props: P::Props,
    prior_state: Value,
    prior_outputs: Value,
    desired: Value,
}

impl<P: Provider> Change<P> {
    /// What the schema tells: an `x-immutable` property that differs from the state's field of the same name forces a
    /// replacement; outputs are unknown, but those that are `x-stable` keep their value where nothing is replaced.
    pub fn by_schema(&self) -> Planned {
        let schema = schema::of::<P::Props, P::Outputs>().to_value();
        let mut planned = Planned { replace: self.replaced(&schema), ..Planned::default() };
        for (name, output) in schema::fields(&schema["x-outputs"]) {
            let stable = output.get("x-stable") == Some(&Value::Bool(true)) && planned.replace.is_empty();
            match self.prior_outputs.get(name).filter(|_| stable) {
                Some(value) => drop(planned.outputs.insert(name.to_owned(), value.clone())),
                None => planned.unknown.push(name.to_owned()),
            }
        }
        planned
    }

    /// Pointers of the `x-immutable` properties that differ from the state.
    pub fn replaced_by_schema(&self) -> Vec<String> {
        self.replaced(&schema::of::<P::Props, P::Outputs>().to_value())
    }

    fn replaced(&self, schema: &Value) -> Vec<String> {
        schema::having(schema, "x-immutable")
            .filter(|name| {
                let before = self.prior_state.get(name);
                before.is_some_and(|before| Some(before) != self.desired.get(name))
            })
            .map(|name| format!("/{name}"))
            .collect()
    }
}

/// A type in terms of JSON: what [`Provider`] becomes.
#[doc(hidden)]
pub trait ProviderType: Sync {
    fn describe(&self) -> Description;
    fn schema(&self) -> Cow<'static, str>;
    fn check(&self, cx: &Context, props: Value) -> Vec<Diagnostic>;
    fn plan(&self, cx: &Context, prior: Option<Snapshot>, desired: Value) -> Result<Planned, Failure>;
    fn read(&self, cx: &Context, prior: Snapshot) -> Result<Option<Snapshot>, Failure>;
    fn apply(
        &self,
        cx: &Context,
        prior: Option<Snapshot>,
        desired: Option<Value>,
        attempt: &Attempt,
    ) -> Result<wit::Step, Failure>;
    fn adopt(&self, cx: &Context, identity: &str) -> Result<Snapshot, Failure>;
}

/// A [`Provider`] as a [`ProviderType`].
#[doc(hidden)]
#[derive(Debug)]
pub struct Typed<P>(PhantomData<fn() -> P>);

impl<P> Typed<P> {
    pub const NEW: Self = Self(PhantomData);
}

const BAD_PROPS: &str = "sdk.bad-properties";
const BAD_STATE: &str = "sdk.bad-state";

impl<P: Provider> Typed<P> {
    fn known(prior: Snapshot) -> Result<Known<P::State>, Failure> {
        Ok(Known { id: prior.id, state: parse(BAD_STATE, read(&prior.state)?)?, private: prior.private_data })
    }

    fn snapshot(resource: Resource<P>) -> Result<Snapshot, Failure> {
        Ok(Snapshot {
            id: resource.id,
            state: doc(&json(&resource.state)?),
            outputs: doc(&json(&resource.outputs)?),
            private_data: resource.private,
        })
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
        P::plan(cx, &change)
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
#[doc(hidden)]
pub trait Providers {
    fn types() -> &'static [&'static dyn ProviderType];
}

/// What the component exports.
#[doc(hidden)]
#[derive(Debug)]
pub struct Exported<C>(PhantomData<C>);

impl<C: Providers> Exported<C> {
    fn find(name: &str) -> Result<&'static dyn ProviderType, Failure> {
        crate::log::report_panics();
        C::types().iter().copied().find(|t| t.describe().name == name).ok_or_else(|| model::no_such_type(name))
    }

    fn marks(desired: Option<&Doc>) -> &[Mark] {
        desired.map_or(&[], |d| &d.marks)
    }
}

impl<C: Providers> crate::bindings::exports::Model for Exported<C> {
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
            return Ok(wit::Planned { outputs: doc(&Value::Object(Map::new())), replace: Vec::new(), notes: Vec::new() });
        };
        let cx = Context::new(&what.of, &desired.marks)?;
        let Planned { mut outputs, unknown, replace, notes } =
            Self::find(&what.of.type_name)?.plan(&cx, what.prior, read(&desired)?)?;
        outputs.extend(unknown.iter().map(|name| (name.clone(), Value::Null)));
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

/// The pointer to a map's field.
fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}
