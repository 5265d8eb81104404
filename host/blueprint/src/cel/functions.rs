//! The functions that expressions can call: names and how many arguments each takes.

use std::ops::RangeInclusive;

use crate::nearest;

macro_rules! functions {
    ($($variant:ident $name:literal $args:expr, $usage:literal;)+) => {
        /// A function; `f(a, b)` and `a.f(b)` are the same.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Function { $($variant),+ }

        const TABLE: &[Signature] = &[$(Signature {
            function: Function::$variant, name: $name, args: $args, usage: $usage,
        }),+];
    };
}

/// What is known of a function before it is called.
pub(crate) struct Signature {
    pub(crate) function: Function,
    pub(crate) name: &'static str,
    /// How many arguments, the one before the dot included.
    pub(crate) args: RangeInclusive<usize>,
    /// How a call looks, for help.
    pub(crate) usage: &'static str,
}

functions! {
    Size "size" 1..=1, "size(listOrMapOrText)";
    StartsWith "startsWith" 2..=2, "text.startsWith(prefix)";
    EndsWith "endsWith" 2..=2, "text.endsWith(suffix)";
    Contains "contains" 2..=2, "text.contains(part)";
    Matches "matches" 2..=2, "text.matches(pattern)";
    Int "int" 1..=1, "int(value)";
    Uint "uint" 1..=1, "uint(value)";
    Double "double" 1..=1, "double(value)";
    Text "string" 1..=1, "string(value)";
    Bool "bool" 1..=1, "bool(value)";
    Type "type" 1..=1, "type(value)";
    Dyn "dyn" 1..=1, "dyn(value)";
    Range "range" 1..=2, "range(count) or range(from, to)";
    Keys "keys" 1..=1, "keys(map)";
    Values "values" 1..=1, "values(map)";
    Merge "merge" 1..=16, "merge(map, map, ...)";
    Flatten "flatten" 1..=2, "flatten(list) or flatten(list, depth)";
    Join "join" 1..=2, "join(list, separator)";
    Split "split" 2..=3, "split(text, separator) or split(text, separator, limit)";
    Replace "replace" 3..=4, "replace(text, old, new) or replace(text, old, new, limit)";
    Lower "lower" 1..=1, "lower(text)";
    Upper "upper" 1..=1, "upper(text)";
    Trim "trim" 1..=1, "trim(text)";
    Format "format" 1..=16, "format(pattern, value, ...) or pattern.format([value, ...])";
    Indent "indent" 2..=2, "indent(text, columns)";
    Base64Encode "base64Encode" 1..=1, "base64Encode(text)";
    Base64Decode "base64Decode" 1..=1, "base64Decode(text)";
    JsonEncode "jsonEncode" 1..=1, "jsonEncode(value)";
    JsonDecode "jsonDecode" 1..=1, "jsonDecode(text)";
    YamlEncode "yamlEncode" 1..=1, "yamlEncode(value)";
    YamlDecode "yamlDecode" 1..=1, "yamlDecode(text)";
    Sha256 "sha256" 1..=1, "sha256(text)";
    File "file" 1..=1, "file(path)";
    DnsLabel "dnsLabel" 1..=1, "dnsLabel(text)";
    RandomPassword "randomPassword" 2..=2, "randomPassword(name, length)";
}

/// The comprehensions, called on a list or map.
pub(crate) const COMPREHENSIONS: &[&str] = &["all", "exists", "exists_one", "existsOne", "filter", "map"];

/// The function of this name.
pub(crate) fn find(name: &str) -> Option<&'static Signature> {
    TABLE.iter().find(|s| s.name == name)
}

/// The function's signature.
pub(crate) fn signature(function: Function) -> &'static Signature {
    // The table is made of the enum's own variants, in their order.
    &TABLE[function as usize]
}

/// What was probably meant by a function's name.
pub(crate) fn help(name: &str) -> String {
    // Names that people bring from elsewhere and that no spelling distance finds.
    let known = match name {
        "length" | "len" | "count" => Some("size"),
        "toUpper" | "upperAscii" | "uppercase" => Some("upper"),
        "toLower" | "lowerAscii" | "lowercase" => Some("lower"),
        "str" | "toString" | "text" => Some("string"),
        "float" | "number" => Some("double"),
        "concat" => Some("flatten"),
        "toYaml" | "yamlencode" => Some("yamlEncode"),
        "toJson" | "jsonencode" => Some("jsonEncode"),
        "b64enc" | "base64encode" => Some("base64Encode"),
        "b64dec" | "base64decode" => Some("base64Decode"),
        "hasPrefix" => Some("startsWith"),
        "hasSuffix" => Some("endsWith"),
        "any" | "some" => Some("exists"),
        _ => None,
    };
    let names = TABLE.iter().map(|s| s.name).chain(COMPREHENSIONS.iter().copied()).chain(["has"]);
    match known.or_else(|| nearest::nearest(name, names)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "the functions are listed in the language's documentation".into(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_function_finds_its_own_signature() {
        for entry in super::TABLE {
            assert_eq!(super::signature(entry.function).name, entry.name);
        }
    }
}
