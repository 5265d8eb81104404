"""Types that turn properties into Kubernetes objects, which the host applies.

Everything here is pure: the same properties give the same objects, byte for byte.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Iterable, TypeVar

from . import Context, Diagnostic
from .registry import Registered

P = TypeVar("P")
O = TypeVar("O")

#: Live objects by slot, secrets masked; None where one does not exist.
Live = dict[str, dict[str, Any] | None]


@dataclass
class Object:
    """One desired object."""

    #: Stable within the instance: a rename or a diff is keyed by it.
    slot: str
    #: The object; metadata.namespace is left out for the host to fill in.
    manifest: dict[str, Any]
    #: Another target of the blueprint, by its name there; empty: the resource's own.
    target: str = ""
    #: Slots that must be ready first.
    after: list[str] = field(default_factory=list)
    #: CEL over `self`; None: the host's rule for the kind.
    ready_when: str | None = None
    #: Slots whose content restarts this object's pods.
    restart_on: list[str] = field(default_factory=list)


@dataclass
class Lookup:
    """A live object that rendering wants to see."""

    api_version: str
    kind: str
    name: str
    namespace: str | None = None
    target: str = ""


@dataclass
class Observation(Generic[O]):
    """What the live objects say."""

    outputs: O
    ready: bool = True
    #: Why not, or how: a short word for people.
    reason: str = ""


class Emitter(Registered, Generic[P, O]):
    """A type whose properties P and outputs O are dataclasses; each subclass is one.

    It is called as the class is, unless `name` says otherwise; the docstring's first line is its summary. The schema is made
    of the dataclasses: in `Annotated[type, "What it is.", ...]` a text describes a field, and keywords follow it.
    """

    types: ClassVar[list["Emitter"]] = []

    def check(self, cx: Context, props: P) -> Iterable[Diagnostic]:
        """Rules across fields, which the schema cannot say."""
        return []

    def needs(self, cx: Context, props: P, found: Live) -> Iterable[Lookup]:
        """Live objects to look at before rendering; asked again with what was found, until nothing new is wanted."""
        return []

    def render(self, cx: Context, props: P, found: Live) -> Iterable[Object]:
        """The desired objects."""
        raise NotImplementedError

    def observe(self, cx: Context, props: P, live: Live) -> Observation[O]:
        """What the live objects say."""
        raise NotImplementedError
