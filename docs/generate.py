"""Write the parts of the documentation that are made from the code: `codes.md`, a page of every diagnostic."""

from __future__ import annotations

from pathlib import Path

from pwxc.catalogue import catalogue, page

HEAD = """# Diagnostic codes

Made by `make docs` from the catalogue. `pwxc explain CODE` prints one of these.

"""


def main() -> None:
    """Write the pages beside this file."""
    rows = list(catalogue())
    links = [f"- [{row.id}](#{row.id.lower()}-{row.name}) {row.name} ({row.severity})" for row in rows]
    pages = [page(row).replace("\n## ", "\n### ").replace("# ", "## ", 1) for row in rows]
    path = Path(__file__).parent / "codes.md"
    path.write_text(HEAD + "\n".join(links) + "\n\n" + "\n".join(pages))


if __name__ == "__main__":
    main()
