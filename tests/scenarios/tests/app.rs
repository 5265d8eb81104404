//! `kubernetes:App` on the real control plane: what people write, and what becomes of it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests assert by panicking, as tests do")]

use serde_json::Value;
use sheave_testkit::{Secret, Stack, leaks::decode_base64};

const TEXT: &str = r#"
blueprint: app
inputs: {token: {type: string, secret: true}, more: {type: string, default: "a=b=c"}}
targets: {main: {kubernetes: {context: admin, namespace: "@namespace@"}}}
plugins: {kubernetes: {}}
resources:
  Web_Shop:
    type: kubernetes:App
    properties:
      name: My Web_Shop
      image: nginx
      tag: "1.29"
      replicas: 2
      cpu: {request: 100m, limit: "1"}
      memory: {request: 64Mi}
      env: {TOKEN: "${inputs.token}", MORE: "${inputs.more}", PORT: 8080}
      ports: {internal: [{port: 8080}, {port: 9090, target: 9091}], external: [{port: 80, target: 8080}]}
      volumes:
        /data: {size: 1Gi}
        /tmp/scratch: {scratch: true}
      ingress: {host: shop.example.com, port: 8080}
  worker:
    type: kubernetes:App
    properties: {image: "busybox:1.37", command: [sleep, infinity]}
outputs:
  outside: ${resources.Web_Shop.outputs.externalAddresses}
  inside: ${resources.Web_Shop.outputs.internalAddresses}
  ready: ${resources.Web_Shop.outputs.readyReplicas}
"#;

fn template(stack: &Stack) -> Value {
    stack.object("deployment", "my-web-shop").unwrap()["spec"]["template"].clone()
}

#[test]
fn it_runs_answers_and_restarts_with_its_secrets() {
    let stack = Stack::new("app");
    stack.blueprint(TEXT);
    let (first, second) = ("the-first-token", "the-second-token");
    let call = |args: &[&str], token: &str| {
        stack.sheave(args.iter().copied()).env("SHEAVE_INPUT_token", token).run()
    };
    let _ = call(&["apply", "--yes"], first).exits(0);
    let outputs = stack.run(["outputs", "--json"]).exits(0).stdout;
    let service = stack.object("service", "my-web-shop-external-80").unwrap();
    let address = service["status"]["loadBalancer"]["ingress"][0]["ip"].as_str().unwrap();
    assert!(outputs.contains(&format!("{address}:80")), "{outputs}");
    assert!(outputs.contains(":9090") && outputs.contains("my-web-shop"), "{outputs}");
    assert!(
        stack.object("deployment", "worker").is_some() && stack.object("ingress", "my-web-shop").is_some()
    );
    assert_eq!(stack.objects("persistentvolumeclaims")[0]["status"]["phase"], "Bound");

    let before = template(&stack);
    let env = before["spec"]["containers"][0]["env"].as_array().unwrap();
    let of = |name: &str| env.iter().find(|e| e["name"] == name).unwrap();
    assert_eq!(of("MORE")["value"], "a=b=c");
    let reference = of("TOKEN")["valueFrom"]["secretKeyRef"]["name"].as_str().unwrap().to_owned();
    let stored = |stack: &Stack| {
        let secret = stack.object("secret", &reference).unwrap();
        decode_base64(secret["data"]["TOKEN"].as_str().unwrap())
    };
    assert_eq!(stored(&stack), first.as_bytes());
    assert!(call(&["plan", "--detailed-exitcode"], first).code() == Some(0));

    // A new secret is a new template: the pods are made anew with it.
    let planned = call(&["plan"], second).exits(0);
    assert!(planned.stdout.contains("sheave-restart-on"), "{planned}");
    let _ = call(&["apply", "--yes"], second).exits(0);
    assert_eq!(stored(&stack), second.as_bytes());
    let after = template(&stack);
    let digest = |t: &Value| t["metadata"]["annotations"]["sheave-restart-on"].as_str().unwrap().to_owned();
    assert_ne!(digest(&before), digest(&after));
    for secret in [first, second] {
        assert_eq!(Secret::new(secret).search(stack.root()), []);
        Secret::new(secret).must_not_be_in("the template", after.to_string());
    }
    let _ = stack.run(["destroy", "--yes"]).exits(0);
    assert_eq!(stack.names("deployments,services,ingresses,persistentvolumeclaims"), Vec::<String>::new());
}
