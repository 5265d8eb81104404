//! The language's own example, from text to values.

use std::collections::BTreeMap;

use serde_json::json;
use sheave_blueprint::*;
use sheave_model::{Key, UnknownKind, Value};

const EXAMPLE: &str = r#"
blueprint: wordpress
inputs:
  title:     {type: string, default: Our blog}
  replicas:  {type: integer, default: 2, minimum: 1, maximum: 10}
  context:   {type: string, default: ""}
  password:  {type: string, secret: true}
locals:
  labels: {team: web}
targets:
  main: {kubernetes: {context: "${inputs.context}", namespace: blog}}
plugins:
  kubernetes: {}                                   # built in
  files: {source: ./plugins/files.wasm, grants: {filesystem: [{path: ./out, access: write}]}}
resources:
  db:
    type: kubernetes:StatefulSet
    properties: {metadata: {labels: "${merge(locals.labels, {'tier': 'db'})}"}}
  web:
    type: kubernetes:App
    timeout: 5m
    properties:
      image: wordpress:6.8-apache
      replicas: ${inputs.replicas}
      ports: {external: [80]}
      env:
        WORDPRESS_DB_HOST: ${resources.db.outputs.host}          # this reference is the edge: db first
        WORDPRESS_DB_PASSWORD: ${inputs.password}
        DSN: mysql://root:${inputs.password}@${resources.db.outputs.host}/
  shard:
    for-each: ${range(3)}                          # or count; `when:` for a condition
    type: kubernetes:ConfigMap
    properties: {data: {index: "${string(each.key)}"}}
outputs:
  url: ${"http://" + resources.web.outputs.externalIP}
"#;

#[test]
fn the_example_goes_from_text_to_values() {
    let graph = crate::support::graph(EXAMPLE);
    assert_eq!(graph.name, "wordpress");
    assert_eq!(graph.order, ["db", "shard", "web"]);
    assert_eq!(graph.plugins["files"].source.as_deref(), Some("./plugins/files.wasm"));
    let inputs = crate::support::inputs(&graph, &[("password", "hunter2")]);
    let empty = BTreeMap::new();
    let mut resources = BTreeMap::new();
    for (name, spec) in &graph.resources {
        let outputs = graph.schemas[&spec.type_name].outputs.unknown_outputs(name);
        resources.insert(name.clone(), Value::Map(BTreeMap::from([("outputs".to_owned(), outputs)])));
    }
    let scope = Scope {
        inputs: &inputs,
        resources: &resources,
        stacks: &empty,
        each: None,
        stack: "wordpress",
        module: "",
        files: &NoFiles,
        passwords: &NoPasswords,
    };
    let db = graph.evaluate(&graph.resources["db"].properties, &scope).unwrap();
    assert_eq!(db.to_json(), Some(json!({"metadata": {"labels": {"team": "web", "tier": "db"}}})));
    let web = graph.evaluate(&graph.resources["web"].properties, &scope).unwrap();
    assert_eq!(web.at("/replicas"), Some(&Value::Int(2)));
    assert!(
        matches!(web.at("/env/WORDPRESS_DB_PASSWORD"), Some(Value::Secret(s)) if s.expose() == "hunter2")
    );
    assert!(
        matches!(web.at("/env/WORDPRESS_DB_HOST"), Some(Value::Unknown(u)) if u.id == "db#/host" && !u.secret)
    );
    assert!(matches!(web.at("/env/DSN"), Some(Value::Unknown(u)) if u.secret && u.kind == UnknownKind::Text));
    let schema = &graph.schemas[&graph.resources["web"].type_name].properties;
    assert_eq!(schema.check(&web), []);
    assert_eq!(schema.verdict_on_unknowns(&web), Unknowns::Tokens);
    let shards = graph.instances(&graph.resources["shard"].repeat, &scope).unwrap().unwrap();
    assert_eq!(shards.len(), 3);
    assert_eq!(shards[2].key, Some(Key::Index(2)));
    let scope = Scope { each: shards[2].each.clone(), ..scope };
    let shard = graph.evaluate(&graph.resources["shard"].properties, &scope).unwrap();
    assert_eq!(shard.to_json(), Some(json!({"data": {"index": "2"}})));
    let url = graph.evaluate(&graph.outputs["url"].value, &scope).unwrap();
    assert!(
        matches!(&url, Value::Unknown(u) if u.id.starts_with("expr:") && u.kind == UnknownKind::Text),
        "{url:?}"
    );
}
