"""What commands read from here-documents and files, and where they print to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pwxc.shell.grammar import Command

if TYPE_CHECKING:
    from pwxc_targets.slurm.drivers.shell import Shell


def document(shell: Shell, command: Command) -> str | None:
    """Give what a command reads from a here-document, or from a file that the driver has written."""
    for token in reversed(command.redirects):
        if token.here is not None:
            return shell.expander.document(token.here) if token.expanded else token.here
        if token.redirect == "<<<":
            return shell.expander.value(token.text) + "\n"
        if token.redirect == "<":
            return shell.files.get(shell.expander.value(token.text))
    return None


def tell(shell: Shell, command: Command, text: str) -> None:
    """Print to where the redirections of a command lead."""
    for token in command.redirects:
        operator = token.redirect.lstrip("1")
        if operator in (">", ">|", ">>", "&>", "&>>"):
            path = shell.expander.value(token.text)
            shell.files[path] = (shell.files.get(path, "") if ">>" in operator else "") + text
            return
        if operator == ">&" and token.text == "2":
            return
    shell.show(text)
