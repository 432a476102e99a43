"""NVIDIA OSMO workflow specifications."""

from __future__ import annotations

import re

from pwxc.registry import Lazy, Option, Target

_SECTION = re.compile(r"^[ \t]*[\"']?(workflow|default-values)[\"']?[ \t]*:", re.MULTILINE)
_BODY = re.compile(r"^[ \t]+(?:-[ \t]*)?[\"']?(tasks|groups|image)[\"']?[ \t]*:", re.MULTILINE)


def looks_like_osmo(text: str, filename: str) -> float:
    """Say how much a text looks like an OSMO workflow: a `workflow` section with tasks or groups."""
    if _SECTION.search(text) is None and '"workflow"' not in text:
        return 0.0
    sure = _BODY.search(text) is not None or '"tasks"' in text
    return 0.9 if sure else 0.4


TARGET = Target(
    name="osmo",
    title="NVIDIA OSMO",
    suffixes=(".yaml", ".yml"),
    sniff=looks_like_osmo,
    codes="pwxc_targets.osmo.codes",
    read=Lazy("pwxc_targets.osmo.read:read"),
    write=Lazy("pwxc_targets.osmo.writing.write:write"),
    options=(
        Option("image", "", "the image of tasks whose source names none"),
        Option("max_tasks", "20", "how many tasks the site takes in one workflow", pattern=r"\d{1,9}"),
    ),
)
