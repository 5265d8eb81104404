//! Values that are known only after apply: holes at the very leaves, everything else in full.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use serde_json::{Value, json};
use sheave_testkit::Stack;

const HEAD: &str = r#"
blueprint: unknown
targets: {main: {kubernetes: {context: admin, namespace: "@namespace@"}}}
plugins:
  kubernetes: {}
  rogue: {source: guests/rogue.wasm}
resources:
  source:
    type: kubernetes:ConfigMap
    properties: {data: {kept: "yes"}}
"#;

fn stack(name: &str, resources: &str) -> Stack {
    let stack = Stack::new(name);
    stack.guest("rogue");
    stack.blueprint(&format!("{HEAD}{resources}"));
    stack
}

fn planned<'a>(plan: &'a Value, address: &str) -> &'a Value {
    plan["resources"].as_array().unwrap().iter().find(|r| r["address"] == address).unwrap()
}

#[test]
fn what_is_written_is_known_before_it_is_there() {
    let stack = stack(
        "written",
        r#"
  named: {type: "kubernetes:Secret", properties: {metadata: {name: by-hand}, stringData: {a: b}}}
  app: {type: "kubernetes:App", properties: {name: shop, image: "nginx:1.29"}}
  copy:
    type: kubernetes:ConfigMap
    properties:
      metadata: {name: "${resources.named.outputs.name}-copy"}
      data:
        where: ${resources.source.outputs.namespace}/${resources.source.outputs.name}
        app: ${resources.app.outputs.namespace}/${resources.app.outputs.name}
outputs: {copy: "${resources.copy.outputs.name}"}
"#,
    );
    let plan = stack.plan();
    let copy = planned(&plan, "copy");
    assert_eq!(copy.get("deferred"), None, "even its name hangs on what is known: {copy:#}");
    let manifest = &copy["objects"][0]["manifest"];
    let namespace = stack.namespace();
    assert_eq!(manifest["metadata"]["name"], "by-hand-copy");
    assert_eq!(
        manifest["data"],
        json!({"where": format!("{namespace}/source"), "app": format!("{namespace}/shop")})
    );
    assert_eq!(plan["outputs"]["copy"], "by-hand-copy");
    let _ = stack.apply();
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
    assert_eq!(stack.object("configmap", "by-hand-copy").unwrap()["data"], manifest["data"]);
}

#[test]
fn a_hole_is_one_leaf_and_the_rest_is_shown() {
    let stack = stack(
        "hole",
        r#"
  copy:
    type: kubernetes:ConfigMap
    properties:
      metadata: {labels: {team: web}}
      data:
        plain: as it is
        uid: ${resources.source.outputs.uid}
        text: the uid is ${resources.source.outputs.uid}, they say
"#,
    );
    let shown = stack.run(["plan"]).exits(0);
    assert_eq!(shown.stdout.matches("(known after apply)").count(), 2, "{shown}");
    let shown = shown.says("as it is").says("team");
    assert!(!shown.stdout.contains("sheave-known"), "{shown}");

    let plan = stack.plan();
    let manifest = &planned(&plan, "copy")["objects"][0]["manifest"];
    assert_eq!(manifest["data"]["plain"], "as it is");
    assert_eq!(manifest["metadata"]["labels"], json!({"team": "web"}));
    assert_eq!(manifest["metadata"]["name"], "copy");
    for leaf in ["uid", "text"] {
        assert!(manifest["data"][leaf]["$unknown"].is_string(), "{manifest:#}");
    }
    assert_eq!(planned(&plan, "copy").get("deferred"), None, "its objects are known but for the leaves");

    let _ = stack.apply();
    let uid = stack.object("configmap", "source").unwrap()["metadata"]["uid"].as_str().unwrap().to_owned();
    let copy = stack.object("configmap", "copy").unwrap();
    let expected = json!({"plain": "as it is", "uid": uid, "text": format!("the uid is {uid}, they say")});
    assert_eq!(copy["data"], expected);
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn what_a_plugin_makes_of_a_hole_is_a_hole() {
    let stack = stack(
        "made",
        r#"
  link:
    type: rogue:Honest
    properties: {value: "${resources.source.outputs.uid}"}
"#,
    );
    let plan = stack.plan();
    let manifest = &planned(&plan, "link")["objects"][0]["manifest"];
    assert!(manifest["data"]["url"]["$unknown"].is_string(), "{manifest:#}");
    let _ = stack.apply();
    let uid = stack.object("configmap", "source").unwrap()["metadata"]["uid"].as_str().unwrap().to_owned();
    let link = stack.object("configmap", "link-honest").unwrap();
    assert_eq!(link["data"]["url"], format!("http://{uid}:80/"));
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn what_has_no_shape_yet_is_deferred_and_expanded_in_the_same_run() {
    let stack = stack(
        "deferred",
        r#"
  shard:
    count: ${size(resources.source.outputs.uid) / 18}
    type: kubernetes:ConfigMap
    properties: {data: {index: "${string(each.key)}"}}
outputs:
  first: ${resources.shard[0].outputs.name}
"#,
    );
    let plan = stack.plan();
    assert!(planned(&plan, "shard")["deferred"]["why"].is_string(), "{plan:#}");
    let _ = stack.apply();
    let names = stack.names("configmaps");
    for name in ["shard-0", "shard-1"] {
        assert!(names.contains(&format!("ConfigMap/{name}")), "{names:?}");
    }
    assert_eq!(stack.run(["outputs", "first"]).exits(0).stdout.trim(), "shard-0");
    let _ = stack.run(["plan", "--detailed-exitcode"]).exits(0);
    let _ = stack.run(["destroy", "--yes"]).exits(0);
    assert_eq!(stack.names("configmaps"), Vec::<String>::new());
}
