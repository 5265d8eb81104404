"""The types that a plugin has: every subclass, as soon as it is there."""

from typing import ClassVar, get_args


class Registered:
    """What emitters and providers have in common."""

    #: The name in `plugin:Name`; empty: the class's.
    name: ClassVar[str] = ""
    #: One line for people; empty: the docstring's first.
    summary: ClassVar[str] = ""
    #: The version of the stored state.
    version: ClassVar[int] = 1
    #: The dataclasses that the type was declared with.
    arguments: ClassVar[tuple] = ()

    def __init_subclass__(cls, **given):
        super().__init_subclass__(**given)
        for base in getattr(cls, "__orig_bases__", ()):
            if get_args(base) and all(isinstance(a, type) for a in get_args(base)):
                cls.arguments = get_args(base)
                cls.name = cls.name or cls.__name__
                cls.summary = cls.summary or (cls.__doc__ or "").strip().split("\n")[0]
                cls.types.append(cls())
