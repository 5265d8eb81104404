//! Blueprints and expressions written to hang, flood or crash: each ends soon, with a named limit or a plain answer,
//! on the stack that threads have by default.

use serde_json::json;
use sheave_blueprint::*;
use sheave_model::{SourceId, Value};

use crate::support::{World, eval, load};

/// Runs with the 2 MiB of stack that threads have by default. Programs give their threads more; unoptimised code, as
/// here, takes several times what theirs does.
fn on_a_threads_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(test).unwrap();
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// What is said of a text in the end, whatever it is.
fn outcome(text: &str) -> String {
    let (graph, faults) = load(text);
    match graph {
        Some(_) if faults.is_empty() => "good".into(),
        _ if faults.contains("blueprint.too-large") => "blueprint.too-large".into(),
        _ => faults.split(':').next().unwrap_or_default().to_owned(),
    }
}

#[test]
fn yaml_that_explodes() {
    on_a_threads_stack(yaml_that_explodes_here);
}

fn yaml_that_explodes_here() {
    let mib = 1 << 20;
    let bomb: String = std::iter::once("blueprint: x\nlocals:\n  a0: &a0 [x, x]\n".to_owned())
        .chain((1..40).map(|n| format!("  a{n}: &a{n} [*a{}, *a{}]\n", n - 1, n - 1)))
        .collect();
    let ladder: String = (0..400).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    for (name, text, want) in [
        ("brackets", "[".repeat(mib), "blueprint.too-large"),
        ("braces", "{a: ".repeat(mib / 8), "blueprint.too-large"),
        ("dashes", "- ".repeat(mib / 2), "blueprint.too-large"),
        ("questions", "? ".repeat(mib / 2), "blueprint.too-large"),
        ("ladder", ladder, "blueprint.too-large"),
        ("aliases", bomb, "blueprint.unsupported-yaml"),
        ("many keys", (0..70_000).map(|n| format!("k{n}: 1\n")).collect(), "blueprint.too-large"),
        (
            "many values",
            format!("blueprint: x\nlocals: {{a: [{}]}}", "1,".repeat(300_000)),
            "blueprint.too-large",
        ),
        (
            "many resources",
            format!(
                "blueprint: x\nresources: {{{}}}",
                (0..6000).map(|n| format!("r{n}: , ")).collect::<String>()
            ),
            "blueprint.too-large",
        ),
        ("too long", "a".repeat(mib + 1), "blueprint.too-large"),
        ("quotes", format!("a: \"{}", "\\n".repeat(400_000)), "blueprint.not-yaml"),
        ("one text", format!("blueprint: x\nlocals: {{a: \"{}\"}}", "x".repeat(900_000)), "good"),
        (
            "open expressions",
            format!("blueprint: x\nlocals: {{a: \"{}\"}}", "${".repeat(400_000)),
            "blueprint.bad-expression",
        ),
        ("dollars", format!("blueprint: x\nlocals: {{a: \"{}\"}}", "$".repeat(900_000)), "good"),
        ("many expressions", format!("blueprint: x\nlocals: {{a: \"{}\"}}", "${1}".repeat(5_000)), "good"),
        (
            "same faults",
            format!("blueprint: x\nlocals: {{a: [{}]}}", "\"${x}\",".repeat(3_000)),
            "blueprint.too-large",
        ),
        ("controls", "\u{0}\u{1}\u{7f}: \u{feff}".into(), "blueprint.not-yaml"),
    ] {
        assert_eq!(outcome(&text), want, "{name}");
    }
}

#[test]
fn expressions_that_explode() {
    on_a_threads_stack(expressions_that_explode_here);
}

