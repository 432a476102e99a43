"""Expansions in shell scripts that stand without quotes where the shell splits them into words.

This is what shellcheck calls SC2086, found without running it: a scanner that knows quotes, comments, here-documents,
assignments, `[[ … ]]`, `(( … ))` and `case`, and gives up on a construct rather than report what may be right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import attrs

_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:\[[^]\n]*\])?([^}\n]*)\}|([0-9]))")
_HERE = re.compile(r"<<-?\s*(?:\\?([\w.-]+)|'([^'\n]+)'|\"([^\"\n]+)\")")
_ASSIGNMENT = re.compile(r"(?:[A-Za-z_]\w*(?:\[[^]\n]*\])?\+?=)")
_WORD = re.compile(r"[^\s;&|()<>\"'`$\\]+")
_CASE = re.compile(r"[^\n;]*?\sin\b")
_LOOP = re.compile(r"[ \t]+\w+[ \t]+in\b(?:[^\n;$]|\$(?!\())*")
_DECLARING = frozenset({"export", "local", "declare", "readonly", "typeset"})
_STARTS = frozenset({"if", "then", "else", "elif", "while", "until", "do", "!", "{", "time"})
_NEVER_SPLIT = frozenset({"OUTPUTS", "RANDOM", "SECONDS", "UID", "EUID", "PPID", "LINENO", "OPTIND", "SHLVL"})
"""Numbers, and the platform's own file, whose name has no blanks."""

_ASSIGNED = re.compile(
    r"(?<![\w$\"'=.-])([A-Za-z_]\w*)\+?=(\$\(\([^\n]*?\)\)|\$[?!#$]|\"[^\"\n]*\"|'[^'\n]*'|\$\{[^}\n]*\}|[^\s;&|)]*)"
)
_SET_OTHERWISE = re.compile(r"\b(?:read(?:\s+-\w+)*|for|mapfile|select)(?:[ \t]+[A-Za-z_]\w*)+")
_PLAIN = re.compile(r"[\w./:@%+,=-]*|\$[?!#$]|\$\(\(.*\)\)")
"""Values in which there is nothing to split: words, and the shell's own numbers."""


@attrs.frozen
class Unquoted:
    """An expansion `text[low:high]` of a variable."""

    name: str
    low: int
    high: int


def find_unquoted(text: str) -> list[Unquoted]:
    """Give the expansions that the shell splits, in order; not those of variables that only get harmless values."""
    found = list(_Scanner(text).run())
    harmless = _harmless(text) if found else frozenset()
    return [item for item in found if item.name not in harmless]


def blank_documents(text: str) -> str:
    """Give a script with its here-documents blanked out, everything else in its place."""
    scanner = _Scanner(text)
    for _ in scanner.run():
        pass
    for low, high in scanner.documents:
        text = text[:low] + " " * (high - low) + text[high:]
    return text


def _harmless(text: str) -> frozenset[str]:
    """Give the variables to which the script assigns nothing but numbers and plain words."""
    values: dict[str, list[str]] = {}
    for assigned in _ASSIGNED.finditer(text):
        values.setdefault(assigned[1], []).append(assigned[2])
    for other in _SET_OTHERWISE.finditer(text):
        for name in other.group().split()[1:]:
            values.setdefault(name, []).append("$other")
    safe: set[str] = set()
    while True:
        more = {
            name
            for name, given in values.items()
            if name not in safe and all(_is_plain(value, safe) for value in given)
        }
        if not more:
            return frozenset(safe)
        safe |= more


def _is_plain(value: str, safe: set[str]) -> bool:
    bare = value[1:-1] if value[:1] in ("'", '"') else value
    names = [found[1] or found[2] for found in _VARIABLE.finditer(bare)] if value[:1] != "'" else []
    rest = _VARIABLE.sub("", bare) if names else bare
    if any(name not in safe for name in names):
        return False
    return _PLAIN.fullmatch(rest) is not None


