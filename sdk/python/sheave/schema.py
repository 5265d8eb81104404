"""JSON Schema out of the author's dataclasses, and the dataclasses out of JSON."""

import types
import typing
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints


@dataclass(frozen=True)
class Keyword:
    """A keyword of the schema, beside a type in `Annotated`."""

    name: str
    value: Any = True


#: Another value means another thing.
Immutable = Keyword("x-immutable")
#: Names the thing outside: it cannot be secret.
Identity = Keyword("x-identity")
#: What stands here is secret.
Sensitive = Keyword("x-sensitive")
#: Of outputs: cannot change while the thing lives.
Stable = Keyword("x-stable")


def Minimum(least: float) -> Keyword:
    """The smallest number that is allowed."""
    return Keyword("minimum", least)


def Maximum(most: float) -> Keyword:
    """The largest number that is allowed."""
    return Keyword("maximum", most)


SIMPLE = {str: "string", bool: "boolean", int: "integer", float: "number"}


def schema(props: type, outputs: type) -> dict:
    """The schema of properties, with that of the outputs under x-outputs."""
    out = of(props)
    out["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    out["x-outputs"] = of(outputs)
    return out


def of(kind: Any) -> dict:
    if get_origin(kind) is Annotated:
        inner, *notes = get_args(kind)
        out = of(inner)
        for note in notes:
            if isinstance(note, str):
                out["description"] = note
            elif isinstance(note, Keyword):
                out[note.name] = note.value
        return out
    if kind in SIMPLE:
        return {"type": SIMPLE[kind]}
    inner = optional(kind)
    if inner is not None:
        return of(inner)
    if is_dataclass(kind):
        return of_dataclass(kind)
    origin, args = get_origin(kind), get_args(kind)
    if origin is list:
        return {"type": "array", "items": of(args[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": of(args[1])}
    if origin is typing.Literal:
        return {"enum": list(args)}
    return {}


def of_dataclass(kind: type) -> dict:
    properties, required = {}, []
    hints = get_type_hints(kind, include_extras=True)
    for field in fields(kind):
        inner = of(hints[field.name])
        given, default = default_of(field)
        if not given:
            required.append(field.name)
        elif default is not None:
            inner["default"] = plain(default)
        properties[field.name] = inner
    out = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        out["required"] = required
    return out


def default_of(field: Any) -> tuple[bool, Any]:
    if field.default is not MISSING:
        return True, field.default
    if field.default_factory is not MISSING:
        return True, field.default_factory()
    return False, None


def optional(kind: Any) -> Any:
    """What may be none, or None where nothing may."""
    if get_origin(kind) in (Union, types.UnionType):
        inner = [a for a in get_args(kind) if a is not type(None)]
        if len(inner) == 1:
            return inner[0]
    return None


def read(kind: Any, value: Any, at: str = "") -> Any:
    """JSON as the author's type; a TypeError says what does not fit, and where."""
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    inner = optional(kind)
    if inner is not None:
        return None if value is None else read(inner, value, at)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind in SIMPLE:
        if type(value) is not kind:
            raise TypeError(f"{at or '/'}: {SIMPLE[kind]} was expected")
        return value
    if is_dataclass(kind):
        if not isinstance(value, dict):
            raise TypeError(f"{at or '/'}: an object was expected")
        hints = get_type_hints(kind, include_extras=True)
        given = {}
        for field in fields(kind):
            if field.name in value:
                given[field.name] = read(hints[field.name], value[field.name], f"{at}/{field.name}")
            elif not default_of(field)[0]:
                raise TypeError(f"{at}/{field.name} is missing")
        return kind(**given)
    origin, args = get_origin(kind), get_args(kind)
    if origin is list and isinstance(value, list):
        return [read(args[0], one, f"{at}/{n}") for n, one in enumerate(value)]
    if origin is dict and isinstance(value, dict):
        return {key: read(args[1], one, f"{at}/{key}") for key, one in value.items()}
    return value


def plain(value: Any) -> Any:
    """Dataclasses as dictionaries, at every depth."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value
