//! When a request is sent again: busy servers as they ask for it, cut connections a few times.

use std::time::Duration;

use http::StatusCode;

/// Waiting for a busy server, summed over one request: a server that sheds load for longer is down.
const MAX_BUSY: Duration = Duration::from_secs(120);
/// The longest single wait that a server may ask for.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// Attempts after cut connections; with the waits below some two seconds, in which a load balancer finds another server.
const MAX_CUTS: u32 = 4;
/// How long a server that had answered may take no connection: a control plane that restarts is back by then.
const MAX_OUTAGE: Duration = Duration::from_secs(45);
/// Between attempts to reach a server that is away.
const OUTAGE_WAIT: Duration = Duration::from_secs(1);
const FIRST_CUT_WAIT: Duration = Duration::from_millis(100);
const FIRST_BUSY_WAIT: Duration = Duration::from_millis(250);

/// How often one request was sent in vain, and for how long it waited.
#[derive(Default)]
pub(crate) struct Retries {
    busy: u32,
    waited: Duration,
    cuts: u32,
}

impl Retries {
    /// How long to wait before asking a busy server again; none: not at all.
    pub(crate) fn after_busy(&mut self, status: StatusCode, retry_after: Option<&str>) -> Option<Duration> {
        let asked = retry_after.and_then(|text| text.trim().parse::<u64>().ok()).map(Duration::from_secs);
        let busy = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        // Any other failure may be retried only where the server says when.
        if !(busy || status.is_server_error() && asked.is_some()) {
            return None;
        }
        let own = FIRST_BUSY_WAIT * 2_u32.pow(self.busy.min(5));
        let wait = asked.unwrap_or(own).min(MAX_WAIT).max(Duration::from_millis(50));
        self.busy += 1;
        self.waited += wait;
        (self.waited <= MAX_BUSY).then_some(wait)
    }

    /// How long to wait before asking again after the connection was cut or refused; none: not at all. `outage` is for how
    /// long the server, which had answered, has taken no connection of anybody's.
    pub(crate) fn after_cut(&mut self, outage: Option<Duration>) -> Option<Duration> {
        self.cuts += 1;
        if self.cuts < MAX_CUTS {
            return Some(FIRST_CUT_WAIT * 4_u32.pow(self.cuts - 1));
        }
        outage.filter(|away| *away < MAX_OUTAGE).map(|_| OUTAGE_WAIT)
    }

    /// Seconds spent waiting for a busy server.
    pub(crate) fn waited(&self) -> Duration {
        self.waited
    }
}

/// Waits between attempts to watch again, doubling up to a limit.
pub(crate) struct Backoff {
    next: Duration,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);
    const LAST: Duration = Duration::from_secs(10);

    pub(crate) fn new() -> Self {
        Self { next: Self::FIRST }
    }

    pub(crate) fn reset(&mut self) {
        self.next = Self::FIRST;
    }

    pub(crate) fn wait(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(Self::LAST);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_server_says_when() {
        let mut retries = Retries::default();
        let busy = StatusCode::TOO_MANY_REQUESTS;
        assert_eq!(retries.after_busy(busy, Some("7")), Some(Duration::from_secs(7)));
        assert_eq!(retries.after_busy(busy, Some("0")), Some(Duration::from_millis(50)));
        assert_eq!(retries.after_busy(busy, Some("soon")), Some(Duration::from_secs(1)));
        assert_eq!(retries.after_busy(StatusCode::SERVICE_UNAVAILABLE, Some("99999")), Some(MAX_WAIT));
        assert_eq!(retries.after_busy(busy, Some("60")), None, "the sum is bounded");
    }

    #[test]
    fn other_failures_are_final_unless_the_server_says_when() {
        let mut retries = Retries::default();
        for status in [StatusCode::OK, StatusCode::CONFLICT, StatusCode::INTERNAL_SERVER_ERROR] {
            assert_eq!(retries.after_busy(status, None), None);
        }
        assert_eq!(retries.after_busy(StatusCode::CONFLICT, Some("1")), None);
        assert_eq!(
            retries.after_busy(StatusCode::INTERNAL_SERVER_ERROR, Some("1")),
            Some(Duration::from_secs(1))
        );
    }

    #[test]
    fn cuts_are_bounded_and_waits_grow() {
        let mut retries = Retries::default();
        let waits: Vec<_> = std::iter::from_fn(|| retries.after_cut(None)).collect();
        assert_eq!(waits, [100, 400, 1600].map(Duration::from_millis));
        assert_eq!(retries.after_cut(Some(Duration::from_secs(5))), Some(OUTAGE_WAIT), "it restarts");
        assert_eq!(retries.after_cut(Some(MAX_OUTAGE)), None, "it is down");
        let mut backoff = Backoff::new();
        let last = (0..20).map(|_| backoff.wait()).last();
        assert_eq!(last, Some(Backoff::LAST));
        backoff.reset();
        assert_eq!(backoff.wait(), Backoff::FIRST);
    }
}
