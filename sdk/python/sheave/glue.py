"""Between the SDK's words and those of the interface. Only inside a component: its bindings are the tool's."""

import json
import sys
import traceback
from functools import wraps
from typing import Any

from componentize_py_types import Err
from wit_world.exports import model
from wit_world.imports import log, types

from . import Context, Diagnostic, Failure, Severity, failed, fault, invalid
from .schema import plain, read, schema

LEVELS = (log.Level.DEBUG, log.Level.INFO, log.Level.WARN, log.Level.ERROR)


class Lines:
    """A text stream over the operator's log: a line is a line."""

    def __init__(self, level):
        self.level, self.rest = level, ""
        self.encoding, self.errors = "utf-8", "strict"

    def write(self, text: str) -> int:
        *whole, self.rest = (self.rest + text).split("\n")
        for line in whole:
            log.log(self.level, line, [])
        return len(text)

    def flush(self):
        if self.rest:
            log.log(self.level, self.rest, [])
            self.rest = ""

    def isatty(self) -> bool:
        return False


OUT, ERR = Lines(log.Level.INFO), Lines(log.Level.WARN)


def answering(function):
    """Exceptions become failures: an uncaught one would end the call without a word."""

    @wraps(function)
    def call(*given):
        sys.stdout, sys.stderr = OUT, ERR
        try:
            return function(*given)
        except Failure as failure:
            raise Err(failure_of(failure)) from None
        except Exception as error:
            # Sources are not there to be quoted.
            frames = traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), lookup_lines=False)
            places = [f"{f.filename}:{f.lineno} in {f.name}" for f in frames]
            log.log(log.Level.ERROR, f"{type(error).__name__}: {error}", [log.Field("at", p) for p in places])
            why = fault("sdk.error", f"{type(error).__name__}: {error}", "at " + places[-1])
            raise Err(failure_of(failed(why))) from None
        finally:
            OUT.flush()
            ERR.flush()

    return call


def text(tree: Any) -> str:
    """JSON that is the same for the same answer, whatever the language."""
    return json.dumps(plain(tree), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def doc(tree: Any) -> types.Doc:
    return types.Doc(text(tree), [])


def context(of: types.Instance, marks: list) -> Context:
    def pointers(kind):
        return frozenset(m.pointer for m in marks if m.kind == kind)

    settings = json.loads(of.settings.json) if of.settings.json else None
    unknown, secret = pointers(types.MarkKind.UNKNOWN), pointers(types.MarkKind.SECRET)
    return Context(of.type_name, of.name, of.stack, settings, unknown, secret)


def parse(code: str, kind: type, tree: Any) -> Any:
    try:
        return read(kind, tree)
    except TypeError as error:
        raise invalid(fault(code, "the properties do not fit the type", str(error))) from None


def diagnostics(found) -> list:
    return [diagnostic(d) for d in found]


def diagnostic(d: Diagnostic):
    return types.Diagnostic(types.Severity(d.severity.value), d.code, d.summary, d.detail, d.at)


def failure_of(failure: Failure):
    all = diagnostics(failure.diagnostics)
    match failure.kind:
        case "invalid":
            return types.Failure_Invalid(all)
        case "not-found":
            return types.Failure_NotFound()
        case "denied":
            return types.Failure_Denied(all[0])
        case "conflict":
            return types.Failure_Conflict(all[0])
        case "retry":
            return types.Failure_Retry(types.RetryHint(failure.after_ms, all[0]))
        case _:
            return types.Failure_Other(all[0])


def find(all: list, name: str):
    for one in all:
        if one.name == name:
            return one
    raise failed(fault("sdk.unknown-type", f"the plugin has no type `{name}`"))


class Model:
    """What emitters and providers answer alike."""

    role: model.Role
    all: list

    def describe(self):
        return [model.TypeInfo(t.name, self.role, t.version, t.summary) for t in self.all]

    def settings_schema(self):
        return None

    @answering
    def schema(self, type_name):
        return text(schema(*find(self.all, type_name).arguments[:2]))

    @answering
    def check(self, of, props):
        kind, cx = find(self.all, of.type_name), context(of, props.marks)
        read = parse("sdk.bad-properties", kind.arguments[0], json.loads(props.json))
        found = list(kind.check(cx, read) or [])
        if any(d.severity is Severity.ERROR for d in found):
            raise invalid(*found)
        for d in found:
            log.log(log.Level.WARN, d.summary, [log.Field("code", d.code), log.Field("detail", d.detail)])
        return props

    @answering
    def upgrade(self, of, stored_version, state):
        kind = find(self.all, of.type_name)
        if kind.version != stored_version:
            detail = f"this plugin stores version {kind.version}"
            raise failed(fault("sdk.no-upgrade", f"state of version {stored_version} cannot be read", detail))
        return state
