"""The built-in actions of the platform (pw.md §8), and how the text of `uses` is taken apart (§7)."""

from __future__ import annotations

import re

import attrs


@attrs.frozen
class Action:
    """A built-in action: the names of its inputs, and which of them are required."""

    name: str
    inputs: frozenset[str]
    required: tuple[str, ...] = ()
    outputs: frozenset[str] = frozenset()


def _action(name: str, inputs: str, required: str = "", outputs: str = "") -> Action:
    return Action(
        f"parallelworks/{name}", frozenset(inputs.split()), tuple(required.split()), frozenset(outputs.split())
    )


ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (
        _action("checkout", "repo branch sparse_checkout path", "repo branch"),
        _action(
            "scheduler-agent",
            "scheduler-type scheduler-flags script-headers wait debug",
            outputs="agentId schedulerJobId",
        ),
        _action("wait-for-agent", "agentId schedulerJobId scheduler-type", "agentId", "remoteHost sshPort"),
        _action("cancel-jobs", "jobs workflow run slug"),
        _action(
            "update-session",
            "name type url target remoteHost remotePort localPort slug status openAI apiKey targetInfo",
            "name",
        ),
    )
}

TARGET_INFO = frozenset({"name", "namespace", "resourceType", "resourceName"})
"""What `update-session` takes in `targetInfo`."""

_SUBMITTER = "resource shebang rundir use_existing_script script script_path scheduler slurm pbs"
_SLURM = (
    "is_enabled is_disabled account partition qos time nodes ntasks cpus_per_task gres gpus mem constraint array "
    "scheduler_directives node_type slurm_options partition_default partition_hpc4 gres_gpu_default gres_gpu_hpc4"
)
_PBS = "is_enabled is_disabled account queue walltime select scheduler_directives"

SUBMITTER_INPUTS: dict[str, dict[tuple[str, ...], frozenset[str]]] = {
    "job_runner": {(): frozenset(f"{_SUBMITTER} inject_markers poll_interval".split())},
    "script_submitter": {
        (): frozenset(
            f"{_SUBMITTER} define_cleanup_script cleanup_script_path use_scheduler_agent submit_and_exit "
            "skip_cleanups_file".split()
        )
    },
    "session_runner": {
        (): frozenset(["session", "resource", "cluster", "service"]),
        ("cluster",): frozenset(["scheduler", "slurm", "pbs"]),
        ("service",): frozenset(["start_service_script", "controller_script", "inputs_sh", "slug", "rundir"]),
    },
}
"""The inputs of the common sub-workflows, below the group that the path names; of all their versions together (§13)."""
for _name, _below in (("job_runner", ()), ("script_submitter", ()), ("session_runner", ("cluster",))):
    SUBMITTER_INPUTS[_name][(*_below, "slurm")] = frozenset(_SLURM.split())
    SUBMITTER_INPUTS[_name][(*_below, "pbs")] = frozenset(_PBS.split())

_BUILT_IN = {name.partition("/")[2]: name for name in ACTIONS}
_HOSTED = re.compile(r"(?:github|gitlab)/(?P<repository>[^@]+)(?:@(?P<ref>.+))?\Z")
_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)")


def canonical_name(uses: str) -> str:
    """Give the full name of a built-in action that is written without its owner; other texts as they are."""
    return _BUILT_IN.get(uses, uses)


@attrs.frozen
class SubWorkflow:
    """A workflow that a step runs: its name (`job_runner`), its version if the text tells, its variant (`noaa`)."""

    name: str
    version: str = ""
    variant: str = ""


def sub_workflow(uses: str, path: object) -> SubWorkflow | None:
    """Tell which of the common sub-workflows (§13) is meant by `uses` and `$yaml`, if one is."""
    if uses.startswith("marketplace/"):
        name, _, version = uses.removeprefix("marketplace/").replace("@", "/").partition("/")
        return SubWorkflow(name, version.removeprefix("v"))
    hosted = _HOSTED.match(uses)
    if hosted is None:
        return None
    words = [*hosted["repository"].split("/"), *str(path or "").split("/")]
    version = next((found[1] for word in reversed(words) if (found := _VERSION.match(word))), "")
    variant = words[-1].removesuffix(".yaml").removesuffix(".yml")
    for name in ("job_runner", "script_submitter", "session_runner"):
        if name in words:
            return SubWorkflow(name, version, "" if _VERSION.match(variant) else variant)
    return None
