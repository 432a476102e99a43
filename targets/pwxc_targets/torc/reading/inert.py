"""Settings of torc that cannot change what runs: measurement, bookkeeping, and how workers live (torc.md §3, §11, §12).

What torc takes no notice of is one too; so is a setting that has the value which counts where it is absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ABOUT_WORKERS = frozenset(
    (
        *("compute_node_expiration_buffer_seconds", "compute_node_ignore_workflow_completion"),
        *("compute_node_wait_for_new_jobs_seconds", "compute_node_wait_for_healthy_database_minutes"),
        *("jobs_sort_method", "slurm_defaults"),
    )
)
"""How long workers wait, which ready job they take first, and options of allocations where none is described."""
_BOOKKEEPING = frozenset(("resource_monitor", "enable_ro_crate", "access_groups", "label", "identifier"))
_PLACE_OF_PROCESSES = frozenset(("mode", "staggered_start", "sigkill_headroom_seconds", "enable_cpu_bind", "srun_mpi"))
"""Through what a worker starts processes, and how long before the end of its own allocation it stops."""
_CODES = frozenset(("timeout_exit_code", "oom_exit_code"))
_DEFAULTS: Mapping[str, Any] = {
    "timeout_exit_code": 152,
    "oom_exit_code": 137,
    "limit_resources": True,
    "termination_signal": "SIGTERM",
    "sigterm_lead_seconds": 30,
    "supports_termination": False,
    "use_pending_failed": False,
    "delete_on_success": False,
}


def is_inert(name: str, value: Any, *, handled: bool) -> bool:
    """Whether a setting of a workflow or a job cannot change what runs; `handled` says that exit codes are looked at.

    Exit codes that torc makes up for jobs over a limit matter to failure handlers alone: both are failures.
    """
    if name in _ABOUT_WORKERS or name in _BOOKKEEPING or _is_default(name, value):
        return True
    if name == "stdio":
        return isinstance(value, Mapping) and all(_is_stdio_default(key, item) for key, item in value.items())
    if name != "execution_config" or not isinstance(value, Mapping):
        return False
    return all(_is_inert_rule(key, item, handled=handled) for key, item in value.items())


def _is_inert_rule(key: str, value: Any, *, handled: bool) -> bool:
    if key in _PLACE_OF_PROCESSES or (key in _CODES and not handled):
        return True
    return value is None or is_inert(key, value, handled=handled)


def _is_default(name: str, value: Any) -> bool:
    return name in _DEFAULTS and value == _DEFAULTS[name]


def _is_stdio_default(key: str, value: Any) -> bool:
    return value is None or _is_default(key, value) or (key == "mode" and value == "separate")
