"""`pwxc equivalent`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pwxc.cli import console, exits
from pwxc.cli.switches import SeveralValues, output_format

if TYPE_CHECKING:
    from pwxc.diagnostics import Diagnostics
    from pwxc.ir.workflow import Workflow
    from pwxc.semantics.equivalence import Verdict

_EPILOG = """\b
Examples:
  pwxc equivalent train.yaml workflow.yaml
  pwxc equivalent train.yaml out/ --from-b slurm
  pwxc equivalent old.yaml new.yaml --map train=fit eval=score
  pwxc equivalent sweep.yaml jobs.yaml --map 'train[0]=first' 'train[1]=second'

Both workflows are run by a model of their systems, in environments in which tasks fail, take long or publish
different values. Tasks are compared by name, with what they end as and in which order they run; commands are
compared where both sides have the same kind of work. Where and with what resources a task runs does not count.
The instances of a sweep are compared with the tasks of the other side that stand for them.

\b
Exit codes:
  0  no difference
  1  a difference
  2  wrong usage, or a file that cannot be read
"""


@click.command(cls=SeveralValues, epilog=_EPILOG, short_help="Tell whether two workflows mean the same.")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--map", "names", multiple=True, metavar="A=B …", help="Name of a task in A, and its name in B.")
@click.option("--from-a", "origin_a", metavar="SYSTEM", help="System of A; guessed if not given.")
@click.option("--from-b", "origin_b", metavar="SYSTEM", help="System of B; guessed if not given.")
@output_format("text", "json")
def command(
    first: str, second: str, names: tuple[str, ...], origin_a: str | None, origin_b: str | None, form: str
) -> int:
    """Tell whether the workflows A and B mean the same, and if not, show the smallest difference.

    A and B are files of any two systems, or folders whose files are one workflow; `-` is standard input.
    """
    from pwxc.diagnostics import Diagnostics
    from pwxc.diagnostics import codes as C  # noqa: N812
    from pwxc.semantics.equivalence import equivalent
    from pwxc.values import split_items

    found = Diagnostics()
    mapped = split_items(names, "--map", found)
    a, b = _read(first, origin_a, found), _read(second, origin_b, found)
    if a is None or b is None or found.failed:
        console.emit(found, form)
        return exits.USAGE
    verdict = equivalent(a, b, mapped)
    for name in verdict.unknown:
        found.add(C.BAD_OPTION, f"`--map` names `{name}`, but there is no such task")
    console.emit(found, form)
    if verdict.unknown:
        return exits.USAGE
    show = _json if form == "json" else _text
    console.write_result(show(verdict, {"A": (first, a.dialect), "B": (second, b.dialect)}))
    return exits.FINE if verdict.equal else exits.PROBLEMS


def _read(name: str, origin: str | None, found: Diagnostics) -> Workflow | None:
    from pwxc import api
    from pwxc.cli.request import load_sources

    folder = Path(name)
    names = [str(path) for path in sorted(folder.iterdir()) if path.is_file()] if folder.is_dir() else [name]
    sources = load_sources(names, found)
    if not sources or len(sources) < len(names):
        return None
    workflow, said = api.read(sources, origin=origin)
    found.extend(said)
    return workflow


def _text(verdict: Verdict, sides: dict[str, tuple[str, str]]) -> str:
    if verdict.proved:
        lines = ["equivalent: the same normal form"]
    elif verdict.equal:
        lines = [f"equivalent: no difference in {verdict.environments:,} environments"]
    else:
        lines = [f"different: {verdict.story}"]
        lines += [f"  {side} is {file} ({system})" for side, (file, system) in sides.items()]
    lines += [f"note: {note}" for note in verdict.notes]
    return "\n".join(lines) + "\n"


def _json(verdict: Verdict, sides: dict[str, tuple[str, str]]) -> str:
    import json

    import attrs

    difference = verdict.difference
    plain = {
        "equivalent": verdict.equal,
        "proved": verdict.proved,
        "environments": verdict.environments,
        "story": verdict.story,
        "difference": attrs.asdict(difference) if difference is not None else None,
        "facts": [{"fact": type(fact).__name__.lower(), **attrs.asdict(fact)} for fact in verdict.facts],
        "notes": list(verdict.notes),
        "a": {"file": sides["A"][0], "system": sides["A"][1]},
        "b": {"file": sides["B"][0], "system": sides["B"][1]},
    }
    return json.dumps(plain, indent=2, default=str) + "\n"
