"""The page `matrix.md`: what every system makes of every construct of every language, from the ledger's reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from probes import osmo, pw, slurm, torc
from probes.probe import Probe

from pwxc import compiler, registry
from pwxc.compiler import Policy
from pwxc.diagnostics import Severity
from pwxc.fidelity import KEEPING, Fate
from pwxc.frozen import frozen
from pwxc.ir import data, inputs, resources, sweep, task, workflow
from pwxc.ir.entity import fields, fields_of, is_entity
from pwxc.ir.workflow import Workflow
from pwxc.registry import ReadSettings, Target
from pwxc.source import Source

HEAD = """\
# What becomes of what

Made by `make docs`, by compiling a small workflow for every construct and reading the report of what was kept; no cell
is written by hand. There is a table for each language that is read; the last one has the parts of pwxc's own form,
into which all of them are read.

| word | meaning |
|---|---|
| exact | the target's own construct for the same thing |
| emulated | the same behaviour through generated code or structure |
| cosmetic | it cannot affect a run |
| approximated | nearly the same, with a difference that has a name: a warning |
| manual | a person has to do something before it works: a warning |
| dropped | not in the output: a warning |
| refused | no output unless the loss is allowed with `--allow CODE` or `--lossy` |
| no effect | it changes nothing that a run could show, so nothing has to be carried |

The numbers lead to the pages of diagnostics that say what the difference is; those below "reading" are said whatever
the target is. A construct that several parts of the form carry has the worst of their fates.
"""
FORM = """\
## Parts of the form

