//! Types that create, read, update and delete something by themselves.

mod change;
mod component;
pub mod files;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Context, Diagnostic, Failure};

pub use change::{Change, Planned};
#[doc(hidden)]
pub use component::{Exported, ProviderType, Providers, Typed};

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

    /// Pointers into the state at which secrets stand: the host keeps them sealed and never shows them.
    fn secrets_of_state(state: &Self::State) -> Vec<String> {
        let _ = state;
        Vec::new()
    }

    /// Pointers into the outputs at which secrets stand, where the schema's `x-sensitive` does not say so already.
    fn secrets_of_outputs(outputs: &Self::Outputs) -> Vec<String> {
        let _ = outputs;
        Vec::new()
    }

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

impl Attempt {
    /// Whether this call repeats one that was cut off: nobody knows what that one did. It had the same key and the
    /// same `resume`. Who can neither find out nor do a thing twice answers [`Step::Partial`].
    pub fn repeated(&self) -> bool {
        cfg!(target_family = "wasm") && crate::bindings::provides::sheave::plugin::attempt::repeated()
    }
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
