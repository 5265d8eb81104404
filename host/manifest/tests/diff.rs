//! What `diff`, `changes_between` and `drift` foretell, against a small model of server-side apply.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, in what tests share as well"
)]

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use sheave_manifest::{Change, changes_between, diff, drift};

/// A field set as the API server writes one: `keys` are the lists that are maps, with their key field.
fn fields_of(value: &Json, name: &str) -> Json {
    let mut out = Map::new();
    match value {
        Json::Object(fields) if !ATOMIC.contains(&name) => {
            for (key, value) in fields {
                out.insert(format!("f:{key}"), fields_of(value, key));
            }
        }
        Json::Array(items) if name == "containers" || name == "env" => {
            for item in items {
                let mut inner = fields_of(item, "");
                inner[".".to_owned()] = json!({});
                out.insert(format!("k:{{\"name\":{}}}", item["name"]), inner);
            }
        }
        Json::Array(items) if name == "finalizers" => {
            for item in items {
                out.insert(format!("v:{item}"), json!({}));
            }
        }
        _ => {}
    }
    Json::Object(out)
}

const ATOMIC: &[&str] = &["nodeSelector", "selector"];

fn owned_by(manager: &str, operation: &str, fields: Json) -> Json {
    json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields})
}

/// The live object right after `desired` was applied, with what others added.
fn applied(desired: &Json) -> Json {
    let mut fields = fields_of(desired, "");
    for fixed in ["f:apiVersion", "f:kind"] {
        fields.as_object_mut().unwrap().remove(fixed);
    }
    fields["f:metadata"].as_object_mut().unwrap().remove("f:name");
    let mut live = desired.clone();
    live["metadata"]["managedFields"] = json!([owned_by("sheave", "Apply", fields)]);
    live["metadata"]["uid"] = json!("u");
    live["status"] = json!({"replicas": 1});
    live
}

fn deployment() -> Json {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"app": "web"}, "finalizers": ["a/b", "c/d"]},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"spec": {
                "hostNetwork": false,
                "nodeSelector": {"disk": "ssd"},
                "securityContext": {},
                "containers": [
                    {"name": "app", "image": "web:1", "args": ["a", "b"],
                     "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                     "resources": {"limits": {"cpu": "1000m", "memory": 1073741824}}},
                    {"name": "side", "image": "side:1"},
                ],
            }},
        },
    })
}

/// `deployment` as it lives: values normalised, defaults filled in.
fn live_deployment() -> Json {
    let mut live = applied(&deployment());
    live["spec"]["progressDeadlineSeconds"] = json!(600);
    live["spec"]["template"]["spec"].as_object_mut().unwrap().remove("hostNetwork");
    let app = &mut live["spec"]["template"]["spec"]["containers"][0];
    app["resources"]["limits"] = json!({"cpu": "1", "memory": "1Gi"});
    app["imagePullPolicy"] = json!("IfNotPresent");
    live
}

fn lines(changes: &[Change]) -> Vec<String> {
    let text = |v: &Option<Json>| v.as_ref().map_or("-".to_owned(), Json::to_string);
    changes.iter().map(|c| format!("{}: {} => {}", c.path, text(&c.before), text(&c.after))).collect()
}

fn changed(edit: impl Fn(&mut Json)) -> Vec<String> {
    let mut desired = deployment();
    edit(&mut desired);
    let diff = diff(&desired, &live_deployment(), "sheave", &[]);
    assert!(!diff.doubt, "{diff:?}");
    lines(&diff.changes)
}

const APP: &str = "/spec/template/spec/containers/0";

#[test]
fn nothing_changes_where_only_the_server_wrote() {
    assert_eq!(changed(|_| ()), Vec::<String>::new());
}

#[test]
fn leaves_change_one_by_one() {
    let got = changed(|d| {
        d["spec"]["replicas"] = json!(5);
        *d.pointer_mut(APP).unwrap().get_mut("image").unwrap() = json!("web:2");
        d["metadata"]["labels"]["team/x"] = json!("y");
    });
    assert_eq!(
        got,
        [
            r#"metadata.labels["team/x"]: - => "y""#,
            "spec.replicas: 3 => 5",
            r#"spec.template.spec.containers[app].image: "web:1" => "web:2""#,
        ]
    );
}

