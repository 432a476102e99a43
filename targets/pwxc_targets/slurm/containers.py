"""Scripts that are one call of Apptainer, taken apart into the image and the command in it (slurm.md §15, §21.1).

Everything else that has to do with containers stays text: a script may prepare on the node what the container uses.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs

from pwxc.shell.words import ShellError, Token, tokenize

_PROGRAMS = frozenset(["apptainer", "singularity"])
_GPU_FLAGS = frozenset(["--nv"])
_BINDS = frozenset(["--bind", "-B"])
_MOUNT = re.compile(r"/[^\s:,$\"'\\*?`~]*(?::/[^\s:,$\"'\\*?`~]*)?\Z")
_IMAGE = re.compile(r"docker://[\w./:@-]+\Z")


@attrs.frozen
class Contained:
    """The image without its scheme, host folders, and the command as it stands in the script.

    `gpus` says that the call asks for the graphics processors of the node.
    """

    image: str
    mounts: tuple[str, ...]
    command: str
    gpus: bool = False


def take_apart(body: str) -> Contained | None:
    """Take a script's body apart if it is nothing but `apptainer exec docker://IMAGE COMMAND`."""
    if not re.search(r"\b(?:apptainer|singularity)\s+exec\b", body):
        return None
    try:
        tokens = [token for token in tokenize(body) if token.text != "\n"]
    except (ShellError, IndexError):
        return None
    if any(token.operator or token.redirect for token in tokens):
        return None
    words = tokens[1:] if tokens and tokens[0].text == "exec" else tokens
    if [token.text for token in words[1:2]] != ["exec"] or words[0].text not in _PROGRAMS:
        return None
    return _contained(body, words[2:])


def _contained(body: str, words: Sequence[Token]) -> Contained | None:
    mounts: list[str] = []
    place = 0
    while place < len(words) and words[place].text.startswith("-"):
        name, equals, value = words[place].text.partition("=")
        if name in _BINDS:
            place += not equals
            value = value if equals else words[place].text if place < len(words) else ""
            mounts.extend(value.split(","))
        elif name not in _GPU_FLAGS or equals:
            return None
        place += 1
    if place + 1 >= len(words) or not _IMAGE.match(words[place].text) or not all(map(_MOUNT.match, mounts)):
        return None
    if len(_commands(body)) > 1:
        return None
    command = body[words[place + 1].start : words[-1].end]
    gpus = any(token.text in _GPU_FLAGS for token in words[:place])
    return Contained(words[place].text.removeprefix("docker://"), tuple(mounts), command + "\n", gpus)


def _commands(body: str) -> list[str]:
    """Give the lines of a body that are no comments, continued ones joined."""
    joined = re.sub(r"\\\n", " ", body)
    return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]
