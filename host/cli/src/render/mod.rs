//! Models as text for people. Pure: each takes data and colours, and gives text.

pub(crate) mod change;
pub(crate) mod diagnostic;
pub(crate) mod document;
pub(crate) mod line;
pub(crate) mod outputs;
pub(crate) mod outside;
pub(crate) mod plan;
pub(crate) mod schema;
pub(crate) mod status;
pub(crate) mod table;