#[test]
fn items_are_found_by_key_and_not_by_position() {
    let reversed = |d: &mut Json| {
        d.pointer_mut("/spec/template/spec/containers").unwrap().as_array_mut().unwrap().reverse();
    };
    assert_eq!(changed(reversed), Vec::<String>::new());
    let got = changed(|d| {
        reversed(d);
        let env = d.pointer_mut("/spec/template/spec/containers/1/env").unwrap();
        *env = json!([{"name": "C", "value": "3"}, {"name": "B", "value": "0"}]);
    });
    assert_eq!(
        got,
        [
            r#"spec.template.spec.containers[app].env[C]: - => {"name":"C","value":"3"}"#,
            r#"spec.template.spec.containers[app].env[B].value: "2" => "0""#,
            r#"spec.template.spec.containers[app].env[A]: {"name":"A","value":"1"} => -"#,
        ]
    );
}

#[test]
fn what_is_no_longer_desired_goes() {
    let got = changed(|d| {
        d["spec"].as_object_mut().unwrap().remove("replicas");
        d["metadata"].as_object_mut().unwrap().remove("labels");
        d["metadata"]["finalizers"] = json!(["c/d"]);
        d.pointer_mut(APP).unwrap().as_object_mut().unwrap().remove("resources");
        d.pointer_mut("/spec/template/spec/containers").unwrap().as_array_mut().unwrap().pop();
    });
    assert_eq!(
        got,
        [
            r#"metadata.finalizers[0]: "a/b" => -"#,
            r#"metadata.labels: {"app":"web"} => -"#,
            r#"spec.template.spec.containers[app].resources: {"limits":{"cpu":"1","memory":"1Gi"}} => -"#,
            r#"spec.template.spec.containers[side]: {"image":"side:1","name":"side"} => -"#,
            "spec.replicas: 3 => -",
        ]
    );
}

#[test]
fn maps_and_lists_that_are_replaced_whole() {
    let got = changed(|d| {
        d["spec"]["template"]["spec"]["nodeSelector"] = json!({"zone": "a"});
        d.pointer_mut(APP).unwrap()["args"] = json!(["a"]);
    });
    assert_eq!(
        got,
        [
            r#"spec.template.spec.containers[app].args[1]: "b" => -"#,
            r#"spec.template.spec.nodeSelector.zone: - => "a""#,
            r#"spec.template.spec.nodeSelector.disk: "ssd" => -"#,
        ]
    );
}

#[test]
fn an_unknown_field_in_an_atomic_list_is_a_doubt_and_a_default_is_none() {
    let role = |rule: Json| json!({"kind": "Role", "metadata": {"name": "r"}, "rules": [rule]});
    let desired = role(json!({"verbs": ["get"]}));
    let mut live = applied(&desired);
    live["rules"][0]["resourceNames"] = json!(["x"]);
    let got = diff(&desired, &live, "sheave", &[]);
    assert!(got.doubt && got.changes.is_empty());

    let policy = |port: Json| json!({"kind": "NetworkPolicy", "metadata": {"name": "r"}, "spec": {"egress": [{"ports": [port]}]}});
    let desired = policy(json!({"port": 80}));
    let mut live = applied(&desired);
    live["spec"]["egress"][0]["ports"][0]["protocol"] = json!("TCP");
    let got = diff(&desired, &live, "sheave", &[]);
    assert!(!got.doubt && got.changes.is_empty(), "{got:?}");
}

#[test]
fn what_others_own_stays_and_is_named() {
    let mut live = live_deployment();
    live["spec"]["replicas"] = json!(9);
    live["metadata"]["labels"]["theirs"] = json!("1");
    let ours = live["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"].as_object_mut().unwrap();
    ours.remove("f:replicas");
    let theirs =
        json!({"f:metadata": {"f:labels": {"f:theirs": {}, "f:app": {}}}, "f:spec": {"f:replicas": {}}});
    live["metadata"]["managedFields"].as_array_mut().unwrap().push(owned_by("hpa", "Update", theirs));

    let got = diff(&deployment(), &live, "sheave", &[]);
    assert_eq!(lines(&got.changes), ["spec.replicas: 9 => 3"]);
    assert!(!got.changes[0].ours);
    assert_eq!(got.changes[0].held_by, ["hpa"]);
    let taken = drift(&deployment(), &live, "sheave");
    assert_eq!(taken.len(), 1);
    assert_eq!(
        (taken[0].pointer.as_str(), &taken[0].ours, taken[0].theirs.as_ref()),
        ("/spec/replicas", &json!(3), Some(&json!(9)))
    );
    assert_eq!(diff(&deployment(), &live, "sheave", &["/spec/replicas".into()]).changes, []);

    // We stop owning the label, but it stays: somebody else owns it too.
    let mut desired = deployment();
    desired["metadata"].as_object_mut().unwrap().remove("labels");
    desired["spec"]["replicas"] = json!(9);
    assert_eq!(diff(&desired, &live, "sheave", &[]).changes, []);
}

