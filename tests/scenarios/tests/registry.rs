//! Plugins from registries: pushed in one place and used in another, pinned, signed, and refused by name.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sheave_model::manifest::{PluginManifest, SECTION};
use sheave_testkit::services::Service;
use sheave_testkit::{Output, Stack, binary};

/// What keys of these tests are encrypted under.
const PASSWORD: &str = "a password";

/// The file plugin with another manifest, and so with other bytes.
fn with(change: impl FnOnce(&mut PluginManifest)) -> Vec<u8> {
    let bytes = binary::guest("file");
    let name = bytes.windows(SECTION.len()).rposition(|w| w == SECTION.as_bytes()).unwrap();
    let mut manifest = PluginManifest::read(&bytes[name + SECTION.len()..]).unwrap();
    let plain = bytes.strip_suffix(manifest.section().unwrap().as_slice()).unwrap();
    change(&mut manifest);
    [plain, &manifest.section().unwrap()].concat()
}

/// The file plugin as another version of itself.
fn version(version: &str) -> Vec<u8> {
    with(|manifest| manifest.version = version.parse().unwrap())
}

fn blueprint(source: &str) -> String {
    format!(
        "blueprint: cards\nplugins:\n  file:\n    source: {source}\n    grants: {{filesystem: [{{path: ./out, access: write}}]}}\nresources:\n  card: {{type: \"file:File\", properties: {{path: card.txt, content: hello}}}}\n"
    )
}

/// An operator's folder with a blueprint that takes the plugin from there.
fn operator(name: &str, source: &str) -> Stack {
    let stack = Stack::without_namespace(name);
    stack.folder("out");
    stack.write("blueprint.yaml", blueprint(source));
    stack
}

/// An author's folder with the plugin in some versions, `VERSION.wasm`, and a pair of keys.
fn author(versions: &[&str]) -> Stack {
    let stack = Stack::without_namespace("author");
    for of in versions {
        stack.write(&format!("{of}.wasm"), version(of));
    }
    let _ = signing(&stack, &["plugin", "key", "acme"]).exits(0);
    stack
}

/// A command that uses a private key.
fn signing(stack: &Stack, args: &[&str]) -> Output {
    stack.sheave(args.iter().copied()).env("COSIGN_PASSWORD", PASSWORD).run()
}

fn source(service: &Service, tag: &str) -> String {
    format!("oci://127.0.0.1:{}/acme/file{tag}", service.port)
}

fn push(author: &Stack, file: &str, to: &str) -> Value {
    author.run(["plugin", "push", file, to, "--json"]).exits(0).json()
}

fn lock(stack: &Stack) -> Value {
    serde_json::from_str(&stack.read("sheave.lock").unwrap()).unwrap()
}

/// Writes a file of the operator's configuration.
fn configure(stack: &Stack, file: &str, text: &str) {
    let folder = stack.home().join("config/sheave");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(file), text).unwrap();
}

/// A policy that lets the keys of authors sign what is below `acme/` of a registry.
fn policy(stack: &Stack, service: &Service, author: &Stack) {
    let key = author.project().join("acme.pub");
    configure(
        stack,
        "policy.yaml",
        &format!(
            "signers: {{acme: {{key: {}}}}}\nsources:\n- {{match: \"oci://127.0.0.1:{}/acme/**\", signers: [acme]}}\n",
            key.display(),
            service.port
        ),
    );
}

fn refused(stack: &Stack, args: &[&str], code: &str) -> Output {
    let output = stack.run(args.iter().copied()).exits(1);
    assert!(output.stderr.contains(code), "{code}: {output}");
    output
}

/// The files of a registry's storage that hold a digest.
fn stored(service: &Service, digest: &str) -> PathBuf {
    let hex = digest.strip_prefix("sha256:").unwrap();
    service.path("data").join("docker/registry/v2/blobs/sha256").join(&hex[..2]).join(hex).join("data")
}

