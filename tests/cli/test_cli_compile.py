"""`pwxc compile`: where output goes, what is refused, and the exit codes."""

from __future__ import annotations

import json

import pytest

GOOD = "# toy\nfirst: echo $word\n"
RESULT = "# toy\nfirst: echo $word\n"


@pytest.fixture
def good(folder):
    (folder / "good.toy").write_text(GOOD)
    return "good.toy"


def test_one_file_goes_to_standard_output(pwxc, good):
    assert pwxc("compile", good, "--to", "toy") == (0, RESULT, "")


def test_a_dash_reads_standard_input_and_writes_standard_output(pwxc):
    assert pwxc("compile", "-", "--to", "toy", "-o", "-", stdin=GOOD.encode()) == (0, RESULT, "")


def test_a_byte_order_mark_is_no_part_of_the_text(pwxc):
    assert pwxc("compile", "-", "--to", "toy", stdin=b"\xef\xbb\xbf" + GOOD.encode()).out == RESULT


@pytest.mark.parametrize(
    "words",
    [
        ["good.toy", "--to", "toy", "--set", "word=x"],
        ["--set", "word=x", "good.toy", "--to", "toy"],
        ["--to", "toy", "--set", "other=1", "word=x", "good.toy"],
        ["--set", "other=1", "more=2", "--set", "word=x", "good.toy", "--to", "toy"],
        ["--set=other=1", "word=x", "good.toy", "--to", "toy"],
        ["--set", "word=y", "word=x", "--to", "toy", "--", "good.toy"],
        ["--set", "word=y", "--set-string", "word=x", "good.toy", "--to", "toy"],
        ["--allow", "PWX3901", "toy-no-stop", "--set", "word=x", "--to", "toy", "good.toy"],
        ["--allow", "PWX3901", "good.toy", "--set", "word=x", "--to", "toy"],
        ["--option", "toy.title=a", "toy.split=no", "good.toy", "--set", "word=x", "--to", "toy"],
    ],
)
def test_switches_take_several_values_and_leave_the_sources(pwxc, good, words):
    assert pwxc("compile", *words) == (0, "# toy\nfirst: echo x\n", "")


def test_a_value_may_hold_an_equals_sign_and_begin_with_a_dash(pwxc, good):
    assert "echo -a=b" in pwxc("compile", good, "--to", "toy", "--set", "word=-a=b").out


def test_a_file_named_like_a_code_word_stays_a_source_after_allow(pwxc, folder):
    (folder / "toy-no-stop").write_text(GOOD)
    assert pwxc("compile", "--to", "toy", "--allow", "PWX3901", "toy-no-stop").code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--set", "word"], "`--set word` is not of the form `NAME=VALUE`"),
        (["--option", "toy.split=maybe"], "`toy.split` cannot be `maybe`"),
        (["--option", "toy.spilt=no"], "did you mean `split`?"),
        (["--option", "tyo.split=no"], "did you mean `toy`?"),
        (["--allow", "PWX9999"], "no diagnostic is called `PWX9999`"),
        (["--allow", "toy-no-stpo"], "did you mean `toy-no-stop`?"),
        (["--from", "tory"], "no system is called `tory`"),
        (["--from", "torn"], "`torn` is installed but cannot be loaded"),
        (["--from", "mute"], "`mute` files cannot be read yet"),
        (["missing.toy"], "cannot read `missing.toy`: no such file or directory"),
        (["."], "cannot read `.`: is a directory"),
        (["--check"], "name them with -o"),
        (["--no-such-switch"], "--no-such-switch"),
        (["--report", "xml"], "xml"),
        (["-", "-"], "standard input (`-`) can be read only once"),
        (["--set-file", "none.yaml"], "cannot read `none.yaml`"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_says_what_is_wrong(pwxc, good, words, message):
    outcome = pwxc("compile", good, "--to", "toy", *words)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("to", ["tyo", "mute", "torn"])
def test_a_target_that_is_unknown_or_cannot_write_is_exit_code_2(pwxc, good, to):
    outcome = pwxc("compile", good, "--to", to)
    assert (outcome.code, outcome.out) == (2, "")
    assert f"`{to}`" in outcome.err


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"# toy\na: \xff\n", "stdin>:2:4"),
        (b"# toy\na: \0\n", "NUL byte at 9"),
        (b"\xef\xbb\xbf# toy\n\xe9", "byte 0xe9 at 9"),
        ("# toy".encode("utf-16"), "is not text"),
    ],
)
def test_bytes_that_are_no_text_are_exit_code_2(pwxc, data, message):
    outcome = pwxc("compile", "-", "--to", "toy", stdin=data)
    assert (outcome.code, outcome.out) == (2, "")
    assert "PWX1001" in outcome.err
    assert message in outcome.err


