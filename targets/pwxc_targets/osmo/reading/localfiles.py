"""Files beside the workflow that `files[].localpath` names; the client reads them before it sends anything (§13)."""

from __future__ import annotations

from pathlib import Path

from pwxc.source import Span
from pwxc.yaml.structure import Reading
from pwxc_targets.osmo.model import InjectedFile
from pwxc_targets.osmo.reading import codes as C  # noqa: N812

LIMIT = 16 * 1024 * 1024
"""Characters of one local file; a Kubernetes secret takes 1 MiB, other systems more."""


def read_local_file(file: InjectedFile, folder: Path | None, context: Reading, span: Span) -> str | None:
    """Give the text of a local file, or say why it cannot be had."""
    path = (folder or Path()) / file.localpath
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
        context.diagnostics.add(
            C.LOCAL_FILE,
            f"cannot read the local file `{file.localpath}`: {reason}",
            span,
            help="`localpath` is looked for beside the workflow file",
        )
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        context.diagnostics.add(C.LOCAL_FILE, f"the local file `{file.localpath}` is not UTF-8 text", span)
        return None
    if len(text) > LIMIT:
        context.diagnostics.add(C.LOCAL_FILE, f"the local file `{file.localpath}` is larger than {LIMIT:,}", span)
        return None
    return text.replace("\r\n", "\n")
