//! Looks at a component before it is compiled: whether it is one, what it imports, which interface it speaks.

use sheave_model::manifest::{MAX_MANIFEST, PluginManifest, SECTION};
use wasmparser::{Parser, Payload};

use crate::error::{CORE_MODULE, LoadError};
use crate::limits;

/// The interface's package, and the versions of it that this host speaks, newest first.
const PACKAGE: &str = "sheave:plugin";
const SPOKEN: &[&str] = &["0.1.0"];

/// The interfaces of the package that a plugin may import. `types`, `model`, ... come in as types only.
const IMPORTABLE: &[&str] =
    &["types", "log", "reveal", "files", "attempt", "model", "emit", "provide", "adopt"];

/// The packages of WASI 0.2 that a plugin may import: a stub, or where something was granted the real thing.
const WASI: &[&str] = &["cli", "clocks", "filesystem", "http", "io", "random", "sockets"];
/// The interfaces of `wasi:http` among them: plugins ask others, nobody asks them.
const HTTP: &[&str] = &["types", "outgoing-handler"];

/// What a component shows from outside.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    imports: Vec<String>,
    exports: Vec<String>,
    /// Slots that a table has from the beginning: the engine has no room for more than a limit, and says it less clearly.
    largest_table: u64,
    /// What stands in its sections for a manifest, unread.
    manifests: Vec<Vec<u8>>,
}

/// Checks everything that needs no compiler.
pub(crate) fn inspect(plugin: &str, wasm: &[u8]) -> Result<Shape, LoadError> {
    let plugin = || plugin.to_owned();
    if let Some(found) = not_a_component(wasm) {
        return Err(LoadError::NotAComponent { plugin: plugin(), found });
    }
    if wasm.len() > limits::COMPONENT_BYTES {
        return Err(LoadError::TooLarge {
            plugin: plugin(),
            what: "bytes",
            has: wasm.len() as u64,
            allowed: limits::COMPONENT_BYTES as u64,
        });
    }
    let shape = read(wasm).map_err(|e| LoadError::Invalid { plugin: plugin(), detail: e.to_string() })?;
    if shape.largest_table > limits::TABLE_ELEMENTS as u64 {
        return Err(LoadError::TooLarge {
            plugin: plugin(),
            what: "slots in a table",
            has: shape.largest_table,
            allowed: limits::TABLE_ELEMENTS as u64,
        });
    }
    shape.check_versions(&plugin())?;
    shape.check_imports(&plugin())?;
    shape.check_exports(&plugin())?;
    Ok(shape)
}

/// The top level's imports and exports: what is nested in the component is its own business.
fn read(wasm: &[u8]) -> wasmparser::Result<Shape> {
    let mut shape = Shape::default();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::TableSection(section) => {
                for table in section {
                    shape.largest_table = shape.largest_table.max(table?.ty.initial);
                }
            }
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    shape.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    shape.exports.push(export?.name.name.to_owned());
                }
            }
            // One byte more than is allowed is enough to refuse it.
            Payload::CustomSection(section) if depth == 0 && section.name() == SECTION => {
                let most = section.data().len().min(MAX_MANIFEST + 1);
                shape.manifests.push(section.data()[..most].to_vec());
            }
            _ => {}
        }
    }
    Ok(shape)
}

impl Shape {
    /// Of a component that was compiled before.
    pub(crate) fn of(component: &wasmtime::component::Component) -> Self {
        let (ty, engine) = (component.component_type(), component.engine());
        let names = |all: &mut dyn Iterator<Item = &str>| all.map(str::to_owned).collect();
        Self {
            imports: names(&mut ty.imports(engine).map(|(name, _)| name)),
            exports: names(&mut ty.exports(engine).map(|(name, _)| name)),
            largest_table: 0,
            manifests: Vec::new(),
        }
    }

    /// How many sections it has for a manifest.
    pub(crate) fn manifests(&self) -> usize {
        self.manifests.len()
    }

