"""Texts and words with holes, run by a real shell."""

from __future__ import annotations

import subprocess

import attrs
from hypothesis import example, given
from hypothesis import strategies as st

from pwxc.ir.expr import Expr, Ref, Root
from pwxc.ir.template import Template
from pwxc.shell import ShellText, delimiter, quote

HOLE = Ref(Root.OUTPUT_FOLDER, ())
TEXTS = st.text(st.sampled_from("a ~='\"$`\\@{}\n\t*?!#&;|<>é😀-output"), max_size=12)


@attrs.frozen
class Names:
    """One hole, whose value the shell's variable `output` has."""

    def inline(self, expr: Expr) -> str | None:
        del expr
        return None

    def is_tame(self, expr: Expr) -> bool:
        del expr
        return False

    def variable(self, expr: Expr) -> tuple[str, str]:
        del expr
        return "output", "$output"

    def protect(self, text: str) -> str | None:
        del text
        return None


def printed(script: str) -> str:
    """Give what a script prints, with a home folder that nothing else is called."""
    ended = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        check=True,
        env={"HOME": "/home-of-nobody", "PATH": "/usr/bin:/bin"},
    )
    return ended.stdout.decode()


@given(st.lists(TEXTS, min_size=1, max_size=6))
@example(["~", "~/x", "=x", "-n", "", "a~b"])
def test_a_quoted_text_is_one_word_with_its_characters(texts: list[str]):
    assert printed("printf '%s\\0' " + " ".join(quote(text) for text in texts)) == "".join(
        f"{text}\0" for text in texts
    )


@given(TEXTS, TEXTS)
@example("see @output@ and @@output@@: ", "")
@example("", "@output@")
def test_a_mark_that_stands_in_the_text_stays(before: str, after: str):
    shell = ShellText(Names())
    shell.capture("found", Template.of(before, HOLE, after))
    lines = ["output='/run/x y'", *shell.preamble, *shell.lines, "printf '%s' \"$found\""]
    assert printed("\n".join(lines)) == f"{before}/run/x y{after}"


@given(st.lists(st.sampled_from(["PWXC_EOF", "PWXC_EOF_2", "PWXC_EOF_3", "a"]), max_size=6))
def test_no_line_ends_a_here_document(lines: list[str]):
    assert delimiter("\n".join(lines)) not in lines
