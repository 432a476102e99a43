"""Patterns of file names in words: letters outside quotes that stand for others have marks."""

from __future__ import annotations

import re

GLOBS = {"*": "\ue00a", "?": "\ue00b", "[": "\ue00c"}
"""Letters outside quotes that make a word a pattern of file names."""
MARKED = str.maketrans(GLOBS)
PLAIN = str.maketrans({marked: letter for letter, marked in GLOBS.items()})
IS_GLOB = re.compile("[\ue00a\ue00b\ue00c]")
_IS_WIDE = re.compile("[\ue00a\ue00b]|\ue00c.*/|/.*\ue00c|\ue00c.*\\.\\w+\\Z", re.DOTALL)
"""A pattern that is meant as one; `node[1-4]` is a list of Slurm."""
_IS_NO_FILE = re.compile(r"-|[A-Za-z_]\w*[-+*/%]?=|(?:after\w*|expand):|singleton[,?]")
"""How options, assignments and dependencies start; they would not be the names of files."""


def is_wide(pattern: str) -> bool:
    """Whether a pattern with marks is meant as one of files, so that it cannot be taken as it is written."""
    return _IS_WIDE.search(pattern) is not None and _IS_NO_FILE.match(pattern.translate(PLAIN)) is None
