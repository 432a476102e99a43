"""The lines of scripts that the writer made, taken apart: statements, words with holes, and texts with holes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import attrs

from pwxc.expr.values import as_text
from pwxc.ir.entity import Plain
from pwxc.ir.expr import Expr, Ref, Root
from pwxc.ir.template import Template
from pwxc.shell.words import word_end
from pwxc_targets.slurm.contexts import render

Names = dict[str, tuple[str | Expr, ...]]
"""What the variables of a script stand for."""

FIXED: Names = {
    "PWXC_INDEX": (Ref(Root.SWEEP_INDEX),), "PWXC_RUN_ID": (Ref(Root.RUN_ID),), "PWXC_RUN": (Ref(Root.RUN_FOLDER),),
    "PWXC_ATTEMPT": (Ref(Root.ATTEMPT),), "PWXC_OUTPUT": (Ref(Root.OUTPUT_FOLDER),),
}  # fmt: skip
_HERE = re.compile(r"<<'(\w+)'\Z")
_HOLE = re.compile(r"\$(?:\{(\w+)(?::?-0?)?\}|(\w+))")
_TEXT_HOLE = re.compile(r"""'"\$\{(?P<quoted>PWXC_\w+)\}"'|\$\{(?P<plain>PWXC_\w+)\}""")


@attrs.frozen
class Statement:
    """A line, with those that its quotes take in, and the here-document that it opens."""

    text: str
    start: int
    here: str | None = None


class UnreadableError(Exception):
    """A line that is not one of the writer's, or that cannot be turned back."""

    def __init__(self, statement: Statement | None = None) -> None:
        super().__init__()
        self.statement = statement


def statements(content: str, blocks: Sequence[str | re.Pattern[str]], at: int = 0) -> Iterator[Statement]:
    """Cut a script into statements; the writer's fixed blocks, comments and empty lines are left out."""
    while at < len(content):
        after = _block_end(content, at, blocks)
        if after is not None:
            at = after
            continue
        stop = content.find("\n", at) if content.startswith("#", at) else _statement_end(content, at)
        stop = len(content) if stop < 0 else stop
        line = content[at:stop]
        found = _HERE.search(line)
        if found is not None:
            body, after = _here_document(content, stop + 1, found.group(1))
            yield Statement(line.strip(), at, body)
            at = after
            continue
        if line.strip() and not line.startswith("#"):
            yield Statement(line.strip(), at)
        at = stop + 1


def _block_end(content: str, at: int, blocks: Sequence[str | re.Pattern[str]]) -> int | None:
    for block in blocks:
        if isinstance(block, str):
            if content.startswith(block, at):
                return at + len(block)
        elif (found := block.match(content, at)) is not None:
            return found.end()
    return None


def _statement_end(content: str, at: int) -> int:
    while at < len(content) and content[at] != "\n":
        at = at + 1 if content[at] in " \t;&|()<>" else max(word_end(content, at), at + 1)
    return at


def _here_document(content: str, at: int, word: str) -> tuple[str, int]:
    end = f"\n{word}\n"
    stop = content.find(end, at - 1)
    if stop < 0:
        return content[at:], len(content)
    return content[at : stop + 1], stop + len(end)


def words_of(line: str) -> list[str]:
    """Give the words of a line, quotes and all."""
    found: list[str] = []
    at = 0
    while at < len(line):
        if line[at] in " \t\n":
            at += 1
            continue
        stop = word_end(line, at)
        if stop <= at:
            raise UnreadableError
        found.append(line[at:stop])
        at = stop
    return found


def parts_of(word: str, names: Mapping[str, tuple[str | Expr, ...]]) -> list[str | Expr]:
    """Give the literal texts and the holes of a word.

    Raises:
        UnreadableError: the word runs a command, or does something with a variable.
    """
    parts: list[str | Expr] = []
    at, quoted = 0, False
    while at < len(word):
        letter = word[at]
        if letter == '"':
            quoted = not quoted
            at += 1
        elif letter == "'" and not quoted:
            stop = word.index("'", at + 1) if "'" in word[at + 1 :] else len(word)
            parts.append(word[at + 1 : stop])
            at = stop + 1
        elif letter == "\\" and (not quoted or word[at + 1 : at + 2] in ("\\", '"', "$", "`")):
            parts.append(word[at + 1 : at + 2])
            at += 2
        elif letter == "$":
            at = _hole(word, at, names, parts)
        elif letter == "`":
            raise UnreadableError
        else:
            parts.append(letter)
            at += 1
    return parts


def _hole(word: str, at: int, names: Mapping[str, tuple[str | Expr, ...]], parts: list[str | Expr]) -> int:
    found = _HOLE.match(word, at)
    if found is None:
        raise UnreadableError
    name = found.group(1) or found.group(2)
    known = names.get(name)
    if known is None and name.startswith(("PWXC_X", "PWXC_T", "text")) and re.fullmatch(r"[A-Z_a-z]+\d+", name):
        raise UnreadableError  # a value that lines above work out in a way that is not followed
    parts.extend(known if known is not None else (Ref(Root.ENVIRONMENT, (name,)),))
    return found.end()


def template_of(word: str, names: Mapping[str, tuple[str | Expr, ...]]) -> Template:
    """Give a word as a template."""
    return Template.of(*parts_of(word, names))


def literal_of(word: str) -> str:
    """Give a word that has no holes."""
    literal = template_of(word, {}).literal
    if literal is None:
        raise UnreadableError
    return literal


def text_template(content: str, names: Mapping[str, tuple[str | Expr, ...]]) -> Template:
    """Put references in the place of the writer's variables in a shell text; writing it again gives the same text."""
    spelled = {parts[0]: name for name, parts in names.items() if len(parts) == 1 and not isinstance(parts[0], str)}
    for unquoted in (True, False):
        made = _with_holes(content, names, unquoted=unquoted)
        if not made.holes or render(made, lambda hole: spelled.get(hole, "")).text == content:
            return made
    return Template.of(content)


def _with_holes(content: str, names: Mapping[str, tuple[str | Expr, ...]], *, unquoted: bool) -> Template:
    parts: list[str | Expr] = []
    at = 0
    for found in _TEXT_HOLE.finditer(content):
        name = found["quoted"] or found["plain"]
        if name not in names or isinstance(names[name][0], str) or len(names[name]) != 1:
            continue
        inner = 2 if found["quoted"] and not unquoted else 0
        parts += [content[at : found.start() + inner], names[name][0]]
        at = found.end() - inner
    return Template.of(*parts, content[at:])


def typed(texts: Sequence[str]) -> list[Plain]:
    """Give the numbers that texts are when all of them are written as numbers are, else the texts."""
    for kind in (int, float):
        made: list[Plain] = []
        for text in texts:
            if not re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", text):
                return list(texts)
            number = int(text) if re.fullmatch(r"-?\d+", text) else float(text)
            made.append(number)
        if (kind is float or all(isinstance(item, int) for item in made)) and all(
            as_text(item) == text for item, text in zip(made, texts, strict=True)
        ):
            return made
    return list(texts)
