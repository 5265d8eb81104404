// JSON as a tree. Nothing is ever freed: each call of a plugin runs in memory of its own, which goes when it ends.
#ifndef SHEAVE_JSON_H
#define SHEAVE_JSON_H

#include <stdbool.h>
#include <stddef.h>

typedef enum { JSON_NULL, JSON_BOOLEAN, JSON_NUMBER, JSON_TEXT, JSON_ARRAY, JSON_OBJECT } json_kind;

typedef struct json {
  json_kind kind;
  bool boolean;
  // A text, or a number as it is written; ends with a NUL, which `length` does not count.
  char *text;
  size_t length;
  // Items of an array, values of an object, whose names are beside them.
  struct json **items;
  struct json **names;
  size_t count;
} json;

// Reads JSON; NULL where it is none, or deeper than any that the host sends.
json *json_parse(const char *text, size_t length);

// Makes a tree of a template: JSON in which '...' stands for "...", and in place of a value %s takes a `const char *`,
// %d an `int`, %l a `long long`, %b a `bool` (as int) and %j a `const json *`. A fault in it ends the call.
json *json_make(const char *template, ...);

// JSON without spaces, the names of each object in order.
char *json_write(const json *tree, size_t *length);

json *json_of_text(const char *text);
json *json_of_integer(long long number);

// The value of that name, and of an array the item there; NULL where there is none.
const json *json_get(const json *object, const char *name);
const json *json_item(const json *array, size_t index);
// Follows names: json_path(live, "status", "readyReplicas", NULL).
const json *json_path(const json *tree, ...);

// The text or the number, or the other one where it is none.
const char *json_text(const json *tree, const char *otherwise);
long long json_integer(const json *tree, long long otherwise);

// Puts a value under a name, in the place of one that is there.
void json_set(json *object, const char *name, const json *value);
void json_add(json *array, const json *value);
bool json_same(const json *a, const json *b);

#endif