#[test]
fn a_change_of_ours_is_no_drift() {
    let mut desired = deployment();
    desired["spec"]["replicas"] = json!(4);
    assert_eq!(drift(&desired, &live_deployment(), "sheave"), []);
}

#[test]
fn zero_values_that_the_server_drops() {
    let desired = json!({"kind": "Pod", "metadata": {"name": "p"}, "spec": {"a": false, "b": [], "c": {}, "d": null, "e": 0}});
    let mut live = applied(&desired);
    live["spec"] = json!({});
    assert_eq!(diff(&desired, &live, "sheave", &[]).changes, []);
    // Not applied by us before: it may be a change.
    live["metadata"]["managedFields"] = json!([]);
    let got = diff(&desired, &live, "sheave", &[]);
    assert!(got.doubt);
    assert_eq!(lines(&got.changes), ["spec.a: - => false", "spec.e: - => 0"]);
}

#[test]
fn an_item_more_in_a_list_is_a_change_even_if_it_is_empty() {
    let with = |list: Json| json!({"kind": "Widget", "metadata": {"name": "w"}, "spec": {"list": list}});
    for item in [json!(null), json!(""), json!(0), json!([]), json!({})] {
        let got = diff(&with(json!([item])), &applied(&with(json!([]))), "sheave", &[]);
        assert_eq!(lines(&got.changes).len(), 1, "{item}: {got:?}");
        assert_eq!(got.changes[0].pointer, "/spec/list/0");
    }
}

#[test]
fn exact_differences_between_two_states() {
    let before = live_deployment();
    let mut after = before.clone();
    after["metadata"]["resourceVersion"] = json!("2");
    after["metadata"]["managedFields"] = json!([]);
    after["status"]["replicas"] = json!(7);
    assert_eq!(changes_between(&before, &after, "sheave"), []);
    after["spec"].as_object_mut().unwrap().remove("progressDeadlineSeconds");
    after["spec"]["template"]["spec"]["hostNetwork"] = json!(true);
    after.pointer_mut("/spec/template/spec/containers").unwrap().as_array_mut().unwrap().remove(0);
    assert_eq!(
        lines(&changes_between(&before, &after, "sheave"))
            .iter()
            .map(|l| l.split(':').next().unwrap())
            .collect::<Vec<_>>(),
        [
            "spec.template.spec.containers[app]",
            "spec.template.spec.hostNetwork",
            "spec.progressDeadlineSeconds"
        ]
    );
}

#[test]
fn debug_shows_no_values() {
    let secret = |v: &str| json!({"kind": "Secret", "metadata": {"name": "s"}, "data": {"k": v}});
    let got = diff(&secret("bmV3"), &applied(&secret("b2xk")), "sheave", &[]);
    let text = format!("{got:?}");
    assert!(text.contains("/data/k") && !text.contains("bmV3") && !text.contains("b2xk"), "{text}");
}

fn leaf() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (-3_i64..3).prop_map(Json::from),
        "[a-c]{0,2}".prop_map(Json::from),
    ]
}

