//! The codes of this crate's diagnostics, each with its one-line explanation.

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal;)+) => {
        $($(#[doc = $doc])+ pub const $name: &str = $code;)+
        /// Every code with its explanation.
        pub const ALL: &[(&str, &str)] = &[$(($code, concat!($($doc),+))),+];
    };
}

codes! {
    /// The text is not YAML.
    NOT_YAML = "blueprint.not-yaml";
    /// The YAML uses what a blueprint has no use for: aliases, merge keys, tags, several documents, keys that are no text.
    UNSUPPORTED_YAML = "blueprint.unsupported-yaml";
    /// The blueprint or a part of it is larger, longer or deeper than the named limit.
    TOO_LARGE = "blueprint.too-large";
    /// A key stands twice in one map.
    DUPLICATE_KEY = "blueprint.duplicate-key";
    /// A key that nothing reads.
    UNKNOWN_KEY = "blueprint.unknown-key";
    /// A key that must be there is not.
    MISSING_KEY = "blueprint.missing-key";
    /// A value is of another type than its place takes.
    TYPE_MISMATCH = "blueprint.type-mismatch";
    /// A value breaks a rule of its schema: a range, a pattern, a list of allowed values.
    INVALID_VALUE = "blueprint.invalid-value";
    /// A scalar that YAML 1.1 and YAML 1.2 read differently.
    AMBIGUOUS_SCALAR = "blueprint.ambiguous-scalar";
    /// A name that is not a letter followed by letters, digits, `-` and `_`.
    BAD_NAME = "blueprint.bad-name";
    /// The resource's plugin has no such type.
    UNKNOWN_TYPE = "blueprint.unknown-type";
    /// The blueprint lists no such plugin.
    UNKNOWN_PLUGIN = "blueprint.unknown-plugin";
    /// An input, local, resource, output, target or stack that does not exist.
    UNKNOWN_NAME = "blueprint.unknown-name";
    /// A function that does not exist.
    UNKNOWN_FUNCTION = "blueprint.unknown-function";
    /// References go round in a circle.
    CYCLE = "blueprint.cycle";
    /// An expression that cannot be read or evaluated.
    BAD_EXPRESSION = "blueprint.bad-expression";
    /// An expression is longer, deeper or costlier than the named limit.
    EXPRESSION_LIMIT = "blueprint.expression-limit";
    /// An input without default was not given.
    INPUT_MISSING = "blueprint.input-missing";
    /// An input breaks the rule that the blueprint states for it.
    INPUT_INVALID = "blueprint.input-invalid";
    /// An input was given that the blueprint does not declare.
    INPUT_UNKNOWN = "blueprint.input-unknown";
    /// A secret where it would have to be shown or could not be kept.
    SECRET_MISPLACED = "blueprint.secret-misplaced";
    /// A value that is known only after apply stands where it must be known before.
    UNKNOWN_MISPLACED = "blueprint.unknown-misplaced";
    /// A module's folder has no blueprint that can be read, or modules contain themselves.
    BAD_MODULE = "blueprint.bad-module";
    /// A plugin's schema cannot be used.
    BAD_SCHEMA = "blueprint.bad-schema";
    /// A resource goes to a target, and the blueprint has none or does not say which.
    NO_TARGET = "blueprint.no-target";
    /// A secret stands in the blueprint in clear.
    SECRET_IN_CLEAR = "blueprint.secret-in-clear";
}

#[cfg(test)]
mod tests {
    #[test]
    fn codes_are_unique_and_in_the_blueprint_family() {
        let mut seen = std::collections::BTreeSet::new();
        for (code, text) in super::ALL {
            assert!(code.starts_with("blueprint.") && seen.insert(code), "{code}");
            assert!(text.ends_with('.'), "{code}: {text}");
        }
    }
}
