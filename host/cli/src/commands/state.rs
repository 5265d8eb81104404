//! `sheave state ...`: the recorded state, for people and scripts.

use sheave_driver::Fault;
use sheave_model::Address;

use super::{Session, document, explained};
use crate::exit::Exit;
use crate::interrupt::Interrupts;
use crate::look::Paint;
use crate::out::Out;
use crate::prompt;
use crate::render::{document as yaml, outside};

pub(super) async fn list(session: &Session, out: &mut Out) -> Result<Exit, Fault> {
    let addresses = session.driver.state_list().await?;
    if session.json {
        document(out, &serde_json::json!(addresses));
    } else {
        for address in addresses {
            out.line(&outside::line(&address.to_string()));
        }
    }
    Ok(Exit::Done)
}

pub(super) async fn show(session: &Session, address: &Address, out: &mut Out) -> Result<Exit, Fault> {
    let record = session.driver.state_show(address).await?;
    if session.json {
        document(out, &record.0);
    } else {
        out.text(&shown(&record.0, session.look.out));
    }
    Ok(Exit::Done)
}

fn shown(record: &serde_json::Value, paint: Paint) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = yaml::yaml(&mut text, record, 0, paint);
    text
}

pub(super) async fn export(session: &Session, out: &mut Out) -> Result<Exit, Fault> {
    document(out, &session.driver.state_export().await?.state);
    Ok(Exit::Done)
}

pub(super) async fn remove(
    session: &Session,
    address: &Address,
    yes: bool,
    out: &mut Out,
) -> Result<Exit, Fault> {
    if !yes {
        prompt::possible(session.json).map_err(explained)?;
    }
    let approve = async |found: &[Address]| yes || prompt::ask(&question(found)).await;
    let Some(removed) = until_interrupted(session.driver.state_remove(address, approve)).await else {
        return Ok(Exit::Interrupted);
    };
    let Some(removed) = removed? else {
        out.line("Nothing was changed.");
        return Ok(Exit::Fault);
    };
    if session.json {
        document(out, &serde_json::json!({"removed": removed}));
    } else {
        for address in removed {
            out.line(&format!(
                "{} was forgotten; what it stands for is left as it is.",
                shown_address(&address)
            ));
        }
    }
    Ok(Exit::Done)
}

/// What `work` gives; none where the operator stopped it: until then it only asks.
async fn until_interrupted<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut interrupts = Interrupts::new();
    tokio::select! {
        biased;
        () = interrupts.next() => None,
        done = work => Some(done),
    }
}

/// Addresses that a question lists: more would push the question off the screen.
const MAX_LISTED: usize = 12;

fn question(found: &[Address]) -> String {
    let mut text = "Forget what is recorded of:\n".to_owned();
    for address in found.iter().take(MAX_LISTED) {
        text.push_str(&format!("  {}\n", shown_address(address)));
    }
    if found.len() > MAX_LISTED {
        text.push_str(&format!("  and {} more\n", found.len() - MAX_LISTED));
    }
    text.push_str("What it stands for is left as it is, and nobody's from then on.");
    text
}

pub(super) async fn rename(
    session: &Session,
    from: &Address,
    to: &Address,
    out: &mut Out,
) -> Result<Exit, Fault> {
    let moved = session.driver.state_move(from, to).await?;
    if session.json {
        let moved: Vec<_> =
            moved.iter().map(|(from, to)| serde_json::json!({"from": from, "to": to})).collect();
        document(out, &serde_json::json!({"moved": moved}));
    } else {
        for (from, to) in moved {
            out.line(&format!("{} is {} from now on.", shown_address(&from), shown_address(&to)));
        }
    }
    Ok(Exit::Done)
}

fn shown_address(address: &Address) -> String {
    outside::line(&address.to_string()).into_owned()
}

pub(super) async fn unlock(session: &Session, yes: bool, out: &mut Out) -> Result<Exit, Fault> {
    if !yes {
        prompt::possible(session.json).map_err(explained)?;
        let question = "Take the lock from whoever holds it? Two runs at once would spoil the stack.";
        match until_interrupted(prompt::ask(question)).await {
            Some(true) => {}
            Some(false) => {
                out.line("Nothing was changed.");
                return Ok(Exit::Fault);
            }
            None => return Ok(Exit::Interrupted),
        }
    }
    let owner = session.driver.state_unlock().await?;
    if session.json {
        document(out, &serde_json::json!({"released": owner}));
    } else {
        out.line(&match owner {
            Some(owner) => format!("The lock of {} was taken away.", outside::line(&owner)),
            None => "The stack was not locked.".to_owned(),
        });
    }
    Ok(Exit::Done)
}
