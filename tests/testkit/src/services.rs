//! Servers that others wrote, on a free port of loopback: a web server with WebDAV, a registry of images, a proxy.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::must;

/// How long a server may take to listen, on a busy machine.
const START: Duration = Duration::from_secs(60);

/// A server that runs; it ends when this is dropped.
#[derive(Debug)]
pub struct Service {
    folder: TempDir,
    child: Child,
    /// Where it listens, on loopback.
    pub port: u16,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Service {
    /// nginx with TLS, WebDAV (GET, PUT, DELETE) and one user.
    pub fn web_dav(user: &str, password: &str) -> Self {
        Self::nginx(|folder| {
            must(fs::write(folder.join("users"), format!("{user}:{{PLAIN}}{password}\n")), "users");
            format!("auth_basic x; auth_basic_user_file {}/users;", folder.display())
        })
    }

    /// nginx with TLS and WebDAV for who shows the certificate of `client-cert.pem` and `client-key.pem`; those of
    /// `stranger-cert.pem` and `stranger-key.pem` it does not know.
    pub fn web_dav_by_certificate() -> Self {
        Self::nginx(|folder| {
            certificate(folder, "client-");
            certificate(folder, "stranger-");
            format!("ssl_verify_client on; ssl_client_certificate {}/client-cert.pem;", folder.display())
        })
    }

    /// nginx; `who` says who may come in.
    fn nginx(who: impl Fn(&Path) -> String) -> Self {
        Self::start("nginx", "nginx-light", |folder, port| {
            let at = folder.display();
            must(fs::create_dir(folder.join("files")), "files");
            certificate(folder, "");
            let who = who(folder);
            let text = format!(
                "daemon off; master_process off; pid {at}/pid; error_log {at}/errors;\n\
                 events {{}}\n\
                 http {{ access_log off; client_body_temp_path {at}/body;\n\
                 proxy_temp_path {at}/1; fastcgi_temp_path {at}/2; uwsgi_temp_path {at}/3; scgi_temp_path {at}/4;\n\
                 server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {at}/cert.pem; ssl_certificate_key {at}/key.pem;\n\
                 root {at}/files; dav_methods PUT DELETE; create_full_put_path on;\n\
                 {who} }} }}\n"
            );
            must(fs::write(folder.join("conf"), text), "conf");
            let mut command = Command::new("nginx");
            command.arg("-p").arg(folder).arg("-c").arg(folder.join("conf"));
            command.arg("-g").arg(format!("error_log {at}/errors;"));
            command
        })
    }

    /// Debian's registry of container images; it deletes, and answers with paths rather than URLs.
    pub fn registry() -> Self {
        Self::registry_with("")
    }

    /// The same, for one user: [`Self::REGISTRY_USER`].
    pub fn private_registry() -> Self {
        Self::registry_with("auth: {htpasswd: {realm: test, path: users}}\n")
    }

    /// The only user of a private registry, and the password.
    pub const REGISTRY_USER: (&str, &str) = ("ali", "open sesame");

    fn registry_with(auth: &str) -> Self {
        Self::start("docker-registry", "docker-registry", |folder, port| {
            let at = folder.display();
            let text = format!(
                "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {at}/data}}, delete: {{enabled: true}}}}\n\
                 http: {{addr: \"127.0.0.1:{port}\", relativeurls: true, secret: test}}\n{auth}"
            );
            must(fs::write(folder.join("conf.yml"), text), "conf.yml");
            must(
                fs::write(folder.join("users"), format!("{}:{REGISTRY_HASH}\n", Self::REGISTRY_USER.0)),
                "users",
            );
            let mut command = Command::new("docker-registry");
            command.current_dir(folder).arg("serve").arg("conf.yml");
            command
        })
    }

    /// tinyproxy, which lets one user through to whatever is asked for.
    pub fn http_proxy(user: &str, password: &str) -> Self {
        Self::start("tinyproxy", "tinyproxy-bin", |folder, port| {
            let text = format!(
                "Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\nLogFile \"{}/errors\"\nLogLevel Connect\n\
                 BasicAuth {user} {password}\n",
                folder.display()
            );
            must(fs::write(folder.join("conf"), text), "conf");
            let mut command = Command::new("tinyproxy");
            command.arg("-d").arg("-c").arg(folder.join("conf"));
            command
        })
    }

    fn start(program: &str, package: &str, prepare: impl Fn(&Path, u16) -> Command) -> Self {
        let folder = must(tempfile::tempdir(), "a folder");
        let port = free_port();
        let mut command = prepare(folder.path(), port);
        // Debian's servers stand beside those for administrators.
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").stdout(Stdio::null()).stderr(Stdio::null());
        let child = must(command.spawn(), format_args!("{program} (`apt-get install {package}` brings it)"));
        let mut service = Self { folder, child, port };
        let until = Instant::now() + START;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let ended = must(service.child.try_wait(), program);
            assert!(
                ended.is_none() && Instant::now() < until,
                "{program} does not listen: {ended:?}: {:?}",
                service.read("errors")
            );
            std::thread::yield_now();
        }
        service
    }

    /// A file of its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a file of its folder says; none where it is not there.
    pub fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.path(name)).ok()
    }

    /// A request in plain, and all of the answer.
    pub fn ask(&self, head: &str) -> String {
        ask(self.port, head)
    }
}

/// A request in plain to a server on loopback, and all of the answer.
pub fn ask(port: u16, head: &str) -> String {
    let mut stream = must(TcpStream::connect((Ipv4Addr::LOCALHOST, port)), "connect");
    must(
        write!(
            stream,
            "{head} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/vnd.oci.image.manifest.v1+json, */*\r\nconnection: close\r\n\r\n"
        ),
        "write",
    );
    let mut answer = Vec::new();
    must(stream.read_to_end(&mut answer), "read");
    String::from_utf8_lossy(&answer).into_owned()
}

/// A port that nobody listens at now.
pub fn free_port() -> u16 {
    let listener = must(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)), "a port");
    must(listener.local_addr(), "a port").port()
}

/// The password of the registry's user as `htpasswd -B` writes it: the registry reads no other form.
const REGISTRY_HASH: &str = "$2b$05$/eD8iVBVi22RuYldvB7OhOnvjjPTDtmDf7niLDfCeSjIioyU4bh8.";

/// What the certificate says: a server's, of loopback, and nobody's authority.
const CERTIFICATE: &str = "[req]\ndistinguished_name=dn\nx509_extensions=ext\nprompt=no\n[dn]\nCN=test\n\
                           [ext]\nsubjectAltName=IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\n";

/// `cert.pem` and `key.pem` for loopback, signed by itself; `name` stands before both.
fn certificate(folder: &Path, name: &str) {
    must(fs::write(folder.join("openssl.cnf"), CERTIFICATE), "openssl.cnf");
    let mut openssl = Command::new("openssl");
    openssl.current_dir(folder).args([
        "req",
        "-x509",
        "-config",
        "openssl.cnf",
        "-newkey",
        "ec",
        "-nodes",
        "-days",
        "2",
    ]);
    let [key, certificate] = ["key.pem", "cert.pem"].map(|file| format!("{name}{file}"));
    openssl.args(["-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout", &key, "-out", &certificate]);
    openssl.stdout(Stdio::null()).stderr(Stdio::null());
    assert!(must(openssl.status(), "openssl (`apt-get install openssl` brings it)").success());
}
