"""Actions of ACTIVATE that a script can do itself (pw.md §8, §20.5)."""

from __future__ import annotations

from collections.abc import Mapping

from pwxc.ir.task import ActionCall
from pwxc.ir.template import Template, text

CHECKOUT = """\
# Fetches a branch, a tag or a commit of a repository into a folder, without its history.
checkout() {
  local repo=$1 branch=$2 place=$3 clone=$task/checkout
  shift 3
  rm -rf "$clone"
  git clone --quiet --depth 1 ${branch:+--branch "$branch"} -- "$repo" "$clone" ||
    { git clone --quiet -- "$repo" "$clone" && git -C "$clone" checkout --quiet "$branch"; } || return
  if [ "$#" -gt 0 ]; then git -C "$clone" sparse-checkout set --no-cone "$@" || return; fi
  rm -rf "$clone/.git"
  mkdir -p "$place" && cp -R "$clone/." "$place"
}"""
_KNOWN = {"repo", "branch", "path", "sparse_checkout"}


def is_checkout(work: ActionCall) -> bool:
    """Whether a call fetches a repository and asks for nothing else."""
    given = work.arguments
    return (
        work.name == "parallelworks/checkout"
        and isinstance(given, Mapping)
        and "repo" in given
        and given.keys() <= _KNOWN
    )


def checkout_words(work: ActionCall) -> list[Template]:
    """Give the words of the call of `checkout`: repository, branch, folder, and the paths that are wanted."""
    given = work.arguments
    assert isinstance(given, Mapping)
    paths = given.get("sparse_checkout")
    listed = paths if isinstance(paths, list | tuple) else () if paths is None else (paths,)
    return [_template(item) for item in (given["repo"], given.get("branch", ""), given.get("path") or ".", *listed)]


def _template(value: object) -> Template:
    return value if isinstance(value, Template) else text("" if value is None else str(value))
