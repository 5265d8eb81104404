#include "provider.h"

#include <string.h>

#include "glue.h"

typedef sheave_plugin_types_snapshot_t wit_snapshot;
typedef exports_sheave_plugin_provide_change_t wit_change;
typedef exports_sheave_plugin_provide_planned_t wit_planned;
typedef exports_sheave_plugin_provide_step_t wit_step;

const uint8_t sheave_role = EXPORTS_SHEAVE_PLUGIN_MODEL_ROLE_PROVIDES;

size_t sheave_count(void) {
  size_t count = 0;
  while (sheave_providers[count]) count++;
  return count;
}

sheave_type sheave_nth(size_t n) {
  const sheave_provider *p = sheave_providers[n];
  return (sheave_type){p->name, p->summary, p->version, p->props, p->outputs, p->check};
}

static sheave_resource known_of(const wit_snapshot *prior) {
  return (sheave_resource){glue_string(&prior->id), glue_tree(&prior->state), glue_tree(&prior->outputs)};
}

static wit_snapshot snapshot(const sheave_resource *there) {
  return (wit_snapshot){.id = glue_text(there->id), .state = glue_doc(there->state), .outputs = glue_doc(there->outputs)};
}

static bool has(const json *schema, const char *keyword) {
  const json *value = json_get(schema, keyword);
  return value && value->kind == JSON_BOOLEAN && value->boolean;
}

static void list(const json *texts, wit_list_string_t *out) {
  const char **all = glue_room((texts->count + 1) * sizeof *all);
  for (size_t i = 0; i < texts->count; i++) all[i] = texts->items[i]->text;
  glue_list(all, out);
}

// What the schema tells.
static sheave_planned by_schema(const json *schema, const sheave_resource *prior, const json *props) {
  sheave_planned planned = {.outputs = json_make("{}"), .unknown = json_make("[]"), .replace = json_make("[]")};
  const json *properties = json_get(schema, "properties"), *outputs = json_path(schema, "x-outputs", "properties", NULL);
  for (size_t i = 0; prior && i < properties->count; i++) {
    const char *name = properties->names[i]->text;
    const json *before = json_get(prior->state, name);
    if (has(properties->items[i], "x-immutable") && before && !json_same(before, json_get(props, name))) {
      json_add(planned.replace, json_of_text(sheave_format("/%s", name)));
    }
  }
  for (size_t i = 0; i < outputs->count; i++) {
    const char *name = outputs->names[i]->text;
    const json *before = prior ? json_get(prior->outputs, name) : NULL;
    if (has(outputs->items[i], "x-stable") && before && planned.replace->count == 0) {
      json_set(planned.outputs, name, before);
    } else {
      json_add(planned.unknown, json_of_text(name));
    }
  }
  return planned;
}

bool exports_sheave_plugin_provide_plan(wit_change *what, wit_planned *ret, wit_failure *err) {
  size_t nth = glue_find(&what->of.type_name, err);
  if (nth == sheave_count()) return false;
  memset(ret, 0, sizeof *ret);
  if (!what->desired.is_some) {
    ret->outputs = glue_doc(json_make("{}"));
    return true;
  }
  const sheave_provider *type = sheave_providers[nth];
  sheave_context cx = glue_context(&what->of, &what->desired.val);
  const json *props = glue_props(type->props, &what->desired.val), *schema = glue_schema(type->props, type->outputs);
  sheave_resource known, *prior = NULL;
  if (what->prior.is_some) known = known_of(&what->prior.val), prior = &known;
  sheave_planned planned = by_schema(schema, prior, props);
  const sheave_failure *failure = type->plan ? type->plan(&cx, prior, props, &planned) : NULL;
  if (failure) {
    *err = glue_failure(failure);
    return false;
  }
  ret->outputs.marks.ptr = glue_room(planned.unknown->count * sizeof *ret->outputs.marks.ptr);
  for (size_t i = 0; i < planned.unknown->count; i++) {
    const char *name = planned.unknown->items[i]->text;
    if (json_get(planned.outputs, name)) continue;
    // What will be a text is one already, so that it can travel on as a token.
    const char *kind = json_text(json_path(schema, "x-outputs", "properties", name, "type", NULL), "");
    json_set(planned.outputs, name, json_make(strcmp(kind, "string") == 0 ? "''" : "null"));
    sheave_plugin_types_mark_t *mark = &ret->outputs.marks.ptr[ret->outputs.marks.len++];
    mark->pointer = glue_text(sheave_format("/%s", name));
    mark->kind = SHEAVE_PLUGIN_TYPES_MARK_KIND_UNKNOWN;
  }
  ret->outputs.json = glue_doc(planned.outputs).json;
  list(planned.replace, &ret->replace);
  glue_diagnostics(&planned.notes, &ret->notes);
  return true;
}

