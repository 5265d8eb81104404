//! Tells from the engine's error whose fault it is.

use wasmtime::component::ResourceTableError;
use wasmtime::{Trap, WasmBacktrace};

use crate::error::{CallError, HostError, LimitName};
use crate::guest::Ended;
use crate::limits::Limits;
use crate::text;

/// Frames of a backtrace that people are shown: the innermost tell most.
const FRAMES: usize = 20;
/// Characters of one frame's name: generic Rust functions have names of thousands.
const FRAME_NAME: usize = 200;

/// About the call that went wrong.
pub(crate) struct Context<'a> {
    pub(crate) plugin: &'a str,
    pub(crate) function: &'static str,
    pub(crate) limits: &'a Limits,
    /// The time that the call was given.
    pub(crate) time: std::time::Duration,
    pub(crate) last_words: Option<String>,
}

impl Context<'_> {
    /// What the engine's error means.
    pub(crate) fn explain(self, error: &wasmtime::Error) -> CallError {
        if let Some(Ended(limit)) = error.downcast_ref::<Ended>() {
            return self.limit(*limit, backtrace(error));
        }
        if error.is::<wasmtime::PoolConcurrencyLimitError>() {
            return HostError::Engine(format!("{error:#}")).into();
        }
        if matches!(error.downcast_ref(), Some(ResourceTableError::Full)) {
            return self.limit(LimitName::Handles, backtrace(error));
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => self.limit(LimitName::Fuel, backtrace(error)),
            Some(Trap::Interrupt) => self.limit(LimitName::Time, backtrace(error)),
            Some(trap) => self.trap(trap.to_string(), backtrace(error)),
            // The engine's own types for these are not public.
            None if says(error, "fuel allocated for hostcalls has been exhausted") => {
                self.limit(LimitName::Reply, backtrace(error))
            }
            None if says(error, "store handle limit exceeded") || says(error, "no free keys") => {
                self.limit(LimitName::Handles, backtrace(error))
            }
            None if error.is::<WasmBacktrace>() => {
                self.trap(error.root_cause().to_string(), backtrace(error))
            }
            // The guest had returned: what it left behind cannot be read.
            None => self.bad_reply(&error.root_cause().to_string()),
        }
    }

    /// A limit that the host found exceeded.
    pub(crate) fn limit(self, limit: LimitName, backtrace: String) -> CallError {
        let allowed = match limit {
            LimitName::Memory => format!("{} MiB", self.limits.memory >> 20),
            LimitName::Tables => crate::limits::TABLE_ELEMENTS.to_string(),
            LimitName::Fuel => format!("{} million units", self.limits.fuel / 1_000_000),
            LimitName::Time => format!("{} ms", self.time.as_millis()),
            LimitName::Reply => format!("{} MiB", self.limits.reply >> 20),
            LimitName::Depth => format!("{} levels", crate::limits::JSON_DEPTH),
            LimitName::Objects => sheave_model::limits::MAX_OBJECTS_PER_RENDER.to_string(),
            LimitName::Lookups => crate::limits::LOOKUPS.to_string(),
            LimitName::Types => crate::limits::TYPES.to_string(),
            LimitName::Handles => crate::limits::HANDLES.to_string(),
        };
        CallError::Limit {
            plugin: self.plugin.to_owned(),
            function: self.function,
            limit,
            allowed,
            backtrace,
        }
    }

    /// A reply that breaks the rules.
    pub(crate) fn bad_reply(self, what: &str) -> CallError {
        CallError::BadReply {
            plugin: self.plugin.to_owned(),
            function: self.function,
            what: text::line(text::cut(what, 1_000)).into_owned(),
        }
    }

    fn trap(self, message: String, backtrace: String) -> CallError {
        // "wasm trap: " is the engine's word for what the error's code says already.
        let message = message.strip_prefix("wasm trap: ").map_or(message.clone(), str::to_owned);
        CallError::Trap {
            plugin: self.plugin.to_owned(),
            function: self.function,
            message: text::line(&message).into_owned(),
            backtrace,
            last_words: self.last_words,
        }
    }
}

fn says(error: &wasmtime::Error, words: &str) -> bool {
    error.root_cause().to_string().contains(words)
}

/// The guest's functions from the innermost, one a line.
fn backtrace(error: &wasmtime::Error) -> String {
    let Some(trace) = error.downcast_ref::<WasmBacktrace>() else { return String::new() };
    // The engine's rendering demangles names; of `  0:   0x1f2 - module!name` only the name is of use.
    let rendered = trace.to_string();
    let names = rendered.lines().filter_map(|line| {
        let (number, rest) = line.split_once(": ")?;
        number.trim().parse::<usize>().ok()?;
        let name = rest.split_once('!').map_or(rest, |(_, name)| name);
        Some(text::line(text::cut(&without_hashes(name.trim()), FRAME_NAME)).into_owned())
    });
    names.take(FRAMES).enumerate().map(|(i, name)| format!("{i}: {name}")).collect::<Vec<_>>().join("\n")
}

/// `std[41f8972060b3e7b9]::fmt` as `std::fmt`: which build of a crate it was tells people nothing.
fn without_hashes(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before);
        match after.split_once(']') {
            Some((hash, after))
                if (8..=16).contains(&hash.len()) && hash.bytes().all(|b| b.is_ascii_hexdigit()) =>
            {
                rest = after
            }
            _ => {
                out.push('[');
                rest = after;
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_of_crates_are_left_out() {
        assert_eq!(
            without_hashes("std[41f8972060b3e7b9]::f::<core[d1c63229f60ee951]::X>"),
            "std::f::<core::X>"
        );
        for as_it_is in ["a::b", "<[u8]>::len", "x[", "[0123456789abcdeg]", "dlmalloc[1]"] {
            assert_eq!(without_hashes(as_it_is), as_it_is);
        }
    }
}
