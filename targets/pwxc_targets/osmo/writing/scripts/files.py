"""Files that a script takes from the folder in which it was submitted, which a task of OSMO does not have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pwxc.ir.task import Script, Step
from pwxc.shell.found.commands import Around, Simple, Walk
from pwxc.shell.found.options import behind_wrappers, listed
from pwxc.shell.found.values import Values, Word
from pwxc.source import Span

_ENDINGS = (
    r"py|sh|bash|R|r|Rmd|jl|m|pl|lua|ipynb|in|inp|txt|csv|tsv|dat|json|ya?ml|toml|cfg|conf|nf|smk|tpr|"
    r"fa|fasta|fastq|bam|nc|h5|xml|c|cc|cpp|cu|f90"
)
_FILE = re.compile(rf"(?!-)[\w.-][\w./-]*\.(?:{_ENDINGS})\Z")
_PROGRAM = re.compile(r"(?:\./|(?!/)[\w.-]+/)[\w./-]+\Z")
_LIKELY = re.compile(
    r"^[ \t]*(?:echo|printf|touch|mkdir|rm|cd|export|module)\b[^\n;&|<>$`(]*|>[ \t]*[^\s$`(]+|"
    rf"(?<![\w./~$}}-])(?P<file>(?:\.{{1,2}}|[\w.-]+)/[\w.]|[\w.-]+\.(?:{_ENDINGS})\b)",
    re.MULTILINE,
)
"""What may be such a file, by its letters alone, behind what is made or printed: most long scripts have none."""
_STARTING = frozenset(listed("srun mpirun mpiexec bash sh source . exec time"))
_MAKING = frozenset(listed("echo printf touch mkdir rm cd export : tee module ml conda"))
_REACHES = (1 << 13, 1 << 15, 1 << 18)


def submitted_file(step: Step) -> tuple[str, Span | None] | None:
    """Give the first file that a step's script expects beside it, with its place; None where there is none.

    A script is read up to its first quarter of a million letters: one that is longer was written by a program.
    """
    work = step.work
    text = work.text.literal if isinstance(work, Script) else None
    if text is None:
        return None
    made: set[str] = set()
    for command in _commands(text):
        words = Values().words(command.words)
        words = words[behind_wrappers(words) if words else 0 :]
        if words and words[0].program not in _MAKING:
            found = next((word for word in words if _is_expected(word, words) and word.value not in made), None)
            if found is not None:
                return found.value, place_in_file(step, text, found.start, found.end)
        made.update(word.value for word in words)
        made.update(token.text for token in command.others if token.redirect.endswith(">"))
    return None


def _commands(text: str) -> Iterator[Simple]:
    """Give the commands of a text: those of its beginning as soon as that is read, as most name their file there."""
    likely = next((found for found in _LIKELY.finditer(text) if found["file"]), None)
    if likely is None:
        return
    done = 0
    for reach in _REACHES:
        line_end = text.find("\n", reach)
        end = line_end + 1 if line_end >= 0 else len(text)
        if end < likely.end():
            continue
        walk = Walk()
        read = list(walk.text(text[:end], 0, Around()))
        if walk.complete or end == len(text):
            yield from (command for command in read if _start(command) >= done)
            done = end
        if end == len(text):
            return


def _start(command: Simple) -> int:
    return max((token.start for token in (*command.words, *command.others)), default=0)


def _is_expected(word: Word, words: Sequence[Word]) -> bool:
    """Whether a word of a command names a file by a path from the folder in which it starts."""
    if not word.known:
        return False
    if word is words[0]:
        return _PROGRAM.match(word.value) is not None
    return _FILE.match(word.value) is not None or (
        words[0].program in _STARTING and _PROGRAM.match(word.value) is not None
    )


def place_in_file(step: Step, text: str, start: int, end: int) -> Span | None:
    """Give the place of a range of a script in the file that the script is in; that of the step if it is elsewhere."""
    if step.span is None:
        return None
    source = step.span.source
    base = source.text.find(text)
    return source.span(base + start, base + end) if base >= 0 else step.span
