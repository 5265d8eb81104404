//! Saved plans: written whole or not at all, readable by their owner only, and read with suspicion.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use serde::Deserialize;
use sheave_model::Diagnostic;
use sheave_model::plan::{PLAN_FORMAT, Plan};

use crate::render::outside;

/// Bytes of a saved plan: as many resources as a stack may have, at 20 KiB each. What is longer is no plan.
const MAX_BYTES: u64 = 1 << 30;

/// Writes `plan` beside its place (mode 0600) and moves it there.
pub(crate) fn write(plan: &Plan, path: &Path) -> Result<(), Box<Diagnostic>> {
    let save = || -> io::Result<()> {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().prefix(".sheave-plan").tempfile_in(folder)?;
        let mut writer = io::BufWriter::new(file.as_file_mut());
        serde_json::to_writer(&mut writer, plan)?;
        writer.write_all(b"\n")?;
        writer.flush()?;
        drop(writer);
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    save().map_err(|fault| {
        Diagnostic::error("cli.plan-unwritable", format!("the plan could not be saved as {}", shown(path)))
            .with_detail(fault.to_string())
            .into()
    })
}

/// Reads a saved plan.
pub(crate) fn read(path: &Path) -> Result<Plan, Box<Diagnostic>> {
    let unreadable = |why: String| {
        Diagnostic::error("cli.plan-unreadable", format!("{} cannot be read as a saved plan", shown(path)))
            .with_detail(why)
            .with_help("a saved plan is made by `sheave plan --out FILE`")
    };
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut text));
    let bytes = read.map_err(|fault| unreadable(fault.to_string()))?;
    if bytes as u64 > MAX_BYTES {
        return Err(unreadable("it is longer than any plan".to_owned()).into());
    }
    let head: Head = serde_json::from_slice(&text).map_err(|fault| unreadable(place(&fault)))?;
    if head.format != u64::from(PLAN_FORMAT) {
        let summary = format!("{} has format {}, this program reads {PLAN_FORMAT}", shown(path), head.format);
        return Err(Diagnostic::error("cli.plan-format", summary)
            .with_help("plan again with this version; a saved plan is for the version that made it")
            .into());
    }
    serde_json::from_slice(&text).map_err(|fault| unreadable(place(&fault)).into())
}

/// Enough of a plan to see whether the rest can be understood.
#[derive(Deserialize)]
struct Head {
    format: u64,
}

/// Where reading stopped and why. The reader's own words can quote the file, which nobody has looked at.
fn place(fault: &serde_json::Error) -> String {
    outside::line(&fault.to_string()).into_owned()
}

fn shown(path: &Path) -> String {
    outside::line(&path.display().to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use serde_json::json;

    use super::*;

    fn plan() -> Plan {
        serde_json::from_value(json!({
            "format": PLAN_FORMAT, "stack": "blog", "serial": 7, "purpose": "apply", "blueprint": null, "inputs": {},
            "resources": [{"address": "web", "type": "kubernetes:App", "role": "emits", "action": "update",
                "plugin": {"name": "kubernetes", "source": "builtin", "digest": "00"},
                "objects": [{"slot": "web", "target": "main", "action": "update",
                    "object": {"apiVersion": "v1", "kind": "Service", "name": "web"},
                    "changes": [{"pointer": "/a", "before": "absent", "after": {"value": 1}},
                                {"pointer": "/b", "before": "secret", "after": "unknown"}]}]}],
            "outputs": {}, "passwords": {}, "failed": {},
        }))
        .unwrap()
    }

    #[test]
    fn what_is_written_is_read_and_only_the_owner_may() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        write(&plan(), &path).unwrap();
        write(&plan(), &path).unwrap();
        assert_eq!(read(&path).unwrap(), plan());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_is_no_plan_is_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut said = vec![read(&path).unwrap_err(), read(folder.path()).unwrap_err()];
        let mut newer = serde_json::to_value(plan()).unwrap();
        newer["format"] = json!(PLAN_FORMAT + 1);
        let mut short = serde_json::to_value(plan()).unwrap();
        short.as_object_mut().unwrap().remove("serial");
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for text in ["", "kind: yaml", "{}", &newer.to_string(), &short.to_string(), &deep] {
            std::fs::write(&path, text).unwrap();
            said.push(read(&path).unwrap_err());
        }
        let codes: Vec<_> = said.iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes.iter().filter(|c| **c == "cli.plan-format").count(), 1);
        assert_eq!(codes.iter().filter(|c| **c == "cli.plan-unreadable").count(), codes.len() - 1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_explained() {
        let fault = write(&plan(), Path::new("/no/such/folder/plan.json")).unwrap_err();
        assert_eq!(fault.code, "cli.plan-unwritable");
    }
}
