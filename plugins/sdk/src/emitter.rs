//! Types that turn properties into objects, which the host applies.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::bindings::emits::exports::sheave::plugin::emit as wit;
use crate::bindings::exports::{Role, TypeInfo};
use crate::context::{doc, json, parse, read};
use crate::{Context, Description, Diagnostic, Doc, Failure, Instance, model, schema};

/// A type whose properties and outputs are Rust structs. Export it with [`crate::emitter!`].
///
/// Everything here is pure: the same properties give the same objects, byte for byte.
pub trait Emitter: 'static {
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

    /// Rules across fields, which the schema cannot say. A text leaf may hold a token: see [`Context::has_token`].
    fn check(cx: &Context, props: &Self::Props) -> Vec<Diagnostic> {
        let _ = (cx, props);
        Vec::new()
    }

    /// Live objects to look at before rendering; asked again with what was found, until nothing new is wanted.
    ///
    /// # Errors
    /// See [`Failure`].
    fn needs(cx: &Context, props: &Self::Props, found: &Live) -> Result<Vec<Lookup>, Failure> {
        let _ = (cx, props, found);
        Ok(Vec::new())
    }

    /// The desired objects.
    ///
    /// # Errors
    /// See [`Failure`].
    fn render(cx: &Context, props: Self::Props, found: &Live) -> Result<Vec<Object>, Failure>;

    /// What the live objects say.
    ///
    /// # Errors
    /// See [`Failure`].
    fn observe(cx: &Context, props: Self::Props, live: &Live) -> Result<Observation<Self::Outputs>, Failure>;
}

/// A type in terms of JSON: what [`Emitter`] becomes, and what types with a schema of their own implement.
pub trait EmitterType: Sync {
    /// Name, version and summary.
    fn describe(&self) -> Description;
    /// JSON Schema 2020-12 of the properties, with the outputs' under `x-outputs`. Called often: keep it cheap.
    fn schema(&self) -> Cow<'static, str>;
    /// See [`Emitter::check`].
    fn check(&self, cx: &Context, props: &Value) -> Vec<Diagnostic>;
    /// See [`Emitter::needs`].
    ///
    /// # Errors
    /// See [`Failure`].
    fn needs(&self, cx: &Context, props: Value, found: &Live) -> Result<Vec<Lookup>, Failure> {
        let _ = (cx, props, found);
        Ok(Vec::new())
    }
    /// See [`Emitter::render`].
    ///
    /// # Errors
    /// See [`Failure`].
    fn render(&self, cx: &Context, props: Value, found: &Live) -> Result<Vec<Object>, Failure>;
    /// See [`Emitter::observe`].
    ///
    /// # Errors
    /// See [`Failure`].
    fn observe(&self, cx: &Context, props: Value, live: &Live) -> Result<Observation<Value>, Failure>;
}

/// One desired object.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    slot: String,
    target: String,
    manifest: Value,
    after: Vec<String>,
    ready_when: Option<String>,
    restart_on: Vec<String>,
}

impl Object {
    /// An object in the resource's own target. `slot` is stable within the instance: a rename or a diff is keyed by it.
    pub fn new(slot: impl Into<String>, manifest: Value) -> Self {
        Self {
            slot: slot.into(),
            target: String::new(),
            manifest,
            after: Vec::new(),
            ready_when: None,
            restart_on: Vec::new(),
        }
    }

    /// In another target of the blueprint, by its name there.
    #[must_use]
    pub fn target(mut self, target: impl Into<String>) -> Self {
        self.target = target.into();
        self
    }

    /// Only once that slot is ready.
    #[must_use]
    pub fn after(mut self, slot: impl Into<String>) -> Self {
        self.after.push(slot.into());
        self
    }

    /// Ready when this CEL expression over `self` is true, instead of the host's rule for the kind.
    #[must_use]
    pub fn ready_when(mut self, expression: impl Into<String>) -> Self {
        self.ready_when = Some(expression.into());
        self
    }

    /// Its pods restart when that slot's content changes.
    #[must_use]
    pub fn restart_on(mut self, slot: impl Into<String>) -> Self {
        self.restart_on.push(slot.into());
        self
    }

    /// The object itself.
    pub fn manifest(&self) -> &Value {
        &self.manifest
    }
}

/// A live object that rendering wants to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// A target of the blueprint; empty: the resource's own.
    pub target: String,
    /// `v1`, `apps/v1`.
    pub api_version: String,
    /// `Service`.
    pub kind: String,
    /// None for cluster-scoped objects.
    pub namespace: Option<String>,
    /// The object's name.
    pub name: String,
}

/// Live objects by slot, secrets masked.
#[derive(Clone, Debug, Default)]
pub struct Live(BTreeMap<String, Option<Value>>);

impl Live {
    /// The object in `slot`; none where it does not exist.
    pub fn get(&self, slot: &str) -> Option<&Value> {
        self.0.get(slot)?.as_ref()
    }

    /// Whether the host looked for `slot` at all.
    pub fn looked_for(&self, slot: &str) -> bool {
        self.0.contains_key(slot)
    }

    fn read(live: &[wit::Live]) -> Result<Self, Failure> {
        let one = |l: &wit::Live| Ok((l.slot.clone(), l.body.as_ref().map(read).transpose()?));
        live.iter().map(one).collect::<Result<_, Failure>>().map(Self)
    }
}

impl FromIterator<(String, Option<Value>)> for Live {
    fn from_iter<I: IntoIterator<Item = (String, Option<Value>)>>(live: I) -> Self {
        Self(live.into_iter().collect())
    }
}

