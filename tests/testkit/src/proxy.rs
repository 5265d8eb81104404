//! A way to the API server that a test can close and open again, as if the server restarted.

use std::io::copy;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::{Stack, must};

/// How long a client may take to come back.
const LIMIT: Duration = Duration::from_secs(60);

/// The proxy. It ends with the process.
#[derive(Debug)]
pub struct Proxy {
    open: Arc<Mutex<Open>>,
    refused: Receiver<()>,
}

#[derive(Debug)]
struct Open {
    is: bool,
    streams: Vec<TcpStream>,
    /// How many clients were let through.
    clients: usize,
}

fn lock(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Proxy {
    /// Puts a proxy between a stack's kubeconfig and its cluster.
    pub fn before(stack: &Stack) -> Self {
        Self::within(&stack.kubeconfig())
    }

    /// Puts a proxy between a kubeconfig and its cluster.
    pub fn within(kubeconfig: &Path) -> Self {
        let text = must(std::fs::read_to_string(kubeconfig), "the kubeconfig");
        let server = text.lines().find_map(|l| l.trim().strip_prefix("server: https://")).unwrap_or_default();
        let behind: SocketAddr = must(server.trim_matches('"').parse(), server);
        let listener = must(TcpListener::bind("127.0.0.1:0"), "a port");
        let address = must(listener.local_addr(), "a port").to_string();
        must(std::fs::write(kubeconfig, text.replace(server, &address)), "the kubeconfig");
        let open = Arc::new(Mutex::new(Open { is: true, streams: Vec::new(), clients: 0 }));
        let (send, refused) = channel();
        let shared = Arc::clone(&open);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let mut open = lock(&shared);
                let server = if open.is { TcpStream::connect(behind).ok() } else { None };
                let Some(server) = server else {
                    drop(client);
                    let _ = send.send(());
                    continue;
                };
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) else { continue };
                    thread::spawn(move || {
                        let _ = copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
                open.streams.extend([client, server]);
                open.clients += 1;
            }
        });
        Self { open, refused }
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        lock(&self.open).clients
    }

    /// Cuts all connections, and takes no more.
    pub fn close(&self) {
        let mut open = lock(&self.open);
        open.is = false;
        for stream in open.streams.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Waits until so many connections were refused.
    pub fn refuses(&self, connections: usize) {
        for _ in 0..connections {
            must(self.refused.recv_timeout(LIMIT), "nobody asks");
        }
    }

    /// Takes connections again.
    pub fn open(&self) {
        lock(&self.open).is = true;
    }
}
