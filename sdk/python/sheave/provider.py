"""Types that create, read, update and delete something by themselves."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Iterable, TypeVar

from . import Context, Diagnostic
from .registry import Registered
from .schema import schema

P = TypeVar("P")
O = TypeVar("O")
S = TypeVar("S")


@dataclass
class Resource(Generic[O, S]):
    """A thing that is there."""

    #: Its identity outside.
    id: str
    #: Kept by the host and given back. A field with an immutable property's name is compared with that property.
    state: S
    #: What expressions may read.
    outputs: O
    #: The plugin's own bytes, given back untouched.
    private: bytes = b""


@dataclass
class Known(Generic[S]):
    """What the host knows of a thing."""

    id: str
    state: S
    private: bytes = b""


@dataclass
class Attempt:
    """One try at a change."""

    #: The same on every try of one change: the idempotency key.
    key: str
    #: What the last Pending said; None on the first call.
    resume: bytes | None = None


@dataclass
class Pending:
    """Not finished: the host stores `resume` durably, waits, and calls again."""

    resume: bytes
    message: str = ""
    after_ms: int = 0
    percent: int | None = None


@dataclass
class Partial(Generic[O, S]):
    """It is there, but not right: the host stores it as tainted."""

    left: Resource[O, S]
    why: list[Diagnostic]


@dataclass
class Planned:
    """What a change would do."""

    #: The outputs, as far as they are known.
    outputs: dict[str, Any] = field(default_factory=dict)
    #: Names of the outputs that only apply can tell.
    unknown: list[str] = field(default_factory=list)
    #: Pointers of the properties that force a replacement; empty: in place.
    replace: list[str] = field(default_factory=list)
    #: Words for the operator.
    notes: list[Diagnostic] = field(default_factory=list)


@dataclass
class Change(Generic[P, S]):
    """A creation or an update that is being planned."""

    #: What there is; None: it is to be created.
    prior: Known[S] | None
    #: What is wanted.
    props: P
    schema: dict
    prior_state: dict
    prior_outputs: dict
    desired: dict

    def by_schema(self) -> Planned:
        """What the schema tells.

        An immutable property that differs from the state's field of the same name forces a replacement; outputs are unknown,
        but those that are stable keep their value where nothing is replaced.
        """
        planned = Planned(replace=self.replaced())
        for name, output in sorted(self.schema["x-outputs"]["properties"].items()):
            if output.get("x-stable") is True and not planned.replace and name in self.prior_outputs:
                planned.outputs[name] = self.prior_outputs[name]
            else:
                planned.unknown.append(name)
        return planned

    def replaced(self) -> list[str]:
        """Pointers of the immutable properties that differ from the state."""
        immutable = sorted(n for n, s in self.schema["properties"].items() if s.get("x-immutable") is True)
        return ["/" + n for n in immutable if n in self.prior_state and self.prior_state[n] != self.desired.get(n)]


class Provider(Registered, Generic[P, O, S]):
    """A type whose properties P, outputs O and state S are dataclasses; each subclass is one. See `Emitter` for its name.

    `check` and `plan` are pure and run without any grant; the others run with what the operator granted.
    """

    types: ClassVar[list["Provider"]] = []

    def check(self, cx: Context, props: P) -> Iterable[Diagnostic]:
        """Rules across fields, which the schema cannot say."""
        return []

    def plan(self, cx: Context, change: Change[P, S]) -> Planned:
        """What a change would do. By default the schema tells."""
        return change.by_schema()

    def create(self, cx: Context, props: P, attempt: Attempt) -> Resource[O, S] | Pending | Partial[O, S]:
        """Makes it.

        Called again with the same key when the host was cut off: what is there already under that key is to be found, not
        made twice.
        """
        raise NotImplementedError

    def read(self, cx: Context, known: Known[S]) -> Resource[O, S] | None:
        """What there is now; None: it is gone."""
        raise NotImplementedError

    def update(self, cx: Context, known: Known[S], props: P, attempt: Attempt) -> Resource[O, S] | Pending | Partial[O, S]:
        """Makes it as the properties say."""
        raise NotImplementedError

    def delete(self, cx: Context, known: Known[S], attempt: Attempt) -> None | Pending | Partial[O, S]:
        """Deletes it; that it is gone already is no error."""
        raise NotImplementedError

    def schema_of(self) -> dict:
        """The schema of the properties and the outputs."""
        return schema(*self.arguments[:2])
