"""Copies between the run's folder and object stores, as shell functions (osmo.md §12, §29.2)."""

from __future__ import annotations

import attrs

from pwxc.ir.template import Template

_FETCH = {
    "s3": ('aws s3 cp --recursive "$1" "$2" || return\n      [ -n "$(ls -A "$2")" ] || aws s3 cp "$1" "$2/"'),
    "gs": 'gcloud storage cp --recursive "${1%/}/*" "$2/" || gcloud storage cp "$1" "$2/"',
    "azure": 'azcopy copy "$(azure_url "$1")/*" "$2" --recursive || azcopy copy "$(azure_url "$1")" "$2/"',
}
_PUT = {
    "s3": 'aws s3 cp --recursive "$1" "$2"',
    "gs": 'gcloud storage cp --recursive "$1/*" "${2%/}/"',
    "azure": 'azcopy copy "$1/*" "$(azure_url "$2")" --recursive',
}
_AZURE_URL = """\
azure_url() {
  local rest=${1#azure://}
  local account=${rest%%/*}
  printf 'https://%s.blob.core.windows.net/%s' "$account" "${rest#*/}"
}"""
_SELECT = """\
# Copies the files below folder $1 whose path matches the regular expression $2 from its start into folder $3.
select_files() {
  mkdir -p "$3"
  (cd "$1" && find -L . -type f -printf '%P\\0') | { grep -zP "^(?:$2)" || :; } |
    (cd "$1" && xargs -0 -r cp -L --parents -t "$3" --)
}"""


def scheme_of(url: Template) -> str:
    """Give the kind of store of a URL, or nothing when an input decides it."""
    first = url.parts[0] if url.parts else ""
    return first.partition("://")[0] if isinstance(first, str) and "://" in first else ""


def has_tool(scheme: str, copy: str) -> bool:
    """Whether there is a command for a kind of store; an unknown kind is tried at run time."""
    return copy != "auto" or not scheme or scheme in _FETCH


@attrs.define
class Transfers:
    """The copy functions that one script uses. `copy` is the configured command, or `auto`."""

    copy: str
    fetched: set[str] = attrs.field(factory=set)
    put: set[str] = attrs.field(factory=set)
    selects: bool = False

    def preamble(self) -> list[str]:
        """Give the functions, in lines."""
        text: list[str] = []
        schemes = self.fetched | self.put
        if self.copy == "auto" and (not schemes.isdisjoint({"", "azure"})):
            text.append(_AZURE_URL)
        if self.fetched:
            text.append(self._function("fetch", "Copies what is at URL $1 into folder $2.", _FETCH, self.fetched))
        if self.put:
            text.append(self._function("put", "Copies the content of folder $1 to URL $2.", _PUT, self.put))
        if self.selects:
            text.append(_SELECT)
        return "\n".join(text).split("\n") if text else []

    def _function(self, name: str, title: str, commands: dict[str, str], schemes: set[str]) -> str:
        url = "$1" if name == "fetch" else "$2"
        empty = '  [ -n "$(ls -A "$1")" ] || return 0\n' if name == "put" else '  mkdir -p "$2"\n'
        if self.copy != "auto":
            body = f"  {_configured(self.copy)}\n"
        else:
            known = commands if "" in schemes else {key: commands[key] for key in sorted(schemes) if key in commands}
            cases = "".join(f"    {scheme}://*) {command} ;;\n" for scheme, command in known.items())
            other = f'    *)\n      echo "no command is configured for {url}" >&2\n      return 1\n      ;;\n'
            body = f'  case "{url}" in\n{cases}{other}  esac\n'
        return f"# {title}\n{name}() {{\n{empty}{body}}}"


def _configured(copy: str) -> str:
    """Put the two places into a configured command; without marks they follow it."""
    if "{from}" not in copy and "{to}" not in copy:
        return f'{copy} "$1" "$2"'
    return copy.replace("{from}", '"$1"').replace("{to}", '"$2"')
