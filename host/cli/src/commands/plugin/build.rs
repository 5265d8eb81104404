//! `sheave plugin build`: the component, by the tools of the plugin's language.

use std::path::Path;
use std::time::Instant;

use sheave_authoring::{Built, Project, build};
use sheave_driver::Fault;

use super::super::{Session, document, explained};
use crate::exit::Exit;
use crate::out::Out;
use crate::render::outside;

pub(super) async fn run(session: &Session, folder: &Path, out: &mut Out) -> Result<Exit, Fault> {
    let project = Project::open(folder).map_err(explained)?;
    let host = session.driver.plugin_host().map_err(explained)?;
    let began = Instant::now();
    let built = build(&project, &host).await.map_err(explained)?;
    if session.json {
        let component = built.component.display().to_string();
        let built = serde_json::json!({"component": component, "bytes": built.bytes, "types": built.types});
        document(out, &built);
        return Ok(Exit::Done);
    }
    out.line(&summary(&project, &built, began));
    Ok(Exit::Done)
}

/// What was made, on one line.
pub(super) fn summary(project: &Project, built: &Built, began: Instant) -> String {
    let path = built.component.strip_prefix(&project.folder).unwrap_or(&built.component);
    let types: Vec<String> = built.types.iter().map(|t| outside::line(t).into_owned()).collect();
    format!(
        "Built {}: {}, {} in {:.1} s",
        outside::line(&path.display().to_string()),
        types.join(", "),
        size(built.bytes),
        began.elapsed().as_secs_f64()
    )
}

fn size(bytes: usize) -> String {
    match bytes {
        0..1_000_000 => format!("{} KB", bytes.div_ceil(1000)),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_read_at_a_glance() {
        let all = [1, 37_200, 999_999, 1_000_000, 18_540_000].map(size);
        assert_eq!(all, ["1 KB", "38 KB", "1000 KB", "1.0 MB", "18.5 MB"]);
    }
}
