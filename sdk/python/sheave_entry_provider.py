"""What the component exports, of a plugin of providers."""

import json

import plugin
from sheave import glue
from sheave.provider import Attempt, Change, Known, Partial, Pending, Provider, Resource
from wit_world.exports import model, provide
from wit_world.imports import types


def known(kind, prior):
    state = glue.parse("sdk.bad-state", kind.arguments[2], json.loads(prior.state.json))
    return Known(prior.id, state, prior.private_data)


def snapshot(there: Resource):
    return types.Snapshot(there.id, glue.doc(there.state), glue.doc(there.outputs), there.private)


class Model(glue.Model):
    role = model.Role.PROVIDES
    all = Provider.types


class Provide:
    @glue.answering
    def plan(self, what):
        if what.desired is None:
            return provide.Planned(glue.doc({}), [], [])
        kind = glue.find(Provider.types, what.of.type_name)
        desired, schema = json.loads(what.desired.json), kind.schema_of()
        change = Change(
            prior=known(kind, what.prior) if what.prior else None,
            props=glue.parse("sdk.bad-properties", kind.arguments[0], desired),
            schema=schema,
            prior_state=json.loads(what.prior.state.json) if what.prior else {},
            prior_outputs=json.loads(what.prior.outputs.json) if what.prior else {},
            desired=desired,
        )
        planned = kind.plan(glue.context(what.of, what.desired.marks), change)
        outputs = dict(planned.outputs)
        for name in planned.unknown:
            # What will be a text is one already, so that it can travel on as a token.
            is_text = schema["x-outputs"]["properties"].get(name, {}).get("type") == "string"
            outputs[name] = "" if is_text else None
        marks = [types.Mark("/" + name, types.MarkKind.UNKNOWN) for name in planned.unknown]
        return provide.Planned(types.Doc(glue.text(outputs), marks), planned.replace, glue.diagnostics(planned.notes))

    @glue.answering
    def read(self, of, prior):
        kind = glue.find(Provider.types, of.type_name)
        there = kind.read(glue.context(of, []), known(kind, prior))
        return None if there is None else snapshot(there)

    @glue.answering
    def apply(self, what, agreed, op_key, resume):
        kind = glue.find(Provider.types, what.of.type_name)
        cx, attempt = glue.context(what.of, what.desired.marks if what.desired else []), Attempt(op_key, resume)
        there = known(kind, what.prior) if what.prior else None
        props = None
        if what.desired:
            props = glue.parse("sdk.bad-properties", kind.arguments[0], json.loads(what.desired.json))
        if there is None:
            came = kind.create(cx, props, attempt) if what.desired else None
        elif props is None:
            came = kind.delete(cx, there, attempt)
        else:
            came = kind.update(cx, there, props, attempt)
        if isinstance(came, Pending):
            return provide.Step_Pending(provide.Pending(came.resume, came.after_ms, came.message, came.percent))
        if isinstance(came, Partial):
            return provide.Step_Partial(provide.Tainted(snapshot(came.left), glue.diagnostics(came.why)))
        return provide.Step_Done(None if came is None else snapshot(came))
