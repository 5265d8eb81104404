//! `sheave graph`: the blueprint's resources and what each needs.

use sheave_driver::Fault;

use super::{Session, document, explain, explained};
use crate::args::GraphArgs;
use crate::exit::Exit;
use crate::out::Out;
use crate::render::{graph, picture};

pub(super) async fn run(session: &Session, args: GraphArgs, out: &mut Out) -> Result<Exit, Fault> {
    let found = session.driver.graph().await?;
    if args.svg {
        out.text(&picture::svg(&found.name, &found.nodes).map_err(explained)?);
    } else if args.dot {
        out.text(&graph::dot(&found.name, &found.nodes));
    } else if session.json {
        document(out, &graph::json(&found.name, &found.nodes));
    } else {
        out.text(&graph::text(&found.name, &found.nodes, session.look.out));
    }
    explain(session.look, &found.report);
    Ok(Exit::Done)
}
