"""All 16 pairs over the whole corpus: nothing fails, whatever is kept or lost. The log ends with the counts."""

from __future__ import annotations

import pytest

from tests.pairs.sweep import CORPUS, SYSTEMS, Result, sweep

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS} (PWXC_CORPUS)"),
]


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_file_of_the_corpus_compiles_to_every_system(system: str, results: list[Result]) -> None:
    """No crash, nothing that is left out without a word, and no output that our own reader refuses."""
    found = list(sweep(system))
    results += found
    assert {result.to for result in found} >= set(SYSTEMS)
    assert [f"{result.file.name} to {result.to}: {result.why}" for result in found if result.outcome == "failed"] == []
