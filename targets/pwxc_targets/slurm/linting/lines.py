"""Lines that look like directives and are none, and directives that say less than they seem to (slurm.md §3)."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Callable

from pwxc_targets.slurm import codes as C  # noqa: N812
from pwxc_targets.slurm.batch.cutting import MAGIC, Line
from pwxc_targets.slurm.batch.report import shown
from pwxc_targets.slurm.contexts import Place, Scanner
from pwxc_targets.slurm.linting.subject import Subject

_ALMOST = re.compile(
    r"^(?:[ \t]+#[ \t]*SBATCH|#[ \t]+SBATCH|#!SBATCH|#(?!SBATCH)(?P<word>[A-Za-z]{4,9}))[:=]?[ \t]+-{1,2}[A-Za-z]", re.M
)
_SCRIPT = re.compile(r"\.(?:sh|sbatch|slurm|sl|job|sub|bash|py)\b|\$0")
_SUM = re.compile(r"\(\([^()\n]*<<[^()\n]*\)\)")
"""A sum, whose `<<` begins no here-document."""
_PYTHON = re.compile(r"#!.*\bpython")


def check_lines(subject: Subject) -> None:
    """Report directives after the first command, comments that look like directives, and cut-off lines."""
    _check_late(subject)
    for found in _ALMOST.finditer(subject.text, 0, subject.reading.body):
        if found["word"] == "sbatch" and _SCRIPT.search(
            subject.text[found.end() : subject.text.find("\n", found.end())]
        ):
            continue  # it tells how the script is submitted
        if found["word"] is None or _is_misspelt(found["word"]):
            subject.tell(C.ALMOST_DIRECTIVE, "the line is a comment, not a directive", found.start(), found.end() - 1)
    for line in subject.reading.directives:
        stripped = line.text.rstrip()
        end = line.start + len(stripped)
        if stripped.endswith("\\") and "#" not in stripped[1:]:
            subject.tell(C.CONTINUATION, "a directive ends with its line", end - 1, end)


def _is_misspelt(word: str) -> bool:
    """Whether a word is meant to be `SBATCH`: in small letters, or with one letter wrong or swapped."""
    upper, meant = word.upper(), MAGIC[1:]
    if len(upper) == len(meant):
        wrong = sum(one != other for one, other in zip(upper, meant, strict=True))
        return wrong <= 1 or (wrong == 2 and sorted(upper) == sorted(meant))
    shorter, longer = sorted((upper, meant), key=len)
    return any(longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer)))


def _check_late(subject: Subject) -> None:
    is_code = _reader(subject)
    for line in subject.reading.late:
        if not is_code(line):
            continue  # a line of a here-document or of a quoted text: it belongs to another script
        message = f"Slurm ignores {shown(line.text.strip())}: it stands after a command"
        subject.tell(C.LATE_DIRECTIVE, message, line.start, line.start + len(line.text.rstrip()))


def _reader(subject: Subject) -> Callable[[Line], bool]:
    """Give a function that says of one line after the other whether it stands outside texts and here-documents."""
    if _PYTHON.match(subject.reading.shebang):
        comments = _python_comments(subject.text)
        return lambda line: line.number in comments
    scanner = Scanner()
    place = [subject.reading.body]

    def outside(line: Line) -> bool:
        scanner.feed(_SUM.sub("x", subject.text[place[0] : line.start]))
        place[0] = line.start
        return scanner.place is Place.PLAIN

    return outside


def _python_comments(text: str) -> set[int]:
    """Give the numbers of the lines that are comments of a Python program."""
    found: set[int] = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and token.start[1] == 0:
                found.add(token.start[0])
    except (tokenize.TokenError, SyntaxError):
        pass
    return found
