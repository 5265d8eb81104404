//! Asking the operator: only on a terminal, and only `yes` is a yes.

use std::io::{self, BufRead, IsTerminal};

use console::Term;
use sheave_model::Diagnostic;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

/// Where a key's password may be given; the name is cosign's, whose keys are read.
const PASSWORD: &str = "COSIGN_PASSWORD";

/// Longest answer that is read.
const MAX_ANSWER: u64 = 1024;

/// Whether somebody can be asked; the fault says what to do where not.
pub(crate) fn possible(json: bool) -> Result<(), Box<Diagnostic>> {
    let summary = if json {
        "with --json there is nobody to ask"
    } else if io::stdin().is_terminal() {
        return Ok(());
    } else {
        "standard input is no terminal, so there is nobody to ask"
    };
    let fault =
        Diagnostic::error("cli.needs-yes", summary).with_help("add --yes to go on without being asked");
    Err(fault.into())
}

/// Asks `question` on standard error, which is where people still look when output goes elsewhere.
pub(crate) async fn ask(question: &str) -> bool {
    crate::out::err(&format!("{question}\nOnly `yes` is taken as a yes: "));
    // A thread of its own, not one of the runtime's: reading cannot be cut short, and must not keep the process alive.
    let (tell, told) = oneshot::channel();
    let reader = std::thread::Builder::new().name("prompt".to_owned()).spawn(move || {
        let mut answer = String::new();
        let read = io::Read::take(io::stdin().lock(), MAX_ANSWER).read_line(&mut answer);
        let _ = tell.send(read.is_ok() && is_yes(&answer));
    });
    reader.is_ok() && told.await.unwrap_or(false)
}

/// The password of a private key: from the environment, as cosign takes it, or asked for without showing it. `again`:
/// twice, since nobody could use a key whose password was mistyped.
pub(crate) fn password(again: bool) -> Result<Zeroizing<String>, Box<Diagnostic>> {
    if let Some(given) = std::env::var_os(PASSWORD) {
        let text = given
            .into_string()
            .map_err(|_| Diagnostic::error("cli.not-text", format!("{PASSWORD} is not UTF-8 text")))?;
        return Ok(Zeroizing::new(text));
    }
    let nobody = |why: String| {
        Diagnostic::error("plugin.key", format!("the key's password cannot be asked for: {why}"))
            .with_help(format!("set {PASSWORD}; a key without a password has an empty one"))
    };
    if !io::stdin().is_terminal() {
        return Err(nobody("standard input is no terminal".into()).into());
    }
    let ask = |question: &str| {
        crate::out::err(question);
        Term::stderr().read_secure_line().map(Zeroizing::new).map_err(|e| nobody(e.to_string()))
    };
    let first = ask("Password of the key: ")?;
    if again && ask("The same once more: ")? != first {
        return Err(Diagnostic::error("plugin.key", "the two passwords are not the same").into());
    }
    Ok(first)
}

fn is_yes(answer: &str) -> bool {
    answer.trim().eq_ignore_ascii_case("yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        assert!(is_yes("yes\n") && is_yes(" Yes "));
        for no in ["", "y", "no", "yes please", "ja"] {
            assert!(!is_yes(no), "{no}");
        }
    }
}
