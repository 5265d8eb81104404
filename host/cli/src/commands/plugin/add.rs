//! `sheave plugin add`.

use serde_json::json;
use sheave_driver::Fault;

use crate::commands::{Session, document};
use crate::exit::Exit;
use crate::out::Out;
use crate::render::outside;

pub(super) async fn run(
    session: &Session,
    source: &str,
    name: Option<&str>,
    out: &mut Out,
) -> Result<Exit, Fault> {
    let added = session.driver.plugin_add(source, name).await?;
    if session.json {
        document(
            out,
            &json!({"name": added.name, "asks": added.asked, "by-hand": added.by_hand, "edited": added.by_hand.is_none()}),
        );
        return Ok(Exit::Done);
    }
    let name = outside::line(&added.name);
    let file = session.file.display().to_string();
    match &added.by_hand {
        None => {
            out.line(&format!("{name} stands in {} and in sheave.lock.", outside::line(&file)));
        }
        Some(lines) => {
            out.line(&format!("{name} stands in sheave.lock. Add to {}:\n", outside::line(&file)));
            out.text(&outside::block(lines));
        }
    }
    if !added.asked.is_empty() {
        out.line("\nIt asks to:");
        added.asked.iter().for_each(|ask| out.line(&format!("  {}", outside::line(ask))));
        out.line(&format!(
            "\nIt gets what you grant it under `grants:`; `sheave plugin inspect {name}` says what it wants each for."
        ));
    }
    Ok(Exit::Done)
}
