//! A native kind as a type: its properties are the manifest's own fields, without apiVersion and kind.

use std::borrow::Cow;

use sheave_sdk::{
    Context, Description, Diagnostic, EmitterType, Failure, Live, Map, Object, Observation, Value, dns_label,
};

use crate::checks::{Check, Props};
use crate::manifest::{self, SLOT};
use crate::outputs::{self, Output};
use crate::schemas::Schema;

/// One kind.
pub(crate) struct Kind {
    pub(crate) schema: &'static Schema,
    pub(crate) summary: &'static str,
    pub(crate) outputs: &'static [Output],
    /// What the schema cannot say.
    pub(crate) checks: &'static [Check],
    /// What its properties say that it must be called, where they do.
    pub(crate) named: Option<fn(&Value) -> Option<String>>,
}

impl Kind {
    /// A row of the table, still without what the schema does not say.
    pub(crate) const fn of(schema: &'static Schema) -> Self {
        Self { schema, summary: "", outputs: &[], checks: &[], named: None }
    }
}

impl EmitterType for Kind {
    fn describe(&self) -> Description {
        Description { name: self.schema.kind, summary: self.summary, version: 1 }
    }

    fn schema(&self) -> Cow<'static, str> {
        self.schema.text(self.outputs).into()
    }

    fn check(&self, cx: &Context, props: &Value) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for check in self.checks {
            check(&Props { cx, value: props }, &mut found);
        }
        found
    }

    fn render(&self, cx: &Context, props: Value, _: &Live) -> Result<Vec<Object>, Failure> {
        let named = self.named.and_then(|named| named(&props));
        let mut manifest = match props {
            Value::Object(fields) => fields,
            // The schema wants an object; nothing at all is one without fields.
            _ => Map::new(),
        };
        manifest.insert("apiVersion".to_owned(), self.schema.api_version.into());
        manifest.insert("kind".to_owned(), self.schema.kind.into());
        manifest::name(&mut manifest, || named.unwrap_or_else(|| dns_label(cx.name())));
        Ok(vec![Object::new(SLOT, Value::Object(manifest))])
    }

    fn observe(&self, _: &Context, _: Value, live: &Live) -> Result<Observation<Value>, Failure> {
        Ok(seen(self.outputs, live))
    }
}

/// Whether the object is there, and its outputs. Whether it is *ready* is the host's rule for the kind.
pub(crate) fn seen(outputs: &[Output], live: &Live) -> Observation<Value> {
    match live.get(SLOT) {
        Some(object) => Observation::ready(outputs::of(outputs, object)),
        None => Observation::waiting("not there yet", outputs::of(outputs, &Value::Null)),
    }
}
