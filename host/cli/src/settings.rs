//! From the command line and the environment to what the driver wants to know.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use sheave_driver::{InputGiven, Report, Settings};
use sheave_model::address::is_name;
use sheave_model::{Diagnostic, SecretText};

use crate::args::{Common, Inputs};
use crate::folders;

/// How the names of environment variables that give an input begin.
const INPUT_PREFIX: &str = "SHEAVE_INPUT_";

/// The driver's settings, or all that is wrong with what was given.
pub(crate) fn settings(common: &Common, inputs: Inputs, command: String) -> Result<Settings, Box<Report>> {
    let mut faults = Vec::new();
    let inputs = gather(inputs, env::vars_os(), &mut faults);
    let key = env::var_os("SHEAVE_KEY").filter(|k| !k.is_empty()).and_then(|key| {
        key.into_string()
            .map_err(|_| faults.push(Diagnostic::error("cli.not-text", "SHEAVE_KEY is not UTF-8 text")))
            .ok()
    });
    match folders::of_process().map_err(|fault| faults.push(*fault)) {
        Ok(folders) if faults.is_empty() => Ok(Settings {
            blueprint: common.file.clone(),
            stack: common.stack.clone(),
            inputs,
            state: common.state.clone(),
            parallelism: common.parallelism,
            timeout: common.timeout,
            locked: common.locked,
            policy: common.policy.clone(),
            offline: common.offline.clone(),
            config_dir: folders.config,
            cache_dir: folders.cache,
            key: key.map(SecretText::new),
            command,
        }),
        _ => Err(Box::new(Report { diagnostics: faults, ..Report::default() })),
    }
}

/// All inputs, those of the environment in the order of their names. No fault repeats a value: it may be a secret.
fn gather(
    given: Inputs,
    environment: impl Iterator<Item = (OsString, OsString)>,
    faults: &mut Vec<Diagnostic>,
) -> Vec<InputGiven> {
    let mut variables: Vec<_> = environment
        .filter_map(|(variable, value)| {
            Some((variable.to_str()?.strip_prefix(INPUT_PREFIX)?.to_owned(), value))
        })
        .collect();
    variables.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let mut out = Vec::new();
    for (name, value) in variables {
        match (is_name(&name), value.into_string()) {
            (true, Ok(text)) => out.push(InputGiven::Env { name, text: SecretText::new(text) }),
            (false, _) => faults.push(no_name(&format!("{INPUT_PREFIX}{name}"))),
            (true, Err(_)) => faults.push(no_text(&format!("{INPUT_PREFIX}{name}"))),
        }
    }
    let mut files = given.inputs;
    if files.is_empty() {
        files.extend(env::var_os("SHEAVE_INPUTS").filter(|f| !f.is_empty()).map(PathBuf::from));
    }
    out.extend(files.into_iter().map(InputGiven::File));
    for flag in given.input {
        match split(&flag) {
            Ok((name, text)) => out.push(InputGiven::Flag { name, text: SecretText::new(text) }),
            Err(fault) => faults.push(*fault),
        }
    }
    out
}

fn split(flag: &OsStr) -> Result<(String, String), Box<Diagnostic>> {
    let Some(text) = flag.to_str() else { return Err(Box::new(no_text("an --input"))) };
    match text.split_once('=') {
        Some((name, text)) if is_name(name) => Ok((name.to_owned(), text.to_owned())),
        Some(_) => Err(Box::new(no_name("what stands before the `=` of an --input"))),
        None => Err(Box::new(
            Diagnostic::error("cli.input-form", "an --input has no `=`")
                .with_help("write --input NAME=VALUE; for a secret, set SHEAVE_INPUT_NAME instead"),
        )),
    }
}

fn no_name(what: &str) -> Diagnostic {
    Diagnostic::error("cli.input-form", format!("{what} does not name an input"))
        .with_help("a name is a letter, then letters, digits, `-` and `_`, as under the blueprint's `inputs`")
}

fn no_text(what: &str) -> Diagnostic {
    Diagnostic::error("cli.not-text", format!("{what} is not UTF-8 text"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    fn all(flags: &[&str], files: &[&str], variables: &[(&str, &str)]) -> (Vec<String>, Vec<Diagnostic>) {
        let given = Inputs {
            input: flags.iter().map(Into::into).collect(),
            inputs: files.iter().map(Into::into).collect(),
        };
        let variables = variables.iter().map(|(k, v)| (OsString::from(k), OsString::from(v)));
        let mut faults = Vec::new();
        let inputs = gather(given, variables, &mut faults);
        let said = inputs.iter().map(|i| match i {
            InputGiven::Flag { name, text } => format!("flag {name}={}", text.expose()),
            InputGiven::File(path) => format!("file {}", path.display()),
            InputGiven::Env { name, text } => format!("env {name}={}", text.expose()),
        });
        (said.collect(), faults)
    }

    #[test]
    fn each_source_keeps_its_kind_and_order() {
        let (inputs, faults) = all(
            &["b=1=2", "a="],
            &["x.yaml", "y.yaml"],
            &[("SHEAVE_INPUT_z", "1"), ("SHEAVE_INPUT_c", ""), ("SHEAVE_INPUTS", "no"), ("PATH", "x")],
        );
        assert_eq!(inputs, ["env c=", "env z=1", "file x.yaml", "file y.yaml", "flag b=1=2", "flag a="]);
        assert!(faults.is_empty());
    }

    #[test]
    fn faults_name_the_place_and_not_the_value() {
        let (_, faults) = all(
            &["hunter2", "1=hunter2"],
            &["x"],
            &[("SHEAVE_INPUT_a.b", "hunter2"), ("SHEAVE_INPUT_", "hunter2")],
        );
        assert_eq!(faults.len(), 4);
        let said = serde_json::to_string(&faults).unwrap();
        assert!(!said.contains("hunter2"), "{said}");
        assert!(said.contains("SHEAVE_INPUT_a.b"));
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        assert!(split(&OsString::from_vec(b"a=\xff".to_vec())).is_err());
    }
}
