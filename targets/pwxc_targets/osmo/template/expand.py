"""From a file's text to the YAML document that OSMO's service sees, through both of its passes (osmo.md §2 to §5)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from yaml.nodes import MappingNode, ScalarNode

from pwxc.diagnostics import Diagnostics, Related
from pwxc.frozen import frozen
from pwxc.source import Source, Span
from pwxc.yaml.nodes import Document, compose, walk
from pwxc_targets.osmo.template import codes as C  # noqa: N812
from pwxc_targets.osmo.template import sections as cutting
from pwxc_targets.osmo.template.loading import check_loadable, load_data
from pwxc_targets.osmo.template.onepass import Rendered, Turn, render_part, settle_leaks
from pwxc_targets.osmo.template.text import LOOSE_TOKEN, Lines, is_template, needs_rendering, spell_tokens

if TYPE_CHECKING:
    from pwxc_targets.osmo.symbolic.long import LongLoop

LONGEST_RANGE = 100_000
"""What the service's sandbox lets a `range` have (osmo.md §4)."""


@frozen
class Settings:
    """What the command line gave."""

    set: tuple[str, ...] = ()
    """The items of `--set`, as they were written."""
    set_string: tuple[str, ...] = ()
    folder: Path | None = None
    """Where local files are looked for."""


@attrs.define
class Expanded:
    """A file after both passes."""

    document: Document
    """A map with the one key `workflow`; its places lead back to the file."""
    values: dict[str, object]
    """The values that the template was rendered with."""
    defaults_document: Document | None
    """The section `default-values`."""
    templated: bool
    section: tuple[int, int]
    """Where the `workflow` section stands in the file."""
    part: Lines | None = None
    """That section, of a file with template marks."""
    again: Mapping[str, object] = attrs.field(factory=dict)
    """The values of the second pass."""
    rounds: Mapping[int, Sequence[int]] = attrs.field(factory=dict)
    """The rounds that were rendered of loops over very many tasks, by where these begin in the section."""


def expand(
    source: Source,
    settings: Settings,
    diagnostics: Diagnostics,
    *,
    context: Mapping[str, object] | None = None,
    whole: bool = True,
) -> Expanded | None:
    """Read a file's text; `context` stands in for the values of `default-values` and of the command line.

    Without `whole` a few rounds may stand for all of a loop over very many tasks.
    """
    chosen = chosen_values(settings, diagnostics if context is None else Diagnostics())
    again = chosen if context is None else {name: context[name] for name in chosen if name in context}
    if is_template(source.text):
        return _expand_template(source, chosen, again, diagnostics, context, whole=whole)
    document = compose(source, diagnostics)
    if document is None or not check_loadable(document, diagnostics):
        return None
    document = finish(document, again, diagnostics, min(1, len(source.text)))
    if document is None:
        return None
    values = chosen if context is None else dict(context)
    return Expanded(document, values, None, False, (0, len(source.text)))


def chosen_values(settings: Settings, diagnostics: Diagnostics) -> dict[str, object]:
    """Give the values of `--set` and `--set-string`; later ones win."""
    values: dict[str, object] = {}
    for option, items in (("--set", settings.set), ("--set-string", settings.set_string)):
        for item in items:
            name, equals, text = item.partition("=")
            if equals:
                values[name] = typed(text) if option == "--set" else text
            else:
                diagnostics.add(
                    C.BAD_SET_ITEM, f"`{option} {item}` has no `=`", help=f"write `{option} {item or 'NAME'}=VALUE`"
                )
    return values


