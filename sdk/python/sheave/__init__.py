"""For authors of Sheave plugins in Python.

See `sheave.emitter` for types that turn properties into Kubernetes objects, and `sheave.provider` for types that create,
read, update and delete something by themselves. A plugin's module is `plugin.py`.

A text that the plugin may not see, secret or known only after apply, is a token: a text like any other, that may be placed
whole or inside a longer text. The host finds it again and puts the value in. To take one apart or to hash it is refused;
`Context.has_token` tells where one stands.

What is printed goes to the operator's log. An exception that nobody catches becomes a failure with its message and place.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from .label import label
from .schema import Identity, Immutable, Keyword, Maximum, Minimum, Sensitive, Stable

__all__ = [
    "Context", "Diagnostic", "Failure", "Identity", "Immutable", "Keyword", "Maximum", "Minimum", "Sensitive", "Severity",
    "Stable", "conflict", "denied", "failed", "fault", "invalid", "label", "not_found", "retry", "warning",
]


@dataclass(frozen=True)
class Context:
    """What a call is about."""

    #: The type's name, as the plugin describes it.
    type: str
    #: The resource's address in its blueprint: web, web[2], db.primary["eu"].
    name: str
    #: The stack's name.
    stack: str = "test"
    #: The plugin's settings from the blueprint.
    settings: Any = None
    #: Pointers (RFC 6901) of the properties that are known only after apply.
    unknown: frozenset[str] = frozenset()
    #: Pointers of the properties that are secret.
    secret: frozenset[str] = frozenset()

    def is_unknown(self, pointer: str) -> bool:
        """Whether the leaf at this pointer is known only after apply: it holds a token now."""
        return pointer in self.unknown

    def is_secret(self, pointer: str) -> bool:
        """Whether the leaf at this pointer is secret: it holds a token, here and always."""
        return pointer in self.secret

    def has_token(self, pointer: str) -> bool:
        """Whether a token stands at this pointer, or beneath it."""
        return any(m == pointer or m.startswith(pointer + "/") for m in self.unknown | self.secret)


class Severity(Enum):
    """How bad a diagnostic is."""

    ERROR = 0
    WARNING = 1
    NOTE = 2


@dataclass(frozen=True)
class Diagnostic:
    """A plugin's word on a fault."""

    #: Dotted and stable, with the plugin's name before the dot: page.too-many.
    code: str
    #: One sentence in lower case without a full stop.
    summary: str
    #: What to do about it.
    detail: str = ""
    #: Where in the properties, RFC 6901.
    at: str | None = None
    severity: Severity = Severity.ERROR


def fault(code: str, summary: str, detail: str = "", at: str | None = None) -> Diagnostic:
    """An error."""
    return Diagnostic(code, summary, detail, at)


def warning(code: str, summary: str, detail: str = "", at: str | None = None) -> Diagnostic:
    """A warning: nothing stops."""
    return Diagnostic(code, summary, detail, at, Severity.WARNING)


class Failure(Exception):
    """What ends a call; made by the functions below."""

    def __init__(self, kind: str, diagnostics: list[Diagnostic], after_ms: int = 0):
        super().__init__(diagnostics[0].summary if diagnostics else kind)
        self.kind = kind
        self.diagnostics = diagnostics
        self.after_ms = after_ms


def invalid(*why: Diagnostic) -> Failure:
    """The properties are at fault."""
    return Failure("invalid", list(why))


def not_found() -> Failure:
    """There is no such thing."""
    return Failure("not-found", [])


def denied(why: Diagnostic) -> Failure:
    """The grant that is missing, or whatever else refused."""
    return Failure("denied", [why])


def conflict(why: Diagnostic) -> Failure:
    """Something in the way belongs to somebody else."""
    return Failure("conflict", [why])


def retry(after_ms: int, why: Diagnostic) -> Failure:
    """Worth trying again after some time."""
    return Failure("retry", [why], after_ms)


def failed(why: Diagnostic) -> Failure:
    """Whatever has no better name."""
    return Failure("other", [why])
