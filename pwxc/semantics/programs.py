"""What a task runs, in one form for all spellings, so that the same work is seen to be the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import TypeVar

import attrs

from pwxc.ir.data import InlineFile, Variable
from pwxc.ir.entity import changed
from pwxc.ir.expr import Expr
from pwxc.ir.task import ActionCall, Command, Script, Step, Task, Work
from pwxc.ir.template import Template, join, text
from pwxc.shell import quote

_SHELLS = frozenset({"bash", "sh", "/bin/bash", "/bin/sh", "/usr/bin/bash"})
_SHEBANG = re.compile(r"#![^\n]*\n\s*")


class Likeness(Enum):
    """How the work of two tasks compares."""

    SAME = "same"
    WRAPPED = "wrapped"
    """One side's text holds the other's words with more around: what it does by itself is not known."""
    OTHER = "other"


def unfold(task: Task) -> tuple[tuple[Script | ActionCall, ...], tuple[InlineFile, ...]]:
    """Give the work of a task's steps as scripts where that says the same, and the files that are left.

    `bash -c TEXT` is the text; `bash FILE` with a file that the task brings along is that file's contents; any other
    program is its quoted words. First lines that only name the shell are left out.
    """
    used: set[int] = set()
    works = tuple(_unfold(step.work, task, used) for step in task.steps)
    return works, tuple(file for number, file in enumerate(task.files) if number not in used)


def _unfold(work: Work, task: Task, used: set[int]) -> Script | ActionCall:
    if isinstance(work, Command):
        return Script(trimmed(_script_of(work.arguments, task.files, used)))
    return plain_work(work)


_W = TypeVar("_W", bound=Work)


def plain_work(work: _W) -> _W | Script:
    """Give work without a first line that only names the shell, and without blanks around."""
    if not isinstance(work, Script):
        return work
    text_left = trimmed(work.text)
    shell = work.shell[:1] if work.shell[1:] == ("-c",) else work.shell
    return work if text_left is work.text and shell is work.shell else Script(text_left, shell)


def join_lines(templates: Iterable[Template]) -> Template:
    """Put commands under one another."""
    parts = [part for template in templates for part in ("\n", *trimmed(template).parts)]
    return Template.of(*parts[1:])


def _script_of(arguments: Sequence[Template], files: Sequence[InlineFile], used: set[int]) -> Template:
    words = [argument.literal for argument in arguments]
    if words[:1] and words[0] in _SHELLS:
        if len(words) == 3 and words[1] in ("-c", "-lc", "-ec"):
            return arguments[2]
        if len(words) == 2:
            for number, file in enumerate(files):
                if file.path == arguments[1] and not file.encoded:
                    used.add(number)
                    return file.contents
    parts: list[str | Expr] = []
    for argument in arguments:
        literal = argument.literal
        parts.extend([" "] if parts else [])
        parts.extend([quote(literal)] if literal is not None else argument.parts)
    return Template.of(*parts)


def trimmed(template: Template) -> Template:
    """Leave out a first line that names the shell, and blanks around."""
    if not template.parts:
        return template
    first, last = template.parts[0], template.parts[-1]
    begins = isinstance(first, str) and first[:1] in ("#", "\n")
    ends = isinstance(last, str) and last[-1:].isspace()
    if not begins and not ends:
        return template
    parts = list(template.parts)
    if isinstance(first, str):
        parts[0] = (_SHEBANG.sub("", first, count=1) if first.startswith("#!") else first).lstrip("\n")
    if isinstance(last := parts[-1], str):
        parts[-1] = last.rstrip()
    return Template.of(*parts)


def inline_variables(task: Task, names: Iterable[str], around: Iterable[Variable] = ()) -> Task:
    """Put the values of environment variables where the scripts name them, and leave the variables out."""
    wanted = set(names)
    values = {variable.name: variable.value for variable in (*around, *task.environment) if variable.name in wanted}
    steps = []
    for step in task.steps:
        own = {**values, **{each.name: each.value for each in step.environment if each.name in wanted}}
        if isinstance(step.work, Script) and own:
            work = attrs.evolve(step.work, text=_with_values(step.work.text, own))
            left = tuple(each for each in step.environment if each.name not in wanted)
            step = changed(step, work=work, environment=left)
        steps.append(step)
    left = tuple(each for each in task.environment if each.name not in wanted)
    return changed(task, steps=tuple(steps), environment=left)


def _with_values(template: Template, values: dict[str, Template]) -> Template:
    joined = "|".join(re.escape(name) for name in sorted(values, key=len, reverse=True))
    pattern = re.compile(r"(?<!\\)\$(?:\{(" + joined + r")\}|(" + joined + r")\b)")
    parts: list[Template] = []
    for part in template.parts:
        if not isinstance(part, str):
            parts.append(Template((part,)))
            continue
        last = 0
        for found in pattern.finditer(part):
            parts += [text(part[last : found.start()]), values[found[1] or found[2]]]
            last = found.end()
        parts.append(text(part[last:]))
    return join(parts)


_INPUT = re.compile(r"<input ([^<>]*)>")


def with_plain_inputs(command: str) -> str:
    """Give a text in which inputs without a value have one spelling: systems differ in what names may hold."""
    return _INPUT.sub(lambda found: f"<input {re.sub('[^a-z0-9]', '', found[1].lower())}>", command)


_WORD = re.compile(r"\w+")
_FILE = re.compile(r"(?:(?:bash|sh|source|\.)\s+(?:-\S+\s+)*)?(?:\S*/)?([^\s/'\"]+\.(?:sh|bash))(?:\s.*)?")


def words(steps: Iterable[Step]) -> list[str]:
    """Give the words of all scripts; what stands in holes is left out."""
    found: list[str] = []
    for step in steps:
        if isinstance(step.work, Script):
            for part in step.work.text.parts:
                found += _words_of(part)
        elif isinstance(step.work, ActionCall):
            found.append(step.work.name)
    return found


def _words_of(part: str | Expr) -> list[str]:
    return _WORD.findall(part) if isinstance(part, str) else []


def lines(steps: Iterable[Step]) -> int:
    """Count the lines of all scripts that are not empty."""
    count = 0
    for step in steps:
        if isinstance(step.work, Script):
            count += _lines(step.work.text)
        else:
            count += 1
    return count


def _lines(template: Template) -> int:
    return sum(1 for line in template.fill(lambda hole: "x").splitlines() if line.strip())


def holds_words(whole: Sequence[str], part: Sequence[str]) -> bool:
    """Whether the words of a part stand in the whole in their order, perhaps with others between them."""
    rest = iter(whole)
    return all(word in rest for word in part)


def does_something(task: Task) -> bool:
    """Whether a task runs more than `true`."""
    texts = [step.work.text.literal if isinstance(step.work, Script) else None for step in (*task.steps, *task.cleanup)]
    return any(each is None or each.strip() not in ("", ":", "true", "exit 0") for each in texts)


def script_file(task: Task) -> str | None:
    """Give the name of the shell script that is all that a task runs, when its text is not part of the workflow."""
    if len(task.steps) != 1 or not isinstance(task.steps[0].work, Script):
        return None
    found = _FILE.fullmatch(task.steps[0].work.text.fill(lambda hole: "x").strip())
    return found[1] if found is not None else None


def looks_wrapped(first: Task, second: Task) -> bool:
    """Whether one task's text looks like the other's with generated text around it: more lines, all its words.

    Where only one of them has a container, the other starts it by a command, which needs no lines of its own. The
    words may also stand in files that the longer one brings along.
    """
    pair = sorted((first, second), key=_size)
    short, long = pair
    if _calls_actions(first) is not _calls_actions(second):
        return True
    if bool(first.files) is bool(second.files) and (first.container is None) is not (second.container is None):
        short, long = sorted(pair, key=lambda task: task.container is None)
    elif _size(short) == _size(long) and len(short.steps) == len(long.steps):
        return False
    return runs_words(long, words(short.steps))


def _size(task: Task) -> int:
    """Count the lines of scripts and of the files that they may be in."""
    return lines(task.steps) + sum(_lines(file.contents) for file in task.files)


def _calls_actions(task: Task) -> bool:
    return any(isinstance(step.work, ActionCall) for step in task.steps)


def runs_words(long: Task, wanted: Sequence[str]) -> bool:
    """Whether a task's scripts hold these words, in their order or in the files that it brings along."""
    found = words(long.steps)
    if holds_words(found, wanted):
        return True
    brought = [word for file in long.files for part in file.contents.parts for word in _words_of(part)]
    # words that a here-document or a file brings along stand before the command that they belong to
    elsewhere = bool(brought) or any("<<" in part for step in long.steps for part in _literals(step))
    return elsewhere and not Counter(wanted) - Counter([*found, *brought])


def _literals(step: Step) -> list[str]:
    parts = step.work.text.parts if isinstance(step.work, Script) else ()
    return [part for part in parts if isinstance(part, str)]
