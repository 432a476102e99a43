"""pwxc compiles workflows of HPC and AI clusters from one system's language into another's.

result = pwxc.compile("osmo.yaml", to="pw")
result.files, result.report, result.diagnostics
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing `typing` for it costs a third of the start of `pwxc --version`
if TYPE_CHECKING:
    from pwxc.api import compile as compile  # noqa: A004
    from pwxc.api import lint as lint
    from pwxc.api import read as read
    from pwxc.compiler import Compilation as Compilation
    from pwxc.compiler import Policy as Policy

__version__ = "0.1.0"
__all__ = ["Compilation", "Policy", "__version__", "compile", "lint", "read"]

_HOMES = {
    "compile": "pwxc.api",
    "lint": "pwxc.api",
    "read": "pwxc.api",
    "Compilation": "pwxc.compiler",
    "Policy": "pwxc.compiler",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
