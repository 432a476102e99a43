"""The page `conformance.md`: how many real files keep their meaning, and how many broken compilers the tests notice.

The numbers stand in `conformance.json`. Where the corpus is at hand they are counted anew; elsewhere the recorded ones
are taken, so that the page can be made and checked without it. `make mutate` records the score of the mutation run.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).parent
RECORD = HERE / "conformance.json"
ENDS = ("clean", "warned", "refused", "unread")
VERDICTS = ("proved", "tried", "order", "different", "unreadable")

HEAD = """\
# Conformance

Made by `make docs`. The contract of pwxc is that output without an error and without a warning means what its source
means. This page says how that is checked, and what came out.

## Real files

Every file of the corpus, a collection of workflows from public repositories and manuals, is compiled into every system,
its own included. Output that came without an error and without a warning is read back and compared with its source by
the reference machine ([semantics.md](semantics.md)). A test fails if one of them differs.

| word | meaning |
|---|---|
| clean | no error and no warning |
| warned | output, with a difference that has a name |
| refused | no output unless a loss is allowed |
| unread | faulty in its own system, so that there is nothing to compile |
| proved | clean, and the normal forms of source and output are equal |
| tried | clean, and no environment of those that were tried shows a difference |
| by place | clean and no difference; but the output wraps the commands of some tasks in scripts, so that of these \
states and order were compared, and not what is inside |
| different | clean, and not the same: a fault of pwxc |
"""
ROW = "| {source} | {target} | {files} | {unread} | {refused} | {warned} | {clean} | {proved} | {tried} | {order} | {different} |"  # noqa: E501
TABLE = """
| from | to | files | unread | refused | warned | clean | proved | tried | by place | different |
|---|---|---|---|---|---|---|---|---|---|---|
"""
BROKEN = """
## Broken compilers

`make mutate` breaks a copy of the compiler on purpose, in one place at a time (an edge is dropped, a time unit is
wrong, a quote is missing), and runs the tests that are near. A mutation is noticed when one of them fails. The list is
in `tests/mutation`; a mutation that no longer fits the source is an error, so that the list cannot go stale.
"""


def pages() -> dict[str, str]:
    """Give the page and its record."""
    record: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.is_file() else {}
    corpus = _counted() or record.get("corpus", {})
    fingerprint = _survey().fingerprint() or record.get("fingerprint", "")
    record = {"corpus": corpus, "fingerprint": fingerprint, "mutation": record.get("mutation", {})}
    text = HEAD + _corpus(record["corpus"]) + BROKEN + _mutation(record["mutation"])
    return {"conformance.md": text, RECORD.name: json.dumps(record, indent=1, sort_keys=True) + "\n"}


def _counted() -> Any:
    """Count what became of the corpus; None where there is no corpus."""
    return _survey().numbers()


def is_about_this_corpus() -> bool:
    """Whether the page counts the files that are here; about others it cannot be checked."""
    record: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return _survey().fingerprint() in ("", record.get("fingerprint", ""))


def _survey() -> ModuleType:
    """Give the module that the tests use."""
    sys.path.insert(0, str(HERE.parent))
    try:
        from tests.contract import corpus
    finally:
        sys.path.remove(str(HERE.parent))
    return corpus


def _corpus(corpus: dict[str, dict[str, dict[str, int]]]) -> str:
    rows = [
        ROW.format(source=source, target=target, **{name: counts.get(name, 0) for name in ("files", *ENDS, *VERDICTS)})
        for source, targets in corpus.items()
        for target, counts in targets.items()
    ]
    total = {
        name: sum(counts.get(name, 0) for targets in corpus.values() for counts in targets.values())
        for name in ("files", *ENDS, *VERDICTS)
    }
    rows.append(ROW.format(source="**all**", target="", **total))
    kept = total["proved"] + total["tried"] + total["order"]
    said = f"{total['clean']:,} of {total['files']:,} pairs of a file and a system are clean, {kept:,} equivalent."
    return TABLE + "\n".join(rows) + f"\n\n{said}\n"


def _mutation(score: dict[str, Any]) -> str:
    if not score:
        return "\nNo run is recorded.\n"
    columns = ("all", "tried", "noticed")
    whole = {name: sum(counts[name] for counts in score["areas"].values()) for name in columns}
    rows = [
        f"| {area} | " + " | ".join(str(counts[name]) for name in columns) + " |"
        for area, counts in {**score["areas"], "**all**": whole}.items()
    ]
    lived = "".join(f"\n* {name}" for name in score["lived"])
    text = "\n| part | mutations | tried | noticed |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    return text + (f"\nNot noticed:\n{lived}\n" if lived else "")
