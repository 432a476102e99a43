"""Slurm batch scripts and the shell scripts that submit them."""

from __future__ import annotations

import re

from pwxc.registry import Lazy, Option, Target

_DIRECTIVE = re.compile(r"^#SBATCH", re.MULTILINE)
_SUBMISSION = re.compile(r"^[^#\n]*\bsbatch\b", re.MULTILINE)


def looks_like_slurm(text: str, filename: str) -> float:
    """Say how much a text looks like a batch script, or like a script that submits some."""
    script = text.startswith("#!")
    if _DIRECTIVE.search(text):
        return 0.95 if script else 0.6
    if _SUBMISSION.search(text):
        return 0.8 if script else 0.3
    return 0.2 if filename.endswith((".sbatch", ".slurm")) else 0.0


TARGET = Target(
    name="slurm",
    title="Slurm batch scripts",
    suffixes=(".sbatch", ".slurm", ".sh"),
    any_bytes=True,
    folders=True,
    sniff=looks_like_slurm,
    codes="pwxc_targets.slurm.codes",
    read=Lazy("pwxc_targets.slurm.read:read"),
    write=Lazy("pwxc_targets.slurm.write:write"),
    lint=Lazy("pwxc_targets.slurm.lint:lint"),
    options=(
        Option("single_file", "false", "write one submit script that holds all others", ("true", "false")),
        Option(
            "container", "apptainer", "how the commands of a task with an image run", ("apptainer", "pyxis", "none")
        ),
        Option(
            "max_array_size",
            "1001",
            "the site's MaxArraySize; longer sweeps are split",
            pattern=r"[1-9][0-9]{0,8}",
        ),
        Option(
            "instance_limit",
            "1000000000",
            "how many instances a sweep may have",
            pattern=r"[1-9][0-9]{0,17}",
        ),
        Option(
            "retries",
            "3",
            "further attempts where the source leaves their number to its site",
            pattern=r"[0-9]{1,9}",
        ),
        Option("retry", "requeue", "further attempts: by requeue, or inside the allocation", ("requeue", "inside")),
        Option("partition", "", "the partition of tasks that name none"),
        Option("account", "", "the account of tasks that name none"),
        Option("plugins", "", "plug-ins whose options scripts may use: pyxis, shifter, ear, uenv, ce, quota, any"),
    ),
)
