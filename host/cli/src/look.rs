//! What the terminal can show, and what the user wants of it.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, IsTerminal};

use anstyle::{AnsiColor, Style};

/// How output may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// On standard output.
    pub(crate) out: Paint,
    /// On standard error.
    pub(crate) err: Paint,
    /// Whether lines may be drawn over: progress bars.
    pub(crate) bars: bool,
}

impl Look {
    /// What this process's terminal offers.
    pub(crate) fn of_process(no_color: bool) -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty());
        let dumb = set("TERM").is_some_and(|t| t == OsStr::new("dumb"));
        let plain = no_color || dumb || set("NO_COLOR").is_some();
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        Self { out: Paint(out && !plain), err: Paint(err && !plain), bars: out && err && !dumb }
    }
}

/// Colours, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint(pub(crate) bool);

impl Paint {
    fn with<T: fmt::Display>(self, style: Style, what: T) -> Painted<T> {
        Painted { style: if self.0 { style } else { Style::new() }, what }
    }
    /// What comes, and what is well.
    pub(crate) fn green<T: fmt::Display>(self, what: T) -> Painted<T> {
        self.with(AnsiColor::Green.on_default(), what)
    }
    /// What goes, and what is wrong.
    pub(crate) fn red<T: fmt::Display>(self, what: T) -> Painted<T> {
        self.with(AnsiColor::Red.on_default(), what)
    }
    /// What changes, and what to beware of.
    pub(crate) fn yellow<T: fmt::Display>(self, what: T) -> Painted<T> {
        self.with(AnsiColor::Yellow.on_default(), what)
    }
    /// What is only a hole: a value not known, or not to be seen.
    pub(crate) fn cyan<T: fmt::Display>(self, what: T) -> Painted<T> {
        self.with(AnsiColor::Cyan.on_default(), what)
    }
    /// What matters most on its line.
    pub(crate) fn bold<T: fmt::Display>(self, what: T) -> Painted<T> {
        self.with(Style::new().bold(), what)
    }
    /// What matters least.
    pub(crate) fn dim<T: fmt::Display>(self, what: T) -> Painted<T> {
        self.with(Style::new().dimmed(), what)
    }
}

/// A text in its colour.
pub(crate) struct Painted<T> {
    style: Style,
    what: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.style.render(), self.what, self.style.render_reset())
    }
}
