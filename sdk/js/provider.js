// What the component exports, of a plugin of providers.

import * as glue from "./glue.js";
import "../plugin.js";

const known = (prior) => ({ id: prior.id, state: JSON.parse(prior.state.json), private: glue.value(prior.privateData) });

const snapshot = (there) => ({
  id: there.id,
  state: glue.doc(there.state),
  outputs: glue.doc(there.outputs),
  privateData: glue.bytes(there.private),
});

const having = (schema, keyword) =>
  Object.keys(schema.properties ?? {}).filter((n) => schema.properties[n][keyword] === true).sort();

const same = (a, b) => glue.text(a ?? null) === glue.text(b ?? null);

/** A creation or an update that is being planned. */
const changeOf = (type, what) => {
  const desired = JSON.parse(what.desired.json);
  const state = what.prior == null ? {} : JSON.parse(what.prior.state.json);
  const before = what.prior == null ? {} : JSON.parse(what.prior.outputs.json);
  const replaced = () =>
    having(type.schema, "x-immutable").filter((n) => n in state && !same(state[n], desired[n])).map((n) => "/" + n);
  return {
    prior: what.prior == null ? null : known(what.prior),
    props: glue.filled(type.schema, desired),
    /** Pointers of the immutable properties that differ from the state. */
    replaced,
    /** What the schema tells: stable outputs keep their value where nothing is replaced, the others are unknown. */
    bySchema: () => {
      const planned = { outputs: {}, unknown: [], replace: replaced(), notes: [] };
      const stable = planned.replace.length === 0 ? having(type.schema["x-outputs"], "x-stable") : [];
      for (const name of Object.keys(type.schema["x-outputs"].properties).sort()) {
        if (stable.includes(name) && name in before) planned.outputs[name] = before[name];
        else planned.unknown.push(name);
      }
      return planned;
    },
  };
};

const stepOf = (came) => {
  if (came?.step === "pending") {
    const { resume, afterMs, message, percent } = came;
    return { tag: "pending", val: { resume: glue.bytes(resume), afterMs, message, percent } };
  }
  if (came?.step === "partial") return { tag: "partial", val: { left: snapshot(came.left), why: came.why } };
  return { tag: "done", val: came == null ? null : snapshot(came) };
};

export const model = glue.model("provides");

export const provide = {
  plan: glue.answering((what) => {
    if (what.desired == null) return { outputs: glue.doc({}), replace: [], notes: [] };
    const type = glue.find(what.of.typeName);
    const planned = type.plan(glue.context(what.of, what.desired.marks), changeOf(type, what));
    const { outputs = {}, unknown = [], replace = [], notes = [] } = planned;
    const there = { ...outputs };
    for (const name of unknown) {
      // What will be a text is one already, so that it can travel on as a token.
      there[name] = type.schema["x-outputs"].properties[name]?.type === "string" ? "" : null;
    }
    const marks = unknown.map((name) => ({ pointer: "/" + name, kind: "unknown" }));
    return { outputs: { json: glue.text(there), marks }, replace, notes };
  }),
  read: glue.answering((of, prior) => {
    const there = glue.find(of.typeName).read(glue.context(of, []), known(prior));
    return there == null ? null : snapshot(there);
  }),
  apply: glue.answering((what, agreed, key, resume) => {
    const type = glue.find(what.of.typeName);
    const cx = glue.context(what.of, what.desired?.marks ?? []);
    const attempt = { key, resume: glue.value(resume) };
    const props = what.desired == null ? null : glue.read(type, what.desired.json);
    if (what.prior == null) return stepOf(props === null ? null : type.create(cx, props, attempt));
    const there = known(what.prior);
    return stepOf(props === null ? type.remove(cx, there, attempt) : type.update(cx, there, props, attempt));
  }),
};
