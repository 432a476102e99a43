"""The surface model of torc: every key of its specifications, in the names of 0.12 and later (torc.md §3 to §13).

Older names are turned into these before a text is structured, see `generations`.
"""

from __future__ import annotations

from typing import Any

from pwxc.yaml.structure import Surface, key, surface

Text = str | None


@surface
class Parameterised(Surface):
    """A record that is repeated over parameters."""

    parameters: dict[str, Any] | None = key(
        "parameters",
        doc="name to values: a range `1:10`, a list `[a,b]`, one value",
        source="torc.md §13",
        default=None,
    )
    parameter_mode: Text = key(
        "parameter_mode", doc="`product` or `zip`", source="torc.md §13.2, since Dec 2025", default=None
    )
    use_parameters: list[str] | None = key(
        "use_parameters", doc="which shared parameters this record takes", source="torc.md §13.5", default=None
    )
    parameters_file: Text = key(
        "parameters_file", doc="a table with one instance per row", source="torc.md §13.6, since 0.26", default=None
    )
    use_parameters_file: bool | None = key(
        "use_parameters_file", doc="take the workflow's table", source="torc.md §13.6, since 0.26", default=None
    )


@surface
class Stdio(Surface):
    """What becomes of a job's output streams."""

    mode: Text = key("mode", doc="`separate`, `combined`, `no_stdout`, `no_stderr`, `none`", default=None)
    delete_on_success: bool | None = key(
        "delete_on_success", doc="remove the files when the job succeeds", default=None
    )


def _names(name: str, doc: str, source: str = "torc.md §4") -> Any:
    return key(name, doc=doc, source=source, default=None)


@surface
class Job(Parameterised):
    """A unit of work."""

    name: str = key("name", doc="the job's name, unique after expansion", source="torc.md §4")
    command: str = key("command", doc="shell text, run by `bash -c`", source="torc.md §4")
    invocation_script: Text = key(
        "invocation_script", doc="text in front of the command; never runs in 0.12", source="torc.md §4", default=None
    )
    env: dict[str, str] | None = key("env", doc="environment variables", source="torc.md §4, since 0.23", default=None)
    cancel_on_blocking_job_failure: bool | None = key(
        "cancel_on_blocking_job_failure",
        doc="whether the job is cancelled when a blocker fails; true when absent",
        source="torc.md §16",
        default=None,
    )
    supports_termination: bool | None = key(
        "supports_termination", doc="the job can be told to stop early", source="torc.md §4", default=None
    )
    resource_requirements: Text = key(
        "resource_requirements", doc="name of a resource record", source="torc.md §7", default=None
    )
    failure_handler: Text = key("failure_handler", doc="name of a failure handler", source="torc.md §10", default=None)
    depends_on: list[str] | None = _names("depends_on", "names of blocking jobs")
    depends_on_regexes: list[str] | None = _names("depends_on_regexes", "patterns of blocking jobs' names")
    input_files: list[str] | None = _names("input_files", "files the job reads")
    input_file_regexes: list[str] | None = _names("input_file_regexes", "patterns of files the job reads")
    output_files: list[str] | None = _names("output_files", "files the job writes")
    output_file_regexes: list[str] | None = _names("output_file_regexes", "patterns of files the job writes")
    input_user_data: list[str] | None = _names("input_user_data", "data the job reads")
    input_user_data_regexes: list[str] | None = _names("input_user_data_regexes", "patterns of data the job reads")
    output_user_data: list[str] | None = _names("output_user_data", "data the job publishes")
    output_user_data_regexes: list[str] | None = _names("output_user_data_regexes", "patterns of published data")
    scheduler: Text = key(
        "scheduler", doc="whose allocations should run the job; a preference", source="torc.md §16", default=None
    )
    stdio: Stdio | None = key("stdio", doc="output streams", source="torc.md §12, since 0.25", default=None)
    priority: int | None = key("priority", doc="higher starts first", source="torc.md §4, since 0.21", default=None)
    label: Text = key("label", doc="display name", source="torc.md §4, since 0.26", default=None)