@attrs.define
class _Scanner:
    text: str
    at: int = 0
    begins: bool = True
    """A command may begin here, so an assignment may stand here."""
    declares: bool = False
    """The command is `export` or alike, whose arguments are assignments."""
    bare: int = 0
    """How many constructs are open in which nothing is split."""
    substitutions: list[tuple[bool, bool]] = attrs.field(factory=list)
    pending: list[tuple[str, bool]] = attrs.field(factory=list)
    """The ends of the here-documents that begin after this line, and whether they may be indented."""
    documents: list[tuple[int, int]] = attrs.field(factory=list)
    """Where the here-documents are that were passed."""

    def run(self) -> Iterator[Unquoted]:
        text, end = self.text, len(self.text)
        while self.at < end:
            character = text[self.at]
            if character == "$":
                yield from self._dollar()
            elif character in " \t":
                self.at += 1
            elif character == "\n":
                self._line_end()
            elif character == "#" and (self.at == 0 or text[self.at - 1] in " \t\n;&|("):
                self._comment()
            elif character == "\\":
                self.at += 2
            elif character == "'":
                self._skip_to("'")
            elif character == '"':
                yield from self._double()
            elif character == "`":
                self.at += 1
                self.begins = True
            elif character in ";&|()<>":
                self._operator(character)
            else:
                yield from self._word()

    # quotes and lines

    def _skip_to(self, closing: str) -> None:
        found = self.text.find(closing, self.at + 1)
        self.at = len(self.text) if found < 0 else found + 1
        self.begins = False

    def _double(self) -> Iterator[Unquoted]:
        """Go over a text in double quotes; commands in it have words of their own."""
        start, self.begins = self.at + 1, False
        self.at = _end_of_double(self.text, start)
        for low, high in _commands(self.text, start, self.at):
            yield from (
                attrs.evolve(item, low=item.low + low, high=item.high + low)
                for item in _Scanner(self.text[low:high]).run()
            )

    def _comment(self) -> None:
        found = self.text.find("\n", self.at)
        self.at = len(self.text) if found < 0 else found

    def _line_end(self) -> None:
        self.at += 1
        self._command()
        for word, indented in self.pending:
            self._here_document(word, indented)
        self.pending.clear()

    def _here_document(self, word: str, indented: bool) -> None:
        start = self.at
        while self.at < len(self.text):
            stop = self.text.find("\n", self.at)
            stop = len(self.text) if stop < 0 else stop
            line = self.text[self.at : stop]
            self.at = min(stop + 1, len(self.text))
            if (line.lstrip("\t") if indented else line) == word:
                break
        self.documents.append((start, self.at))

    def _command(self) -> None:
        self.begins, self.declares = True, False

    # words and operators

    def _operator(self, character: str) -> None:
        text = self.text
        if character == "<" and text.startswith("<<", self.at) and not text.startswith("<<<", self.at):
            found = _HERE.match(text, self.at)
            if found is not None:
                self.pending.append((found[1] or found[2] or found[3], text.startswith("<<-", self.at)))
                self.at = found.end()
                return
        if text.startswith("<<<", self.at):
            self.at += 3
            self._skip_one_word()
        elif character in "<>":
            self.at += 1
        elif text.startswith("((", self.at) and self.begins:
            self.at = _end_of_arithmetic(text, self.at + 2)
            self.begins = False
        elif character == ")" and self.substitutions:
            self.at += 1
            self.begins, self.declares = self.substitutions.pop()
        else:
            self.at += 1
            self._command()

    def _skip_one_word(self) -> None:
        found = re.compile(r"\s*(?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\s;&|)]+)").match(self.text, self.at)
        self.at = found.end() if found is not None else self.at

    def _word(self) -> Iterator[Unquoted]:
        found = _WORD.match(self.text, self.at)
        assert found is not None
        word, start = found.group(), self.at
        self.at = found.end()
        if word == "[[":
            self.bare += 1
        elif word == "]]":
            self.bare = max(0, self.bare - 1)
        if self.begins and word == "case":
            self._pass_over(_CASE)
        elif self.begins and word in ("for", "select"):
            self._pass_over(_LOOP)
        elif self.begins and word in _DECLARING:
            self.begins, self.declares = False, True
        elif self.begins and word in _STARTS:
            return
        elif (self.begins or self.declares) and (assigned := _ASSIGNMENT.match(self.text, start)) is not None:
            yield from self._value(assigned.end())
        else:
            self.begins = False

    def _value(self, at: int) -> Iterator[Unquoted]:
        """Go over the value of an assignment, which is not split; commands in it are."""
        self.at = at
        if self.text.startswith("(", at):
            # the items of an array are split
            self.substitutions.append((True, self.declares))
            self.at += 1
            self.begins = False
            return
        while self.at < len(self.text) and self.text[self.at] not in " \t\n;&|)":
            character = self.text[self.at]
            if character == "'":
                self._skip_to("'")
            elif character == '"':
                yield from self._double()
            elif character == "\\":
                self.at += 2
            elif character == "`":
                found = self.text.find("`", self.at + 1)
                self.at = len(self.text) if found < 0 else found + 1
            elif self.text.startswith("$((", self.at):
                self.at = _end_of_arithmetic(self.text, self.at + 3)
            elif self.text.startswith("$(", self.at):
                self.substitutions.append((True, self.declares))
                self.at += 2
                self._command()
                return
            elif (expansion := _VARIABLE.match(self.text, self.at)) is not None:
                self.at = expansion.end()
            else:
                self.at += 1
        self.begins = True

    def _pass_over(self, words: re.Pattern[str]) -> None:
        """Go over words that are not split, or are meant to be: `case WORD in`, `for NAME in WORDS`."""
        found = words.match(self.text, self.at)
        self.at = found.end() if found is not None else self.at
        self._command()

    # expansions

    def _dollar(self) -> Iterator[Unquoted]:
        text, at = self.text, self.at
        if text.startswith("$'", at):
            self.at = _end_of_dollar_quote(text, at + 2)
            self.begins = False
            return
        if text.startswith("$((", at):
            self.at = _end_of_arithmetic(text, at + 3)
            self.begins = False
            return
        if text.startswith("$(", at):
            self.substitutions.append((False, self.declares))
            self.at += 2
            self._command()
            return
        found = _VARIABLE.match(text, at)
        names_command, self.begins = self.begins, False
        if found is None:
            self.at += 2 if text[at + 1 : at + 2] in "?#$!@*-" else 1
            return
        self.at = found.end()
        name = found[1] or found[2] or found[4]
        if not (self.bare or self.declares or names_command) and name not in _NEVER_SPLIT and _splits(found[3] or ""):
            yield Unquoted(name, at, found.end())


