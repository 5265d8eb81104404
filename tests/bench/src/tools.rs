//! The compared programs: how each does the same to the same objects.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::objects::{Load, Version};
use crate::process::{self, Cost};
use crate::setting::Setting;
use crate::{median, root, say};

/// Runs of `sheave validate`, the first of which fills the cache and does not count.
const VALIDATIONS: usize = 20;

/// Who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tool {
    Bare,
    Sheave,
    Kubectl,
    Helm,
}

impl Tool {
    /// In the order of the tables.
    pub(crate) const ALL: [Self; 4] = [Self::Bare, Self::Sheave, Self::Kubectl, Self::Helm];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare requests",
            Self::Sheave => "Sheave",
            Self::Kubectl => "kubectl",
            Self::Helm => "Helm",
        }
    }
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Create,
    /// Looks only; Sheave alone has it.
    Plan,
    Unchanged,
    Change,
}

impl Step {
    pub(crate) const ALL: [Self; 4] = [Self::Create, Self::Plan, Self::Unchanged, Self::Change];

    pub(crate) fn version(self) -> Version {
        if self == Self::Change { Version::Two } else { Version::One }
    }
}

/// A tool with a namespace and what it keeps between the steps.
pub(crate) struct Place<'a> {
    pub(crate) setting: &'a Setting,
    pub(crate) load: Load,
    pub(crate) tool: Tool,
    /// The namespace, or what all of them begin with.
    pub(crate) base: String,
    folder: PathBuf,
}

impl<'a> Place<'a> {
    /// Makes the namespaces, and writes the objects in the tool's way.
    pub(crate) fn new(setting: &'a Setting, load: Load, tool: Tool, round: usize) -> Result<Self> {
        let name = format!("{}-{tool:?}-{round}", load.name()).to_lowercase();
        let folder = setting.folder.join(&name);
        // No other run has the same process id now; what one that was killed left behind is in no one's way.
        let base = format!("bench-{}-{name}", std::process::id());
        let place = Self { setting, load, tool, base, folder };
        let write = |path: &str, text: &str| -> Result<()> {
            let path = place.folder.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            Ok(fs::write(path, text)?)
        };
        match tool {
            Tool::Bare => {}
            Tool::Sheave => write("blueprint.yaml", &load.blueprint())?,
            Tool::Kubectl => {
                for version in [Version::One, Version::Two] {
                    write(&format!("{}.yaml", version.name()), &load.manifests(&place.base, version))?;
                }
            }
            Tool::Helm => {
                for (path, text) in load.chart() {
                    write(&format!("chart/{path}"), &text)?;
                }
            }
        }
        for namespace in load.namespaces(&place.base) {
            let _ = place.kubectl(&["create", "namespace", &namespace])?;
        }
        Ok(place)
    }

    /// Does it and measures it; nothing where the tool has no such step.
    pub(crate) fn perform(&self, step: Step) -> Result<Option<Cost>> {
        let base = self.base.as_str();
        let version = step.version().name();
        let mut command = match (self.tool, step) {
            (Tool::Sheave, step) => {
                let mut command = self.setting.command(&self.setting.sheave);
                command.current_dir(&self.folder);
                command.args(if step == Step::Plan { &["plan"][..] } else { &["apply", "--yes"] });
                command.arg("--input").arg(format!("base={base}"));
                command.arg("--input").arg(format!("version={version}"));
                command
            }
            (_, Step::Plan) => return Ok(None),
            (Tool::Bare, Step::Create) => self.bare("create"),
            (Tool::Bare, Step::Unchanged) => self.bare("unchanged"),
            (Tool::Bare, Step::Change) => self.bare("change"),
            (Tool::Kubectl, _) => {
                let mut command = self.setting.command(&self.setting.kubectl);
                command.args(["apply", "--server-side", "--filename"]);
                command.arg(self.folder.join(format!("{version}.yaml")));
                command
            }
            (Tool::Helm, step) => {
                let mut command = self.setting.command(&self.setting.helm);
                command.arg(if step == Step::Create { "install" } else { "upgrade" });
                command.arg("bench").arg(self.folder.join("chart"));
                // Helm keeps its releases in a namespace.
                let home = self.load.namespaces(base).swap_remove(0);
                command.args(["--namespace", &home, "--set"]).arg(format!("version={version},base={base}"));
                command
            }
        };
        Ok(Some(process::run(&mut command)?.0))
    }

    /// A client that sends requests and does nothing else.
    pub(crate) fn bare(&self, verb: &str) -> Command {
        let mut command = self.setting.command(&self.setting.itself);
        command.args(["bare", verb, &self.load.name(), &self.base]);
        command
    }

    /// Lets the API server collect its garbage: it takes as long as a hundred small requests, and in whose step it would come
    /// is chance.
    pub(crate) fn settle(&self) -> Result<()> {
        self.kubectl(&["get", "--raw", "/debug/pprof/heap?gc=1"]).map(drop)
    }

    fn kubectl(&self, args: &[&str]) -> Result<String> {
        Ok(process::run(self.setting.command(&self.setting.kubectl).args(args))?.1)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        // Waited for: the deletion of thousands of objects is not to be measured with the next step.
        let namespaces = self.load.namespaces(&self.base);
        let mut args = vec!["delete", "namespace", "--ignore-not-found"];
        args.extend(namespaces.iter().map(String::as_str));
        if let Err(why) = self.kubectl(&args) {
            say(format!("{} is left behind: {why:#}", self.base));
        }
    }
}

/// `sheave validate` of the first example, which has a plugin of its own.
pub(crate) fn validate(setting: &Setting) -> Result<Cost> {
    say("sheave validate");
    let mut costs = Vec::new();
    for _ in 0..=VALIDATIONS {
        let mut command = setting.command(&setting.sheave);
        command.current_dir(root().join("examples/first")).arg("validate");
        costs.push(process::run(&mut command)?.0);
    }
    let costs = &costs[1..];
    Ok(Cost {
        wall: median(costs.iter().map(|c| c.wall)),
        peak: costs.iter().map(|c| c.peak).max().unwrap_or(0),
    })
}
