#include "glue.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *glue_room(size_t bytes) {
  void *there = calloc(1, bytes ? bytes : 1);
  if (!there) abort();
  return there;
}

wit_string_t glue_text(const char *text) {
  wit_string_t out;
  wit_string_dup(&out, text ? text : "");
  return out;
}

char *glue_string(const wit_string_t *text) {
  char *out = glue_room(text->len + 1);
  memcpy(out, text->ptr, text->len);
  return out;
}

wit_doc glue_doc(const json *tree) {
  wit_doc doc = {0};
  size_t length;
  doc.json.ptr = (uint8_t *)json_write(tree, &length);
  doc.json.len = length;
  return doc;
}

const json *glue_tree(const wit_doc *doc) {
  if (doc->json.len == 0) return json_make("null");
  const json *tree = json_parse((const char *)doc->json.ptr, doc->json.len);
  // The host has written it.
  if (!tree) abort();
  return tree;
}

sheave_context glue_context(const wit_instance *of, const wit_doc *props) {
  json *unknown = json_make("[]"), *secret = json_make("[]");
  for (size_t i = 0; props && i < props->marks.len; i++) {
    const sheave_plugin_types_mark_t *mark = &props->marks.ptr[i];
    bool is_unknown = mark->kind == SHEAVE_PLUGIN_TYPES_MARK_KIND_UNKNOWN;
    json_add(is_unknown ? unknown : secret, json_of_text(glue_string(&mark->pointer)));
  }
  return (sheave_context){
      .type = glue_string(&of->type_name), .name = glue_string(&of->name), .stack = glue_string(&of->stack),
      .settings = glue_tree(&of->settings), .unknown = unknown, .secret = secret,
  };
}

wit_diagnostic glue_diagnostic(const sheave_diagnostic *d) {
  wit_diagnostic out = {
      .severity = (uint8_t)d->severity, .code = glue_text(d->code), .summary = glue_text(d->summary), .detail = glue_text(d->detail),
  };
  out.pointer.is_some = d->at != NULL;
  if (d->at) out.pointer.val = glue_text(d->at);
  return out;
}

void glue_diagnostics(const sheave_diagnostics *found, sheave_plugin_types_diagnostics_t *out) {
  out->len = found->count;
  out->ptr = glue_room(found->count * sizeof *out->ptr);
  for (size_t i = 0; i < found->count; i++) out->ptr[i] = glue_diagnostic(&found->all[i]);
}

wit_failure glue_failure(const sheave_failure *failure) {
  wit_failure out = {.tag = (uint8_t)failure->kind};
  if (failure->kind == SHEAVE_INVALID) {
    sheave_diagnostics one = {0};
    sheave_report(&one, failure->why);
    glue_diagnostics(&one, &out.val.invalid);
  } else if (failure->kind == SHEAVE_RETRY) {
    out.val.retry.after_ms = failure->after_ms;
    out.val.retry.why = glue_diagnostic(&failure->why);
  } else if (failure->kind != SHEAVE_NOT_FOUND) {
    // The others have their diagnostic in the same place.
    out.val.other = glue_diagnostic(&failure->why);
  }
  return out;
}

size_t glue_find(const wit_string_t *name, wit_failure *err) {
  char *wanted = glue_string(name);
  for (size_t i = 0; i < sheave_count(); i++) {
    if (strcmp(sheave_nth(i).name, wanted) == 0) return i;
  }
  const char *summary = sheave_format("the plugin has no type `%s`", wanted);
  *err = glue_failure(sheave_fail(SHEAVE_FAILED, (sheave_diagnostic){.code = "sdk.unknown-type", .summary = summary}));
  return sheave_count();
}

static const json *template(const char *text) { return json_make(text); }

const json *glue_props(const sheave_field *fields, const wit_doc *props) {
  json *tree = (json *)glue_tree(props);
  for (; tree->kind == JSON_OBJECT && fields->name; fields++) {
    if (fields->otherwise && !json_get(tree, fields->name)) json_set(tree, fields->name, template(fields->otherwise));
  }
  return tree;
}

static json *schema_of(const sheave_field *fields) {
  json *properties = json_make("{}"), *required = json_make("[]");
  for (; fields->name; fields++) {
    json *schema = json_make(sheave_format("{%s}", fields->schema));
    if (fields->about) json_set(schema, "description", json_of_text(fields->about));
    if (fields->otherwise) json_set(schema, "default", template(fields->otherwise));
    json_set(properties, fields->name, schema);
    if (!fields->otherwise && !fields->optional) json_add(required, json_of_text(fields->name));
  }
  json *schema = json_make("{'type': 'object', 'properties': %j, 'additionalProperties': false}", properties);
  if (required->count) json_set(schema, "required", required);
  return schema;
}

