"""Rendering a Jinja text in a child process that cannot run away.

The child has a bounded time and memory of its own, so a template can hurt nothing but itself. It is a fork where
that is safe (POSIX, one thread), which costs a few milliseconds, and a fresh interpreter elsewhere. Places in a
template are character offsets: the parser is fed tokens whose line numbers are offsets, which makes Jinja report
offsets wherever it reports lines.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from pwxc.frozen import frozen
from pwxc_targets.osmo.template.packing import StandIn, pack, unpack

if TYPE_CHECKING:
    from types import TracebackType

    from jinja2 import Template

SECONDS = 1.0
"""Processor time of one rendering; on a busy machine the clock on the wall says nothing about a template."""
PATIENCE = 10.0
"""Seconds on that clock after which nobody waits any longer."""
MEMORY = 256 * 1024 * 1024
OUTPUT = 64 * 1024 * 1024
ROUNDS = 20
"""How many undefined names are looked for at most."""

_UNDEFINED = re.compile(r"'(\w+)' is undefined$")


@frozen
class Fault:
    """Why a rendering failed: the kind is the class of the exception, or a word of ours for a limit."""

    kind: str
    message: str
    at: int | None = None


@frozen
class Missing:
    """A name that has no value, and where the statement begins that needed it first."""

    name: str
    at: int | None


@frozen
class Answer:
    """What a rendering gave."""

    text: str | None = None
    missing: tuple[Missing, ...] = ()
    fault: Fault | None = None


@frozen
class Question:
    """A text to render, whose last newline has been dealt with."""

    text: str
    values: Mapping[str, object]
    tokens: Mapping[str, str] = attrs.field(factory=dict)
    """What an expression that is a placeholder and nothing else is replaced by."""
    rows: Mapping[int, list[Any]] = attrs.field(factory=dict)
    """What some loops go through instead of their own values, by where their word `for` stands."""


def render(question: Question) -> Answer:
    """Render a text; every undefined name is found in one go."""
    if _can_fork():
        lines, end = _in_fork(question)
    else:
        lines, end = _in_interpreter(question)
    return _read(lines, end)


def _can_fork() -> bool:
    return hasattr(os, "fork") and hasattr(signal, "setitimer") and threading.active_count() == 1


def _read(lines: bytes, end: Fault | None) -> Answer:
    result: str | None = None
    missing: list[Missing] = []
    fault = end
    for line in lines.split(b"\n"):
        try:
            item = json.loads(line) if line else {}
        except ValueError:
            continue  # the child was stopped while it wrote this
        if "missing" in item:
            missing.append(Missing(item["missing"], item["at"]))
        elif "fault" in item:
            fault = Fault(item["fault"], item["message"], item["at"])
        elif "text" in item:
            result = item["text"]
            fault = None
    if result is None and fault is None and not missing:
        fault = Fault("Died", "the rendering process ended without an answer")
    return Answer(None if missing else result, tuple(missing), fault)


# the parent's side


def _in_fork(question: Question) -> tuple[bytes, Fault | None]:
    from pwxc_targets.osmo.template.text import environment

    _ = environment().lexer  # import Jinja and build its lexer once, here, and not in every child
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            _answer(question, writer)
        finally:
            os._exit(0)
    os.close(writer)
    try:
        lines, late = _collect(reader, time.monotonic() + PATIENCE)
    finally:
        os.close(reader)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if late or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGVTALRM):
        return lines, _too_slow()
    return lines, None


def _collect(reader: int, deadline: float) -> tuple[bytes, bool]:
    parts: list[bytes] = []
    while (left := deadline - time.monotonic()) > 0:
        ready, _, _ = select.select([reader], [], [], left)
        if not ready:
            break
        part = os.read(reader, 1 << 20)
        if not part:
            return b"".join(parts), False
        parts.append(part)
    return b"".join(parts), True


def _in_interpreter(question: Question) -> tuple[bytes, Fault | None]:
    values = [[key, pack(value)] for key, value in question.values.items()]
    rows = [[at, pack(items)] for at, items in question.rows.items()]
    packed = json.dumps({"text": question.text, "values": values, "tokens": dict(question.tokens), "rows": rows})
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pwxc_targets.osmo.template.render"],
            input=packed.encode("ascii"),
            capture_output=True,
            timeout=SECONDS + PATIENCE,  # the interpreter's own start is not the template's fault
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        return late.stdout or b"", _too_slow()
    stopped_by = -done.returncode if done.returncode < 0 else 0
    if stopped_by == getattr(signal, "SIGVTALRM", -1):
        return done.stdout, _too_slow()
    return done.stdout, None


def _too_slow() -> Fault:
    return Fault("Time", "rendering does not end within a second")


# the child's side


class _TimeUpError(BaseException):
    """The time is up; no `except Exception` of Jinja's stops it."""


class _TooMuchError(Exception):
    """The output is larger than the limit."""


