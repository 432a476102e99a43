"""One rendering of a text, and what it says when it fails."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from yaml.nodes import ScalarNode

from pwxc.diagnostics import Diagnostics, Related
from pwxc.frozen import frozen
from pwxc.source import Source
from pwxc.yaml.nodes import Document, walk
from pwxc_targets.osmo.template import codes as C  # noqa: N812
from pwxc_targets.osmo.template.text import (
    Lexeme,
    Lines,
    Masked,
    lex,
    mask,
    needs_rendering,
    without_last_newline,
)

if TYPE_CHECKING:
    from pwxc_targets.osmo.symbolic.long import LongLoop

_LOOP = re.compile(r"\{%[-+]?\s*for\b")


@frozen
class Turn:
    """What a rendering needs to know besides the text."""

    values: Mapping[str, object]
    second: bool = False
    hint: str = ""
    """Help for an undefined name that is better than the usual one."""
    related: tuple[Related, ...] = ()
    """Places that belong to the story of an undefined name."""
    whole: bool = True
    """Whether loops over very many tasks are gone through to the end."""


@frozen
class Rendered:
    """A rendered text, whose places lead back to the part that was rendered."""

    source: Source
    part: Lines
    masked: Masked | None = None
    """The template, if Jinja had anything to do."""
    long: tuple[LongLoop, ...] = ()
    """The loops that were gone through in part."""


def render_part(part: Lines, turn: Turn, diagnostics: Diagnostics) -> Rendered | None:
    """Render a part of a source, or say why that fails."""
    source = part.source
    text = without_last_newline(part.text)
    if not needs_rendering(text):
        return Rendered(Source(source.name, text, source.path, part.span), part)
    from pwxc_targets.osmo.template.faults import Scene, report
    from pwxc_targets.osmo.template.render import Question, render
    from pwxc_targets.osmo.template.rendered import WayBack

    masked = mask(text)
    if not turn.whole and _LOOP.search(text) is not None:
        from pwxc_targets.osmo.symbolic.long import find_long_loops

        long = find_long_loops(masked, turn.values)
        output = long.output(part, turn.values) if long is not None else None
        if long is not None and output is not None:
            rendered = render(Question(masked.text, turn.values, masked.tokens, long.rows)).text
            if rendered == output.text:
                return Rendered(Source(source.name, rendered, source.path, output), part, masked, long.loops)
    question = Question(masked.text, turn.values, masked.tokens)
    answer = render(question)
    if answer.text is None:
        scene = Scene(part, masked.text, tuple(turn.values), turn.second, turn.hint, turn.related)
        report(answer, scene, diagnostics)
        return None
    back = WayBack(part, question, answer.text)
    return Rendered(Source(source.name, answer.text, source.path, back), part, masked)


def settle_leaks(rendered: Rendered, document: Document, diagnostics: Diagnostics) -> Document | None:
    """Report the special tokens whose placeholder came out, which the second pass does not know.

    It does know those of tokens that also came out whole: the service names a placeholder after its token.
    """
    if rendered.masked is None:
        return document
    tokens = {name: token for name, token in rendered.masked.tokens.items() if name in rendered.source.text}
    if not tokens:
        return document
    scalars = [node for node in walk(document.root) if isinstance(node, ScalarNode)]
    leaked = {name for name in tokens if any(name in node.value for node in scalars)}
    lost = {name for name in leaked if not any(tokens[name] in node.value for node in scalars)}
    for place, what, name in _misplaced(lex(rendered.masked.text)[0], lost):
        diagnostics.add(
            C.TOKEN_IN_TAG,
            f"the special token `{tokens[name]}` stands inside {what}, where OSMO cannot put it back",
            rendered.part.span(place, place + len(tokens[name])),
            help="move the token out of the tag",
        )
    if lost:
        return None
    text = document.source.text
    for name in leaked:
        text = text.replace(f"{{{{{name}}}}}", tokens[name])
        for node in scalars:
            node.value = node.value.replace(f"{{{{{name}}}}}", tokens[name])
    source = document.source
    return Document(Source(source.name, text, source.path, source.back), document.root)


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
