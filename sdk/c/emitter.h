// Types that turn properties into Kubernetes objects, which the host applies.
//
// Everything here is pure: the same properties give the same objects, byte for byte.
#ifndef SHEAVE_EMITTER_H
#define SHEAVE_EMITTER_H

#include "sheave.h"

// One desired object. `slot` is stable within the instance: a rename or a diff is keyed by it; metadata.namespace is left out
// for the host to fill in. The rest may be left out.
typedef struct {
  const char *slot;
  const json *manifest;
  // Another target of the blueprint, by its name there.
  const char *target;
  // Slots that must be ready first, and slots whose content restarts this object's pods; NULL at the end.
  const char *const *after, *const *restart_on;
  // CEL over `self`; left out: the host's rule for the kind.
  const char *ready_when;
} sheave_object;

typedef struct sheave_objects sheave_objects;
void sheave_emit(sheave_objects *objects, sheave_object one);

// A live object that rendering wants to see.
typedef struct {
  const char *api_version, *kind, *name, *namespace, *target;
} sheave_lookup;

typedef struct sheave_lookups sheave_lookups;
void sheave_look_up(sheave_lookups *lookups, sheave_lookup one);

// What the live objects say.
typedef struct {
  bool ready;
  // Why not, or how: a short word for people.
  const char *reason;
  const json *outputs;
} sheave_observation;

// A type. `props` have their defaults; `found` and `live` are objects by slot, null where one does not exist.
typedef struct {
  const char *name, *summary;
  // Of the stored state; left out: 1.
  uint32_t version;
  const sheave_field *props, *outputs;
  // Rules across fields, which the schema cannot say; may be left out.
  void (*check)(const sheave_context *cx, const json *props, sheave_diagnostics *found);
  // Live objects to look at before rendering; may be left out.
  const sheave_failure *(*needs)(const sheave_context *cx, const json *props, const json *found, sheave_lookups *lookups);
  const sheave_failure *(*render)(const sheave_context *cx, const json *props, const json *found, sheave_objects *objects);
  const sheave_failure *(*observe)(const sheave_context *cx, const json *props, const json *live, sheave_observation *seen);
} sheave_emitter;

// The plugin's types, NULL at the end: the plugin defines it.
extern const sheave_emitter *const sheave_emitters[];

#endif
