//! The limit: a client that sends the requests that must be sent, as many at once as Sheave does, and does nothing else.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use http::Request;
use kube::Client;
use serde_json::Value;

use crate::objects::{Item, Kind, Load, Version};

/// Requests at once: what saturates an API server on two cores, and what Sheave's own client allows itself.
const IN_FLIGHT: usize = 32;

/// What a list found.
pub(crate) struct Listed {
    /// The requests alone, on open connections.
    pub(crate) took: Duration,
    pub(crate) objects: usize,
    /// The version of the object that changes.
    pub(crate) version: String,
}

impl Listed {
    /// What `bare list` printed.
    pub(crate) fn read(line: &str) -> Result<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [micros, objects, version] = words[..] else { bail!("no result of a list: {line:?}") };
        let took = Duration::from_micros(micros.parse()?);
        Ok(Self { took, objects: objects.parse()?, version: version.to_owned() })
    }
}

/// `create`, `unchanged` and `change` apply on the server's side; `list` prints microseconds, objects and version.
pub(crate) fn run(verb: &str, load: Load, base: &str) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = Client::try_default().await?;
        match verb {
            "create" | "unchanged" => apply(&client, load, base, load.items(), Version::One).await,
            "change" => apply(&client, load, base, std::iter::once(load.changed()), Version::Two).await,
            "list" => list(&client, load, base).await,
            other => bail!("`bare` does not know {other:?}"),
        }
    })
}

async fn apply(
    client: &Client,
    load: Load,
    base: &str,
    which: impl Iterator<Item = Item>,
    version: Version,
) -> Result<String> {
    let send = |item: Item| async move {
        let path = item.kind.path(&load.namespace(base, item));
        let request = Request::patch(format!("{path}/{}?fieldManager=bare", item.name()))
            .header("content-type", "application/apply-patch+yaml")
            .body(load.object(base, item, version).to_string().into_bytes())?;
        let _ = client.request_text(request).await?;
        anyhow::Ok(())
    };
    futures::stream::iter(which.map(send)).buffer_unordered(IN_FLIGHT).try_collect::<Vec<()>>().await?;
    Ok("done".to_owned())
}

/// One list for each kind and namespace.
async fn list(client: &Client, load: Load, base: &str) -> Result<String> {
    let wanted: Vec<(Kind, String)> = load
        .kinds()
        .flat_map(|(kind, _)| load.namespaces(base).into_iter().map(move |namespace| (kind, namespace)))
        .collect();
    // Opens the connections.
    let open = |_| async {
        client.request_text(Request::get("/version").body(Vec::new())?).await.map_err(anyhow::Error::from)
    };
    let connections = wanted.len().min(IN_FLIGHT);
    futures::stream::iter((0..connections).map(open))
        .buffer_unordered(IN_FLIGHT)
        .try_collect::<Vec<_>>()
        .await?;
    let started = Instant::now();
    let ask = |(kind, namespace): &(Kind, String)| {
        let (kind, path) = (*kind, kind.path(namespace));
        async move { anyhow::Ok((kind, client.request_text(Request::get(path).body(Vec::new())?).await?)) }
    };
    let lists: Vec<(Kind, String)> =
        futures::stream::iter(wanted.iter().map(ask)).buffer_unordered(IN_FLIGHT).try_collect().await?;
    let took = started.elapsed();
    let ours: BTreeSet<String> = load.items().map(Item::name).collect();
    let (mut objects, mut version) = (0, "none".to_owned());
    for (_, text) in lists {
        let all: Value = serde_json::from_str(&text)?;
        for object in all["items"].as_array().context("no list")? {
            // Kubernetes puts some of its own into each namespace, and Sheave its inventory.
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            if !ours.contains(name) {
                continue;
            }
            objects += 1;
            if name == load.changed().name() {
                version = object["data"]["version"].as_str().unwrap_or("none").to_owned();
            }
        }
    }
    ensure!(!version.contains(char::is_whitespace), "a version of somebody else's");
    Ok(format!("{} {objects} {version}", took.as_micros()))
}
