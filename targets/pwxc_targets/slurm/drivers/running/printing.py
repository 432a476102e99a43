"""What commands read from here-documents, files and pipes, and where they print to."""

from __future__ import annotations

from collections.abc import Sequence

from pwxc.shell.words import Token
from pwxc_targets.slurm.drivers.running.interpreter import Interpreter
from pwxc_targets.slurm.drivers.text.expansion import Expander, carried
from pwxc_targets.slurm.drivers.text.marks import UNKNOWN
from pwxc_targets.slurm.drivers.text.paths import joined

_OUTPUTS = (">", ">|", ">>", "&>", "&>>", ">&")


def path_of(shell: Interpreter, text: str) -> str:
    """Give the path that a word means, as it is seen from where the driver is called."""
    return joined(shell.state.folder, text)


def document(shell: Interpreter, redirects: Sequence[Token]) -> str | None:
    """Give what a command reads: a here-document, a file, or what stands before it in a pipe; None if it is unknown."""
    for token in reversed(redirects):
        if token.here is not None:
            return shell.expander.document(token.here) if token.expanded else token.here
        if token.redirect.lstrip("0") == "<<<":
            return shell.expander.value(token.text) + "\n"
        if token.redirect.lstrip("0") == "<":
            if token.text.startswith("<("):
                return _substituted(shell.expander, token.text)
            return shell.files.read(path_of(shell, shell.expander.value(token.text)))
    return shell.given


def _substituted(expander: Expander, text: str) -> str:
    """Give what the commands of a `<( )` print."""
    told = expander.around.substitute(text[2:-1])
    return told + "\n" if told else ""


def tell(shell: Interpreter, redirects: Sequence[Token], text: str) -> None:
    """Print to where redirections lead."""
    to_file: tuple[str, bool] | None = None
    for token in redirects:
        operator = token.redirect.removeprefix("1")
        if operator not in _OUTPUTS:
            continue
        if operator == ">&" and token.text in ("1", "2", "-"):
            to_file = ("/dev/stderr", False) if token.text != "1" else to_file
            continue
        if token.text.startswith(">("):
            continue  # what reads there passes it on, or keeps it for itself
        path = path_of(shell, shell.expander.value(token.text))
        to_file = path, ">>" in operator
    if to_file is None or to_file[0] == "/dev/stdout":
        shell.show(text)
    else:
        write(shell, to_file[0], text, more=to_file[1])


def write(shell: Interpreter, path: str, text: str, *, more: bool = False) -> None:
    """Write a file, or more into it; what all turns of a loop append is known only when they are followed."""
    if more and shell.frames.stack:
        text += carried(shell.frames.stack[-1].variable)
    shell.files.write(path, text, more=more)


def redirected(redirects: Sequence[Token]) -> bool:
    """Whether what is printed goes somewhere else."""
    return any(token.redirect.removeprefix("1") in _OUTPUTS for token in redirects)


def file_argument(shell: Interpreter, path: str) -> str:
    """Give the text of a file that a command names."""
    if path == "-":
        return UNKNOWN if shell.given is None else shell.given
    text = shell.files.read(path_of(shell, path))
    return UNKNOWN if text is None else text
