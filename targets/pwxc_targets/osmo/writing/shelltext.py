"""Pieces of shell text with the template's marks in them: words, tests, and values that only the run knows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pwxc.expr.values import as_text
from pwxc.ir.expr import Binary, Expr, Literal, Ref, Root, Unary, Undefined, refs
from pwxc.ir.template import Template
from pwxc.shell import is_variable_name, quote
from pwxc_targets.osmo.template.text import LOOSE_TOKEN
from pwxc_targets.osmo.tokens import TOKEN
from pwxc_targets.osmo.writing.emit import Hole
from pwxc_targets.osmo.writing.holes import Holes, Mark, Part, joined
from pwxc_targets.osmo.writing.naming import identifier
from pwxc_targets.osmo.writing.sweeps import Loop

_STATIC = frozenset({Root.INPUT, Root.SWEEP, Root.SWEEP_INDEX})
_QUOTE = """ | string | replace("'", "'\\\\''")"""
_STATUS = {"always": "true", "completed": '[ "$rc" -eq 0 ]', "error": '[ "$rc" -ne 0 ]'}
IS_TRUE = "is_true() { case $1 in '' | 0 | false) return 1 ;; esac; }"
VALUE = """value() { cat ".pwxc/values/$1" 2> /dev/null || :; }"""


REPORT = """\
# Keeps the values that a step has written to $OUTPUTS, as lines KEY=VALUE.
report() {
  while IFS='=' read -r key value; do
    if [ -n "$key" ]; then mkdir -p "$values" && printf '%s' "$value" > "$values/$key"; fi
  done < "$OUTPUTS"
}"""
ENDED = """\
# Says how the instances of a task have ended: with the code of one that failed, if there is one.
how_ended() {
  local file value found=0
  for file; do
    value=$(cat "$file" 2> /dev/null || echo 0)
    case $value in 0) ;; skipped) [ "$found" != 0 ] || found=skipped ;; *) found=$value ;; esac
  done
  echo "$found"
}"""


class Shell:
    """Writes shell text for one task; notes what it needs: functions, credentials, marks that are filled in."""

    def __init__(self, holes: Holes) -> None:
        self.holes = holes
        self.writing = holes.writing
        self.functions: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.marks: dict[str, str] = {}
        """For each mark in a step's text the shell expression of what is put in its place."""

    # values of the run

    def value(self, expr: Expr) -> str | None:
        """Give the shell expression, for use in double quotes, of a value that only the run knows."""
        if not isinstance(expr, Ref):
            return None
        path = expr.path
        match expr.root:
            case Root.TASK_OUTPUT:
                self.functions["value"] = VALUE
                return f"$(value {quote(f'{folder_of(path[0])}/{path[-1]}')})"
            case Root.ORGANISATION | Root.USER:
                name = identifier(path, set()).upper()
                self.secrets[name] = ".".join(path)
                return "${" + name + "-}"
            case Root.INPUT if path in self.writing.variables.secrets:
                name = self.writing.variables.secrets[path]
                self.secrets[name] = "_".join(path)
                return "${" + name + "-}"
            case Root.ENVIRONMENT if is_variable_name(path[0]):
                return "${" + path[0] + "-}"
            case Root.ATTEMPT:
                return "${attempt-0}"
        return None

    def mark(self, expr: Expr) -> str | None:
        """Give the mark that stands in a step's text for a value of the run."""
        if isinstance(expr, Ref) and expr.root is Root.DATUM:
            record = next((item for item in self.writing.workflow.data if item.name == expr.path[0]), None)
            return quote(as_text(record.value)) if record is not None else None
        value = self.value(expr)
        if value is None or not isinstance(expr, Ref):
            return None
        name = f"@{'.'.join((expr.root.value, *expr.path))}@"
        self.marks[name] = value
        return name

    def step_text(self, template: Template) -> list[Part]:
        """Give the text of a step's file: values of the run are marks, and special tokens in it are broken up."""
        self.holes.late = self.mark
        parts = self.holes.parts(template)
        self.holes.late = lambda expr: None
        return joined([self._broken(part) if isinstance(part, str) else part for part in parts])

    def _broken(self, text: str) -> str:
        if TOKEN.search(text) is not None:
            self.marks["@brace@"] = "{"
            text = TOKEN.sub(lambda found: "{@brace@" + found[0][2:], text)
        if LOOSE_TOKEN.search(text) is not None:
            self.marks["@less@"] = "<"
            text = LOOSE_TOKEN.sub(lambda found: "<@less@" + found[0][2:], text)
        return text

    # words and tests

    def word(self, template: Template) -> list[Part]:
        """Give a shell word that has the value of a template."""
        made: list[Part] = []
        for part in template.parts:
            if isinstance(part, str):
                made.append(_quoted(part))
                continue
            value = self.value(part)
            if value is not None:
                made.append(f'"{value}"')
                continue
            made += self._piece(self.holes.resolve(part))
        return joined(made) or ["''"]

    def _piece(self, parts: Iterable[Part]) -> list[Part]:
        made: list[Part] = []
        for part in parts:
            if isinstance(part, str):
                made.append(_quoted(part) if part else "")
            elif isinstance(part, Mark):
                made.append(part)
            elif part.tame:
                made += ["'", part, "'"]
            else:
                made += ["'", Hole(part.expression + _QUOTE, long=part.long), "'"]
        return made

    def test(self, expr: Expr) -> list[Part] | None:
        """Give a command that succeeds when an expression counts as true; None when there is none."""
        found = refs(expr)
        if found and all(ref.root in _STATIC for ref in found):
            test = self.holes.jinja.test(expr)
            return None if test is None else [Hole(f"'true' if {test} else 'false'", tame=True)]
        match expr:
            case Literal() | Undefined():
                return ["true" if getattr(expr, "value", None) else "false"]
            case Ref(Root.STATUS):
                return [_STATUS.get(expr.path[0] if expr.path else "", "false")]
            case Unary("!", operand):
                inner = self.test(operand)
                return None if inner is None else ["! { ", *inner, "; }"]
            case Binary("&&" | "||", left, right):
                one, other = self.test(left), self.test(right)
                return None if one is None or other is None else ["{ ", *one, f" {expr.operator} ", *other, "; }"]
            case Binary("==" | "!=", left, right):
                return self._compared(left, "=" if expr.operator == "==" else "!=", right)
            case Binary("<" | "<=" | ">" | ">=", left, right):
                return self._ordered(left, expr.operator, right)
            case Ref():
                words = self._operand(expr)
                self.functions["is_true"] = IS_TRUE
                return None if words is None else ["is_true ", *words]
        return None

    def _compared(self, left: Expr, operator: str, right: Expr) -> list[Part] | None:
        one, other = self._operand(left), self._operand(right)
        return None if one is None or other is None else ["[ ", *one, f" {operator} ", *other, " ]"]

    def _ordered(self, left: Expr, operator: str, right: Expr) -> list[Part] | None:
        one, other = self._operand(left), self._operand(right)
        if one is None or other is None:
            return None
        return ["awk -v a=", *one, " -v b=", *other, f" 'BEGIN {{ exit !(a + 0 {operator} b + 0) }}'"]

    def _operand(self, expr: Expr) -> list[Part] | None:
        if isinstance(expr, Literal | Undefined):
            return [_quoted(as_text(getattr(expr, "value", None)))]
        if isinstance(expr, Ref):
            value = self.value(expr)
            if value is not None:
                return [f'"{value}"']
        if all(ref.root in _STATIC for ref in refs(expr)):
            return self.word(Template.of(expr))
        return None


