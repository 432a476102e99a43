"""What was recognised in a script: software of the machine, and commands that are started through a launcher.

The script keeps its text, so nothing here says more than the text does: it takes no part in equality and is no leaf
of the ledger. A system that runs scripts as they are needs none of it; one that has no modules, no `srun` and no
container runtime of the machine reads here what it has to replace or to report.

All of `start`, `command` and `end` are offsets in the script's text, in which a hole of the template counts as one
letter; `span` is the same place in the user's file where that is known.
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

    `names` are the modules, environments or files, as the text has them without quotes. `verb` is what is done with
    them: `load`, `activate`, `source`; with `prepares` the command names no software that anything runs with, and
    only readies the shell for others (`module purge`, `module use DIR`, `source …/conda.sh`).
    """

    kind: SoftwareKind
    names: tuple[str, ...]
    start: int
    end: int
    verb: str = "load"
    prepares: bool = False
    span: Span | None = None


@frozen
class Layer:
    """One launcher of a launch: the text from `start` to `command` is the launcher with its options.

    What stands between two of them (`srun env A=1 apptainer exec …`) belongs to what is started.
    """

    program: str
    start: int
    command: int


@frozen
class Launch:
    """A command that a script starts through a launcher, a container runtime, or one inside the other.

    `srun -n 4 apptainer exec IMAGE ./app`: the text from `start` to `command` are the launchers with their options,
    the text from `command` to `end` is what they start, without redirections that follow. `program` is the outermost
    launcher, `layers` are all of them from the outside in. Numbers are None where the launcher takes them from the
    job, and where the text does not say them literally (`open` is true then).
    """

    program: str
    start: int
    command: int
    end: int
    tasks: int | None = None
    nodes: int | None = None
    tasks_per_node: int | None = None
    cpus: int | None = None
    gpus: int | None = None
    """Of each node, task or socket, or of the whole, as the launcher counts; 0 where it asks for none."""
    container: Container | None = None
    """The image as registries name it, or a file. It holds `$` where only the run knows it, and is empty where the
    launch leaves it to the job, or names a container that was made elsewhere."""
    workdir: str | None = None
    """The folder inside the container in which the command starts (`--pwd`, `--container-workdir`)."""
    entrypoint: bool = False
    """The image's own entry point is started, with the command as its arguments (`apptainer run`)."""
    background: bool = False
    """Started with `&`: the script goes on beside it."""
    components: tuple[int, ...] = ()
    """The components of a heterogeneous job that it runs in; none: the first."""
    joined: bool = False
    """It is a further part of the launch before it (`srun a : b`), and starts together with that."""
    multi: bool = False
    """`--multi-prog`: the command is a file that says which process runs what."""
    nested: bool = False
    """It stands in a function, a loop or a condition, so it may run never, or more than once."""
    open: bool = False
    """An option has a value that is known at run time only, or the launcher has an option that is not understood."""
    layers: tuple[Layer, ...] = ()
    span: Span | None = None


@frozen
class Use:
    """The first place where a script reads a variable of the scheduler, or where it calls one of its programs."""

    name: str
    start: int
    end: int
    span: Span | None = None


@frozen
class Found:
    """What was recognised in a script, in the order of the text.

    `uses` are the scheduler's variables that it reads (`SLURM_NTASKS`) without setting them itself first. `calls` are
    programs of the scheduler that it runs and that start nothing here (`scontrol`, `sbatch`), and what it has a
    container runtime do besides (`apptainer pull`). Each name stands once. `complete` is false where the shell text
    could not be read.
    """

    software: tuple[Software, ...] = ()
    launches: tuple[Launch, ...] = ()
    uses: tuple[Use, ...] = ()
    calls: tuple[Use, ...] = ()
    complete: bool = True

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the scheduler's variables that the script reads."""
        return tuple(use.name for use in self.uses)
