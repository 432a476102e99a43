"""One rendering of a text, and what it says when it fails."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
from yaml.nodes import ScalarNode

from pwxc.diagnostics import Diagnostics, Related
from pwxc.source import Source
from pwxc.yaml.nodes import Document, walk
from pwxc_targets.osmo import codes as C  # noqa: N812
from pwxc_targets.osmo.template import (
    Lexeme,
    Lines,
    Masked,
    lex,
    mask,
    needs_rendering,
    without_last_newline,
)


@attrs.frozen
class Turn:
    """What a rendering needs to know besides the text."""

    values: Mapping[str, object]
    second: bool = False
    hint: str = ""
    """Help for an undefined name that is better than the usual one."""
    related: tuple[Related, ...] = ()
    """Places that belong to the story of an undefined name."""


@attrs.frozen
class Rendered:
    """A rendered text, whose places lead back to the part that was rendered."""

    source: Source
    part: Lines
    masked: Masked | None = None
    """The template, if Jinja had anything to do."""


def render_part(part: Lines, turn: Turn, diagnostics: Diagnostics) -> Rendered | None:
    """Render a part of a source, or say why that fails."""
    source = part.source
    text = without_last_newline(part.text)
    if not needs_rendering(text):
        return Rendered(Source(source.name, text, source.path, part.span), part)
    from pwxc_targets.osmo.faults import Scene, report
    from pwxc_targets.osmo.render import render
    from pwxc_targets.osmo.rendered import WayBack

    masked = mask(text)
    values = {**turn.values, **masked.tokens}
    answer = render(masked.text, values)
    if answer.text is None:
        scene = Scene(part, masked.text, tuple(turn.values), turn.second, turn.hint, turn.related)
        report(answer, scene, diagnostics)
        return None
    back = WayBack(part, masked.text, values, answer.text)
    return Rendered(Source(source.name, answer.text, source.path, back), part, masked)


def report_leaks(rendered: Rendered, document: Document, diagnostics: Diagnostics) -> bool:
    """Report the special tokens whose placeholder came out, which the second pass does not know."""
    if rendered.masked is None:
        return False
    tokens = rendered.masked.tokens
    leaked = {name for name in tokens if name in rendered.source.text}
    if leaked:
        scalars = [node.value for node in walk(document.root) if isinstance(node, ScalarNode)]
        leaked = {name for name in leaked if any(name in value for value in scalars)}
    if not leaked:
        return False
    for place, what, name in _misplaced(lex(rendered.masked.text)[0], leaked):
        diagnostics.add(
            C.TOKEN_IN_TAG,
            f"the special token `{tokens[name]}` stands inside {what}, where OSMO cannot put it back",
            rendered.part.span(place, place + len(tokens[name])),
            help="move the token out of the tag",
        )
    return True


def _misplaced(lexemes: list[Lexeme], leaked: set[str]) -> list[tuple[int, str, str]]:
    """Give the offset of each token that is no expression of its own, and in what it stands."""
    kinds = {"data": "a raw block", "string": "a text of an expression"}
    found = []
    for lexeme in lexemes:
        if lexeme.kind not in kinds and lexeme.kind != "name":
            continue
        for name in leaked:
            at = lexeme.text.find(name) if lexeme.text != name else -1
            while at >= 0:
                found.append((lexeme.start + at - 2, kinds.get(lexeme.kind, "a tag"), name))
                at = lexeme.text.find(name, at + 1)
    return sorted(found)
