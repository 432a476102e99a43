"""Which versions of torc refuse a specification."""

from __future__ import annotations

from pwxc_targets.torc.generations import RELEASES
from pwxc_targets.torc.linting import codes as C  # noqa: N812
from pwxc_targets.torc.linting.rulebook import RuleBook
from pwxc_targets.torc.linting.verdict import JUDGED, judge

_CURRENT = ("0.12", "0.25")
_WORDS = {
    "unparsed": "does not read it",
    "create-error": "does not create it",
    "create-ok,dry-run-error": "creates it, but its dry run refuses it",
}


class Versions(RuleBook):
    """One rule: what each version says."""

    def check_versions(self) -> None:
        """Name the versions that refuse a file which a current one refuses, with their reasons."""
        found = {version: judge(self.source, version, self.settings) for version in _CURRENT}
        if all(verdict.word == "ok" for verdict in found.values()):
            return
        told = []
        for version in JUDGED:
            verdict = found.get(version) or judge(self.source, version, self.settings)
            if verdict.word != "ok":
                told.append(f"{RELEASES[version]} {_WORDS[verdict.word]} ({verdict.reason})")
        self.say(C.VERSIONS, "; ".join(told), self.spec, "name")