json *glue_schema(const sheave_field *props, const sheave_field *outputs) {
  json *schema = schema_of(props);
  json_set(schema, "$schema", json_of_text("https://json-schema.org/draft/2020-12/schema"));
  json_set(schema, "x-outputs", schema_of(outputs));
  return schema;
}

void glue_list(const char *const *texts, wit_list_string_t *out) {
  size_t count = 0;
  while (texts && texts[count]) count++;
  out->len = count;
  out->ptr = glue_room(count * sizeof *out->ptr);
  for (size_t i = 0; i < count; i++) out->ptr[i] = glue_text(texts[i]);
}

static void say(sheave_level level, const char *message, const char *names[], const char *values[], size_t count) {
  wit_string_t text = {(uint8_t *)message, strlen(message)};
  sheave_plugin_log_field_t fields[2];
  for (size_t i = 0; i < count; i++) {
    fields[i].name = (wit_string_t){(uint8_t *)names[i], strlen(names[i])};
    fields[i].value = (wit_string_t){(uint8_t *)values[i], strlen(values[i])};
  }
  sheave_plugin_log_list_field_t list = {fields, count};
  sheave_plugin_log_log((uint8_t)level, &text, &list);
}

void sheave_say(sheave_level level, const char *format, ...) {
  char line[4096];
  va_list values;
  va_start(values, format);
  vsnprintf(line, sizeof line, format, values);
  va_end(values);
  say(level, line, NULL, NULL, 0);
}

void exports_sheave_plugin_model_describe(exports_sheave_plugin_model_list_type_info_t *ret) {
  ret->len = sheave_count();
  ret->ptr = glue_room(ret->len * sizeof *ret->ptr);
  for (size_t i = 0; i < ret->len; i++) {
    sheave_type type = sheave_nth(i);
    ret->ptr[i].name = glue_text(type.name);
    ret->ptr[i].role = sheave_role;
    ret->ptr[i].schema_version = type.version ? type.version : 1;
    ret->ptr[i].summary = glue_text(type.summary);
  }
}

bool exports_sheave_plugin_model_settings_schema(wit_string_t *ret) {
  (void)ret;
  return false;
}

bool exports_sheave_plugin_model_schema(wit_string_t *name, wit_string_t *ret, wit_failure *err) {
  size_t found = glue_find(name, err);
  if (found == sheave_count()) return false;
  sheave_type type = sheave_nth(found);
  *ret = glue_doc(glue_schema(type.props, type.outputs)).json;
  return true;
}

bool exports_sheave_plugin_model_check(wit_instance *of, wit_doc *props, wit_doc *ret, wit_failure *err) {
  size_t nth = glue_find(&of->type_name, err);
  if (nth == sheave_count()) return false;
  sheave_type type = sheave_nth(nth);
  sheave_context cx = glue_context(of, props);
  sheave_diagnostics found = {0};
  if (type.check) type.check(&cx, glue_props(type.props, props), &found);
  for (size_t i = 0; i < found.count; i++) {
    if (found.all[i].severity == SHEAVE_ERROR) {
      err->tag = SHEAVE_PLUGIN_TYPES_FAILURE_INVALID;
      glue_diagnostics(&found, &err->val.invalid);
      return false;
    }
  }
  for (size_t i = 0; i < found.count; i++) {
    const sheave_diagnostic *d = &found.all[i];
    const char *names[] = {"code", "detail"}, *values[] = {d->code, d->detail ? d->detail : ""};
    say(SHEAVE_LOG_WARN, d->summary, names, values, 2);
  }
  *ret = *props;
  return true;
}

bool exports_sheave_plugin_model_upgrade(wit_instance *of, uint32_t stored, wit_doc *state, wit_doc *ret, wit_failure *err) {
  size_t nth = glue_find(&of->type_name, err);
  if (nth == sheave_count()) return false;
  uint32_t version = sheave_nth(nth).version;
  if (stored == (version ? version : 1)) {
    *ret = *state;
    return true;
  }
  sheave_diagnostic why = {
      .code = "sdk.no-upgrade", .summary = sheave_format("state of version %u cannot be read", (unsigned)stored),
      .detail = sheave_format("this plugin stores version %u", (unsigned)(version ? version : 1)),
  };
  *err = glue_failure(sheave_fail(SHEAVE_FAILED, why));
  return false;
}