/// What the live objects say.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation<O> {
    /// Whether the resource works, as far as the type itself can tell: the host has its own rules for each object.
    pub ready: bool,
    /// Why not, or how: a short word for people.
    pub reason: String,
    /// What expressions may read.
    pub outputs: O,
}

impl<O> Observation<O> {
    /// It works.
    pub fn ready(outputs: O) -> Self {
        Self { ready: true, reason: String::new(), outputs }
    }

    /// It does not yet.
    pub fn waiting(reason: impl Into<String>, outputs: O) -> Self {
        Self { ready: false, reason: reason.into(), outputs }
    }
}

/// An [`Emitter`] as an [`EmitterType`].
#[derive(Debug)]
pub struct Typed<T>(PhantomData<fn() -> T>);

impl<T> Typed<T> {
    /// The one there is.
    pub const NEW: Self = Self(PhantomData);
}

const BAD_PROPS: &str = "sdk.bad-properties";

impl<T: Emitter> EmitterType for Typed<T> {
    fn describe(&self) -> Description {
        Description { name: T::NAME, summary: T::SUMMARY, version: T::VERSION }
    }

    fn schema(&self) -> Cow<'static, str> {
        schema::of::<T::Props, T::Outputs>().to_value().to_string().into()
    }

    fn check(&self, cx: &Context, props: &Value) -> Vec<Diagnostic> {
        match parse(BAD_PROPS, props.clone()) {
            Ok(props) => T::check(cx, &props),
            Err(Failure::Invalid(faults)) => faults,
            Err(_) => Vec::new(),
        }
    }

    fn needs(&self, cx: &Context, props: Value, found: &Live) -> Result<Vec<Lookup>, Failure> {
        T::needs(cx, &parse(BAD_PROPS, props)?, found)
    }

    fn render(&self, cx: &Context, props: Value, found: &Live) -> Result<Vec<Object>, Failure> {
        T::render(cx, parse(BAD_PROPS, props)?, found)
    }

    fn observe(&self, cx: &Context, props: Value, live: &Live) -> Result<Observation<Value>, Failure> {
        let Observation { ready, reason, outputs } = T::observe(cx, parse(BAD_PROPS, props)?, live)?;
        Ok(Observation { ready, reason, outputs: json(&outputs)? })
    }
}

/// A component's types; [`crate::emitter!`] implements it.
pub trait Emitters {
    /// Every type, in the order in which they are shown.
    fn types() -> &'static [&'static dyn EmitterType];
}

/// What the component exports.
#[doc(hidden)]
#[derive(Debug)]
pub struct Exported<C>(PhantomData<C>);

impl<C: Emitters> Exported<C> {
    fn find(name: &str) -> Result<&'static dyn EmitterType, Failure> {
        crate::log::report_panics();
        C::types().iter().copied().find(|t| t.describe().name == name).ok_or_else(|| model::no_such_type(name))
    }
}

impl<C: Emitters> crate::bindings::exports::Model for Exported<C> {
    fn describe() -> Vec<TypeInfo> {
        C::types().iter().map(|t| t.describe().info(Role::Emits)).collect()
    }

    fn settings_schema() -> Option<String> {
        None
    }

    fn schema(type_name: String) -> Result<String, Failure> {
        Ok(Self::find(&type_name)?.schema().into_owned())
    }

    fn check(of: Instance, props: Doc) -> Result<Doc, Failure> {
        let found = Self::find(&of.type_name)?.check(&Context::new(&of, &props.marks)?, &read(&props)?);
        model::checked(props, found)
    }

    fn upgrade(of: Instance, stored_version: u32, state: Doc) -> Result<Doc, Failure> {
        model::unchanged(Self::find(&of.type_name)?.describe(), stored_version, state)
    }
}

impl<C: Emitters> wit::Guest for Exported<C> {
    fn needs(of: Instance, props: Doc, found: Vec<wit::Live>) -> Result<Vec<wit::Lookup>, Failure> {
        let kind = Self::find(&of.type_name)?;
        let wanted = kind.needs(&Context::new(&of, &props.marks)?, read(&props)?, &Live::read(&found)?)?;
        let lookup = |Lookup { target, api_version, kind, namespace, name }| wit::Lookup {
            target,
            api_version,
            kind,
            namespace,
            name,
        };
        Ok(wanted.into_iter().map(lookup).collect())
    }

    fn render(of: Instance, props: Doc, found: Vec<wit::Live>) -> Result<Vec<wit::Emitted>, Failure> {
        let kind = Self::find(&of.type_name)?;
        let objects = kind.render(&Context::new(&of, &props.marks)?, read(&props)?, &Live::read(&found)?)?;
        let emitted = |o: Object| wit::Emitted {
            slot: o.slot,
            target: o.target,
            manifest: doc(&o.manifest),
            after: o.after,
            ready_when: o.ready_when,
            restart_on: o.restart_on,
        };
        Ok(objects.into_iter().map(emitted).collect())
    }

    fn observe(of: Instance, props: Doc, live: Vec<wit::Live>) -> Result<wit::Observation, Failure> {
        let kind = Self::find(&of.type_name)?;
        let seen = kind.observe(&Context::new(&of, &props.marks)?, read(&props)?, &Live::read(&live)?)?;
        Ok(wit::Observation { ready: seen.ready, reason: seen.reason, outputs: doc(&seen.outputs) })
    }
}
