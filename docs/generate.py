"""Write the parts of the documentation that are made from the code: `codes.md`, a page of every diagnostic."""

from __future__ import annotations

from pathlib import Path

from pwxc.catalogue import catalogue, page

HEAD = """# Diagnostic codes

Made by `make docs` from the catalogue. `pwxc explain CODE` prints one of these.

"""


def pages() -> dict[str, str]:
    """Give the text of every generated file, by its name in this folder."""
    rows = list(catalogue())
    links = [f"- [{row.id}](#{row.id.lower()}-{row.name}) {row.name} ({row.severity})" for row in rows]
    texts = [page(row).replace("\n## ", "\n### ").replace("# ", "## ", 1) for row in rows]
    return {"codes.md": HEAD + "\n".join(links) + "\n\n" + "\n".join(texts)}


def main() -> None:
    """Write the files beside this one."""
    for name, text in pages().items():
        (Path(__file__).parent / name).write_text(text)


if __name__ == "__main__":
    main()
