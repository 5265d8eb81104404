// For authors of Sheave plugins in C: this, and `emitter.h` for types that turn properties into Kubernetes objects or
// `provider.h` for types that create, read, update and delete something by themselves.
//
// A text that the plugin may not see, secret or known only after apply, is a token: a text like any other, that may be placed
// whole or inside a longer text. The host finds it again and puts the value in. To take one apart or to hash it is refused;
// `sheave_has_token` tells where one stands.
//
// Nothing needs to be freed: each call runs in memory of its own. What is printed goes nowhere; `sheave_say` writes to the
// operator's log.
#ifndef SHEAVE_H
#define SHEAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json.h"

// A field of the properties or the outputs. Lists of fields end with {0}.
typedef struct {
  const char *name;
  // Members of its JSON Schema, as in a template of json_make: one of those below, and more behind it.
  const char *schema;
  // What it is, for people.
  const char *about;
  // Its default, as in a template; with one, or where `optional`, it may be left out.
  const char *otherwise;
  bool optional;
} sheave_field;

#define SHEAVE_TEXT "'type': 'string'"
#define SHEAVE_INTEGER "'type': 'integer'"
#define SHEAVE_NUMBER "'type': 'number'"
#define SHEAVE_BOOLEAN "'type': 'boolean'"
#define SHEAVE_MAP_OF_TEXTS "'type': 'object', 'additionalProperties': {'type': 'string'}"
#define SHEAVE_LIST_OF_TEXTS "'type': 'array', 'items': {'type': 'string'}"
// Keywords: another value means another thing; it names the thing outside; it is secret; (outputs) it cannot change.
#define SHEAVE_IMMUTABLE ", 'x-immutable': true"
#define SHEAVE_IDENTITY ", 'x-identity': true"
#define SHEAVE_SENSITIVE ", 'x-sensitive': true"
#define SHEAVE_STABLE ", 'x-stable': true"

// What a call is about.
typedef struct {
  const char *type, *name, *stack;
  const json *settings;
  // Pointers (RFC 6901) of the properties that hold tokens: arrays of texts.
  const json *unknown, *secret;
} sheave_context;

bool sheave_is_unknown(const sheave_context *cx, const char *pointer);
bool sheave_is_secret(const sheave_context *cx, const char *pointer);
// Whether a token stands at this pointer, or beneath it.
bool sheave_has_token(const sheave_context *cx, const char *pointer);

typedef enum { SHEAVE_ERROR, SHEAVE_WARNING, SHEAVE_NOTE } sheave_severity;

// A plugin's word on a fault. `code` is dotted and stable, with the plugin's name before the dot; `summary` is one sentence in
// lower case without a full stop. `detail` and `at` (a pointer) may be left out.
typedef struct {
  const char *code, *summary, *detail, *at;
  sheave_severity severity;
} sheave_diagnostic;

typedef struct {
  sheave_diagnostic *all;
  size_t count;
} sheave_diagnostics;

void sheave_report(sheave_diagnostics *found, sheave_diagnostic one);

// What a function returns that did not work; NULL: it did.
typedef enum { SHEAVE_INVALID, SHEAVE_NOT_FOUND, SHEAVE_DENIED, SHEAVE_CONFLICT, SHEAVE_RETRY, SHEAVE_FAILED } sheave_kind;
typedef struct {
  sheave_kind kind;
  sheave_diagnostic why;
  uint32_t after_ms;
} sheave_failure;

const sheave_failure *sheave_fail(sheave_kind kind, sheave_diagnostic why);

// A text as printf makes it.
char *sheave_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

// A DNS label out of a resource's address: web[2] is web-2. What is lost for good is hashed.
char *sheave_label(const char *address);

typedef enum { SHEAVE_LOG_DEBUG, SHEAVE_LOG_INFO, SHEAVE_LOG_WARN, SHEAVE_LOG_ERROR } sheave_level;
// A line in the operator's log.
void sheave_say(sheave_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
