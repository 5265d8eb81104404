//! Things behind HTTP APIs: made, watched, changed and deleted on real servers, through kills and with secrets.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use sheave_testkit::{Api, Output, Secret, Service, Stack, services};

const PASSWORD: &str = "p@ss/w\"rd+<1>\\&=%20";

fn project(name: &str, blueprint: &str) -> Stack {
    let stack = Stack::without_namespace(name);
    stack.guest("http");
    stack.blueprint(blueprint);
    stack
}

/// A file on a web server with TLS, a user and a password.
const WEB_DAV: &str = r#"
blueprint: site
inputs:
  password: {type: string, secret: true}
  text: {type: string}
targets:
  web:
    http:
      url: "https://127.0.0.1:@port@/site"
      ca: ${file("cert.pem")}
      auth: {basic: {username: "ann", password: "${inputs.password}"}}
plugins:
  http: {source: guests/http.wasm, grants: {http: [{connection: web}]}}
resources:
  page:
    type: http:Resource
    properties:
      connection: web
      identity: deep/page.txt
      create: {path: "/{id}", text: "${inputs.text}"}
      read: {path: "/{id}"}
      update: {path: "/{id}", text: "${inputs.text}"}
      delete: {path: "/{id}"}
      outputs: {type: "header:content-type"}
outputs:
  type: ${resources.page.outputs.values.type}
  id: ${resources.page.outputs.id}
"#;

fn run(stack: &Stack, args: &[&str], text: &str) -> Output {
    let call = stack.sheave(args.iter().copied());
    call.env("SHEAVE_INPUT_password", PASSWORD).env("SHEAVE_INPUT_text", text).run()
}

#[test]
fn a_file_on_a_web_server_from_its_first_day_to_its_last() {
    let server = Service::web_dav("ann", PASSWORD);
    let stack = project("webdav", &WEB_DAV.replace("@port@", &server.port.to_string()));
    stack.write("cert.pem", server.read("cert.pem").unwrap());
    let (secret, mut said) = (Secret::new(PASSWORD), String::new());
    let mut step = |args: &[&str], text: &str, code: i32| {
        let output = run(&stack, args, text).exits(code);
        said.push_str(&format!("{}{}", output.stdout, output.stderr));
        output
    };
    let file = "files/site/deep/page.txt";
    let _ = step(&["apply", "--yes"], "hello", 0);
    assert_eq!(server.read(file).unwrap(), "hello");
    let outputs = step(&["outputs", "--json"], "hello", 0).json();
    assert_eq!(outputs["type"]["value"], "text/plain", "{outputs}");
    let _ = step(&["plan", "--detailed-exitcode"], "hello", 0);

    fs::write(server.path(file), "defaced").unwrap();
    let drift = step(&["plan", "--detailed-exitcode"], "hello", 2);
    assert!(drift.stdout.contains("seen.sha256"), "{drift}");
    let _ = step(&["apply", "--yes"], "hello", 0);
    assert_eq!(server.read(file).unwrap(), "hello");

    let _ = step(&["apply", "--yes"], "hello again", 0);
    assert_eq!(server.read(file).unwrap(), "hello again");
    fs::remove_file(server.path(file)).unwrap();
    let gone = step(&["plan"], "hello again", 0);
    assert!(gone.stdout.contains("it is gone"), "{gone}");
    let _ = step(&["apply", "--yes"], "hello again", 0);
    assert_eq!(server.read(file).unwrap(), "hello again");

    // Without the blueprint: the connection is recorded, sealed.
    fs::remove_file(stack.project().join("blueprint.yaml")).unwrap();
    let _ = step(&["destroy", "--yes"], "", 0);
    assert_eq!(server.read(file), None);
    secret.must_not_be_in("what was said", &said);
    assert_eq!(secret.search(stack.root()), []);
}

#[test]
fn what_is_there_already_is_a_stranger_s() {
    let server = Service::web_dav("ann", PASSWORD);
    let stack = project("stranger", &WEB_DAV.replace("@port@", &server.port.to_string()));
    stack.write("cert.pem", server.read("cert.pem").unwrap());
    fs::create_dir_all(server.path("files/site/deep")).unwrap();
    fs::write(server.path("files/site/deep/page.txt"), "theirs").unwrap();
    let refused = run(&stack, &["apply", "--yes"], "ours").exits(1);
    assert!(refused.stdout.contains("http.exists") || refused.stderr.contains("http.exists"), "{refused}");
    assert_eq!(server.read("files/site/deep/page.txt").unwrap(), "theirs");
}

