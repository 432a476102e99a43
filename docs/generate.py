"""Write the parts of the documentation that are made from the code; `make docs` runs this, a test holds them current.

Each entry of `PAGES` is a function that gives the texts of some files, by their names in this folder. Files that
nothing gives any more are removed from the folders in `OWNED`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import code_pages
import conformance_page
import matrix_page

HERE = Path(__file__).parent
PAGES: tuple[Callable[[], dict[str, str]], ...] = (code_pages.pages, matrix_page.pages, conformance_page.pages)
OWNED = ("codes",)
"""Folders in which every file is generated."""


def generated() -> dict[str, str]:
    """Give the text of every generated file, by its name in this folder."""
    return {name: text for make in PAGES for name, text in make().items()}


def strays(names: dict[str, str]) -> list[str]:
    """Give the files of owned folders that are not generated."""
    found = [path.relative_to(HERE).as_posix() for folder in OWNED for path in sorted((HERE / folder).rglob("*"))]
    return [name for name in found if name not in names]


def main() -> None:
    """Write the files beside this one, and remove those that are no longer made."""
    texts = generated()
    for name, text in texts.items():
        path = HERE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name in strays(texts):
        (HERE / name).unlink()


if __name__ == "__main__":
    main()
