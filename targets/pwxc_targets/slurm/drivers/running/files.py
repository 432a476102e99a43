"""Files that a driver writes, over those that lie in its folder."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable
from fnmatch import filter as matching
from pathlib import Path, PurePath

import attrs

from pwxc.source import Source
from pwxc_targets.slurm.drivers.text.marks import UNKNOWN, is_fixed
from pwxc_targets.slurm.drivers.text.modification import pattern_of

_LARGEST = 1_000_000
_MOST_FILES = 10_000
_DEVICES = ("/dev/null", "/dev/tty", "/dev/stdin")


@attrs.define
class Files:
    """What a driver finds in files; paths are told from where it is called. None stands for what is not there.

    `tell` is told of a file or a folder that is looked at as it is now.
    """

    folder: Path | None
    given: list[Source]
    tell: Callable[[str], None]
    written: dict[str, str] = attrs.field(factory=dict)
    made: set[str] = attrs.field(factory=set)

    def read(self, path: str, *, quietly: bool = False) -> str | None:
        """Give the text of a file."""
        if path in _DEVICES:
            return ""
        if path in self.written or not is_fixed(path):
            return self.written.get(path)
        text = self._on_disk(path)
        if text is not None and not quietly:
            self.tell(path)
        return text

    def _on_disk(self, path: str) -> str | None:
        named = next((item for item in self.given if item.name == path), None)
        if named is not None:
            return named.text
        place = Path(self.folder, path) if self.folder is not None else None
        try:
            if place is None or not place.is_file() or place.stat().st_size > _LARGEST:
                return None
            return place.read_text(encoding="utf-8")
        except (OSError, ValueError):
            return None

    def somewhere(self, path: str) -> str | None:
        """Give the text of a file that may lie in the folder of the driver, or in a folder below."""
        name = path.rpartition("/")[2]
        for place in (path, name):
            text = self.read(posixpath.normpath(place), quietly=True)
            if text is not None:
                return text
        named = next((item for item in self.given if PurePath(item.name).name == name), None)
        if named is not None or self.folder is None:
            return None if named is None else named.text
        try:
            found = next(self.folder.glob(f"*/{name}"), None)
        except (OSError, ValueError, NotImplementedError):
            return None
        return None if found is None else self._on_disk(str(found))

    def write(self, path: str, text: str, *, more: bool = False) -> None:
        """Write a file, or more into it."""
        if path in _DEVICES or path in ("/dev/stdout", "/dev/stderr"):
            return
        if more:
            text = (self.read(path, quietly=True) or "") + text
        self.written[path] = text

    def spoil(self, path: str) -> None:
        """Note that something has changed a file in a way that is not followed."""
        self.written[path] = UNKNOWN

    def matching(self, pattern: str) -> list[str] | None:
        """Give the paths that match a pattern, in their order; None if the folder is not known."""
        parts = pattern.split("/")
        absolute = pattern.startswith("/")
        if absolute or ".." in parts or self.folder is None or not os.path.isdir(self.folder):  # noqa: PTH112
            return None
        found = [""]
        for part in parts:
            found = [_under(folder, name) for folder in found for name in self._named(folder, part)]
            if len(found) > _MOST_FILES:
                return None
        if any(not self._is_ours(path) for path in found):
            self.tell(pattern)
        return sorted(found)

    def _is_ours(self, path: str) -> bool:
        """Whether a file is a script, or written by the driver."""
        return path in self.written or (self._on_disk(path) or "").startswith("#!")

    def _named(self, folder: str, part: str) -> list[str]:
        """Give the names in a folder that match a part of a pattern."""
        if not re.search(r"[*?\[]", part):
            return [part] if part in (".", "") or self.exists(_under(folder, part)) else []
        names = self._names(folder)
        whole = re.compile(pattern_of(part), re.DOTALL)
        return [name for name in names if whole.fullmatch(name) and (part[0] == "." or name[0] != ".")]

    def _names(self, folder: str) -> list[str]:
        assert self.folder is not None
        start = f"{folder}/" if folder else ""
        own = {path[len(start) :].partition("/")[0] for path in self.written if path.startswith(start)}
        try:
            return sorted({*(path.name for path in Path(self.folder, folder).iterdir()), *own})
        except OSError:
            return sorted(own)

    def is_file(self, path: str) -> bool:
        """Whether there is a file."""
        return path in self.written or self._on_disk(path) is not None

    def exists(self, path: str) -> bool:
        """Whether there is a file or a folder."""
        if path in self.written or matching(list(self.written), f"{path}/*"):
            return True
        return self.folder is not None and os.path.exists(Path(self.folder, path))  # noqa: PTH110


def _under(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
