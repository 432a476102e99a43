"""The ledger: a writer reads the IR through it, and whatever it does not settle is reported by itself.

    with ledger.of(task) as account:
        job.timeout = account.take("run_timeout")
        account.approximate("queue_timeout", QUEUE_LIMIT, "the wait in the queue is not limited")

Each non-default field of each noun is one *leaf*, unless its value is again a noun or a tuple of nouns: then the
leaves are theirs, and taking the field settles none of them: that would hide what the writer does not know. Leaves that
were neither taken nor settled when the ledger is closed become "not carried".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, overload

import attrs

from pwxc.diagnostics import Code, Diagnostics
from pwxc.diagnostics import codes as C  # noqa: N812
from pwxc.fidelity.fate import Fate
from pwxc.frozen import frozen
from pwxc.ir.entity import fields_of, is_entity, place_of
from pwxc.source import Span


@frozen
class Entry:
    """What became of one leaf. `where` is its place in the output, in words; `why` is told for the losing fates."""

    construct: str
    span: Span | None
    fate: Fate
    where: str = ""
    why: str = ""
    code: Code | None = None


_WHOLE = "*"


class Account:
    """The part of the ledger for one noun; a context manager."""

    __slots__ = ("_fates", "_ledger", "noun")

    def __init__(self, ledger: Ledger, noun: Any) -> None:
        self.noun = noun
        self._ledger = ledger
        self._fates: dict[str, Entry | Fate] = ledger.fates.setdefault(id(noun), {})

    def __enter__(self) -> Account:
        """Open the account."""
        self._ledger.nouns.setdefault(id(self.noun), self.noun)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the account; what was not settled is found by `Ledger.close`."""

    def take(self, field: str, fate: Fate = Fate.EXACT) -> Any:
        """Give a field's value, and note that it is kept."""
        self._fates[field] = fate
        return getattr(self.noun, field)

    def emulate(self, *names: str) -> None:
        """Note that fields are kept through generated code."""
        for name in names:
            self._fates[name] = Fate.EMULATED

    def cosmetic(self, *names: str) -> None:
        """Note that fields cannot affect a run."""
        for name in names:
            self._fates[name] = Fate.COSMETIC

    def approximate(self, field: str, code: Code, message: str, **more: Any) -> None:
        """Note that a field is kept with a difference, and say which.

        With `once=True` the same message is told a single time in a compilation, though every leaf counts.
        """
        self._settle(field, Fate.APPROXIMATED, code, message, **more)

    def manual(self, field: str, code: Code, message: str, **more: Any) -> None:
        """Note that a person has to do something for this field."""
        self._settle(field, Fate.MANUAL, code, message, **more)

    def drop(self, field: str, code: Code, message: str, **more: Any) -> None:
        """Note that a field is not in the output, and say so."""
        self._settle(field, Fate.DROPPED, code, message, **more)

    def warn(self, code: Code, message: str, *, once: bool = False, **more: Any) -> None:
        """Say something about the noun that is no loss of one of its fields."""
        add = self._ledger.add_once if once else self._ledger.diagnostics.add
        add(code, message, more.pop("span", None) or getattr(self.noun, "span", None), **more)

    def whole(self, fate: Fate) -> None:
        """Settle the noun and everything below it at once."""
        self._fates[_WHOLE] = fate

    def _settle(self, field: str, fate: Fate, code: Code, message: str, **more: Any) -> None:
        default = fields_of(self.noun)
        if field != _WHOLE and not _counts(self.noun, field, default):
            return
        span = more.pop("span", None) or place_of(self.noun, field)
        if more.pop("once", False):
            self._ledger.add_once(code, message, span, **more)
        else:
            self._ledger.diagnostics.add(code, message, span, **more)
        self._fates[field] = Entry("", span, fate, why=message, code=code)


def _counts(noun: Any, name: str, known: Iterable[Any]) -> bool:
    return any(field.name == name and getattr(noun, name) != field.default for field in known)


