//! Faults in blueprints and what is said of them: `golden/*.yaml`, each with its snapshot.

use crate::support::load;

#[test]
fn diagnostics() {
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::glob!("../golden", "*.yaml", |path| {
            let text = std::fs::read_to_string(path).unwrap();
            let (graph, faults) = load(&text);
            let outcome = match graph {
                Some(graph) => format!("order: {}\n", graph.order.join(", ")),
                None => "no graph\n".into(),
            };
            insta::assert_snapshot!(outcome + &faults);
        });
    });
}
