"""Which task of one workflow is which of another, and how far what they do can be compared."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import attrs

from pwxc.ir.entity import changed
from pwxc.ir.task import Gang, Script, Step, Task
from pwxc.ir.template import Template
from pwxc.ir.workflow import RunCommands, Workflow, units
from pwxc.semantics.environment import NOTHING_FAILS
from pwxc.semantics.expansion import TooManyInstancesError, expand
from pwxc.semantics.hooktasks import hook_tasks, start_hooks, turn_hooks_into_tasks
from pwxc.semantics.normal import canonical
from pwxc.semantics.programs import (
    Likeness,
    does_something,
    inline_variables,
    looks_wrapped,
    script_file,
    with_plain_inputs,
)
from pwxc.semantics.renaming import rename
from pwxc.semantics.resolve import NOTHING, Scope
from pwxc.semantics.scaffolding import without_gates, without_lone_gangs
from pwxc.semantics.trace import Instance
from pwxc.semantics.unrolling import plain, unroll_where_other_is
from pwxc.semantics.world import World


@attrs.frozen
class Pair:
    """Two workflows made comparable: the second has the first's names, and what cannot be compared is left out.

    `alone` are the names that only one of them has, `notes` says in words what was left out.
    """

    first: Workflow
    second: Workflow
    alone: tuple[tuple[str, ...], tuple[str, ...]]
    likeness: Mapping[str, Likeness]
    same_dialect: bool
    hooks: frozenset[str] = frozenset()
    """Tasks that stand for hooks, which take no time."""
    unordered: frozenset[str] = frozenset()
    """Those before work: what waits for them is left open (torc.md §9.3)."""
    notes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    """Names that the user gave and that neither workflow has."""


def match(first: Workflow, second: Workflow, names: Mapping[str, str] | None = None) -> Pair:
    """Make two workflows comparable.

    `names` says what tasks and gangs of the first are called in the second; the others have the same name, or one
    that differs only in case, `-`, `_` and the parameters in braces. Where one has a sweep and the other a task for
    each of its instances, these are compared; they are called `task[0]` and so on.
    """
    given = dict(names or {})
    first, written = unroll_where_other_is(first, second, given)
    second, others = unroll_where_other_is(second, first, {b: a for a, b in given.items()})
    given = {**written, **{a: b for b, a in others.items()}, **given}
    mine, theirs = _names(first), _names(second)
    unknown = [a for a in given if a not in mine] + [b for b in given.values() if b not in theirs]
    found = _match_names(mine, theirs, given)
    second = rename(second, {b: a for a, b in found.items()})
    first, second = without_lone_gangs(first, second), without_lone_gangs(second, first)
    first, second = without_gates(first, second), without_gates(second, first)
    unordered = start_hooks(first, second) | start_hooks(second, first)
    hooks = hook_tasks(first, second) | hook_tasks(second, first)
    first, second = turn_hooks_into_tasks(first, second), turn_hooks_into_tasks(second, first)
    same_dialect = first.dialect == second.dialect
    if not same_dialect:
        first, second = _without_requests(first), _without_requests(second)
    first, second = canonical(first), canonical(second)
    first, second, notes = _collapse_gangs(first, second)
    first, second, likeness, more = _compare_work(first, second, hooks, same_dialect=same_dialect)
    mine, theirs = _names(first), _names(second)
    idle = _idle(first) | _idle(second)
    alone = (
        tuple(a for a in mine if a not in theirs and a not in idle),
        tuple(b for b in theirs if b not in mine and b not in idle),
    )
    return Pair(first, second, alone, likeness, same_dialect, hooks, unordered, (*notes, *more), tuple(unknown))


def _without_requests(workflow: Workflow) -> Workflow:
    """Leave out hooks that ask for nodes: where work runs is no part of what is compared."""
    left = tuple(hook for hook in workflow.hooks if isinstance(hook.action, RunCommands))
    return changed(workflow, hooks=left) if len(left) < len(workflow.hooks) else workflow


def _names(workflow: Workflow) -> dict[str, None]:
    """Give all names in their order, and to look them up."""
    return dict.fromkeys([*(task.name for task in workflow.tasks), *(gang.name for gang in workflow.gangs)])


def _idle(workflow: Workflow) -> set[str]:
    """Give the tasks that do nothing and that nothing waits for: some systems need one at least."""
    awaited = {edge.parent for unit in units(workflow) for edge in unit.needs}
    return {task.name for task in workflow.tasks if task.name not in awaited and not does_something(task)}


def _match_names(first: Iterable[str], second: Iterable[str], given: Mapping[str, str]) -> dict[str, str]:
    taken = set(given.values())
    left = dict.fromkeys(name for name in first if name not in given)
    right = dict.fromkeys(name for name in second if name not in taken)
    found = dict(given) | {name: name for name in left if name in right}
    mine, theirs = _by_plain(n for n in left if n not in found), _by_plain(n for n in right if n not in left)
    for key, names in mine.items():
        others = theirs.get(key, [])
        if len(names) == len(others) == 1:
            found[names[0]] = others[0]
    return found


def _by_plain(names: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(plain(name), []).append(name)
    return found


# gangs against single tasks


def _collapse_gangs(first: Workflow, second: Workflow) -> tuple[Workflow, Workflow, list[str]]:
    """Turn a gang into one task where the other side has a single task of its name."""
    notes: list[str] = []
    sides = [first, second]
    for at in (0, 1):
        other = sides[1 - at]
        tasks, gangs = {task.name for task in other.tasks}, {gang.name for gang in other.gangs}
        for gang in sides[at].gangs:
            if gang.name in tasks - gangs and not set(gang.members) - {gang.name} & tasks:
                sides[at] = _collapsed(sides[at], gang)
                notes.append(f"the members of `{gang.name}` are compared as one task")
    return sides[0], sides[1], notes


def _collapsed(workflow: Workflow, gang: Gang) -> Workflow:
    lead = next((task for task in workflow.tasks if task.name == gang.lead), Task(name=gang.lead))
    whole = Task(
        name=gang.name,
        steps=lead.steps,
        needs=gang.needs,
        condition=lead.condition,
        sweep=lead.sweep,
        run_timeout=gang.run_timeout,
        queue_timeout=gang.queue_timeout,
        exit_rules=lead.exit_rules,
        environment=lead.environment,
        container=lead.container,
    )
    members = set(gang.members)
    tasks = [
        whole if task.name == gang.lead else task for task in workflow.tasks if task.name not in members - {gang.lead}
    ]
    hooks = tuple(
        changed(hook, tasks=tuple(dict.fromkeys(gang.name if name in members else name for name in hook.tasks)))
        for hook in workflow.hooks
    )
    gangs = tuple(other for other in workflow.gangs if other != gang)
    return changed(workflow, tasks=tuple(tasks), gangs=gangs, hooks=hooks)


# what tasks run


def _compare_work(
    first: Workflow, second: Workflow, hooks: Collection[str], *, same_dialect: bool
) -> tuple[Workflow, Workflow, dict[str, Likeness], list[str]]:
    theirs = {task.name: task for task in second.tasks}
    likeness: dict[str, Likeness] = {}
    made: dict[str, tuple[Task, Task]] = {}
    wrapped: list[str] = []
    worlds = World(first, NOTHING_FAILS), World(second, NOTHING_FAILS)
    for task in first.tasks:
        other = theirs.get(task.name)
        if other is None:
            continue
        a, b = (task, other) if same_dialect else _without_private_variables(task, other, first, second)
        like = _likeness(_texts(a, worlds[0]), _texts(b, worlds[1]), a, b, same_dialect=same_dialect)
        likeness[task.name] = like
        if like is Likeness.WRAPPED:
            wrapped.append(task.name)
            a, b = (_opaque(each, is_hook=task.name in hooks) for each in (a, b))
        made[task.name] = a, b
    notes = []
    if wrapped:
        shown = ", ".join(f"`{name}`" for name in wrapped[:5]) + (", …" if len(wrapped) > 5 else "")
        notes.append(
            f"{shown}: one side wraps the other's commands or keeps them in a file, so what they do is not compared"
        )
    first = changed(first, tasks=tuple(made[task.name][0] if task.name in made else task for task in first.tasks))
    second = changed(second, tasks=tuple(made[task.name][1] if task.name in made else task for task in second.tasks))
    return first, second, likeness, notes


def _without_private_variables(a: Task, b: Task, first: Workflow, second: Workflow) -> tuple[Task, Task]:
    """Put variables that only one side declares into its scripts, if these name them."""
    mine, theirs = _variables(a, first), _variables(b, second)
    return (
        inline_variables(a, mine - theirs, first.environment),
        inline_variables(b, theirs - mine, second.environment),
    )


def _variables(task: Task, workflow: Workflow) -> set[str]:
    own = [*workflow.environment, *task.environment, *(each for step in task.steps for each in step.environment)]
    return {variable.name for variable in own}


def _texts(task: Task, world: World) -> list[str]:
    row = NOTHING
    if task.sweep is not None:
        try:
            rows = expand(task.sweep, Scope(world).value)
        except TooManyInstancesError:
            rows = []
        row = rows[0] if len(rows) else NOTHING
    scope = Scope(world, Instance(task.name, None if task.sweep is None else 0), row)
    return [with_plain_inputs(scope.work(step.work)) for step in task.steps]


def _likeness(mine: list[str], theirs: list[str], a: Task, b: Task, *, same_dialect: bool) -> Likeness:
    if mine == theirs:
        return Likeness.SAME
    if same_dialect:
        return Likeness.OTHER
    files = script_file(a), script_file(b)
    if (files[0] is None) is not (files[1] is None) or (files[0] is not None and files[0] == files[1]):
        return Likeness.WRAPPED
    return Likeness.WRAPPED if looks_wrapped(a, b) or "\n".join(mine) == "\n".join(theirs) else Likeness.OTHER


_OPAQUE = Step(work=Script(Template()))


def _opaque(task: Task, *, is_hook: bool) -> Task:
    """Give a task of which only the place in the graph is left; one step stands for all that it does.

    Whether errors are ignored is a part of what it does; hooks cannot fail.
    """
    return Task(
        name=task.name,
        steps=(changed(_OPAQUE, ignore_errors=is_hook),),
        needs=task.needs,
        condition=task.condition,
        sweep=task.sweep,
        outputs=task.outputs,
        stop_when_another_fails=task.stop_when_another_fails or any(s.stop_when_another_fails for s in task.steps),
    )
