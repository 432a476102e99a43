"""Copies between folders and object stores, as shell functions that a script carries (osmo.md §12, §29.2).

`fetch URL FOLDER` and `send FOLDER URL` call each store's own command; `pick FOLDER PATTERN FOLDER` copies the files
whose paths match a regular expression from their start.
"""

from __future__ import annotations

import attrs

from pwxc.ir.template import Template

_BLOB = ".blob.core.windows.net/"


@attrs.frozen
class _Store:
    """A kind of store: the URLs that are its own, and what copies from it and to it."""

    urls: str
    fetch: str
    send: str | None


_STORES = {
    "s3": _Store(
        "s3://*",
        'aws s3 cp --recursive "$1" "$2" || return\n      [ -n "$(ls -A "$2")" ] || aws s3 cp "$1" "$2/"',
        'aws s3 cp --recursive "$1" "$2"',
    ),
    "gs": _Store(
        "gs://*",
        'gcloud storage cp --recursive "${1%/}/*" "$2/" || gcloud storage cp "$1" "$2/"',
        'gcloud storage cp --recursive "$1/*" "${2%/}/"',
    ),
    "azure": _Store(
        f"azure://* | https://*{_BLOB}*",
        'azcopy copy "$(azure_url "$1")/*" "$2" --recursive || azcopy copy "$(azure_url "$1")" "$2/"',
        'azcopy copy "$1/*" "$(azure_url "$2")" --recursive',
    ),
    "https": _Store("http://* | https://*", '(cd "$2" && curl -fsSL --remote-name "$1")', None),
    "file": _Store(
        "file://*", 'cp -R -- "${1#file://}" "$2/"', 'mkdir -p -- "${2#file://}" && cp -R -- "$1/." "${2#file://}/"'
    ),
}
_AZURE_URL = """\
azure_url() {
  local rest=${1#azure://}
  case "$1" in
    https://*) printf '%s' "${1%/}" ;;
    *) printf 'https://%s.blob.core.windows.net/%s' "${rest%%/*}" "${rest#*/}" ;;
  esac
}"""
_PICK = """\
# Copies the files below folder $1 whose paths match the regular expression $2 from their start into folder $3.
pick() {
  local to=$3
  case "$to" in /*) ;; *) to=$PWD/$to ;; esac
  mkdir -p -- "$to"
  (cd "$1" && find -L . -type f -printf '%P\\0') | { grep -zP "^(?:$2)" || :; } |
    (cd "$1" && xargs -0 -r cp -L --parents -t "$to" --)
}"""


def scheme_of(url: Template) -> str:
    """Give the kind of store of a URL, or nothing when its text begins with a hole."""
    first = url.parts[0] if url.parts else ""
    if not isinstance(first, str) or "://" not in first:
        return ""
    scheme = first.partition("://")[0]
    if scheme in ("http", "https"):
        return "azure" if _BLOB in first else "https"
    return scheme


def can_fetch(scheme: str, copy: str = "auto") -> bool:
    """Whether there is a command that copies from a kind of store; an unknown kind is tried at run time."""
    return copy != "auto" or not scheme or scheme in _STORES


def can_send(scheme: str, copy: str = "auto") -> bool:
    """Whether there is a command that copies to a kind of store; an unknown kind is tried at run time."""
    return copy != "auto" or not scheme or (scheme in _STORES and _STORES[scheme].send is not None)


@attrs.define
class Transfers:
    """The functions that one script uses. `copy` is the configured command, or `auto` for each store's own."""

    copy: str = "auto"
    fetched: set[str] = attrs.field(factory=set)
    """The kinds of stores that are read, `""` for any."""
    sent: set[str] = attrs.field(factory=set)
    """The kinds of stores that are written, `""` for any."""
    picks: bool = False

    def functions(self) -> list[str]:
        """Give the functions."""
        found: list[str] = []
        if self.copy == "auto" and not (self.fetched | self.sent).isdisjoint({"", "azure"}):
            found.append(_AZURE_URL)
        if self.fetched:
            commands = {kind: store.fetch for kind, store in _STORES.items()}
            title = "Copies what is at URL $1 into folder $2."
            found.append(self._function("fetch", title, commands, self.fetched))
        if self.sent:
            commands = {kind: store.send for kind, store in _STORES.items() if store.send is not None}
            title = "Copies the content of folder $1 to URL $2."
            found.append(self._function("send", title, commands, self.sent))
        if self.picks:
            found.append(_PICK)
        return found

    def preamble(self) -> list[str]:
        """Give the functions, in lines."""
        return [line for function in self.functions() for line in function.split("\n")]

    def _function(self, name: str, title: str, commands: dict[str, str], kinds: set[str]) -> str:
        url = "$1" if name == "fetch" else "$2"
        begin = '  [ -n "$(ls -A "$1")" ] || return 0\n' if name == "send" else '  mkdir -p "$2"\n'
        if self.copy != "auto":
            body = f"  {_configured(self.copy)}\n"
        else:
            known = [kind for kind in _STORES if kind in commands and ("" in kinds or kind in kinds)]
            cases = "".join(f"    {_STORES[kind].urls}) {commands[kind]} ;;\n" for kind in known)
            other = f'    *)\n      echo "no command is configured for {url}" >&2\n      return 1\n      ;;\n'
            body = f'  case "{url}" in\n{cases}{other}  esac\n'
        return f"# {title}\n{name}() {{\n{begin}{body}}}"


def _configured(copy: str) -> str:
    """Put the two places into a configured command; without marks they follow it."""
    if "{from}" not in copy and "{to}" not in copy:
        return f'{copy} "$1" "$2"'
    return copy.replace("{from}", '"$1"').replace("{to}", '"$2"')
