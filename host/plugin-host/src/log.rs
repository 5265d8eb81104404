//! Takes in what a plugin logs: bounded, harmless, and handed on line by line.

use std::sync::Arc;

use crate::limits;
use crate::text;
use crate::wire::{LogLevel, LogLine, PluginDiagnostic, Severity};

/// Who gets the log lines of all plugins, while the call that logs is under way. Must not block.
pub type LogSink = Arc<dyn Fn(LogLine) + Send + Sync>;

/// The log of one call.
pub(crate) struct Log {
    plugin: Arc<str>,
    function: &'static str,
    instance: String,
    sink: Option<LogSink>,
    lines: u32,
    bytes: usize,
    full: bool,
    last_error: Option<String>,
    warnings: Vec<PluginDiagnostic>,
    /// Whether warnings are about what was asked: a later function of the same call is not asked for any.
    hears: bool,
}

impl Log {
    pub(crate) fn new(
        plugin: Arc<str>,
        function: &'static str,
        instance: &str,
        sink: Option<LogSink>,
    ) -> Self {
        let instance = instance.to_owned();
        Self {
            plugin,
            function,
            instance,
            sink,
            lines: 0,
            bytes: 0,
            full: false,
            last_error: None,
            warnings: Vec::new(),
            hears: true,
        }
    }

    /// Another function begins, in the same call.
    pub(crate) fn go_on(&mut self, function: &'static str) {
        self.function = function;
        self.hears = false;
    }

    /// The function that runs, or ran last.
    pub(crate) fn function(&self) -> &'static str {
        self.function
    }

    /// Takes a line; once the call's limits are reached a last line says so, and the rest is dropped: a chatty plugin
    /// is no reason for a deployment to fail, and fuel and clock end a flood.
    pub(crate) fn take(&mut self, level: LogLevel, message: &str, fields: &[(String, String)]) {
        if self.full {
            return;
        }
        let size = fields.iter().fold(message.len(), |sum, (name, value)| sum + name.len() + value.len());
        self.lines += 1;
        self.bytes = self.bytes.saturating_add(size);
        if self.lines > limits::LOG_LINES || self.bytes > limits::LOG_BYTES {
            self.full = true;
            let message = format!(
                "the rest of this call's log is dropped: {} lines and {} KiB are allowed",
                limits::LOG_LINES,
                limits::LOG_BYTES >> 10
            );
            self.hand_on(LogLevel::Warn, message, Vec::new(), Some("plugin.limit.log"));
            return;
        }
        let message = text::line(text::cut(message, limits::LOG_LINE_BYTES)).into_owned();
        let fields: Vec<(String, String)> = fields
            .iter()
            .map(|(name, value)| (text::line(name).into_owned(), text::line(value).into_owned()))
            .collect();
        if level == LogLevel::Error {
            self.last_error = Some(message.clone());
        }
        if level == LogLevel::Warn && self.hears {
            self.warnings.extend(warning(&message, &fields));
        }
        self.hand_on(level, message, fields, None);
    }

    /// The warnings among the lines: those that carry a code.
    pub(crate) fn warnings(&mut self) -> Vec<PluginDiagnostic> {
        std::mem::take(&mut self.warnings)
    }

    /// The last line logged as an error.
    pub(crate) fn last_words(&mut self) -> Option<String> {
        self.last_error.take()
    }

    fn hand_on(
        &self,
        level: LogLevel,
        message: String,
        fields: Vec<(String, String)>,
        code: Option<&'static str>,
    ) {
        let (plugin, function, instance) = (&*self.plugin, self.function, self.instance.as_str());
        match level {
            LogLevel::Error => {
                tracing::error!(target: "plugin", plugin, function, instance, code, ?fields, "{message}");
            }
            LogLevel::Warn => {
                tracing::warn!(target: "plugin", plugin, function, instance, code, ?fields, "{message}");
            }
            LogLevel::Info => {
                tracing::info!(target: "plugin", plugin, function, instance, code, ?fields, "{message}");
            }
            LogLevel::Debug => {
                tracing::debug!(target: "plugin", plugin, function, instance, code, ?fields, "{message}");
            }
        }
        if let Some(sink) = &self.sink {
            let (plugin, instance) = (plugin.to_owned(), instance.to_owned());
            sink(LogLine { plugin, function, instance, level, message, fields, code });
        }
    }
}

