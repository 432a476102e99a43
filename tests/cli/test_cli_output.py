"""`pwxc compile -o`, `--check`, `--diff`: files are written as a whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SOURCE = b"# toy\na: x\nb: y\n"
SPLIT = ("--option", "toy.split=yes")


def compile_to(pwxc, *words, source=SOURCE):
    return pwxc("compile", "-", "--to", "toy", *words, stdin=source)


def listing(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_file_is_written_under_the_name_that_is_given(pwxc, folder):
    assert compile_to(pwxc, "-o", "new/deep/x.txt") == (0, "", "")
    assert listing(folder) == ["new/deep/x.txt"]
    assert (folder / "new/deep/x.txt").read_bytes() == SOURCE


@pytest.mark.parametrize("name", ["there", "there/", "fresh/"])
def test_a_folder_takes_the_file_under_its_own_name(pwxc, folder, name):
    (folder / "there").mkdir()
    assert compile_to(pwxc, "-o", name).code == 0
    assert listing(folder) == [f"{name.rstrip('/')}/out.toy"]


@pytest.mark.parametrize("name", ["out", "out/"])
def test_several_files_go_into_a_folder(pwxc, folder, name):
    assert compile_to(pwxc, *SPLIT, "-o", name) == (0, "", "")
    assert listing(folder) == ["out/a.toy", "out/b.toy", "out/sub/run.sh"]


@pytest.mark.parametrize("words", [(), ("-o", "-")])
def test_several_files_need_a_folder(pwxc, folder, words):
    outcome = compile_to(pwxc, *SPLIT, *words)
    assert (outcome.code, outcome.out) == (2, "")
    assert "`sub/run.sh`" in outcome.err
    assert "-o DIR/" in outcome.err


def test_several_files_do_not_replace_a_file(pwxc, folder):
    (folder / "out").write_text("mine")
    outcome = compile_to(pwxc, *SPLIT, "-o", "out")
    assert outcome.code == 2
    assert (folder / "out").read_text() == "mine"


@pytest.mark.parametrize(("mask", "plain", "run"), [(0o022, 0o644, 0o755), (0o077, 0o600, 0o700)])
def test_permissions_follow_the_umask(pwxc, folder, mask, plain, run):
    before = os.umask(mask)
    try:
        compile_to(pwxc, *SPLIT, "-o", "out")
    finally:
        os.umask(before)
    assert (folder / "out/a.toy").stat().st_mode & 0o777 == plain
    assert (folder / "out/sub/run.sh").stat().st_mode & 0o777 == run


def test_a_file_that_exists_keeps_its_permissions_and_gains_what_it_needs_to_run(pwxc, folder):
    (folder / "sub").mkdir()
    for name in ("a.toy", "sub/run.sh"):
        (folder / name).write_text("")
        (folder / name).chmod(0o640)
    assert compile_to(pwxc, *SPLIT, "-o", ".").code == 0
    assert (folder / "a.toy").stat().st_mode & 0o777 == 0o640
    assert (folder / "sub/run.sh").stat().st_mode & 0o777 == 0o750


def test_nothing_is_touched_when_one_of_several_files_cannot_be_written(pwxc, folder):
    (folder / "out/b.toy").mkdir(parents=True)
    (folder / "out/a.toy").write_text("before")
    outcome = compile_to(pwxc, *SPLIT, "-o", "out")
    assert outcome.code == 2
    assert "error[PWX0005]: cannot write `out/b.toy`: is a directory" in outcome.err
    assert listing(folder) == ["out/a.toy"]
    assert (folder / "out/a.toy").read_text() == "before"
    assert not (folder / "out/sub").exists()


def test_a_file_in_the_way_of_a_folder_is_told(pwxc, folder):
    (folder / "in").write_text("")
    outcome = compile_to(pwxc, "-o", "in/the/way")
    assert outcome.code == 2
    assert "PWX0005" in outcome.err


def test_a_full_disk_leaves_no_temporary_file(pwxc, folder, monkeypatch):
    (folder / "a.toy").write_text("before")

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pwxc.outputs.os.fdopen", fail)
    outcome = compile_to(pwxc, *SPLIT, "-o", ".")
    assert outcome.code == 2
    assert "no space left on device" in outcome.err
    assert listing(folder) == ["a.toy"]


def test_an_interrupt_leaves_no_temporary_file(pwxc, folder, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    assert compile_to(pwxc, *SPLIT, "-o", "out") == (130, "", "")
    assert list(folder.iterdir()) == []


def test_a_link_is_followed(pwxc, folder):
    (folder / "real").write_text("")
    (folder / "link").symlink_to("real")
    compile_to(pwxc, "-o", "link")
    assert (folder / "link").is_symlink()
    assert (folder / "real").read_bytes() == SOURCE


def test_a_device_is_written_to_and_not_replaced(pwxc):
    assert compile_to(pwxc, "-o", os.devnull) == (0, "", "")
    assert Path(os.devnull).is_char_device()


@pytest.mark.parametrize("switch", ["--check", "--diff"])
def test_a_missing_file_is_a_difference(pwxc, folder, switch):
    outcome = compile_to(pwxc, switch, "-o", "out.toy")
    assert outcome.code == 1
    assert outcome.out == "--- /dev/null\n+++ out.toy\n@@ -0,0 +1,3 @@\n+# toy\n+a: x\n+b: y\n"
    assert listing(folder) == []


@pytest.mark.parametrize("switch", ["--check", "--diff"])
def test_only_what_differs_is_shown_and_nothing_is_written(pwxc, folder, switch):
    compile_to(pwxc, *SPLIT, "-o", "out")
    assert compile_to(pwxc, *SPLIT, "-o", "out", switch) == (0, "", "")
    (folder / "out/b.toy").write_text("old")
    outcome = compile_to(pwxc, *SPLIT, "-o", "out", switch)
    assert outcome.code == 1
    diff = "--- out/b.toy\n+++ out/b.toy\n@@ -1 +1 @@\n-old\n\\ No newline at end of file\n+b: y\n"
    assert outcome.out == diff
    assert (folder / "out/b.toy").read_text() == "old"


def test_a_missing_executable_bit_is_a_difference(pwxc, folder):
    compile_to(pwxc, *SPLIT, "-o", "out")
    (folder / "out/sub/run.sh").chmod(0o644)
    outcome = compile_to(pwxc, *SPLIT, "-o", "out", "--check")
    assert (outcome.code, outcome.out) == (1, "old mode 100644 out/sub/run.sh\nnew mode 100755 out/sub/run.sh\n")


def test_a_diff_is_made_of_lines_as_patch_counts_them(pwxc, folder):
    (folder / "x").write_bytes("# toy\na: \u2028x\n".encode())
    outcome = compile_to(pwxc, "-o", "x", "--diff", source="# toy\na: \u2028y\n".encode())
    assert outcome.out == "--- x\n+++ x\n@@ -1,2 +1,2 @@\n # toy\n-a: \u2028x\n+a: \u2028y\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("word: hi", "echo hi"),
        ("word: 007", "echo 007"),
        ("word: 1e3", "echo 1e3"),
        ("word: true", "echo true"),
        ('{"word": 3}', "echo 3"),
        ("word: ''", "echo "),
    ],
)
def test_a_file_of_values(pwxc, folder, text, expected):
    (folder / "v.yaml").write_text(text)
    outcome = compile_to(pwxc, "--set-file", "v.yaml", source=b"# toy\na: echo $word\n")
    assert outcome.out == f"# toy\na: {expected}\n"


def test_set_wins_over_a_file_of_values(pwxc, folder):
    (folder / "v.yaml").write_text("word: from-file\nlast: stays")
    source = b"# toy\na: echo $word $last\n"
    outcome = compile_to(pwxc, "--set", "word=given", "--set-file", "v.yaml", source=source)
    assert outcome.out == "# toy\na: echo given stays\n"


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("a: [1, 2]", "PWX1010", "v.yaml:1:4"),
        ("a: 1\nb:\n", "PWX1010", "v.yaml:2:3"),
        ("- a", "PWX1010", "v.yaml:1:1"),
        ("a: 1\na: 2", "PWX1007", "v.yaml:2:1"),
        ("a: [", "PWX1006", "v.yaml"),
        ("", "PWX1008", "v.yaml"),
        ("? [x]\n: 1", "PWX1010", "v.yaml:1:3"),
    ],
)
def test_a_bad_file_of_values_is_wrong_usage_and_points_into_it(pwxc, folder, text, code, place):
    (folder / "v.yaml").write_text(text)
    outcome = compile_to(pwxc, "--set-file", "v.yaml")
    assert (outcome.code, outcome.out) == (2, "")
    assert code in outcome.err
    assert place in outcome.err
