"""The form of a workflow that was read from this dialect: every attribute as it was (pw.md §9)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from pwxc.fidelity import Account
from pwxc.ir.inputs import Choice, Input, InputType, Preset
from pwxc.ir.workflow import Workflow
from pwxc_targets.pw.input_types import CANONICAL
from pwxc_targets.pw.writing.context import Writing
from pwxc_targets.pw.writing.form import write_fields
from pwxc_targets.pw.writing.kept import settle_kept
from pwxc_targets.pw.writing.spelling import Spelling, kept_by

_FORM = ("on", "execute", "inputs")


def write_form(writing: Writing, items: tuple[Input, ...]) -> dict[str, Any]:
    """Turn inputs into fields, with the attributes that only this dialect has where it is the source."""
    if not writing.own:
        return write_fields(writing, items)
    return dict(_fields(writing, items, _FORM))


def _fields(writing: Writing, items: Iterable[Input], place: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for page, found in groupby(items, key=lambda item: item.form.get("page")):
        if page is None:
            yield from ((item.name, _field(writing, item, (*place, item.name))) for item in found)
        elif _has_wizard(writing.workflow):
            inner = dict(_fields(writing, _unpaged(found), (*place, page, "options")))
            yield page, {"type": "step", "title": page, "options": inner}
        else:
            inner = dict(_fields(writing, _unpaged(found), (*place, page, "items")))
            yield page, {"type": "group", "label": page, "flatten": True, "items": inner}


def _unpaged(items: Iterable[Input]) -> Iterator[Input]:
    """Give inputs as views without the page, which is told once for all of them."""
    yield from (_Unpaged(item) for item in items)  # type: ignore[misc]


class _Unpaged:
    """An input whose form does not name its page; the ledger's accounts stay those of the input itself."""

    def __init__(self, item: Input) -> None:
        self.noun = item
        self.form = {name: value for name, value in item.form.items() if name != "page"}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.noun, name)


def _has_wizard(workflow: Workflow) -> bool:
    meta = kept_by(workflow.passthrough, "pw").get((*_FORM, "$meta"))
    return isinstance(meta, dict) and "wizard" in meta


def _field(writing: Writing, item: Any, place: tuple[str, ...]) -> dict[str, Any]:
    spelling = Spelling(writing)
    noun = item.noun if isinstance(item, _Unpaged) else item
    with writing.ledger.of(noun, where=".".join(place)) as account:
        for name in ("name", "type", "has_default", "label", "help", "form"):
            account.take(name)
        form = dict(item.form)
        kind = form.pop("type", CANONICAL.get(item.type, "string"))
        made: dict[str, Any] = {"type": kind}
        if item.label:
            made["label"] = item.label
        if item.help:
            made["tooltip"] = item.help
        made |= form
        _switches(spelling, account, item, kind, made)
        if item.has_default:
            made["default"] = spelling.value(account, "default", account.take("default"))
        _limits(account, item, made)
        if item.choices:
            made["options"] = [_option(writing, choice) for choice in account.take("choices")]
        if item.items or item.type in (InputType.GROUP, InputType.LIST):
            account.take("items")
            _items(writing, item, kind, made, place)
        settle_kept(writing, account, item.passthrough, *place)
    return made


def _switches(spelling: Spelling, account: Account, item: Any, kind: str, made: dict[str, Any]) -> None:
    for field, name in (("optional", "optional"), ("hidden", "hidden"), ("ignored", "ignore")):
        value = account.take(field)
        # a text between fields takes no part in the run anyway
        if value is not False and not (kind == "header" and value is True and field != "hidden"):
            made[name] = spelling.switch(account, field, value)


def _limits(account: Account, item: Any, made: dict[str, Any]) -> None:
    for field, name in (("minimum", "min"), ("maximum", "max")):
        if (value := account.take(field)) is not None:
            made[name] = _clock(value) if item.type is InputType.DURATION else value


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02d}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def _items(writing: Writing, item: Any, kind: str, made: dict[str, Any], place: tuple[str, ...]) -> None:
    if item.type is InputType.LIST:
        if len(item.items) == 1 and not item.items[0].name:
            made["template"] = _field(writing, item.items[0], (*place, "template"))
        elif item.items:
            made["template"] = dict(_fields(writing, item.items, (*place, "template")))
        return
    key = "options" if kind == "step" else "items"
    made[key] = dict(_fields(writing, item.items, (*place, key)))


def _option(writing: Writing, choice: Choice) -> dict[str, Any]:
    with writing.ledger.of(choice) as account:
        made = {"value": account.take("value")}
        if (label := account.take("label")) is not None:
            made["label"] = label
    return made


def write_presets(writing: Writing, presets: tuple[Preset, ...]) -> dict[str, Any] | None:
    """Turn saved sets of values into configurations."""
    spelling = Spelling(writing)
    made: dict[str, Any] = {}
    for preset in presets:
        with writing.ledger.of(preset, where=f"configurations.{preset.name}") as account:
            account.take("name")
            made[preset.name] = {"inputs": spelling.value(account, "values", account.take("values"))}
            settle_kept(writing, account, preset.passthrough, "configurations", preset.name)
    return made or None


def merge_form(form: dict[str, Any], added: dict[str, Any] | None) -> dict[str, Any]:
    """Put fields that the writer adds into a form that is taken over as it was."""
    fields = (added or {}).get("execute", {}).get("inputs", {})
    if fields:
        execute = form.setdefault("execute", {}) or {}
        execute["inputs"] = {**(execute.get("inputs") or {}), **fields}
        form["execute"] = execute
    return form
