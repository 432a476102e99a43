"""Scripts that are one call of Apptainer, taken apart into the image and the command in it (slurm.md §15, §21.1).

Everything else that has to do with containers stays text: a script may prepare on the node what the container uses.
"""

from __future__ import annotations

import re

import attrs

from pwxc.shell.found import container_call
from pwxc.shell.grammar import Command, Node, parse
from pwxc.shell.words import ShellError

_PROGRAMS = frozenset(["apptainer", "singularity"])
_OPTIONS = frozenset(["nv", "bind"])
_MOUNT = re.compile(r"/[^\s:,$\"'\\*?`~]*(?::/[^\s:,$\"'\\*?`~]*)?\Z")
_IMAGE = re.compile(r"docker://[\w./:@-]+\Z")
_CALL = re.compile(r"\b(?:apptainer|singularity)\s+exec\b")
_SET = re.compile(r"[-+][A-Za-z]+|pipefail|errexit|nounset|xtrace")
_EXPORT = re.compile(r"(?!PATH=|LD_|HOME=|USER=|TMPDIR=|APPTAINER|SINGULARITY|BASH)[A-Za-z_]\w*=[\w./:@%+,-]*")
"""What a container gets just as the script set it; the runtime has its own way with the names that are left out."""


@attrs.frozen
class Contained:
    """The image without its scheme, host folders, and the script that is left, which ends with the command.

    `start` is how far the command moved: where it stood in the body, less where it stands now. `gpus` says that the
    call asks for the graphics processors of the node.
    """

    image: str
    mounts: tuple[str, ...]
    command: str
    start: int
    gpus: bool = False


def take_apart(body: str) -> Contained | None:
    """Take a script's body apart if it is nothing but `apptainer exec docker://IMAGE COMMAND`.

    Options of the shell and variables with plain values may stand before the call: they mean the same inside.
    """
    if _CALL.search(body) is None:
        return None
    try:
        *before, last = parse(body)
    except (ShellError, IndexError, RecursionError, ValueError):
        return None
    if not all(_means_the_same_inside(node) for node in before):
        return None
    if not isinstance(last, Command) or last.redirects or not last.words:
        return None
    words = last.words[1:] if last.words[0].text == "exec" else last.words
    call = container_call(words) if [word.text for word in words[1:2]] == ["exec"] else None
    if call is None or call.program not in _PROGRAMS or not call.options <= _OPTIONS:
        return None
    if not _IMAGE.match(words[call.place - 1].text) or not all(map(_MOUNT.match, call.mounts)):
        return None
    start = words[call.place].start
    kept = "".join(f"{_text(node, body)}\n" for node in before if isinstance(node, Command))
    command = f"{kept}{body[start : words[-1].end]}\n"
    image = call.image.removeprefix("docker://")
    return Contained(image, call.mounts, command, start - len(kept), "nv" in call.options)


def _means_the_same_inside(node: Node) -> bool:
    if not isinstance(node, Command) or node.redirects or len(node.words) < 2:
        return False
    program, *rest = (word.text for word in node.words)
    pattern = {"set": _SET, "export": _EXPORT}.get(program)
    return pattern is not None and all(map(pattern.fullmatch, rest))


def _text(node: Command, body: str) -> str:
    return body[node.words[0].start : node.words[-1].end]
