"""What was recognised in a script: software of the machine, and commands that are started through a launcher.

The script keeps its text, so nothing here says more than the text does: it takes no part in equality and is no leaf
of the ledger. A system that runs scripts as they are needs none of it; one that has no modules, no `srun` and no
container runtime of the machine reads here what it has to replace or to report.
"""

from __future__ import annotations

from enum import StrEnum

from pwxc.frozen import frozen
from pwxc.ir.resources import Container
from pwxc.source import Span


class SoftwareKind(StrEnum):
    """How a script takes software from the machine that it runs on."""

    MODULE = "module"
    """`module load`, `ml`: environment modules."""
    CONDA = "conda"
    """`conda activate`, `mamba activate` and what prepares them."""
    VIRTUALENV = "virtualenv"
    """`source DIR/bin/activate` of an environment that the script has not made itself."""
    SPACK = "spack"
    SETUP = "setup"
    """Any other file of the machine that the script reads in (`source /opt/x/setvars.sh`)."""


@frozen
class Software:
    """A command of a script that takes software from the machine (`module load gcc/12`).

    `names` are the modules, environments or files. `start` and `end` are the command's place in the script's text.
    """

    kind: SoftwareKind
    names: tuple[str, ...]
    start: int
    end: int
    span: Span | None = None


@frozen
class Launch:
    """A command that a script starts through a launcher, a container runtime, or one inside the other.

    `srun -n 4 apptainer exec IMAGE ./app`: the text from `start` to `command` are the launchers with their options,
    the text from `command` to `end` is what they start. `program` is the outermost launcher. Numbers are None where
    the launcher takes them from the job, and where the text does not say them literally (`open` is true then).
    """

    program: str
    start: int
    command: int
    end: int
    tasks: int | None = None
    nodes: int | None = None
    tasks_per_node: int | None = None
    cpus: int | None = None
    container: Container | None = None
    background: bool = False
    """Started with `&`: the script goes on beside it."""
    components: tuple[int, ...] = ()
    """The components of a heterogeneous job that it runs in; none: the first."""
    open: bool = False
    """An option has a value that is known at run time only, or the launcher has an option that is not understood."""
    span: Span | None = None


@frozen
class Found:
    """What was recognised in a script, in the order of the text.

    `variables` are the scheduler's variables that it uses (`SLURM_NTASKS`), each once. `complete` is false where the
    shell text could not be read.
    """

    software: tuple[Software, ...] = ()
    launches: tuple[Launch, ...] = ()
    variables: tuple[str, ...] = ()
    complete: bool = True
