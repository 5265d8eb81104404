//! The limit: a client that sends the requests that must be sent, as many at once as Sheave does, and does nothing else.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use http::Request;
use kube::Client;
use serde_json::Value;

use crate::objects::{CHANGED, OBJECTS, Version, object};

/// Requests at once: what saturates an API server on two cores, and what Sheave's own client allows itself.
const IN_FLIGHT: usize = 32;

/// What a list found.
pub(crate) struct Listed {
    /// The request alone, on an open connection.
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
pub(crate) fn run(verb: &str, namespace: &str) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = Client::try_default().await?;
        match verb {
            "create" | "unchanged" => apply(&client, namespace, 0..OBJECTS, Version::One).await,
            "change" => apply(&client, namespace, CHANGED..CHANGED + 1, Version::Two).await,
            "list" => list(&client, namespace).await,
            other => bail!("`bare` does not know {other:?}"),
        }
    })
}

fn path(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/configmaps")
}

async fn apply(
    client: &Client,
    namespace: &str,
    which: std::ops::Range<usize>,
    version: Version,
) -> Result<String> {
    let send = |index: usize| async move {
        let request = Request::patch(format!("{}/map-{index}?fieldManager=bare", path(namespace)))
            .header("content-type", "application/apply-patch+yaml")
            .body(object(index, version).to_string().into_bytes())?;
        let _ = client.request_text(request).await?;
        anyhow::Ok(())
    };
    futures::stream::iter(which.map(send)).buffer_unordered(IN_FLIGHT).try_collect::<Vec<()>>().await?;
    Ok("done".to_owned())
}

async fn list(client: &Client, namespace: &str) -> Result<String> {
    // Opens the connection.
    let _ = client.request_text(Request::get("/version").body(Vec::new())?).await?;
    let started = Instant::now();
    let text = client.request_text(Request::get(path(namespace)).body(Vec::new())?).await?;
    let took = started.elapsed();
    let all: Value = serde_json::from_str(&text)?;
    let all = all["items"].as_array().context("no list")?;
    // Kubernetes puts one of its own into each namespace, and Sheave its inventory.
    let name = |o: &Value| o["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let objects = all.iter().filter(|o| name(o).starts_with("map-")).count();
    let changing = all.iter().find(|o| name(o) == format!("map-{CHANGED}"));
    let version = changing.and_then(|o| o["data"]["version"].as_str()).unwrap_or("none");
    ensure!(!version.contains(char::is_whitespace), "a version of somebody else's");
    Ok(format!("{} {objects} {version}", took.as_micros()))
}
