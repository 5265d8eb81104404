//! `sheave plugin push`.

use serde_json::json;
use sheave_driver::Fault;

use super::keys;
use crate::args::PushArgs;
use crate::commands::{Session, document};
use crate::exit::Exit;
use crate::out::Out;
use crate::render::outside;

pub(super) async fn run(session: &Session, args: &PushArgs, out: &mut Out) -> Result<Exit, Fault> {
    let key = args.key.as_deref().map(keys::read).transpose()?;
    let pushed = session.driver.plugin_push(&args.component, &args.to, args.force, key.as_ref()).await?;
    if session.json {
        let pushed = json!({
            "source": pushed.source, "digest": pushed.digest, "already": pushed.already, "signed": pushed.signed,
        });
        document(out, &pushed);
        return Ok(Exit::Done);
    }
    let source = outside::line(&pushed.source);
    let verb = if pushed.already { "was there already" } else { "is there now" };
    out.line(&format!("{source} {verb}: {}", pushed.digest));
    if pushed.signed {
        out.line("It is signed.");
    }
    Ok(Exit::Done)
}