#[test]
fn a_wrong_password_and_an_unknown_certificate_are_said() {
    let server = Service::web_dav("ann", "another one");
    let text = WEB_DAV.replace("@port@", &server.port.to_string());
    let stack = project("denied", &text);
    stack.write("cert.pem", server.read("cert.pem").unwrap());
    let denied = run(&stack, &["apply", "--yes"], "x").exits(1);
    let all = format!("{}{}", denied.stdout, denied.stderr);
    assert!(all.contains("http.denied") && all.contains("401"), "{denied}");
    Secret::new(PASSWORD).must_not_be_in("what was said", &all);
    stack.blueprint(&text.replace("      ca: ${file(\"cert.pem\")}\n", ""));
    let untrusted = run(&stack, &["apply", "--yes"], "x").exits(1);
    assert!(format!("{untrusted}").contains("certificate is not trusted"), "{untrusted}");
    assert_eq!(server.read("files/site/deep/page.txt"), None);
}

/// The same for who shows a certificate.
fn by_certificate(server: &Service, auth: &str) -> Stack {
    let text = WEB_DAV.replace("@port@", &server.port.to_string());
    let stack =
        project("mtls", &text.replace(r#"{basic: {username: "ann", password: "${inputs.password}"}}"#, auth));
    for file in ["cert.pem", "client-cert.pem", "client-key.pem", "stranger-cert.pem", "stranger-key.pem"] {
        stack.write(file, server.read(file).unwrap());
    }
    stack
}

#[test]
fn a_server_that_wants_a_certificate_gets_the_connections_and_is_refused_to_others() {
    let server = Service::web_dav_by_certificate();
    let mtls = |name: &str| {
        format!(
            r#"{{mtls: {{certificate: '${{file("{name}-cert.pem")}}', key: '${{file("{name}-key.pem")}}'}}}}"#
        )
    };
    let stack = by_certificate(&server, &mtls("client"));
    let file = "files/site/deep/page.txt";
    let applied = run(&stack, &["apply", "--yes"], "hello").exits(0);
    assert_eq!(server.read(file).unwrap(), "hello");
    let _ = run(&stack, &["plan", "--detailed-exitcode"], "hello").exits(0);
    let _ = run(&stack, &["apply", "--yes"], "hello again").exits(0);
    assert_eq!(server.read(file).unwrap(), "hello again");
    let key = server.read("client-key.pem").unwrap();
    let line = key.lines().nth(1).unwrap();
    assert!(!format!("{applied}").contains(line), "{applied}");
    // The plan in the history and the connection in the state have it sealed; only the file itself is in clear.
    std::fs::remove_file(stack.project().join("client-key.pem")).unwrap();
    assert_eq!(Secret::new(line).search(stack.root()), []);
    let _ = run(&stack, &["destroy", "--yes"], "").exits(0);
    assert_eq!(server.read(file), None);

    for (auth, why) in
        [("{}", "No required SSL certificate was sent"), (&*mtls("stranger"), "The SSL certificate error")]
    {
        let auth = if auth == "{}" { "null" } else { auth };
        let stack = by_certificate(&server, auth);
        let refused = run(&stack, &["apply", "--yes"], "x").exits(1);
        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert!(said.contains(why) && said.contains("the connection `web`"), "{auth}: {refused}");
        assert_eq!(server.read(file), None);
    }
    let mixed = mtls("client").replace("client-key", "stranger-key");
    let stack = by_certificate(&server, &mixed);
    let refused = run(&stack, &["validate"], "x").exits(1).says("target.bad-connection");
    assert!(refused.explained().contains("the certificate and the key of `mtls` do not fit"), "{refused}");
}

/// An image without layers in a registry: an upload begun, its blob, its manifest.
const IMAGE: &str = r#"
blueprint: image
targets: {registry: {http: {url: "http://127.0.0.1:@port@/v2/app"}}}
plugins:
  http: {source: guests/http.wasm, grants: {http: [{connection: registry}, {host: "127.0.0.1", ports: [@port@], private: true, plain: true, methods: [PUT]}]}}
resources:
  upload:
    type: http:Resource
    properties:
      connection: registry
      create: {path: /blobs/uploads/, expect: [202]}
      id: "header:docker-upload-uuid"
      outputs: {at: "header:location"}
  config:
    type: http:Resource
    properties:
      url: "http://127.0.0.1:@port@"
      headers: {content-type: application/octet-stream}
      create:
        method: PUT
        path: "${resources.upload.outputs.values.at}&digest=sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        text: "{}"
      id: "header:docker-content-digest"
  manifest:
    type: http:Resource
    depends-on: [config]
    properties:
      connection: registry
      identity: "@digest@"
      headers: {accept: application/vnd.oci.image.manifest.v1+json}
      create: {path: "/manifests/{id}", headers: {content-type: application/vnd.oci.image.manifest.v1+json}, text: '@manifest@'}
      read: {path: "/manifests/{id}"}
      delete: {path: "/manifests/{id}", expect: [202]}
      outputs: {config: /config/digest}
  again:
    type: http:Data
    properties:
      connection: registry
      path: "/manifests/${resources.manifest.outputs.id}"
      headers: {accept: application/vnd.oci.image.manifest.v1+json}
      outputs: {digest: "header:docker-content-digest"}
outputs:
  digest: ${resources.again.outputs.values.digest}
  config: ${resources.manifest.outputs.values.config}
"#;

#[test]
fn an_image_in_a_registry() {
    let server = Service::registry();
    let config = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2},
        "layers": [],
    })
    .to_string();
    let stack = project("registry", "");
    stack.write("manifest", &manifest);
    let sum = Command::new("sha256sum").arg(stack.project().join("manifest")).output().unwrap();
    let digest = format!("sha256:{}", &String::from_utf8(sum.stdout).unwrap()[..64]);
    let text = IMAGE.replace("@port@", &server.port.to_string());
    stack.blueprint(&text.replace("@digest@", &digest).replace("@manifest@", &manifest));
    let _ = stack.apply();
    let outputs = stack.run(["outputs", "--json"]).exits(0).json();
    assert_eq!((&outputs["digest"]["value"], &outputs["config"]["value"]), (&json!(digest), &json!(config)));
    let ask = format!("GET /v2/app/manifests/{digest}");
    assert!(server.ask(&ask).contains("200 OK"));
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
    assert!(server.ask(&format!("DELETE /v2/app/manifests/{digest}")).contains("202 Accepted"));
    let plan = stack.run(["plan", "--detailed-exitcode"]);
    assert!(format!("{plan}").contains("it is gone") || plan.code() == Some(1), "{plan}");
    let _ = stack.run(["apply", "--yes"]);
    let _ = stack.run(["destroy", "--yes"]).exits(0);
    assert!(server.ask(&ask).contains("404 Not Found"));
}