#[test]
fn a_plugin_is_pushed_once_and_used_anywhere() {
    let first = Service::registry();
    let author = author(&["0.1.0"]);
    let pushed = push(&author, "0.1.0.wasm", &source(&first, ""));
    assert_eq!(pushed["source"], source(&first, ":0.1.0"), "the tag is the version");
    assert_eq!(pushed["already"], false);
    // The same component is the same artifact, whenever it is pushed.
    let again = push(&author, "0.1.0.wasm", &source(&first, ":0.1.0"));
    assert_eq!((&again["digest"], &again["already"]), (&pushed["digest"], &json!(true)));

    let stack = operator("user", &source(&first, ":0.1.0"));
    let _ = stack.apply();
    assert_eq!(stack.read("out/card.txt").unwrap(), "hello");
    let entry = lock(&stack)["plugins"]["file"].clone();
    assert_eq!(entry["manifest"], pushed["digest"]);
    assert_eq!((&entry["source"], &entry["version"]), (&json!(source(&first, ":0.1.0")), &json!("0.1.0")));
    let shown = stack.run(["plugin", "inspect", "file"]).exits(0);
    assert!(shown.stdout.contains(pushed["digest"].as_str().unwrap()), "{shown}");

    // A mirror, filled from elsewhere, and a folder; both before the registry is gone.
    let mirror = Service::registry();
    let copied = push(&author, "0.1.0.wasm", &format!("oci://127.0.0.1:{}/of/acme/file:0.1.0", mirror.port));
    assert_eq!(copied["digest"], pushed["digest"]);
    let _ = stack.run(["plugin", "pull", &source(&first, ":0.1.0"), "--to", "plugins"]).exits(0);
    let at = first.port;
    let name = source(&first, ":0.1.0");
    drop(first);

    // What was pulled before needs nobody.
    stack.write("out/card.txt", "changed");
    let _ = stack.run(["apply", "--yes", "--locked"]).exits(0);
    assert_eq!(stack.read("out/card.txt").unwrap(), "hello");

    let fresh = operator("fresh", &name);
    let said = refused(&fresh, &["plan"], "registry.unreachable");
    assert!(said.stderr.contains(&format!("127.0.0.1:{at} cannot be reached")), "{said}");

    configure(
        &fresh,
        "registries.yaml",
        &format!("registries: {{\"127.0.0.1:{at}\": {{mirrors: [\"127.0.0.1:{}/of\"]}}}}\n", mirror.port),
    );
    fresh.write("sheave.lock", stack.read("sheave.lock").unwrap());
    let pulled = fresh.run(["plugin", "pull", &name, "--json"]).exits(0).json();
    assert_eq!(pulled["from"], format!("127.0.0.1:{}", mirror.port));
    let _ = fresh.run(["apply", "--yes", "--locked"]).exits(0);
    assert_eq!(fresh.read("out/card.txt").unwrap(), "hello");
    drop(mirror);

    let offline = operator("offline", &name);
    let folder = stack.project().join("plugins");
    let folder = folder.to_str().unwrap();
    let _ = offline.run(["apply", "--yes", "--offline", folder]).exits(0);
    assert_eq!(offline.read("out/card.txt").unwrap(), "hello");
    assert_eq!(lock(&offline)["plugins"]["file"]["manifest"], pushed["digest"]);
    let missing = operator("missing", &name.replace(":0.1.0", ":0.2.0"));
    let _ = refused(&missing, &["plan", "--offline", folder], "registry.not-offline");
    // Somebody with the folder alone changes what is in it.
    let blob = format!("127.0.0.1_{at}/acme/file/blobs/sha256/{}", entry["digest"].as_str().unwrap());
    fs::write(Path::new(folder).join(blob), b"other bytes").unwrap();
    let poisoned = operator("poisoned", &name);
    let _ = refused(&poisoned, &["plan", "--offline", folder], "registry.digest-mismatch");
    // And what needs no registry is destroyed without one.
    let _ = stack.run(["destroy", "--yes"]).exits(0);
    assert!(stack.read("out/card.txt").is_none());
}

