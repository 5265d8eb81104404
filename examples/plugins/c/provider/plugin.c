// A plugin with one type: a note, kept with the stack's state. A real one would keep it in some service.

#include "provider.h"

// What a blueprint writes.
static const sheave_field props[] = {
    {.name = "title", .schema = SHEAVE_TEXT SHEAVE_IMMUTABLE SHEAVE_IDENTITY,
     .about = "What the note is called; another title is another note."},
    {.name = "text", .schema = SHEAVE_TEXT, .about = "What it says."},
    {0},
};

// What other resources can read.
static const sheave_field outputs[] = {
    {.name = "title", .schema = SHEAVE_TEXT SHEAVE_STABLE, .about = "What the note is called."},
    {.name = "lines", .schema = SHEAVE_INTEGER, .about = "How many lines it has."},
    {0},
};

static int lines(const json *text) {
  int count = 1;
  for (const char *c = json_text(text, ""); *c; c++) count += *c == '\n';
  return count;
}

// Title and text stand in the properties and in the state alike.
static sheave_resource note(const json *from) {
  const json *title = json_get(from, "title"), *text = json_get(from, "text");
  return (sheave_resource){
      .id = sheave_label(json_text(title, "")),
      .state = json_make("{'title': %j, 'text': %j}", title, text),
      .outputs = json_make("{'title': %j, 'lines': %d}", title, lines(text)),
  };
}

static void check(const sheave_context *cx, const json *props, sheave_diagnostics *found) {
  (void)props;
  if (sheave_is_secret(cx, "/text")) {
    sheave_report(found, (sheave_diagnostic){
                             .code = "notebook.secret-text",
                             .summary = "a note cannot keep a secret",
                             .detail = "the plugin never sees it, and would keep a placeholder",
                             .at = "/text",
                         });
  }
}

static const sheave_failure *plan(const sheave_context *cx, const sheave_resource *prior, const json *props, sheave_planned *planned) {
  (void)prior;
  const json *title = json_get(props, "title");
  if (sheave_is_unknown(cx, "/text")) {
    planned->outputs = json_make("{'title': %j}", title);
    planned->unknown = json_make("['lines']");
  } else {
    planned->outputs = json_make("{'title': %j, 'lines': %d}", title, lines(json_get(props, "text")));
    planned->unknown = json_make("[]");
  }
  return NULL;
}

static const sheave_failure *create(const sheave_context *cx, const json *props, const sheave_attempt *attempt, sheave_step *step) {
  (void)cx;
  if (!attempt->resume) {
    // Work that takes long is done in pieces: the host keeps `resume`, and calls again.
    *step = (sheave_step){.progress = SHEAVE_PENDING, .resume = "drafted", .message = "drafted", .percent = 50};
  } else {
    *step = (sheave_step){.progress = SHEAVE_DONE, .resource = note(props)};
  }
  return NULL;
}

static const sheave_failure *read(const sheave_context *cx, const sheave_resource *known, sheave_step *step) {
  (void)cx;
  *step = (sheave_step){.progress = SHEAVE_DONE, .resource = note(known->state)};
  return NULL;
}

static const sheave_failure *update(const sheave_context *cx, const sheave_resource *known, const json *props,
                                    const sheave_attempt *attempt, sheave_step *step) {
  (void)cx, (void)known, (void)attempt;
  *step = (sheave_step){.progress = SHEAVE_DONE, .resource = note(props)};
  return NULL;
}

static const sheave_failure *forget(const sheave_context *cx, const sheave_resource *known, const sheave_attempt *attempt,
                                    sheave_step *step) {
  (void)cx, (void)known, (void)attempt;
  *step = (sheave_step){.progress = SHEAVE_GONE};
  return NULL;
}

static const sheave_provider type = {
    .name = "Note",
    .summary = "a note",
    .props = props,
    .outputs = outputs,
    .check = check,
    .plan = plan,
    .create = create,
    .read = read,
    .update = update,
    .remove = forget,
};

const sheave_provider *const sheave_providers[] = {&type, NULL};
