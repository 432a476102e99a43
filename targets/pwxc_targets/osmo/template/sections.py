"""The column-0 sections of a templated file (osmo.md §3)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pwxc.diagnostics import Diagnostics, Related, did_you_mean
from pwxc.frozen import frozen
from pwxc.source import Span
from pwxc_targets.osmo.template import codes as C  # noqa: N812
from pwxc_targets.osmo.template.text import Lines

NAMES = ("workflow", "default-values", "version")
"""What may stand at the top of a file."""

KEYS_BELOW_WORKFLOW = frozenset(
    {"name", "tasks", "groups", "resources", "timeout", "labels", "pool", "backend"},
)
"""Keys that people put at the top though they belong below `workflow`."""

_HEAD = re.compile(r"^([a-zA-Z][a-zA-Z0-9_-]*):", re.MULTILINE)
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]*")
_INDENTED_DEFAULTS = re.compile(r"^[ \t]+default-values[ \t]*:", re.MULTILINE)


@frozen
class Section:
    """A column-0 key and all text up to the next one; offsets count characters of the text that was cut."""

    name: str
    start: int
    end: int


@frozen
class Sections:
    """The sections of a file, in order."""

    items: tuple[Section, ...]

    def get(self, name: str) -> Section | None:
        """Give the first section of a name."""
        return next((item for item in self.items if item.name == name), None)

    @property
    def start(self) -> int:
        """Where the first section begins; what stands above it is dropped."""
        return self.items[0].start if self.items else 0


def cut(text: str) -> Sections:
    """Cut a text at its column-0 keys."""
    heads = list(_HEAD.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)] * bool(heads)
    return Sections(tuple(Section(head[1], head.start(), end) for head, end in zip(heads, ends, strict=True)))


def indented_defaults(text: str) -> tuple[int, int] | None:
    """Find a `default-values:` that is not at column 0, where it is no section."""
    found = _INDENTED_DEFAULTS.search(text)
    return (found.end() - len(found[0].lstrip()), found.end()) if found is not None else None


def check(sections: Sections, lines: Lines, diagnostics: Diagnostics) -> None:
    """Report unknown, repeated and missing sections."""
    if sections.get("workflow") is None:
        missing_workflow(lines.span(0, 0), [item.name for item in sections.items], diagnostics, lines.text)
        return
    first: dict[str, Section] = {}
    for item in sections.items:
        span = lines.span(item.start, item.start + len(item.name))
        if item.name not in NAMES:
            unknown_top_level(item.name, span, diagnostics)
        elif item.name in first:
            earlier = first[item.name]
            before = lines.span(earlier.start, earlier.start + len(earlier.name))
            diagnostics.add(
                C.DUPLICATE_SECTION,
                f"`{item.name}` stands twice at the top level",
                span,
                help="join the two",
                related=(Related(before, "first here"),),
            )
        else:
            first[item.name] = item


def unknown_top_level(name: str, span: Span, diagnostics: Diagnostics) -> None:
    """Report a key at the top that OSMO refuses."""
    if name in KEYS_BELOW_WORKFLOW:
        way_out = f"indent it: `{name}` is a key of `workflow`"
    else:
        way_out = did_you_mean(name, NAMES)
    diagnostics.add(C.UNKNOWN_SECTION, f"`{name}` is not a top-level key of a workflow file", span, help=way_out)


def missing_workflow(span: Span, others: Sequence[str], diagnostics: Diagnostics, text: str = "") -> None:
    """Report that there is no `workflow`; `text` is that of a templated file."""
    way_out = "the specification stands below the key `workflow`"
    if re.search(r"""^\s*["']?workflow["']?\s*:""", text, re.MULTILINE) is not None:
        way_out = "in a file with template marks `workflow:` has to stand unquoted at the start of a line"
    elif KEYS_BELOW_WORKFLOW.intersection(others):
        way_out = "put everything below the key `workflow`"
    elif (near := next((name for name in others if did_you_mean(name, ["workflow"]).startswith("did")), "")) != "":
        way_out = f"is `{near}` meant to be `workflow`?"
    diagnostics.add(C.NO_WORKFLOW, "the file has no `workflow`", span, help=way_out)


def is_section_name(name: str) -> bool:
    """Whether the service would take a column-0 key of this name for a section."""
    return _NAME.fullmatch(name) is not None
