#include "json.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// The host sends no more than 127.
#define DEEPEST 256

typedef struct {
  const char *at, *end;
  int depth;
  // Of a template.
  va_list *values;
  bool template;
} reader;

static void *room(size_t bytes) {
  void *there = calloc(1, bytes ? bytes : 1);
  if (!there) abort();
  return there;
}

static json *node(json_kind kind) {
  json *n = room(sizeof(json));
  n->kind = kind;
  return n;
}

static json *text_of(const char *text, size_t length) {
  json *n = node(JSON_TEXT);
  n->text = room(length + 1);
  memcpy(n->text, text, length);
  n->length = length;
  return n;
}

json *json_of_text(const char *text) { return text_of(text, strlen(text)); }

json *json_of_integer(long long number) {
  char digits[24], *at = digits + sizeof digits - 1;
  *at = 0;
  bool negative = number < 0;
  unsigned long long rest = negative ? 0ULL - (unsigned long long)number : (unsigned long long)number;
  do *--at = (char)('0' + rest % 10);
  while (rest /= 10);
  if (negative) *--at = '-';
  json *n = text_of(at, strlen(at));
  n->kind = JSON_NUMBER;
  return n;
}

static void push(json *n, json *name, json *value) {
  // Powers of two: it grows when it is one.
  if ((n->count & (n->count - 1)) == 0) {
    size_t most = n->count ? n->count * 2 : 1;
    n->items = realloc(n->items, most * sizeof *n->items);
    n->names = realloc(n->names, most * sizeof *n->names);
    if (!n->items || !n->names) abort();
  }
  n->items[n->count] = value;
  n->names[n->count++] = name;
}

static void skip(reader *r) {
  while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at) r->at++;
}

static bool take(reader *r, char c) {
  skip(r);
  if (r->at >= r->end || *r->at != c) return false;
  r->at++;
  return true;
}

static int hex(reader *r) {
  int value = 0;
  if (r->end - r->at < 4) return -1;
  for (int i = 0; i < 4; i++) {
    const char *digits = "0123456789abcdef", *found = strchr(digits, *r->at++ | 32);
    if (!found || !*found) return -1;
    value = value * 16 + (int)(found - digits);
  }
  return value;
}

static char *utf8(char *out, uint32_t c) {
  if (c < 0x80) {
    *out++ = (char)c;
  } else if (c < 0x800) {
    *out++ = (char)(0xc0 | c >> 6);
    *out++ = (char)(0x80 | (c & 63));
  } else if (c < 0x10000) {
    *out++ = (char)(0xe0 | c >> 12);
    *out++ = (char)(0x80 | (c >> 6 & 63));
    *out++ = (char)(0x80 | (c & 63));
  } else {
    *out++ = (char)(0xf0 | c >> 18);
    *out++ = (char)(0x80 | (c >> 12 & 63));
    *out++ = (char)(0x80 | (c >> 6 & 63));
    *out++ = (char)(0x80 | (c & 63));
  }
  return out;
}

static json *string(reader *r, char quote) {
  // No escape is shorter than what it stands for.
  char *text = room((size_t)(r->end - r->at) + 1), *out = text;
  while (r->at < r->end && *r->at != quote) {
    char c = *r->at++;
    if (c != '\\') {
      *out++ = c;
      continue;
    }
    if (r->at >= r->end) return NULL;
    c = *r->at++;
    const char *plain = strchr("\"\\/'", c), *known = "b\bf\fn\nr\rt\t", *found = strchr(known, c);
    if (plain && *plain) {
      *out++ = c;
    } else if (c == 'u') {
      int first = hex(r), second = 0;
      if (first < 0) return NULL;
      uint32_t whole = (uint32_t)first;
      if (first >= 0xd800 && first < 0xdc00) {
        if (r->end - r->at < 6 || r->at[0] != '\\' || r->at[1] != 'u') return NULL;
        r->at += 2;
        if ((second = hex(r)) < 0xdc00 || second >= 0xe000) return NULL;
        whole = 0x10000 + ((uint32_t)(first - 0xd800) << 10) + (uint32_t)(second - 0xdc00);
      }
      out = utf8(out, whole);
    } else if (found && *found && c >= 'a') {
      *out++ = found[1];
    } else {
      return NULL;
    }
  }
  if (r->at >= r->end) return NULL;
  r->at++;
  return text_of(text, (size_t)(out - text));
}

