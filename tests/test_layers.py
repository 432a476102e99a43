"""The shape of the code: imports run one way, modules stay small, and nothing is imported before it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOTS = {"pwxc": ROOT, "pwxc_grammars": ROOT / "grammars", "pwxc_targets": ROOT / "targets"}
LAYERS = [
    {"pwxc.cli", "pwxc.__main__"},
    {"pwxc.api", "pwxc.outputs"},
    {"pwxc.compiler", "pwxc.catalogue"},
    {"pwxc.registry", "pwxc.entrypoints", "pwxc.values", "pwxc.files"},
    {"pwxc_targets"},
    {"pwxc.passes", "pwxc.semantics"},
    {"pwxc.expr", "pwxc.fidelity", "pwxc.shell", "pwxc.yaml"},
    {"pwxc.ir"},
    {"pwxc.diagnostics"},
    {"pwxc.source"},
    {"pwxc.frozen"},
    {"pwxc_grammars"},
]
"""From the top to the bottom; a module imports from its own layer and from those below.

The systems stand below the registry, whose types they use to say what they are: that is the one import upwards.
"""
UPWARDS = {("pwxc_targets", "pwxc.registry")}
AT_TOP = {
    ".ci",
    ".git",
    ".github",
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "docs",
    "grammars",
    "pwxc",
    "pyproject.toml",
    "targets",
    "tests",
}
MADE = {".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "dist", "build"}


def modules() -> dict[str, Path]:
    found = {}
    for package, root in ROOTS.items():
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


@cache
def imports(name: str, *, late: bool) -> frozenset[str]:
    """Our modules that a module imports; with `late` also those inside functions, never those for types alone."""
    found: set[str] = set()
    pending: list[ast.AST] = [ast.parse(MODULES[name].read_text())]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            pending.extend(node.orelse)
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not late:
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            assert node.level == 0, f"{name} imports relatively"
            found.update(
                whole if (whole := f"{node.module}.{alias.name}") in MODULES else node.module for alias in node.names
            )
        pending.extend(ast.iter_child_nodes(node))
    return frozenset(module for module in found if module in MODULES)


def layer(name: str) -> tuple[int, str]:
    for depth, members in enumerate(LAYERS):
        for member in members:
            if name == member or name.startswith(f"{member}."):
                return depth, member
    raise AssertionError(f"{name} belongs to no layer")


@pytest.mark.parametrize("name", [name for name in MODULES if name != "pwxc"])
def test_imports_run_one_way(name: str):
    depth, member = layer(name)
    for used in imports(name, late=True) - {"pwxc"}:
        below, other = layer(used)
        assert below >= depth or (member, other) in UPWARDS, f"{name} imports {used}, which is above it"


@pytest.mark.parametrize("name", [name for name in MODULES if name.split(".")[0] != "pwxc_targets"])
def test_the_core_imports_no_system(name: str):
    assert not [used for used in imports(name, late=True) if used.startswith("pwxc_targets")]


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("pwxc_targets.")])
def test_a_system_imports_no_other(name: str):
    own = name.split(".")[1]
    others = {used for used in imports(name, late=True) if used.startswith("pwxc_targets.")}
    assert {used.split(".")[1] for used in others} <= {own}


@pytest.mark.parametrize("name", [name for name in MODULES if name.split(".")[0] == "pwxc"])
def test_the_core_knows_no_system_by_name(name: str):
    texts = {node.value for node in ast.walk(ast.parse(MODULES[name].read_text())) if is_text(node)}
    assert not texts & {"osmo", "torc", "slurm", "pw"} - ALLOWED.get(name, set())


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


ALLOWED = {
    "pwxc.ir.workflow": {"slurm"},  # a kind of scheduler, not a dialect
    "pwxc.ir.resources": {"slurm"},
}


def test_no_module_imports_itself_in_a_circle():
    graph = {name: imports(name, late=False) - {name} for name in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as fault:
        pytest.fail(" → ".join(fault.args[1]))


@pytest.mark.parametrize("name", MODULES)
def test_modules_are_small_and_named_for_what_they_hold(name: str):
    assert len(MODULES[name].read_text().splitlines()) <= 500
    assert name.rpartition(".")[2] not in {"utils", "util", "helpers", "common", "misc"}


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_is_for(name: str):
    assert ast.get_docstring(ast.parse(MODULES[name].read_text()))


def loaded_by(program: str) -> set[str]:
    paths = [str(path) for path in ROOTS.values()]
    listing = f"import sys; sys.path[:0] = {paths!r}; before = set(sys.modules)\n{program}\n"
    listing += "print(*sorted(set(sys.modules) - before))"
    shown = subprocess.run([sys.executable, "-I", "-c", listing], capture_output=True, text=True, check=True)
    return set(shown.stdout.split())


def test_importing_the_package_loads_nothing_else():
    ours = {name for name in loaded_by("import pwxc") if name.startswith("pwxc")}
    assert ours == {"pwxc"}
    assert not {"attr", "yaml", "lark", "click", "rich", "jinja2", "cattrs"} & loaded_by("import pwxc")


def test_the_library_calls_load_no_system_no_yaml_and_no_grammar():
    loaded = loaded_by("import pwxc; pwxc.compile, pwxc.read, pwxc.lint")
    assert "pwxc.compiler" in loaded
    assert not {"yaml", "lark", "click", "rich", "jinja2", "cattrs", "pwxc_targets", "pwxc_grammars"} & loaded


def test_the_top_level_holds_only_what_belongs_there():
    assert {path.name for path in ROOT.iterdir() if path.suffix != ".egg-info"} - MADE <= AT_TOP
