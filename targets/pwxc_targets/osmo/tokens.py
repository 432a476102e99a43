"""OSMO's special tokens, its own folders, and Kubernetes' `$(NAME)` in the texts of a task (osmo.md §5, §11)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import attrs

from pwxc.frozen import frozen
from pwxc.ir.expr import Expr, Ref, Root
from pwxc.ir.template import Template
from pwxc.source import Span

TOKEN = re.compile(r"\{\{\s{0,64}(output|workflow_id|uuid|(?:input|host):[^}]{0,128}?)\s{0,64}\}\}")
OWN_PATH = re.compile(
    r"(?:(?<![\w./~})\]\ue001])|(?<=://)|(?<=[\s'\"]-\w)|(?<=^-\w))"
    r"/osmo/data/(?:output|input/(?P<number>\d+))(?=[/\s'\"`;:,&|<>()\]}\\]|\.?(?:\s|\Z))"
)
"""The folders that tokens stand for, written out, which is the same to OSMO; `/osmo/data/output.old` is another."""
OWN_FOLDER = "/osmo/data"
MARK = re.compile("\ue000(\\d+)\ue001")
"""A parameter's place in the text of the probe rendering: its number between two private-use characters."""

Locate = Callable[[int, int], Span]


@frozen
class Scope:
    """What the tokens of one task may name."""

    reads: dict[str, str]
    """For each spelling behind `input:` (a number or an upstream task), the name of the read."""
    hosts: frozenset[str]
    """The members of the task's group."""
    variables: frozenset[str] = frozenset()
    """The environment variables of the container."""


@frozen
class StrayToken:
    """A token that OSMO leaves in the text because it names nothing."""

    text: str
    low: int
    high: int


def token_ref(body: str, scope: Scope) -> tuple[Root, tuple[str, ...]] | None:
    """Give what a token stands for; None when OSMO leaves it as it is."""
    kind, _, argument = body.partition(":")
    match kind:
        case "output":
            return Root.OUTPUT_FOLDER, ()
        case "workflow_id":
            return Root.RUN_ID, ()
        case "input" if argument in scope.reads:
            return Root.READ_FOLDER, (scope.reads[argument],)
        case "host" if argument in scope.hosts:
            return Root.HOST, (argument,)
        case _:
            return None


def has_holes(text: str) -> bool:
    """Say whether a text may hold a token or one of OSMO's own folders."""
    return "{{" in text or OWN_FOLDER in text


def lower_text(
    text: str, scope: Scope, marks: Sequence[Expr], locate: Locate, stray: Callable[[StrayToken], None]
) -> Template:
    """Turn a text into a template: tokens, OSMO's own folders and marks become holes.

    `marks` are what the marks stand for; without any, what looks like one is the user's own text.
    """
    parts: list[str | Expr] = []
    at = 0
    for found, hole in _holes(text, scope, marks, stray):
        parts.append(text[at : found.start()])
        parts.append(attrs.evolve(hole, span=locate(found.start(), found.end())))
        at = found.end()
    parts.append(text[at:])
    return Template.of(*parts)


def _holes(
    text: str, scope: Scope, marks: Sequence[Expr], stray: Callable[[StrayToken], None]
) -> Iterator[tuple[re.Match[str], Expr]]:
    patterns = (TOKEN, OWN_PATH, MARK) if marks else (TOKEN, OWN_PATH)
    found = [match for pattern in patterns for match in pattern.finditer(text)]
    for match in sorted(found, key=lambda match: match.start()):
        if match.re is MARK:
            yield match, marks[int(match[1])]
            continue
        if match.re is OWN_PATH:
            ref = token_ref(f"input:{match['number']}" if match["number"] else "output", scope)
            if ref is not None:
                yield match, Ref(*ref)
            else:
                stray(StrayToken(match[0], match.start(), match.end()))
            continue
        ref = token_ref(match[1], scope)
        if ref is not None:
            yield match, Ref(*ref)
        elif match[1] != "uuid":
            stray(StrayToken(match[0], match.start(), match.end()))


def expand_kubernetes(template: Template, variables: frozenset[str]) -> Template:
    """Do what Kubernetes does to a container's arguments: `$(NAME)` is the variable, `$$` is `$`."""
    if not any(isinstance(part, str) and "$" in part for part in template.parts):
        return template
    parts: list[str | Expr] = []
    for part in template.parts:
        if isinstance(part, str):
            parts.extend(_expand_kubernetes(part, variables))
        else:
            parts.append(part)
    return Template.of(*parts)


def _expand_kubernetes(text: str, variables: frozenset[str]) -> Iterator[str | Expr]:
    at = 0
    last = text.rfind(")")
    while (dollar := text.find("$", at)) >= 0:
        yield text[at:dollar]
        after = text[dollar + 1 : dollar + 2]
        at = dollar + 1 + len(after)
        if after == "(" and dollar < last:
            at = text.index(")", dollar) + 1
        name = text[dollar + 2 : at - 1]
        if after == "$":
            yield "$"
        elif after == "(" and name in variables:
            yield Ref(Root.ENVIRONMENT, (name,))
        else:
            yield text[dollar:at]
    yield text[at:]