/// A thing that takes a while, made by an API that makes another one each time it is asked.
fn cloud(api: &Api, more: &str) -> String {
    format!(
        r#"
blueprint: cloud
inputs: {{password: {{type: string, secret: true}}, size: {{type: integer, default: 1}}}}
targets: {{api: {{http: {{url: "http://127.0.0.1:{}", auth: {{bearer: {{token: "${{inputs.password}}"}}}}}}}}}}
plugins:
  http: {{source: guests/http.wasm, grants: {{http: [{{connection: api, methods: [GET, POST, PUT, DELETE]}}]}}}}
resources:
  machine:
    type: http:Resource
    properties:
      connection: api
      create: {{path: /things, headers: {{x-key: "${{inputs.password}}"}}, body: {{name: web, size: "${{inputs.size}}", steps: 2, admin: "${{inputs.password}}"}}}}
      read: {{path: "/things/{{id}}"}}
      update: {{path: "/things/{{id}}"}}
      delete: {{path: "/things/{{id}}"}}
      until: {{pointer: /state, equals: up, message: /why, every-ms: 100}}
      outputs: {{name: /name}}
      secret-outputs: {{key: /key}}
      compare: [/name, /size, /admin]
{more}
outputs:
  name: ${{resources.machine.outputs.values.name}}
  key: ${{resources.machine.outputs.secrets.key}}
"#,
        api.port
    )
}

