//! `sheave plugin test`: golden folders. Properties in; diagnostics, objects or planned changes out, through the real host.

mod answer;
mod case;
mod run;

use std::fs;
use std::path::Path;

use sheave_model::plugin::Grants;
use sheave_plugin_host::PluginHost;
use similar::TextDiff;

use crate::embedded;
use crate::fault::{self, Result};
use crate::project::Project;
use case::Case;

/// The file of a case that the plugin is asked with, and the one that it should answer.
const INPUT: &str = "input.yaml";
const EXPECTED: &str = "expected.yaml";

/// What became of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As expected.
    Passed,
    /// The answer was written down.
    Blessed,
    /// Nothing is expected yet.
    New,
    /// Otherwise; the difference, line by line.
    Differs(String),
}

/// One case.
#[derive(Clone, Debug)]
pub struct Tested {
    /// Its folder's name.
    pub case: String,
    /// What became of it.
    pub verdict: Verdict,
}

/// All cases, in order.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Each with its verdict.
    pub cases: Vec<Tested>,
}

impl Outcome {
    /// Whether all are as expected.
    pub fn passed(&self) -> bool {
        self.cases.iter().all(|c| matches!(c.verdict, Verdict::Passed | Verdict::Blessed))
    }
}

/// Runs every case beneath `golden` through the component that was built last.
///
/// # Errors
/// A diagnostic: there is no component, or a case cannot be read. What a plugin answers is no fault, traps included.
pub async fn test(project: &Project, host: &PluginHost, golden: &Path, bless: bool) -> Result<Outcome> {
    let path = project.component();
    let component = fs::read(&path).map_err(|e| fault::files(&path, &e))?;
    let plugin = host.load(&project.name, &component, &Grants::default()).await;
    let plugin = plugin.map_err(|e| Box::new(e.diagnostic()))?;
    let types = plugin.describe().await.map_err(|e| Box::new(e.diagnostic()))?;
    let mut outcome = Outcome::default();
    for folder in folders(golden)? {
        let name = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let case = Case::read(&name, &folder.join(INPUT), &types)?;
        let said = answer::text(&run::run(&plugin, &case).await);
        let expected = folder.join(EXPECTED);
        let verdict = verdict(&name, &expected, &said, bless)?;
        outcome.cases.push(Tested { case: name, verdict });
    }
    Ok(outcome)
}

fn verdict(name: &str, path: &Path, said: &str, bless: bool) -> Result<Verdict> {
    let there = match fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
        Err(e) => return Err(fault::files(path, &e)),
    };
    // However it is written: quotes and the order of fields are nobody's concern.
    let expected = match &there {
        Some(text) => Some(answer::read(text).map_err(|why| fault::bad_case(name, why))?),
        None => None,
    };
    match expected {
        Some(expected) if answer::text(&expected) == said => Ok(Verdict::Passed),
        _ if bless => {
            embedded::write(path, said.as_bytes())?;
            Ok(Verdict::Blessed)
        }
        None => Ok(Verdict::New),
        Some(expected) => {
            let expected = answer::text(&expected);
            let diff = TextDiff::from_lines(expected.as_str(), said);
            let diff = diff.unified_diff().header("expected", "said").to_string();
            Ok(Verdict::Differs(diff))
        }
    }
}

fn folders(golden: &Path) -> Result<Vec<std::path::PathBuf>> {
    let entries = fs::read_dir(golden).map_err(|e| fault::files(golden, &e))?;
    let mut all: Vec<_> = entries.flatten().map(|e| e.path()).filter(|p| p.join(INPUT).is_file()).collect();
    all.sort();
    Ok(all)
}
