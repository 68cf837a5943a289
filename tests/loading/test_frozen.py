"""`@frozen` beside `@dataclass(frozen=True, slots=True)`, of the same classes: nobody can tell which is which."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, astuple, dataclass, field, fields, is_dataclass, replace
from typing import Any, Generic, TypeVar

import pytest

from specs.frozen import frozen

T = TypeVar("T")
Decorator = Callable[[type[Any]], type[Any]]
STANDARD: Decorator = dataclass(frozen=True, slots=True)


def point(decorate: Decorator) -> type[Any]:
    class Point:
        """Two numbers."""

        x: int
        y: int = 2

    return decorate(Point)


def single(decorate: Decorator) -> type[Any]:
    class Single(Generic[T]):
        """One value."""

        only: T

        @property
        def doubled(self) -> Any:
            return self.only * 2  # type: ignore[operator]

    return decorate(Single)


def rich(decorate: Decorator) -> type[Any]:
    class Rich:
        """Everything that fields can be."""

        name: str
        notes: list[str] = field(default_factory=list)
        hidden: int = field(default=3, repr=False)
        beside: int = field(default=4, compare=False)
        found: dict[str, int] = field(init=False, default_factory=dict, compare=False)
        last: str = field(default="z", kw_only=True)

        def __post_init__(self) -> None:
            self.found[self.name] = len(self.notes)

    return decorate(Rich)


def own(decorate: Decorator) -> type[Any]:
    class Own:
        """Says itself how it looks and what it equals."""

        x: int

        def __repr__(self) -> str:
            return "own"

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 7

    return decorate(Own)


def below(decorate: Decorator) -> type[Any]:
    class Below(point(decorate)):  # type: ignore[misc]
        """A class with fields above it."""

        z: int = 3

    return decorate(Below)


def empty(decorate: Decorator) -> type[Any]:
    class Empty:
        """Nothing in it."""

    return decorate(Empty)


CALLS: dict[str, tuple[Callable[[Decorator], type[Any]], list[tuple[tuple[Any, ...], dict[str, Any]]]]] = {
    "defaults": (point, [((1,), {}), ((1, 2), {}), ((1, 3), {}), ((2,), {"y": 2}), ((), {"x": 1})]),
    "one-field": (single, [((1,), {}), ((2,), {}), (("text",), {})]),
    "every-kind-of-field": (
        rich,
        [(("a",), {}), (("a", ["b"]), {}), (("a",), {"beside": 9}), (("a",), {"hidden": 9}), (("a",), {"last": "y"})],
    ),
    "methods-of-its-own": (own, [((1,), {}), ((2,), {})]),
    "inherited": (below, [((1,), {}), ((1, 2, 4), {})]),
    "no-fields": (empty, [((), {})]),
}
same = pytest.mark.parametrize(("build", "calls"), CALLS.values(), ids=CALLS)
Calls = list[tuple[tuple[Any, ...], dict[str, Any]]]


@same
def test_an_instance_says_and_equals_what_the_standard_one_does(
    build: Callable[[Decorator], type[Any]], calls: Calls
) -> None:
    ours, theirs = build(frozen), build(STANDARD)
    made = [(ours(*given, **named), theirs(*given, **named)) for given, named in calls]
    for mine, other in made:
        assert repr(mine) == repr(other)
        assert (asdict(mine), astuple(mine)) == (asdict(other), astuple(other))
        assert not hasattr(mine, "__dict__")
        for mine_too, other_too in made:
            assert (mine == mine_too) == (other == other_too)
        if all(not isinstance(value, list) for value in astuple(mine)):
            assert len({each for each, _ in made}) == len({each for _, each in made})
    assert ours.__match_args__ == theirs.__match_args__
    assert [each.name for each in fields(ours)] == [each.name for each in fields(theirs)]
    assert is_dataclass(ours) and ours.__doc__ == theirs.__doc__
    mine, theirs_too = inspect.signature(ours).parameters, inspect.signature(theirs).parameters
    assert [(each.name, each.kind) for each in mine.values()] == [(e.name, e.kind) for e in theirs_too.values()]


@same
def test_nothing_of_an_instance_can_be_set_or_deleted(build: Callable[[Decorator], type[Any]], calls: Calls) -> None:
    given, named = calls[0]
    made = build(frozen)(*given, **named)
    for name in [each.name for each in fields(made)] + ["unknown"]:
        with pytest.raises(FrozenInstanceError, match=f"cannot assign to field '{name}'"):
            setattr(made, name, 1)
        with pytest.raises(FrozenInstanceError, match=f"cannot delete field '{name}'"):
            delattr(made, name)


@pytest.mark.parametrize(
    ("given", "named"),
    [((), {}), ((1, 2, 3), {}), ((1,), {"x": 1}), ((1,), {"other": 1})],
    ids=["too-few", "too-many", "twice", "unknown"],
)
def test_a_wrong_call_is_refused_in_the_same_words(given: tuple[int, ...], named: dict[str, int]) -> None:
    told = []
    for decorate in (frozen, STANDARD):
        with pytest.raises(TypeError) as caught:
            point(decorate)(*given, **named)
        told.append(str(caught.value))
    assert told[0] == told[1]


def test_each_instance_gets_a_default_of_its_own() -> None:
    first, second = rich(frozen)("a"), rich(frozen)("a")
    first.notes.append("x")
    assert second.notes == []


def test_only_names_are_taken_where_the_class_says_so() -> None:
    @frozen(kw_only=True)
    class Named:
        """Two numbers."""

        x: int
        y: int = 2

    assert replace(Named(x=1), y=5) == Named(x=1, y=5)
    with pytest.raises(TypeError):
        Named(1)  # type: ignore[call-arg]


def test_classes_alike_are_not_equal() -> None:
    assert point(frozen)(1) != point(frozen)(1)