bool exports_sheave_plugin_provide_read(wit_instance *of, wit_snapshot *prior,
                                        exports_sheave_plugin_provide_option_snapshot_t *ret, wit_failure *err) {
  size_t nth = glue_find(&of->type_name, err);
  if (nth == sheave_count()) return false;
  sheave_context cx = glue_context(of, NULL);
  sheave_resource known = known_of(prior);
  sheave_step step = {0};
  const sheave_failure *failure = sheave_providers[nth]->read(&cx, &known, &step);
  if (failure) {
    *err = glue_failure(failure);
    return false;
  }
  ret->is_some = step.progress == SHEAVE_DONE;
  if (ret->is_some) ret->val = snapshot(&step.resource);
  return true;
}

static wit_step step_of(const sheave_step *step) {
  wit_step out = {0};
  switch (step->progress) {
    case SHEAVE_GONE:
    case SHEAVE_DONE:
      out.tag = EXPORTS_SHEAVE_PLUGIN_PROVIDE_STEP_DONE;
      out.val.done.is_some = step->progress == SHEAVE_DONE;
      if (out.val.done.is_some) out.val.done.val = snapshot(&step->resource);
      break;
    case SHEAVE_PENDING: {
      const char *resume = step->resume ? step->resume : "";
      wit_string_t bytes = glue_text(resume);
      out.tag = EXPORTS_SHEAVE_PLUGIN_PROVIDE_STEP_PENDING;
      out.val.pending.resume.ptr = bytes.ptr;
      out.val.pending.resume.len = bytes.len;
      out.val.pending.after_ms = step->after_ms;
      out.val.pending.message = glue_text(step->message);
      out.val.pending.percent.is_some = step->percent > 0;
      out.val.pending.percent.val = step->percent;
      break;
    }
    case SHEAVE_PARTIAL:
      out.tag = EXPORTS_SHEAVE_PLUGIN_PROVIDE_STEP_PARTIAL;
      out.val.partial.left = snapshot(&step->resource);
      glue_diagnostics(&step->why, &out.val.partial.why);
  }
  return out;
}

bool exports_sheave_plugin_provide_apply(wit_change *what, wit_planned *agreed, wit_string_t *key, wit_list_u8_t *resume,
                                         wit_step *ret, wit_failure *err) {
  (void)agreed;
  size_t nth = glue_find(&what->of.type_name, err);
  if (nth == sheave_count()) return false;
  const sheave_provider *type = sheave_providers[nth];
  sheave_context cx = glue_context(&what->of, what->desired.is_some ? &what->desired.val : NULL);
  sheave_attempt attempt = {.key = glue_string(key)};
  if (resume) attempt.resume = glue_string(&(wit_string_t){resume->ptr, resume->len});
  const json *props = what->desired.is_some ? glue_props(type->props, &what->desired.val) : NULL;
  sheave_resource known, *prior = NULL;
  if (what->prior.is_some) known = known_of(&what->prior.val), prior = &known;
  sheave_step step = {0};
  const sheave_failure *failure = NULL;
  if (prior && props) {
    failure = type->update(&cx, prior, props, &attempt, &step);
  } else if (prior) {
    failure = type->remove(&cx, prior, &attempt, &step);
  } else if (props) {
    failure = type->create(&cx, props, &attempt, &step);
  }
  if (failure) {
    *err = glue_failure(failure);
    return false;
  }
  *ret = step_of(&step);
  return true;
}
