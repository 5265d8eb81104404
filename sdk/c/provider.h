// Types that create, read, update and delete something by themselves.
#ifndef SHEAVE_PROVIDER_H
#define SHEAVE_PROVIDER_H

#include "sheave.h"

// A thing that is there.
typedef struct {
  // Its identity outside.
  const char *id;
  // Kept by the host and given back. A field with an immutable property's name is compared with that property.
  const json *state;
  // What expressions may read.
  const json *outputs;
} sheave_resource;

// One try at a change.
typedef struct {
  // The same on every try of one change: the idempotency key.
  const char *key;
  // What the last `SHEAVE_PENDING` said; NULL on the first call.
  const char *resume;
} sheave_attempt;

// How far a change came. `SHEAVE_GONE` is what a step is where nothing is said.
typedef enum { SHEAVE_GONE, SHEAVE_DONE, SHEAVE_PENDING, SHEAVE_PARTIAL } sheave_progress;
typedef struct {
  sheave_progress progress;
  // Done or partial: what there is.
  sheave_resource resource;
  // Partial: why it is not right; the host stores it as tainted.
  sheave_diagnostics why;
  // Pending: the host keeps `resume` durably, waits and calls again. `percent` is 1 to 100; 0: not known.
  const char *resume, *message;
  uint32_t after_ms;
  uint8_t percent;
} sheave_step;

// What a change would do.
typedef struct {
  // The outputs, as far as they are known.
  json *outputs;
  // Names of the outputs that only apply can tell: an array of texts.
  json *unknown;
  // Pointers of the properties that force a replacement: an array of texts. The schema has told which are immutable.
  json *replace;
  sheave_diagnostics notes;
} sheave_planned;

// A type. `props` have their defaults; `check` and `plan` are pure and run without any grant.
typedef struct {
  const char *name, *summary;
  // Of the stored state; left out: 1.
  uint32_t version;
  const sheave_field *props, *outputs;
  // Rules across fields, which the schema cannot say; may be left out.
  void (*check)(const sheave_context *cx, const json *props, sheave_diagnostics *found);
  // What a change would do; `prior` is NULL of a creation. `planned` holds what the schema tells, to be amended: outputs are
  // unknown, but those that are stable keep their value where nothing is replaced. May be left out.
  const sheave_failure *(*plan)(const sheave_context *cx, const sheave_resource *prior, const json *props, sheave_planned *planned);
  // Makes it. Called again with the same key when the host was cut off: what is there already under that key is to be found,
  // not made twice.
  const sheave_failure *(*create)(const sheave_context *cx, const json *props, const sheave_attempt *attempt, sheave_step *step);
  // What there is now, as a step that is done; or gone.
  const sheave_failure *(*read)(const sheave_context *cx, const sheave_resource *known, sheave_step *step);
  const sheave_failure *(*update)(const sheave_context *cx, const sheave_resource *known, const json *props,
                                  const sheave_attempt *attempt, sheave_step *step);
  // That it is gone already is no error.
  const sheave_failure *(*remove)(const sheave_context *cx, const sheave_resource *known, const sheave_attempt *attempt, sheave_step *step);
} sheave_provider;

// The plugin's types, NULL at the end: the plugin defines it.
extern const sheave_provider *const sheave_providers[];

#endif
