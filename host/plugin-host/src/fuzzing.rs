//! Ways in for fuzzers, to what stands between strangers' bytes and the host: only with the feature `fuzzing`.

use crate::reply::Reply;
use crate::wire::{Doc, Emitted, Lookup, Observation, Planned, Snapshot};

/// Looks at a component, its manifest included, as loading does before it compiles.
pub fn component(wasm: &[u8]) {
    let _ = crate::PluginHost::inspect("fuzzed", wasm);
}

/// A reply that can be checked.
pub trait Fuzzed {
    /// Checks it as a call does.
    fn check(&self);
}

macro_rules! fuzzed {
    ($($of:ty),*) => {$(
        impl Fuzzed for $of {
            fn check(&self) {
                let _ = Reply::check(self);
            }
        }
    )*};
}

fuzzed!(Doc, String, Vec<Emitted>, Vec<Lookup>, Observation, Snapshot, Planned);

/// Checks a reply as a call does.
pub fn reply(of: &impl Fuzzed) {
    of.check();
}
