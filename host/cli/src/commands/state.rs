//! `sheave state ...`: the recorded state, for people and scripts.

use sheave_driver::Fault;
use sheave_model::Address;

use super::{Session, document, explained};
use crate::exit::Exit;
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

pub(super) async fn unlock(session: &Session, yes: bool, out: &mut Out) -> Result<Exit, Fault> {
    if !yes {
        prompt::possible(session.json).map_err(explained)?;
        let question = "Take the lock from whoever holds it? Two runs at once would spoil the stack.";
        if !prompt::ask(question).await {
            out.line("Nothing was changed.");
            return Ok(Exit::Fault);
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