@surface
class FileSpec(Parameterised):
    """A named path."""

    name: str = key("name", doc="the file's name, unique after expansion", source="torc.md §5")
    path: str = key("path", doc="where it is, relative to the worker's folder", source="torc.md §5")
    st_mtime: float | None = key("st_mtime", doc="modification time, seconds since 1970", default=None)
    identifier: Text = key("identifier", doc="free text, since 0.26", default=None)


@surface
class UserData(Parameterised):
    """A named JSON value."""

    name: Text = key("name", doc="a record without name is dropped", source="torc.md §6", default=None)
    data: Any = key("data", doc="any JSON value; absent for one that a job fills", source="torc.md §6", default=None)
    is_ephemeral: bool | None = key("is_ephemeral", doc="cleared on re-initialisation", default=None)


@surface
class ResourceRequirements(Surface):
    """A class of resources."""

    name: str = key("name", doc="unique name", source="torc.md §7")
    num_cpus: int = key("num_cpus", doc="processor cores", source="torc.md §7")
    num_gpus: int | None = key("num_gpus", doc="GPUs, 0 when absent", default=None)
    num_nodes: int | None = key("num_nodes", doc="nodes, 1 when absent", default=None)
    memory: str = key("memory", doc="a whole number with `k`, `m`, `g` or `t`", source="torc.md §7")
    runtime: Text = key("runtime", doc="ISO 8601 duration, `PT1H` when absent", default=None)


@surface
class FailureRule(Surface):
    """What happens after some exit codes."""

    exit_codes: list[int] | None = key("exit_codes", doc="codes that the rule is for", default=None)
    match_all_exit_codes: bool | None = key("match_all_exit_codes", doc="for every code but 0", default=None)
    recovery_script: Text = key("recovery_script", doc="runs before the next attempt", default=None)
    max_retries: int | None = key(
        "max_retries", doc="attempts in all, 3 when absent", source="torc.md §10", default=None
    )


@surface
class FailureHandler(Surface):
    """A named list of rules."""

    name: str = key("name", doc="unique name", source="torc.md §10")
    rules: list[FailureRule] = key("rules", doc="the rules", source="torc.md §10")


@surface
class SlurmScheduler(Surface):
    """One kind of allocation for workers."""

    name: Text = key("name", doc="a record without name is dropped", source="torc.md §8", default=None)
    account: str = key("account", doc="the account to charge", source="torc.md §8")
    partition: Text = key("partition", doc="partition", default=None)
    qos: Text = key("qos", doc="quality of service", default=None)
    walltime: Text = key("walltime", doc="`HH:MM:SS`, `01:00:00` when absent", source="torc.md §8", default=None)
    nodes: int | None = key("nodes", doc="nodes, 1 when absent", default=None)
    mem: Text = key("mem", doc="memory per node", default=None)
    gres: Text = key("gres", doc="generic resources", default=None)
    tmp: Text = key("tmp", doc="local disk", default=None)
    ntasks_per_node: int | None = key("ntasks_per_node", doc="stored, never passed on", default=None)
    more_options: Text = key("extra", doc="further sbatch options on one line", default=None)
    serialize_allocations: bool | None = key("serialize_allocations", doc="one at a time, since 0.26", default=None)


@surface
class Action(Surface):
    """An operation tied to a point of the run."""

    trigger_type: str = key("trigger_type", doc="when it fires", source="torc.md §9.1")
    action_type: str = key("action_type", doc="`run_commands` or `schedule_nodes`", source="torc.md §9")
    jobs: list[str] | None = key("jobs", doc="names of the jobs that trigger it", default=None)
    job_name_regexes: list[str] | None = key("job_name_regexes", doc="patterns of their names", default=None)
    commands: list[str] | None = key("commands", doc="shell commands, in order", default=None)
    scheduler: Text = key("scheduler", doc="whose allocations are asked for", default=None)
    scheduler_type: Text = key("scheduler_type", doc="`slurm`", default=None)
    num_allocations: int | None = key("num_allocations", doc="how many, 1 when absent", default=None)
    start_one_worker_per_node: bool | None = key("start_one_worker_per_node", doc="by srun", default=None)
    start_server_on_head_node: bool | None = key("start_server_on_head_node", doc="only in Nov 2025", default=None)
    max_parallel_jobs: int | None = key("max_parallel_jobs", doc="jobs at once in a worker", default=None)
    persistent: bool | None = key("persistent", doc="whether every worker executes it", default=None)


