"""A plugin with one type: a note, kept with the stack's state. A real one would keep it in some service."""

from dataclasses import dataclass
from typing import Annotated

from sheave import Identity, Immutable, Stable, fault, label
from sheave.provider import Pending, Planned, Provider, Resource


@dataclass
class Props:
    """What a blueprint writes."""

    title: Annotated[str, "What the note is called; another title is another note.", Immutable, Identity]
    text: Annotated[str, "What it says."]


@dataclass
class Outputs:
    """What other resources can read."""

    title: Annotated[str, "What the note is called.", Stable]
    lines: Annotated[int, "How many lines it has."]


@dataclass
class State:
    """What the plugin wants to know of a note later."""

    title: str
    text: str


class Note(Provider[Props, Outputs, State]):
    """a note"""

    def check(self, cx, props):
        if cx.is_secret("/text"):
            detail = "the plugin never sees it, and would keep a placeholder"
            yield fault("notebook.secret-text", "a note cannot keep a secret", detail, at="/text")

    def plan(self, cx, change):
        planned = Planned(outputs={"title": change.props.title}, replace=change.replaced())
        if cx.is_unknown("/text"):
            planned.unknown = ["lines"]
        else:
            planned.outputs["lines"] = lines(change.props.text)
        return planned

    def create(self, cx, props, attempt):
        if attempt.resume is None:
            # Work that takes long is done in pieces: the host keeps `resume`, and calls again.
            return Pending(b"drafted", "drafted", percent=50)
        return note(props.title, props.text)

    def read(self, cx, known):
        return note(known.state.title, known.state.text)

    def update(self, cx, known, props, attempt):
        return note(props.title, props.text)

    def delete(self, cx, known, attempt):
        return None


def note(title, text):
    return Resource(label(title), State(title, text), Outputs(title, lines(text)))


def lines(text):
    return text.count("\n") + 1
