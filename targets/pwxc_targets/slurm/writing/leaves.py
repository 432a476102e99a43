"""The small nouns that the scripts carry as they are: which of their fields the writer knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pwxc.fidelity import Fate, Ledger
from pwxc.ir.data import Datum, File, InlineFile, Variable
from pwxc.ir.entity import fields_of, is_entity
from pwxc.ir.inputs import Choice, Input, Preset
from pwxc.ir.resources import Placement
from pwxc.ir.sweep import Parameter
from pwxc.ir.task import Edge, Retry
from pwxc.ir.workflow import Workflow

_KNOWN: tuple[tuple[type, Fate, tuple[str, ...]], ...] = (
    (Variable, Fate.EMULATED, ("name", "value")),
    (InlineFile, Fate.EMULATED, ("path", "contents", "encoded", "executable", "local_path")),
    (Edge, Fate.EXACT, ("parent", "when", "same_instance", "any_instance", "delay", "implied")),
    (File, Fate.EMULATED, ("name", "path", "modified", "sweep")),
    (Datum, Fate.EMULATED, ("name", "value", "ephemeral")),
    (Parameter, Fate.EMULATED, ("name", "values", "format", "shared")),
    (Choice, Fate.EMULATED, ("value", "label")),
    (Preset, Fate.COSMETIC, ("name", "values")),
    (Retry, Fate.EMULATED, ("limit", "interval", "attempt_timeout", "clean")),
    (
        Placement,
        Fate.EMULATED,
        ("host", "user", "jump_host", "jump_user", "cluster", "scheduled", "allocation", "pool"),
    ),
    (
        Input,
        Fate.EMULATED,
        ("name", "type", "default", "has_default", "optional", "minimum", "maximum", "choices", "items"),
    ),
    (Input, Fate.COSMETIC, ("hidden", "ignored", "label", "help", "form")),
)


def settle_leaves(workflow: Workflow, ledger: Ledger) -> None:
    """Settle what is known of the small nouns; what is said later of one of them counts instead."""
    for noun in _nouns(workflow):
        for kind, fate, names in _KNOWN:
            if isinstance(noun, kind):
                account = ledger.of(noun)
                for name in names:
                    account.take(name, fate)


def _nouns(noun: Any) -> Iterator[Any]:
    yield noun
    for field in fields_of(noun):
        value = getattr(noun, field.name)
        for child in value if isinstance(value, tuple) else (value,):
            if is_entity(child):
                yield from _nouns(child)