def _answer(question: Question, writer: int) -> None:
    """Render, and write what comes of it as lines of JSON."""
    try:
        _limit_time()
        _limit_memory()
        sys.setrecursionlimit(1200)  # ours is deeper than the service's stack when the work begins
        for item in _work(question):
            _write(writer, item)
    except _TimeUpError as late:
        fault = _too_slow()
        _write(writer, {"fault": fault.kind, "message": fault.message, "at": _place(late)})
    except MemoryError:
        _write(writer, {"fault": "MemoryError", "message": "out of memory", "at": None})


def _write(writer: int, item: dict[str, object]) -> None:
    data = memoryview(json.dumps(item).encode("ascii") + b"\n")
    while data:
        data = data[os.write(writer, data) :]


def _limit_time() -> None:
    """Arm a timer that Python code notices, and one that also ends a loop in C."""

    def stop(_number: int, _frame: object) -> None:
        raise _TimeUpError

    if not hasattr(signal, "setitimer"):
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, stop)
    signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPROF, signal.SIGVTALRM})
    signal.setitimer(signal.ITIMER_PROF, SECONDS * 0.9)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)


def _limit_memory() -> None:
    """Let the process grow by a fixed amount; where that cannot be said the time is the only bound."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  # nothing more is worth importing here
            size = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _work(question: Question) -> Iterator[dict[str, object]]:
    """Render again and again, with a stand-in for each name that turns out to be undefined."""
    import random

    random.seed(0)  # `random` and `lipsum` give the same each time
    values = dict(question.values)
    found = False
    try:
        template = _compile(question)
        for _ in range(ROUNDS):
            problem, result = _attempt(template, values)
            if problem is None:
                yield {"text": result} if not found else {}
                return
            name = _UNDEFINED.match(str(problem)) if type(problem).__name__ == "UndefinedError" else None
            if name is None or name[1] in values:
                if not found:
                    yield _fault(problem)
                return
            found = True
            yield {"missing": name[1], "at": _place(problem)}
            values[name[1]] = StandIn()
    except Exception as problem:  # whatever a template brings about is an answer
        if not found:
            yield _fault(problem)


def _attempt(template: Template, values: dict[str, Any]) -> tuple[Exception | None, str]:
    parts: list[str] = []
    size = 0
    try:
        for part in template.generate(values):
            size += len(part)
            if size > OUTPUT:
                return _TooMuchError(f"the text grows beyond {OUTPUT >> 20} MiB"), ""
            parts.append(part)
    except Exception as problem:
        return problem, ""
    return None, "".join(parts)


def _compile(question: Question) -> Template:
    from jinja2 import nodes
    from jinja2.lexer import TokenStream
    from jinja2.parser import Parser

    from pwxc_targets.osmo.template.text import environment, fold_tokens, lex

    env = environment()
    lexemes, fault = lex(question.text)
    if fault is not None:
        raise _NotTemplateError(fault.message, fault.start)
    lexemes = fold_tokens(lexemes, question.tokens)
    numbered = ((lexeme.start + 1, lexeme.kind, lexeme.text) for lexeme in lexemes)
    parser = Parser(env, "")
    parser.stream = TokenStream(env.lexer.wrap(numbered), None, None)
    tree = parser.parse()
    for loop in tree.find_all(nodes.For) if question.rows else ():
        if loop.lineno - 1 in question.rows:
            loop.iter = nodes.Const(question.rows[loop.lineno - 1])
    return env.from_string(tree)


class _NotTemplateError(Exception):
    """The lexer refuses the text; `args` are the message and the offset."""


def _fault(problem: BaseException) -> dict[str, object]:
    kind = type(problem).__name__
    if isinstance(problem, _NotTemplateError):
        return {"fault": "TemplateSyntaxError", "message": problem.args[0], "at": problem.args[1]}
    message = getattr(problem, "message", None) or str(problem)
    if isinstance(problem, _TooMuchError):
        kind = "Output"
    return {"fault": kind, "message": message[:2000], "at": _place(problem)}


def _place(problem: BaseException) -> int | None:
    """Give the offset at which a template failed."""
    if isinstance(number := getattr(problem, "lineno", None), int):
        return number - 1
    at = None
    trace = problem.__traceback__
    while trace is not None:
        at = _template_offset(trace, at)
        trace = trace.tb_next
    return at


def _template_offset(trace: TracebackType, before: int | None) -> int | None:
    """Give the offset that a frame of a template stands for; Jinja has rewritten those of an `Exception`."""
    names = trace.tb_frame.f_globals
    if "__jinja_exception__" in names:
        return trace.tb_lineno - 1
    if (template := names.get("__jinja_template__")) is not None:
        return int(template.get_corresponding_lineno(trace.tb_lineno)) - 1
    return before


def main() -> None:
    """Answer one question on standard input."""
    question = json.loads(sys.stdin.buffer.read())
    from pwxc_targets.osmo.template.text import environment

    environment()
    values = {key: unpack(value) for key, value in question["values"]}
    rows: Any = {at: unpack(items) for at, items in question["rows"]}
    _answer(Question(question["text"], values, question["tokens"], rows), sys.stdout.fileno())


if __name__ == "__main__":
    main()
