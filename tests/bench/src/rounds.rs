//! The same steps by each tool in turn, several times over, so that what the machine does beside them meets all alike.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::bare::Listed;
use crate::objects::Load;
use crate::process::{self, Cost};
use crate::setting::Setting;
use crate::tools::{Place, Step, Tool};
use crate::{median, say};

/// What was measured.
#[derive(Debug)]
pub(crate) struct Rounds {
    pub(crate) load: Load,
    pub(crate) count: usize,
    costs: BTreeMap<(Tool, Step), Vec<Cost>>,
    lists: Vec<Duration>,
}

/// From how many objects on a load is measured once: a round takes many minutes, and chance weighs little in it.
const ONCE_FROM: usize = 10_000;

/// Below how many objects a load is measured so many times as often: its rounds take seconds, and chance weighs much in them.
const OFTEN_BELOW: usize = 1_000;
const AS_OFTEN: usize = 3;

pub(crate) fn measure(setting: &Setting, load: Load, count: usize) -> Result<Rounds> {
    say(load.title());
    let count = match load.objects() {
        ONCE_FROM.. => 1,
        ..OFTEN_BELOW => count * AS_OFTEN,
        _ => count,
    };
    let mut rounds = Rounds { load, count, costs: BTreeMap::new(), lists: Vec::new() };
    for round in 0..count {
        for turn in 0..Tool::ALL.len() {
            // Another one begins each time.
            let tool = Tool::ALL[(turn + round) % Tool::ALL.len()];
            if tool != Tool::Helm || load.suits_helm() {
                rounds.one(setting, tool, round)?;
            }
        }
    }
    Ok(rounds)
}

impl Rounds {
    fn one(&mut self, setting: &Setting, tool: Tool, round: usize) -> Result<()> {
        let place = Place::new(setting, self.load, tool, round + 1)?;
        let mut line = format!("round {} of {}, {}:", round + 1, self.count, tool.name());
        for step in Step::ALL {
            place.settle()?;
            let Some(cost) = place.perform(step)? else { continue };
            // A tool that leaves work undone is not quick.
            let listed = Listed::read(&process::run(&mut place.bare("list"))?.1)?;
            ensure!(
                listed.objects == self.load.objects() && listed.version == step.version().name(),
                "{} left {} objects and version {} after {step:?}",
                tool.name(),
                listed.objects,
                listed.version
            );
            self.lists.push(listed.took);
            line += &format!(" {step:?} {} ms, {} MB;", cost.wall.as_millis(), cost.peak / 1024);
            self.costs.entry((tool, step)).or_default().push(cost);
        }
        say(line.trim_end_matches(';'));
        Ok(())
    }

    fn of(&self, tool: Tool, step: Step) -> impl Iterator<Item = &Cost> {
        self.costs.get(&(tool, step)).into_iter().flatten()
    }

    /// The median time of a step.
    pub(crate) fn wall(&self, tool: Tool, step: Step) -> Duration {
        median(self.of(tool, step).map(|c| c.wall))
    }

    /// The median peak of a step's memory, in KiB.
    pub(crate) fn peak(&self, tool: Tool, step: Step) -> u64 {
        median(self.of(tool, step).map(|c| c.peak))
    }

    /// The largest of those medians.
    pub(crate) fn largest_peak(&self, tool: Tool) -> u64 {
        Step::ALL.into_iter().map(|step| self.peak(tool, step)).max().unwrap_or(0)
    }

    /// The median time of the lists that all objects need.
    pub(crate) fn list(&self) -> Duration {
        median(self.lists.iter().copied())
    }
}
