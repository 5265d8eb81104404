//! Rust sources, as far as the rules need to read them.

use std::path::Path;

/// `text` without what is not code: comments and what stands in string and character literals become spaces. Lines stay.
pub fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = blank(rest, out.chars().next_back());
        if taken == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let (gone, left) = rest.split_at(taken);
            out.extend(gone.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = left;
        }
    }
    out
}

/// How many bytes from the start of `rest` are no code.
fn blank(rest: &str, before: Option<char>) -> usize {
    let word_before = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    if rest.starts_with('"') {
        return string(rest);
    }
    if rest.starts_with('\'') && !word_before {
        return character(rest);
    }
    let raw = rest.strip_prefix('b').unwrap_or(rest);
    match raw.strip_prefix('r') {
        Some(raw) if !word_before => raw_string(raw).map_or(0, |n| n + rest.len() - raw.len()),
        _ => 0,
    }
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (i, b) in rest.bytes().enumerate().skip(1) {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return i + 1,
            _ => {}
        }
    }
    rest.len()
}

/// A character literal; a lifetime is code.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((at, _))) => rest[at + 1..].find('\'').map_or(0, |i| at + 1 + i + 1),
        (Some((_, c)), Some((at, '\''))) if c != '\'' => at + 1,
        _ => 0,
    }
}

/// What follows the `r` of a raw string.
fn raw_string(rest: &str) -> Option<usize> {
    let hashes = rest.bytes().take_while(|b| *b == b'#').count();
    let inside = rest[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(inside.find(&end).map_or(rest.len(), |i| hashes + 1 + i + end.len()))
}

/// `code` without its test modules, which may do what the crate may not. Lines stay.
pub fn without_tests(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        let (kept, tests) = rest.split_at(at);
        out.push_str(kept);
        let end = test_item(tests);
        out.extend(tests[..end].chars().filter(|c| *c == '\n'));
        rest = &tests[end..];
    }
    out.push_str(rest);
    out
}

/// The end of the item that begins `tests`: at its `;`, or where its braces close.
fn test_item(tests: &str) -> usize {
    let mut depth = 0_usize;
    for (i, b) in tests.bytes().enumerate() {
        match b {
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return i + 1;
                }
            }
            b';' if depth == 0 => return i + 1,
            _ => {}
        }
    }
    tests.len()
}

/// Whether a whole file holds tests or is a tool of the build.
pub fn is_test_file(path: &Path) -> bool {
    path.iter()
        .any(|part| part == "tests.rs" || part == "build.rs" || part == "benches" || part == "examples")
        || path.iter().skip(1).any(|part| part == "tests")
}

/// The lines (from 1) of `code` on which `word` stands as a path or name of its own.
pub fn lines_with(code: &str, word: &str) -> Vec<usize> {
    let edge = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let has = |line: &str| {
        line.match_indices(word)
            .any(|(i, _)| edge(line[..i].chars().next_back()) && edge(line[i + word.len()..].chars().next()))
    };
    code.lines().enumerate().filter(|(_, line)| has(line)).map(|(i, _)| i + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_is_left() {
        let text = "a // unsafe\n/* unsafe /* x */ unsafe */ b \"unsafe \\\" unsafe\" c r#\"unsafe \" unsafe\"# d br\"unsafe\" \
                    '\"' e '\\'' f '\\u{41}' <'a> 'b: loop {} unsafe";
        let code = code(text);
        assert_eq!(lines_with(&code, "unsafe").len(), 1);
        assert_eq!(code.matches("unsafe").count(), 1, "{code}");
        assert_eq!(
            code.split_whitespace().collect::<Vec<_>>().join(" "),
            "a b c d e f <'a> 'b: loop {} unsafe"
        );
        assert_eq!(code.lines().count(), text.lines().count());
    }

    #[test]
    fn test_modules_are_left_out() {
        let text = "a\n#[cfg(test)]\nmod tests {\n fn x() { bad() }\n}\nb\n#[cfg(test)]\nmod more;\nc";
        let left = without_tests(text);
        assert!(!left.contains("bad") && left.contains('b') && left.ends_with('c'));
        assert_eq!(left.lines().count(), text.lines().count());
    }

    #[test]
    fn words_are_whole() {
        assert_eq!(lines_with("std::fs::read\nstd::fsx\nmy_std::fs", "std::fs"), [1]);
        assert_eq!(lines_with("Instant\nInstants", "Instant"), [1]);
    }

    #[test]
    fn test_files_are_known() {
        for (path, is) in [
            ("host/cli/src/render/plan/tests.rs", true),
            ("host/cli/tests/process.rs", true),
            ("host/builtin/build.rs", true),
            ("tests/layering/src/lib.rs", false),
            ("host/cli/src/main.rs", false),
        ] {
            assert_eq!(is_test_file(Path::new(path)), is, "{path}");
        }
    }
}
