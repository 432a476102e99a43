"""Where in a shell text a hole stands: outside quotes, within them, in a comment or in a here-document.

A value is put there as a variable, so that the shell reads its characters as data and never as commands.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum

import attrs

from pwxc.ir.expr import Expr
from pwxc.ir.template import Template


class Place(Enum):
    """The kind of text around a hole."""

    PLAIN = "plain"
    SINGLE = "single"
    ANSI = "ansi"
    DOUBLE = "double"
    COMMENT = "comment"
    EXPANDED = "here-document"
    VERBATIM = "quoted here-document"


_HERE = re.compile(r"<<(-?)[ \t]*(\\?'[^'\n]*'|\"[^\"\n]*\"|\\?[A-Za-z0-9_.+:/-]+)")


@attrs.define
class Scanner:
    """Follows a shell text and knows the place it has come to."""

    stack: list[Place] = attrs.field(factory=lambda: [Place.PLAIN])
    pending: list[tuple[str, bool, bool]] = attrs.field(factory=list)
    waiting: list[tuple[str, bool, bool]] = attrs.field(factory=list)
    line: str = ""
    before: str = "\n"

    @property
    def place(self) -> Place:
        """Where the scanner is."""
        if self.waiting:
            return Place.VERBATIM if self.waiting[0][2] else Place.EXPANDED
        return self.stack[-1]

    def feed(self, text: str) -> None:
        """Go on over a literal text."""
        at = 0
        while at < len(text):
            at = self._here_document(text, at) if self.waiting else self._step(text, at)

    def hole(self) -> None:
        """Go on over a hole."""
        self.line += "\0"
        self.before = "\0"

    def _here_document(self, text: str, at: int) -> int:
        stop = text.find("\n", at)
        if stop < 0:
            self.line += text[at:]
            return len(text)
        line = self.line + text[at:stop]
        self.line = ""
        word, strips, _ = self.waiting[0]
        if (line.lstrip("\t") if strips else line) == word:
            self.waiting.pop(0)
        self.before = "\n"
        return stop + 1

    def _step(self, text: str, at: int) -> int:
        place = self.stack[-1]
        letter = text[at]
        moved = at + 1
        if place is Place.COMMENT:
            if letter == "\n":
                self.stack.pop()
                return at
        elif place in (Place.SINGLE, Place.ANSI):
            moved += place is Place.ANSI and letter == "\\"
            if letter == "'":
                self.stack.pop()
        elif letter == "\\":
            moved += 1
        elif place is Place.DOUBLE:
            moved = self._in_double(text, at)
        else:
            moved = self._in_plain(text, at)
        self.before = text[min(moved, len(text)) - 1]
        return moved

    def _in_double(self, text: str, at: int) -> int:
        if text[at] == '"':
            self.stack.pop()
        elif text.startswith("$(", at):
            self.stack.append(Place.PLAIN)
            return at + 2
        return at + 1

    def _in_plain(self, text: str, at: int) -> int:
        letter = text[at]
        if letter == "\n":
            self.waiting, self.pending, self.line = self.pending, [], ""
        elif letter == '"':
            self.stack.append(Place.DOUBLE)
        elif letter == "'":
            self.stack.append(Place.ANSI if self.before == "$" else Place.SINGLE)
        elif letter == "#" and self.before in " \t\n;&|(\0":
            self.stack.append(Place.COMMENT)
        elif letter == "(":
            self.stack.append(Place.PLAIN)
        elif letter == ")" and len(self.stack) > 1:
            self.stack.pop()
        elif text.startswith("<<<", at):
            return at + 3
        elif (found := _HERE.match(text, at)) is not None:
            word = found.group(2)
            self.pending.append((word.strip("\\'\""), bool(found.group(1)), word[0] in "\\'\""))
            return found.end()
        return at + 1


@attrs.frozen
class Rendered:
    """A shell text with variables for its holes; `verbatim` says that a hole stood where no variable is read."""

    text: str
    verbatim: bool = False


def render(template: Template, variable: Callable[[Expr], str]) -> Rendered:
    """Put variables in the place of the holes of a shell text; `variable` gives the name for a hole."""
    scanner = Scanner()
    parts: list[str] = []
    verbatim = False
    for part in template.parts:
        if isinstance(part, str):
            scanner.feed(part)
            parts.append(part)
            continue
        name = f"${{{variable(part)}}}"
        place = scanner.place
        verbatim = verbatim or place is Place.VERBATIM
        parts.append(f"'\"{name}\"'" if place is Place.SINGLE else f"'\"{name}\"$'" if place is Place.ANSI else name)
        scanner.hole()
    return Rendered("".join(parts), verbatim)