static json *value(reader *r);

static json *name_of(reader *r) {
  skip(r);
  if (r->at < r->end && (*r->at == '"' || (r->template && *r->at == '\''))) {
    char quote = *r->at++;
    return string(r, quote);
  }
  return NULL;
}

static json *object(reader *r) {
  json *n = node(JSON_OBJECT);
  if (take(r, '}')) return n;
  do {
    json *name = name_of(r), *inner;
    if (!name || !take(r, ':') || !(inner = value(r))) return NULL;
    push(n, name, inner);
  } while (take(r, ','));
  return take(r, '}') ? n : NULL;
}

static json *array(reader *r) {
  json *n = node(JSON_ARRAY);
  if (take(r, ']')) return n;
  do {
    json *inner = value(r);
    if (!inner) return NULL;
    push(n, NULL, inner);
  } while (take(r, ','));
  return take(r, ']') ? n : NULL;
}

static json *given(reader *r) {
  json *n;
  switch (r->at < r->end ? *r->at++ : 0) {
    case 's': return json_of_text(va_arg(*r->values, const char *));
    case 'd': return json_of_integer(va_arg(*r->values, int));
    case 'l': return json_of_integer(va_arg(*r->values, long long));
    case 'b': n = node(JSON_BOOLEAN); n->boolean = va_arg(*r->values, int); return n;
    case 'j': return (json *)va_arg(*r->values, const json *);
    default: return NULL;
  }
}

static bool word(reader *r, const char *word) {
  size_t length = strlen(word);
  if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0) return false;
  r->at += length;
  return true;
}

static json *value(reader *r) {
  skip(r);
  if (r->at >= r->end || r->depth >= DEEPEST) return NULL;
  json *n = NULL;
  const char *start = r->at;
  r->depth++;
  if (take(r, '{')) {
    n = object(r);
  } else if (take(r, '[')) {
    n = array(r);
  } else if (*r->at == '"' || (r->template && *r->at == '\'')) {
    n = name_of(r);
  } else if (r->template && take(r, '%')) {
    n = given(r);
  } else if (word(r, "true") || word(r, "false")) {
    n = node(JSON_BOOLEAN);
    n->boolean = *start == 't';
  } else if (word(r, "null")) {
    n = node(JSON_NULL);
  } else {
    while (r->at < r->end && *r->at && strchr("+-.eE0123456789", *r->at)) r->at++;
    if (r->at > start) {
      n = text_of(start, (size_t)(r->at - start));
      n->kind = JSON_NUMBER;
    }
  }
  r->depth--;
  return n;
}

static json *whole(reader *r) {
  json *n = value(r);
  skip(r);
  return r->at == r->end ? n : NULL;
}

json *json_parse(const char *text, size_t length) {
  reader r = {.at = text, .end = text + length};
  return whole(&r);
}

json *json_make(const char *template, ...) {
  va_list values;
  va_start(values, template);
  reader r = {.at = template, .end = template + strlen(template), .values = &values, .template = true};
  json *n = whole(&r);
  va_end(values);
  if (!n) abort();
  return n;
}

typedef struct {
  char *text;
  size_t length, most;
} writer;

static void put(writer *w, const char *text, size_t length) {
  if (w->length + length + 1 > w->most) {
    w->most = (w->length + length + 1) * 2;
    if (!(w->text = realloc(w->text, w->most))) abort();
  }
  memcpy(w->text + w->length, text, length);
  w->text[w->length += length] = 0;
}

