//! Paths inside the granted folder.

use sheave_sdk::Diagnostic;

/// The longest path and the longest part that every file system takes; a temporary name must still fit.
const LONGEST_PATH: usize = 1024;
const LONGEST_PART: usize = 200;

/// What is wrong with a path, if anything: it stays inside the folder, and is written in one way only.
pub(crate) fn fault(path: &str) -> Option<Diagnostic> {
    let why = if path.is_empty() {
        "it is empty"
    } else if path.len() > LONGEST_PATH {
        "it is longer than 1024 bytes"
    } else if path.starts_with('/') {
        "it is absolute"
    } else if path.contains(['\0', '\\']) {
        "it holds a character that not every system takes"
    } else {
        path.split('/').find_map(part_fault)?
    };
    let detail = format!("{why}; write a path relative to the granted folder, such as `conf/app.ini`");
    Some(
        Diagnostic::error("file.bad-path", format!("`{path}` cannot be a file's path"))
            .at("/path")
            .detail(detail),
    )
}

fn part_fault(part: &str) -> Option<&'static str> {
    match part {
        "" => Some("a part of it is empty"),
        "." | ".." => Some("it holds `.` or `..`"),
        long if long.len() > LONGEST_PART => Some("a part of it is longer than 200 bytes"),
        temporary if temporary.starts_with(TEMPORARY) => Some("such names are for unfinished files"),
        _ => None,
    }
}

/// How the name of an unfinished file begins.
const TEMPORARY: &str = ".sheave-";

/// Where a file is written before it gets its name: beside it, and the same for every try of one change.
pub(crate) fn temporary(path: &str, key: &str) -> String {
    let (folder, _) = split(path);
    let name = format!("{TEMPORARY}{}", &crate::file::digest(format!("{path}\0{key}").as_bytes())[..32]);
    if folder.is_empty() { name } else { format!("{folder}/{name}") }
}

/// A path's folders from the outermost, each whole: `a`, `a/b` of `a/b/c`.
pub(crate) fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        for good in ["a", "a/b.txt", ".hidden", "a b/ü", "..."] {
            assert!(fault(good).is_none(), "{good}");
        }
        for bad in
            ["", "/a", "a/", "a//b", "../a", "a/../b", "./a", "a\0", "..\\a", ".sheave-x", "a/.sheave-x"]
        {
            let fault = fault(bad).unwrap();
            assert_eq!(
                (fault.code.as_str(), fault.pointer.as_deref()),
                ("file.bad-path", Some("/path")),
                "{bad}"
            );
        }
        assert!(fault(&"a".repeat(201)).is_some() && fault(&"a/".repeat(600)).is_some());
    }

    #[test]
    fn temporary_names_are_beside_the_file_and_of_one_change() {
        let one = temporary("a/b/c.txt", "1");
        assert!(one.starts_with("a/b/.sheave-"), "{one}");
        assert_eq!(one, temporary("a/b/c.txt", "1"));
        assert_ne!(one, temporary("a/b/c.txt", "2"));
        assert_ne!(one, temporary("a/b/d.txt", "1"));
        assert!(!temporary("c", "1").contains('/'));
        assert_eq!(parents("a/b/c").collect::<Vec<_>>(), ["a", "a/b"]);
    }
}
