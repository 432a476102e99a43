"""The surface model: the whole language of OSMO workflow files, version 2, as it is after rendering.

Every class says which keys a construct has and of which kind their values are; the kinds' rules are in `scalars`.
"§" is a section of the OSMO reference. Nothing is interpreted here. A type with `| None` takes null (§6).
"""

from __future__ import annotations

from typing import Any, NewType

from pwxc.yaml.structure import Surface, key, surface

StrictText = NewType("StrictText", str)
"""A string and nothing else (§6)."""
Text = NewType("Text", str)
"""A string, or a number, which becomes Python's text of it (§6)."""
LooseText = NewType("LooseText", str)
"""A string, number or boolean as text; `True` and `False` for booleans (§6)."""
Integer = NewType("Integer", int)
"""A whole number in any of the spellings that OSMO takes (§6)."""
Flag = NewType("Flag", bool)
"""A boolean in any of the spellings that OSMO takes (§6)."""
Name = NewType("Name", str)
"""A name of a workflow, group or task (§19)."""
Duration = NewType("Duration", float)
"""A time in seconds (§8)."""
Frequency = NewType("Frequency", float)
"""A time in seconds; a boolean is refused (§16)."""
Quantity = NewType("Quantity", str)
"""An amount of memory or disk with OSMO's units (§9); the text as written."""
Regex = NewType("Regex", str)
"""A Python regular expression (§12)."""
CredentialUse = NewType("CredentialUse", object)
"""A folder (text), or a map of environment names to the credential's keys (§14)."""


@surface
class Topology(Surface):
    """A demand to be placed near others."""

    key_name: StrictText = key("key", doc="one of the pool's topology keys", source="§9")
    group: StrictText = key("group", doc="who has to be near each other", source="§9", default="default")
    requirement: StrictText = key("requirementType", doc="`required` or `preferred`", source="§9", default="required")


@surface
class Resource(Surface):
    """A resource record."""

    cpu: Integer | None = key("cpu", doc="cores", source="§9", default=None)
    gpu: Integer | None = key("gpu", doc="GPUs", source="§9", default=None)
    memory: Quantity | None = key("memory", doc="main memory", source="§9", default=None)
    storage: Quantity | None = key("storage", doc="local disk", source="§9", default=None)
    platform: Text | None = key("platform", doc="a site's name for a kind of node", source="§9", default=None)
    nodes_excluded: list[Text] = key("nodesExcluded", doc="nodes not to use", source="§9", factory=list)
    topology: list[Topology] = key("topology", doc="co-location", source="§9", factory=list)


@surface
class Timeout(Surface):
    """Limits of each group."""

    exec_timeout: Duration | None = key("exec_timeout", doc="limit of running", source="§8", default=None)
    queue_timeout: Duration | None = key("queue_timeout", doc="limit of waiting for nodes", source="§8", default=None)


@surface
class DatasetRef(Surface):
    """A dataset of release 6.3 and earlier."""

    name: StrictText = key("name", doc="[BUCKET/]NAME[:TAG]", source="§24")
    regex: Regex = key("regex", doc="which files", source="§24", default="")
    localpath: StrictText | None = key("localpath", doc="a folder the client uploads", source="§24", default=None)
    path: StrictText = key("path", doc="the part of the output that goes in", source="§24", default="")
    metadata: list[StrictText] = key("metadata", doc="YAML files below the output", source="§24", factory=list)
    labels: list[StrictText] = key("labels", doc="YAML files below the output", source="§24", factory=list)


@surface
class DatasetUpdate(Surface):
    """An addition to a dataset of release 6.3 and earlier."""

    name: StrictText = key("name", doc="[BUCKET/]NAME[:TAG]", source="§24")
    paths: list[StrictText] = key("paths", doc="what to add", source="§24", factory=list)
    metadata: list[StrictText] = key("metadata", doc="YAML files below the output", source="§24", factory=list)
    labels: list[StrictText] = key("labels", doc="YAML files below the output", source="§24", factory=list)


@surface
class TaskInput(Surface):
    """Data that has to be there before the command: of a task, of a URL, or a dataset."""

    task: StrictText = key("task", doc="an upstream task, or RUN_ID:TASK", source="§12", default=None)
    url: StrictText = key("url", doc="a store's URI", source="§12", default=None)
    dataset: DatasetRef = key("dataset", doc="a dataset (6.3)", source="§24", default=None)
    regex: Regex = key("regex", doc="which files", source="§12", default="")