def typed(text: str) -> object:
    """Give the value of a `--set` item: Python's integer, else Python's float, else the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def render_text(
    text: str, settings: Settings, diagnostics: Diagnostics, where: Span, *, grouped: bool = False
) -> str | None:
    """Give what the service makes of a local file's text, which is rendered like all that reaches it.

    `where` is the place that names the file; faults are shown in the file itself, with that place beside them.
    """
    if not needs_rendering(text):
        return spell_tokens(text)
    from pwxc_targets.osmo.template.secondpass import render_file

    name = where.resolve().text.strip("'\"") or where.source.name
    before = len(diagnostics)
    made = render_file(Source(name, text), chosen_values(settings, Diagnostics()), diagnostics, grouped=grouped)
    named_here = Related(where, "the file is named here")
    for at, item in enumerate(diagnostics.items[before:], before):
        diagnostics.items[at] = attrs.evolve(item, related=(*item.related, named_here))
    return made


# a file with template marks


def _expand_template(
    source: Source,
    chosen: dict[str, object],
    again: dict[str, object],
    diagnostics: Diagnostics,
    context: Mapping[str, object] | None,
    *,
    whole: bool,
) -> Expanded | None:
    lines = Lines.of(source)
    sections = cutting.cut(lines.text)
    cutting.check(sections, lines, diagnostics)
    workflow = sections.get("workflow")
    defaults_fine, defaults_document, defaults = _read_defaults(lines, sections, chosen, diagnostics)
    if workflow is None or not defaults_fine:
        return None
    _report_head(lines, sections, diagnostics)
    values = {**defaults, **chosen} if context is None else dict(context)
    part = lines.part(workflow.start, workflow.end)
    turn = attrs.evolve(_turn(values, lines, sections), whole=whole)
    document, long = _first_document(part, turn, diagnostics)
    if document is not None:
        document = finish(document, again, diagnostics)
    if document is None:
        return None
    place = (lines.offset(workflow.start), lines.offset(workflow.end - 1) + 1)
    if context is None:
        values = {name: _spelled(value) for name, value in values.items()}
    rounds = {loop.start: loop.rounds for loop in long}
    return Expanded(document, values, defaults_document, True, place, part, again, rounds)


def _read_defaults(
    lines: Lines, sections: cutting.Sections, chosen: Mapping[str, object], diagnostics: Diagnostics
) -> tuple[bool, Document | None, dict[str, object]]:
    """Load `default-values`; the first item says whether that worked."""
    section = sections.get("default-values")
    if section is None:
        return True, None, {}
    document = compose(lines.part(section.start, section.end).as_source(), diagnostics)
    if document is None:
        return False, None, {}
    loaded, data = load_data(document, diagnostics)
    if not loaded:
        return False, None, {}
    found = data.get("default-values") if isinstance(data, dict) else data
    values = _as_mapping(found, chosen)
    if values is None:
        node = document.find(document.root, "default-values") or document.root
        kind = "a list" if isinstance(found, list) else f"`{found}`"
        diagnostics.add(C.BAD_DEFAULTS, f"`default-values` is {kind}, not a map of names", document.span(node))
        return False, None, {}
    named = {name: value for name, value in values.items() if isinstance(name, str)}
    return True, _with_tokens(document), named


def _as_mapping(found: object, chosen: Mapping[str, object]) -> dict[Any, object] | None:
    """Make the mapping that the service makes: a list of pairs is one as long as `--set` adds nothing."""
    if not found:
        return {}
    if isinstance(found, dict):
        return found
    if chosen:
        return None
    try:
        return dict(found)  # type: ignore[call-overload,no-any-return]
    except (TypeError, ValueError):
        return None


def _report_head(lines: Lines, sections: cutting.Sections, diagnostics: Diagnostics) -> None:
    """Say that tags above the first section do nothing."""
    mark = re.search(r"(?s)\{\{.{0,200}?\}\}|\{%.{0,200}?%\}", lines.text[: sections.start])
    if mark is not None:
        diagnostics.add(
            C.DROPPED_HEAD,
            "this tag is dropped: nothing above the first section is rendered",
            lines.span(mark.start(), mark.end()),
            help="move it below `workflow:`",
        )


def _first_document(part: Lines, turn: Turn, diagnostics: Diagnostics) -> tuple[Document | None, tuple[LongLoop, ...]]:
    """Render and compose; the second item is the loops that were gone through in part."""
    rendered = render_part(part, turn, diagnostics)
    if rendered is None:
        return None, ()
    for loop in rendered.long:
        if loop.too_long:
            message = f"this range has {len(loop.values):,} numbers; OSMO lets it have {LONGEST_RANGE:,}"
            diagnostics.add(C.LONG_RANGE, message, part.span(loop.start, loop.end))
    before = len(diagnostics)
    document = compose(rendered.source, diagnostics)
    if document is None:
        _explain_yaml(diagnostics, before, rendered, turn.values)
        return None, ()
    document = settle_leaks(rendered, document, diagnostics)
    fine = document is not None and check_loadable(document, diagnostics)
    return (document if fine else None), rendered.long


def _turn(values: Mapping[str, object], lines: Lines, sections: cutting.Sections) -> Turn:
    place = None if sections.get("default-values") else cutting.indented_defaults(lines.text)
    if place is None:
        return Turn(values)
    return Turn(
        values,
        hint="move `default-values:` to the start of a line: indented it is no section, and its names have no value",
        related=(Related(lines.span(*place), "an indented `default-values`"),),
    )


def _spelled(value: object) -> object:
    """Write the tokens of our second spelling as OSMO does, in all texts of a value."""
    if isinstance(value, str):
        return spell_tokens(value)
    if isinstance(value, list):
        return [_spelled(item) for item in value]
    if isinstance(value, dict):
        return {key: _spelled(item) for key, item in value.items()}
    return value


_BARE_BRACES = re.compile(r"(?:^|[-:?\[,])\s*\{\{")


def _explain_yaml(diagnostics: Diagnostics, first: int, rendered: Rendered, values: Mapping[str, object]) -> None:
    """Say what templates do to YAML, where an error has such a cause."""
    for at, item in enumerate(diagnostics.items[first:], first):
        if item.span is None or item.help or item.span.source is not rendered.source:
            continue
        line = rendered.source.line(rendered.source.position(item.span.start)[0])
        if _BARE_BRACES.search(line) is not None:
            way_out = "put the value in quotes: YAML reads bare braces as a map"
        elif _in_long_value(rendered, item.span.start, values):
            way_out = "a value of several lines needs `| indent(n)`, n being the column of the block"
        else:
            continue
        diagnostics.items[at] = attrs.evolve(item, help=way_out)


def _in_long_value(rendered: Rendered, at: int, values: Mapping[str, object]) -> bool:
    """Say whether a place stands in or right behind a computed text, when some value has several lines."""
    from pwxc_targets.osmo.template.rendered import WayBack

    back = rendered.source.back
    if not any(isinstance(value, str) and "\n" in value.strip() for value in values.values()):
        return False
    return isinstance(back, WayBack) and any(not back.run_at(offset).piece.literal for offset in (at, max(0, at - 1)))


# after the first pass


def finish(document: Document, chosen: Mapping[str, object], diagnostics: Diagnostics, end: int = 0) -> Document | None:
    """Reduce a document to `workflow`, and send it through the second pass if that changes anything."""
    whole = document
    reduced = _only_workflow(document, diagnostics, end)
    if reduced is not None and _needs_second_pass(reduced):
        from pwxc_targets.osmo.template.secondpass import second_pass

        reduced = second_pass(whole, chosen, diagnostics)
        reduced = _only_workflow(reduced, Diagnostics(), 0) if reduced is not None else None
    return _with_tokens(reduced) if reduced is not None else None


def _only_workflow(document: Document, diagnostics: Diagnostics, end: int) -> Document | None:
    """Check the keys at the top of a document and keep `workflow` alone."""
    root = document.root
    pairs = root.value if isinstance(root, MappingNode) else []
    last = next(((key, value) for key, value in reversed(pairs) if key.value == "workflow"), None)
    if last is None:
        cutting.missing_workflow(document.source.span(0, end), [key.value for key, _ in pairs], diagnostics)
        return None
    for key, _ in pairs:
        # a key that is no section's name stands above `workflow` when the client has sorted them, and is dropped
        if key.value not in cutting.NAMES and (cutting.is_section_name(key.value) or key.value > "workflow"):
            cutting.unknown_top_level(key.value, document.span(key), diagnostics)
    if len(pairs) == 1:
        return document
    return Document(document.source, MappingNode(root.tag, [last], root.start_mark, root.end_mark))


def _needs_second_pass(document: Document) -> bool:
    """Say whether any scalar holds a mark; where none does the second pass gives back what it gets."""
    text = document.source.text
    if not needs_rendering(text) and "\\" not in text:
        return False
    return any(isinstance(node, ScalarNode) and needs_rendering(node.value) for node in walk(document.root))


def _with_tokens(document: Document) -> Document:
    """Spell the tokens in all scalars as OSMO does; places stay, for the length does."""
    source = document.source
    if "<<" not in source.text or LOOSE_TOKEN.search(source.text) is None:
        return document
    for node in walk(document.root):
        if isinstance(node, ScalarNode):
            node.value = spell_tokens(node.value)
    text = spell_tokens(source.text)
    return Document(Source(source.name, text, source.path, source.back or source.span), document.root)