What the writers make of each part, gathered over all workflows of the tables above. A part has several fates where it
depends on the rest of the workflow.
"""
IMAGE = {"osmo": {"image": "ubuntu:24.04"}}
"""Every task of OSMO needs an image; the other languages have none, and that is not what the tables are about."""
_WORST_FIRST = (Fate.DROPPED, Fate.MANUAL, Fate.APPROXIMATED, Fate.EMULATED, Fate.EXACT, Fate.COSMETIC)
_HOLDERS: set[tuple[str, str]] = set()
"""Fields that hold other parts, which have rows of their own."""
_SOURCES = {"osmo": osmo, "pw": pw, "torc": torc, "slurm": slurm}


@frozen
class Leaf:
    """A part of a workflow with what became of it."""

    noun: str
    field: str
    value: str
    fate: Fate
    code: str = ""


@frozen
class Outcome:
    """What a target made of a text: its leaves, and the codes that were said with the worse of their severities."""

    leaves: tuple[Leaf, ...] = ()
    said: tuple[tuple[str, Severity], ...] = ()


@frozen
class Meaning:
    """What a reader made of a text."""

    workflow: Workflow | None
    errors: frozenset[str]
    warnings: frozenset[str]


def pages() -> dict[str, str]:
    """Give the page."""
    targets = registry.all_targets()
    parts = [HEAD]
    texts: list[tuple[str, str]] = []
    for name, module in _SOURCES.items():
        source = registry.find(name)
        assert source is not None
        found = list(module.probes())
        parts += _construct_table(source, found, targets)
        texts += [(name, text) for probe in found for text in (probe.without, probe.text)]
    parts += _form_table(texts, targets)
    return {"matrix.md": "\n".join(parts)}


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


# one language


def _construct_table(source: Target, probes: list[Probe], targets: list[Target]) -> Iterator[str]:
    heads = ["construct", "meaning", "reading", *(target.name for target in targets)]
    yield f"## {source.title}\n"
    yield _row(heads)
    yield "|---" * len(heads) + "|"
    for probe in probes:
        read = _read(source.name, probe.text)
        told = _links((read.warnings if read.workflow else read.errors) - _read(source.name, probe.without).warnings)
        if read.workflow is None:
            cells = [f"refused {told}", *("" for _ in targets)]
        else:
            cells = [told, *(_cell(source, probe, target) for target in targets)]
        yield _row([probe.title, probe.meaning, *cells])
    yield ""


def _cell(source: Target, probe: Probe, target: Target) -> str:
    before, after = (_outcome(source.name, text, target.name) for text in (probe.without, probe.text))
    leaves = list((Counter(after.leaves) - Counter(before.leaves)).elements())
    said = dict(after.said)
    new = {code for code in said if (code, said[code]) not in before.said} | {leaf.code for leaf in leaves if leaf.code}
    if not leaves and not new:
        return "no effect"
    fates = {leaf.fate for leaf in leaves}
    worst = next((fate for fate in _WORST_FIRST if fate in fates), Fate.APPROXIMATED)
    if new and worst in KEEPING:
        worst = Fate.APPROXIMATED
    refused = any(said.get(code) is Severity.ERROR for code in new)
    return " ".join(["refused" if refused else str(worst), _links(new)]).strip()


# the form


def _form_table(texts: list[tuple[str, str]], targets: list[Target]) -> Iterator[str]:
    heads = ["part", *(target.name for target in targets)]
    yield FORM
    yield _row(heads)
    yield "|---" * len(heads) + "|"
    found: dict[tuple[str, str, str], set[tuple[str, str]]] = {}
    for target in targets:
        for source, text in texts:
            outcome = _outcome(source, text, target.name)
            errors = {code for code, severity in outcome.said if severity is Severity.ERROR}
            for leaf in outcome.leaves:
                fate = "refused" if leaf.code in errors else str(leaf.fate)
                found.setdefault((leaf.noun, leaf.field, target.name), set()).add((fate, leaf.code))
    unseen = []
    for noun in entities():
        for field in fields(noun):
            cells = [_fates(found.get((noun.__name__, field.name, target.name), set())) for target in targets]
            if any(cells):
                yield _row([f"`{noun.__name__}.{field.name}`", *cells])
            elif (noun.__name__, field.name) not in _HOLDERS:
                unseen.append(f"`{noun.__name__}.{field.name}`")
    yield ""
    if unseen:
        yield f"No workflow above has: {', '.join(unseen)}.\n"


def _fates(found: set[tuple[str, str]]) -> str:
    words: dict[str, set[str]] = {}
    for fate, code in found:
        words.setdefault(fate, set()).update([code] if code else [])
    ordered = ("exact", "emulated", "cosmetic", "approximated", "manual", "dropped", "refused")
    return ", ".join(f"{word} {_links(words[word])}".strip() for word in ordered if word in words)


def entities() -> list[type]:
    """Give the nouns of the form, which are the classes with a place, in the order in which they are defined."""
    return [
        value
        for module in (workflow, task, data, inputs, resources, sweep)
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__ and hasattr(value, "span")
    ]


def _links(codes: Iterable[str]) -> str:
    return " ".join(f"[{code[3:]}](codes/{code}.md)" for code in sorted(codes))


# compiling


@cache
def _read(source: str, text: str) -> Meaning:
    settings = ReadSettings(folder=Path(__file__).parent)
    found, said, _ = compiler.read([Source("probe", text)], origin=registry.find(source), settings=settings)
    codes = {
        severity: frozenset(item.code.id for item in said if item.severity is severity)
        for severity in (Severity.ERROR, Severity.WARNING)
    }
    return Meaning(found, codes[Severity.ERROR], codes[Severity.WARNING])


@cache
def _outcome(source: str, text: str, to: str) -> Outcome:
    meaning = _read(source, text).workflow
    if meaning is None:
        return Outcome()
    target = registry.find(to)
    assert target is not None
    _, report, said = compiler.write(meaning, to=target, options=IMAGE.get(to, {}), policy=Policy())
    leaves = [
        Leaf(type(noun).__name__, field, repr(value), entry.fate, entry.code.id if entry.code is not None else "")
        for (noun, field, value), entry in zip(_leaves(meaning), report.entries, strict=True)
    ]
    codes: dict[str, Severity] = {}
    for item in said:
        if codes.get(item.code.id) is not Severity.ERROR:
            codes[item.code.id] = item.severity
    told = {code: severity for code, severity in codes.items() if severity is not Severity.NOTE}
    return Outcome(tuple(leaves), tuple(sorted(told.items())))


def _leaves(noun: Any) -> Iterator[tuple[Any, str, Any]]:
    """Give the parts of a workflow in the order of the report's entries."""
    for field in fields_of(noun):
        value = getattr(noun, field.name)
        if value is field.default or (field.default is not None and value == field.default):
            continue
        nested = value if isinstance(value, tuple) else (value,)
        if nested and is_entity(nested[0]):
            _HOLDERS.add((type(noun).__name__, field.name))
            for child in nested:
                yield from _leaves(child)
        else:
            yield noun, field.name, value
