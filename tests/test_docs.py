"""The documentation that is made from the code is current."""

from __future__ import annotations

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def test_generated_pages_are_current():
    """`make docs` makes them; a page that differs from what it would write is stale."""
    pages = runpy.run_path(str(DOCS / "generate.py"))["pages"]()
    assert pages
    assert [name for name, text in pages.items() if (DOCS / name).read_text() != text] == []
