// Between the SDK's words and those of the interface.

import log from "sheave:plugin/log";
import { Failure, failed, fault, invalid, types, utf8 } from "./sheave.js";

const line = (level) => (...what) => {
  const words = what.map((w) => (typeof w === "string" ? w : w instanceof Error ? String(w) : JSON.stringify(w)));
  log.log(level, words.join(" "), []);
};
globalThis.console = {
  debug: line("debug"), log: line("info"), info: line("info"), warn: line("warn"), error: line("error"),
};

/** Errors become failures: an uncaught one would end the call without a word. */
export const answering = (call) => (...given) => {
  try {
    return call(...given);
  } catch (error) {
    if (error instanceof Failure) throw plain(error);
    const stack = String(error?.stack ?? "").trim();
    log.log("error", String(error), [{ name: "at", value: stack }]);
    throw plain(failed(fault("sdk.error", String(error), { detail: stack.split("\n")[0].trim() })));
  }
};

const plain = ({ tag, val }) => (val === undefined ? { tag } : { tag, val });

/** JSON that is the same for the same answer, whatever the language. */
export const text = (tree) => JSON.stringify(sorted(tree));

const sorted = (tree) => {
  if (Array.isArray(tree)) return tree.map(sorted);
  if (tree === null || typeof tree !== "object") return tree;
  return Object.fromEntries(Object.keys(tree).sort().map((key) => [key, sorted(tree[key])]));
};

export const doc = (tree) => ({ json: text(tree), marks: [] });

export const find = (name) => {
  const found = types.find((t) => t.name === name);
  if (!found) throw failed(fault("sdk.unknown-type", `the plugin has no type \`${name}\``));
  return found;
};

export const context = (of, marks) => {
  const pointers = (kind) => marks.filter((m) => m.kind === kind).map((m) => m.pointer);
  const [unknown, secret] = [pointers("unknown"), pointers("secret")];
  const beneath = (pointer) => (marked) => marked === pointer || marked.startsWith(pointer + "/");
  return {
    type: of.typeName,
    name: of.name,
    stack: of.stack,
    settings: of.settings.json === "" ? null : JSON.parse(of.settings.json),
    isUnknown: (pointer) => unknown.includes(pointer),
    isSecret: (pointer) => secret.includes(pointer),
    hasToken: (pointer) => [...unknown, ...secret].some(beneath(pointer)),
  };
};

/** Defaults where nothing was said. */
export const filled = (schema, value) => {
  if (Array.isArray(value) && schema.items) return value.map((one) => filled(schema.items, one));
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  const out = { ...value };
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    if (out[name] === undefined && "default" in inner) out[name] = inner.default;
    if (out[name] !== undefined) out[name] = filled(inner, out[name]);
  }
  if (typeof schema.additionalProperties === "object") {
    for (const name of Object.keys(out)) {
      if (!schema.properties?.[name]) out[name] = filled(schema.additionalProperties, out[name]);
    }
  }
  return out;
};

export const read = (type, json) => filled(type.schema, JSON.parse(json));

/** What emitters and providers answer alike. */
export const model = (role) => ({
  describe: () => types.map((t) => ({ name: t.name, role, schemaVersion: t.version, summary: t.summary })),
  settingsSchema: () => null,
  schema: answering((name) => text(find(name).schema)),
  check: answering((of, props) => {
    const type = find(of.typeName);
    const found = [...(type.check(context(of, props.marks), read(type, props.json)) ?? [])];
    if (found.some((d) => d.severity === "error")) throw invalid(...found);
    for (const d of found) {
      log.log("warn", d.summary, [{ name: "code", value: d.code }, { name: "detail", value: d.detail }]);
    }
    return props;
  }),
  upgrade: answering((of, stored, state) => {
    const { version } = find(of.typeName);
    if (version === stored) return state;
    const summary = `state of version ${stored} cannot be read`;
    throw failed(fault("sdk.no-upgrade", summary, { detail: `this plugin stores version ${version}` }));
  }),
});

/** Any JSON as bytes: ASCII, so that no decoder is needed to read it back. */
export const bytes = (value) => {
  if (value === undefined || value === null) return new Uint8Array();
  const ascii = JSON.stringify(value).replace(
    /[\u0080-\uffff]/g,
    (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"),
  );
  return utf8(ascii);
};
/** And back. */
export const value = (list) => {
  if (!list || list.length === 0) return null;
  let out = "";
  for (const byte of list) out += String.fromCharCode(byte);
  return JSON.parse(out);
};
