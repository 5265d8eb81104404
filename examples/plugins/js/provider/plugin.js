// A plugin with one type: a note, kept with the stack's state. A real one would keep it in some service.

import { fault, identity, immutable, integer, label, pending, provider, stable, text } from "./sdk/sheave.js";

const lines = (words) => words.split("\n").length;

const note = ({ title, text }) => ({
  id: label(title),
  state: { title, text },
  outputs: { title, lines: lines(text) },
});

provider("Note", {
  summary: "a note",
  // What a blueprint writes.
  props: {
    title: text("What the note is called; another title is another note.", { ...immutable, ...identity }),
    text: text("What it says."),
  },
  // What other resources can read.
  outputs: {
    title: text("What the note is called.", stable),
    lines: integer("How many lines it has."),
  },

  check(cx) {
    if (!cx.isSecret("/text")) return [];
    const detail = "the plugin never sees it, and would keep a placeholder";
    return [fault("notebook.secret-text", "a note cannot keep a secret", { detail, at: "/text" })];
  },

  plan(cx, change) {
    const { title, text } = change.props;
    const replace = change.replaced();
    return cx.isUnknown("/text")
      ? { outputs: { title }, unknown: ["lines"], replace }
      : { outputs: { title, lines: lines(text) }, replace };
  },

  create(cx, props, attempt) {
    // Work that takes long is done in pieces: the host keeps what `pending` is given, and calls again.
    if (attempt.resume === null) return pending("drafted", "drafted", { percent: 50 });
    return note(props);
  },

  read(cx, known) {
    return note(known.state);
  },

  update(cx, known, props) {
    return note(props);
  },

  remove() {
    return null;
  },
});
