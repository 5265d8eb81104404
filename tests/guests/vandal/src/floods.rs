//! Taking more of the host than anybody needs.

use serde_json::{Value, json};

use crate::Done;
use crate::deeds::done;
use crate::files::wasi::filesystem::preopens::get_directories;
use crate::files::wasi::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};
use crate::naps::wasi::clocks::monotonic_clock::subscribe_duration;
use crate::naps::wasi::random::random::get_random_bytes;
use crate::other;

/// More than the host gives out.
const MANY: usize = 50_000;

/// Things to wait for, all alive at once: as many as `many` says.
pub(crate) fn crowd(props: &Value, _: Option<Vec<u8>>) -> Done {
    let many = props["many"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(MANY);
    let all: Vec<_> = (0..many).map(|_| subscribe_duration(1)).collect();
    done(&json!({"alive": all.len()}))
}

/// One file, open many times at once.
pub(crate) fn hoard(_: &Value, _: Option<Vec<u8>>) -> Done {
    let (dir, _) =
        get_directories().into_iter().next().ok_or_else(|| other("vandal.no-folder", "no folder"))?;
    let open = || dir.open_at(PathFlags::empty(), "hoard", OpenFlags::CREATE, DescriptorFlags::READ);
    let mut all = Vec::new();
    for _ in 0..MANY {
        all.push(open().map_err(|e| other("vandal.hoard", e.name()))?);
    }
    done(&json!({"open": all.len()}))
}

/// As many random bytes as `bytes` says.
pub(crate) fn gamble(props: &Value, _: Option<Vec<u8>>) -> Done {
    let bytes = props["bytes"].as_u64().unwrap_or(u64::MAX);
    done(&json!({"won": get_random_bytes(bytes).len()}))
}