/// A tool of others', which copies between registries and folders.
fn skopeo(from: &str, to: &str) {
    let mut copy = std::process::Command::new("skopeo");
    copy.args([
        "--insecure-policy",
        "copy",
        "--preserve-digests",
        "--src-tls-verify=false",
        "--dest-tls-verify=false",
    ]);
    let done = copy.args([from, to]).output();
    let done = done.unwrap_or_else(|e| panic!("skopeo (`apt-get install skopeo` brings it): {e}"));
    assert!(done.status.success(), "{from} {to}: {}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn other_tools_read_and_write_the_same() {
    let (registry, other) = (Service::registry(), Service::registry());
    let author = author(&["0.1.0"]);
    let pushed = push(&author, "0.1.0.wasm", &source(&registry, ""));
    // What they copy into a folder is used from there.
    let stack = operator("theirs", &source(&registry, ":0.1.0"));
    let place = format!("127.0.0.1_{}/acme", registry.port);
    stack.folder(&format!("plugins/{place}"));
    let theirs = stack.project().join("plugins").join(&place).join("file");
    let at = registry.port;
    skopeo(&format!("docker://127.0.0.1:{at}/acme/file:0.1.0"), &format!("oci:{}:0.1.0", theirs.display()));
    let _ = stack.run(["apply", "--yes", "--offline", "plugins"]).exits(0);
    assert_eq!(lock(&stack)["plugins"]["file"]["manifest"], pushed["digest"]);
    // What is written into a folder here, they bring to another registry.
    let _ = author.run(["plugin", "pull", &source(&registry, ":0.1.0"), "--to", "plugins"]).exits(0);
    let ours = author.project().join("plugins").join(&place).join("file");
    skopeo(&format!("oci:{}:0.1.0", ours.display()), &format!("docker://127.0.0.1:{}/a/copy:1", other.port));
    let copy = format!("oci://127.0.0.1:{}/a/copy:1", other.port);
    let pulled = author.run(["plugin", "pull", &copy, "--json"]).exits(0).json();
    assert_eq!(pulled["digest"], pushed["digest"]);
}

#[test]
fn a_tag_that_moves_is_noticed_by_who_pushes_and_by_who_updates() {
    let registry = Service::registry();
    let author = author(&["0.1.0"]);
    let to = source(&registry, ":0.1.0");
    let first = push(&author, "0.1.0.wasm", &to);
    let stack = operator("moved", &to);
    let _ = stack.apply();
    author.write("other.wasm", with(|manifest| manifest.description.push_str(", and more")));
    let _ = refused(&author, &["plugin", "push", "other.wasm", &to], "registry.tag-taken");
    let _ = author.run(["plugin", "push", "other.wasm", &to, "--force"]).exits(0);
    // The lock file names the digest: nothing else is used, and nobody has to notice.
    let _ = stack.run(["plan", "--locked"]).exits(0);
    let before = stack.read("sheave.lock");
    let said = refused(&stack, &["plugin", "update", "file"], "plugin.tag-moved");
    assert!(said.stderr.contains(first["digest"].as_str().unwrap()), "{said}");
    assert_eq!(stack.read("sheave.lock"), before);
    let _ = stack.run(["plugin", "update", "file", "--accept"]).exits(0);
    assert_ne!(stack.read("sheave.lock"), before);
    let _ = stack.run(["plan", "--locked"]).exits(0);
}

#[test]
fn an_older_version_is_refused_and_a_newer_one_is_taken() {
    let registry = Service::registry();
    let author = author(&["0.9.0", "0.10.0"]);
    for of in ["0.9.0", "0.10.0"] {
        let _ = push(&author, &format!("{of}.wasm"), &source(&registry, ""));
        let _ = push(&author, &format!("{of}.wasm"), &source(&registry, &format!(":at-{of}")));
    }
    let stack = operator("older", &source(&registry, ":0.9.0"));
    let _ = stack.apply();
    stack.write("blueprint.yaml", blueprint(&source(&registry, ":0.10.0")));
    let _ = refused(&stack, &["plan"], "plugin.changed");
    let _ = stack.run(["plugin", "update"]).exits(0);
    let _ = stack.apply();
    stack.write("blueprint.yaml", blueprint(&source(&registry, ":at-0.9.0")));
    let _ = refused(&stack, &["plan"], "plugin.older");
    let said = refused(&stack, &["plugin", "update"], "plugin.older");
    assert!(said.stdout.contains("0.10.0 -> 0.9.0"), "{said}");
    let _ = stack.run(["plugin", "update", "--accept"]).exits(0);
    let _ = stack.run(["plan", "--locked"]).exits(0);
}

#[test]
fn bytes_that_are_not_those_of_the_digest_are_refused() {
    let registry = Service::registry();
    let author = author(&["0.1.0"]);
    let pushed = push(&author, "0.1.0.wasm", &source(&registry, ":0.1.0"));
    let exact = source(&registry, &format!("@{}", pushed["digest"].as_str().unwrap()));
    let wrong = source(&registry, &format!("@sha256:{}", "0".repeat(64)));
    let _ = operator("exact", &exact).run(["plan"]).exits(0);
    let _ = refused(&operator("wrong", &wrong), &["plan"], "registry.not-found");
    let _ = refused(&operator("untagged", &source(&registry, "")), &["plan"], "registry.no-tag");
    let _ = refused(&operator("ill-formed", "oci://acme/file:1"), &["plan"], "registry.source-form");
    // The registry itself goes over to somebody else.
    let stack = operator("tampered", &source(&registry, ":0.1.0"));
    let pulled = stack.run(["plugin", "pull", &exact, "--json"]).exits(0).json();
    let data = stored(&registry, &format!("sha256:{}", pulled["component"].as_str().unwrap()));
    let mut bytes = fs::read(&data).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&data, bytes).unwrap();
    let said = refused(&operator("victim", &exact), &["plan"], "registry.digest-mismatch");
    assert!(said.stderr.contains("gives other bytes"), "{said}");
}

