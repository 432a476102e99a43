"""Loops of a driver: followed once as a sweep, or turn by turn."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from pwxc.shell.grammar import Command, Count, For, Node, While
from pwxc_targets.slurm.drivers.running.builtin import read_line
from pwxc_targets.slurm.drivers.running.calls import LeaveError
from pwxc_targets.slurm.drivers.running.counting import arithmetic, sequence_of
from pwxc_targets.slurm.drivers.running.frames import Items, UnsweepableError, counted, listed
from pwxc_targets.slurm.drivers.running.interpreter import Interpreter
from pwxc_targets.slurm.drivers.running.loops import count_items, is_endless, while_items
from pwxc_targets.slurm.drivers.running.rules import QUEUE, assigned_in, prints, submits, walk
from pwxc_targets.slurm.drivers.running.waiting import is_polling
from pwxc_targets.slurm.drivers.text.braces import braced_range
from pwxc_targets.slurm.drivers.text.marks import HERE, INPUT, JOB, UNKNOWN, is_fixed, is_told, mark

LONGEST_LOOP = 2_000
LONGEST_QUIET_LOOP = 1_000
"""Turns of a loop that submits nothing."""


def run_loop(shell: Interpreter, node: For | Count | While) -> None:
    """Follow a loop."""
    if not submits(node.body, shell.functions) and not (
        isinstance(node, While) and submits(node.test, shell.functions)
    ):
        _quiet_loop(shell, node)
        return
    if is_endless(shell, node) and not _leaves(node):
        shell.dynamic("the loop does not end", node.start, node.end)
        return
    if isinstance(node, For) and node.select:
        shell.dynamic("a person chooses when the driver runs", node.start, node.end)
        return
    items = _items(shell, node)
    if items is not None:
        _over(shell, node, *items)
    elif isinstance(node, While):
        _while(shell, node)
    elif isinstance(node, Count):
        arithmetic(shell, node.first)
        _turns(shell, node, lambda: arithmetic(shell, node.test), lambda: arithmetic(shell, node.step))
    else:
        shell.dynamic("the loop runs over what is known only when the driver runs", node.start, node.end)


def _items(shell: Interpreter, node: For | Count | While) -> tuple[str, Items] | None:
    if isinstance(node, Count):
        return count_items(shell, node)
    if isinstance(node, While):
        return while_items(shell, node)
    tokens = node.items
    if tokens is not None and len(tokens) == 1 and (found := braced_range(tokens[0].text)) is not None:
        first, last, step, width = found
        return node.variable, counted(first, last, step, width)
    if tokens is not None and len(tokens) == 1 and (sequence := sequence_of(shell, tokens[0].text)) is not None:
        return node.variable, sequence
    words = shell.state.arguments if tokens is None else shell.words(tokens)
    if words is None or not all(is_fixed(word) for word in words):
        for word in words or ():
            shell.frames.refuse(word)
        return None
    return node.variable, listed(words)


def _over(shell: Interpreter, node: For | Count | While, variable: str, items: Items) -> None:
    if len(items.values) > 1 and node.start not in shell.unrolled and items.are_distinct():
        assigned = frozenset(assigned_in(node.body, shell.functions))
        if variable in assigned and not isinstance(node, While):
            raise UnsweepableError(node.start)
        shell.frames.enter(node.start, variable, items, assigned)
        try:
            shell.all(_body(node))
        except LeaveError:
            raise UnsweepableError(node.start) from None
        shell.frames.leave()
    else:
        _turn_by_turn(shell, node, variable, items)
        return
    if isinstance(node, Count | While):
        # the variable has gone one step beyond the last value
        step = getattr(items.values, "step", 1)
        shell.state.values[variable] = str(int(items.last) + int(step))


def _turn_by_turn(shell: Interpreter, node: For | Count | While, variable: str, items: Items) -> None:
    if len(items.values) > LONGEST_LOOP and not _leaves(node):
        _too_long(shell, node)
    if isinstance(node, Count):
        arithmetic(shell, node.first)
        _turns(shell, node, lambda: arithmetic(shell, node.test), lambda: arithmetic(shell, node.step))
    elif isinstance(node, While):
        _while(shell, node)
    else:
        for text in items.texts():
            shell.state.values[variable] = text
            if not _turn(shell, node):
                return


def _leaves(node: For | Count | While) -> bool:
    """Whether something in the body of a loop leaves it."""
    leaving = {"break", "exit", "return"}
    return any(isinstance(item, Command) and leaving & {token.text for token in item.words} for item in walk(node.body))


def _body(node: For | Count | While) -> Sequence[Node]:
    return node.body[:-1] if isinstance(node, While) else node.body


def _while(shell: Interpreter, node: While) -> None:
    if _reads(node):
        lines = _lines(shell, node)
        if lines is not None:
            _over_lines(shell, node, lines)
            return
    if _reads(node) or not _may_end(node):
        shell.dynamic("the loop runs over what is known only when the driver runs", node.start, node.end)
        return
    _turns(shell, node, lambda: _goes_on(shell, node), lambda: None)


def _reads(node: While) -> bool:
    """Whether a loop goes on as long as there is something to read."""
    return any(isinstance(test, Command) and "read" in [token.text for token in test.words] for test in node.test)


def _may_end(node: While) -> bool:
    """Whether the test of a loop may change, or something in its body leaves it."""
    words = [token.text for test in node.test if isinstance(test, Command) for token in test.words]
    if words not in (["true"], [":"], ["false"]):
        return True
    return _leaves(node)


def _goes_on(shell: Interpreter, node: While) -> bool | None:
    found = shell.all(node.test)
    return None if found is None else found is not node.until


def _lines(shell: Interpreter, node: While) -> list[str] | None:
    """Give the lines that a `while read` goes through, where they are known."""
    test = node.test[0] if len(node.test) == 1 else None
    words = [token.text for token in test.words] if isinstance(test, Command) and not test.redirects else []
    words = [word for word in words if not word.startswith("IFS=")]
    if words[:1] != ["read"] or any(re.fullmatch(r"-\w*[dnNut]", word) for word in words):
        return None
    text = shell.given
    if text is None or UNKNOWN in text or not is_told(re.sub(f"{JOB}|{HERE}", "", text)):
        return None
    shell.frames.refuse_gathered(text)
    return text.splitlines()


def _over_lines(shell: Interpreter, node: While, lines: list[str]) -> None:
    test = node.test[0]
    assert isinstance(test, Command)
    words = list(test.words)
    separator = next((word.text[4:] for word in words if word.text.startswith("IFS=")), "")
    names = [word.text for word in words if word.text.isidentifier() and word.text != "read"]
    raw = any(re.fullmatch(r"-\w*r\w*", word.text) for word in words)
    for line in lines:
        read_line(shell, names, line if raw else re.sub(r"\\(.)", r"\1", line), shell.expander.value(separator))
        if not _turn(shell, node):
            return


def _turns(
    shell: Interpreter, node: While | Count, test: Callable[[], bool | None], step: Callable[[], object]
) -> None:
    """Run a loop whose test can be worked out."""
    names = _tested(shell, node)
    while (verdict := test()) is not False:
        if verdict is None:
            shell.dynamic("the loop runs over what is known only when the driver runs", node.start, node.end)
            return
        before = _looked_at(shell, names)
        if not _turn(shell, node):
            return
        step()
        if before == _looked_at(shell, names):
            shell.dynamic("nothing that the test of the loop looks at changes", node.start, node.end)
            return


def _tested(shell: Interpreter, node: While | Count) -> set[str]:
    """Give the names in the test of a loop; all in it where that runs commands."""
    text = node.test if isinstance(node, Count) else shell.texts.cut(node.start, node.end)
    if isinstance(node, While) and all(isinstance(test, Command) for test in node.test) and not _leaves(node):
        text = " ".join(token.text for test in node.test if isinstance(test, Command) for token in test.words)
    return set(re.findall(r"[A-Za-z_]\w*", text))


def _looked_at(shell: Interpreter, names: set[str]) -> object:
    state = shell.state
    kept = {name: (state.values.get(name), dict(state.lists.get(name, {}))) for name in names}
    return kept, list(state.arguments or ()), state.shifted, len(shell.files.written)


def _turn(shell: Interpreter, node: For | Count | While) -> bool:
    """Run a loop's body once; gives False when the loop is left."""
    shell.turns += 1
    if shell.turns > LONGEST_LOOP:
        _too_long(shell, node)
    return _goes_through(shell, node)


