"""Texts from disk and from standard input, decoded or refused with a diagnostic."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from pwxc.diagnostics import Diagnostics
from pwxc.diagnostics import codes as C  # noqa: N812
from pwxc.source import Source

LARGEST = 256 * 1024 * 1024
"""Bytes that are read at most; the limit of characters of a YAML text is lower."""
STDIN = "<stdin>"


def load_file(path: Path | str, diagnostics: Diagnostics) -> Source | None:
    """Read a file; one that cannot be read or is no text is a diagnostic and None."""
    try:
        with Path(path).open("rb") as file:
            return load_stream(file, str(path), diagnostics)
    except (OSError, ValueError) as fault:  # a path with a NUL character is a ValueError
        _refuse(str(path), fault, diagnostics)
        return None


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
    """Decode a file's bytes; a byte-order mark is dropped, and what is no UTF-8 text is a diagnostic and None."""
    nul = data.find(0)
    if nul >= 0:
        _refuse_byte(name, data, nul, f"`{name}` is not text: it has a NUL byte at {nul}", diagnostics)
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        at = _offset(data, fault.start)
        message = f"`{name}` is not UTF-8 text: byte 0x{data[at]:02x} at {at}"
        _refuse_byte(name, data, at, message, diagnostics)
        return None
    return Source(name, text, Path(name) if name != STDIN else None)


def _offset(data: bytes, start: int) -> int:
    # the codec counts from behind the mark
    return start + 3 if data.startswith(b"\xef\xbb\xbf") else start


def _refuse_byte(name: str, data: bytes, at: int, message: str, diagnostics: Diagnostics) -> None:
    before = Source(name, data[:at].decode("utf-8-sig", "replace") + "\ufffd")
    end = len(before.text)
    diagnostics.add(C.NOT_TEXT, message, before.span(end - 1, end))