fn expressions_that_explode_here() {
    let limit = "! blueprint.expression-limit";
    let bad = "! blueprint.bad-expression";
    let nest = |open: &str, inner: &str, close: &str, n: usize| open.repeat(n) + inner + &close.repeat(n);
    for (name, text, want) in [
        ("long", "1+".repeat(3_000) + "1", limit),
        ("chain of plus", "1+".repeat(1_500) + "1", limit),
        ("chain of and", "true&&".repeat(150) + "true", "true"),
        ("longest chain of fields", "inputs".to_owned() + &".a".repeat(399), limit),
        ("longest chain of plus", "1".to_owned() + &"+1".repeat(400), limit),
        ("long chain of plus", "1".to_owned() + &"+1".repeat(150), "151"),
        ("longest chain of calls", "'a'".to_owned() + &".trim()".repeat(200), limit),
        ("chain of fields", "inputs".to_owned() + &".a".repeat(2_000), limit),
        ("chain of indices", "inputs.l".to_owned() + &"[0]".repeat(1_000), limit),
        ("brackets", nest("(", "1", ")", 2_000), limit),
        ("lists", nest("[", "1", "]", 2_000), limit),
        ("maps", nest("{'a':", "1", "}", 600), limit),
        ("calls", nest("size(", "1", ")", 600), limit),
        ("nots", "!".repeat(4_000) + "true", limit),
        ("minuses", "- ".repeat(2_000) + "1", limit),
        ("choices", "true?1:".repeat(500) + "2", limit),
        ("open brackets", "(".repeat(4_000), limit),
        ("closing", ")".repeat(1_000), bad),
        ("six-fold map", "[1].map(a, [1].map(b, [1].map(c, [1].map(d, [1].map(e, [1].map(f, 1))))))".into(), limit),
        ("range", "range(10000000)".into(), limit),
        ("range of all", "range(-9223372036854775807, 9223372036854775807)".into(), limit),
        ("square", "range(100000).map(x, range(100000))".into(), limit),
        ("square of sums", "range(3000).map(x, range(3000).map(y, x + y)).size()".into(), limit),
        ("copies", "range(90000).map(x, inputs.l).map(y, [y, y, y, y])".into(), limit),
        ("absorbed", "range(10000000).size() > 0 || true".into(), limit),
        ("absorbed in each", "range(90000).exists(x, range(90000).all(y, y < 0) || x < 0) || true".into(), limit),
        ("text of text", "range(1000).map(x, replace(join(range(1000).map(y, 'xxxxxxxxxx'), ''), 'x', 'yyyyyyyyyyyyyyyyyyyy'))".into(), limit),
        ("replace nothing", "replace(replace(join(range(1000).map(y, 'xxxxxxxxxx'), ''), '', 'yyyyyyyyyyyyyyyyyyyy'), '', 'zzzzzzzzzzzzzz')".into(), limit),
        ("joined", "join(range(90000).map(x, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'), '')".into(), limit),
        ("format width", "format('%0999999999d', 1)".into(), bad),
        ("format precision", "format('%.999999f', 1)".into(), bad),
        ("indent", "indent('a', 1000000)".into(), bad),
        ("pattern", "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('^(a+)+$')".into(), "false"),
        ("pattern size", "'a'.matches('((a{1,100}){1,100}){1,100}')".into(), limit),
        ("pattern nest", format!("'a'.matches('{}')", nest("(", "a", ")", 120)), "true"),
        ("patterns", "range(90000).map(x, 'a'.matches(string(x)))".into(), limit),
        ("json", format!("jsonDecode('{}')", nest("[", "", "]", 1_800)), bad),
        ("yaml", format!("yamlDecode('{}')", nest("[", "", "]", 1_800)), bad),
        ("yaml bomb", "yamlDecode('a: &a [x,x]\\nb: *a')".into(), bad),
        ("equal", "range(90000).map(x, x) == range(90000).map(x, x) && range(90000) in [range(90000), range(90000)]".into(), limit),
        ("exponent", "1e999999".into(), bad),
        ("digits", "9".repeat(1000), bad),
    ] {
        let got = eval(&text);
        assert!(got.starts_with(want), "{name}: {}", got.chars().take(300).collect::<String>());
    }
}

/// `locals` of this many, each made of the one before.
fn chain(count: usize, first: &str, next: &str) -> String {
    let mut text = format!("blueprint: x\nlocals:\n  l0: \"{first}\"\n");
    for n in 1..count {
        text += &format!("  l{n}: \"{}\"\n", next.replace("PREV", &format!("locals.l{}", n - 1)));
    }
    text + &format!("outputs: {{x: \"${{locals.l{}}}\"}}\n", count - 1)
}

#[test]
fn locals_that_explode() {
    on_a_threads_stack(locals_that_explode_here);
}

