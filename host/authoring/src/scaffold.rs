//! `sheave plugin new`: a project that builds and passes its own tests. Its template is the example of its language.

use std::path::{Path, PathBuf};

use sheave_model::Diagnostic;
use sheave_model::plugin::Role;

use crate::embedded;
use crate::fault::{self, Result};
use crate::language::Language;
use crate::project::{self, FILE, is_name};

/// What a new project is to be.
#[derive(Clone, Debug)]
pub struct New<'a> {
    /// The plugin's name.
    pub name: &'a str,
    /// What it is written in.
    pub language: Language,
    /// What its types do.
    pub role: Role,
    /// Where; made where it is not there.
    pub folder: &'a Path,
}

/// What the examples are called: where the name stands in a file or a file's name, the new one takes its place.
fn example(role: Role) -> (&'static str, &'static str) {
    match role {
        Role::Emits => ("emitter", "greeting"),
        Role::Provides => ("provider", "notebook"),
    }
}

/// Writes a project; the files that matter to its author, relative to its folder.
///
/// # Errors
/// A diagnostic where the name is none, or a plugin is there already.
pub fn scaffold(new: &New<'_>) -> Result<Vec<PathBuf>> {
    if !is_name(new.name) {
        return Err(Box::new(
            Diagnostic::error("author.bad-name", format!("`{}` is no name for a plugin", new.name))
                .with_help("a lower-case letter, then letters, digits and single `-`; at most 40 characters"),
        ));
    }
    let manifest = new.folder.join(FILE);
    if manifest.exists() {
        return Err(Box::new(
            Diagnostic::error(
                "author.exists",
                format!("{} exists, and is not overwritten", manifest.display()),
            )
            .with_help("name another folder: `--dir DIR`"),
        ));
    }
    let (folder, old) = example(new.role);
    let mut written = Vec::new();
    let mut write = |name: &str, bytes: &[u8]| -> Result<()> {
        let path = PathBuf::from(name.replace(old, new.name));
        let text = std::str::from_utf8(bytes).map(|t| t.replace(old, new.name));
        embedded::write(&new.folder.join(&path), text.as_ref().map_or(bytes, |t| t.as_bytes()))?;
        written.push(path);
        Ok(())
    };
    for (name, bytes) in embedded::beneath(&format!("examples/{}/{folder}", new.language.word())) {
        write(name, bytes)?;
    }
    for (name, bytes) in embedded::beneath(&format!("examples/golden/{folder}")) {
        write(&format!("golden/{name}"), bytes)?;
    }
    for (name, bytes) in embedded::beneath("templates/common") {
        let language = new.language.word();
        let text = String::from_utf8_lossy(bytes);
        let setup = embedded::file(&format!("templates/setup/{language}")).unwrap_or_default();
        let text = text.replace("@setup@", String::from_utf8_lossy(setup).trim_end());
        let text = text.replace("@language@", language).replace("@name@", new.name);
        // A dot at a file's front would hide it among the templates.
        let name = name.replace("dot-", ".");
        write(&name, text.as_bytes())?;
    }
    project::write_sdk(&new.folder.join("sdk"), new.language)?;
    written.sort();
    if written.is_empty() {
        let none = std::io::Error::other("the program has no template for it");
        return Err(fault::files(new.folder, &none));
    }
    Ok(written)
}
