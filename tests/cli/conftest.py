from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from toy_system import MUTE, TOY, Point

from pwxc import catalogue, registry
from pwxc.cli import main


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def toy_systems(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Only the toys are installed; one of them cannot be loaded."""
    points = {"toy": Point(TOY), "mute": Point(MUTE), "torn": Point(None)}
    monkeypatch.setattr(registry, "_entry_points", lambda: points)
    monkeypatch.setattr(registry, "_faults", {})
    monkeypatch.setenv("NO_COLOR", "1")
    registry.find.cache_clear()
    catalogue.catalogue.cache_clear()
    yield
    registry.find.cache_clear()
    catalogue.catalogue.cache_clear()


@pytest.fixture
def pwxc(capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Run the command line in this process."""

    def run(*arguments: str, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(stdin)))
        code = main([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        return Outcome(code, out.decode(), err.decode())

    return run


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch: pytest.MonkeyPatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