def _quoted(text: str) -> str:
    """Quote a text so that neither the template nor OSMO's tokens find anything in it."""
    quoted = quote(text)
    for pair in ("{{", "{%", "{#", "<<"):
        quoted = quoted.replace(pair, pair[0] + "''" + pair[1])
    return quoted


def folder_of(name: str) -> str:
    """Give the file name that stands for a task or unit below `.pwxc`."""
    return "".join(sign if sign.isalnum() or sign in "_.-" else "_" for sign in name)


def fill_lines(marks: dict[str, str]) -> list[str]:
    """Give the function that copies a step's text with the values of the run in the place of their marks."""
    lines: list[Any] = [
        "# Copies a script with the values that are known only now in the place of their marks.",
        "fill() {",
    ]
    lines += ["  local text", '  text=$(cat "$1"; printf .)', "  text=${text%.}"]
    lines += [f"  text=${{text//'{mark}'/\"{value}\"}}" for mark, value in marks.items()]
    return [*lines, '  printf \'%s\' "$text" > "$2"', "}"]


def status_of(unit: str) -> list[Part]:
    """Give the file, or for a sweep the folder, that says how a unit has ended."""
    return [f".pwxc/status/{quote(folder_of(unit))}"]


def instance_of(loop: Loop | None) -> list[Part]:
    """Give the name of an instance's file below that of its task."""
    parts = [part for number in (loop.suffix if loop is not None else ()) for part in ("-", Hole(number, tame=True))]
    return ["/", *parts[1:]] if parts else []
