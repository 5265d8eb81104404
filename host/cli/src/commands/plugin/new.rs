//! `sheave plugin new`: a project that builds and passes its own tests.

use std::path::{Path, PathBuf};

use sheave_authoring::{Language, New, scaffold};
use sheave_driver::Fault;
use sheave_model::plugin::Role;

use super::super::{Session, document, explained};
use crate::args::{Lang, NewArgs, PluginRole};
use crate::exit::Exit;
use crate::out::Out;
use crate::render::outside;

pub(super) fn run(session: &Session, args: &NewArgs, out: &mut Out) -> Result<Exit, Fault> {
    let language = match args.lang {
        Lang::Rust => Language::Rust,
        Lang::Go => Language::Go,
        Lang::Python => Language::Python,
        Lang::Js => Language::Js,
        Lang::C => Language::C,
    };
    let role = match args.role {
        PluginRole::Emits => Role::Emits,
        PluginRole::Provides => Role::Provides,
    };
    let folder = args.dir.clone().unwrap_or_else(|| PathBuf::from(&args.name));
    let new = New { name: &args.name, language, role, folder: &folder };
    let written = scaffold(&new).map_err(explained)?;
    if session.json {
        let files: Vec<_> = written.iter().map(|p| p.display().to_string()).collect();
        document(out, &serde_json::json!({"folder": folder.display().to_string(), "files": files}));
        return Ok(Exit::Done);
    }
    let shown = outside::line(&folder.display().to_string()).into_owned();
    let first = match language {
        Language::Python => "  python3 -m venv .venv && .venv/bin/pip install -r requirements.txt\n",
        Language::Js => "  npm install\n",
        Language::Rust | Language::Go | Language::C => "",
    };
    let cd = if folder == Path::new(".") { String::new() } else { format!("  cd {shown}\n") };
    out.text(&format!(
        "Wrote {shown}: README.md says what is where.\n\n{cd}{first}  sheave plugin build   build/{}.wasm\n  \
         sheave plugin test    its answers against golden/\n  sheave plugin dev     both, whenever a file changes\n",
        args.name
    ));
    Ok(Exit::Done)
}
