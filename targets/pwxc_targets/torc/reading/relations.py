"""Who waits for whom: names, patterns and `${…}` variables of the jobs, resolved (torc.md §14, §15).

A sweep stays whole where a name means all its instances or the instance with the same values; where one instance
alone is meant, the sweep is written out and everything is resolved once more.
"""

from __future__ import annotations

import re
from typing import Any, cast

import attrs

from pwxc.diagnostics import Code, Diagnostics, did_you_mean
from pwxc.ir.template import Template
from pwxc.source import Span
from pwxc.yaml.nodes import Document, Node
from pwxc_targets.torc import regexes
from pwxc_targets.torc.model import Job, UserData
from pwxc_targets.torc.reading import codes as C  # noqa: N812
from pwxc_targets.torc.reading.selection import Found, Index, TooManyError, Unroll
from pwxc_targets.torc.records import Record

VARIABLE = re.compile(r"\$\{(files|user_data)\.(input|output)\.((?:[^{}]|\{[^{}]*\})+)\}")


@attrs.frozen
class Link:
    """A job uses a file or a datum."""

    record: Record
    same: bool
    output: bool
    datum: bool
    implied: bool = False
    span: Span | None = None


@attrs.define(eq=False)
class Links:
    """What one job is tied to."""

    blockers: dict[Record, tuple[bool, Span | None]] = attrs.field(factory=dict)
    items: dict[tuple[Record, bool], Link] = attrs.field(factory=dict)
    """By record and direction."""
    implied: dict[Record, tuple[bool, Span | None]] = attrs.field(factory=dict)
    """Blockers that follow from files and data."""

    def block(self, record: Record, same: bool, span: Span | None) -> None:
        """Add a blocker; one that is meant as a whole stays so."""
        known = self.blockers.get(record)
        self.blockers[record] = (same and (known is None or known[0]), known[1] if known else span)

    def use(self, link: Link) -> None:
        """Add a file or datum."""
        known = self.items.get((link.record, link.output))
        if known is None or (known.same and not link.same):
            self.items[link.record, link.output] = link


LISTS = (
    # exact list, patterns, the variable's words, output, datum
    ("input_files", "input_file_regexes", "files", False, False),
    ("output_files", "output_file_regexes", "files", True, False),
    ("input_user_data", "input_user_data_regexes", "user_data", False, True),
    ("output_user_data", "output_user_data_regexes", "user_data", True, True),
)


