"""The steps around the job runner, which submits a script and waits for it (pw.md §13.2).

It hides how the script ended, so that the script leaves its status in a file beside it, which a later step reads.
"""

from __future__ import annotations

from typing import Any

JOB_RUNNER = "marketplace/job_runner/v4.0"
STATUS = """\
set -euo pipefail
if ! read -r rc < exit-status; then
  echo "the scheduler ended the job before its script did" >&2
  exit 1
fi
exit "$rc"
"""
"""What the step behind the job runner's runs, in the job's own folder."""


def job_folder(job: str, *, swept: bool) -> str:
    """Give the folder of a job, or of one instance of it, below the run's."""
    return f"jobs/{job}" + (".${PW_MATRIX_INDEX}" if swept else "")


def place_lines(*, swept: bool) -> list[str]:
    """Give the lines by which a submitted script, which has none of the platform's variables, tells where it is."""
    return ["export PW_JOB_DIR=${PWD%/jobs/*}", *(["export PW_MATRIX_INDEX=${PWD##*.}"] if swept else [])]


def runner_inputs(cluster: str, folder: str, script: list[str], group: dict[str, Any]) -> dict[str, Any]:
    """Give what the job runner is called with; `group` are its settings for the scheduler."""
    return {
        "resource": "${{ inputs." + cluster + " }}",
        "shebang": "#!/bin/bash",
        "rundir": folder,
        "scheduler": True,
        "use_existing_script": False,
        "script": "\n".join(script) + "\n",
        "slurm": group,
    }
