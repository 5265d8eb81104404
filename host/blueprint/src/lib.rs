//! Blueprint text to a resolved graph: YAML, CEL, schemas. Pure.
