//! Measures how long a guest really ran: on a busy machine the clock on the wall says little about the guest.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The processor time that one call used so far, on whichever threads it ran.
#[derive(Clone, Default)]
pub(crate) struct Meter(Arc<Times>);

#[derive(Default)]
struct Times {
    /// Of the polls that are over.
    before: AtomicU64,
    /// The thread's time when the present poll began.
    began: AtomicU64,
}

impl Meter {
    /// Asked by the guest while it runs: what it used.
    pub(crate) fn used(&self) -> Duration {
        let began = self.0.began.load(Ordering::Relaxed);
        let now = thread_nanos().saturating_sub(began);
        Duration::from_nanos(self.0.before.load(Ordering::Relaxed).saturating_add(now))
    }

    /// Begins anew, in the middle of a poll: what follows is counted as a call of its own.
    pub(crate) fn restart(&self) {
        self.0.before.store(0, Ordering::Relaxed);
        self.0.began.store(thread_nanos(), Ordering::Relaxed);
    }

    /// The same future, measured.
    pub(crate) fn measure<F: Future>(&self, future: F) -> Measured<F> {
        Measured { meter: self.clone(), future: Box::pin(future) }
    }
}

pub(crate) struct Measured<F> {
    meter: Meter,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Measured<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let times = self.meter.0.clone();
        times.began.store(thread_nanos(), Ordering::Relaxed);
        let result = self.future.as_mut().poll(cx);
        let began = times.began.load(Ordering::Relaxed);
        times.before.fetch_add(thread_nanos().saturating_sub(began), Ordering::Relaxed);
        result
    }
}

/// Processor time of this thread.
fn thread_nanos() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiting_is_not_counted_and_running_is() {
        let meter = Meter::default();
        let ran = meter.clone();
        meter
            .measure(async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                assert!(ran.used() < Duration::from_millis(40), "{:?}", ran.used());
                while ran.used() < Duration::from_millis(20) {
                    std::hint::black_box(0);
                }
                tokio::task::yield_now().await;
                assert!(ran.used() >= Duration::from_millis(20));
            })
            .await;
    }
}
