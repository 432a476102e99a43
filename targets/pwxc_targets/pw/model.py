"""The surface model: the whole language of ACTIVATE workflow files, generations 3 and 4 (pw.md §3 to §6, §14).

Every class says which keys a construct has; the form's fields are in `form`. "§" is a section of the reference.
Nothing is interpreted: a value that may be an expression stays the text that was written, a duration stays `10m`.
Maps of constructs hold, besides them, scalars that stood where a construct is due: those were reported and are kept.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias, TypeVar

from pwxc.yaml.structure import Surface, key, surface
from pwxc_targets.pw.form import ABSENT, Fields, Scalar

Names: TypeAlias = Annotated[Any, "names"]
"""A list of scalars, or one scalar."""
RunsOnValue: TypeAlias = Annotated[Any, "runs-on"]
"""A `RunsOn`, or an expression."""
MatrixValue: TypeAlias = Annotated[Any, "matrix"]
"""A map of variables, `include` and `exclude`, or an expression."""
UserVariables: TypeAlias = Annotated[Any, "user-variables"]
"""A list of names, a map of name to `UserVariable`, or an expression."""
Entry = TypeVar("Entry", bound=Surface)


def _key(name: str, doc: str, source: str) -> Any:
    return key(name, doc=doc, source=source, default=None)


@surface
class Ssh(Surface):
    """Where steps run."""

    remote_host: Scalar = _key("remoteHost", "host or address; empty is the user's workspace", "§6")
    remote_user: Scalar = _key("remoteUser", "account on the host", "§6")
    jump_node_host: Scalar = _key("jumpNodeHost", "a host to go through", "§6")
    jump_node_user: Scalar = _key("jumpNodeUser", "account on that host", "§6")
    disconnect_timeout: Scalar = _key("disconnect-timeout", "how long to try to connect again", "§6")


@surface
class RunsOnEnvironment(Surface):
    """A named compute environment."""

    cluster: Scalar = _key("cluster", "[OWNER/]CLUSTER", "§6")
    name: Scalar = _key("name", "the environment", "§6")


@surface
class RunsOn(Surface):
    """The compute environment in which a job runs (generation 4)."""

    environment: RunsOnEnvironment | None = _key("environment", "a named environment of a cluster", "§6")
    params: Any = _key("params", "its parameters: walltime and others", "§6")
    mode: Scalar = _key("mode", "login, environment or worker", "§6")
    target_id: Scalar = _key("targetId", "a cluster's id, or user-workspace", "§6")
    environment_id: Scalar = _key("environmentId", "an environment's id", "§6")
    scheduling_params: Any = _key("schedulingParams", "its parameters", "§6")
    new_worker: Scalar = _key("newWorker", "start a worker for it", "§6")
    worker_id: Scalar = _key("workerId", "the worker to use", "§6")


@surface
class Retry(Surface):
    """Further attempts of a step."""

    max_retries: Scalar = _key("max-retries", "attempts after the first (10)", "§6")
    interval: Scalar = _key("interval", "the wait between attempts (5s)", "§6")
    timeout: Scalar = _key("timeout", "limit of one attempt (30s)", "§6")
    clean_on_retry: Scalar = _key("clean-on-retry", "delete the step's files first (no)", "§6")


@surface
class Strategy(Surface):
    """How often, and with what, a job runs."""

    matrix: MatrixValue = _key("matrix", "the values to run it with", "§6")
    fail_fast: Scalar = _key("fail-fast", "a failing instance cancels the others (yes)", "§6")
    max_parallel: Scalar = _key("max-parallel", "how many run at the same time", "§6")


@surface
class Step(Surface):
    """A script, or the call of an action or of another workflow."""

    name: Scalar = _key("name", "its label", "§5")
    id: Scalar = _key("id", "the name under which its outputs are read", "§5")
    if_: Scalar = _key("if", "whether it runs", "§5")
    uses: Scalar = _key("uses", "the action or workflow to run", "§5, §7")
    with_: dict[str, Any] | None = _key("with", "the inputs of `uses`", "§5")
    run: Scalar = _key("run", "a bash script", "§5")
    shell: Scalar = _key("shell", "the program that runs it: bash or sh with options", "§5")
    ssh: Ssh | None = key("ssh", doc="another host than the job's; null is the workspace", source="§5", default=ABSENT)
    working_directory: Scalar = _key("working-directory", "the folder", "§5")
    env: dict[str, Scalar] | None = _key("env", "its environment", "§5")
    timeout: Scalar = _key("timeout", "its limit of time", "§5")
    ignore_errors: Scalar = _key("ignore-errors", "a failure counts as success", "§5")
    early_cancel: Scalar = _key("early-cancel", "`any-job-failed`: stop when another job fails", "§5")
    retry: Retry | None = _key("retry", "further attempts", "§5, §6")
    cleanup: Scalar = _key("cleanup", "a script that runs when the job ends", "§5")


@surface
class Job(Surface):
    """Steps that run one after another in one place."""

    needs: Names = _key("needs", "the jobs that it waits for", "§4")
    if_: Scalar = _key("if", "whether it runs", "§4")
    runs_on: RunsOnValue = _key("runs-on", "the compute environment (generation 4)", "§4, §6")
    ssh: Ssh | None = key("ssh", doc="where the steps run", source="§4, §6", default=ABSENT)
    working_directory: Scalar = _key("working-directory", "the folder of the steps", "§4")
    env: dict[str, Scalar] | None = _key("env", "the steps' environment", "§4")
    timeout: Scalar = _key("timeout", "its limit of time", "§4")
    outputs: dict[str, Scalar] | None = _key("outputs", "values for the jobs that need it", "§4, §12")
    strategy: Strategy | None = _key("strategy", "run it several times", "§4, §6")
    steps: list[Step] = key("steps", doc="what it does", source="§4, §5")
    cleanup: list[Step] | None = _key("cleanup", "steps that always run at the end (older documentation)", "§4")


@surface
class PromptForName(Surface):
    """The user is asked for the session's name."""

    default: Scalar = _key("default", "the name that is proposed", "§14")


