//! `sheave completions SHELL`: what a shell needs to complete commands and options.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Cli;
use crate::exit::Exit;
use crate::out::Out;

pub(super) fn run(shell: Shell, out: &mut Out) -> Exit {
    out.text(&script(shell));
    Exit::Done
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "sheave", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_shell_has_its_script() {
        for shell in Shell::value_variants() {
            let script = script(*shell);
            for word in ["sheave", "rollback", "parallelism", "detailed-exitcode"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }
}