@attrs.define
class Ledger:
    """The account of one compilation: fates by noun and field, and the diagnostics of the losing ones."""

    diagnostics: Diagnostics = attrs.field(factory=Diagnostics)
    fates: dict[int, dict[str, Entry | Fate]] = attrs.field(factory=dict, repr=False)
    nouns: dict[int, Any] = attrs.field(factory=dict, repr=False)
    wheres: dict[int, str] = attrs.field(factory=dict, repr=False)
    _said: set[tuple[str, str]] = attrs.field(factory=set, repr=False)

    def add_once(self, code: Code, message: str, span: Span | None, **more: Any) -> None:
        """Add a diagnostic unless the same one was added before, for a loss that many nouns share."""
        if (code.id, message) not in self._said:
            self._said.add((code.id, message))
            self.diagnostics.add(code, message, span, **more)

    def of(self, noun: Any, *, where: str = "") -> Account:
        """Open the account of a noun; `where` is its place in the output, in words, and holds for what is below it."""
        if where:
            self.wheres[id(noun)] = where
        return Account(self, noun)

    def close(self, workflow: Any) -> Entries:
        """Report what no account has settled, and give an entry for every leaf."""
        self._check(workflow, None)
        return Entries(self, workflow)

    def _check(self, noun: Any, inherited: Fate | Entry | None) -> None:
        settled = self.fates.get(id(noun), {})
        whole = settled.get(_WHOLE, inherited)
        for name, value in _leaves(noun):
            fate = settled.get(name, whole)
            nested = _nested(value)
            for child in nested:
                self._check(child, _passed_on(fate, whole))
            if fate is None and not nested:
                self.diagnostics.add(C.NOT_CARRIED, _not_carried(noun, name), place_of(noun, name))


class Entries(Sequence[Entry]):
    """The entries of a ledger that is closed; they are made when they are asked for, which most never are."""

    def __init__(self, ledger: Ledger, workflow: Any) -> None:
        self._ledger = ledger
        self._workflow = workflow
        self._made: list[Entry] | None = None

    @property
    def _all(self) -> list[Entry]:
        if self._made is None:
            self._made = []
            self._visit(self._workflow, _Trail(_describe(self._workflow)), None, self._made)
        return self._made

    @overload
    def __getitem__(self, at: int) -> Entry: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Entry]: ...
    def __getitem__(self, at: int | slice) -> Entry | Sequence[Entry]:
        """Give an entry, or several."""
        return self._all[at]

    def __len__(self) -> int:
        """How many leaves there are."""
        return len(self._all)

    def __iter__(self) -> Iterator[Entry]:
        """Go through the entries, in the order of the workflow's parts."""
        return iter(self._all)

    def _visit(self, noun: Any, trail: _Trail, inherited: Fate | Entry | None, entries: list[Entry]) -> None:
        settled = self._ledger.fates.get(id(noun), {})
        whole = settled.get(_WHOLE, inherited)
        trail = trail.at(self._ledger.wheres.get(id(noun)))
        for name, value in _leaves(noun):
            fate = settled.get(name, whole)
            nested = _nested(value)
            for child in nested:
                self._visit(child, trail.below(_describe(child)), _passed_on(fate, whole), entries)
            if not nested:
                entries.append(_entry(noun, trail, name, fate))


def _passed_on(fate: Fate | Entry | None, whole: Fate | Entry | None) -> Fate | Entry | None:
    """Give what a field's fate says of the nouns in it: a loss is theirs too, the rest they settle themselves."""
    return fate if isinstance(fate, Entry) else whole


def _leaves(noun: Any) -> list[tuple[str, Any]]:
    """Give the fields that differ from their default."""
    found = []
    for field in fields_of(noun):
        value = getattr(noun, field.name)
        default = field.default
        if value is not default and (default is None or value != default):
            found.append((field.name, value))
    return found


def _entry(noun: Any, trail: _Trail, name: str, fate: Fate | Entry | None) -> Entry:
    span = place_of(noun, name)
    construct = f"{trail.construct}.{name}"
    if fate is None:
        return Entry(construct, span, Fate.DROPPED, why=_not_carried(noun, name), code=C.NOT_CARRIED)
    if isinstance(fate, Fate):
        return Entry(construct, span, fate, trail.where)
    where = trail.where if fate.fate is not Fate.DROPPED else ""
    return attrs.evolve(fate, construct=construct, where=where)


def _not_carried(noun: Any, name: str) -> str:
    return f"{_describe(noun)}: `{name.replace('_', ' ')}` is not carried into the output"


@frozen
class _Trail:
    """The way to a noun in the source, and where it went."""

    construct: str
    where: str = ""

    def at(self, where: str | None) -> _Trail:
        return _Trail(self.construct, where) if where else self

    def below(self, child: str) -> _Trail:
        return _Trail(f"{self.construct} {child}", self.where)


def _nested(value: object) -> tuple[Any, ...]:
    if is_entity(value):
        return (value,)
    if isinstance(value, tuple) and value and is_entity(value[0]):
        return value
    return ()


def _describe(noun: Any) -> str:
    kind = type(noun).__name__.lower()
    name = getattr(noun, "name", None) or getattr(noun, "parent", None)
    return f"{kind} {name}" if isinstance(name, str) else kind