fn locals_that_explode_here() {
    for (name, text, want) in [
        ("doubled text", chain(60, "xxxxxxxxxxxxxxxx", "${PREV + PREV}"), "blueprint.expression-limit"),
        ("doubled list", chain(60, "x", "${[PREV, PREV]}"), "blueprint.expression-limit"),
        ("doubled template", chain(60, "x", "${PREV}${PREV}"), "blueprint.expression-limit"),
        ("long chain", chain(4_000, "x", "${PREV}"), "blueprint.expression-limit"),
        ("short chain", chain(20, "x", "${PREV}"), ""),
        (
            "deep chain",
            chain(300, "x", "${[[[[[[[[[[[[[[[[[[[[PREV]]]]]]]]]]]]]]]]]]]]}"),
            "blueprint.expression-limit",
        ),
    ] {
        let (graph, faults) = load(&text);
        let graph = graph.unwrap_or_else(|| panic!("{name}: {faults}"));
        let empty = std::collections::BTreeMap::new();
        let scope = Scope {
            inputs: &empty,
            resources: &empty,
            stacks: &empty,
            each: None,
            stack: "x",
            module: "",
            files: &NoFiles,
            passwords: &NoPasswords,
        };
        let code = match graph.evaluate(&graph.outputs["x"].value, &scope) {
            Ok(_) => String::new(),
            Err(faults) => faults[0].code.clone(),
        };
        assert_eq!(code, want, "{name}");
    }
}

#[test]
fn schemas_that_explode() {
    on_a_threads_stack(schemas_that_explode_here);
}

fn schemas_that_explode_here() {
    let nested = |n: usize| (0..n).fold(Value::Int(1), |v, _| Value::List(vec![v]));
    let value = nested(120);
    let mut doubling = json!({"type": "integer"});
    for _ in 0..60 {
        doubling = json!({"anyOf": [doubling, doubling.clone()]});
        if doubling.to_string().len() > 200_000 {
            break;
        }
    }
    let mut by_reference = serde_json::Map::new();
    by_reference.insert("n0".into(), json!({"type": "string"}));
    for n in 1..60 {
        let before = json!({"$ref": format!("#/$defs/n{}", n - 1)});
        by_reference.insert(format!("n{n}"), json!({"anyOf": [before, before]}));
    }
    for (name, schema) in [
        ("itself", json!({"$ref": "#"})),
        ("all itself", json!({"allOf": [{"$ref": "#"}, {"$ref": "#"}]})),
        ("any itself", json!({"anyOf": [{"$ref": "#"}, {"$ref": "#"}, {"$ref": "#"}]})),
        ("not itself", json!({"not": {"$ref": "#"}})),
        ("items itself", json!({"items": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}})),
        ("doubling", doubling),
        ("doubling by reference", json!({"$defs": by_reference, "$ref": "#/$defs/n59"})),
    ] {
        let compiled = Schema::compile(&schema);
        assert!(compiled.is_ok() || name.starts_with("doubling"), "{name}: {compiled:?}");
        if let Ok(schema) = compiled {
            schema.check(&value);
            schema.verdict_on_unknowns(&value);
            let _ = schema.mark_sensitive(value.clone());
            schema.unknown_outputs("a");
        }
    }
    for bad in [
        json!(5),
        json!({"$ref": "#/nowhere"}),
        json!({"$ref": "http://example.com/schema"}),
        json!({"type": "text"}),
        json!({"pattern": "("}),
        json!({"pattern": "((a{1,1000}){1,1000}){1,1000}"}),
        json!({"required": "a"}),
        json!({"properties": []}),
        json!({"multipleOf": 0}),
        json!({"minLength": -1}),
        json!({"x-unknown": "maybe"}),
        json!({"type": "integer", "x-sensitive": true}),
    ] {
        assert!(Schema::compile(&bad).is_err(), "{bad}");
    }
}

#[test]
fn conditions_keep_the_same_limits() {
    let object = Value::from_json(&json!({"status": {"ready": 1}}));
    let holds = |text: &str| Condition::parse(text).map(|c| c.holds(&object).map_err(|d| d.code));
    assert_eq!(holds("self.status.ready > 0").unwrap(), Ok(true));
    assert_eq!(holds("self.status.other > 0").unwrap(), Ok(false));
    assert_eq!(holds("has(self.status.other) && self.status.other > 0").unwrap(), Ok(false));
    assert_eq!(holds("self.status").unwrap(), Err("blueprint.type-mismatch".into()));
    assert_eq!(holds("range(10000000).size() > 0").unwrap(), Err("blueprint.expression-limit".into()));
    assert_eq!(holds("file('x') == ''").unwrap(), Err("blueprint.bad-expression".into()));
    assert!(holds("inputs.x == 1").is_err());
    assert!(holds("self.").is_err());
}

#[test]
fn sources_are_not_needed_to_parse() {
    assert!(parse(SourceId(7), "blueprint: x").syntax.is_some());
    assert!(World::new("1").is_ok());
}