fn sheave(stack: &Stack, args: &[&str], failpoint: Option<&str>) -> Output {
    let call = stack.sheave(args.iter().copied()).env("SHEAVE_INPUT_password", PASSWORD);
    match failpoint {
        Some(place) => call.env("SHEAVE_FAILPOINT", place).run(),
        None => call.run(),
    }
}

#[test]
fn a_machine_that_takes_a_while() {
    let api = Api::start();
    let stack = project("cloud", &cloud(&api, ""));
    let made = sheave(&stack, &["apply", "--yes"], None).exits(0);
    assert!(format!("{made}").contains("to go"), "progress is shown: {made}");
    let things = api.things();
    assert_eq!(things.len(), 1);
    assert_eq!(things["t1"]["admin"], PASSWORD, "the host put the secret in");
    assert!(api.heads().contains(&format!("authorization: Bearer {PASSWORD}")));
    let _ = sheave(&stack, &["plan", "--detailed-exitcode"], None).exits(0);

    let mut changed = things["t1"].clone();
    changed["size"] = json!(7);
    api.set("t1", changed);
    let drift = sheave(&stack, &["plan", "--detailed-exitcode"], None).exits(2);
    assert!(drift.stdout.contains("/size"), "{drift}");
    let _ = sheave(&stack, &["apply", "--yes"], None).exits(0);
    assert_eq!(api.things()["t1"]["size"], 1);
    let kept = sheave(&stack, &["outputs", "--json"], None).exits(0);
    assert_eq!(kept.json()["name"]["value"], "web", "{kept}");
    let revealed = sheave(&stack, &["outputs", "key", "--reveal"], None).exits(0);
    assert_eq!(revealed.stdout.trim(), "minted-for-t1-once", "what the API says once is kept");
    let all = [&made, &drift, &kept].map(|o| format!("{}{}", o.stdout, o.stderr)).concat();
    for secret in [PASSWORD, "minted-for-t1-once"] {
        let secret = Secret::new(secret);
        secret.must_not_be_in("what was said", &all);
        assert_eq!(secret.search(stack.root()), []);
    }
    let _ = sheave(&stack, &["destroy", "--yes"], None).exits(0);
    assert_eq!(api.things().len(), 0);
}

/// Killed after each request in turn: one thing is made, and the next run ends as an unkilled one.
fn survives(name: &str, more: &str) {
    for n in 1.. {
        let api = Api::start();
        let stack = project(name, &cloud(&api, more));
        let died = sheave(&stack, &["apply", "--yes"], Some(&format!("sent:{n}"))).was_killed();
        let _ = sheave(&stack, &["apply", "--yes"], None).exits(0);
        let made: Vec<_> = api.things().into_keys().collect();
        assert_eq!(made, ["t1"], "sent:{n}: {:?}", api.log());
        let _ = sheave(&stack, &["plan", "--detailed-exitcode"], None).exits(0);
        let _ = sheave(&stack, &["destroy", "--yes"], None).exits(0);
        assert_eq!(api.things().len(), 0);
        if !died {
            assert!(n > 2, "a creation that is waited for takes several calls");
            return;
        }
    }
}

#[test]
fn a_killed_creation_is_known_by_its_key() {
    survives("by-key", "      idempotency-key: Idempotency-Key\n");
}

#[test]
fn a_killed_creation_is_found() {
    survives("by-name", "      find: {path: \"/find?name=web\", pointer: /items/0/id}\n");
}

#[test]
fn a_killed_creation_that_nobody_can_find_is_in_doubt_and_never_made_twice() {
    let api = Api::start();
    let stack = project("doubt", &cloud(&api, ""));
    assert!(sheave(&stack, &["apply", "--yes"], Some("sent:1")).was_killed());
    assert_eq!(api.things().len(), 1);
    for args in [&["apply", "--yes"][..], &["apply", "--yes"], &["plan"], &["destroy", "--yes"]] {
        let doubt = sheave(&stack, args, None).exits(1);
        assert!(format!("{doubt}").contains("http.in-doubt"), "{doubt}");
        assert_eq!(api.things().len(), 1, "{args:?}: {:?}", api.log());
    }
    api.set("t1", Value::Null);
    let _ = sheave(&stack, &["state", "rm", "machine", "--yes"], None).exits(0);
    let _ = sheave(&stack, &["apply", "--yes"], None).exits(0);
    assert_eq!(api.things().len(), 1);
    let _ = sheave(&stack, &["destroy", "--yes"], None).exits(0);
    assert_eq!(api.things().len(), 0);
}

