"""A job's `strategy` as a sweep (pw.md §6)."""

from __future__ import annotations

from typing import Any

from pwxc.expr.classify import is_static
from pwxc.ir.entity import Passthrough
from pwxc.ir.expr import Expr
from pwxc.ir.sweep import Parameter, Sweep, Values
from pwxc.ir.template import Template
from pwxc.yaml.nodes import MappingNode, Node
from pwxc_targets.pw import model
from pwxc_targets.pw.reading import codes as C  # noqa: N812
from pwxc_targets.pw.reading.texts import Texts

_LISTS = ("include", "exclude")


def read_sweep(texts: Texts, job: model.Job) -> tuple[Sweep | None, list[Passthrough]]:
    """Read the matrix of a job and its switches; what a sweep cannot hold is kept beside it."""
    strategy = job.strategy
    if strategy is None:
        return None, []
    kept = texts.unknown(strategy, "strategy")
    node = texts.node(strategy, "matrix")
    texts.place = "strategy.matrix"
    if strategy.matrix is None:
        return None, [*kept, *texts.kept(strategy, "fail-fast", "max-parallel", under=("strategy",))]
    if not isinstance(strategy.matrix, dict) or not isinstance(node, MappingNode):
        parameters = _whole(texts, strategy.matrix, node)
        include: tuple[Any, ...] = ()
        exclude: tuple[Any, ...] = ()
    else:
        parameters = tuple(_parameters(texts, strategy.matrix, node, kept))
        include = _entries(texts, strategy.matrix, node, "include", kept)
        exclude = _entries(texts, strategy.matrix, node, "exclude", kept)
    fail_fast = texts.switch(strategy, strategy.fail_fast, "fail-fast", default=True)
    limit = texts.count(strategy, strategy.max_parallel, "max-parallel")
    made = Sweep(
        parameters=parameters,
        include=include,
        exclude=exclude,
        limit=limit,
        fail_fast=fail_fast,
        span=texts.at(job, "strategy"),
    )
    return made, kept


def _whole(texts: Texts, value: object, node: Node | None) -> tuple[Parameter, ...]:
    found = texts.whole(value, node)
    if found is None:
        texts.report(C.BAD_MATRIX, "a matrix is a map from variables to lists", texts.span(node))
        return ()
    _check_static(texts, found)
    return (Parameter(name="", values=found, span=texts.span(node)),)


def _parameters(texts: Texts, matrix: dict[str, Any], node: MappingNode, kept: list[Passthrough]) -> list[Parameter]:
    found: list[Parameter] = []
    for key, child in node.value:
        name, value = key.value, matrix.get(key.value)
        if name in _LISTS:
            continue
        span = texts.span(key)
        texts.check_name(name, "a matrix variable", span)
        if isinstance(value, list):
            items = texts.data(value, child)
            for hole in _holes(items):
                _check_static(texts, hole)
            found.append(Parameter(name=name, values=Values(items), span=span))
        elif (expr := texts.whole(value, child)) is not None:
            _check_static(texts, expr)
            found.append(Parameter(name=name, values=expr, span=span))
        elif value is None or isinstance(value, dict):
            texts.report(C.BAD_MATRIX, f"the values of `{name}` are a list, or an expression that gives one", span)
        else:
            texts.report(C.BAD_VALUE, f"the values of `{name}` are a list, or an expression that gives one", span)
            kept.append(Passthrough("pw", ("strategy", "matrix", name), value, span))
    return found


def _entries(
    texts: Texts, matrix: dict[str, Any], node: MappingNode, name: str, kept: list[Passthrough]
) -> tuple[Any, ...]:
    value = matrix.get(name)
    child = texts.node(node, name)
    if value is None:
        return ()
    if isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
        return tuple(texts.data(value, child))
    if (expr := texts.whole(value, child)) is not None:
        _check_static(texts, expr)
        kept.append(Passthrough("pw", ("strategy", "matrix", name), value, texts.span(child)))
    else:
        texts.report(C.BAD_MATRIX, f"`{name}` is a list of maps, or an expression that gives one", texts.span(child))
    return ()


def _holes(value: Any) -> list[Expr]:
    if isinstance(value, Template):
        return value.holes
    if isinstance(value, dict):
        return [hole for item in value.values() for hole in _holes(item)]
    if isinstance(value, list):
        return [hole for item in value for hole in _holes(item)]
    return []


def _check_static(texts: Texts, expr: Expr) -> None:
    if not is_static(expr):
        message = "a matrix cannot depend on what is known only while the workflow runs"
        texts.report(C.RUN_TIME_MATRIX, message, expr.span)