#[test]
fn who_signed_is_what_the_policy_goes_by() {
    let registry = Service::registry();
    let author = author(&["0.1.0", "0.2.0"]);
    let name = source(&registry, ":0.1.0");
    let _ = push(&author, "0.1.0.wasm", &name);
    let stack = operator("signed", &name);
    policy(&stack, &registry, &author);
    let said = refused(&stack, &["plan"], "plugin.unsigned");
    assert!(said.stderr.contains("wanted: a signature of acme"), "{said}");

    // A stranger signs it first.
    let stranger = Stack::without_namespace("stranger");
    let _ = signing(&stranger, &["plugin", "key", "stranger"]).exits(0);
    let _ = signing(&stranger, &["plugin", "sign", &name, "--key", "stranger.key"]).exits(0);
    let said = refused(&stack, &["plan"], "plugin.wrong-signer");
    assert!(said.stderr.contains("not among them"), "{said}");

    let _ = signing(&author, &["plugin", "sign", &name, "--key", "acme.key"]).exits(0);
    let _ = signing(&author, &["plugin", "sign", &name, "--key", "acme.key"]).exits(0);
    let _ = stack.apply();
    let signer = lock(&stack)["plugins"]["file"]["signer"].clone();
    let verified = stack.run(["plugin", "verify", &name, "--json"]).exits(0).json();
    assert_eq!((&verified["signer"]["name"], &verified["signer"]["key"]), (&json!("acme"), &signer));
    let key = author.project().join("acme.pub");
    let by_key = stack.run(["plugin", "verify", &name, "--key", key.to_str().unwrap()]).exits(0);
    assert!(by_key.stdout.contains("acme.pub"), "{by_key}");
    // The signature of the one stands for nothing else.
    let _ = push(&author, "0.2.0.wasm", &source(&registry, ":0.2.0"));
    stack.write("blueprint.yaml", blueprint(&source(&registry, ":0.2.0")));
    let _ = refused(&stack, &["plan"], "plugin.unsigned");
    let _ = refused(&stack, &["plugin", "update"], "plugin.unsigned");

    // The policy goes: what was signed has to be, until somebody accepts that it is not.
    fs::remove_file(stack.home().join("config/sheave/policy.yaml")).unwrap();
    let _ = refused(&stack, &["plugin", "update"], "plugin.signer-changed");
    // A policy that knows nothing of the source lets nothing of it in; files neither, unless it says so.
    configure(&stack, "policy.yaml", "sources: []\n");
    let _ = refused(&stack, &["plan"], "plugin.no-rule");
    stack.guest("file");
    stack.write("blueprint.yaml", blueprint("guests/file.wasm"));
    let _ = refused(&stack, &["plan"], "plugin.no-rule");
    let _ = refused(&stack, &["plan", "--policy", "gone.yaml"], "registry.settings");

    // Pushed and signed at once; taken offline with its signature.
    let both = ["plugin", "push", "0.2.0.wasm", &source(&registry, ":0.2.0"), "--key", "acme.key"];
    let _ = signing(&author, &both).exits(0).stdout.contains("It is signed");
    let offline = operator("signed-offline", &source(&registry, ":0.2.0"));
    policy(&offline, &registry, &author);
    let _ = offline.run(["plugin", "pull", &source(&registry, ":0.2.0"), "--to", "plugins"]).exits(0);
    fs::remove_dir_all(offline.home().join("cache")).unwrap();
    drop(registry);
    let _ = offline.run(["apply", "--yes", "--offline", "plugins"]).exits(0);
    assert_eq!(lock(&offline)["plugins"]["file"]["signer"], signer);
}

