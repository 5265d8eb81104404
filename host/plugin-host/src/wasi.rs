//! WASI for plugins with a grant: exactly what was granted, and nothing else of the machine.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sheave_model::plugin::{Access, Grants};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::filesystem::preopens::Host as _;
use wasmtime_wasi::{Deterministic, FsPerms, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder};

use crate::error::HostError;
use crate::files::Folder;
use crate::http::Http;
use crate::limits;
use crate::stub::WALL_SECONDS;

/// Where neither time nor randomness was granted, both are as fixed as in the stub.
const RANDOM: [u8; 16] =
    [0x9e, 0x37, 0x79, 0xb9, 0x7f, 0x4a, 0x7c, 0x15, 0xf3, 0x9c, 0xc0, 0x60, 0x5c, 0xed, 0xc8, 0x34];

/// What stands behind one call's imports.
pub(crate) struct Granted {
    pub(crate) wasi: WasiCtx,
    pub(crate) folders: Vec<Folder>,
    pub(crate) http: Http,
}

/// A context with one preopen for each folder, named as it was granted. Folders are opened now: a folder that is
/// replaced later is not followed, and no path leads out of it, neither by `..` nor by a link.
pub(crate) fn granted(grants: &Grants, http: Http) -> Result<Granted, HostError> {
    let mut ctx = WasiCtxBuilder::new();
    ctx.allow_tcp(false).allow_udp(false).max_random_size(limits::STUB_RANDOM_BYTES);
    if !grants.clock {
        ctx.wall_clock(StillClock).monotonic_clock(CountingClock::default());
    }
    if !grants.random {
        ctx.secure_random(Deterministic::new(RANDOM.to_vec()))
            .insecure_random(Deterministic::new(RANDOM.to_vec()));
        ctx.insecure_random_seed(1);
    }
    for (name, value) in &grants.env {
        ctx.env(name, value);
    }
    if !grants.args.is_empty() {
        // The first is the program's name, as everywhere.
        ctx.arg("plugin").args(&grants.args);
    }
    for folder in &grants.filesystem {
        let perms = match folder.access {
            Access::Read => FsPerms::ReadOnly,
            Access::Write => FsPerms::ReadWrite,
        };
        ctx.preopened_dir(&folder.path, &folder.path, perms)
            .map_err(|e| HostError::Folder { path: folder.path.clone(), why: format!("{e:#}") })?;
    }
    let mut wasi = ctx.build();
    let folders = handles(&mut wasi).map_err(|e| HostError::Engine(format!("{e:#}")))?;
    Ok(Granted { wasi, folders, http })
}

/// The very handles of the preopens: whoever asks for permissions asks in the folder where WASI reads and writes.
fn handles(wasi: &mut WasiCtx) -> wasmtime::Result<Vec<Folder>> {
    let mut table = ResourceTable::new();
    let preopens = WasiFilesystemCtxView { ctx: wasi.filesystem(), table: &mut table }.get_directories()?;
    let mut folders = Vec::with_capacity(preopens.len());
    for (descriptor, name) in preopens {
        if let Descriptor::Dir(dir) = table.delete(descriptor)? {
            folders.push(Folder::new(name, dir.dir, !dir.perms.write_not_permitted()));
        }
    }
    Ok(folders)
}

struct StillClock;

impl HostWallClock for StillClock {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        Duration::from_secs(WALL_SECONDS)
    }
}

#[derive(Default)]
struct CountingClock(AtomicU64);

impl HostMonotonicClock for CountingClock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.0.fetch_add(1_000, Ordering::Relaxed) + 1_000
    }
}
