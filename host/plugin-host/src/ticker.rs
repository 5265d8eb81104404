//! The clock that interrupts guests: a thread that ticks while calls are under way, and sleeps when there were none for a while.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use wasmtime::Engine;

use crate::error::HostError;
use crate::limits::TICK;

/// Ticks without a call before the clock sleeps: 100 ms. Calls come one after the other, and to wake the clock for each would cost
/// as much as a small one of them.
const IDLE_TICKS: u32 = 10;

#[derive(Default)]
struct State {
    running: u64,
    closed: bool,
    started: bool,
    asleep: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ticks an engine's epoch. The thread starts with the first call and ends with the ticker.
#[derive(Default)]
pub(crate) struct Ticker(Arc<Shared>);

/// While it lives, the clock ticks.
pub(crate) struct Running(Arc<Shared>);

impl Ticker {
    pub(crate) fn run(&self, engine: &Engine) -> Result<Running, HostError> {
        let mut state = self.0.lock();
        if !state.started {
            let shared = self.0.clone();
            let engine = engine.clone();
            std::thread::Builder::new()
                .name("plugin-clock".to_owned())
                .spawn(move || tick(&shared, &engine))
                .map_err(|e| HostError::Engine(format!("cannot start the plugins' clock: {e}")))?;
            state.started = true;
        }
        state.running += 1;
        if state.asleep {
            state.asleep = false;
            self.0.changed.notify_all();
        }
        drop(state);
        Ok(Running(self.0.clone()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
    }
}

fn tick(shared: &Shared, engine: &Engine) {
    let mut idle = 0;
    let mut state = shared.lock();
    while !state.closed {
        if idle >= IDLE_TICKS {
            idle = 0;
            state.asleep = true;
            let awake = shared.changed.wait_while(state, |state| state.asleep && !state.closed);
            state = awake.unwrap_or_else(PoisonError::into_inner);
        } else {
            idle = if state.running == 0 { idle + 1 } else { 0 };
            drop(state);
            std::thread::sleep(TICK);
            engine.increment_epoch();
            state = shared.lock();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_fell_asleep_is_woken() {
        let ticker = Ticker::default();
        let engine = Engine::default();
        let until = |what: &dyn Fn() -> bool| {
            let since = std::time::Instant::now();
            while !what() {
                assert!(since.elapsed().as_secs() < 10, "that does not come");
                std::thread::yield_now();
            }
        };
        drop(ticker.run(&engine).unwrap());
        until(&|| ticker.0.lock().asleep);
        let running = ticker.run(&engine).unwrap();
        assert!(!ticker.0.lock().asleep);
        drop(running);
        until(&|| ticker.0.lock().asleep);
    }

    #[test]
    fn the_thread_ends_with_its_ticker() {
        let ticker = Ticker::default();
        let engine = Engine::default();
        let shared = Arc::downgrade(&ticker.0);
        drop(ticker.run(&engine).unwrap());
        drop(ticker.run(&engine).unwrap());
        drop(ticker);
        let since = std::time::Instant::now();
        while shared.strong_count() > 0 {
            assert!(since.elapsed().as_secs() < 10, "the thread is still there");
            std::thread::yield_now();
        }
    }
}
