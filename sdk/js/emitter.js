// What the component exports, of a plugin of emitters.

import * as glue from "./glue.js";
import "../plugin.js";

const entered = (of, props, found) => {
  const type = glue.find(of.typeName);
  const live = Object.fromEntries(found.map(({ slot, body }) => [slot, body == null ? null : JSON.parse(body.json)]));
  return [type, glue.context(of, props.marks), glue.read(type, props.json), live];
};

export const model = glue.model("emits");

export const emit = {
  needs: glue.answering((of, props, found) => {
    const [type, ...rest] = entered(of, props, found);
    return [...(type.needs(...rest) ?? [])].map((w) => ({ target: "", namespace: null, ...w }));
  }),
  render: glue.answering((of, props, found) => {
    const [type, ...rest] = entered(of, props, found);
    return [...(type.render(...rest) ?? [])].map((o) => ({
      slot: o.slot,
      target: o.target ?? "",
      manifest: glue.doc(o.manifest),
      after: o.after ?? [],
      readyWhen: o.readyWhen ?? null,
      restartOn: o.restartOn ?? [],
    }));
  }),
  observe: glue.answering((of, props, found) => {
    const [type, ...rest] = entered(of, props, found);
    const { ready, reason, outputs } = type.observe(...rest);
    return { ready, reason, outputs: glue.doc(outputs) };
  }),
};
