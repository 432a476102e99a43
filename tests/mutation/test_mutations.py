"""The list of mutations fits the source."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.mutation.mutations import Mutation, mutations

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutation", mutations(), ids=lambda mutation: mutation.name)
def test_a_mutation_fits_in_one_place_and_leaves_a_program(mutation: Mutation):
    source = (ROOT / mutation.file).read_text()
    assert source.count(mutation.old) == 1
    broken = source.replace(mutation.old, mutation.new)
    assert broken != source
    compile(broken, mutation.file, "exec")


def test_every_part_is_broken_often_enough():
    assert min(Counter(mutation.area for mutation in mutations()).values()) >= 15
    assert len({mutation.name for mutation in mutations()}) == len(mutations())