def _goes_through(shell: Interpreter, node: For | Count | While) -> bool:
    """Follow a loop's body; gives False when the loop is left."""
    try:
        shell.all(node.body)
    except LeaveError as leave:
        if leave.kind not in ("break", "continue"):
            raise
        if leave.levels > 1:
            raise LeaveError(leave.kind, leave.levels - 1) from None
        return leave.kind == "continue"
    return True


def _too_long(shell: Interpreter, node: For | Count | While) -> None:
    shell.dynamic(f"the loop runs more than {LONGEST_LOOP:,} times", node.start, node.end)
    raise LeaveError("exit")


def _quiet_loop(shell: Interpreter, node: For | Count | While) -> None:
    """Follow a loop that submits nothing, where it is short; what it sets is not known otherwise."""
    if isinstance(node, While) and QUEUE.search(shell.texts.cut(node.start, node.end)):
        if not is_polling(shell, node):
            shell.polled = (node.start, node.end)
        shell.forget([node])
        return
    loops = isinstance(node, While)
    if loops and shell.state.arguments is None and _reads_arguments(shell.texts.cut(node.start, node.end)):
        _declare(shell, assigned_in(node.body, shell.functions))
        return
    if shell.frames.stack and assigned_in(node.body, shell.functions):
        raise UnsweepableError(shell.frames.stack[-1].loop)
    before = shell.state.copy()
    if not _is_short(shell, node):
        if prints(node.body):
            shell.show(UNKNOWN)
        shell.state.restore(before)
        shell.forget([node])


