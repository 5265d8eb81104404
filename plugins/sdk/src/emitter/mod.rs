//! Types that turn properties into objects, which the host applies.

mod component;

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Context, Description, Diagnostic, Failure};

#[doc(hidden)]
pub use component::{Emitters, Exported, Typed};

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
