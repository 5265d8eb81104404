//! `sheave plugin pull`.

use serde_json::json;
use sheave_driver::Fault;

use crate::args::PullArgs;
use crate::commands::{Session, document};
use crate::exit::Exit;
use crate::out::Out;
use crate::render::outside;

pub(super) async fn run(session: &Session, args: &PullArgs, out: &mut Out) -> Result<Exit, Fault> {
    let pulled = session.driver.plugin_pull(&args.source, args.output.as_deref(), args.to.as_deref()).await?;
    if session.json {
        let pulled = json!({
            "source": pulled.source, "digest": pulled.digest, "component": pulled.component,
            "bytes": pulled.bytes, "from": pulled.from,
            "signer": pulled.signer,
        });
        document(out, &pulled);
        return Ok(Exit::Done);
    }
    let (source, from) = (outside::line(&pulled.source), outside::line(&pulled.from));
    out.line(&format!("{source}: {}, {} KB, from {from}", pulled.digest, pulled.bytes.div_ceil(1000)));
    if let Some(signer) = &pulled.signer {
        out.line(&format!("Signed by {}, whose key is {}", outside::line(&signer.name), signer.fingerprint));
    }
    Ok(Exit::Done)
}