    /// What it imports, by name.
    pub(crate) fn imports(&self) -> &[String] {
        &self.imports
    }

    /// Its manifest; none where it has none.
    pub(crate) fn manifest(&self, plugin: &str) -> Result<Option<PluginManifest>, LoadError> {
        let bad = |why: String| LoadError::BadManifest { plugin: plugin.to_owned(), why };
        match self.manifests.as_slice() {
            [] => Ok(None),
            [one] => PluginManifest::read(one).map(Some).map_err(|e| bad(e.to_string())),
            several => Err(bad(format!("it has {} sections `{SECTION}`", several.len()))),
        }
    }

    /// Whether it imports anything behind which there is more where something was granted.
    pub(crate) fn imports_world(&self) -> bool {
        self.imports.iter().any(|name| {
            let name = Name::of(name);
            name.package.starts_with("wasi:") || name.is_ours("files")
        })
    }

    /// Whether it speaks HTTP.
    pub(crate) fn imports_http(&self) -> bool {
        self.imports.iter().any(|name| name.starts_with("wasi:http/"))
    }

    /// Whether it exports the interface `name` of a version that this host speaks.
    pub(crate) fn exports(&self, name: &str) -> bool {
        self.exports.iter().any(|e| Name::of(e).is_ours(name))
    }

    fn check_versions(&self, plugin: &str) -> Result<(), LoadError> {
        let mut has: Vec<String> = self
            .imports
            .iter()
            .chain(&self.exports)
            .map(|name| Name::of(name))
            .filter(|name| name.package == PACKAGE && !spoken(name.version))
            .map(|name| match name.version {
                "" => format!("{PACKAGE} without a version"),
                version => format!("{PACKAGE}@{version}"),
            })
            .collect();
        has.sort();
        has.dedup();
        if has.is_empty() {
            Ok(())
        } else {
            Err(LoadError::InterfaceVersion { plugin: plugin.to_owned(), has })
        }
    }

    fn check_imports(&self, plugin: &str) -> Result<(), LoadError> {
        self.imports.iter().try_for_each(|import| {
            refusal(import).map_or(Ok(()), |help| {
                Err(LoadError::ImportRefused { plugin: plugin.to_owned(), import: import.clone(), help })
            })
        })
    }

    fn check_exports(&self, plugin: &str) -> Result<(), LoadError> {
        let missing =
            |name: &str| Err(LoadError::MissingExport { plugin: plugin.to_owned(), missing: ours(name) });
        if !self.exports("model") {
            return missing("model");
        }
        if !self.exports("emit") && !self.exports("provide") {
            return missing("emit");
        }
        Ok(())
    }
}

/// The full name of an interface of ours, in the newest version.
pub(crate) fn ours(interface: &str) -> String {
    format!("{PACKAGE}/{interface}@{}", SPOKEN[0])
}

/// A change that breaks takes a new minor number while the major one is 0: 0.1.7 fits where 0.1.0 is spoken.
fn spoken(version: &str) -> bool {
    let series = |v: &str| v.rsplit_once('.').map(|(series, _)| series.to_owned());
    SPOKEN.iter().any(|ours| series(ours) == series(version))
}

/// None where the import is on the closed list; otherwise what to do about it.
fn refusal(import: &str) -> Option<String> {
    let name = Name::of(import);
    if name.package == PACKAGE && IMPORTABLE.contains(&name.interface) {
        return None;
    }
    if let Some(package) = name.package.strip_prefix("wasi:") {
        let served = package == "http" && !HTTP.contains(&name.interface);
        if WASI.contains(&package) && name.version.starts_with("0.2.") && !served {
            return None;
        }
        return Some(if served {
            "plugins send requests (`wasi:http/outgoing-handler`, with the grant `http`), and serve none"
                .to_owned()
        } else if WASI.contains(&package) {
            format!("this host has WASI 0.2, not {}: build the plugin for wasm32-wasip2", name.version)
        } else {
            format!(
                "no grant allows wasi:{package}; plugins get {} and, of WASI, {}",
                PACKAGE,
                WASI.join(", ")
            )
        });
    }
    if name.package == PACKAGE {
        return Some(format!("{PACKAGE}@{} has no such interface: a later release of Sheave may", SPOKEN[0]));
    }
    Some(format!("no grant allows it; plugins get {PACKAGE} and, of WASI 0.2, {}", WASI.join(", ")))
}

