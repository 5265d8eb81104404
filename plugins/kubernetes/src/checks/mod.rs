//! What a schema cannot say: rules across fields, told before any cluster is asked.
//!
//! A text that holds a token is not judged: what will stand there is not known here.

mod access;
mod data;
mod definition;
mod limits;
mod manifest;
mod names;
mod network;
mod pods;
mod storage;

use sheave_sdk::{Context, Diagnostic, Map, Value};

pub(crate) use access::subjects;
pub(crate) use data::keys_of_data;
pub(crate) use definition::definition;
pub(crate) use limits::{autoscaler, budget};
pub(crate) use manifest::any_manifest;
pub(crate) use names::{is_dns_label, label, metadata, namespace_name, path_segment, service_name};
pub(crate) use network::{ingress, service};
pub(crate) use pods::{
    pod, pods_of_job, pods_of_job_template, pods_of_template, schedule, selector_of_template,
};
pub(crate) use storage::{claim, claims, volume};

/// A rule: adds what it finds.
pub(crate) type Check = fn(&Props<'_>, &mut Vec<Diagnostic>);

/// A resource's properties, and where tokens stand in them.
pub(crate) struct Props<'a> {
    pub(crate) cx: &'a Context,
    pub(crate) value: &'a Value,
}

impl<'a> Props<'a> {
    /// The map at a pointer; an empty one where there is none.
    fn map(&self, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        self.value.pointer(pointer).and_then(Value::as_object).into_iter().flat_map(Map::iter)
    }

    /// The list at a pointer, each item with its own pointer.
    fn list(&self, pointer: &str) -> impl Iterator<Item = (String, &'a Value)> + use<'a> {
        let (items, pointer) = (self.value.pointer(pointer).and_then(Value::as_array), pointer.to_owned());
        items.into_iter().flatten().enumerate().map(move |(i, item)| (format!("{pointer}/{i}"), item))
    }

    /// The whole number at a pointer.
    fn integer(&self, pointer: &str) -> Option<i64> {
        self.value.pointer(pointer)?.as_i64()
    }

    /// Whether anything stands at a pointer.
    fn has(&self, pointer: &str) -> bool {
        self.value.pointer(pointer).is_some_and(|value| !value.is_null())
    }

    /// The text at a pointer, unless a token stands in it.
    fn text(&self, pointer: &str) -> Option<&'a str> {
        self.value.pointer(pointer)?.as_str().filter(|_| !self.cx.has_token(pointer))
    }
}

/// A pointer with one more part.
pub(crate) fn join(pointer: &str, part: &str) -> String {
    format!("{pointer}/{}", part.replace('~', "~0").replace('/', "~1"))
}
