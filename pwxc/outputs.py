"""Output files on disk: where each one goes, how it differs from what is there, and writing all of them or none."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from errno import EISDIR
from pathlib import Path, PurePosixPath

from pwxc.diagnostics import Diagnostics
from pwxc.diagnostics import codes as C  # noqa: N812
from pwxc.files import encode
from pwxc.frozen import frozen
from pwxc.registry import OutputFile

_PLAIN, _EXECUTABLE = 0o644, 0o755


@frozen
class Placed:
    """An output file and the path at which it belongs."""

    path: Path
    file: OutputFile


def place_files(files: Sequence[OutputFile], destination: str, diagnostics: Diagnostics) -> list[Placed] | None:
    """Decide where files go.

    One file goes to `destination` itself, unless that is a folder or ends with a slash; several go into it.
    """
    into_folder = len(files) > 1 or destination.endswith("/") or Path(destination).is_dir()
    if not into_folder:
        return [Placed(Path(destination), files[0])]
    if Path(destination).exists() and not Path(destination).is_dir():
        message = f"{len(files)} files come out, and `{destination}` is not a folder"
        diagnostics.add(C.CANNOT_WRITE, message, help="name a folder with `-o FOLDER/`")
        return None
    outside = [file.path for file in files if _leaves(PurePosixPath(file.path))]
    for path in outside:
        diagnostics.add(C.CANNOT_WRITE, f"`{path}` would be outside `{destination}`")
    return None if outside else [Placed(Path(destination, file.path), file) for file in files]


def _leaves(path: PurePosixPath) -> bool:
    return path.is_absolute() or ".." in path.parts or not path.parts


def write_files(placed: Sequence[Placed], diagnostics: Diagnostics) -> bool:
    """Write files so that each is replaced as a whole; gives False, and leaves everything as it was, on a fault.

    A link is followed, a file that exists keeps its permissions, and what is no regular file (`/dev/null`, a named
    pipe) is written to as it is.
    """
    temporary: list[Path] = []
    folders: list[Path] = []
    try:
        ready = [(item, _prepare(item, temporary, folders)) for item in placed]
        for item, made in ready:
            if made is None:
                item.path.write_bytes(encode(item.file.text))
            else:
                made.replace(os.path.realpath(item.path))
        folders.clear()
    except OSError as fault:
        name = fault.filename if isinstance(fault.filename, str | Path) else placed[0].path
        reason = fault.strerror or str(fault)
        diagnostics.add(C.CANNOT_WRITE, f"cannot write `{name}`: {reason[:1].lower()}{reason[1:]}")
        return False
    finally:
        for path in temporary:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        for folder in reversed(folders):
            with suppress(OSError):
                folder.rmdir()
    return True


def _prepare(item: Placed, temporary: list[Path], folders: list[Path]) -> Path | None:
    """Write a file's content beside its place; None when the place is no regular file."""
    target = Path(os.path.realpath(item.path))
    mode = _mode(target)
    if mode is not None and stat.S_ISDIR(mode):
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), str(item.path))
    if mode is not None and not stat.S_ISREG(mode):
        return None
    _make_folder(target.parent, folders)
    made = target.with_name(f".pwxc-{secrets.token_hex(6)}")
    permissions = _EXECUTABLE if item.file.executable else _PLAIN
    with _naming(item.path):
        temporary.append(made)
        handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, permissions)
        with os.fdopen(handle, "wb") as file:
            file.write(encode(item.file.text))
        if mode is not None:
            made.chmod(stat.S_IMODE(mode) | (_runnable(mode) if item.file.executable else 0))
    return made


class _naming:  # noqa: N801
    """Faults name the file that the user asked for, not the temporary one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> None:
        if isinstance(fault, OSError):
            fault.filename = str(self.path)


def _runnable(mode: int) -> int:
    """Give the bits that let everybody run a file who may read it."""
    return (mode & 0o444) >> 2


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None


def _make_folder(folder: Path, made: list[Path]) -> None:
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir()
        made.append(path)


def find_differences(placed: Sequence[Placed], diagnostics: Diagnostics) -> dict[Path, str]:
    """Give the unified diff from what is on disk to what would be written, of each file that would change."""
    compared = {item.path: "".join(_differences(item, diagnostics)) for item in placed}
    return {path: text for path, text in compared.items() if text}


def _differences(item: Placed, diagnostics: Diagnostics) -> Iterator[str]:
    path = item.path
    try:
        before: bytes | None = path.read_bytes()
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        before, mode = None, _EXECUTABLE
    except OSError as fault:
        diagnostics.add(C.UNREADABLE_FILE, f"cannot read `{path}`: {(fault.strerror or str(fault)).lower()}")
        return
    if item.file.executable and not mode & 0o100:
        yield f"old mode {stat.S_IFREG | 0o644:o} {path}\nnew mode {stat.S_IFREG | 0o755:o} {path}\n"
    after = encode(item.file.text)
    if before == after:
        return
    text = unified_diff((before or b"").decode("utf-8", "replace"), item.file.text, before is None, str(path))
    yield text or f"--- {path}\n+++ {path}\n"


def unified_diff(before: str, after: str, new: bool, name: str) -> str:
    """Give the unified diff of two texts; `new` says that the first is no file at all."""
    from difflib import unified_diff as compare

    lines = compare(_lines(before), _lines(after), "/dev/null" if new else name, name)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    # `str.splitlines` breaks at characters that are not line ends to anybody else
    parts = text.split("\n")
    return [f"{part}\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
