//! Where text leaves the program: standard output and standard error, whoever may have stopped reading them.

use std::io::{self, Write};

/// Standard output. A reader that went away is no fault: the work goes on, unheard. Any other fault is kept for the end.
pub(crate) struct Out {
    to: Box<dyn Write>,
    /// What is not written yet; none: all is written at once.
    held: Option<String>,
    closed: bool,
    fault: Option<io::Error>,
}

impl Out {
    /// This process's standard output.
    pub(crate) fn of_process() -> Self {
        Self::to(io::stdout())
    }

    /// Any other place.
    pub(crate) fn to(to: impl Write + 'static) -> Self {
        Self { to: Box::new(to), held: None, closed: false, fault: None }
    }

    /// Keeps what is written from here on until [`Self::release`]: many lines at once cost as much as one.
    pub(crate) fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    /// Writes what was held.
    pub(crate) fn release(&mut self) {
        if let Some(held) = self.held.take() {
            self.text(&held);
        }
    }

    /// Writes `text` as it is, and sends it on its way.
    pub(crate) fn text(&mut self, text: &str) {
        if let Some(held) = &mut self.held {
            return held.push_str(text);
        }
        if self.closed || text.is_empty() {
            return;
        }
        if let Err(fault) = self.to.write_all(text.as_bytes()).and_then(|()| self.to.flush()) {
            self.closed = true;
            if fault.kind() != io::ErrorKind::BrokenPipe {
                self.fault = Some(fault);
            }
        }
    }

    /// Writes `text` and a line's end.
    pub(crate) fn line(&mut self, text: &str) {
        self.text(&format!("{text}\n"));
    }

    /// What kept the output from being written, other than a reader that went away.
    pub(crate) fn fault(self) -> Option<io::Error> {
        self.fault
    }
}

/// Writes to standard error. There is nobody to tell when that fails.
pub(crate) fn err(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn only_a_reader_that_went_away_is_no_fault() {
        for (kind, is_fault) in [(io::ErrorKind::BrokenPipe, false), (io::ErrorKind::StorageFull, true)] {
            let mut out = Out::to(Broken(kind));
            out.line("a");
            out.line("b");
            assert_eq!(out.fault().is_some(), is_fault, "{kind}");
        }
    }
}
