//! The kinds' JSON Schemas, made of Kubernetes' own types by `kubernetes-schemas`.

use std::fmt::Write as _;

use crate::outputs::Output;

/// A kind as Kubernetes describes it.
pub(crate) struct Schema {
    pub(crate) kind: &'static str,
    pub(crate) api_version: &'static str,
    /// The schema of the properties, a JSON object.
    root: &'static str,
    /// What it refers to, as positions in `DEFS`.
    defs: &'static [usize],
}

include!(concat!(env!("OUT_DIR"), "/schemas.rs"));

/// The schema of a kind.
pub(crate) const fn of(kind: &str) -> &'static Schema {
    let mut at = 0;
    while at < SCHEMAS.len() {
        if same(SCHEMAS[at].kind, kind) {
            return &SCHEMAS[at];
        }
        at += 1;
    }
    #[expect(clippy::panic, reason = "while compiling: the table names a kind that the generator does not")]
    {
        panic!("no schema of that kind: add it to kubernetes/schemas/src/kinds.rs")
    }
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

impl Schema {
    /// The whole document, the outputs' schema in it. Texts are put together, none is read.
    pub(crate) fn text(&self, outputs: &[Output]) -> String {
        let mut text =
            String::from(r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","x-outputs":"#);
        text.push_str(&crate::outputs::schema(outputs).to_string());
        text.push_str(r#","$defs":{"#);
        for (i, at) in self.defs.iter().enumerate() {
            let (name, def) = DEFS[*at];
            // Writing to a text cannot fail.
            let _ = write!(text, r#"{}"{name}":{def}"#, if i > 0 { "," } else { "" });
        }
        text.push_str("},");
        text.push_str(self.root.trim_start_matches('{'));
        text
    }
}
