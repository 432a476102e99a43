"""The surface model of a workflow's form: the fields of `on.execute.inputs` (pw.md §9).

A class stands for one type or for several with the same attributes; `FIELDS` maps the names of the types to them.
Nothing is interpreted: what may be an expression stays as it is written.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pwxc.yaml.structure import Surface, key, surface

Scalar: TypeAlias = Annotated[Any, "scalar"]
"""A text, number, boolean or null, as written; an expression is text."""
Options: TypeAlias = Annotated[Any, "options"]
"""What may be chosen (§9.3): a list of `Option`, `OptionCategory` and scalars, a map of lists, or an expression."""
Template: TypeAlias = Annotated[Any, "template"]
"""The fields of a row: a map of `Field`, or one bare `Field` (§9.4)."""
Fields: TypeAlias = Annotated[Any, "fields"]
"""A map of `Field`, or null. An entry that is a scalar is no field; it was reported and is kept."""


class _Absent:
    """The value of a key that is not there, where null means something else."""

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT: Any = _Absent()


def _key(name: str, doc: str, source: str = "§9.2") -> Any:
    return key(name, doc=doc, source=source, default=None)


@surface
class Field(Surface):
    """A field of the form, of any type; also one of a type that the language does not know."""

    type: Scalar = key("type", doc="what kind of field it is", source="§9.1")
    label: Scalar = _key("label", "the field's name on the form", "§9.1")
    description: Any = _key("description", "help below the field", "§9.1")
    tooltip: Any = _key("tooltip", "help when the mouse is over it", "§9.1")
    width: Scalar = _key("width", "layout", "§9.1")
    hidden: Scalar = _key("hidden", "not shown; its default is still passed", "§9.1")
    ignore: Scalar = _key("ignore", "not passed to the run", "§9.1")


@surface
class ValueField(Field):
    """A field that has a value."""

    default: Any = key("default", doc="the value to begin with", source="§9.1", default=ABSENT)
    optional: Scalar = _key("optional", "it may stay empty", "§9.1")
    disabled: Scalar = _key("disabled", "shown, and not to be changed", "§9.1")


@surface
class StringField(ValueField):
    """A line of text, or several."""

    placeholder: Scalar = _key("placeholder", "shown while it is empty")
    textarea: Scalar = _key("textarea", "several lines")
    prefill_default: Scalar = _key("prefillDefault", "the default stands in the field rather than behind it")


@surface
class NumberField(ValueField):
    """A number."""

    min: Scalar = _key("min", "the least value")
    max: Scalar = _key("max", "the greatest value")
    step: Scalar = _key("step", "the distance of two values")
    slider: Scalar = _key("slider", "shown as a slider; needs min, max and step")
    placeholder: Scalar = _key("placeholder", "shown while it is empty")


@surface
class DurationField(ValueField):
    """A time, given as `HH:MM:SS` or `D-HH:MM:SS`."""

    min: Scalar = _key("min", "the least time")
    max: Scalar = _key("max", "the greatest time")
    placeholder: Scalar = _key("placeholder", "shown while it is empty")
    disable_label: Scalar = _key("disableLabel", "the label of the choice of no time")
    disable_value: Scalar = _key("disableValue", "the value of that choice")


@surface
class EditorField(ValueField):
    """Text of several lines in an editor."""

    language: Scalar = _key("language", "bash, python, yaml, json, javascript or shell")
    placeholder: Scalar = _key("placeholder", "shown while it is empty")


@surface
class Option(Surface):
    """One of the values of a field."""

    value: Any = _key("value", "what the run gets", "§9.3")
    label: Scalar = _key("label", "what the form shows", "§9.3")
    description: Scalar = _key("description", "help for a box to tick", "§9.2")


@surface
class OptionCategory(Surface):
    """Several values under a heading."""

    category: Scalar = _key("category", "the heading", "§9.3")
    options: Options = _key("options", "the values", "§9.3")


@surface
class ChoiceField(ValueField):
    """One of several values."""

    options: Options = key("options", doc="the values", source="§9.2", default=ABSENT)
    option_key: Scalar = _key("option-key", "an expression that picks one of several lists")
    placeholder: Scalar = _key("placeholder", "shown while nothing is chosen")
    autoselect: Scalar = _key("autoselect", "the first value is chosen")


@surface
class RadioField(ValueField):
    """One of several values, all shown."""

    options: Options = key("options", doc="the values", source="§9.2", default=ABSENT)
    option_label_position: Scalar = _key("optionLabelPosition", "left or top")


@surface
class CheckboxGroupField(ValueField):
    """Any number of several values, all shown."""

    options: Options = key("options", doc="the values", source="§9.2", default=ABSENT)
    implies: Any = _key("implies", "for an option, the options that it ticks")


@surface
class GroupField(Field):
    """Fields below a common name."""

    items: Fields = key("items", doc="the fields", source="§9.2", factory=dict)
    collapsed: Scalar = _key("collapsed", "closed at first")
    flatten: Scalar = _key("flatten", "the fields' values stand beside the group, not below it")


@surface
class ListField(ValueField):
    """Rows of the same fields."""

    template: Template = key("template", doc="the fields of a row", source="§9.4", default=ABSENT)
    items_collapsible: Scalar = _key("items-collapsible", "a row can be closed")
    min: Scalar = _key("min", "the least number of rows")
    max: Scalar = _key("max", "the greatest number of rows")


@surface
class HeaderField(Field):
    """Text between fields."""

    text: Scalar = _key("text", "the text")
    size: Scalar = _key("size", "its height in pixels")
    bold: Scalar = _key("bold", "whether it is bold (it is)")


@surface
class StepField(Field):
    """A page of a wizard."""

    title: Scalar = _key("title", "the page's title")
    options: Fields = key("options", doc="the fields", source="§9.2", factory=dict)
    next_label: Scalar = _key("nextLabel", "the text of the button that goes on")
    prev_label: Scalar = _key("prevLabel", "the text of the button that goes back")
    validate_on_next: Scalar = _key("validateOnNext", "check the page before the next one")


@surface
class ClusterField(ValueField):
    """A cluster of the user's."""

    autoselect: Scalar = _key("autoselect", "the first one is chosen")
    include_workspace: Scalar = _key("include-workspace", "the user's workspace may be chosen")
    include_unprovisioned: Scalar = _key("include-unprovisioned", "clusters that are not set up may be chosen")
    csp: Scalar = _key("csp", "only those of one cloud")
    provider: Any = _key("provider", "only those of some kinds")
    multi: Scalar = _key("multi", "several may be chosen")