def _splits(operation: str) -> bool:
    """Whether `${NAME…}` is split: `${NAME:+…}` is written without quotes on purpose."""
    return not operation.startswith((":+", "+", "@"))


def _end_of_double(text: str, at: int) -> int:
    """Give the place behind a text in double quotes, in which commands may hold quotes of their own."""
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text[at] == '"':
            return at + 1
        elif text.startswith("$(", at):
            at = _end_of_command(text, at + 2)
        else:
            at += 1
    return len(text)


def _commands(text: str, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Give the places of the commands in a text in double quotes."""
    while at < end:
        if text[at] == "\\":
            at += 2
        elif text.startswith("$(", at) and not text.startswith("$((", at):
            stop = _end_of_command(text, at + 2)
            yield at + 2, stop - 1
            at = stop
        else:
            at += 1


def _end_of_command(text: str, at: int) -> int:
    depth = 1
    while at < len(text) and depth:
        character = text[at]
        if character == "\\":
            at += 1
        elif character == "'":
            found = text.find("'", at + 1)
            at = len(text) if found < 0 else found
        elif character == '"':
            at = _end_of_double(text, at + 1) - 1
        elif character in "()":
            depth += 1 if character == "(" else -1
        at += 1
    return min(at, len(text))


def _end_of_arithmetic(text: str, at: int) -> int:
    found = text.find("))", at)
    return len(text) if found < 0 else found + 2


def _end_of_dollar_quote(text: str, at: int) -> int:
    while at < len(text) and text[at] != "'":
        at += 2 if text[at] == "\\" else 1
    return min(at + 1, len(text))
