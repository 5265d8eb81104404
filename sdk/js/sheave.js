// For authors of Sheave plugins in JavaScript.
//
// `emitter` declares a type that turns properties into Kubernetes objects, `provider` one that creates, reads, updates and
// deletes something by itself. A plugin's module is `plugin.js`.
//
// A text that the plugin may not see, secret or known only after apply, is a token: a text like any other, that may be placed
// whole or inside a longer text. The host finds it again and puts the value in. To take one apart or to hash it is refused;
// `cx.hasToken` tells where one stands.
//
// `console` writes to the operator's log. An error that nobody catches becomes a failure with its message and place.

// --- Schemas: a field is its JSON Schema, and whether it is optional.

const schemaOf = (schema, about, options = {}) => {
  const { optional = false, ...keywords } = options;
  const field = { schema: { ...schema, ...keywords }, optional: optional || "default" in keywords };
  if (about) field.schema.description = about;
  return field;
};

/** A text. Keywords go into `options`: `default`, `pattern`, `enum`, and those below. */
export const text = (about, options) => schemaOf({ type: "string" }, about, options);
/** A whole number: `minimum`, `maximum`, `default`. */
export const integer = (about, options) => schemaOf({ type: "integer" }, about, options);
/** A number. */
export const number = (about, options) => schemaOf({ type: "number" }, about, options);
/** True or false. */
export const boolean = (about, options) => schemaOf({ type: "boolean" }, about, options);
/** Many of one kind. */
export const list = (items, about, options) => schemaOf({ type: "array", items: items.schema }, about, options);
/** Any names, all of one kind. */
export const map = (values, about, options) =>
  schemaOf({ type: "object", additionalProperties: values.schema }, about, options);
/** Fields, and no others. */
export const object = (fields, about, options) => {
  const properties = {};
  const required = [];
  for (const [name, field] of Object.entries(fields)) {
    properties[name] = field.schema;
    if (!field.optional) required.push(name);
  }
  const schema = { type: "object", properties, additionalProperties: false };
  if (required.length > 0) schema.required = required;
  return schemaOf(schema, about, options);
};

/** Another value means another thing. */
export const immutable = { "x-immutable": true };
/** Names the thing outside: it cannot be secret. */
export const identity = { "x-identity": true };
/** What stands here is secret. */
export const sensitive = { "x-sensitive": true };
/** Of outputs: cannot change while the thing lives. */
export const stable = { "x-stable": true };

// --- What a plugin says.

/** An error. `code` is dotted and stable, with the plugin's name before the dot; `at` is an RFC 6901 pointer. */
export const fault = (code, summary, { detail = "", at = null } = {}) =>
  ({ severity: "error", code, summary, detail, pointer: at });
/** A warning: nothing stops. */
export const warning = (code, summary, more) => ({ ...fault(code, summary, more), severity: "warning" });

/** What ends a call; made by the functions below, and thrown. */
export class Failure extends Error {
  constructor(tag, val, message) {
    super(message);
    this.tag = tag;
    this.val = val;
  }
}
/** The properties are at fault. */
export const invalid = (...why) => new Failure("invalid", why, why[0]?.summary);
/** There is no such thing. */
export const notFound = () => new Failure("not-found", undefined, "not found");
/** The grant that is missing, or whatever else refused. */
export const denied = (why) => new Failure("denied", why, why.summary);
/** Something in the way belongs to somebody else. */
export const conflict = (why) => new Failure("conflict", why, why.summary);
/** Worth trying again after some time. */
export const retry = (afterMs, why) => new Failure("retry", { afterMs, why }, why.summary);
/** Whatever has no better name. */
export const failed = (why) => new Failure("other", why, why.summary);

// --- What emitters and providers give.

/** The resource works. */
export const ready = (outputs) => ({ ready: true, reason: "", outputs });
/** It does not yet, and why. */
export const waiting = (reason, outputs) => ({ ready: false, reason, outputs });
/** A provider's change is not finished: the host keeps `resume`, any JSON, waits and calls again. */
export const pending = (resume, message = "", { afterMs = 0, percent = null } = {}) =>
  ({ step: "pending", resume, message, afterMs, percent });
/** It is there, but not right: the host stores it as tainted. */
export const partial = (left, ...why) => ({ step: "partial", left, why });

// --- Types.

/** Every type of the plugin. */
export const types = [];

const declare = (name, type) => {
  const schema = { $schema: "https://json-schema.org/draft/2020-12/schema", ...object(type.props).schema };
  schema["x-outputs"] = object(type.outputs).schema;
  const declared = { version: 1, check: () => [], ...type, name, schema };
  types.push(declared);
  return declared;
};

/**
 * A type that turns properties into Kubernetes objects. `props` and `outputs` are fields. Everything is pure: the same
 * properties give the same objects, byte for byte.
 *
 * - `check(cx, props)`: rules across fields, which the schema cannot say; a list of diagnostics.
 * - `needs(cx, props, found)`: live objects to look at before rendering: `{apiVersion, kind, name, namespace, target}`.
 * - `render(cx, props, found)`: the objects: `{slot, manifest, target, after, readyWhen, restartOn}`, the first two at least.
 * - `observe(cx, props, live)`: `ready` or `waiting`; `live` are objects by slot, null where one does not exist.
 */
export const emitter = (name, type) => declare(name, { needs: () => [], ...type });

/**
 * A type that creates, reads, updates and deletes something by itself. `check` and `plan` run without any grant.
 *
 * - `plan(cx, change)`: `{outputs, unknown, replace, notes}`; left out: the schema tells, as `change.bySchema()` does.
 * - `create(cx, props, attempt)`, `update(cx, known, props, attempt)`: `{id, state, outputs, private}`, `pending` or `partial`.
 *   Called again with the same `attempt.key` when the host was cut off: what is there already under that key is to be found,
 *   not made twice. `attempt.resume` is what the last `pending` said; null on the first call.
 * - `read(cx, known)`: the same, or null: it is gone. `known` is `{id, state, private}`.
 * - `remove(cx, known, attempt)`: null, `pending` or `partial`; that it is gone already is no error.
 */
export const provider = (name, type) => declare(name, { plan: (cx, change) => change.bySchema(), ...type });

// --- Helpers.

const longest = 63;

/** A DNS label out of a resource's address: web[2] is web-2. What is lost for good is hashed. */
export const label = (address) => {
  let out = "";
  let lost = false;
  for (const c of address) {
    if (/^[a-z0-9]$/.test(c)) out += c;
    else if (/^[A-Z]$/.test(c)) out += c.toLowerCase();
    else {
      lost ||= !'.-_[]"'.includes(c);
      if (out && !out.endsWith("-")) out += "-";
    }
  }
  out = out.replace(/-+$/, "");
  if (!lost && out && out.length <= longest) return out;
  out = out.slice(0, longest - 9).replace(/-+$/, "");
  let hash = 0x811c9dc5;
  for (const byte of utf8(address)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  const digits = hash.toString(16).padStart(8, "0");
  return out ? `${out}-${digits}` : `x${digits}`;
};

/** The bytes of a text, since there is no TextEncoder. */
export const utf8 = (string) => {
  const bytes = [];
  for (const c of string) {
    const code = c.codePointAt(0);
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else
      bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return new Uint8Array(bytes);
};
