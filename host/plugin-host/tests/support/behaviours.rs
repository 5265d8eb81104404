//! Guests with one way to misbehave each: those of `tests/guests/behaviours`, and components that are made up here.

use std::fmt::Write as _;

use super::{built, component, of_module, root};

/// A guest, the function of it to call, and what must come of that.
pub(crate) struct Behaviour {
    pub(crate) name: String,
    pub(crate) wasm: Vec<u8>,
    pub(crate) call: String,
    /// Codes, of which one must come; `ok` is that of a call that succeeds.
    pub(crate) expected: Vec<String>,
    /// What the host's words must contain.
    pub(crate) says: Option<String>,
}

/// What each function of the world `emitter` looks like to a core module.
const FUNCTIONS: &[(&str, &str, &str)] = &[
    ("describe", "model", "(result i32)"),
    ("settings-schema", "model", "(result i32)"),
    ("schema", "model", "(param i32 i32) (result i32)"),
    ("check", "model", "(param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)"),
    (
        "upgrade",
        "model",
        "(param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)",
    ),
    ("needs", "emit", "(param i32) (result i32)"),
    ("render", "emit", "(param i32) (result i32)"),
    ("observe", "emit", "(param i32) (result i32)"),
];

/// Hands out memory from 96 KiB on, and takes more where that ends.
const ALLOCATOR: &str = r#"
(global $next (mut i32) (i32.const 98304))
(func (export "cabi_realloc") (param i32 i32) (param $align i32) (param $size i32) (result i32) (local $at i32)
  (local.set $at (i32.and
    (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
    (i32.sub (i32.const 0) (local.get $align))))
  (global.set $next (i32.add (local.get $at) (local.get $size)))
  (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
    (then (drop (memory.grow (i32.add (i32.shr_u (local.get $size) (i32.const 16)) (i32.const 1))))))
  (local.get $at))
"#;

/// Those that stand in files.
pub(crate) fn all() -> Vec<Behaviour> {
    let folder = root().join("tests/guests/behaviours");
    let mut paths: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "wat"));
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(path).unwrap();
            let told = |what: &str| {
                let start = format!(";; {what}: ");
                text.lines().find_map(|l| l.strip_prefix(&start)).map(str::to_owned)
            };
            let must =
                |what: &str| told(what).unwrap_or_else(|| panic!("{name} does not say `;; {what}: …`"));
            Behaviour {
                call: must("call"),
                expected: must("expect").split_whitespace().map(str::to_owned).collect(),
                says: told("says"),
                wasm: of_module(&wat::parse_str(whole(&text)).unwrap_or_else(|e| panic!("{name}: {e}"))),
                name,
            }
        })
        .collect()
}

/// The module of a file, with what the file leaves out.
fn whole(text: &str) -> String {
    let mut fields = text.to_owned();
    for (function, interface, _) in FUNCTIONS {
        let full = format!("sheave:plugin/{interface}@0.1.0#{function}");
        fields = fields.replace(&format!("\"@{function}\""), &format!("\"{full}\""));
        fields = fields.replace(&format!("\"@post-{function}\""), &format!("\"cabi_post_{full}\""));
    }
    if !fields.contains("(export \"memory\")") {
        fields.push_str("(memory (export \"memory\") 2)\n");
    }
    if !fields.contains("(export \"cabi_realloc\")") {
        fields.push_str(ALLOCATOR);
    }
    for (function, interface, ty) in FUNCTIONS {
        let full = format!("\"sheave:plugin/{interface}@0.1.0#{function}\"");
        if !fields.contains(&full) {
            let _ = writeln!(fields, "(func (export {full}) {ty} unreachable)");
        }
    }
    format!("(module\n{fields}\n)")
}

fn behaviour(name: &str, wasm: Vec<u8>, expected: &[&str]) -> Behaviour {
    let expected = expected.iter().map(|code| (*code).to_owned()).collect();
    Behaviour { name: name.to_owned(), wasm, call: "render".to_owned(), expected, says: None }
}

fn text(wat: &str) -> Vec<u8> {
    wat::parse_str(wat).unwrap()
}

/// Those that are no modules: components that are malformed, huge, or of a shape that no toolchain gives them.
pub(crate) fn made() -> Vec<Behaviour> {
    let invalid = &["plugin.invalid", "plugin.missing-export"][..];
    let rogue = built("rogue");
    let flipped = |at: usize| {
        let mut wasm = rogue.clone();
        let place = wasm.len() * at / 16;
        wasm[place] ^= 0x80;
        wasm
    };
    let nested = "(component ".repeat(2_000) + &")".repeat(2_000);
    let many = |one: &str, n: usize| format!("(component {})", one.repeat(n));
    let wide = format!(
        "(component (core module {}))",
        (0..20_000).map(|n| format!("(import \"a\" \"{n}\" (func))")).collect::<String>()
    );
    let mut all = vec![
        behaviour("nothing", Vec::new(), &["plugin.not-a-component"]),
        behaviour(
            "noise",
            (0..5_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect(),
            &["plugin.not-a-component"],
        ),
        behaviour("zeros", vec![0; 1 << 20], &["plugin.not-a-component"]),
        behaviour("header", b"\0asm\x0d\0\x01\0".to_vec(), invalid),
        behaviour(
            "header-of-later",
            b"\0asm\xff\0\x01\0".to_vec(),
            &["plugin.not-a-component", "plugin.invalid"],
        ),
        behaviour(
            "too-large",
            {
                let mut w = rogue.clone();
                w.resize(sheave_plugin_host::limits::COMPONENT_BYTES + 1, 0);
                w
            },
            &["plugin.too-large"],
        ),
        behaviour(
            "length-that-lies",
            [&b"\0asm\x0d\0\x01\0\x00\xff\xff\xff\xff\x0f"[..], &[0; 64]].concat(),
            invalid,
        ),
        behaviour(
            "nested",
            text_or_raw(&nested),
            &["plugin.invalid", "plugin.missing-export", "plugin.not-a-component"],
        ),
        behaviour(
            "many-instances",
            text(&format!(
                "(component (core module $m) {})",
                "(core instance (instantiate $m))".repeat(5_000)
            )),
            &["plugin.invalid", "plugin.missing-export", "plugin.too-large"],
        ),
        behaviour("many-types", text(&many("(type (func))", 50_000)), invalid),
        behaviour("many-imports", text(&wide), invalid),
        behaviour("core-module", component("core-module"), &["plugin.not-a-component"]),
    ];
    // A byte that is another: whatever it is, the host says so, or it makes no difference.
    let any = &[
        "plugin.invalid",
        "plugin.missing-export",
        "plugin.import-refused",
        "plugin.interface-version",
        "plugin.interface-mismatch",
        "plugin.not-a-component",
        "plugin.trap",
        "plugin.bad-reply",
        "plugin.limit.time",
        "plugin.limit.fuel",
        "plugin.limit.memory",
        "rogue.unknown-type",
        "plugin.too-large",
        "ok",
    ][..];
    all.extend((1..16).map(|at| behaviour(&format!("flipped-{at}"), flipped(at), any)));
    all
}

/// What a text that deep cannot be parsed to, it is handed over as.
fn text_or_raw(wat: &str) -> Vec<u8> {
    wat::parse_str(wat).unwrap_or_else(|_| wat.as_bytes().to_vec())
}
