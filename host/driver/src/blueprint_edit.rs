//! Changing a blueprint's text for its author, who wrote comments and an order of their own: lines are added, and nothing
//! else is touched. Where that cannot be done safely it is not done at all.

use sheave_model::{Diagnostic, Sources};

/// The text with one more plugin; none where it is not written in a way that a line can be added to.
pub(crate) fn with_plugin(text: &str, name: &str, source: &str) -> Option<String> {
    // A path that YAML would read as something else is left to the author.
    let plain = |c: char| c.is_ascii_alphanumeric() || "./_-@+".contains(c);
    if !source.chars().all(plain) {
        return None;
    }
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let key_of = |line: &str| {
        let (key, rest) = line.split_once(':')?;
        let top = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase());
        top.then(|| (key.to_owned(), rest.split('#').next().unwrap_or_default().trim().to_owned()))
    };
    let keys: Vec<(usize, String, String)> =
        lines.iter().enumerate().filter_map(|(at, l)| key_of(l).map(|(k, v)| (at, k, v))).collect();
    match keys.iter().find(|(_, key, _)| key == "plugins") {
        Some((at, _, value)) if value.is_empty() => {
            let indent = lines[at + 1..]
                .iter()
                .find(|l| !l.trim().is_empty() && !l.trim_start().starts_with('#'))
                .map_or(0, |l| l.len() - l.trim_start().len());
            let indent = " ".repeat(if indent == 0 { 2 } else { indent });
            let added = [format!("{indent}{name}:"), format!("{indent}{indent}source: {source}")];
            lines.splice(at + 1..at + 1, added);
        }
        Some((at, _, value)) if value == "{}" => {
            lines.splice(
                at..=at,
                ["plugins:".to_owned(), format!("  {name}:"), format!("    source: {source}")],
            );
        }
        Some(_) => return None,
        None => {
            let (before, _, _) = keys.iter().find(|(_, key, _)| key == "resources")?;
            // Comments right above belong to what follows.
            let mut at = *before;
            while at > 0 && lines[at - 1].starts_with('#') {
                at -= 1;
            }
            let added =
                ["plugins:".to_owned(), format!("  {name}:"), format!("    source: {source}"), String::new()];
            lines.splice(at..at, added);
        }
    }
    let mut edited = lines.join(ending);
    edited.push_str(ending);
    (plugins(&edited)? == expected(text, name, source)?).then_some(edited)
}

/// The names and sources of the plugins; none where the text is faulty.
fn plugins(text: &str) -> Option<Vec<(String, Option<String>)>> {
    let id = Sources::default().add("blueprint", text);
    let parsed = sheave_blueprint::parse(id, text);
    if parsed.diagnostics.iter().any(Diagnostic::is_error) {
        return None;
    }
    let mut found: Vec<_> = parsed.syntax?.plugins().into_iter().map(|p| (p.name, p.source)).collect();
    found.sort();
    Some(found)
}

fn expected(before: &str, name: &str, source: &str) -> Option<Vec<(String, Option<String>)>> {
    let mut all = plugins(before)?;
    all.push((name.to_owned(), Some(source.to_owned())));
    all.sort();
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_added_and_nothing_else_changes() {
        for (before, after) in [
            (
                "blueprint: x\nplugins:  # ours\n  # the built-in one\n  kubernetes: {}\nresources: {}\n",
                Some(
                    "blueprint: x\nplugins:  # ours\n  x:\n    source: ./x.wasm\n  # the built-in one\n  kubernetes: {}\nresources: {}\n",
                ),
            ),
            (
                "blueprint: x\nplugins:\n    kubernetes: {}\n",
                Some("blueprint: x\nplugins:\n    x:\n        source: ./x.wasm\n    kubernetes: {}\n"),
            ),
            (
                "blueprint: x\r\n\r\n# What there is\r\nresources: {}\r\n",
                Some(
                    "blueprint: x\r\n\r\nplugins:\r\n  x:\r\n    source: ./x.wasm\r\n\r\n# What there is\r\nresources: {}\r\n",
                ),
            ),
            ("blueprint: x\nplugins: {}\n", Some("blueprint: x\nplugins:\n  x:\n    source: ./x.wasm\n")),
            ("blueprint: x\nplugins: {kubernetes: {}}\nresources: {}\n", None),
            ("{blueprint: x, resources: {}}\n", None),
            ("blueprint: x\nplugins:\n  x: {}\n", None),
            ("blueprint: [\n", None),
        ] {
            assert_eq!(with_plugin(before, "x", "./x.wasm").as_deref(), after, "{before}");
        }
        assert_eq!(with_plugin("blueprint: x\nplugins:\n", "x", "./a: b.wasm"), None);
    }
}
