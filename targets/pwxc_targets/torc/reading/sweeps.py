"""The parameters of records as sweeps (torc.md §13)."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from pwxc.diagnostics import Diagnostics, did_you_mean
from pwxc.ir.sweep import Parameter, Range, Sweep, SweepMode, Values
from pwxc.source import Span
from pwxc.yaml.nodes import Document
from pwxc_targets.torc.model import Parameterised, Spec
from pwxc_targets.torc.parameters import Context, ParameterError, Scalar, listed, native, scalar, too_wide
from pwxc_targets.torc.reading import codes as C  # noqa: N812
from pwxc_targets.torc.records import tokens_of


class SweepReader:
    """Reads the parameters of records; those of the workflow are read once."""

    def __init__(self, spec: Spec, document: Document, diagnostics: Diagnostics, context: Context) -> None:
        self.spec, self.document, self.diagnostics, self.context = spec, document, diagnostics, context
        self._shared: dict[str, Parameter] | None = None
        self._taken: set[str] = set()

    def shared(self) -> tuple[Parameter, ...]:
        """Give the workflow's own parameters."""
        if self._shared is None:
            self._taken = {
                name
                for record in (*self.spec.jobs, *(self.spec.files or ()), *(self.spec.user_data or ()))
                if isinstance(record, Parameterised) and record.parameters is None
                for name in record.use_parameters or ()
            }
            made = [self._parameter(self.spec, name, value) for name, value in (self.spec.parameters or {}).items()]
            self._shared = {item.name: item for item in made if item is not None}
        return tuple(self._shared.values())

    def read(self, record: Parameterised) -> Sweep | None:
        """Give the sweep of a record; None when it is a single one."""
        table = record.parameters_file or (self.spec.parameters_file if record.use_parameters_file else None)
        if table is not None:
            return self._table(record, table)
        if record.parameters is not None:
            made = [self._parameter(record, name, value) for name, value in record.parameters.items()]
            parameters = [item for item in made if item is not None]
            if record.use_parameters and record.parameters:
                at = self._at(record, "use_parameters")
                self.diagnostics.add(
                    C.PARAMETERS_REPLACED, "`use_parameters` counts for nothing beside `parameters`", at
                )
        else:
            parameters = self._used(record)
        if not parameters:
            return None
        self._check_formats(record, parameters)
        return self._combine(record, parameters)

    def _used(self, record: Parameterised) -> list[Parameter]:
        known = {item.name: item for item in self.shared()}
        found: list[Parameter] = []
        for number, name in enumerate(record.use_parameters or ()):
            if name in known:
                found.append(known[name])
                continue
            self.diagnostics.add(
                C.UNKNOWN_PARAMETER,
                f"there is no shared parameter `{name}`; torc ignores the name",
                self._at(record, "use_parameters", number),
                help=did_you_mean(name, known),
            )
        return found

    def _combine(self, record: Parameterised, parameters: list[Parameter]) -> Sweep | None:
        mode = SweepMode.ZIP if record.parameter_mode == "zip" else SweepMode.PRODUCT
        at = self._at(record, "parameters") if record.parameters is not None else self._at(record, "use_parameters")
        if record.parameter_mode not in (None, "zip", "product"):
            self.diagnostics.add(
                C.UNKNOWN_MODE,
                f"`{record.parameter_mode}` is no mode; torc takes it for `product`",
                self._at(record, "parameter_mode"),
                help=did_you_mean(str(record.parameter_mode), ("product", "zip")),
            )
        lengths = {item.name: len(item.values) for item in parameters if isinstance(item.values, Range | Values)}
        if mode is SweepMode.ZIP and len(set(lengths.values())) > 1:
            told = ", ".join(f"`{name}` has {length:,}" for name, length in lengths.items())
            message = f"zipped parameters need equally many values: {told}"
            self.diagnostics.add(C.ZIP_LENGTHS, message, at)
            return None
        return Sweep(parameters=tuple(parameters), mode=mode, span=at)

    def _parameter(self, owner: Any, name: str, value: object) -> Parameter | None:
        span = self._at(owner, "parameters", name)
        try:
            values = native(value, self.context)
        except ParameterError as fault:
            idle = owner is self.spec and name not in self._taken and not self.spec.env
            code = C.IDLE_PARAMETER if idle else getattr(C, fault.code)
            self.diagnostics.add(code, f"parameter `{name}`: {fault}", span, help=fault.help)
            return None
        return Parameter(name=name, values=values, shared=name if owner is self.spec else None, span=span)

    def _at(self, owner: Any, *path: str | int) -> Span | None:
        node = self.document.find(owner.node, *path) or owner.node
        return self.document.span(node) if node is not None else None

    def _check_formats(self, record: Parameterised, parameters: list[Parameter]) -> None:
        tokens = tokens_of(tuple(item.name for item in parameters))
        for key in ("name", "command", "path"):
            text = getattr(record, key, None) or ""
            for found in tokens.finditer(text) if "{" in text else ():
                if found[2] and too_wide(found[2]):
                    self.diagnostics.add(C.BAD_FORMAT, f"the format `{found[2]}` is too wide", self._at(record, key))

    def _table(self, record: Parameterised, path: str) -> Sweep | None:
        at = self._at(record, "parameters_file")
        try:
            text = (self.context.folder or Path()).joinpath(path).read_text(encoding="utf-8")
            rows = _rows(path, text)
        except (OSError, ValueError, RecursionError) as fault:
            reason = fault.strerror if isinstance(fault, OSError) else str(fault)
            self.diagnostics.add(C.MISSING_PARAMETER_FILE, f"cannot read the table `{path}`: {reason}", at)
            return None
        names = list(rows[0]) if rows else []
        if not rows or any(list(row) != names for row in rows):
            message = f"the table `{path}` needs at least one row, and the same columns in each"
            self.diagnostics.add(C.MISSING_PARAMETER_FILE, message, at)
            return None
        parameters = [Parameter(name=name, values=listed(row[name] for row in rows), span=at) for name in names]
        return Sweep(parameters=tuple(parameters), mode=SweepMode.ZIP, span=at)


def _rows(path: str, text: str) -> list[dict[str, Scalar]]:
    suffix = path.rpartition(".")[2].lower()
    if suffix == "csv":
        return [{name: scalar(cell or "") for name, cell in row.items()} for row in csv.DictReader(io.StringIO(text))]
    if suffix in ("jsonl", "ndjson"):
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    elif suffix == "json":
        rows = json.loads(text)
    else:
        raise ValueError("its extension is none of `.csv`, `.json`, `.jsonl`, `.ndjson`")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("a list of maps is due")
    return [{name: _cell(value) for name, value in row.items()} for row in rows]


def _cell(value: Any) -> Scalar:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return value
    return json.dumps(value)
