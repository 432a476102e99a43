"""A plain tree of a specification as text in any of torc's formats."""

from __future__ import annotations

import json
from typing import Any

from pwxc.yaml.writer import write_yaml
from pwxc_targets.torc.formats.kdl_tree import ACTION_SCALARS, JOB_LISTS, JOB_SCALARS, TOP_SCALARS
from pwxc_targets.torc.writing import codes as C  # noqa: N812

_SINGULAR = {
    "jobs": "job",
    "files": "file",
    "slurm_schedulers": "slurm_scheduler",
    "failure_handlers": "failure_handler",
    "actions": "action",
    "user_data": "user_data",
    "resource_requirements": "resource_requirements",
}
_MAPS = ("parameters", "env", "resource_monitor", "slurm_defaults", "execution_config", "stdio")


def emit(tree: dict[str, Any], format: str, comments: list[str]) -> str:
    """Write a tree; comments stand at the top where the format has any."""
    if format == "json":
        return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"
    if format == "json5":
        return "".join(f"// {line}\n" for line in comments) + json.dumps(tree, indent=2, ensure_ascii=False) + "\n"
    if format == "kdl":
        return "".join(f"// {line}\n" for line in comments) + "\n".join(_document(tree)) + "\n"
    return write_yaml(tree, comments=comments)


def kdl_losses(tree: dict[str, Any]) -> list[tuple[Any, str]]:
    """Say what of a tree torc cannot read from KDL (torc.md §21)."""
    found = [(C.KDL_CANNOT, f"torc reads no `{name}` from KDL") for name in tree if not _kdl_knows(name)]
    # bookkeeping, which cannot affect a run
    found = [pair for pair in found if not any(f"`{name}`" in pair[1] for name in ("project", "metadata"))]
    known = {*JOB_SCALARS, *JOB_LISTS.values(), "name", "parameters", "env", "stdio", "use_parameters"}
    unread = {name for job in tree.get("jobs", []) for name in job if name not in known}
    found.extend((C.KDL_CANNOT, f"torc reads no `{name}` of a job from KDL") for name in sorted(unread))
    if any("st_mtime" in file for file in tree.get("files", [])):
        found.append((C.KDL_CANNOT, "torc reads no `st_mtime` of a file from KDL"))
    if any("data" not in datum for datum in tree.get("user_data", [])):
        found.append((C.KDL_CANNOT, "torc reads no `user_data` without `data` from KDL"))
    return found


def _kdl_knows(name: str) -> bool:
    return name in TOP_SCALARS or name in _SINGULAR or name in _MAPS


def _document(tree: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for name, value in tree.items():
        if name in TOP_SCALARS:
            lines.append(f"{name} {_value(value)}")
        elif name in _SINGULAR:
            for record in value:
                lines.extend(_record(_SINGULAR[name], record))
        elif name in _MAPS:
            lines.extend(_map(name, value))
    return lines


def _record(kind: str, record: dict[str, Any]) -> list[str]:
    head = kind if kind == "action" else f"{kind} {_value(record.get('name', ''))}"
    inner: list[str] = []
    for name, value in record.items():
        if name == "name" and kind != "action":
            continue
        inner.extend(_entry(kind, name, value))
    return [f"{head} {{", *(f"    {line}" for line in inner), "}"] if inner else [head]


def _entry(kind: str, name: str, value: Any) -> list[str]:
    if name in _MAPS:
        return _map(name, value)
    if kind == "job" and name in JOB_LISTS.values():
        single = next(node for node, key in JOB_LISTS.items() if key == name)
        return [f"{single} {_value(item)}" for item in value]
    if name == "use_parameters" or (kind == "action" and name in ("jobs", "job_name_regexes")):
        return [f"{name} {' '.join(_value(item) for item in value)}"]
    if kind == "action" and name == "commands":
        return [f"command {_value(item)}" for item in value]
    if kind == "user_data" and name == "data":
        return [f"data {_value(json.dumps(value))}"]
    if name == "rules":
        return [line for rule in value for line in _rule(rule)]
    readable = kind != "action" or name in ACTION_SCALARS
    return [f"{name} {_value(value)}"] if readable and not isinstance(value, list | dict) else []


def _rule(rule: dict[str, Any]) -> list[str]:
    inner = []
    for name, value in rule.items():
        shown = " ".join(_value(item) for item in value) if isinstance(value, list) else _value(value)
        inner.append(f"    {name} {shown}")
    return ["rule {", *inner, "}"]


def _map(name: str, value: dict[str, Any]) -> list[str]:
    inner: list[str] = []
    for key, item in value.items():
        inner.extend(_map(key, item) if isinstance(item, dict) else [f"{_word(key)} {_value(item)}"])
    return [f"{_word(name)} {{", *(f"    {line}" for line in inner), "}"]


def _word(name: str) -> str:
    return name if name.replace("_", "a").isalnum() and not name[0].isdigit() and name.isascii() else _value(name)


def _value(value: Any) -> str:
    if value is None:
        return "#null"
    if isinstance(value, bool):
        return "#true" if value else "#false"
    if isinstance(value, int | float):
        return repr(value)
    escaped = "".join(_ESCAPES.get(sign) or (f"\\u{{{ord(sign):x}}}" if _is_strange(sign) else sign) for sign in value)
    return f'"{escaped}"'


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


def _is_strange(sign: str) -> bool:
    return not sign.isprintable() or sign in "\u2028\u2029\x85\ufeff"
