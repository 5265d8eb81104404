//! `sheave plugin test`: the plugin's answers against those that are expected.

use std::path::PathBuf;

use sheave_authoring::{Outcome, Project, Verdict, test};
use sheave_driver::Fault;

use super::super::{Session, document, explained};
use crate::args::TestArgs;
use crate::exit::Exit;
use crate::out::Out;
use crate::render::outside;

pub(super) async fn run(session: &Session, args: &TestArgs, out: &mut Out) -> Result<Exit, Fault> {
    let project = Project::open(&args.folder).map_err(explained)?;
    let host = session.driver.plugin_host().map_err(explained)?;
    let golden = args.golden.clone().unwrap_or_else(|| golden(&project));
    let outcome = test(&project, &host, &golden, args.bless).await.map_err(explained)?;
    if session.json {
        let cases = outcome.cases.iter().map(|c| {
            let (verdict, diff) = match &c.verdict {
                Verdict::Passed => ("passed", None),
                Verdict::Blessed => ("blessed", None),
                Verdict::New => ("new", None),
                Verdict::Differs(diff) => ("differs", Some(diff)),
            };
            serde_json::json!({"case": c.case, "verdict": verdict, "diff": diff})
        });
        document(out, &cases.collect());
    } else {
        out.text(&text(&outcome));
    }
    Ok(if outcome.passed() { Exit::Done } else { Exit::Fault })
}

/// The cases of a plugin.
pub(super) fn golden(project: &Project) -> PathBuf {
    project.folder.join("golden")
}

/// Every case on a line, what differs beneath it.
pub(super) fn text(outcome: &Outcome) -> String {
    let mut text = String::new();
    for tested in &outcome.cases {
        let case = outside::line(&tested.case);
        let line = match &tested.verdict {
            Verdict::Passed => format!("  passed   {case}\n"),
            Verdict::Blessed => format!("  blessed  {case}\n"),
            Verdict::New => format!("  new      {case}: `--bless` writes down what it answers\n"),
            Verdict::Differs(diff) => format!("  differs  {case}\n{}\n", outside::block(diff.trim_end())),
        };
        text.push_str(&line);
    }
    let failed =
        outcome.cases.iter().filter(|c| matches!(c.verdict, Verdict::New | Verdict::Differs(_))).count();
    let all = outcome.cases.len();
    text.push_str(&match (all, failed) {
        (0, _) => "There are no cases: a folder with `input.yaml` is one.\n".to_owned(),
        (_, 0) => format!("{all} of {all} as expected\n"),
        _ => format!("{} of {all} as expected\n", all - failed),
    });
    text
}
