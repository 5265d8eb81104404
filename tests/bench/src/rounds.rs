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
    /// Rounds of all tools.
    pub(crate) count: usize,
    /// Rounds of Sheave and the limit; those of all tools are among them.
    pub(crate) pairs: usize,
    costs: BTreeMap<(Tool, Step), Vec<Cost>>,
    lists: Vec<Duration>,
}

/// From how many objects on a load is measured once by all tools: a round takes many minutes, and chance weighs little in it.
const ONCE_FROM: usize = 10_000;

/// Below how many objects a load is measured so many times as often: its rounds take seconds, and chance weighs much in them.
const OFTEN_BELOW: usize = 1_000;
/// Sheave and the limit, which are compared by tenths where the others differ by times, take part so many times as often anyhow.
const AS_OFTEN: usize = 3;

pub(crate) fn measure(setting: &Setting, load: Load, count: usize) -> Result<Rounds> {
    say(load.title());
    let (count, pairs) = match load.objects() {
        ONCE_FROM.. => (1, count),
        ..OFTEN_BELOW => (count * AS_OFTEN, count * AS_OFTEN),
        _ => (count, count * AS_OFTEN),
    };
    let mut rounds = Rounds { load, count, pairs, costs: BTreeMap::new(), lists: Vec::new() };
    for round in 0..pairs {
        for tool in turns(round, round < count) {
            if tool != Tool::Helm || load.suits_helm() {
                rounds.one(setting, tool, round)?;
            }
        }
    }
    Ok(rounds)
}

/// Who comes when in a round. Sheave and the limit come one right after the other, each as often before as after, so that what the
/// machine does over minutes meets both; of the others another one begins each time.
fn turns(round: usize, all: bool) -> impl Iterator<Item = Tool> {
    let mut pair = [Tool::Bare, Tool::Sheave];
    let mut others = [Tool::Kubectl, Tool::Helm];
    if !round.is_multiple_of(2) {
        pair.reverse();
        others.reverse();
    }
    pair.into_iter().chain(others.into_iter().filter(move |_| all))
}

impl Rounds {
    fn one(&mut self, setting: &Setting, tool: Tool, round: usize) -> Result<()> {
        let place = Place::new(setting, self.load, tool, round + 1)?;
        let mut line = format!("round {} of {}, {}:", round + 1, self.pairs, tool.name());
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

    /// How many times as long one takes as the other: the median of what the rounds say that both took part in. None: no round did.
    pub(crate) fn ratio(&self, one: (Tool, Step), other: (Tool, Step)) -> Option<f64> {
        let both = self.of(one.0, one.1).zip(self.of(other.0, other.1));
        let mut ratios: Vec<f64> =
            both.map(|(one, other)| one.wall.as_secs_f64() / other.wall.as_secs_f64()).collect();
        ratios.sort_by(f64::total_cmp);
        ratios.get(ratios.len() / 2).copied()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of(round: usize, all: bool) -> Vec<Tool> {
        turns(round, all).collect()
    }

    #[test]
    fn the_limit_stands_beside_sheave_and_takes_turns_with_it() {
        assert_eq!(of(0, true), [Tool::Bare, Tool::Sheave, Tool::Kubectl, Tool::Helm]);
        assert_eq!(of(1, true), [Tool::Sheave, Tool::Bare, Tool::Helm, Tool::Kubectl]);
        assert_eq!(of(2, false), [Tool::Bare, Tool::Sheave]);
    }

    #[test]
    fn ratios_are_those_of_the_rounds_of_both() {
        let costs = |millis: &[u64]| {
            millis.iter().map(|ms| Cost { wall: Duration::from_millis(*ms), peak: 0 }).collect::<Vec<_>>()
        };
        let create = |tool| (tool, Step::Create);
        let rounds = Rounds {
            load: Load::Mixed(1_000),
            count: 1,
            pairs: 3,
            costs: BTreeMap::from([
                // The machine was three times as slow in the second round.
                (create(Tool::Bare), costs(&[100, 300, 100])),
                (create(Tool::Sheave), costs(&[120, 390, 110])),
                (create(Tool::Kubectl), costs(&[240])),
            ]),
            lists: Vec::new(),
        };
        assert_eq!(rounds.ratio(create(Tool::Sheave), create(Tool::Bare)), Some(1.2));
        assert_eq!(rounds.ratio(create(Tool::Sheave), create(Tool::Kubectl)), Some(0.5));
        assert_eq!(rounds.ratio(create(Tool::Sheave), create(Tool::Helm)), None);
    }
}