#[test]
fn what_is_waited_for_can_be_interrupted_and_gone_on_with() {
    let api = Api::start();
    let text =
        cloud(&api, "").replace("steps: 2", "steps: 1000000").replace("every-ms: 100", "every-ms: 500");
    let stack = project("interrupted", &text);
    let mut running = stack.sheave(["apply", "--yes"]).env("SHEAVE_INPUT_password", PASSWORD).start();
    // Not at the first sign: somebody may stop it in the middle of a request, or between two.
    running.until("it waits", |output| format!("{output}").contains("to go"));
    running.interrupt();
    let stopped = running.finish();
    assert_ne!(stopped.code(), Some(0), "{stopped}");
    let mut thing = api.things()["t1"].clone();
    thing["steps"] = json!(1);
    api.set("t1", thing);
    let _ = sheave(&stack, &["apply", "--yes"], None).exits(0);
    assert_eq!(api.things().into_keys().collect::<Vec<_>>(), ["t1"], "{:?}", api.log());
}

#[test]
fn nobody_asks_who_was_not_granted() {
    let api = Api::start();
    let text = cloud(&api, "")
        .replace("{connection: api, methods: [GET, POST, PUT, DELETE]}", "{connection: api, methods: [GET]}");
    let stack = project("grants", &text);
    let refused = sheave(&stack, &["apply", "--yes"], None).exits(1);
    assert!(format!("{refused}").contains("POST on the connection `api`"), "{refused}");
    assert_eq!(api.log(), Vec::<String>::new());
    assert!(services::ask(api.port, "GET /things/x").contains("404"));
}

/// A file that is there is taken in by where it stands, and changed by the blueprint's own requests from then on.
#[test]
fn a_thing_that_is_there_is_imported_by_where_it_stands() {
    let server = Service::web_dav("ann", PASSWORD);
    let stack = project("import", &WEB_DAV.replace("@port@", &server.port.to_string()));
    stack.write("cert.pem", server.read("cert.pem").unwrap());
    let file = "files/site/deep/page.txt";
    fs::create_dir_all(server.path("files/site/deep")).unwrap();
    for (id, code) in [
        ("web:/deep/page.txt", "import.not-there"),
        ("page.txt", "http.bad-import"),
        ("none:/deep/page.txt", "http.not-granted"),
    ] {
        let _ = run(&stack, &["import", "page", id], "x").exits(1).says(code);
    }
    fs::write(server.path(file), "theirs").unwrap();
    let _ = run(&stack, &["import", "page", "web:/deep/page.txt"], "theirs").exits(0);
    assert_eq!(server.read(file).unwrap(), "theirs", "an import changes nothing");
    let shown = run(&stack, &["plan"], "ours").exits(0);
    assert!(shown.stdout.contains("~ page") && !shown.stdout.contains("-/+"), "{shown}");
    let _ = run(&stack, &["apply", "--yes"], "ours").exits(0);
    assert_eq!(server.read(file).unwrap(), "ours");
    assert_eq!(run(&stack, &["outputs", "id"], "").exits(0).stdout.trim(), "deep/page.txt");
    let _ = run(&stack, &["plan", "--detailed-exitcode"], "ours").exits(0);
    let _ = run(&stack, &["destroy", "--yes"], "").exits(0);
    assert_eq!(server.read(file), None, "it is the stack's, and goes with it");

    // What stands somewhere else than the blueprint says is not touched.
    fs::write(server.path("files/site/other.txt"), "other").unwrap();
    let _ = run(&stack, &["import", "page", "web:/other.txt"], "x").exits(0);
    let refused = run(&stack, &["apply", "--yes"], "x").exits(1).says("http.adopted-elsewhere");
    assert!(refused.stderr.contains("/other.txt"), "{refused}");
    assert_eq!(server.read("files/site/other.txt").unwrap(), "other");
}