/// `package/interface@version`; what is missing is empty.
struct Name<'a> {
    package: &'a str,
    interface: &'a str,
    version: &'a str,
}

impl<'a> Name<'a> {
    fn of(text: &'a str) -> Self {
        let (path, version) = text.split_once('@').unwrap_or((text, ""));
        let (package, interface) = path.split_once('/').unwrap_or((path, ""));
        Self { package, interface, version }
    }

    fn is_ours(&self, interface: &str) -> bool {
        self.package == PACKAGE && self.interface == interface && spoken(self.version)
    }
}

/// What the bytes are, where they do not begin as a component does.
fn not_a_component(wasm: &[u8]) -> Option<&'static str> {
    if Parser::is_component(wasm) {
        return None;
    }
    Some(match wasm {
        [] => "an empty file",
        _ if Parser::is_core_wasm(wasm) => CORE_MODULE,
        [b'\0', b'a', b's', b'm', ..] => "WebAssembly of a version that this host does not know",
        [0x7f, b'E', b'L', b'F', ..] => "a native program or library, or compiled code",
        [0x1f, 0x8b, ..] => "a gzip archive",
        [b'P', b'K', ..] => "a zip archive",
        _ if wasm.trim_ascii_start().starts_with(b"(") => "WebAssembly text, which must be assembled first",
        _ if std::str::from_utf8(wasm).is_ok() => "text",
        _ => "no WebAssembly at all",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_else_it_is() {
        for (bytes, found) in [
            (&b""[..], "an empty file"),
            (b"\0asm\x01\0\0\0", "a core module"),
            (b"\x7fELF\x02", "a native program or library, or compiled code"),
            (b"  (component)", "WebAssembly text, which must be assembled first"),
            (b"blueprint: x", "text"),
            (b"\xff\xfe\0", "no WebAssembly at all"),
        ] {
            match inspect("p", bytes) {
                Err(LoadError::NotAComponent { found: is, .. }) => assert_eq!(is, found),
                other => panic!("{bytes:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn the_import_list_is_closed() {
        for allowed in [
            "sheave:plugin/log@0.1.0",
            "sheave:plugin/reveal@0.1.3",
            "sheave:plugin/files@0.1.0",
            "sheave:plugin/attempt@0.1.0",
            "wasi:io/streams@0.2.6",
            "wasi:http/outgoing-handler@0.2.0",
            "wasi:http/types@0.2.8",
        ] {
            assert_eq!(refusal(allowed), None, "{allowed}");
        }
        for refused in [
            "sheave:plugin/http@0.1.0",
            "wasi:http/incoming-handler@0.2.0",
            "wasi:http/outgoing-handler@0.3.0",
            "wasi:io/streams@0.3.0",
            "wasi:io/streams",
            "wasi:nn/graph@0.2.0",
            "acme:db/query",
            "run",
        ] {
            assert!(refusal(refused).is_some(), "{refused}");
        }
    }

    #[test]
    fn a_grant_stands_behind_wasi_and_files() {
        let importing = |name: &str| Shape { imports: vec![name.to_owned()], ..Shape::default() };
        assert!(importing("wasi:filesystem/types@0.2.0").imports_world());
        assert!(importing("sheave:plugin/files@0.1.0").imports_world());
        assert!(!importing("sheave:plugin/log@0.1.0").imports_world());
    }

    #[test]
    fn versions_of_one_series_fit() {
        assert!(spoken("0.1.0") && spoken("0.1.7"));
        assert!(!spoken("0.0.9") && !spoken("0.2.0") && !spoken("1.1.0") && !spoken(""));
    }
}
