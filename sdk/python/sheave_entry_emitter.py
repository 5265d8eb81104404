"""What the component exports, of a plugin of emitters."""

import json

import plugin
from sheave import glue
from sheave.emitter import Emitter
from wit_world.exports import emit, model


def entered(of, props, found):
    kind = glue.find(Emitter.types, of.type_name)
    live = {one.slot: None if one.body is None else json.loads(one.body.json) for one in found}
    read = glue.parse("sdk.bad-properties", kind.arguments[0], json.loads(props.json))
    return kind, glue.context(of, props.marks), read, live


class Model(glue.Model):
    role = model.Role.EMITS
    all = Emitter.types


class Emit:
    @glue.answering
    def needs(self, of, props, found):
        kind, *rest = entered(of, props, found)
        wanted = kind.needs(*rest) or []
        return [emit.Lookup(w.target, w.api_version, w.kind, w.namespace, w.name) for w in wanted]

    @glue.answering
    def render(self, of, props, found):
        kind, *rest = entered(of, props, found)
        objects = kind.render(*rest) or []
        return [
            emit.Emitted(o.slot, o.target, glue.doc(o.manifest), list(o.after), o.ready_when, list(o.restart_on))
            for o in objects
        ]

    @glue.answering
    def observe(self, of, props, live):
        kind, *rest = entered(of, props, live)
        seen = kind.observe(*rest)
        return emit.Observation(seen.ready, seen.reason, glue.doc(seen.outputs))