#[test]
fn another_key_of_the_same_policy_is_not_the_one_that_was_locked() {
    let registry = Service::registry();
    let (author, other) = (author(&["0.1.0"]), author(&["0.2.0"]));
    let stack = operator("rotated", &source(&registry, ":0.1.0"));
    let keys = |of: &Stack| of.project().join("acme.pub").display().to_string();
    configure(
        &stack,
        "policy.yaml",
        &format!(
            "signers: {{one: {{key: {}}}, two: {{key: {}}}}}\nsources: [{{match: \"**\", signers: [one, two]}}]\n",
            keys(&author),
            keys(&other)
        ),
    );
    for (of, version) in [(&author, "0.1.0"), (&other, "0.2.0")] {
        let to = source(&registry, &format!(":{version}"));
        let _ =
            signing(of, &["plugin", "push", &format!("{version}.wasm"), &to, "--key", "acme.key"]).exits(0);
    }
    let _ = stack.apply();
    stack.write("blueprint.yaml", blueprint(&source(&registry, ":0.2.0")));
    let _ = refused(&stack, &["plan"], "plugin.signer-changed");
    let _ = refused(&stack, &["plugin", "update"], "plugin.signer-changed");
    let _ = stack.run(["plugin", "update", "--accept"]).exits(0);
    let _ = stack.apply();
}

