// Between the SDK's words and those of the generated bindings.
#ifndef SHEAVE_GLUE_H
#define SHEAVE_GLUE_H

#include "sheave.h"
#include "wit.h"

typedef sheave_plugin_types_failure_t wit_failure;
typedef sheave_plugin_types_doc_t wit_doc;
typedef sheave_plugin_types_instance_t wit_instance;
typedef sheave_plugin_types_diagnostic_t wit_diagnostic;

// What every type has.
typedef struct {
  const char *name, *summary;
  uint32_t version;
  const sheave_field *props, *outputs;
  void (*check)(const sheave_context *cx, const json *props, sheave_diagnostics *found);
} sheave_type;

// Of `emitter.c` or `provider.c`.
extern const uint8_t sheave_role;
size_t sheave_count(void);
sheave_type sheave_nth(size_t n);

// Everything that goes to the host is a copy, which the bindings free.
wit_string_t glue_text(const char *text);
wit_doc glue_doc(const json *tree);
const json *glue_tree(const wit_doc *doc);
char *glue_string(const wit_string_t *text);
sheave_context glue_context(const wit_instance *of, const wit_doc *props);
wit_diagnostic glue_diagnostic(const sheave_diagnostic *d);
void glue_diagnostics(const sheave_diagnostics *found, sheave_plugin_types_diagnostics_t *out);
wit_failure glue_failure(const sheave_failure *failure);
// The index of a type, or what to say where there is none: then it is the number of types.
size_t glue_find(const wit_string_t *name, wit_failure *err);
// The properties with defaults where nothing was said.
const json *glue_props(const sheave_field *fields, const wit_doc *props);
json *glue_schema(const sheave_field *props, const sheave_field *outputs);
void glue_list(const char *const *texts, wit_list_string_t *out);
void *glue_room(size_t bytes);

#endif