@surface
class BucketField(ValueField):
    """A storage bucket."""

    csp: Scalar = _key("csp", "only those of one cloud")
    generate_credentials: Scalar = _key("generateCredentials", "make keys for it")
    multi: Scalar = _key("multi", "several may be chosen")


@surface
class SchedulerField(ValueField):
    """An account, partition, quality of service or queue of a cluster's scheduler."""

    resource: Scalar = _key("resource", "the cluster")
    placeholder: Scalar = _key("placeholder", "shown while nothing is chosen")


@surface
class PartitionField(SchedulerField):
    """A Slurm partition."""

    account: Scalar = _key("account", "only those that the account may use")


@surface
class QosField(PartitionField):
    """A Slurm quality of service."""

    partition: Scalar = _key("partition", "only those of the partition")


@surface
class RegionField(ValueField):
    """A region of a cloud."""

    csp: Scalar = _key("csp", "the cloud")
    autoselect: Scalar = _key("autoselect", "the first one is chosen")


@surface
class ZoneField(RegionField):
    """A zone, or a type of machine, of a cloud's region."""

    region: Scalar = _key("region", "the region")


@surface
class PickerField(ValueField):
    """Something of the platform's that is picked from a list."""

    placeholder: Scalar = _key("placeholder", "shown while nothing is chosen")
    autoselect: Scalar = _key("autoselect", "the first one is chosen")
    include_empty: Scalar = _key("includeEmpty", "those with nothing left may be chosen")


@surface
class NamespaceField(ValueField):
    """A namespace of a Kubernetes cluster."""

    cluster_name: Scalar = _key("clusterName", "the cluster")
    autoselect: Scalar = _key("autoselect", "the first one is chosen")


@surface
class KubernetesField(NamespaceField):
    """An object of a Kubernetes namespace."""

    namespace: Scalar = _key("namespace", "the namespace")


FIELDS: dict[str, type[Field]] = {
    "string": StringField,
    "number": NumberField,
    "duration": DurationField,
    "boolean": ValueField,
    "password": ValueField,
    "editor": EditorField,
    "color-picker": ValueField,
    "dropdown": ChoiceField,
    "multi-dropdown": ChoiceField,
    "radio": RadioField,
    "checkbox-group": CheckboxGroupField,
    "group": GroupField,
    "list": ListField,
    "header": HeaderField,
    "step": StepField,
    "compute-clusters": ClusterField,
    "compute-resources": ClusterField,
    "compute-target": ValueField,
    "bucket": BucketField,
    "slurm-accounts": SchedulerField,
    "slurm-partitions": PartitionField,
    "slurm-qos": QosField,
    "pbs-queues": SchedulerField,
    "region": RegionField,
    "zone": ZoneField,
    "instance-type": ZoneField,
    "organization-groups": PickerField,
    "ai-model": PickerField,
    "allocations": PickerField,
    "kubernetes-clusters": PickerField,
    "kubernetes-namespaces": NamespaceField,
    "kubernetes-pods": KubernetesField,
    "kubernetes-pvc": KubernetesField,
    "kubernetes-secrets": KubernetesField,
    "kubernetes-configmaps": KubernetesField,
    "kubernetes-statefulsets": KubernetesField,
    "kubernetes-deployments": KubernetesField,
    "kubernetes-services": KubernetesField,
    "kubernetes-workloads": KubernetesField,
    "integer": NumberField,
    "storage": BucketField,
    "storage-image": BucketField,
}
"""The types of fields; the last three are not in the vendor's schema but in files (§9.2)."""


@surface
class Navigation(Surface):
    """How one moves through a wizard."""

    show_steps: Scalar = _key("showSteps", "show the list of pages", "§3")
    allow_jump: Scalar = _key("allowJump", "any page may be opened", "§3")
    hide_step_numbers: Scalar = _key("hideStepNumbers", "pages have no numbers", "§3")


@surface
class Wizard(Surface):
    """A form of several pages."""

    mode: Scalar = _key("mode", "`wizard`", "§3")
    navigation: Navigation | None = _key("navigation", "how one moves", "§3")
    submit_label: Scalar = _key("submitLabel", "the text of the last button", "§3")
    flatten: Scalar = _key("flatten", "fields stand beside their page, not below it (they do)", "§3")


@surface
class Meta(Surface):
    """The layout of the form (`inputs.$meta`)."""

    label_position: Scalar = _key("labelPosition", "left or top", "§3")
    space_compact: Scalar = _key("spaceCompact", "less space between fields", "§3")
    wizard: Wizard | None = _key("wizard", "several pages", "§3")


def fields_of(fields: Any) -> dict[str, Field]:
    """Give the fields of a map of them, without layout and without entries that are no fields."""
    if not isinstance(fields, dict):
        return {}
    return {name: field for name, field in fields.items() if isinstance(field, Field)}