#[test]
fn a_file_is_signed_and_verified_beside_itself() {
    let author = author(&["0.1.0"]);
    let _ = refused(&author, &["plugin", "verify", "0.1.0.wasm", "--key", "acme.pub"], "plugin.unsigned");
    let _ = refused(&author, &["plugin", "verify", "0.1.0.wasm"], "plugin.no-policy");
    let signed = signing(&author, &["plugin", "sign", "0.1.0.wasm", "--key", "acme.key"]).exits(0);
    assert!(signed.stdout.contains("0.1.0.wasm.sig"), "{signed}");
    let _ = author.run(["plugin", "verify", "0.1.0.wasm", "--key", "acme.pub"]).exits(0);
    // What openssl verifies is what cosign does: a signature of the file's SHA-256.
    let checked = std::process::Command::new("sh")
        .current_dir(author.project())
        .args(["-c", "base64 -d 0.1.0.wasm.sig > raw && openssl dgst -sha256 -verify acme.pub -signature raw 0.1.0.wasm"])
        .output()
        .unwrap();
    assert!(checked.status.success(), "openssl (`apt-get install openssl` brings it): {checked:?}");
    let wrong = author
        .sheave(["plugin", "sign", "0.1.0.wasm", "--key", "acme.key"])
        .env("COSIGN_PASSWORD", "no")
        .run();
    assert!(wrong.exits(1).stderr.contains("plugin.key"));
    let nobody = author.run(["plugin", "sign", "0.1.0.wasm", "--key", "acme.key"]).exits(1);
    assert!(nobody.stderr.contains("COSIGN_PASSWORD"), "{nobody}");
    let stack = operator("signed-file", "guests/file.wasm");
    let component = fs::read(author.project().join("0.1.0.wasm")).unwrap();
    stack.write("guests/file.wasm", &component);
    let key = author.project().join("acme.pub");
    configure(
        &stack,
        "policy.yaml",
        &format!("signers: {{acme: {{key: {}}}}}\nfiles: {{signers: [acme]}}\n", key.display()),
    );
    let _ = refused(&stack, &["plan"], "plugin.unsigned");
    stack.write("guests/file.wasm.sig", fs::read(author.project().join("0.1.0.wasm.sig")).unwrap());
    let _ = stack.apply();
    stack.write("guests/file.wasm", [component, vec![0]].concat());
    let _ = refused(&stack, &["plan"], "plugin.wrong-signer");
}

#[test]
fn a_private_registry_opens_to_who_logged_in() {
    let registry = Service::private_registry();
    let author = author(&["0.1.0"]);
    let name = source(&registry, ":0.1.0");
    let said = refused(&author, &["plugin", "push", "0.1.0.wasm", &name], "registry.denied");
    assert!(said.stderr.contains("docker login"), "{said}");
    let (user, password) = Service::REGISTRY_USER;
    let credentials =
        json!({"auths": {format!("127.0.0.1:{}", registry.port): {"username": user, "password": password}}});
    let docker = author.root().join("docker");
    fs::create_dir(&docker).unwrap();
    fs::write(docker.join("config.json"), credentials.to_string()).unwrap();
    let pushed =
        author.sheave(["plugin", "push", "0.1.0.wasm", &name]).env("DOCKER_CONFIG", &docker).run().exits(0);
    assert!(pushed.stdout.contains("is there now"), "{pushed}");
    let stack = operator("private", &name);
    let _ = refused(&stack, &["plan"], "registry.denied");
    let _ = stack.sheave(["apply", "--yes"]).env("DOCKER_CONFIG", &docker).run().exits(0);
    // What is there is used without a login.
    let _ = stack.run(["plan", "--locked"]).exits(0);
}

#[test]
fn what_is_no_registry_or_no_component_is_called_so() {
    let web = Service::web_dav("u", "p");
    let stack = operator("web", &format!("oci://127.0.0.1:{}/acme/file:1", web.port));
    let said = refused(&stack, &["plan"], "registry.");
    assert!(
        said.stderr.contains("registry.wrong-answer") || said.stderr.contains("registry.unreachable"),
        "{said}"
    );
    let registry = Service::registry();
    let author = author(&[]);
    author.write("text.wasm", "no component");
    let _ = refused(
        &author,
        &["plugin", "push", "text.wasm", &source(&registry, ":1")],
        "plugin.not-a-component",
    );
    // The signature's own artifact is one that is no component.
    author.write("0.1.0.wasm", version("0.1.0"));
    let to = source(&registry, ":0.1.0");
    let pushed = signing(&author, &["plugin", "push", "0.1.0.wasm", &to, "--key", "acme.key", "--json"])
        .exits(0)
        .json();
    let tag = pushed["digest"].as_str().unwrap().replace(':', "-");
    let _ = refused(
        &operator("signature", &source(&registry, &format!(":{tag}.sig"))),
        &["plan"],
        "registry.not-a-component",
    );
}
