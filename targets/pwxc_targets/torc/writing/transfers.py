"""Shell functions that copy data from and to stores; each job carries those that it needs."""

from __future__ import annotations

import re

from pwxc.ir.template import Template

FETCH = """\
# Copies what is below the URL $1 into the folder $2.
fetch() {
  mkdir -p "$2"
  case $1 in
    s3://*) aws s3 cp --recursive "$1" "$2" ;;
    gs://*) gcloud storage cp --recursive "${1%/}/*" "$2" ;;
    azure://* | https://*.blob.core.windows.net/*) azcopy copy "$1" "$2" --recursive ;;
    http://* | https://*) curl -fsSL --output-dir "$2" -O "$1" ;;
    file://*) cp -R "${1#file://}" "$2" ;;
    *) echo "no command copies from $1" >&2; return 1 ;;
  esac
}"""
PUBLISH = """\
# Copies the content of the folder $1 to the URL $2.
publish() {
  case $2 in
    s3://*) aws s3 cp --recursive "$1" "$2" ;;
    gs://*) gcloud storage cp --recursive "$1/*" "$2" ;;
    azure://* | https://*.blob.core.windows.net/*) azcopy copy "$1/*" "$2" --recursive ;;
    file://*) mkdir -p "${2#file://}" && cp -R "$1/." "${2#file://}" ;;
    *) echo "no command copies to $2" >&2; return 1 ;;
  esac
}"""
SELECT = """\
# Links those files below the folder $1 into the folder $3 whose paths match the Python expression $2.
select_files() {
  python3 - "$1" "$2" "$3" <<'PWXC_PY'
import os, re, sys
source, pattern, target = sys.argv[1:]
for folder, _, names in os.walk(source, followlinks=True):
    for name in names:
        path = os.path.join(folder, name)
        inner = os.path.relpath(path, source)
        if re.match(pattern, inner):
            place = os.path.join(target, inner)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            os.path.lexists(place) or os.symlink(os.path.abspath(path), place)
PWXC_PY
}"""
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://")
KNOWN = frozenset({"s3", "gs", "azure", "http", "https", "file"})


def scheme_of(url: Template) -> str | None:
    """Give the scheme of a URL when its first text has it."""
    first = url.parts[0] if url.parts and isinstance(url.parts[0], str) else ""
    found = _SCHEME.match(first)
    return found[1] if found else None
