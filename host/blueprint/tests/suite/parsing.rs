//! Nothing that is written makes the parser fail to answer.

use proptest::prelude::*;
use sheave_model::Diagnostic;

use crate::support::load;

/// Pieces that blueprints are made of, good and bad.
const PIECES: &[&str] = &[
    "blueprint: x\n",
    "resources:\n",
    "inputs:\n",
    "locals:\n",
    "outputs:\n",
    "targets:\n",
    "plugins:\n",
    "  a:\n",
    "  web: ",
    "    type: kubernetes:App\n",
    "    properties:\n",
    "      image: x\n",
    "      replicas: 2\n",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "- ",
    "\n",
    "  ",
    " ",
    "\t",
    "\"",
    "'",
    "|\n",
    ">-\n",
    "&a ",
    "*a",
    "!!str ",
    "? ",
    "#",
    "---\n",
    "${",
    "}",
    "$${",
    "inputs.a",
    "resources.web.outputs.host",
    "each.key",
    "locals.a",
    " + ",
    " ? 1 : 2",
    "range(3)",
    ".map(x, x)",
    "true",
    "null",
    "0644",
    "1e5",
    "é",
    "\u{feff}",
    "\r\n",
    "%YAML 1.2\n",
    "type: string",
    "default: ",
    "secret: true",
    "count: 2\n",
    "for-each: ",
    "when: ",
    "<<: ",
    "0x",
    "'''",
    "\\",
    "\\n",
    "\u{0}",
];

fn check(text: &str) -> Result<(), TestCaseError> {
    let parsed = sheave_blueprint::parse(sheave_model::SourceId(0), text);
    for label in parsed.diagnostics.iter().flat_map(|d: &Diagnostic| &d.labels) {
        let (start, end) = (label.span.start, label.span.end);
        prop_assert!(start <= end && end <= text.len(), "{start}..{end} of {}", text.len());
        prop_assert!(
            text.is_char_boundary(start) && text.is_char_boundary(end),
            "{start}..{end} cuts a character"
        );
    }
    // Whatever has no graph says why.
    let (graph, faults) = load(text);
    prop_assert!(graph.is_some() || !faults.is_empty());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn any_pieces(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..40)) {
        check(&pieces.concat())?;
    }

    #[test]
    fn any_expression(text in r#"[a-z0-9 .,:?+*/%<>=!&|(){}\[\]"'\\$é-]{0,60}"#) {
        check(&format!("blueprint: x\noutputs:\n  a: {}\n", serde_json::Value::from(format!("${{{text}}}"))))?;
        check(&format!("blueprint: x\noutputs:\n  a: |\n    ${{{text}}}\n"))?;
    }
}
