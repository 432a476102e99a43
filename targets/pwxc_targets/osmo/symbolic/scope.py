"""What names stand for during a walk, and expressions with everything put in that is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from pwxc.frozen import frozen
from pwxc_targets.osmo.symbolic.evaluate import MISSING, evaluate
from pwxc_targets.osmo.symbolic.tree import (
    Attribute,
    Binary,
    Comparison,
    Const,
    Expression,
    Item,
    Listing,
    Name,
    NotInSubsetError,
    Param,
    Path,
    Varying,
    leaves,
    rebuilt,
)


@frozen
class Open:
    """A map of the context in which some values are open."""

    path: Path
    items: Mapping[Any, Any]


@frozen
class LoopState:
    """What `loop` is: the number of the round from 0, or what stands for it in an open loop."""

    length: int
    number: int | None
    varying: Varying | None

    def attribute(self, name: str) -> Expression:
        """Give the value of one of its attributes."""
        index: Expression = Const(self.number) if self.varying is None else self.varying
        match name:
            case "index0":
                return index
            case "index":
                return Binary("+", index, Const(1))
            case "first":
                return Comparison(index, (("==", Const(0)),))
            case "last":
                return Comparison(index, (("==", Const(self.length - 1)),))
            case "length":
                return Const(self.length)
            case "revindex":
                return Binary("-", Const(self.length), index)
            case "revindex0":
                return Binary("-", Const(self.length - 1), index)
            case "depth":
                return Const(1)
            case "depth0":
                return Const(0)
        raise NotInSubsetError(f"`loop.{name}`")


@attrs.define(eq=False)
class Names:
    """The names of a template, a loop's body, or a branch: an inner scope sees the outer names and keeps its own."""

    names: dict[str, Any]
    outer: Names | None = None

    def inner(self, names: dict[str, Any]) -> Names:
        """Give the scope of a loop's round."""
        return Names(names, self)

    def assign(self, name: str, value: Expression) -> None:
        """Do what `set` does.

        Raises:
            NotInSubsetError: the name is one of the context, where Jinja looks at the whole template first.
        """
        root = self
        while root.outer is not None:
            root = root.outer
        if name in root.names and name not in root.assigned:
            raise NotInSubsetError(f"a new value for `{name}`")
        if root is self:
            self.assigned.add(name)
        self.names[name] = value

    assigned: set[str] = attrs.field(factory=set)

    def look_up(self, name: str) -> Any:
        """Give what a name stands for: an expression, an `Open` map or a `LoopState`."""
        scope: Names | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return Const(MISSING)


class _Nothing:
    """Knows no name."""

    def find(self, name: str) -> Any:
        return MISSING

    def opened(self, leaf: Param | Varying) -> Any:
        raise NotInSubsetError("an open value")


NOTHING = _Nothing()


@frozen
class Row:
    """What is open has values: parameters by their paths, variables by loop and name."""

    params: Mapping[Path, Any]
    varying: Mapping[tuple[int, str], Any]

    def find(self, name: str) -> Any:
        """Know no name: all have been put in."""
        return MISSING

    def opened(self, leaf: Param | Varying) -> Any:
        """Give the value of what is open."""
        return self.params[leaf.path] if isinstance(leaf, Param) else self.varying[leaf.loop, leaf.name]


def open_leaves(expr: Expression) -> Iterator[Param | Varying]:
    """Give what is open in an expression."""
    return (leaf for leaf in leaves(expr) if isinstance(leaf, Param | Varying))


def close(expr: Expression, names: Names, place: tuple[int, int]) -> Expression:
    """Put in what the names stand for; without anything open this is a `Const`, whose value may be `MISSING`."""
    try:
        found = _put_in(expr, names)
        if isinstance(found, Open):
            found = _whole(found)
        if isinstance(found, Const) or next(open_leaves(found), None) is not None:
            return found
        return Const(evaluate(found, NOTHING))
    except NotInSubsetError as fault:
        if not fault.end:
            fault.start, fault.end = place
        raise


def _whole(found: Open) -> Expression:
    """Give something that names all open values of a map that is used as a whole."""
    return Listing(tuple(_whole(item) if isinstance(item, Open) else item for item in found.items.values()))


def _put_in(expr: Expression, names: Names) -> Expression | Open:
    match expr:
        case Const() | Param() | Varying():
            return expr
        case Name():
            found = names.look_up(expr.name)
            if isinstance(found, LoopState):
                raise NotInSubsetError("`loop` as a value")
            return found  # type: ignore[no-any-return]
        case Attribute(Name("loop"), attribute) if isinstance(state := names.look_up("loop"), LoopState):
            return state.attribute(attribute)
        case Attribute():
            return _member(expr, names, expr.name)
        case Item(_, Const(str(key))):
            return _member(expr, names, key)
        case _:
            return _rebuilt(expr, names)


def _member(expr: Attribute | Item, names: Names, key: str) -> Expression | Open:
    value = _put_in(expr.value, names)
    if not isinstance(value, Open):
        return attrs.evolve(expr, value=value)
    if key in value.items and (isinstance(expr, Item) or not hasattr(dict, key)):
        return value.items[key]  # type: ignore[no-any-return]
    return attrs.evolve(expr, value=_whole(value))


def _rebuilt(expr: Expression, names: Names) -> Expression:
    def put(part: Expression) -> Expression:
        found = _put_in(part, names)
        return _whole(found) if isinstance(found, Open) else found

    return rebuilt(expr, put)
