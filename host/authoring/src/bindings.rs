//! Bindings for languages whose own tools do not make them: Go and C, by the generators of wit-bindgen.

use std::fs;
use std::path::Path;

use wit_bindgen_core::wit_parser::Resolve;
use wit_bindgen_core::{Files, WorldGenerator};

use crate::embedded;
use crate::fault::{self, Result};

/// What the generated Go calls the package of its runtime; the SDK has one of its own.
const GO_RUNTIME: &str = "go.bytecodealliance.org/pkg/wit/";

/// Writes the bindings of both worlds into the SDK for Go. What they have in common is the same in both.
pub(crate) fn go(sdk: &Path) -> Result<()> {
    let bindings = sdk.join("internal/bindings");
    for world in ["emitter", "provider"] {
        let options = wit_bindgen_go::Opts {
            format: wit_bindgen_go::Format::False,
            pkg_name: Some("sheave/internal/bindings".to_owned()),
            ..wit_bindgen_go::Opts::default()
        };
        for (name, bytes) in generate(options.build(), sdk, world)? {
            let text = String::from_utf8_lossy(&bytes).replace(GO_RUNTIME, "sheave/internal/wit/");
            let name = name.replace("wit_exports/", &format!("wit_exports_{world}/"));
            write(&bindings.join(name), text.as_bytes())?;
        }
    }
    Ok(())
}

/// Writes a world's bindings for C, and the object that says to which world they belong.
pub(crate) fn c(sdk: &Path, world: &str, into: &Path) -> Result<()> {
    // The interface goes into the component when the module becomes one.
    // One name for what both worlds have.
    let options =
        wit_bindgen_c::Opts { rename_world: Some("wit".to_owned()), ..wit_bindgen_c::Opts::default() };
    for (name, bytes) in generate(options.build(), sdk, world)? {
        write(&into.join(name), &bytes)?;
    }
    Ok(())
}

/// A file that is as it should be stays as it is, so that compilers find their work done.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    embedded::write(path, bytes)
}

fn generate(
    mut generator: Box<dyn WorldGenerator>,
    sdk: &Path,
    world: &str,
) -> Result<Vec<(String, Vec<u8>)>> {
    let failed = |e: &dyn std::fmt::Display| fault::build_failed("the interface", &format!("{e:#}"));
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(sdk.join("wit")).map_err(|e| failed(&e))?;
    let world = resolve.select_world(&[package], Some(world)).map_err(|e| failed(&e))?;
    let mut files = Files::default();
    generator.generate(&mut resolve, world, &mut files).map_err(|e| failed(&e))?;
    Ok(files.iter().map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).collect())
}
