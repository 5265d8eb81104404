//! Tasks of the project: see `cargo xtask --help`.

mod bench;
mod build;
mod cluster;
mod demo;
mod docs;
mod fuzz;
#[path = "../../host/authoring/src/guest_target.rs"]
mod guest_target;
mod guests;
mod run;
mod setup;
mod soak;
mod test;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Tasks of the project")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build everything, down to target/dist/sheave
    Build,
    /// Build the guests of plugins/ and tests/guests/ into target/guests/
    Guests,
    /// Run every test: guests, host, and against a real control plane
    Test {
        /// For the host's `cargo test`, after `--`
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// The control plane for tests
    Cluster {
        #[command(subcommand)]
        verb: cluster::Verb,
    },
    /// Build, start a cluster, and carry out the first example on it
    Demo,
    /// Write docs/types out of the types' schemas
    Docs {
        /// Write nothing, and fail where a page is stale
        #[arg(long)]
        check: bool,
    },
    /// Measure what Sheave costs beside kubectl, Helm and bare requests; writes docs/benchmarks.md
    Bench {
        /// How often each tool does each step
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
        rounds: u32,
        /// What is applied: `maps-N` ConfigMaps in one namespace, or `mixed-N` objects of five kinds in twenty
        #[arg(long, value_name = "LOAD", value_delimiter = ',', default_values = ["maps-1000", "mixed-100", "mixed-1000", "mixed-10000"])]
        loads: Vec<String>,
    },
    /// Put random stacks through random edits, faults and kills, and see that each ends as its blueprint says; then fuzz
    /// what reads strangers' input
    Soak {
        /// How many
        #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32))]
        runs: u32,
        /// Only the one that follows from this seed, as a run that failed has said it
        #[arg(long)]
        seed: Option<u64>,
        /// How many minutes to fuzz each target
        #[arg(long, value_name = "MINUTES", default_value_t = 30)]
        fuzz: u32,
    },
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().task {
        Task::Build => build::build(),
        Task::Guests => guests::guests(),
        Task::Test { args } => test::test(&args),
        Task::Cluster { verb } => cluster::cluster(&verb),
        Task::Demo => demo::demo(),
        Task::Docs { check } => docs::docs(check),
        Task::Bench { rounds, loads } => bench::bench(rounds, &loads),
        Task::Soak { runs, seed, fuzz } => {
            soak::soak(runs, seed)?;
            // A seed asks for one run again, and for nothing else.
            if fuzz > 0 && seed.is_none() { fuzz::fuzz(fuzz) } else { Ok(()) }
        }
    }
}
