"""Files that a script takes from the folder in which it was submitted, which a task of OSMO does not have."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pwxc.ir.task import Script, Step
from pwxc.shell.found.commands import Around, Walk
from pwxc.shell.found.options import behind_wrappers, listed
from pwxc.shell.found.values import Values, Word
from pwxc.source import Span

_FILE = re.compile(
    r"(?!-)[\w.-][\w./-]*\.(?:py|sh|bash|R|r|Rmd|jl|m|pl|lua|ipynb|in|inp|txt|csv|tsv|dat|json|ya?ml|toml|cfg|conf|nf|smk|tpr|"
    r"fa|fasta|fastq|bam|nc|h5|xml|c|cc|cpp|cu|f90)\Z"
)
_PROGRAM = re.compile(r"(?:\./|(?!/)[\w.-]+/)[\w./-]+\Z")
_STARTING = frozenset(listed("srun mpirun mpiexec bash sh source . exec time"))
_MAKING = frozenset(listed("echo printf touch mkdir rm cd export : tee module ml conda"))


def submitted_file(step: Step) -> tuple[str, Span | None] | None:
    """Give the first file that a step's script expects beside it, with its place; None where there is none."""
    work = step.work
    text = work.text.literal if isinstance(work, Script) else None
    if text is None:
        return None
    made: set[str] = set()
    for command in Walk().text(text, 0, Around()):
        words = Values().words(command.words)
        words = words[behind_wrappers(words) if words else 0 :]
        if words and words[0].program not in _MAKING:
            found = next((word for word in words if _is_expected(word, words) and word.value not in made), None)
            if found is not None:
                return found.value, _place(step, text, found.start, found.end)
        made.update(word.value for word in words)
        made.update(token.text for token in command.others if token.redirect.endswith(">"))
    return None


def _is_expected(word: Word, words: Sequence[Word]) -> bool:
    """Whether a word of a command names a file by a path from the folder in which it starts."""
    if not word.known:
        return False
    if word is words[0]:
        return _PROGRAM.match(word.value) is not None
    return _FILE.match(word.value) is not None or (
        words[0].program in _STARTING and _PROGRAM.match(word.value) is not None
    )


def _place(step: Step, text: str, start: int, end: int) -> Span | None:
    if step.span is None:
        return None
    source = step.span.source
    base = source.text.find(text)
    return source.span(base + start, base + end) if base >= 0 else step.span