def _is_short(shell: Interpreter, node: For | Count | While) -> bool:
    """Run a loop; gives False if it is not known when it ends, or if that is late."""
    if isinstance(node, For):
        found = _items(shell, node)
        if found is None or len(found[1].values) > LONGEST_QUIET_LOOP:
            return False
        texts = found[1].texts()

        def goes_on() -> bool | None:
            text = next(texts, None)
            shell.state.values[node.variable] = shell.state.values.get(node.variable, "") if text is None else text
            return text is not None

        return _ends(shell, node, goes_on, lambda: None)
    if isinstance(node, Count):
        arithmetic(shell, node.first)
        return _ends(shell, node, lambda: arithmetic(shell, node.test), lambda: arithmetic(shell, node.step))
    if _reads(node):
        return _gone_over(shell, node)
    return _ends(shell, node, lambda: _goes_on(shell, node), lambda: None)


def _gone_over(shell: Interpreter, node: While) -> bool:
    """Follow a loop over the lines of a text; gives False if the text is not known or long."""
    lines = _lines(shell, node)
    if lines is None or len(lines) > LONGEST_QUIET_LOOP:
        return False
    _over_lines(shell, node, lines)
    return True


def _ends(
    shell: Interpreter, node: For | Count | While, test: Callable[[], bool | None], step: Callable[[], object]
) -> bool:
    for _ in range(LONGEST_QUIET_LOOP):
        verdict = test()
        if not verdict:
            return verdict is not None
        if not _goes_through(shell, node):
            return True
        step()
    return False


def _declare(shell: Interpreter, names: Iterable[str]) -> None:
    """Make inputs of the variables that options on the command line set."""
    for name in sorted(set(names) - {"OPTARG", "OPTIND", "OPTERR"}):
        default = shell.state.values.get(name)
        shell.met(name)
        shell.inputs.setdefault(name, default if default is not None and is_fixed(default) else None)
        shell.state.values[name] = (default or "") if name in shell.expander.frozen else mark(INPUT, name)


def _reads_arguments(text: str) -> bool:
    """Whether a loop goes over the options on the command line."""
    return re.search(r"\bgetopts\b|\$#|\bshift\b", text) is not None and not QUEUE.search(text)