static void put_text(writer *w, const json *n) {
  put(w, "\"", 1);
  for (size_t i = 0; i < n->length; i++) {
    char c = n->text[i];
    const char *known = "\"\"\\\\\bb\ff\nn\rr\tt", *found = c ? strchr(known, c) : NULL;
    // Letters stand in there, too, as what an escape is called.
    if (found && (c < ' ' || c == '"' || c == '\\')) {
      put(w, (char[]){'\\', found[1]}, 2);
    } else if ((unsigned char)c < 0x20) {
      const char *digits = "0123456789abcdef";
      put(w, (char[]){'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]}, 6);
    } else {
      put(w, &c, 1);
    }
  }
  put(w, "\"", 1);
}

static int by_name(const json *a, const json *b) {
  size_t shorter = a->length < b->length ? a->length : b->length;
  int order = memcmp(a->text, b->text, shorter);
  return order ? order : (a->length > b->length) - (a->length < b->length);
}

static void put_tree(writer *w, const json *n) {
  switch (n->kind) {
    case JSON_NULL: put(w, "null", 4); break;
    case JSON_BOOLEAN: put(w, n->boolean ? "true" : "false", n->boolean ? 4 : 5); break;
    case JSON_NUMBER: put(w, n->text, n->length); break;
    case JSON_TEXT: put_text(w, n); break;
    case JSON_ARRAY:
      put(w, "[", 1);
      for (size_t i = 0; i < n->count; i++) {
        if (i) put(w, ",", 1);
        put_tree(w, n->items[i]);
      }
      put(w, "]", 1);
      break;
    case JSON_OBJECT: {
      // Objects are small: each time the next name is looked for.
      const json *last = NULL;
      put(w, "{", 1);
      for (size_t written = 0; written < n->count; written++) {
        size_t next = n->count;
        for (size_t i = 0; i < n->count; i++) {
          bool later = !last || by_name(n->names[i], last) > 0;
          if (later && (next == n->count || by_name(n->names[i], n->names[next]) < 0)) next = i;
        }
        if (next == n->count) break;
        if (written) put(w, ",", 1);
        put_text(w, last = n->names[next]);
        put(w, ":", 1);
        put_tree(w, n->items[next]);
      }
      put(w, "}", 1);
    }
  }
}

char *json_write(const json *tree, size_t *length) {
  writer w = {0};
  put(&w, "", 0);
  put_tree(&w, tree);
  *length = w.length;
  return w.text;
}

static size_t place(const json *object, const char *name) {
  size_t length = strlen(name);
  for (size_t i = 0; object->kind == JSON_OBJECT && i < object->count; i++) {
    if (object->names[i]->length == length && memcmp(object->names[i]->text, name, length) == 0) return i;
  }
  return object->count;
}

const json *json_get(const json *object, const char *name) {
  if (!object || object->kind != JSON_OBJECT) return NULL;
  size_t i = place(object, name);
  return i < object->count ? object->items[i] : NULL;
}

const json *json_item(const json *array, size_t index) {
  return array && array->kind == JSON_ARRAY && index < array->count ? array->items[index] : NULL;
}

const json *json_path(const json *tree, ...) {
  va_list names;
  va_start(names, tree);
  for (const char *name; tree && (name = va_arg(names, const char *));) tree = json_get(tree, name);
  va_end(names);
  return tree;
}

const char *json_text(const json *tree, const char *otherwise) {
  return tree && tree->kind == JSON_TEXT ? tree->text : otherwise;
}

long long json_integer(const json *tree, long long otherwise) {
  return tree && tree->kind == JSON_NUMBER ? strtoll(tree->text, NULL, 10) : otherwise;
}

void json_set(json *object, const char *name, const json *value) {
  size_t i = place(object, name);
  if (i < object->count) {
    object->items[i] = (json *)value;
  } else {
    push(object, json_of_text(name), (json *)value);
  }
}

void json_add(json *array, const json *value) { push(array, NULL, (json *)value); }

bool json_same(const json *a, const json *b) {
  if (!a || !b) return a == b;
  size_t one, other;
  char *first = json_write(a, &one), *second = json_write(b, &other);
  return one == other && memcmp(first, second, one) == 0;
}