@surface
class TaskOutput(Surface):
    """Where the output folder goes besides the run's own storage."""

    url: StrictText = key("url", doc="a store's URI", source="§12", default=None)
    dataset: DatasetRef = key("dataset", doc="a dataset (6.3)", source="§24", default=None)
    update_dataset: DatasetUpdate = key("update_dataset", doc="add to a dataset (6.3)", source="§24", default=None)
    regex: Regex = key("regex", doc="which files", source="§12", default="")


@surface
class InjectedFile(Surface):
    """A file that is in the container when the command starts."""

    path: Text = key("path", doc="where it is put", source="§13")
    contents: Text = key("contents", doc="what is in it", source="§13", default=None)
    base64: Flag = key("base64", doc="contents are base64", source="§13", default=False)
    localpath: StrictText = key("localpath", doc="a text file beside the workflow", source="§13", default=None)


@surface
class Checkpoint(Surface):
    """A folder that is uploaded while the command runs."""

    path: StrictText = key("path", doc="what to upload", source="§16")
    url: StrictText = key("url", doc="where to", source="§16")
    frequency: Frequency = key("frequency", doc="time between uploads", source="§16")
    regex: Regex = key("regex", doc="which files", source="§16", default="")


@surface
class Kpi(Surface):
    """A leftover: a file that is uploaded to the run's storage."""

    index: Text = key("index", doc="a name", source="§11")
    path: Text = key("path", doc="a file below the output", source="§11")


@surface
class Task(Surface):
    """A task."""

    name: Name = key("name", doc="its name", source="§19")
    image: Text = key("image", doc="the container image", source="§17")
    command: list[Text] = key("command", doc="program and first arguments, as a list", source="§11")
    args: list[Text] = key("args", doc="further arguments", source="§11", factory=list)
    lead: Flag = key("lead", doc="its end ends the group", source="§10", default=False)
    resource: Text = key("resource", doc="a record of `resources`", source="§11", default="default")
    environment: dict[str, LooseText] = key("environment", doc="environment variables", source="§14", factory=dict)
    credentials: dict[str, CredentialUse] = key("credentials", doc="secrets", source="§14", factory=dict)
    inputs: list[TaskInput] = key("inputs", doc="data and dependencies", source="§12", factory=list)
    outputs: list[TaskOutput] = key("outputs", doc="where results go", source="§12", factory=list)
    files: list[InjectedFile] = key("files", doc="injected files", source="§13", factory=list)
    exit_actions: dict[str, LooseText] = key("exitActions", doc="what exit codes mean", source="§15", factory=dict)
    checkpoint: list[Checkpoint] = key("checkpoint", doc="uploads while running", source="§16", factory=list)
    volume_mounts: list[Text] = key("volumeMounts", doc="host folders", source="§17", factory=list)
    privileged: Flag = key("privileged", doc="a privileged container", source="§17", default=False)
    host_network: Flag = key("hostNetwork", doc="the node's network", source="§17", default=False)
    download_type: StrictText | None = key("downloadType", doc="leftover", source="§11", default=None)
    cache_size: Text | None = key("cacheSize", doc="leftover", source="§11", default=None)
    kpis: list[Kpi] = key("kpis", doc="leftover", source="§11", factory=list)
    resources: Resource = key("resources", doc="accepted and overwritten", source="§11", default=None)
    backend: Text = key("backend", doc="accepted and overwritten", source="§11", default="")


@surface
class Group(Surface):
    """Tasks that start together."""

    name: Name = key("name", doc="its name", source="§19")
    tasks: list[Task] = key("tasks", doc="the members", source="§10")
    barrier: Flag = key("barrier", doc="commands start together", source="§10", default=True)
    ignore_nonlead_status: Flag = key(
        "ignoreNonleadStatus", doc="only the lead's result counts", source="§10", default=True
    )


@surface
class Workflow(Surface):
    """The `workflow` section."""

    name: Name = key("name", doc="its name", source="§7")
    tasks: list[Task] = key("tasks", doc="tasks outside groups", source="§7", factory=list)
    groups: list[Group] = key("groups", doc="groups of tasks", source="§7", factory=list)
    resources: dict[str, Resource] = key("resources", doc="resource records", source="§9", default=None)
    timeout: Timeout = key("timeout", doc="limits of each group", source="§8", default=None)
    labels: dict[str, Any] = key("labels", doc="labels of the run", source="§18", factory=dict)
    pool: StrictText = key("pool", doc="accepted and overwritten", source="§7", default="")
    backend: StrictText = key("backend", doc="accepted and overwritten", source="§7", default="")
