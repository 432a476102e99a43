"""Texts from disk and from standard input, decoded or refused with a diagnostic."""

from __future__ import annotations

import os
import re
from errno import EISDIR
from pathlib import Path
from typing import BinaryIO

from pwxc.diagnostics import Diagnostics
from pwxc.diagnostics import codes as C  # noqa: N812
from pwxc.registry import Target, find, names
from pwxc.source import Source

LARGEST = 256 * 1024 * 1024
"""Bytes that are read at most; the limit of characters of a YAML text is lower."""
_LARGEST_OF_FOLDER = 4 * 1024 * 1024
_LIKELY = 0.5
STDIN = "<stdin>"
_UNDECODED = re.compile("[\udc80-\udcff]")


def load_file(path: Path | str, diagnostics: Diagnostics) -> Source | None:
    """Read a file; one that cannot be read or is no text is a diagnostic and None."""
    try:
        with Path(path).open("rb") as file:
            return load_stream(file, str(path), diagnostics)
    except (OSError, ValueError) as fault:  # a path with a NUL character is a ValueError
        _refuse(str(path), fault, diagnostics)
        return None


def is_folder(path: Path | str) -> bool:
    """Whether there is a folder at a path."""
    return os.path.isdir(path)  # noqa: PTH112  # `Path.is_dir` raises on names that are too long


def load_folder(folder: Path, origin: Target | None, diagnostics: Diagnostics) -> list[Source]:
    """Read the files of a folder that together are a workflow of a system; which one is guessed if it is not given.

    A file counts if it looks like the system's. Files in folders below are left alone.
    """
    targets = [origin] if origin is not None else [target for target in map(find, names()) if target is not None]
    readers = [target for target in targets if target.folders]
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as fault:
        _refuse(str(folder), fault, diagnostics)
        return []
    if not readers:
        _refuse(str(folder), IsADirectoryError(EISDIR, "is a directory"), diagnostics)
        return []
    loaded = [load_file(path, Diagnostics()) for path in paths if path.stat().st_size < _LARGEST_OF_FOLDER]
    for target in readers:
        found = [item for item in loaded if item is not None and target.sniff(item.text, item.name) >= _LIKELY]
        if found:
            return found
    titles = " or ".join(target.title for target in readers)
    diagnostics.add(C.UNREADABLE_FILE, f"`{folder}` has no files that look like {titles}")
    return []


def load_stream(stream: BinaryIO, name: str, diagnostics: Diagnostics) -> Source | None:
    """Read what a stream has, such as standard input under the name `STDIN`."""
    try:
        data = stream.read(LARGEST + 1)
    except (OSError, ValueError) as fault:
        _refuse(name, fault, diagnostics)
        return None
    if len(data) > LARGEST:
        diagnostics.add(C.TOO_LARGE, f"`{name}` has more than {LARGEST:,} bytes")
        return None
    return decode(name, data, diagnostics)


def _refuse(name: str, fault: OSError | ValueError, diagnostics: Diagnostics) -> None:
    reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
    diagnostics.add(C.UNREADABLE_FILE, f"cannot read `{name}`: {reason[:1].lower()}{reason[1:]}")


def decode(name: str, data: bytes, diagnostics: Diagnostics) -> Source | None:
    """Decode a file's bytes; a byte-order mark is dropped, and a NUL byte is a diagnostic and None.

    What is no UTF-8 text is decoded so that `encode` gives its bytes again: systems whose files may be of any
    encoding take it, and `is_text` refuses it for the others.
    """
    nul = data.find(0)
    if nul >= 0:
        _refuse_byte(name, data, nul, f"`{name}` is not text: it has a NUL byte at {nul}", diagnostics)
        return None
    path = Path(name) if name != STDIN else None
    marked = data.startswith(b"\xef\xbb\xbf")
    try:
        return Source(name, data.decode("utf-8-sig"), path, encoding="utf-8-sig" if marked else "utf-8")
    except UnicodeDecodeError:
        return Source(name, data.decode("utf-8", "surrogateescape"), path, encoding="bytes")


def encode(text: str) -> bytes:
    """Give the bytes of a text; those that could not be decoded come out as they were."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def is_text(source: Source, diagnostics: Diagnostics) -> bool:
    """Whether a source was UTF-8 text; if not, that is a diagnostic at the first byte that is none."""
    if source.encoding != "bytes":
        return True
    data = encode(source.text)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as fault:
        message = f"`{source.name}` is not UTF-8 text: byte 0x{data[fault.start]:02x} at {fault.start}"
        _refuse_byte(source.name, data, fault.start, message, diagnostics)
    return False


def as_latin1(text: str) -> str:
    """Give a text with the bytes that could not be decoded read as Latin-1, which is what old scripts mostly are."""
    return _UNDECODED.sub(lambda found: chr(ord(found[0]) - 0xDC00), text)


def _refuse_byte(name: str, data: bytes, at: int, message: str, diagnostics: Diagnostics) -> None:
    before = Source(name, data[:at].decode("utf-8-sig", "replace") + "\ufffd")
    end = len(before.text)
    diagnostics.add(C.NOT_TEXT, message, before.span(end - 1, end))
