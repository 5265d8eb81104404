//! What each type does.

use serde_json::{Value, json};

use crate::exports::sheave::plugin::provide::{Pending, Step, Tainted};
use crate::files::wasi::filesystem::preopens::get_directories;
use crate::files::wasi::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};
use crate::naps::wasi::cli::environment::{get_arguments, get_environment};
use crate::naps::wasi::clocks::monotonic_clock::{now, subscribe_duration};
use crate::naps::wasi::random::random::{get_random_bytes, get_random_u64};
use crate::sheave::plugin::files;
use crate::sheave::plugin::reveal::reveal;
use crate::sheave::plugin::types::{Failure, RetryHint};
use crate::{Done, diagnostic, other, snapshot};

/// It ends well, with these outputs.
pub(crate) fn done(outputs: &Value) -> Done {
    Ok(Step::Done(Some(snapshot(outputs))))
}

/// What it sees of the machine: the names of folders, the environment, the arguments.
pub(crate) fn seen() -> Value {
    let folders: Vec<String> = get_directories().into_iter().map(|(_, name)| name).collect();
    let env: serde_json::Map<_, _> = get_environment().into_iter().map(|(n, v)| (n, v.into())).collect();
    json!({"folders": folders, "env": env, "args": get_arguments()})
}

pub(crate) fn note(props: &Value, _: Option<Vec<u8>>) -> Done {
    let text = |key: &str| props[key].as_str().unwrap_or_default();
    let (dir, _) = get_directories()
        .into_iter()
        .next()
        .ok_or_else(|| Failure::Denied(diagnostic("vandal.no-folder", "no folder was granted")))?;
    write(&dir, text("path"), text("text")).map_err(|e| other("vandal.write", e.name()))?;
    let back = read(&dir, text("path")).map_err(|e| other("vandal.read", e.name()))?;
    done(&json!({"text": back}))
}

/// Every way out that it knows, each with what came of it.
pub(crate) fn escape(props: &Value, _: Option<Vec<u8>>) -> Done {
    let (dir, _) =
        get_directories().into_iter().next().ok_or_else(|| other("vandal.no-folder", "no folder"))?;
    let mut tried = serde_json::Map::new();
    for path in props["paths"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let said = |result: Result<String, ErrorCode>| match result {
            Ok(text) => format!("read: {text}"),
            Err(e) => format!("refused: {}", e.name()),
        };
        let wrote = |result: Result<(), ErrorCode>| match result {
            Ok(()) => "written".to_owned(),
            Err(e) => format!("refused: {}", e.name()),
        };
        tried.insert(format!("read {path}"), said(read(&dir, path)).into());
        tried.insert(format!("write {path}"), wrote(write(&dir, path, "vandal was here")).into());
        tried.insert(format!("unlink {path}"), wrote(dir.unlink_file_at(path)).into());
        tried.insert(format!("rename to {path}"), wrote(dir.rename_at("inside", &dir, path)).into());
    }
    done(&Value::Object(tried))
}

/// Tries to make each of `paths` in `folder`, to see its mode and to set it to `mode`; says what came of it.
pub(crate) fn tried(props: &Value) -> Value {
    let folder = props["folder"].as_str().unwrap_or_default();
    let mode = props["mode"].as_u64().and_then(|mode| u32::try_from(mode).ok()).unwrap_or(0o777);
    let done =
        |result: Result<(), String>| result.map_or_else(|why| format!("refused: {why}"), |()| "done".into());
    let mut tried = serde_json::Map::new();
    for path in props["paths"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let seen =
            files::mode(folder, path).map_or_else(|why| format!("refused: {why}"), |m| format!("{m:o}"));
        tried.insert(format!("mode {path}"), seen.into());
        tried.insert(format!("set {path}"), done(files::set_mode(folder, path, mode)).into());
        tried.insert(format!("create {path}"), done(files::create(folder, path, mode)).into());
    }
    Value::Object(tried)
}

pub(crate) fn modes(props: &Value, _: Option<Vec<u8>>) -> Done {
    done(&tried(props))
}

pub(crate) fn look(_: &Value, _: Option<Vec<u8>>) -> Done {
    done(&seen())
}

pub(crate) fn peek(props: &Value, _: Option<Vec<u8>>) -> Done {
    let token = props["value"].as_str().unwrap_or_default();
    done(&match reveal(token) {
        Ok(seen) => json!({"seen": String::from_utf8_lossy(&seen), "token": token}),
        Err(why) => json!({"refused": why, "token": token}),
    })
}

pub(crate) fn coin(_: &Value, _: Option<Vec<u8>>) -> Done {
    done(&json!({"coin": "heads and tails"}))
}

pub(crate) fn dice(_: &Value, _: Option<Vec<u8>>) -> Done {
    done(&json!({"clock": [now(), now()], "bytes": get_random_bytes(8), "number": get_random_u64()}))
}

pub(crate) fn sleep(_: &Value, _: Option<Vec<u8>>) -> Done {
    let hour = 3_600_000_000_000;
    subscribe_duration(hour).block();
    done(&json!({"slept": true}))
}

pub(crate) fn spin(_: &Value, _: Option<Vec<u8>>) -> Done {
    let mut n = 0_u64;
    loop {
        n = std::hint::black_box(n.wrapping_add(1));
    }
}

pub(crate) fn half(props: &Value, resume: Option<Vec<u8>>) -> Done {
    let after_ms = props["pause"].as_u64().and_then(|ms| ms.try_into().ok()).unwrap_or(10);
    let so_far = resume.map_or(0, |r| r.len());
    if so_far == 2 {
        return done(&json!({"steps": 3}));
    }
    let percent = u8::try_from((so_far + 1) * 33).ok();
    let message = format!("step {} of 3", so_far + 1);
    Ok(Step::Pending(Pending { resume: vec![1; so_far + 1], after_ms, message, percent }))
}

pub(crate) fn ruin(_: &Value, _: Option<Vec<u8>>) -> Done {
    let why = vec![diagnostic("vandal.ruin", "the second half would not fit")];
    Ok(Step::Partial(Tainted { left: snapshot(&json!({"half": true})), why }))
}

pub(crate) fn liar(_: &Value, _: Option<Vec<u8>>) -> Done {
    Ok(Step::Done(None))
}

pub(crate) fn busy(_: &Value, _: Option<Vec<u8>>) -> Done {
    Err(Failure::Retry(RetryHint { after_ms: 50, why: diagnostic("vandal.busy", "come back later") }))
}

fn write(dir: &Descriptor, path: &str, text: &str) -> Result<(), ErrorCode> {
    let how = OpenFlags::CREATE | OpenFlags::TRUNCATE;
    let file = dir.open_at(PathFlags::SYMLINK_FOLLOW, path, how, DescriptorFlags::WRITE)?;
    let mut rest = text.as_bytes();
    let mut at = 0;
    while !rest.is_empty() {
        let written = file.write(rest, at)?;
        at += written;
        rest = &rest[usize::try_from(written).unwrap_or(rest.len())..];
    }
    file.sync()
}

fn read(dir: &Descriptor, path: &str) -> Result<String, ErrorCode> {
    let file = dir.open_at(PathFlags::SYMLINK_FOLLOW, path, OpenFlags::empty(), DescriptorFlags::READ)?;
    let mut all = Vec::new();
    loop {
        let (bytes, end) = file.read(64 << 10, all.len() as u64)?;
        if bytes.is_empty() && !end {
            return Err(ErrorCode::Io);
        }
        all.extend(bytes);
        if end {
            return Ok(String::from_utf8_lossy(&all).into_owned());
        }
    }
}
