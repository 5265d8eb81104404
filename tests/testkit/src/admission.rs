//! An admission webhook as an operator runs them: a server behind TLS, known to the control plane by its authority.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use base64::Engine as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use crate::cluster::{kubectl_with, unique};
use crate::request::Request;
use crate::{Stack, must};

/// A webhook that answers each object of a stack's namespace. Its configuration goes when it is dropped, its server with the process.
#[derive(Debug)]
pub struct Admission<'a> {
    stack: &'a Stack,
    configuration: String,
}

impl<'a> Admission<'a> {
    /// Lets `refuses` judge each object that is made or changed in the stack's namespace, of `resources` in the core group: a reason refuses it.
    pub fn before(
        stack: &'a Stack,
        resources: &[&str],
        refuses: impl Fn(&Value) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let listener = must(TcpListener::bind("127.0.0.1:0"), "a port");
        let address = must(listener.local_addr(), "a port");
        let authority = serve(listener, Arc::new(refuses));
        let configuration = unique("webhook");
        kubectl_with(
            &["create", "-f", "-"],
            &registration(&configuration, stack.namespace(), resources, address, &authority),
        );
        Self { stack, configuration }
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        let _ = self.stack.try_kubectl(&["delete", "validatingwebhookconfiguration", &self.configuration]);
    }
}

fn registration(
    name: &str,
    namespace: &str,
    resources: &[&str],
    address: SocketAddr,
    authority: &str,
) -> String {
    let bundle = base64::engine::general_purpose::STANDARD.encode(authority);
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name}, "webhooks": [{
            "name": "judge.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None",
            "failurePolicy": "Fail",
            "clientConfig": {"url": format!("https://{address}/review"), "caBundle": bundle},
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": resources}],
        }],
    })
    .to_string()
}

type Judge = Arc<dyn Fn(&Value) -> Option<String> + Send + Sync>;

/// Serves in threads of its own; gives the certificate that the server is to be trusted by.
fn serve(listener: TcpListener, judge: Judge) -> String {
    let made = must(rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]), "a certificate");
    let key = must(PrivateKeyDer::try_from(made.signing_key.serialize_der()), "a key");
    let certificate = CertificateDer::from(made.cert.der().to_vec());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        must(ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions(), "TLS")
            .with_no_client_auth();
    let config = Arc::new(must(config.with_single_cert(vec![certificate], key), "the server's certificate"));
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (config, judge) = (Arc::clone(&config), Arc::clone(&judge));
            thread::spawn(move || answer(client, config, &judge));
        }
    });
    made.cert.pem()
}

/// Answers the requests of one connection until the other side ends it.
fn answer(client: TcpStream, config: Arc<ServerConfig>, judge: &Judge) -> Option<()> {
    let mut stream = BufReader::new(StreamOwned::new(ServerConnection::new(config).ok()?, client));
    while let Some(request) = Request::read(&mut stream).ok()? {
        let review: Value = serde_json::from_slice(&request.body).ok()?;
        let request = &review["request"];
        let refused = judge(&request["object"]);
        let reply = json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "response": {
                "uid": request["uid"], "allowed": refused.is_none(),
                "status": {"code": 403, "message": refused.unwrap_or_default()},
            },
        })
        .to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            reply.len()
        );
        let to = stream.get_mut();
        to.write_all(head.as_bytes()).ok()?;
        to.write_all(reply.as_bytes()).ok()?;
        to.flush().ok()?;
    }
    None
}
