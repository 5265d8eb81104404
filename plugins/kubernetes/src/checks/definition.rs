//! Custom resource definitions.

use sheave_sdk::{Diagnostic, Value};

use super::Props;

/// Its name is made of what it defines, and one of its versions is the one that is stored.
pub(crate) fn definition(props: &Props<'_>, found: &mut Vec<Diagnostic>) {
    if let (Some(name), Some(plural), Some(group)) =
        (props.text("/metadata/name"), props.text("/spec/names/plural"), props.text("/spec/group"))
        && name != format!("{plural}.{group}")
    {
        let why = format!("a definition of {plural} in {group} cannot be called `{name}`");
        found.push(
            Diagnostic::error("kubernetes.definition-name", why)
                .at("/metadata/name")
                .detail(format!("leave the name out, or write `{plural}.{group}`")),
        );
    }
    let versions: Vec<_> = props.list("/spec/versions").collect();
    let stored = versions.iter().filter(|(_, v)| v.get("storage") == Some(&Value::Bool(true))).count();
    if stored != 1 && props.has("/spec/versions") {
        let why = format!("{stored} of the {} versions are stored", versions.len());
        found.push(
            Diagnostic::error("kubernetes.stored-version", why)
                .at("/spec/versions")
                .detail("exactly one has `storage: true`"),
        );
    }
    for (at, version) in versions {
        if version.pointer("/schema/openAPIV3Schema").is_none() {
            let why = Diagnostic::error("kubernetes.version-without-schema", "this version has no schema");
            found.push(why.at(at).detail(
                "add `schema.openAPIV3Schema`; `{type: object, x-kubernetes-preserve-unknown-fields: true}` takes anything",
            ));
        }
    }
}
