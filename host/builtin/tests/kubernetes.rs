//! The built-in plugin as it was compiled into this program, through the host that runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use sheave_builtin::KUBERNETES;
use sheave_plugin_host::wire::{Doc, Failure, Instance, Live};
use sheave_plugin_host::{CallError, HostConfig, Plugin, PluginHost};

fn plugin() -> Plugin {
    let host = PluginHost::new(HostConfig::default()).unwrap();
    host.load_precompiled(KUBERNETES.name, KUBERNETES.cwasm, KUBERNETES.digest, Some(KUBERNETES.manifest))
        .unwrap()
}

fn doc(json: &Value) -> Doc {
    Doc { json: json.to_string(), marks: Vec::new() }
}

fn of(type_name: &str, name: &str) -> Instance {
    Instance {
        type_name: type_name.to_owned(),
        name: name.to_owned(),
        stack: "test".to_owned(),
        schema_version: 1,
        settings: doc(&Value::Null),
    }
}

#[tokio::test]
async fn describes_its_types_and_their_schemas() {
    let plugin = plugin();
    assert_eq!(sheave_plugin_host::digest(KUBERNETES.wasm), KUBERNETES.digest);
    assert!(plugin.emits() && !plugin.provides() && !plugin.adopts());
    for kind in plugin.describe().await.unwrap() {
        let schema: Value = serde_json::from_str(&plugin.schema(&kind.name).await.unwrap()).unwrap();
        assert_eq!(schema["additionalProperties"], json!(false), "{}", kind.name);
        // Many objects have no one name.
        let named = if kind.name == "Manifests" { "objects" } else { "name" };
        assert!(schema["x-outputs"]["properties"][named].is_object(), "{}", kind.name);
    }
}

#[tokio::test]
async fn renders_checks_and_observes() {
    let plugin = plugin();
    let props = json!({"data": {"greeting": "hello"}});
    let of_map = of("ConfigMap", "shard[\"eu\"]");
    assert_eq!(plugin.check(&of_map, &doc(&props)).await.unwrap(), doc(&props));
    let [object] = &plugin.render(&of_map, &doc(&props), &[]).await.unwrap()[..] else {
        panic!("one object")
    };
    let manifest: Value = serde_json::from_str(&object.manifest.json).unwrap();
    let expected = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shard-eu"}, "data": props["data"]});
    assert_eq!((manifest.clone(), object.target.as_str()), (expected, ""));

    let live = Live { slot: object.slot.clone(), body: Some(doc(&manifest)) };
    let seen = plugin.observe(&of_map, &doc(&props), &[live]).await.unwrap();
    let outputs: Value = serde_json::from_str(&seen.outputs.json).unwrap();
    assert_eq!((seen.ready, &outputs["name"], &outputs["data"]), (true, &json!("shard-eu"), &props["data"]));

    let wrong = json!({"spec": {"selector": {"matchLabels": {"app": "a"}}, "template": {"spec": {"containers": [{"name": "a"}]}}}});
    let refused = plugin.check(&of("Deployment", "web"), &doc(&wrong)).await;
    let Err(CallError::Answer(Failure::Invalid(found))) = refused else { panic!("{refused:?}") };
    assert_eq!(found[0].code, "kubernetes.selector-mismatch");
}