/// A line that is a warning about the properties: it has a `code`, and may have a `detail` and a `pointer`.
fn warning(message: &str, fields: &[(String, String)]) -> Option<PluginDiagnostic> {
    let of = |name: &str| fields.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.clone());
    Some(PluginDiagnostic {
        severity: Severity::Warning,
        code: of("code")?,
        summary: message.to_owned(),
        detail: of("detail").unwrap_or_default(),
        pointer: of("pointer"),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn collected(fill: impl Fn(&mut Log)) -> Vec<LogLine> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = lines.clone();
        let mut log = Log::new(
            "p".into(),
            "render",
            "web",
            Some(Arc::new(move |line| sink.lock().unwrap().push(line))),
        );
        fill(&mut log);
        drop(log);
        Arc::try_unwrap(lines).unwrap().into_inner().unwrap()
    }

    #[test]
    fn the_limit_of_lines_is_said_once() {
        let lines = collected(|log| (0..5_000).for_each(|_| log.take(LogLevel::Info, "x", &[])));
        assert_eq!(lines.len(), limits::LOG_LINES as usize + 1);
        assert_eq!(lines.last().unwrap().code, Some("plugin.limit.log"));
        assert!(lines[..1000].iter().all(|l| l.code.is_none()));
    }

    #[test]
    fn bytes_are_counted_with_fields_and_lines_are_cut() {
        let lines = collected(|log| {
            let fields = [("k".to_owned(), "v".repeat(100 << 10))];
            (0..20).for_each(|_| log.take(LogLevel::Info, &"m".repeat(20 << 10), &fields));
        });
        assert_eq!(lines.len(), 8 + 1);
        assert_eq!(lines[0].message.len(), limits::LOG_LINE_BYTES);
    }

    #[test]
    fn as_much_as_may_be_and_one_more() {
        let full = |lines: &[LogLine]| lines.last().is_some_and(|l| l.code == Some("plugin.limit.log"));
        let lines = |n| collected(|log| (0..n).for_each(|_| log.take(LogLevel::Info, "x", &[])));
        let all = lines(limits::LOG_LINES);
        assert!(all.len() == limits::LOG_LINES as usize && !full(&all));
        let more = lines(limits::LOG_LINES + 1);
        assert!(more.len() == limits::LOG_LINES as usize + 1 && full(&more));
        let bytes = |n: usize| {
            let fields = [("k".to_owned(), "v".repeat(n - 2))];
            collected(|log| log.take(LogLevel::Info, "m", &fields))
        };
        assert!(!full(&bytes(limits::LOG_BYTES)));
        assert!(full(&bytes(limits::LOG_BYTES + 1)));
        let one = |n| collected(|log| log.take(LogLevel::Info, &"m".repeat(n), &[])).remove(0).message.len();
        assert_eq!(one(limits::LOG_LINE_BYTES), limits::LOG_LINE_BYTES);
        assert_eq!(one(limits::LOG_LINE_BYTES + 1), limits::LOG_LINE_BYTES, "cut");
    }

    #[test]
    fn the_last_error_is_kept() {
        let mut log = Log::new("p".into(), "render", "", None);
        log.take(LogLevel::Error, "panicked at\nsrc/lib.rs", &[]);
        log.take(LogLevel::Info, "bye", &[]);
        assert_eq!(log.last_words().as_deref(), Some("panicked at␊src/lib.rs"));
    }
}
