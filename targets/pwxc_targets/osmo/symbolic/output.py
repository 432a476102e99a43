"""A sketch as text, with the way back to the template."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

import attrs

from pwxc.diagnostics import Diagnostics
from pwxc.source import Source, Span
from pwxc.yaml.nodes import Document, compose
from pwxc_targets.osmo.symbolic.sketch import Sketch
from pwxc_targets.osmo.symbolic.tree import Expression
from pwxc_targets.osmo.template.loading import check_loadable
from pwxc_targets.osmo.template.text import Lines


@attrs.define(eq=False)
class Output:
    """The text of a sketch; usable as `Source.back`."""

    sketch: Sketch
    lines: Lines
    """What was read; its text is as long as the template."""
    text: str = ""
    starts: list[int] = attrs.field(factory=list)
    """Where each segment begins, and the end."""

    @classmethod
    def of(cls, sketch: Sketch, lines: Lines, fill: Callable[[Expression], str]) -> Output:
        """Write a sketch, with `fill` for what is open."""
        parts = [segment.text if segment.expr is None else fill(segment.expr) for segment in sketch.segments]
        starts = [0]
        for part in parts:
            starts.append(starts[-1] + len(part))
        return cls(sketch, lines, "".join(parts), starts)

    def __call__(self, start: int, end: int) -> Span:
        """Give the place that `text[start:end]` came from."""
        low, high = self._locate(start)
        if end <= start:
            return self.lines.span(low, low)
        last = self._locate(end - 1)
        return self.lines.span(min(low, last[0]), max(high, last[1]))

    def _locate(self, at: int) -> tuple[int, int]:
        if not self.sketch.segments:
            return 0, 0
        number = min(max(0, bisect_right(self.starts, at) - 1), len(self.sketch.segments) - 1)
        segment = self.sketch.segments[number]
        if not segment.literal:
            return segment.start, segment.end
        low = min(segment.start + at - self.starts[number], segment.end)
        return low, min(low + 1, segment.end)

    def document(self) -> Document | None:
        """Read the text as YAML."""
        source = Source(self.lines.source.name, self.text, self.lines.source.path, self)
        document = compose(source, Diagnostics())
        return document if document is not None and check_loadable(document, Diagnostics()) else None
