// A plugin with one type: a page, the pods that show it and the service before them.

#include "emitter.h"

static const int most_pods = 10;

// What a blueprint writes.
static const sheave_field props[] = {
    {.name = "message", .schema = SHEAVE_TEXT, .about = "What the page says."},
    {.name = "replicas", .schema = SHEAVE_INTEGER ", 'minimum': 1", .about = "How many pods show it.", .otherwise = "1"},
    {.name = "labels", .schema = SHEAVE_MAP_OF_TEXTS, .about = "Labels for the objects.", .otherwise = "{}"},
    {0},
};

// What other resources can read.
static const sheave_field outputs[] = {
    {.name = "address", .schema = SHEAVE_TEXT SHEAVE_STABLE, .about = "Where the page is, inside the cluster."},
    {.name = "pods", .schema = SHEAVE_INTEGER, .about = "How many pods show it now."},
    {0},
};

static void check(const sheave_context *cx, const json *props, sheave_diagnostics *found) {
  (void)cx;
  long long replicas = json_integer(json_get(props, "replicas"), 1);
  if (!*json_text(json_get(props, "message"), "")) {
    sheave_report(found, (sheave_diagnostic){.code = "greeting.no-message", .summary = "the page says nothing", .at = "/message"});
  }
  if (replicas > most_pods) {
    sheave_report(found, (sheave_diagnostic){
                             .code = "greeting.too-many-pods",
                             .summary = sheave_format("%lld pods are too many for a page", replicas),
                             .detail = sheave_format("at most %d show it", most_pods),
                             .at = "/replicas",
                         });
  }
}

static const sheave_failure *render(const sheave_context *cx, const json *props, const json *found, sheave_objects *objects) {
  (void)found;
  const char *name = sheave_label(cx->name);
  const json *labels = json_get(props, "labels");
  json *metadata = json_make("{'name': %s}", name), *selector = json_make("{'app': %s}", name);
  if (labels && labels->count) json_set(metadata, "labels", labels);
  const char *text = sheave_format("<h1>%s</h1>\n", json_text(json_get(props, "message"), ""));
  sheave_emit(objects, (sheave_object){
                           .slot = "page",
                           .manifest = json_make(
                               "{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': %j, 'data': {'index.html': %s}}", metadata, text),
                       });
  const json *container = json_make(
      "{'name': 'web', 'image': 'nginx:1.29', 'ports': [{'containerPort': 80}],"
      " 'volumeMounts': [{'name': 'page', 'mountPath': '/usr/share/nginx/html'}]}");
  const json *pods = json_make(
      "{'apiVersion': 'apps/v1', 'kind': 'Deployment', 'metadata': %j,"
      " 'spec': {'replicas': %j, 'selector': {'matchLabels': %j},"
      "  'template': {'metadata': {'labels': %j},"
      "   'spec': {'containers': [%j], 'volumes': [{'name': 'page', 'configMap': {'name': %s}}]}}}}",
      metadata, json_get(props, "replicas"), selector, selector, container, name);
  static const char *const page[] = {"page", NULL};
  sheave_emit(objects, (sheave_object){.slot = "pods", .manifest = pods, .after = page, .restart_on = page});
  sheave_emit(objects, (sheave_object){
                           .slot = "service",
                           .manifest = json_make(
                               "{'apiVersion': 'v1', 'kind': 'Service', 'metadata': %j,"
                               " 'spec': {'selector': %j, 'ports': [{'port': 80}]}}",
                               metadata, selector),
                       });
  return NULL;
}

static const sheave_failure *observe(const sheave_context *cx, const json *props, const json *live, sheave_observation *seen) {
  long long ready = json_integer(json_path(live, "pods", "status", "readyReplicas", NULL), 0);
  long long wanted = json_integer(json_get(props, "replicas"), 1);
  const char *address = sheave_format("http://%s", sheave_label(cx->name));
  seen->outputs = json_make("{'address': %s, 'pods': %l}", address, ready);
  seen->ready = ready >= wanted;
  if (!seen->ready) seen->reason = sheave_format("%lld of %lld pods are ready", ready, wanted);
  return NULL;
}

static const sheave_emitter page = {
    .name = "Page",
    .summary = "a page that says something",
    .props = props,
    .outputs = outputs,
    .check = check,
    .render = render,
    .observe = observe,
};

const sheave_emitter *const sheave_emitters[] = {&page, NULL};
