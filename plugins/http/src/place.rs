//! Sends what the properties write.

use sheave_sdk::http::{NoReply, Reply, Request as Sent, To};

use crate::props::{Request, Server};
use crate::template;

/// The thing that a request is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Of<'a> {
    pub(crate) id: &'a str,
    /// Whether the blueprint chose the id.
    pub(crate) chosen: bool,
}

/// What is sent for a request of the properties.
pub(crate) fn request(server: &Server, request: &Request, usual: &str, of: Of<'_>) -> Sent {
    let to = match (&server.connection, &server.url) {
        (Some(name), _) => To::Connection(name),
        (None, url) => To::Origin(url.as_deref().unwrap_or_default()),
    };
    let method = request.method.as_deref().unwrap_or(usual).to_ascii_uppercase();
    let path = template::path(&request.path, of.id, of.chosen);
    let mut sent = Sent::new(&method, to, &path);
    for (name, value) in &request.headers {
        sent = sent.header(name, value);
    }
    for (name, value) in &server.headers {
        if !sent.has_header(name) {
            sent = sent.header(name, value);
        }
    }
    match (&request.body, &request.text) {
        (Some(body), _) => sent.json(&template::body(body, of.id)),
        (None, Some(text)) => {
            let said = sent.has_header("content-type");
            let with = sent.body(text.as_bytes());
            if said { with } else { with.header("content-type", "text/plain; charset=utf-8") }
        }
        (None, None) => sent,
    }
}

/// Sends it.
pub(crate) fn send(server: &Server, written: &Request, usual: &str, of: Of<'_>) -> Result<Reply, NoReply> {
    request(server, written, usual, of).send()
}

/// The server in words.
pub(crate) fn name(server: &Server) -> String {
    match (&server.connection, &server.url) {
        (Some(name), _) => format!("the connection `{name}`"),
        (None, url) => format!("`{}`", url.as_deref().unwrap_or("nobody")),
    }
}
