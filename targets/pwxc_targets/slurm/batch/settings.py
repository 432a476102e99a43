"""What `sbatch` holds after it has read the options of one component, and how it tells it."""

from __future__ import annotations

from datetime import datetime

import attrs

from pwxc_targets.slurm.batch.bindings import mem_bind
from pwxc_targets.slurm.batch.moments import moment
from pwxc_targets.slurm.batch.numbers import leading
from pwxc_targets.slurm.batch.table import Option, by_name, canonical
from pwxc_targets.slurm.batch.values import CODECS, shape, specialized, user_env
from pwxc_targets.slurm.batch.wordvalues import BadValueError, mail_set, signal, tell_mail

_SHARED = {
    "exclusive": "shared", "oversubscribe": "shared", "requeue": "requeue", "no-requeue": "requeue",
    "cluster": "clusters", "clusters": "clusters",
}  # fmt: skip
"""Options that set the same thing: each tells what the last of them said."""
_CONTINUED = {"signal": signal, "mem_bind": mem_bind, "user_env": user_env}
"""Codecs of options of which a later one keeps a part of what an earlier one said."""
_SHAPE = ("sockets-per-node", "cores-per-socket", "threads-per-core")


@attrs.define
class Settings:
    """The fields that were set, and the names of the options that set them."""

    now: datetime = attrs.field(factory=datetime.now)
    folder: str = "."
    fields: dict[str, str | None] = attrs.field(factory=dict)
    names: dict[str, None] = attrs.field(factory=dict)
    mails: frozenset[str] = frozenset()

    def is_set(self, name: str) -> bool:
        """Whether an option was given."""
        return name in self.names

    def set(self, option: Option, value: str | None) -> None:
        """Take an option with its value.

        Raises:
            BadValueError: `sbatch` refuses the value.
        """
        if option.codec == "early":
            return
        name = canonical(option.name)
        text = value or ""
        field = _SHARED.get(name, name)
        if option.codec == "mail":
            self.mails |= mail_set(text) or frozenset()
            self.fields[field] = tell_mail(self.mails)
        elif option.codec == "spec":
            self._set_specialized(name, text)
        elif option.codec == "shape":
            self._set_shape(text)
        elif option.codec in ("nodelist", "nodefile"):
            self.fields["nodelist" if name == "nodefile" else "nodefile"] = None
            self.fields[field] = text
        elif not (option.codec == "yes_no" and self.fields.get(field) == "yes" and text.lower() == "no"):
            told = self._told(option, text)
            _, at, wait = (self.fields.get(field) or "").partition("@")
            # how long to wait is kept where a later option does not name it
            keeps = option.codec == "switches" and at and "@" not in told
            self.fields[field] = f"{told}@{wait}" if keeps else told
        if name in _SHAPE and "extra-node-info" in self.fields:
            parts = ["*" if self.fields.get(part, "-2") == "-2" else str(self.fields[part]) for part in _SHAPE]
            self.fields["extra-node-info"] = shape(":".join(parts))
        self.names[name] = None

    def _told(self, option: Option, text: str) -> str:
        match option.codec:
            case "flag":
                return "set"
            case "requeue":
                return option.name
            case "exclusive" if option.name == "oversubscribe":
                return "oversubscribe"
            case "moment":
                return moment(text, self.now)
            case "folder":
                return self._below_folder(text)
            case "identity":
                return _identity(text)
            case "signal" | "mem_bind" | "user_env":
                return _CONTINUED[option.codec](text, self.fields.get(option.name) or "")
        return CODECS[option.codec](text)

    def _below_folder(self, text: str) -> str:
        return text if text.startswith("/") else f"{self.folder.rstrip('/')}/{text}"

    def _set_specialized(self, name: str, text: str) -> None:
        other = "thread-spec" if name == "core-spec" else "core-spec"
        self.fields[name] = specialized(text, least=1 if name == "thread-spec" else 0)
        self.fields[other] = "unset"

    def _set_shape(self, text: str) -> None:
        self.fields["extra-node-info"] = shape(text)
        parts = [*text.split(":"), "", "", ""][:3]
        for name, part in zip(_SHAPE, parts, strict=True):
            self.fields[name] = "-2" if part in ("", "*") else part

    def _below_work(self, text: str) -> str:
        return text if text.startswith("/") else f"{(self.fields.get('chdir') or self.folder).rstrip('/')}/{text}"

    def next_component(self) -> Settings:
        """Give what the next component of a heterogeneous job starts with: only some options are kept (§10)."""
        kept = [name for name in self.names if by_name()[name].kept]
        fields = {_SHARED.get(name, name): self.fields[_SHARED.get(name, name)] for name in kept}
        for name in ("output", "error", "input"):
            if name in fields:
                fields[name] = self._below_work(fields[name] or "")
        return Settings(self.now, self.folder, fields, dict.fromkeys(kept))

    def told(self) -> dict[str, str | None]:
        """Give the options that were given as `sbatch` tells them, by name."""
        return {name: self.fields[_SHARED.get(name, name)] for name in sorted(self.names)}


def _identity(text: str) -> str:
    number, rest = leading(text)
    if number is not None and not rest and 0 <= number < 2**32 - 3:
        return str(number)
    if text == "root":
        return "0"
    raise BadValueError("a user or a group of this machine is due")
