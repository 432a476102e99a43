"""Trees of maps, lists and texts with holes as lines of a template that is YAML after rendering.

Jinja runs before YAML, so a hole's value is text of the file. It stands where YAML leaves it alone: in a literal block
if it may be any text, in quotes if it can hold nothing that quotes mind. Values of several lines are indented.
"""

from __future__ import annotations

from typing import Any

import attrs

from pwxc.yaml.writer import Flow, Quoted, write_yaml
from pwxc_targets.osmo.writing.escape import BRACE, is_blocky

_SHORT = 72


@attrs.frozen
class Hole:
    """An expression. A `tame` one prints no quote and no line break; a `long` one may print several lines."""

    expression: str
    tame: bool = False
    long: bool = False
    default: str | None = None
    """What it prints when no value is given, if that is known."""
    quotable: bool = False
    """Whether quotes can hold the value that it has by default."""
    ending: bool = False
    """Whether it may print a line break at its end, which counts."""
    loose: bool = False
    """Whether it may print nothing or line breaks whatever stands around it."""


@attrs.frozen
class Text:
    """A text with holes; its literal parts are escaped already."""

    parts: tuple[str | Hole, ...]
    address: bool = False
    """Whether no value that makes sense here needs more than quotes (an image, a URL, a name)."""

    @property
    def wild(self) -> bool:
        """Whether a hole may print anything."""
        holes = [part for part in self.parts if isinstance(part, Hole) and not part.tame]
        return any(not (self.address and hole.quotable) for hole in holes)


@attrs.frozen
class Guarded:
    """A list whose items all stand behind conditions: it is written as empty unless `test` holds."""

    items: list[Any]
    test: str


@attrs.frozen
class Tag:
    """A line of its own between the items of a list."""

    text: str


def text_of(parts: list[str | Hole], *, address: bool = False) -> str | Text:
    """Make a text; one without holes is a plain one."""
    if all(isinstance(part, str) for part in parts):
        return "".join(part for part in parts if isinstance(part, str))
    return Text(tuple(part for part in parts if part != ""), address)


def lines_of(value: dict[str, Any] | list[Any], column: int = 0) -> list[str]:
    """Give the lines of a map or list that is not empty."""
    lines: list[str] = []
    margin = " " * column
    if isinstance(value, dict):
        for key, item in value.items():
            lead = write_yaml({key: None}).removesuffix(" null\n")
            lines += _entry(lead, item, column)
        return lines
    for item in value:
        if isinstance(item, Tag):
            lines.append(margin + item.text)
        elif isinstance(item, dict | list) and item:
            inner = lines_of(item, column + 2)
            lines += [f"{margin}- {inner[0][column + 2 :]}", *inner[1:]]
        else:
            first, *rest = _scalar(item, column)
            lines += [f"{margin}- {first}", *rest]
    return lines


def _entry(lead: str, item: Any, column: int) -> list[str]:
    margin = " " * column
    if isinstance(item, Guarded):
        return [f"{margin}{lead}{{% if not {item.test} %}} []{{% endif %}}", *lines_of(item.items, column + 2)]
    if isinstance(item, list) and _is_short(item):
        return [f"{margin}{lead} {write_yaml([Flow(item)])[2:-1]}"]
    if isinstance(item, dict | list) and item:
        return [margin + lead, *lines_of(item, column + 2)]
    first, *rest = _scalar(item, column)
    return [f"{margin}{lead} {first}", *rest]


def _is_short(items: list[Any]) -> bool:
    """Whether a list of texts is easier to read on one line."""
    texts = [item for item in items if isinstance(item, str) and "\n" not in item and "{%" not in item]
    return 0 < len(texts) == len(items) and sum(map(len, texts)) + 2 * len(texts) <= _SHORT


def ends_in_block(value: Any) -> bool:
    """Whether the last line of a tree belongs to a text of several lines."""
    while isinstance(value, dict | list | Guarded) and value:
        if isinstance(value, Guarded):
            value = value.items
        elif isinstance(value, list) and _is_short(value):
            return False
        else:
            value = (list(value.values()) if isinstance(value, dict) else value)[-1]
    return isinstance(value, Text | str) and len(_scalar(value, 0)) > 1


def _scalar(value: Any, column: int) -> list[str]:
    """Give a scalar's text and its further lines, for an entry at a column."""
    if isinstance(value, Text):
        if value.wild or _hold_quotes(value):
            return _block(value, column)
        joined = "".join(part if isinstance(part, str) else f"{{{{ {part.expression} }}}}" for part in value.parts)
        value = joined if "\n" in joined else Quoted(joined)
    first, *rest = write_yaml([value])[2:].removesuffix("\n").split("\n")
    return [first, *((" " * column + line if line else line) for line in rest)]


def _hold_quotes(text: Text) -> bool:
    """Whether an expression has quotes itself, which those around it would double before it is rendered."""
    literals = [part for part in text.parts if isinstance(part, str)]
    quoted = any("'" in part.expression for part in text.parts if isinstance(part, Hole))
    return quoted and all(map(is_blocky, literals))


def _block(text: Text, column: int) -> list[str]:
    margin = " " * (column + 2)

    def show(part: str | Hole) -> str:
        if isinstance(part, str):
            return part
        return f"{{{{ {part.expression}{f' | string | indent({column + 2}, blank=true)' if part.long else ''} }}}}"

    shown, ending = _ended(text)
    last = shown[-1]
    joined = "".join(map(show, shown))
    header = "|"
    if not isinstance(shown[0], str) or joined[0] in " \t\n":
        header += "2"
    if ending:  # a block either keeps all line breaks at its end or has none
        header += f"{{{{ '+' if {ending}.endswith('\\n') else '-' }}}}"
    elif not joined.endswith("\n"):
        header += "-"
    elif not (isinstance(last, str) and last.rstrip("\n") and last.endswith("\n") and not last.endswith("\n\n")):
        header += "+"
    return [header, *(margin + line if line else line for line in joined.removesuffix("\n").split("\n"))]


def _ended(text: Text) -> tuple[list[str | Hole], str]:
    """Give the parts of a text whose line breaks at the end are left to the block's header, and the end they are in.

    A block keeps all line breaks at its end or has none, so a hole that decides this decides the header too.
    """
    shown = list(text.parts)
    last = shown[-1]
    if not isinstance(last, Hole) or not last.loose:
        return shown, ""
    before = shown[-2] if len(shown) > 1 else ""
    breaks = len(before) - len(before.rstrip("\n")) if isinstance(before, str) else 0
    if not breaks and not last.ending:
        return shown, ""
    ending = f"({last.expression} | string)"
    if breaks:
        assert isinstance(before, str)
        rest = before[:-breaks]
        shown[-2] = rest[:-1] + BRACE if rest.endswith("{") else rest
        ending = "('" + "\\n" * breaks + f"' ~ {last.expression})"
    shown[-1] = attrs.evolve(last, expression=f"{ending}.removesuffix('\\n')", long=True)
    return [part for part in shown if part != ""], ending
