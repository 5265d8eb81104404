//! `Object`: any manifest that is no native kind, custom resources included.

use std::borrow::Cow;

use sheave_sdk::{
    Context, Description, Diagnostic, EmitterType, Failure, Live, Object, Observation, Value, dns_label, json,
};

use crate::checks::{self, Props};
use crate::kind::seen;
use crate::manifest::{self, SLOT};
use crate::outputs::{self, NAME, NAMESPACE, Output, UID};

pub(crate) struct AnyObject;

const OUTPUTS: [Output; 4] =
    [NAME, NAMESPACE, UID, Output::any("object", "", "The whole live object; secrets in it are masked.")];

/// The property that holds the manifest.
const MANIFEST: &str = "manifest";

impl EmitterType for AnyObject {
    fn describe(&self) -> Description {
        Description { name: "Object", summary: "any other object, by its whole manifest", version: 1 }
    }

    fn schema(&self) -> Cow<'static, str> {
        let text = json!({"type": "string", "minLength": 1});
        let named = json!({"type": "string", "x-identity": true});
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "additionalProperties": false,
            "required": [MANIFEST],
            "properties": {MANIFEST: {
                "description": "The object as kubectl would take it.",
                "type": "object",
                "required": ["apiVersion", "kind"],
                "properties": {
                    "apiVersion": text,
                    "kind": text,
                    "metadata": {"type": "object", "properties": {"name": named, "namespace": named}},
                },
            }},
            "x-outputs": outputs::schema(&OUTPUTS),
        })
        .to_string()
        .into()
    }

    fn check(&self, cx: &Context, props: &Value) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        checks::any_manifest(&Props { cx, value: props }, &mut found);
        found
    }

    fn render(&self, cx: &Context, mut props: Value, _: &Live) -> Result<Vec<Object>, Failure> {
        let Some(Value::Object(mut fields)) = props.get_mut(MANIFEST).map(Value::take) else {
            let why = Diagnostic::error("kubernetes.no-manifest", "an object needs its manifest");
            return Err(Failure::invalid(why.at("/manifest")));
        };
        manifest::name(&mut fields, || dns_label(cx.name()));
        Ok(vec![Object::new(SLOT, Value::Object(fields))])
    }

    fn observe(&self, _: &Context, _: Value, live: &Live) -> Result<Observation<Value>, Failure> {
        Ok(seen(&OUTPUTS, live))
    }
}
