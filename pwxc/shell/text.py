"""Templates as shell text.

Three kinds of holes meet here. *Inline* holes are replaced by the target before any shell runs (a PW expression);
their values are unknown text, so they may stand only where no quote can end: in a here-document with a quoted
delimiter. *Run-time* holes are shell variables (a folder of this run); in literal text they are marks such as
`@output@`, which `fill` replaces when the script runs. Literal text is quoted.
"""

from __future__ import annotations

from typing import Protocol

from pwxc.ir.expr import Expr
from pwxc.ir.template import Template
from pwxc.shell.quote import delimiter, quote

FILL = """\
# Reads a text into the variable $1, with the run's own paths in the place of the @marks@.
fill() {
  local text
  IFS= read -r -d '' text || :
%s  printf -v "$1" '%%s' "${text%%$'\\n'}"
}"""


class Names(Protocol):
    """What a target says about holes."""

    def inline(self, expr: Expr) -> str | None:
        """Give the text that the target replaces before the shell runs; None for other holes."""

    def is_tame(self, expr: Expr) -> bool:
        """Whether the inline hole's value can hold no quote, no line break and no backslash (a number, say)."""

    def variable(self, expr: Expr) -> tuple[str, str]:
        """Give a short name for a run-time hole and the shell expression, unquoted, that has its value."""

    def protect(self, text: str) -> str | None:
        """Give None when the target takes literal text as it is, else the text in shell quotes that it leaves alone."""


class ShellText:
    """Renders the templates of one script; collects the marks that it needs and the lines to be run before a use.

    Lines that assign captured texts are added to `lines` in order; `preamble` gives the `fill` function.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self.lines: list[str] = []
        self.marks: dict[str, str] = {}
        self._captured = 0
        self._fills = False

    def word(self, template: Template) -> str:
        """Give a shell word for a template; long or untame text is captured into a variable first."""
        if self._is_simple(template):
            return "".join(self._piece(part) for part in template.parts) or "''"
        self._captured += 1
        name = f"text{self._captured}"
        self.lines.append(f"{name}=''")
        self.capture(name, template)
        return f'"${name}"'

    def _is_simple(self, template: Template) -> bool:
        for part in template.parts:
            if isinstance(part, str):
                if "\n" in part:
                    return False
            elif self.names.inline(part) is not None and not self.names.is_tame(part):
                return False
        return True

    def _piece(self, part: str | Expr) -> str:
        if isinstance(part, str):
            protected = self.names.protect(part)
            return quote(part) if protected is None else protected
        inline = self.names.inline(part)
        if inline is not None:
            return f"'{inline}'"
        return f'"{self.names.variable(part)[1]}"'

    def capture(self, name: str, template: Template) -> None:
        """Add lines that put a template's text into a shell variable, exactly."""
        if self._must_be_pieced(template):
            self._capture_pieces(name, template)
            return
        self._fills = True
        self.lines.extend(self._here_document(f"fill {name}", self._marked(template) + "\n", template))

    def _must_be_pieced(self, template: Template) -> bool:
        return any(isinstance(part, str) and self.names.protect(part) is not None for part in template.parts)

    def _capture_pieces(self, name: str, template: Template) -> None:
        """Put the text together from quoted pieces, for text that the target would misread in a here-document."""
        words = []
        for number, part in enumerate(template.parts):
            if isinstance(part, str) or self.names.inline(part) is None or self.names.is_tame(part):
                words.append(self._piece(part))
                continue
            piece = f"{name}_{number}"
            self.lines.append(f"{piece}=''")
            self.capture(piece, Template((part,)))
            words.append(f'"${piece}"')
        self.lines.append(f"{name}={''.join(words)}")

    def write_file(self, path: str, template: Template) -> None:
        """Add lines that write a template's text to a file, exactly; `path` is a shell word."""
        text = self._plain_text(template)
        if text is not None and text.endswith("\n"):
            self.lines.extend(self._here_document(f"cat > {path}", text, template))
            return
        if text == "":
            self.lines.append(f": > {path}")
            return
        self.lines.append("content=''")
        self.capture("content", template)
        self.lines.append(f"printf '%s' \"$content\" > {path}")

    def _plain_text(self, template: Template) -> str | None:
        """Give the text for a here-document when there are no run-time holes and nothing to protect."""
        if self._must_be_pieced(template):
            return None
        inline = [part if isinstance(part, str) else self.names.inline(part) for part in template.parts]
        return None if None in inline else "".join(part for part in inline if part is not None)

    def _marked(self, template: Template) -> str:
        literal = "".join(part for part in template.parts if isinstance(part, str))
        return template.fill(lambda hole: self.names.inline(hole) or self._mark(hole, literal))

    def _mark(self, hole: Expr, literal: str) -> str:
        name, value = self.names.variable(hole)
        mark = f"@{name}@"
        while mark in literal:
            mark = f"@{mark}@"
        self.marks[mark] = value
        return mark

    def _here_document(self, command: str, text: str, template: Template) -> list[str]:
        unknown = any(self.names.inline(hole) is not None and not self.names.is_tame(hole) for hole in template.holes)
        word = delimiter(text, open_ended=unknown)
        return [f"{command} <<'{word}'", *text.removesuffix("\n").split("\n"), word]

    @property
    def preamble(self) -> list[str]:
        """Give the lines that have to stand before `lines`."""
        return self.fill_function() if self._fills else []

    def fill_function(self) -> list[str]:
        """Give the lines of `fill` for the marks that are known."""
        longest_first = sorted(self.marks.items(), key=lambda pair: (-len(pair[0]), pair[0]))
        replacements = "".join(f"  text=${{text//'{mark}'/\"{value}\"}}\n" for mark, value in longest_first)
        return (FILL % replacements).split("\n")
