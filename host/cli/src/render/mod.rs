//! Models as text for people. Pure: each takes data and colours, and gives text.

pub(crate) mod change;
pub(crate) mod diagnostic;
pub(crate) mod document;
pub(crate) mod graph;
pub(crate) mod history;
pub(crate) mod line;
pub(crate) mod outputs;
pub(crate) mod outside;
pub(crate) mod picture;
pub(crate) mod plan;
pub(crate) mod refresh;
pub(crate) mod schema;
pub(crate) mod status;
pub(crate) mod table;
