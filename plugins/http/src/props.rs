//! How requests are written in properties.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where requests go, and what all of them carry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Server {
    /// A connection of the blueprint: `targets: {NAME: {http: ...}}`. Paths are beneath its URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) connection: Option<String>,
    /// `https://HOST`, in place of a connection. The plugin must be granted the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// Headers of every request. A secret must be the whole value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) headers: BTreeMap<String, String>,
}

/// One request. `{id}` in its path, and as a whole text of its body, stands for the thing's id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// `GET`, `POST`, `PUT`, ...; left out: what is usual for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) method: Option<String>,
    /// `/things/{id}`.
    pub(crate) path: String,
    /// Headers of this request, over those of every one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) headers: BTreeMap<String, String>,
    /// JSON that is sent. A secret must be a whole text of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<Value>,
    /// Text that is sent, in place of `body`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// The statuses that mean success; left out: every 2xx.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) expect: Vec<u16>,
}

/// How a thing is found whose creation was cut off.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Find {
    /// What is asked for, such as `/things?name=web`.
    pub(crate) path: String,
    /// Where in the reply the id stands, as a JSON pointer: `/items/0/id`. Nothing there: there is no such thing.
    pub(crate) pointer: String,
}

/// When a thing is ready.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Until {
    /// Where in the reply to `read` to look, as a JSON pointer.
    pub(crate) pointer: String,
    /// Ready when this stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) equals: Option<Value>,
    /// Ready when one of these stands there.
    #[serde(default, rename = "in", skip_serializing_if = "Vec::is_empty")]
    pub(crate) among: Vec<Value>,
    /// Ready when something (`true`) or nothing (`false`) stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) exists: Option<bool>,
    /// It will never be ready when one of these stands there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) fails: Vec<Value>,
    /// Milliseconds between two looks.
    #[serde(default = "every")]
    pub(crate) every_ms: u32,
    /// Where in the reply a message for people stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// Where in the reply a number from 0 to 100 stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) percent: Option<String>,
}

fn every() -> u32 {
    1000
}

/// A thing behind an API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Props {
    /// A connection of the blueprint: `targets: {NAME: {http: ...}}`. Paths are beneath its URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) connection: Option<String>,
    /// `https://HOST`, in place of a connection. The plugin must be granted the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// Headers of every request. A secret must be the whole value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) headers: BTreeMap<String, String>,
    /// The thing's id, where the client chooses it. Making it twice is then harmless.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) identity: Option<String>,
    /// Makes it. `POST` by default, with `identity` `PUT`.
    pub(crate) create: Request,
    /// Reads it. Without, nobody sees what became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) read: Option<Request>,
    /// Changes it, `PUT` by default. Without, a change makes it anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) update: Option<Request>,
    /// Deletes it. Without, it stays when the resource goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) delete: Option<Request>,
    /// Where the reply to `create` says the id: a JSON pointer, or `location` for the last part of that header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    /// Finds a thing whose creation was cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) find: Option<Find>,
    /// The header by which the API knows a creation that it has seen, such as `Idempotency-Key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) idempotency_key: Option<String>,
    /// What of the reply to `read` is compared, as JSON pointers; left out: what was sent as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) compare: Option<Vec<String>>,
    /// When it is ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Until>,
    /// Outputs under `values`, each with where it stands in the reply: a JSON pointer, or `header:NAME`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) outputs: BTreeMap<String, String>,
    /// The same for secrets, under `secrets`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) secret_outputs: BTreeMap<String, String>,
}

impl Props {
    pub(crate) fn server(&self) -> Server {
        Server { connection: self.connection.clone(), url: self.url.clone(), headers: self.headers.clone() }
    }
}

/// What expressions may read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Outputs {
    /// The thing's id.
    #[schemars(extend("x-stable" = true))]
    pub(crate) id: String,
    /// What `outputs` names.
    pub(crate) values: BTreeMap<String, Value>,
    /// What `secret-outputs` names; null where the API has never said it.
    #[schemars(extend("x-sensitive" = true))]
    pub(crate) secrets: BTreeMap<String, Option<String>>,
}
