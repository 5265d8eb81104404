//! Lines for the operator's log, and a panic's last words.

use crate::bindings::base::sheave::plugin::log as host;

pub use host::Level;

/// Writes a line at `level`. The host limits how many lines a call may write.
pub fn line(level: Level, message: &str, fields: &[(&str, &str)]) {
    // Natively, as in tests, there is no host to write to.
    if cfg!(target_family = "wasm") {
        let fields: Vec<_> = fields
            .iter()
            .map(|(n, v)| host::Field { name: (*n).to_owned(), value: (*v).to_owned() })
            .collect();
        host::log(level, message, &fields);
    }
}

/// For the author.
pub fn debug(message: impl AsRef<str>) {
    line(Level::Debug, message.as_ref(), &[]);
}

/// Worth knowing.
pub fn info(message: impl AsRef<str>) {
    line(Level::Info, message.as_ref(), &[]);
}

/// Worth mending.
pub fn warn(message: impl AsRef<str>) {
    line(Level::Warn, message.as_ref(), &[]);
}

/// What went wrong.
pub fn error(message: impl AsRef<str>) {
    line(Level::Error, message.as_ref(), &[]);
}

/// Makes a panic say what happened before it ends in a trap, which by itself says nothing.
pub(crate) fn report_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    if cfg!(target_family = "wasm") {
        ONCE.call_once(|| {
            std::panic::set_hook(Box::new(|panic| {
                let at = panic.location().map(|l| format!("{}:{}", l.file(), l.line())).unwrap_or_default();
                let what = panic.payload_as_str().unwrap_or("no message");
                line(Level::Error, &format!("panic: {what}"), &[("at", &at)]);
            }));
        });
    }
}
