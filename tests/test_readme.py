"""What the README shows is what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pwxc.cli import main

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_the_example_and_its_diagnostics(tmp_path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    source, command, shown = re.search(
        r"```yaml\n(.*?)```\s+```console\n\$ pwxc ([^\n]*)\n(.*?)```", README, re.S
    ).groups()
    (tmp_path / "train.yaml").write_text(source)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    assert main(command.split()) == 1
    assert capfd.readouterr().err == shown


def test_it_opens_with_the_two_commands():
    first, second = README.splitlines()[1:3]
    assert first.startswith("$ make demo")
    assert second.startswith("$ make test")
    assert "**no error and no warning means equivalent.**" in README.lower()


def test_the_links_lead_somewhere():
    root = Path(__file__).parents[1]
    links = re.findall(r"\]\(((?!http)[^)]+)\)", README)
    assert [link for link in links if not (root / link).exists()] == []