def _verbatim(name: str, doc: str, source: str = "torc.md §3") -> Any:
    return key(name, doc=doc, source=source, default=None)


@surface
class Spec(Surface):
    """A workflow specification."""

    name: str = key("name", doc="the workflow's name", source="torc.md §3")
    user: Text = _verbatim("user", "ignored: the person who creates it counts")
    description: Text = _verbatim("description", "free text")
    project: Text = _verbatim("project", "free text for grouping, since 0.12")
    metadata: Any = _verbatim("metadata", "JSON text, or a map since 0.26")
    parameters: dict[str, Any] | None = _verbatim("parameters", "shared parameters", "torc.md §13.5")
    parameters_file: Text = _verbatim("parameters_file", "a shared table, since 0.26", "torc.md §13.6")
    variables: dict[str, str] | None = _verbatim("variables", "constants, since 0.26", "torc.md §13.6")
    env: dict[str, str] | None = _verbatim("env", "environment of every job, since 0.23")
    jobs: list[Job] = key("jobs", doc="the jobs", source="torc.md §4")
    files: list[FileSpec] | None = _verbatim("files", "named paths", "torc.md §5")
    user_data: list[UserData] | None = _verbatim("user_data", "named values", "torc.md §6")
    resource_requirements: list[ResourceRequirements] | None = _verbatim(
        "resource_requirements", "classes of resources", "torc.md §7"
    )
    failure_handlers: list[FailureHandler] | None = _verbatim("failure_handlers", "retry rules", "torc.md §10")
    slurm_schedulers: list[SlurmScheduler] | None = _verbatim("slurm_schedulers", "allocations", "torc.md §8")
    slurm_defaults: dict[str, Any] | None = _verbatim("slurm_defaults", "sbatch options for all", "torc.md §8")
    resource_monitor: dict[str, Any] | None = _verbatim("resource_monitor", "measuring", "torc.md §11")
    actions: list[Action] | None = _verbatim("actions", "what happens at points of the run", "torc.md §9")
    execution_config: dict[str, Any] | None = _verbatim("execution_config", "how jobs are run", "torc.md §12")
    slurm_config: dict[str, Any] | None = _verbatim("slurm_config", "0.19.2 to 0.20.6", "torc.md §12")
    use_pending_failed: bool | None = _verbatim("use_pending_failed", "a failed job without rule waits for a person")
    enable_ro_crate: bool | None = _verbatim("enable_ro_crate", "record provenance, since 0.18")
    jobs_sort_method: Text = _verbatim("jobs_sort_method", "order of ready jobs, to 0.20")
    compute_node_wait_for_new_jobs_seconds: int | None = _verbatim(
        "compute_node_wait_for_new_jobs_seconds", "how long an idle worker waits"
    )
    compute_node_expiration_buffer_seconds: int | None = _verbatim(
        "compute_node_expiration_buffer_seconds", "time kept free at the end of an allocation"
    )
    compute_node_ignore_workflow_completion: bool | None = _verbatim(
        "compute_node_ignore_workflow_completion", "the worker stays when all is done"
    )
    compute_node_wait_for_healthy_database_minutes: int | None = _verbatim(
        "compute_node_wait_for_healthy_database_minutes", "how long a worker bears a silent server"
    )
    dynamic_jobs: dict[str, Any] | None = _verbatim("dynamic_jobs", "jobs may make jobs, since 0.26")
    access_groups: list[str] | None = _verbatim("access_groups", "who may see the workflow, since 0.26")


VERBATIM = (
    "resource_monitor",
    "execution_config",
    "slurm_config",
    "use_pending_failed",
    "enable_ro_crate",
    "jobs_sort_method",
    "compute_node_wait_for_new_jobs_seconds",
    "compute_node_expiration_buffer_seconds",
    "compute_node_ignore_workflow_completion",
    "compute_node_wait_for_healthy_database_minutes",
    "dynamic_jobs",
    "access_groups",
)
"""Top-level keys that only torc's own machinery understands."""
