"""The documentation that is made from the code is current."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from pwxc.catalogue import catalogue
from pwxc.cli import main

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    sys.path.insert(0, str(DOCS))
    try:
        import generate
    finally:
        sys.path.remove(str(DOCS))
    return generate


@pytest.fixture(scope="module")
def texts(generate: ModuleType) -> dict[str, str]:
    return generate.generated()


def test_generated_pages_are_current(generate: ModuleType, texts: dict[str, str]) -> None:
    """`make docs` makes them; a page that differs from what it would write is stale."""
    about_others = () if generate.conformance_page.is_about_this_corpus() else ("conformance.md", "conformance.json")
    stale = [
        name
        for name, text in texts.items()
        if name not in about_others and (not (DOCS / name).is_file() or (DOCS / name).read_text() != text)
    ]
    assert stale == [], "run `make docs`"


def test_no_page_is_left_over(generate: ModuleType, texts: dict[str, str]) -> None:
    assert generate.strays(texts) == [], "run `make docs`"


def test_every_code_has_a_page_and_a_line_in_the_index(texts: dict[str, str]) -> None:
    index = texts["codes/README.md"]
    for row in catalogue():
        assert f"[{row.id}]({row.id}.md) | {row.name} |" in index
        for part in ("What it means", "What to do", "Example"):
            assert f"\n## {part}\n\n" in texts[f"codes/{row.id}.md"], row.id


@pytest.mark.parametrize("number", [0, 100, 200, 300])
def test_a_page_is_what_explain_prints(number: int, texts: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    row = list(catalogue())[number]
    assert main(["explain", row.id]) == 0
    assert capfd.readouterr().out == texts[f"codes/{row.id}.md"]
