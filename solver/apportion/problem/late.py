"""Fields of a problem that are worked out only when somebody asks for them."""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar, overload

T = TypeVar("T", covariant=True)
V = TypeVar("V")


class Deferred(Protocol[T]):
    """What gives the whole of a field on demand; it keeps what it gave."""

    def whole(self) -> T:
        """Work it out, the first time."""


class Late(Generic[V]):
    """A field of a frozen dataclass that holds its content or something that gives it on demand.

    Reading the field gives the content; `kept` gives what is held, which may be far smaller.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"_{name}"

    @overload
    def __get__(self, instance: None, owner: type) -> Late[V]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> V: ...
    def __get__(self, instance: object | None, owner: type) -> Any:
        if instance is None:
            raise AttributeError(self._name)  # so that the dataclass sees no default
        held = instance.__dict__[self._name]
        return held.whole() if hasattr(held, "whole") else held

    def __set__(self, instance: object, given: V | Deferred[V]) -> None:
        instance.__dict__[self._name] = given


def kept(instance: object, name: str) -> Any:
    """What a late field holds, without working it out."""
    return instance.__dict__[f"_{name}"]
