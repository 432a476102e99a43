"""One script of a task, with what stands before it, around it and after it."""

from __future__ import annotations

import re

import attrs

from pwxc.fidelity import Account
from pwxc.ir.resources import Container
from pwxc.ir.task import Script
from pwxc.ir.template import Template, join, text
from pwxc.shell import ShellText, is_variable_name, quote
from pwxc_targets.pw.writing import codes as C  # noqa: N812
from pwxc_targets.pw.writing.commandjob import CommandJob
from pwxc_targets.pw.writing.exits import Loop
from pwxc_targets.pw.writing.nativenames import NativeNames
from pwxc_targets.pw.writing.pyxis import launcher_options
from pwxc_targets.pw.writing.runner import indent
from pwxc_targets.pw.writing.scheduling import records_of
from pwxc_targets.pw.writing.sourcevariables import source_variables
from pwxc_targets.pw.writing.spelling import show_hole

MISSING, UNWRITTEN = "missing before the command", "not written by the command"
_ENDS_OTHERWISE = re.compile(r"(?:^|[\s;&|({])(?:exec\s+[^\s<>0-9&]|trap\s.*\b(?:EXIT|0)\b)", re.MULTILINE)
"""What keeps a script from telling its status when the shell ends: it ends otherwise, or says something itself."""


@attrs.define
class Body:
    """One script of a task: what stands before it, around it and after it."""

    job: CommandJob
    account: Account
    work: Script
    container: Container | None = None
    names: NativeNames = attrs.field(init=False)
    text: Template = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Look at the text once."""
        self.names = NativeNames(self.job.spelling)
        self.text = self.job.spelling.expand(self.work.text)
        for hole in self.text.holes:
            if not self.names.is_known(hole):
                self.account.drop("work", C.NO_EXPRESSION, f"nothing here can stand for {show_hole(hole)}")

    @property
    def is_simple(self) -> bool:
        """Whether the text can stand as it is."""
        late = self.job.spelling.late(self.text)
        return not late and self.work.shell in (("bash",), ("sh",)) and self.container is None

    @property
    def can_stand(self) -> bool:
        """Whether the text can stand in a script that tells its status when it ends."""
        literal = "".join(part for part in self.text.parts if isinstance(part, str))
        return self.is_simple and self.work.shell == ("bash",) and _ENDS_OTHERWISE.search(literal) is None

    def before(self, shell: ShellText, paths: list[Template]) -> list[str]:
        """Give the lines that stand before the command."""
        for name, value in self.job.exports:
            word = shell.word(value)
            shell.lines.append(f"export {name}={word}" if is_variable_name(name) else f"# no variable: {quote(name)}")
        shell.lines.extend(source_variables(self.job, self.account, self.text))
        for path in paths:
            shell.lines.append(file_test(shell.word(path), MISSING))
        lines, shell.lines = shell.lines, []
        return lines

    def wrapped(self, shell: ShellText, after: list[Template], rules: Loop, file: str | None = None) -> list[str]:
        """Give the lines that run the command and leave its status in `rc`.

        `file` is where a submitted job finds the command's text; without it the lines put it into a file themselves.
        """
        if file is not None:
            shell.lines.append(f"script=$pwxc_here/{file}")
        else:
            shell.lines.append("script=$(mktemp)")
            shell.write_file('"$script"', self.whole)
        program = " ".join(quote(word) for word in self.work.shell)
        run = f'{self._launcher(shell)}{program} "$script" || rc=$?'
        tests = [file_test(shell.word(path), UNWRITTEN, "rc=1") for path in after]
        checked = ['if [ "$rc" -eq 0 ]; then', *indent(tests), "fi"] if tests else []
        loop = rules.lines(shell, ["rc=0", run, *checked])
        lines, shell.lines = [*shell.lines, *loop, *(['rm -f "$script"'] if file is None else [])], []
        return lines

    @property
    def whole(self) -> Template:
        """The text, which ends with a line's end."""
        parts = self.text.parts
        ends = bool(parts) and isinstance(parts[-1], str) and parts[-1].endswith("\n")
        return self.text if ends else join((self.text, text("\n")))

    def _launcher(self, shell: ShellText) -> str:
        if self.container is None:
            return ""
        with self.job.writing.ledger.of(self.container) as account:
            account.emulate("image", "mounts", "privileged", "host_network")
            account.cosmetic("passthrough")
            if not self.job.writing.contained:
                message = "the image is not used: commands run on the machine itself"
                account.approximate("image", C.IMAGE_NOT_USED, message, once=True)
                return ""
            image = self.container.image
            first = image.parts[0] if image.parts and isinstance(image.parts[0], str) else ""
            if not first.startswith(("/", ".", "~")) and "://" not in first:
                image = Template.of("docker://", *image.parts)
            binds = "".join(f"--bind {quote(mount)} " for mount in self.container.mounts)
            own, _ = records_of(self.job.writing, self.job.task)
            graphics = "--nv " if own is not None and own.gpus else ""
            told = "".join(f"{quote(word)} " for word in launcher_options(self.job.writing.ledger, own))
            word = shell.word(self.job.spelling.expand(image))
        return f'apptainer exec {graphics}{told}--bind "$script" {binds}{word} '


def file_test(word: str, what: str, then: str = "exit 1") -> str:
    """Give a line that ends a script, or does what `then` says, when there is no file at a path."""
    return f'[ -e {word} ] || {{ echo "{what}:" {word} >&2; {then}; }}'
