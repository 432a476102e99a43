"""The contract, for every file of the corpus: no error and no warning means equivalent."""

from __future__ import annotations

import pytest

from tests.contract.corpus import CORPUS, TARGETS, files, survey


@pytest.mark.corpus
@pytest.mark.parametrize("dialect", TARGETS)
def test_clean_output_means_what_its_source_means(dialect: str):
    if not files(dialect):
        pytest.skip(f"no corpus at {CORPUS} (PWXC_CORPUS)")
    faults = [
        f"{outcome.file} into {outcome.target}: {outcome.verdict}: {outcome.fault}"
        for outcome in survey(dialect)
        if outcome.end == "clean" and outcome.verdict in ("different", "unreadable")
    ]
    assert faults == []
