//! `sheave init`: a first blueprint that runs.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sheave_driver::Fault;
use sheave_model::Diagnostic;
use sheave_model::address::is_name;

use super::{document, explained};
use crate::exit::Exit;
use crate::out::Out;
use crate::render::outside;

/// The blueprint, with [`NAME`] where its name stands.
const BLUEPRINT: &str = include_str!("init/blueprint.yaml");
const NAME: &str = "@name@";
/// Its name where the folder's cannot be one.
const FALLBACK: &str = "first";
/// What belongs into no repository: the state with its journal.
const IGNORED: &str = ".sheave/";

pub(super) fn run(folder: Option<&Path>, file: &Path, json: bool, out: &mut Out) -> Result<Exit, Fault> {
    let folder = folder.unwrap_or(Path::new("."));
    let path = folder.join(file);
    write(folder, &path).map_err(explained)?;
    let ignored = ignore(folder).map_err(explained)?;
    let shown = outside::line(&path.strip_prefix(".").unwrap_or(&path).display().to_string()).into_owned();
    if json {
        let ignored = ignored.map(|p| p.display().to_string());
        document(out, &serde_json::json!({"blueprint": path.display().to_string(), "gitignore": ignored}));
        return Ok(Exit::Done);
    }
    let cd = match folder.as_os_str().is_empty() || folder == Path::new(".") {
        true => String::new(),
        false => format!("  cd {}\n", outside::line(&folder.display().to_string())),
    };
    let with = if file != Path::new("blueprint.yaml") {
        format!(" -f {}", outside::line(&file.display().to_string()))
    } else {
        String::new()
    };
    out.text(&format!(
        "Wrote {shown}: a page, a web server that shows it, and a Service before it.\n\n{cd}  sheave plan{with}      \
         what it would make\n  sheave apply{with}     make it\n  sheave destroy{with}   take it away again\n"
    ));
    Ok(Exit::Done)
}

/// Writes the blueprint where none is.
fn write(folder: &Path, path: &Path) -> Result<(), Box<Diagnostic>> {
    let text = BLUEPRINT.replace(NAME, &name_of(folder));
    let fault = |fault: &io::Error| refused(path, fault);
    fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(|e| fault(&e))?;
    let made = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = made.map_err(|e| fault(&e))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|e| fault(&e))
}

fn refused(path: &Path, fault: &io::Error) -> Box<Diagnostic> {
    let shown = outside::line(&path.display().to_string()).into_owned();
    if fault.kind() == io::ErrorKind::AlreadyExists {
        return Box::new(
            Diagnostic::error("cli.exists", format!("{shown} exists, and is not overwritten"))
                .with_help("name another folder, `sheave init DIR`, or another file, `-f FILE`"),
        );
    }
    Box::new(
        Diagnostic::error("cli.unwritable", format!("{shown} cannot be written"))
            .with_detail(fault.to_string()),
    )
}

/// The name of the folder, where it can be a blueprint's.
fn name_of(folder: &Path) -> String {
    let absolute = std::path::absolute(folder).unwrap_or_default();
    let name = fs::canonicalize(&absolute).unwrap_or(absolute);
    let name = name.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    // Objects are named after it in clusters, which know no `_`.
    let name = name.replace(['_', '.', ' '], "-");
    let name = name.trim_matches('-');
    if is_name(name) { name.to_owned() } else { FALLBACK.to_owned() }
}

/// Sees to it that git leaves the state out; the file, where it was written.
fn ignore(folder: &Path) -> Result<Option<PathBuf>, Box<Diagnostic>> {
    let path = folder.join(".gitignore");
    let fault = |fault: io::Error| refused(&path, &fault);
    let before = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err(fault(e)),
    };
    if before.lines().any(|l| matches!(l.trim(), ".sheave" | ".sheave/" | "/.sheave" | "/.sheave/")) {
        return Ok(None);
    }
    let end = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    let mut file = OpenOptions::new().append(true).create(true).open(&path).map_err(fault)?;
    file.write_all(format!("{end}{IGNORED}\n").as_bytes()).map_err(fault)?;
    Ok(Some(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn init(folder: &Path) -> Result<Exit, Fault> {
        run(Some(folder), Path::new("blueprint.yaml"), false, &mut Out::to(io::sink()))
    }

    fn read(path: PathBuf) -> String {
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn it_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let shop = folder.path().join("My_Shop");
        assert_eq!(init(&shop).unwrap(), Exit::Done);
        let text = read(shop.join("blueprint.yaml"));
        assert!(text.contains("\nblueprint: my-shop\n") && !text.contains(NAME), "{text}");
        assert_eq!(read(shop.join(".gitignore")), ".sheave/\n");

        fs::write(shop.join("blueprint.yaml"), "mine").unwrap();
        let Err(Fault::Explained(report)) = init(&shop) else { panic!("it was overwritten") };
        assert_eq!(report.diagnostics[0].code, "cli.exists");
        assert_eq!(read(shop.join("blueprint.yaml")), "mine");
    }

    #[test]
    fn what_git_leaves_out_is_added_to() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".gitignore"), "target").unwrap();
        init(folder.path()).unwrap();
        assert_eq!(read(folder.path().join(".gitignore")), "target\n.sheave/\n");
        assert!(ignore(folder.path()).unwrap().is_none(), "once is enough");
    }

    #[test]
    fn a_folder_whose_name_is_no_name_gets_another() {
        assert_eq!(name_of(Path::new("/srv/9lives")), FALLBACK);
        assert_eq!(name_of(Path::new("/srv/Blog.example")), "blog-example");
    }
}
