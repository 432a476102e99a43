"""What filters make of a text in a pipeline: how drivers take the id out of what `sbatch` prints."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pwxc_targets.slurm.drivers.marks import UNKNOWN, is_fixed, jobs_in, mark

JOB_WORDS = frozenset(["awk", "cut", "grep", "egrep", "tr", "sed", "tail", "head", "gawk", "mawk", "perl", "rev"])


def filtered(words: Sequence[str], value: str) -> str:
    """Give what a filter makes of a text; what is not known becomes a mark."""
    if UNKNOWN in value or any(not is_fixed(word) for word in words):
        return UNKNOWN
    name = words[0].rpartition("/")[2] if words else ""
    known = _KNOWN.get(name)
    found = known(words[1:], value) if known is not None else None
    if found is not None:
        return found
    return UNKNOWN


def _only_job(value: str) -> str | None:
    """Give the one id in a text."""
    jobs = set(jobs_in(value))
    return mark("\ue000", jobs.pop()) if len(jobs) == 1 else None


def _awk(words: Sequence[str], value: str) -> str | None:
    separator = None
    rest = list(words)
    while rest and rest[0].startswith("-F"):
        separator = rest[0][2:] or (rest[1] if len(rest) > 1 else "")
        rest = rest[1 if rest[0][2:] else 2 :]
    found = re.fullmatch(r"(?:/[^/]*/)?\s*\{\s*print\s*\(?\s*\$(\d+|NF|\(NF\))\s*\)?;?\s*\}", rest[0]) if rest else None
    if found is None:
        return None
    lines = []
    for line in value.splitlines() or [""]:
        fields = line.split(separator)
        number = len(fields) if "NF" in found.group(1) else int(found.group(1))
        lines.append(line if number == 0 else fields[number - 1] if number <= len(fields) else "")
    return "\n".join(lines)


def _cut(words: Sequence[str], value: str) -> str | None:
    text = " ".join(words)
    separator = re.search(r"(?:-d|--delimiter=)\s?(.)", text)
    field = re.search(r"(?:-f|--fields=)\s?(\d+)(-?)(?:\s|$)", text)
    if field is None:
        return None
    mark_between = separator.group(1) if separator else "\t"
    lines = []
    for line in value.splitlines():
        fields = line.split(mark_between)
        first = int(field.group(1)) - 1
        kept = fields[first:] if field.group(2) else fields[first : first + 1]
        lines.append(line if len(fields) == 1 else mark_between.join(kept))
    return "\n".join(lines)


def _grep(words: Sequence[str], value: str) -> str | None:
    switches = [word for word in words if word.startswith("-")]
    patterns = [word for word in words if not word.startswith("-")]
    if any("o" in word for word in switches) and len(patterns) == 1 and re.search(r"\d|\[0-9\]|\\d", patterns[0]):
        return _only_job(value)
    return None


def _tr(words: Sequence[str], value: str) -> str | None:
    if len(words) == 2 and words[0] in ("-dc", "-cd", "-d") and re.search("0-9|digit", words[1]) and words[0] != "-d":
        return _only_job(value)
    if len(words) == 2 and words[0] == "-d" and words[1] in ("\n", "\\n", " ", "\\n ", " \\n"):
        return "".join(letter for letter in value if letter not in words[1].replace("\\n", "\n"))
    if len(words) == 2 and not words[0].startswith("-"):
        source, target = (word.replace("\\n", "\n") for word in words)
        if len(source) == len(target) and "-" not in source and "[" not in source:
            return value.translate(str.maketrans(source, target))
    return None


def _sed(words: Sequence[str], value: str) -> str | None:
    scripts = [word for word in words if word not in ("-e", "-E", "-r", "-n")]
    if len(scripts) != 1:
        return None
    plain = re.fullmatch(r"s(.)([^\\.*[^$+?(|]*?)\1([^\\&]*?)\1(g?)", scripts[0])
    if plain is not None:
        return value.replace(plain.group(2), plain.group(3), -1 if plain.group(4) else 1)
    if (edge := re.fullmatch(r"s(.)(\^[^\\.*[$+?(|]*|[^\\.*[^+?(|]*\$)\1\1", scripts[0])) is not None:
        text = edge.group(2)
        return value.removeprefix(text[1:]) if text.startswith("^") else value.removesuffix(text[:-1])
    return _only_job(value)


def _line(words: Sequence[str], value: str, place: int) -> str | None:
    count = re.fullmatch(r"(?:-n\s?|-)1?", " ".join(words)) is not None or list(words) == ["-n", "1"]
    lines = value.splitlines()
    return lines[place] if count and lines else None


_KNOWN: dict[str, Callable[[Sequence[str], str], str | None]] = {
    "awk": _awk, "gawk": _awk, "mawk": _awk, "cut": _cut, "grep": _grep, "egrep": _grep, "tr": _tr, "sed": _sed,
    "tail": lambda words, value: _line(words, value, -1),
    "head": lambda words, value: _line(words, value, 0),
    "cat": lambda words, value: value if not words else None,
    "tee": lambda words, value: value,
    "xargs": lambda words, value: " ".join(value.split()) if not words else None,
    "sort": lambda words, value: "\n".join(sorted(value.splitlines())) if not words and is_fixed(value) else None,
}  # fmt: skip


def printf(words: Sequence[str]) -> str:
    """Give what `printf` prints; the format is used again while there are arguments."""
    if not words:
        return ""
    form, arguments = words[0], list(words[1:])
    told = ""
    while True:
        piece, used = _formatted(form, arguments)
        told += piece
        arguments = arguments[used:]
        if not arguments or not used or UNKNOWN in piece:
            return told


def _formatted(form: str, arguments: Sequence[str]) -> tuple[str, int]:
    used = 0

    def one(found: re.Match[str]) -> str:
        nonlocal used
        if found.group() == "%%":
            return "%"
        if found.group().startswith("\\"):
            return {"n": "\n", "t": "\t", "\\": "\\"}.get(found.group()[1], found.group())
        value = arguments[used] if used < len(arguments) else ""
        used += 1
        return _field(found.group(1), found.group(2), value)

    return re.sub(r"%%|\\.|%([0-9-]*)([sdig])|%.", lambda found: one(found), form), used


def _field(width: str, kind: str | None, value: str) -> str:
    if kind is None:
        return UNKNOWN
    if not width:
        return value
    if not is_fixed(value) or (kind != "s" and not re.fullmatch(r"-?\d+", value)):
        return UNKNOWN
    return f"%{width}{kind.replace('i', 'd')}" % (value if kind == "s" else int(value))
