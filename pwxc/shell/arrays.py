"""The variables of an array of jobs, worked out from the sweep that it is (slurm.md §9)."""

from __future__ import annotations

from pwxc.ir.sweep import Range, Sweep, Values


def array_variables(sweep: Sweep | None) -> dict[str, str]:
    """Give what Slurm tells each task of an array about the whole; nothing for other sweeps than of whole numbers."""
    if sweep is None or len(sweep.parameters) != 1:
        return {}
    values = sweep.parameters[0].values
    if not isinstance(values, Range | Values) or not len(values):
        return {}
    items = values.items if isinstance(values, Values) else (values[0], values[len(values) - 1])
    numbers = [item for item in items if isinstance(item, int) and not isinstance(item, bool)]
    if len(numbers) != len(items):
        return {}
    return {
        "SLURM_ARRAY_TASK_COUNT": str(len(values)),
        "SLURM_ARRAY_TASK_MIN": str(min(numbers)),
        "SLURM_ARRAY_TASK_MAX": str(max(numbers)),
        "SLURM_ARRAY_TASK_STEP": str(values.step if isinstance(values, Range) else 1),
    }