def test_errors_in_the_source_are_exit_code_1_with_every_one_shown(pwxc):
    outcome = pwxc("compile", "-", "--from", "toy", "--to", "toy", stdin=b"# toy\na\nb: x\nc\n")
    assert (outcome.code, outcome.out) == (1, "")
    assert "<stdin>:2:1" in outcome.err
    assert "<stdin>:4:1" in outcome.err
    assert outcome.err.endswith("\n2 errors\n")
    assert "guess" not in outcome.err


def test_a_guess_that_fails_is_told(pwxc):
    outcome = pwxc("compile", "-", "--to", "toy", stdin=b"# toy\na\n")
    assert outcome.code == 1
    assert "note[PWX0006]" in outcome.err
    assert "name the system with `--from`" in outcome.err


def test_a_text_like_nothing_known_is_exit_code_1(pwxc):
    outcome = pwxc("compile", "-", "--to", "toy", stdin=b"Dear all,\n")
    assert (outcome.code, outcome.out) == (1, "")
    assert "PWX0003" in outcome.err


def test_a_refused_loss_is_exit_code_3_and_touches_nothing(pwxc, folder):
    (folder / "out").write_text("before")
    outcome = pwxc("compile", "-", "--to", "toy", "-o", "out", stdin=b"# toy\nurgent: x\n")
    assert (outcome.code, outcome.out) == (3, "")
    assert "error[PWX3901]" in outcome.err
    assert (folder / "out").read_text() == "before"


@pytest.mark.parametrize("words", [["--lossy"], ["--allow", "PWX3901"], ["--allow", "toy-no-priority"]])
def test_an_allowed_loss_is_a_warning(pwxc, words):
    outcome = pwxc("compile", "-", "--to", "toy", *words, stdin=b"# toy\nurgent: x\n")
    assert (outcome.code, outcome.out) == (0, "# toy\nurgent: x\n")
    assert "warning[PWX3901]" in outcome.err


def test_strict_refuses_on_warnings(pwxc):
    source = b"# toy\nstopping: x\n"
    assert pwxc("compile", "-", "--to", "toy", stdin=source).code == 0
    assert pwxc("compile", "-", "--to", "toy", "--strict", stdin=source).code == 3
    assert pwxc("compile", "-", "--to", "toy", "--strict", "--allow", "toy-no-stop", stdin=source).code == 0


def test_json_diagnostics_are_one_list_even_when_it_is_empty(pwxc, good):
    assert json.loads(pwxc("compile", good, "--to", "toy", "--output-format", "json").err) == []
    outcome = pwxc("compile", "-", "--to", "toy", "--output-format", "json", stdin=b"# toy\n  a\n")
    (bad, guessed) = json.loads(outcome.err)
    assert bad["code"] == "PWX2901"
    assert bad["file"] == "<stdin>"
    assert (bad["start"], bad["end"]) == ({"line": 2, "column": 1}, {"line": 2, "column": 4})
    assert (bad["label"], bad["help"]) == ("here", "write `name: command`")
    assert guessed["severity"] == "note"


def test_a_fault_of_the_compiler_is_a_diagnostic_without_traceback(pwxc, monkeypatch):
    source = b"# toy\ncrash: x\n"
    outcome = pwxc("compile", "-", "--to", "toy", stdin=source)
    assert (outcome.code, outcome.out) == (2, "")
    assert "error[PWX0999]: pwxc itself failed: RuntimeError: the toy broke" in outcome.err
    assert "Traceback" not in outcome.err
    (item,) = json.loads(pwxc("compile", "-", "--to", "toy", "--output-format", "json", stdin=source).err)
    assert item["code"] == "PWX0999"
    monkeypatch.setenv("PWXC_DEBUG", "1")
    assert "Traceback" in pwxc("compile", "-", "--to", "toy", stdin=source).err


def test_the_report_goes_where_the_output_does_not(pwxc, good):
    beside = pwxc("compile", good, "--to", "toy", "--report", "json", "-o", "x.toy")
    assert beside.err == ""
    report = json.loads(beside.out)
    assert report["parts"] == sum(report["totals"].values()) == len(report["entries"]) > 0
    after = pwxc("compile", good, "--to", "toy", "--report", "text")
    assert after.out == RESULT
    assert f"{report['parts']} parts: " in after.err


def test_a_refused_compilation_still_has_a_report(pwxc):
    outcome = pwxc("compile", "-", "--to", "toy", "--report", "text", stdin=b"# toy\nurgent: x\n")
    assert outcome.code == 3
    assert "PWX3901: `urgent` has a priority" in outcome.err
    assert "1 dropped" in outcome.err
    assert "1 refused" in outcome.err