class Resolver:
    """Resolves all names of a workflow's jobs."""

    def __init__(
        self, document: Document, jobs: list[Record], files: list[Record], data: list[Record], limit: int
    ) -> None:
        self.document = document
        self.jobs, self.files, self.data = jobs, files, data
        self.limit = limit
        self.links: dict[Record, Links] = {}
        self.diagnostics = Diagnostics()
        self._unroll: dict[Record, None] = {}
        self._asked: list[tuple[Index, Template, Record]] = []

    def index(self) -> None:
        """Sort the records by name."""
        self.job_index = Index(self.jobs, self.limit)
        self.file_index = Index(self.files, self.limit)
        self.datum_index = Index(self.data, self.limit)

    def settle(self, selections: list[list[str]], patterns: list[list[str]]) -> Diagnostics:
        """Resolve until no sweep has to be written out any more; give the faults.

        `selections` and `patterns` are the job names and patterns of the actions, which may split sweeps too.
        """
        while True:
            self.index()
            self.diagnostics = Diagnostics()
            self._unroll = {}
            self.links = {record: self._links(record) for record in self.jobs}
            self._join_items()
            self._split_selected(selections, patterns)
            if not self._unroll or not self._write_out():
                return self.diagnostics

    def _join_items(self) -> None:
        """Let those that write a file or datum block those that read it."""
        writers: dict[Record, list[tuple[Record, Link]]] = {}
        for record, links in self.links.items():
            for link in links.items.values():
                if link.output:
                    writers.setdefault(link.record, []).append((record, link))
        for record, links in self.links.items():
            for link in links.items.values():
                if link.output:
                    continue
                for writer, written in writers.get(link.record, ()):
                    same = self._pairs_up(writer, written, record, link)
                    before = links.implied.get(writer)
                    links.implied[writer] = (same and (before is None or before[0]), link.span)

    def _pairs_up(self, writer: Record, written: Link, reader: Record, read: Link) -> bool:
        """Whether instances meet one by one; sweeps that share more than the item's parameters are written out."""
        if not (written.same and read.same):
            return False
        shared = writer.parameters.keys() & reader.parameters.keys()
        if shared != read.record.parameters.keys():
            self._unroll.update(dict.fromkeys((writer, reader)))
        return True

    def _split_selected(self, selections: list[list[str]], patterns: list[list[str]]) -> None:
        for names in selections:
            chosen: dict[Record, int] = {}
            for name in set(names):
                found = self.job_index.find(Template((name,) if name else ()), self.jobs[0]) if self.jobs else None
                if isinstance(found, Unroll):
                    chosen[found.records[0]] = chosen.get(found.records[0], 0) + 1
            self._unroll.update(dict.fromkeys(record for record, count in chosen.items() if count != record.size))
        for texts in patterns:
            for text in texts:
                try:
                    _, partial = self.job_index.select(regexes.compile(text))
                except (regexes.PatternError, TooManyError):
                    continue
                self._unroll.update(dict.fromkeys(partial))

    def _write_out(self) -> bool:
        """Replace the sweeps that have to be written out by their instances."""
        too_large = [record for record in self._unroll if record.size > self.limit]
        for record in too_large:
            self.refuse_size(record)
        if too_large or sum(record.size for record in self._unroll) > 10 * self.limit:
            return False
        for records in (self.jobs, self.files, self.data):
            if any(record in self._unroll for record in records):
                records[:] = [
                    single
                    for record in records
                    for single in (record.instances() if record in self._unroll else (record,))
                ]
        return True

    def refuse_size(self, record: Record) -> None:
        """Say that a sweep is too large to be written out or looked through."""
        self.diagnostics.add(
            C.TOO_MANY_INSTANCES,
            f"`{record.id}` has {record.size:,} instances, which would have to be written out one by one",
            _range_span(record),
            help=f"`--option torc.expansion_limit={record.size}` allows it",
        )

    def span(self, record: Record, *path: str | int) -> Span | None:
        """Give the place of a value of a record, or of the record."""
        node: Node | None = self.document.find(record.surface.node, *path)
        return self.document.span(node) if node is not None else record.span

    def _links(self, record: Record) -> Links:
        job = cast("Job", record.surface)
        links = Links()
        for number, name in enumerate(job.depends_on or ()):
            found = self._find(self.job_index, record, name, "depends_on", number, C.UNKNOWN_JOB, "job")
            if found is not None:
                links.block(found.record, found.same, self.span(record, "depends_on", number))
        if job.depends_on_regexes:
            given = {other for other, (same, _) in links.blockers.items() if not same or other.size == 1}
            for found_record, span in self._match(record, "depends_on_regexes", self.job_index, "job", given):
                links.block(found_record, False, span)
        for names_key, patterns_key, word, output, datum in LISTS:
            index = self.datum_index if datum else self.file_index
            self._link_items(record, links, (names_key, word, output, datum), index)
            if not getattr(job, patterns_key):
                continue
            given = {
                link.record
                for link in links.items.values()
                if link.output is output and link.datum is datum and (not link.same or link.record.size == 1)
            }
            for item, span in self._match(record, patterns_key, index, "datum" if datum else "file", given):
                if item.sweep is not None and item.parameters.keys() <= record.parameters.keys():
                    # the IR takes a file of the same sweep for the instance's own, but all are meant here
                    self._unroll[item] = None
                links.use(Link(item, False, output, datum, span=span))
        return links

    def _link_items(self, record: Record, links: Links, kind: tuple[str, str, bool, bool], index: Index) -> None:
        names_key, word, output, datum = kind
        job = cast("Job", record.surface)
        listed = list(getattr(job, names_key) or ())
        noun = "datum" if datum else "file"
        in_command = self.variables(record, job.command, word, output)
        if in_command:
            known = {found.record for found, _ in in_command}
            for number, name in enumerate(listed):
                found = index.find(record.text(name), record)
                if not (isinstance(found, Found) and found.record in known):
                    self._warn_replaced(record, names_key, number, name)
            listed = []
        for number, name in enumerate(listed):
            one = self._find(index, record, name, names_key, number, C.UNKNOWN_ITEM, noun)
            if one is not None:
                links.use(Link(one.record, one.same, output, datum, span=self.span(record, names_key, number)))
        in_script = self.variables(record, job.invocation_script or "", word, output)
        for one, span in in_command + in_script:
            links.use(Link(one.record, one.same, output, datum, implied=True, span=span))

    def _warn_replaced(self, record: Record, key: str, number: int, name: str) -> None:
        self.diagnostics.add(
            C.LIST_REPLACED,
            f"`{name}` in `{key}` of `{record.id}` counts for nothing: the variables of the command replace the list",
            self.span(record, key, number),
            help="name it by a variable in the command too, or use the variable nowhere",
        )

    def variables(self, record: Record, text: str, word: str, output: bool) -> list[tuple[Found, Span | None]]:
        """Give the files or data that the `${…}` of a text name, as far as they exist."""
        if "${" not in text:
            return []
        found: list[tuple[Found, Span | None]] = []
        for variable in VARIABLE.finditer(text):
            if variable[1] == word and (variable[2] == "output") == output:
                item = self.variable(record, variable)
                if item is not None:
                    found.append((item, self.span(record, "command")))
        return found

    def variable(self, record: Record, variable: re.Match[str]) -> Found | None:
        """Give what a `${…}` names; None when nothing has the name (torc then leaves the text as it is)."""
        index = self.file_index if variable[1] == "files" else self.datum_index
        found = index.find(record.text(variable[3]), record)
        if isinstance(found, Unroll):
            self._unroll.update(dict.fromkeys(found.records))
            return None
        if found is None or (variable[1] == "user_data" and not has_data(found.record)):
            return None
        return found

    def _find(
        self, index: Index, record: Record, name: str, key: str, number: int, code: Code, noun: str
    ) -> Found | None:
        found = index.find(record.text(name), record)
        if isinstance(found, Unroll):
            self._unroll.update(dict.fromkeys(found.records))
            return None
        if found is None:
            self.diagnostics.add(
                code,
                f"`{record.id}`: `{key}` names `{name}`, but there is no such {noun}",
                self.span(record, key, number),
                help=did_you_mean(name, [other.id for other in index.records[:2000]]),
            )
        return found

    def _match(
        self, record: Record, key: str, index: Index, noun: str, given: set[Record]
    ) -> list[tuple[Record, Span | None]]:
        """Give what the patterns of a list select; `given` is what is selected already, and grows."""
        found: list[tuple[Record, Span | None]] = []
        for number, raw in enumerate(getattr(record.surface, key) or ()):
            text = record.text(raw).literal
            span = self.span(record, key, number)
            if text is None:
                self._unroll[record] = None
                continue
            pattern = self._compile(text, record, key, span)
            if pattern is None:
                continue
            try:
                whole, partial = index.select(pattern)
            except TooManyError as fault:
                self.refuse_size(cast("Any", fault.args[0]))
                continue
            if not whole and not partial:
                message = f"`{record.id}`: no {noun} matches `{text}` of `{key}`"
                self.diagnostics.add(C.NOTHING_MATCHES, message, span)
            elif not partial and given.issuperset(whole):
                message = f"`{record.id}`: `{text}` of `{key}` selects nothing that is not selected already"
                self.diagnostics.add(C.NOTHING_NEW, message, span, help="torc refuses it: remove the pattern")
            given.update(whole)
            self._unroll.update(dict.fromkeys(partial))
            found.extend((other, span) for other in whole)
        return found

    def _compile(self, text: str, record: Record, key: str, span: Span | None) -> regexes.Pattern | None:
        try:
            return regexes.compile(text)
        except regexes.PatternError as fault:
            self.diagnostics.add(C.BAD_PATTERN, f"`{record.id}`: `{key}` has the bad pattern `{text}`: {fault}", span)
            return None


def has_data(record: Record) -> bool:
    """Whether a datum has a value from the start."""
    return isinstance(record.surface, UserData) and record.surface.data is not None


def _range_span(record: Record) -> Span | None:
    places = [item.span for item in record.sweep.parameters if item.span is not None] if record.sweep else []
    return places[0] if places else record.span
