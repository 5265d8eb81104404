//! Emitters as the interface wants them: documents in, documents out.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde_json::Value;

use super::{Emitter, EmitterType, Live, Lookup, Object, Observation};
use crate::bindings::emits::exports::sheave::plugin::emit as wit;
use crate::bindings::exports::{Model, Role, TypeInfo};
use crate::context::{doc, json, parse, read};
use crate::{Context, Description, Diagnostic, Doc, Failure, Instance, model, schema};

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
#[derive(Debug)]
pub struct Exported<C>(PhantomData<C>);

impl<C: Emitters> Exported<C> {
    fn find(name: &str) -> Result<&'static dyn EmitterType, Failure> {
        crate::heap::reserve();
        crate::log::report_panics();
        C::types()
            .iter()
            .copied()
            .find(|t| t.describe().name == name)
            .ok_or_else(|| model::no_such_type(name))
    }
}

impl<C: Emitters> Model for Exported<C> {
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
        let wanted = kind.needs(&Context::new(&of, &props.marks)?, read(&props)?, &live_of(&found)?)?;
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
        let objects = kind.render(&Context::new(&of, &props.marks)?, read(&props)?, &live_of(&found)?)?;
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
        let seen = kind.observe(&Context::new(&of, &props.marks)?, read(&props)?, &live_of(&live)?)?;
        Ok(wit::Observation { ready: seen.ready, reason: seen.reason, outputs: doc(&seen.outputs) })
    }
}

fn live_of(live: &[wit::Live]) -> Result<Live, Failure> {
    live.iter().map(|l| Ok((l.slot.clone(), l.body.as_ref().map(read).transpose()?))).collect()
}
