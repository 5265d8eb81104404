//! YAML text to a tree in which every key and value knows its place.

pub(crate) mod emit;
mod load;
pub(crate) mod offsets;
pub(crate) mod scalar;

use sheave_model::Span;

pub(crate) use load::load;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) kind: NodeKind,
}

/// What stands there.
#[derive(Clone, Debug)]
pub(crate) enum NodeKind {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// Nothing that could be read, and reported: no more is to be said of it.
    Faulty,
}

/// One `key: value`. No key stands twice in a map.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: Node,
}

/// A scalar as written: what it means is for [`scalar::meaning`].
#[derive(Clone, Debug)]
pub(crate) struct Scalar {
    /// The text after unquoting, unescaping and folding.
    pub(crate) text: String,
    pub(crate) style: Style,
    /// `!!str`, `!!int`, ...: the suffix.
    pub(crate) tag: Option<String>,
}

/// How a scalar is written: what turns its text into the source's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Single,
    Double,
    Block,
}

impl Node {
    /// The word for its kind, as diagnostics use it.
    pub(crate) fn kind_name(&self) -> &'static str {
        match &self.kind {
            NodeKind::Scalar(s) => scalar::meaning(s).map_or("string", |v| v.kind_name()),
            NodeKind::List(_) => "list",
            NodeKind::Map(_) => "map",
            NodeKind::Faulty => "null",
        }
    }

    /// Whether nothing stands there: `key:` and no more, or `null`.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.kind, NodeKind::Scalar(s) if matches!(scalar::meaning(s), Ok(sheave_model::Value::Null)))
    }
}
