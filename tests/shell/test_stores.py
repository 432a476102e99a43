"""The functions that copy between folders and stores, run by a real shell."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pwxc.ir.expr import Ref, Root
from pwxc.ir.template import Template, text
from pwxc.shell.stores import Transfers, can_fetch, can_send, scheme_of

ALL = Transfers(fetched={""}, sent={""}, picks=True)


def run(folder: Path, line: str, transfers: Transfers = ALL, code: int = 0) -> str:
    """Run a line with the functions in a folder, where commands of the folder `bin` come first."""
    script = "\n".join(["set -euo pipefail", *transfers.preamble(), line, ""])
    environment = {**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}"}
    ended = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == code, ended.stderr
    return ended.stdout + ended.stderr


def command(folder: Path, name: str) -> None:
    """Have a command that says how it was called."""
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin" / name).write_text(f'#!/bin/sh\necho "{name} $*"\n')
    (folder / "bin" / name).chmod(0o755)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with files of difficult names."""
    for name in ("a.txt", "deep/b.txt", "deep/b.bin", "-n", "two words.txt", "line\nbreak.txt", "$(touch ran).txt"):
        path = tmp_path / "from" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        (".*", {"a.txt", "deep/b.txt", "deep/b.bin", "-n", "two words.txt", "line\nbreak.txt", "$(touch ran).txt"}),
        ("deep/", {"deep/b.txt", "deep/b.bin"}),
        ("b", set()),  # at the start of the path
        (r".*\.bin|a", {"a.txt", "deep/b.bin"}),
        ("-n", {"-n"}),
    ],
)
def test_pick_takes_paths_that_match_from_their_start(source: Path, pattern: str, names: set[str]):
    run(source, f"pick from '{pattern}' picked")
    assert files(source / "picked") == names
    assert not (source / "ran").exists()


def test_pick_follows_links_and_keeps_no_link(source: Path):
    (source / "link").symlink_to(source / "from")
    run(source, "pick link deep picked")
    assert files(source / "picked") == {"deep/b.txt", "deep/b.bin"}
    assert not any(path.is_symlink() for path in (source / "picked").rglob("*"))


def test_a_folder_of_this_machine_is_a_store(source: Path):
    run(source, f"send from 'file://{source}/store/x' && fetch 'file://{source}/store/x' back")
    assert files(source / "back/x") == files(source / "from")


@pytest.mark.parametrize(
    ("line", "called"),
    [
        ("fetch s3://b/k into", "aws s3 cp --recursive s3://b/k into\naws s3 cp s3://b/k into/\n"),
        ("fetch gs://b/k/ into", "gcloud storage cp --recursive gs://b/k/* into/\n"),
        ("fetch azure://acc/box/k into", "azcopy copy https://acc.blob.core.windows.net/box/k/* into --recursive\n"),
        (
            "fetch https://acc.blob.core.windows.net/box/k into",
            "azcopy copy https://acc.blob.core.windows.net/box/k/* into --recursive\n",
        ),
        ("fetch https://example.org/data.csv into", "curl -fsSL --remote-name https://example.org/data.csv\n"),
        ("send from s3://b/k", "aws s3 cp --recursive from s3://b/k\n"),
        ("send from gs://b/k/", "gcloud storage cp --recursive from/* gs://b/k/\n"),
        ("send from azure://acc/box/k", "azcopy copy from/* https://acc.blob.core.windows.net/box/k --recursive\n"),
    ],
)
def test_each_store_is_reached_by_its_own_command(source: Path, line: str, called: str):
    for name in ("aws", "gcloud", "azcopy", "curl"):
        command(source, name)
    assert run(source, line) == called


def test_nothing_is_sent_where_nothing_was_written(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    assert run(tmp_path, "send empty s3://b/k") == ""


@pytest.mark.parametrize("line", ["fetch ftp://x/y into", "send from https://x/y"])
def test_a_store_without_a_command_is_a_failure(source: Path, line: str):
    assert "no command is configured" in run(source, line, code=1)


@pytest.mark.parametrize(
    ("copy", "called"),
    [
        ("rclone copy", "rclone copy s3://b/k into\n"),
        ("rclone --to {to} --from {from}", "rclone --to into --from s3://b/k\n"),
    ],
)
def test_a_configured_command_takes_the_place_of_all(tmp_path: Path, copy: str, called: str):
    command(tmp_path, "rclone")
    assert run(tmp_path, "fetch s3://b/k into", Transfers(copy=copy, fetched={"s3"})) == called


def test_only_what_is_used_is_carried():
    lines = "\n".join(Transfers(fetched={"s3"}).preamble())
    assert "aws s3 cp" in lines
    assert "azcopy" not in lines
    assert "send()" not in lines
    assert Transfers().preamble() == []


@pytest.mark.parametrize(
    ("url", "scheme", "fetched", "sent"),
    [
        ("s3://b/k", "s3", True, True),
        ("https://a.blob.core.windows.net/x", "azure", True, True),
        ("https://example.org/x", "https", True, False),
        ("swift://x", "swift", False, False),
        ("/plain", "", True, True),
    ],
)
def test_the_kind_of_a_store(url: str, scheme: str, fetched: bool, sent: bool):
    assert scheme_of(text(url)) == scheme
    assert (can_fetch(scheme), can_send(scheme)) == (fetched, sent)
    assert can_fetch(scheme, "rclone copy")
    assert can_send(scheme, "rclone copy")


def test_an_input_may_decide_the_store():
    assert scheme_of(Template((Ref(Root.INPUT, ("url",)), "/data"))) == ""


def test_the_functions_are_clean():
    checker = shutil.which("shellcheck")
    if checker is None:
        pytest.skip("shellcheck is not installed")
    script = "\n".join(["#!/bin/bash", *ALL.preamble(), 'fetch "$1" "$2"; send "$2" "$1"; pick "$1" x "$2"', ""])
    ended = subprocess.run([checker, "-S", "style", "-"], input=script, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
