#include "emitter.h"

#include <stdlib.h>

#include "glue.h"

struct sheave_objects {
  sheave_object *all;
  size_t count;
};

struct sheave_lookups {
  sheave_lookup *all;
  size_t count;
};

void sheave_emit(sheave_objects *objects, sheave_object one) {
  objects->all = realloc(objects->all, (objects->count + 1) * sizeof one);
  if (!objects->all) abort();
  objects->all[objects->count++] = one;
}

void sheave_look_up(sheave_lookups *lookups, sheave_lookup one) {
  lookups->all = realloc(lookups->all, (lookups->count + 1) * sizeof one);
  if (!lookups->all) abort();
  lookups->all[lookups->count++] = one;
}

const uint8_t sheave_role = EXPORTS_SHEAVE_PLUGIN_MODEL_ROLE_EMITS;

size_t sheave_count(void) {
  size_t count = 0;
  while (sheave_emitters[count]) count++;
  return count;
}

sheave_type sheave_nth(size_t n) {
  const sheave_emitter *e = sheave_emitters[n];
  return (sheave_type){e->name, e->summary, e->version, e->props, e->outputs, e->check};
}

static const json *live_of(const exports_sheave_plugin_emit_list_live_t *found) {
  json *live = json_make("{}");
  for (size_t i = 0; i < found->len; i++) {
    const exports_sheave_plugin_emit_live_t *one = &found->ptr[i];
    json_set(live, glue_string(&one->slot), one->body.is_some ? glue_tree(&one->body.val) : json_make("null"));
  }
  return live;
}

bool exports_sheave_plugin_emit_needs(wit_instance *of, wit_doc *props, exports_sheave_plugin_emit_list_live_t *found,
                                      exports_sheave_plugin_emit_list_lookup_t *ret, wit_failure *err) {
  size_t nth = glue_find(&of->type_name, err);
  if (nth == sheave_count()) return false;
  const sheave_emitter *type = sheave_emitters[nth];
  sheave_context cx = glue_context(of, props);
  sheave_lookups lookups = {0};
  const sheave_failure *failure = type->needs ? type->needs(&cx, glue_props(type->props, props), live_of(found), &lookups) : NULL;
  if (failure) {
    *err = glue_failure(failure);
    return false;
  }
  ret->len = lookups.count;
  ret->ptr = glue_room(lookups.count * sizeof *ret->ptr);
  for (size_t i = 0; i < lookups.count; i++) {
    const sheave_lookup *one = &lookups.all[i];
    ret->ptr[i].target = glue_text(one->target);
    ret->ptr[i].api_version = glue_text(one->api_version);
    ret->ptr[i].kind = glue_text(one->kind);
    ret->ptr[i].name = glue_text(one->name);
    ret->ptr[i].namespace_.is_some = one->namespace != NULL;
    if (one->namespace) ret->ptr[i].namespace_.val = glue_text(one->namespace);
  }
  return true;
}

bool exports_sheave_plugin_emit_render(wit_instance *of, wit_doc *props, exports_sheave_plugin_emit_list_live_t *found,
                                       exports_sheave_plugin_emit_list_emitted_t *ret, wit_failure *err) {
  size_t nth = glue_find(&of->type_name, err);
  if (nth == sheave_count()) return false;
  const sheave_emitter *type = sheave_emitters[nth];
  sheave_context cx = glue_context(of, props);
  sheave_objects objects = {0};
  const sheave_failure *failure = type->render(&cx, glue_props(type->props, props), live_of(found), &objects);
  if (failure) {
    *err = glue_failure(failure);
    return false;
  }
  ret->len = objects.count;
  ret->ptr = glue_room(objects.count * sizeof *ret->ptr);
  for (size_t i = 0; i < objects.count; i++) {
    const sheave_object *one = &objects.all[i];
    ret->ptr[i].slot = glue_text(one->slot);
    ret->ptr[i].target = glue_text(one->target);
    ret->ptr[i].manifest = glue_doc(one->manifest);
    glue_list(one->after, &ret->ptr[i].after);
    glue_list(one->restart_on, &ret->ptr[i].restart_on);
    ret->ptr[i].ready_when.is_some = one->ready_when != NULL;
    if (one->ready_when) ret->ptr[i].ready_when.val = glue_text(one->ready_when);
  }
  return true;
}

bool exports_sheave_plugin_emit_observe(wit_instance *of, wit_doc *props, exports_sheave_plugin_emit_list_live_t *live,
                                        exports_sheave_plugin_emit_observation_t *ret, wit_failure *err) {
  size_t nth = glue_find(&of->type_name, err);
  if (nth == sheave_count()) return false;
  const sheave_emitter *type = sheave_emitters[nth];
  sheave_context cx = glue_context(of, props);
  sheave_observation seen = {0};
  const sheave_failure *failure = type->observe(&cx, glue_props(type->props, props), live_of(live), &seen);
  if (failure) {
    *err = glue_failure(failure);
    return false;
  }
  ret->ready = seen.ready;
  ret->reason = glue_text(seen.reason);
  ret->outputs = glue_doc(seen.outputs ? seen.outputs : json_make("{}"));
  return true;
}
