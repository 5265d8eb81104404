#include "sheave.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST 63

static bool holds(const json *pointers, const char *pointer, bool beneath) {
  size_t length = strlen(pointer);
  for (size_t i = 0; pointers && i < pointers->count; i++) {
    const char *one = pointers->items[i]->text;
    bool below = beneath && strncmp(one, pointer, length) == 0 && one[length] == '/';
    if (below || strcmp(one, pointer) == 0) return true;
  }
  return false;
}

bool sheave_is_unknown(const sheave_context *cx, const char *pointer) { return holds(cx->unknown, pointer, false); }

bool sheave_is_secret(const sheave_context *cx, const char *pointer) { return holds(cx->secret, pointer, false); }

bool sheave_has_token(const sheave_context *cx, const char *pointer) {
  return holds(cx->unknown, pointer, true) || holds(cx->secret, pointer, true);
}

void sheave_report(sheave_diagnostics *found, sheave_diagnostic one) {
  found->all = realloc(found->all, (found->count + 1) * sizeof one);
  if (!found->all) abort();
  found->all[found->count++] = one;
}

const sheave_failure *sheave_fail(sheave_kind kind, sheave_diagnostic why) {
  sheave_failure *failure = calloc(1, sizeof *failure);
  if (!failure) abort();
  failure->kind = kind;
  failure->why = why;
  return failure;
}

char *sheave_format(const char *format, ...) {
  va_list values, again;
  va_start(values, format);
  va_copy(again, values);
  int length = vsnprintf(NULL, 0, format, values);
  char *text = length < 0 ? NULL : malloc((size_t)length + 1);
  if (!text) abort();
  vsnprintf(text, (size_t)length + 1, format, again);
  va_end(values);
  va_end(again);
  return text;
}

char *sheave_label(const char *address) {
  char *label = calloc(1, strlen(address) + LONGEST + 1);
  if (!label) abort();
  size_t length = 0;
  bool lost = false;
  uint32_t hash = 0x811c9dc5;
  for (const unsigned char *c = (const unsigned char *)address; *c; c++) {
    hash = (hash ^ *c) * 0x01000193;
    if ((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9')) {
      label[length++] = (char)*c;
    } else if (*c >= 'A' && *c <= 'Z') {
      label[length++] = (char)(*c | 32);
    } else {
      lost = lost || !strchr(".-_[]\"", *c);
      if (length && label[length - 1] != '-') label[length++] = '-';
    }
  }
  while (length && label[length - 1] == '-') length--;
  label[length] = 0;
  if (!lost && length && length <= LONGEST) return label;
  if (length > LONGEST - 9) length = LONGEST - 9;
  while (length && label[length - 1] == '-') length--;
  label[length] = 0;
  return length ? sheave_format("%s-%08x", label, (unsigned)hash) : sheave_format("x%08x", (unsigned)hash);
}
