"""What the commands of a driver need of the shell that follows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from pwxc.diagnostics import Code
from pwxc.ir.expr import Expr
from pwxc.ir.task import Outcome
from pwxc.shell.grammar import Node
from pwxc.shell.words import Token
from pwxc.source import Span
from pwxc_targets.slurm.drivers.running.calls import Submission, Submitted
from pwxc_targets.slurm.drivers.running.files import Files
from pwxc_targets.slurm.drivers.running.frames import Frames
from pwxc_targets.slurm.drivers.running.texts import Texts
from pwxc_targets.slurm.drivers.text.expansion import Expander
from pwxc_targets.slurm.drivers.text.state import Key, State

Waits = list[tuple[int, Outcome]]
"""Jobs that the driver has waited for, and what of them."""


class Interpreter(Protocol):
    """A shell that follows commands on values. Loops whose places are in `unrolled` are followed turn by turn.

    `given` is what the command finds on its standard input, `waited` the last job that `sbatch --wait` waited for,
    `polled` a loop that has asked the queue, `made` the inputs that stand for what commands print, `places` where
    inputs are met, `processes` what was started in the background, and `behind` says that this is there too.
    """

    texts: Texts
    state: State
    files: Files
    frames: Frames
    expander: Expander
    unrolled: frozenset[int]
    functions: dict[str, tuple[Node, ...]]
    strangers: list[Span]
    settings: set[str]
    locals: list[dict[str, tuple[str | None, dict[Key, str] | None]]]
    conditions: list[Expr]
    waits: Waits
    waited: int | None
    processes: list[Waits]
    behind: bool
    given: str | None
    status: bool | None
    substituted: bool | None
    polled: tuple[int, int] | None
    submitted: int
    at: tuple[int, int]
    made: dict[str, str]
    places: dict[str, Span]
    depth: int
    turns: int

    @property
    def inputs(self) -> dict[str, str | None]:
        """The inputs that were met, with their defaults."""

    def met(self, name: str) -> None:
        """Note where an input is met."""

    def take(self, submission: Submission) -> Submitted:
        """Take a submission."""

    def load(self, path: str) -> tuple[Node, ...] | None:
        """Read a shell script that the driver runs or reads in; None if there is none, or it cannot be followed."""

    def pin(self, span: Span | None) -> Span | None:
        """Let a span stand for all places from now on, as in a text that was made; gives the one before."""

    def report(self, code: Code, message: str, span: Span) -> None:
        """Add a diagnostic."""

    def all(self, nodes: Iterable[Node]) -> bool | None:
        """Run commands one after the other; give whether the last one succeeded, None when it is not known."""

    def words(self, tokens: Iterable[Token]) -> list[str]:
        """Give the words that tokens become."""

    def dynamic(self, message: str, start: int, end: int) -> None:
        """Report what is known only when the driver runs."""

    def span(self, start: int, end: int) -> Span:
        """Give the span between two places."""

    def show(self, text: str) -> None:
        """Print a text."""

    def captured(self, run: Callable[[], object]) -> str:
        """Run something and give what it prints."""

    def apart(self, run: Callable[[], bool | None]) -> bool | None:
        """Run something that leaves variables and the folder as they were."""

    def perhaps(self, nodes: Sequence[Node]) -> None:
        """Note what commands may do of which it is not known whether they run."""

    def forget(self, nodes: Iterable[Node]) -> None:
        """Note that nothing is known of the variables that commands set."""
