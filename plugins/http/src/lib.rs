//! `Resource` and `Data`: things behind HTTP APIs, by requests that the blueprint writes.
//!
//! The plugin knows no API: which request makes, reads, changes and deletes a thing stands in the properties. What it
//! adds is what a run needs of any API: no thing made twice, none lost, none changed unseen.

mod adopt;
mod data;
mod place;
mod props;
mod reply;
mod resource;
mod template;
mod view;

sheave_sdk::provider!(adopting resource::Resource, data::Data);
