"""What Slurm's rules and good habit say about batch scripts."""

from __future__ import annotations

from pwxc.diagnostics import Diagnostics
from pwxc.registry import ReadSettings
from pwxc.source import Source
from pwxc_targets.slurm.batch.cutting import MAGIC
from pwxc_targets.slurm.batch.report import read_source, report_faults
from pwxc_targets.slurm.linting.lines import check_lines
from pwxc_targets.slurm.linting.options import check_options
from pwxc_targets.slurm.linting.subject import Subject
from pwxc_targets.slurm.linting.tasks import check_tasks


def lint(sources: tuple[Source, ...], settings: ReadSettings, diagnostics: Diagnostics) -> None:
    """Check scripts one by one; a text without directives is left alone."""
    for source in sources:
        if MAGIC not in source.text and not source.text.startswith("#!"):
            continue
        reading = read_source(source, settings)
        if not reading.directives and not reading.late:
            continue
        report_faults(reading, source, diagnostics)
        subject = Subject(source, reading, diagnostics)
        check_lines(subject)
        for component in reading.components:
            check_options(component, subject)
        check_tasks(subject)