@surface
class Session(Surface):
    """An interactive session that the run opens."""

    type: Scalar = _key("type", "tunnel (it is) or link", "§14")
    redirect: Scalar = _key("redirect", "open it when the run starts", "§14")
    use_tls: Scalar = _key("useTLS", "the service speaks TLS", "§14")
    use_custom_domain: Scalar = _key("useCustomDomain", "it has a domain of its own", "§14")
    open_ai: Scalar = _key("openAI", "it serves an OpenAI-compatible API", "§14")
    detach: Scalar = _key("detach", "it survives the run", "§14")
    prompt_for_name: PromptForName | None = key(
        "prompt-for-name", doc="ask the user for its name", source="§14", default=ABSENT
    )


@surface
class Link(Surface):
    """A link on the run's page (generation 4)."""

    endpoint: Scalar = _key("endpoint", "the name of an endpoint session", "§14")
    url: Scalar = _key("url", "an address", "§14")
    redirect: Scalar = _key("redirect", "open it when the run starts", "§14")
    detach: Scalar = _key("detach", "it survives the run", "§14")


@surface
class UserVariable(Surface):
    """A variable of the user's that has to exist."""

    hint: Scalar = _key("hint", "what it is for", "§3")


@surface
class Variables(Surface):
    """Variables that have to exist (the top-level `needs`, generation 4)."""

    organization_variables: Names = _key("organizationVariables", "the organisation's", "§3")
    user_variables: UserVariables = _key("userVariables", "the user's own", "§3")


@surface
class Configuration(Surface):
    """A saved set of form values."""

    inputs: dict[str, Any] | None = _key("inputs", "the values, nested like the form", "§3")
    variables: dict[str, Any] | None = _key("variables", "the same in one guide", "§3")


@surface
class App(Surface):
    """The cluster that an app is bound to (legacy)."""

    target: Scalar = _key("target", "`inputs.PATH`", "§3")


@surface
class Execute(Surface):
    """What happens when the workflow is started."""

    inputs: Fields | None = _key("inputs", "the form; `$meta` holds its layout", "§3, §9")


@surface
class On(Surface):
    """The triggers; there is one."""

    execute: Execute | None = _key("execute", "the workflow is started by a person or a program", "§3")


@surface
class PwWorkflow(Surface):
    """A workflow file."""

    name: Scalar = _key("name", "pre-release only; a workflow is named by its repository", "§3")
    permissions: Names = _key("permissions", "what the run may do in its user's name", "§3")
    needs: Variables | None = _key("needs", "variables that have to exist (generation 4)", "§3")
    app: App | None = key("app", doc="the cluster that an app is bound to (legacy)", source="§3", default=ABSENT)
    sessions: dict[str, Session | None] | None = _key("sessions", "interactive sessions", "§3, §14")
    links: dict[str, Link] | None = _key("links", "links on the run's page (generation 4)", "§3, §14")
    env: dict[str, Scalar] | None = _key("env", "the environment of every step", "§3")
    timeout: Scalar = _key("timeout", "limit of the whole run", "§3")
    on: On | None = _key("on", "the form", "§3")
    configurations: dict[str, Configuration] | None = _key("configurations", "saved sets of form values", "§3")
    jobs: dict[str, Job] = key("jobs", doc="what is done", source="§3, §4")


def entries(constructs: dict[str, Any] | None, kind: type[Entry]) -> dict[str, Entry]:
    """Give the constructs of a map of them, without entries that are none."""
    return {name: entry for name, entry in (constructs or {}).items() if isinstance(entry, kind)}
