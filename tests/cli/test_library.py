"""The library's calls: what may be given, and that nothing is raised."""

from __future__ import annotations

from pathlib import Path

import pytest

import pwxc
from pwxc.source import Source

GOOD = "# toy\na: echo $word $flag\n"


def text_of(result: pwxc.Compilation) -> str:
    (file,) = result.files
    return file.text


@pytest.mark.parametrize("kind", [str, Path, lambda path: [path], lambda path: Source("x", Path(path).read_text())])
def test_a_source_is_a_path_or_several_or_loaded_already(folder, kind):
    (folder / "a.toy").write_text(GOOD)
    assert text_of(pwxc.compile(kind("a.toy"), to="toy")) == GOOD


def test_a_text_with_a_line_break_is_the_source_itself():
    assert text_of(pwxc.compile(GOOD, to="toy")) == GOOD


def test_several_sources_are_one_workflow():
    result = pwxc.compile([GOOD, "b: x\n"], to="toy")
    assert text_of(result) == GOOD + "b: x\n"


def test_values_are_written_as_on_the_command_line():
    result = pwxc.compile(GOOD, to="toy", values={"word": 3, "flag": True})
    assert text_of(result) == "# toy\na: echo 3 true\n"


def test_options_reach_the_system_that_they_name():
    result = pwxc.compile(GOOD, to="toy", options={"toy.split": "yes"})
    assert [file.path for file in result.files] == ["sub/run.sh", "a.toy"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"to": "tyo"}, "PWX0002"),
        ({"to": "toy", "origin": "tyo"}, "PWX0002"),
        ({"to": "toy", "options": {"toy.x": "y"}}, "PWX0004"),
        ({"to": "toy", "allow": ["nothing"]}, "PWX0004"),
        ({"to": "mute"}, "PWX0007"),
    ],
)
def test_wrong_arguments_are_diagnostics(arguments, code):
    result = pwxc.compile(GOOD, **arguments)
    assert (result.ok, [item.code.id for item in result.diagnostics]) == (False, [code])


def test_files_that_cannot_be_read_are_all_told():
    result = pwxc.compile(["x.toy", "y\0.toy"], to="toy")
    assert [item.code.id for item in result.diagnostics] == ["PWX0001", "PWX0001"]


def test_a_refused_compilation_knows_its_workflow_and_what_was_refused():
    result = pwxc.compile("# toy\nurgent: x\n", to="toy")
    assert (result.ok, result.refused, result.guessed, result.source_dialect) == (False, True, True, "toy")
    assert [item.code.id for item in result.report.refused] == ["PWX3901"]
    assert result.workflow is not None


def test_read_gives_a_workflow_or_says_why_not():
    workflow, diagnostics = pwxc.read(GOOD)
    assert workflow is not None
    assert [task.name for task in workflow.tasks] == ["a"]
    assert not diagnostics.failed
    workflow, diagnostics = pwxc.read("# toy\na\n", origin="toy")
    assert workflow is None
    assert diagnostics.failed


def test_lint_gives_diagnostics():
    assert [item.code.id for item in pwxc.lint("# toy\nlong-name: x\n")] == ["PWX4901"]
