"""What a probe is, and how probes are made from a model's keys or from marked lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from itertools import pairwise
from typing import Any

import yaml

from pwxc.frozen import frozen
from pwxc.yaml.structure import keys_of

_MARKED = re.compile(r"[ \t]*#([+-])$")


@frozen
class Probe:
    """A construct, and the texts of a workflow without it and with it."""

    title: str
    meaning: str
    without: str
    text: str


def of_keys(
    model: type,
    base: Any,
    path: str,
    samples: Mapping[str, Any],
    *,
    shown: str = "",
    bases: Mapping[str, Any] | None = None,
) -> Iterator[Probe]:
    """Give a probe for every key of a model, which stands at `path` of a document.

    A sample `...` says that another probe shows the key; `bases` has other documents for some of the keys.

    Raises:
        LookupError: a key has no sample, or a sample has no key: the language has changed.
    """
    known = {info.name: info.doc for info in keys_of(model)}
    if known.keys() != samples.keys():
        different = ", ".join(sorted(known.keys() ^ samples.keys()))
        raise LookupError(f"the probes of {model.__name__} and its keys differ: {different}")
    place = shown or re.sub(r"[.][0-9]+", "[]", path)
    for name, sample in samples.items():
        if sample is not ...:
            title = "`" + f"{place}.{name}".removeprefix(".") + "`"
            document = (bases or {}).get(name, base)
            yield of_value(title, known[name], document, f"{path}.{name}".removeprefix("."), sample)


def of_value(title: str, meaning: str, base: Any, path: str, sample: Any) -> Probe:
    """Give the probe in which a document has `sample` at `path`; what is missing on the way is made."""
    document = deepcopy(base)
    place = document
    steps = path.split(".")
    for step, after in pairwise(steps):
        if isinstance(place, list):
            if int(step) == len(place):
                place.append({})
            place = place[int(step)]
        else:
            place = place.setdefault(step, [] if after.isdigit() else {})
    place[steps[-1]] = sample
    return Probe(title, meaning, dump(base), dump(document))


def dump(document: Any) -> str:
    """Write plain data as YAML."""
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def of_lines(title: str, meaning: str, text: str) -> Probe:
    """Give the probe of a text in which lines marked `#+` make the construct; those with `#-` stand in its place."""
    with_it, without = [], []
    for line in text.splitlines():
        found = _MARKED.search(line)
        plain = _MARKED.sub("", line)
        if found is None or found[1] == "+":
            with_it.append(plain)
        if found is None or found[1] == "-":
            without.append(plain)
    return Probe(title, meaning, "\n".join(without) + "\n", "\n".join(with_it) + "\n")
