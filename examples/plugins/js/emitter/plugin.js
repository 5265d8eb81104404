// A plugin with one type: a page, the pods that show it and the service before them.

import { emitter, fault, integer, label, map, ready, stable, text, waiting } from "./sdk/sheave.js";

const mostPods = 10;

emitter("Page", {
  summary: "a page that says something",
  // What a blueprint writes.
  props: {
    message: text("What the page says."),
    replicas: integer("How many pods show it.", { default: 1, minimum: 1 }),
    labels: map(text(), "Labels for the objects.", { default: {} }),
  },
  // What other resources can read.
  outputs: {
    address: text("Where the page is, inside the cluster.", stable),
    pods: integer("How many pods show it now."),
  },

  check(cx, { message, replicas }) {
    const found = [];
    if (message === "") found.push(fault("greeting.no-message", "the page says nothing", { at: "/message" }));
    if (replicas > mostPods) {
      const detail = `at most ${mostPods} show it`;
      found.push(fault("greeting.too-many-pods", `${replicas} pods are too many for a page`, { detail, at: "/replicas" }));
    }
    return found;
  },

  render(cx, { message, replicas, labels }) {
    const name = label(cx.name);
    const metadata = Object.keys(labels).length > 0 ? { name, labels } : { name };
    const selector = { app: name };
    const page = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata,
      data: { "index.html": `<h1>${message}</h1>\n` },
    };
    const container = {
      name: "web",
      image: "nginx:1.29",
      ports: [{ containerPort: 80 }],
      volumeMounts: [{ name: "page", mountPath: "/usr/share/nginx/html" }],
    };
    const pods = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata,
      spec: {
        replicas,
        selector: { matchLabels: selector },
        template: {
          metadata: { labels: selector },
          spec: { containers: [container], volumes: [{ name: "page", configMap: { name } }] },
        },
      },
    };
    const service = {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { selector, ports: [{ port: 80 }] },
    };
    return [
      { slot: "page", manifest: page },
      { slot: "pods", manifest: pods, after: ["page"], restartOn: ["page"] },
      { slot: "service", manifest: service },
    ];
  },

  observe(cx, { replicas }, live) {
    const pods = live.pods?.status?.readyReplicas ?? 0;
    const outputs = { address: `http://${label(cx.name)}`, pods };
    return pods < replicas ? waiting(`${pods} of ${replicas} pods are ready`, outputs) : ready(outputs);
  },
});
