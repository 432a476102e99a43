"""The grammars of the small languages inside workflow files, as package data."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lark import Lark


def load(name: str, start: str, callbacks: object | None = None) -> Lark:
    """Give the LALR parser of the grammar `name`.lark; it is built when it is first asked for, then kept.

    `callbacks` has a method for each rule or alias, which gets the list of its children; without it the parser gives
    lark's own trees. lark's cache on disk is not used: it would save some 50 ms of a process, but prints a traceback
    into the log when the folder is full, read-only or being written by a neighbour.

    Raises:
        FileNotFoundError: there is no such grammar.
    """
    return _build(name, start, callbacks)


@cache
def _build(name: str, start: str, callbacks: object | None) -> Lark:
    from lark import Lark

    resource = files("pwxc_grammars").joinpath(f"{name}.lark")
    if not resource.is_file():
        raise FileNotFoundError(f"no grammar `{name}`")
    return Lark.open_from_package(
        "pwxc_grammars",
        f"{name}.lark",
        ("",),
        parser="lalr",
        lexer="contextual",
        start=start,
        maybe_placeholders=False,
        propagate_positions=callbacks is None,
        transformer=callbacks,
    )