/// Documents of maps, lists by key, sets, and lists that are replaced whole.
fn document() -> impl Strategy<Value = Json> {
    let name = prop_oneof![Just("a"), Just("b"), Just("nodeSelector"), Just("selector"), Just("requests")];
    let tree = leaf().prop_recursive(4, 40, 4, move |inner| {
        let items = proptest::collection::btree_map(
            "[a-d]",
            proptest::collection::btree_map("[x-z]", inner.clone(), 0..3),
            0..4,
        );
        let keyed = items.prop_map(|items| {
            Json::Array(
                items
                    .into_iter()
                    .map(|(name, fields)| {
                        let mut item: Map<String, Json> = fields.into_iter().collect();
                        item.insert("name".into(), name.into());
                        Json::Object(item)
                    })
                    .collect(),
            )
        });
        let set = proptest::collection::btree_set("[a-d]{1,2}", 0..4).prop_map(|s| json!(s));
        prop_oneof![
            proptest::collection::btree_map(name.clone(), inner.clone(), 0..4).prop_map(|m| json!(m)),
            proptest::collection::vec(inner, 0..4).prop_map(Json::from),
            keyed.prop_map(|list| json!({ "containers": list })),
            set.prop_map(|list| json!({ "finalizers": list })),
        ]
    });
    tree.prop_map(|spec| json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": spec}))
}

proptest! {
    #[test]
    fn an_applied_object_has_no_diff(desired in document()) {
        let got = diff(&desired, &applied(&desired), "sheave", &[]);
        prop_assert!(got.changes.is_empty(), "{:?}", lines(&got.changes));
        prop_assert!(drift(&desired, &applied(&desired), "sheave").is_empty());
    }

    #[test]
    fn equal_states_differ_in_nothing(state in document()) {
        prop_assert_eq!(changes_between(&applied(&state), &applied(&state), "sheave"), []);
    }

    /// Where nothing changed and nothing is in doubt, the two ask for the same but for what the server drops.
    #[test]
    fn a_silent_diff_hides_no_changed_leaf(old in document(), new in document()) {
        let live = applied(&old);
        let got = diff(&new, &live, "sheave", &[]);
        if got.changes.is_empty() && !got.doubt {
            prop_assert_eq!(normal(&new), normal(&old));
        }
    }

    #[test]
    fn hostile_objects_do_no_harm(a in any_json(), b in any_json()) {
        let _ = diff(&a, &b, "sheave", &["/a".into(), String::new(), "x".into()]);
        let _ = changes_between(&a, &b, "sheave");
        let _ = sheave_manifest::readiness(&a);
        let _ = sheave_manifest::explain_pod(&a);
        let _ = sheave_manifest::identity(&a);
        let _ = sheave_manifest::prepare(a.clone());
        let _ = sheave_manifest::owned_digest(&b, "sheave", b"");
        let _ = sheave_manifest::take_over(&b, &["x"], "sheave");
        let _ = sheave_manifest::client_side_managers(&b);
    }
}

/// Without nulls and empty containers; lists by key in the order of their keys, sets sorted, whole numbers as they are.
fn normal(value: &Json) -> Json {
    match value {
        Json::Object(fields) => {
            let mut out = Map::new();
            for (name, value) in fields {
                let mut value = normal(value);
                if matches!(name.as_str(), "containers" | "finalizers")
                    && let Some(items) = value.as_array_mut()
                {
                    items.sort_by_key(|v| v["name"].to_string() + &v.to_string());
                }
                let empty = value.is_null()
                    || value.as_array().is_some_and(Vec::is_empty)
                    || value.as_object().is_some_and(Map::is_empty);
                if !empty {
                    out.insert(name.clone(), value);
                }
            }
            Json::Object(out)
        }
        Json::Array(items) => Json::Array(items.iter().map(normal).collect()),
        other => other.clone(),
    }
}

fn any_json() -> impl Strategy<Value = Json> {
    let words = prop_oneof![
        Just("metadata"),
        Just("managedFields"),
        Just("fieldsV1"),
        Just("manager"),
        Just("spec"),
        Just("status"),
        Just("conditions"),
        Just("f:spec"),
        Just("k:{\"name\":\"a\"}"),
        Just("v:1"),
        Just("."),
        Just("name"),
        Just("kind"),
        Just("containers"),
        Just("containerStatuses"),
        Just("phase"),
        Just("data"),
    ];
    let values = prop_oneof![
        leaf(),
        Just(json!("sheave")),
        Just(json!("Apply")),
        Just(json!("Secret")),
        Just(json!("Pod"))
    ];
    values.prop_recursive(6, 60, 5, move |inner| {
        prop_oneof![
            proptest::collection::btree_map(words.clone(), inner.clone(), 0..5).prop_map(|m| json!(m)),
            proptest::collection::vec(inner, 0..4).prop_map(Json::from),
        ]
    })
}
