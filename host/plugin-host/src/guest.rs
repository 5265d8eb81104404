//! What stands behind one running instance: its limits, its log, and the host's side of its imports.

use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::bindings::sheave::plugin::{attempt, files, log, reveal, types};
use crate::error::LimitName;
use crate::files::{Folder, for_reading, for_writing};
use crate::http::{Http, Outside};
use crate::limits::{self, Limits};
use crate::log::Log;
use crate::meter::Meter;
use crate::stub;
use crate::wasi::Granted;
use crate::wire::LogLevel;

/// The data of a store. One call, one store, one guest.
pub(crate) struct Guest {
    pub(crate) log: Log,
    pub(crate) stub: stub::State,
    /// What it ran so far.
    pub(crate) meter: Meter,
    memory: Budget<u64>,
    tables: Budget<usize>,
    wasi: Option<WasiCtx>,
    folders: Vec<Folder>,
    http: Http,
    http_ctx: WasiHttpCtx,
    repeated: bool,
    /// Who knows what tokens stand for; none in a call without rights.
    outside: Option<Arc<dyn Outside>>,
    table: ResourceTable,
}

struct Budget<T> {
    used: T,
    most: T,
}

/// Why the host ended a call: travels through the engine as the trap's error.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the limit of {0} was reached")]
pub(crate) struct Ended(pub(crate) LimitName);

impl Guest {
    pub(crate) fn new(
        limits: &Limits,
        log: Log,
        granted: Option<Granted>,
        repeated: bool,
        outside: Option<Arc<dyn Outside>>,
    ) -> Self {
        let (wasi, folders, http) = match granted {
            Some(granted) => (Some(granted.wasi), granted.folders, granted.http),
            None => (None, Vec::new(), Http::none()),
        };
        let mut http_ctx = WasiHttpCtx::new();
        http_ctx.set_field_size_limit(limits::HTTP_HEADER_BYTES);
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits::HANDLES);
        Self {
            log,
            stub: stub::State::default(),
            meter: Meter::default(),
            memory: Budget { used: 0, most: limits.memory },
            tables: Budget { used: 0, most: limits::TABLE_ELEMENTS },
            wasi,
            folders,
            http,
            http_ctx,
            repeated,
            outside,
            table,
        }
    }

    /// Another function begins in the same instance, with all that a call of its own may use.
    pub(crate) fn go_on(store: &mut Store<Self>, function: &'static str, fuel: u64) -> wasmtime::Result<()> {
        store.set_fuel(fuel)?;
        store.data().meter.restart();
        store.data_mut().log.go_on(function);
        Ok(())
    }

    /// A store around it that ends when `over` says so, and after `fuel`.
    pub(crate) fn store(
        self,
        engine: &wasmtime::Engine,
        limits: &Limits,
        fuel: u64,
        over: impl Fn() -> bool + Send + Sync + 'static,
    ) -> wasmtime::Result<Store<Self>> {
        let mut store = Store::new(engine, self);
        store.limiter(|guest| guest);
        store.set_hostcall_fuel(limits.reply);
        store.set_max_component_handles(limits::HANDLES);
        store.set_fuel(fuel)?;
        store.set_epoch_deadline(1);
        // Each tick lets the executor look after others, and looks whether the time is over. What waits in the host
        // instead of running is cut by the timer around the call.
        store.epoch_deadline_callback(move |_| {
            if over() { Err(Ended(LimitName::Time).into()) } else { Ok(UpdateDeadline::Yield(1)) }
        });
        Ok(store)
    }
}

impl ResourceLimiter for Guest {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current) as u64;
        let used = self.memory.used.saturating_add(more);
        if used > self.memory.most {
            // A trap rather than a refusal: it names the limit, and the guest's own reaction would hide it.
            return Err(Ended(LimitName::Memory).into());
        }
        self.memory.used = used;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let used = self.tables.used.saturating_add(desired.saturating_sub(current));
        if used > self.tables.most {
            return Err(Ended(LimitName::Tables).into());
        }
        self.tables.used = used;
        Ok(true)
    }

    fn instances(&self) -> usize {
        limits::CORE_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        limits::TABLES as usize
    }

    fn memories(&self) -> usize {
        limits::MEMORIES as usize
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        // A pure call has none: what WASI then finds is empty.
        let ctx = self.wasi.get_or_insert_with(|| WasiCtxBuilder::new().build());
        WasiCtxView { ctx, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.http, table: &mut self.table, ctx: &mut self.http_ctx }
    }
}

impl types::Host for Guest {}

impl attempt::Host for Guest {
    fn repeated(&mut self) -> wasmtime::Result<bool> {
        Ok(self.repeated)
    }
}

impl log::Host for Guest {
    fn log(&mut self, level: log::Level, message: String, fields: Vec<log::Field>) -> wasmtime::Result<()> {
        let level = match level {
            log::Level::Debug => LogLevel::Debug,
            log::Level::Info => LogLevel::Info,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Error => LogLevel::Error,
        };
        let fields: Vec<_> = fields.into_iter().map(|f| (f.name, f.value)).collect();
        self.log.take(level, &message, &fields);
        Ok(())
    }
}

impl reveal::Host for Guest {
    async fn reveal(&mut self, token: String) -> Answer<Vec<u8>> {
        Ok(match &self.outside {
            Some(outside) => outside.reveal(&token).await.map(|secret| secret.expose().as_bytes().to_vec()),
            None => Err(crate::http::NOT_REVEALED.to_owned()),
        })
    }
}

impl files::Host for Guest {
    async fn create(&mut self, folder: String, path: String, mode: u32) -> Answer<()> {
        let folder = for_writing(&self.folders, &folder).cloned();
        waiting(move || folder?.create(&path, mode)).await
    }

    async fn mode(&mut self, folder: String, path: String) -> Answer<u32> {
        let folder = for_reading(&self.folders, &folder).cloned();
        waiting(move || folder?.mode(&path)).await
    }

    async fn set_mode(&mut self, folder: String, path: String, mode: u32) -> Answer<()> {
        let folder = for_writing(&self.folders, &folder).cloned();
        waiting(move || folder?.set_mode(&path, mode)).await
    }
}

/// What a guest is told, or why it traps.
type Answer<T> = wasmtime::Result<Result<T, String>>;

/// Off the executor's threads: a disk that does not answer holds up nobody else, and the call's clock can cut it.
async fn waiting<T: Send + 'static>(work: impl FnOnce() -> Result<T, String> + Send + 'static) -> Answer<T> {
    Ok(tokio::task::spawn_blocking(work).await?)
}
