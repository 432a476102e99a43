"""Options of the plug-in by which a whole Slurm job runs in an image, where Apptainer runs the image (slurm.md §15).

The job's own script has to run on the node itself here, since it leaves its status in the run's folder.
"""

from __future__ import annotations

from pwxc.fidelity import Ledger
from pwxc.ir.entity import changed
from pwxc.ir.resources import Resources
from pwxc.ir.task import Task
from pwxc.ir.template import Template
from pwxc_targets.pw.writing import codes as C  # noqa: N812

_MEANT = {
    "--container-workdir": "--pwd",
    "--no-container-mount-home": "--no-home",
    "--container-writable": "--writable-tmpfs",
}
"""What says the same to Apptainer."""
_USUAL = frozenset(["--container-mount-home", "--container-readonly", "--no-container-entrypoint"])
"""What Apptainer does by itself."""
_OF_SLURM = ("--container-id", "--container-type")


def _is_of_image(line: Template) -> bool:
    name = line.parts[0] if line.parts and isinstance(line.parts[0], str) else ""
    return name.startswith(("--container-", "--no-container-")) and not name.startswith(_OF_SLURM)


def without_options(task: Task, record: Resources) -> Resources:
    """Leave out the options that say how the task's image runs."""
    if task.container is None or not any(map(_is_of_image, record.directives)):
        return record
    return changed(record, directives=tuple(line for line in record.directives if not _is_of_image(line)))


def launcher_options(ledger: Ledger, record: Resources | None) -> list[str]:
    """Give the words that say to Apptainer how the image runs; what it cannot be told is reported."""
    words: list[str] = []
    for line in record.directives if record is not None else ():
        if record is None or not _is_of_image(line):
            continue
        name, _, value = (line.literal or "").partition("=")
        if name in _MEANT:
            words += [_MEANT[name], value] if value else [_MEANT[name]]
        elif name not in _USUAL:
            span = (record.places or {}).get(name)
            with ledger.of(record) as account:
                message = f"Apptainer has nothing like `{name}`"
                account.approximate("directives", C.FOREIGN_SETTING, message, span=span)
    return words
