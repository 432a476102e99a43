"""Words of a shell into values that are known, that are inputs, or that are ids of submitted jobs."""

from __future__ import annotations

import re
from collections.abc import Callable

import attrs

from pwxc.shell.words import brace_end, parenthesis_end
from pwxc_targets.slurm.drivers.arithmetic import NotKnownError, evaluate
from pwxc_targets.slurm.drivers.marks import CARRIED, INPUT, SWEEP, UNKNOWN, is_fixed, mark
from pwxc_targets.slurm.drivers.modification import modified

_NAME = re.compile(r"[A-Za-z_]\w*|[0-9@*#?$!-]")
_BRACED = re.compile(r"([!#]?)([A-Za-z_]\w*|\d+|[@*#?$!-])(\[.*?\])?(.*)", re.DOTALL)
_SLICE = re.compile(r":(?![-=?+])\s*([^:]+)(?::(.*))?\Z", re.DOTALL)
_RANGE = re.compile(r"\{(-?\d+)\.\.(-?\d+)(?:\.\.(-?\d+))?\}")
_ALTERNATIVES = re.compile(r"(?<!\$)\{((?:[^{}'\"$`\s]*,)+[^{}'\"$`\s]*)\}")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "e": "\x1b", "0": "\0"}
MOST_WORDS = 10_000
ALL = "all"
"""The start of the key under which a list holds what every turn of a loop appended."""

Key = str


@attrs.define
class State:
    """What a shell knows: its variables, lists, arguments, and where it stands."""

    values: dict[str, str] = attrs.field(factory=dict)
    lists: dict[str, dict[Key, str]] = attrs.field(factory=dict)
    exported: dict[str, None] = attrs.field(factory=dict)
    arguments: list[str] | None = None
    shifted: int = 0
    folder: str = ""
    keyed: set[str] = attrs.field(factory=set)

    def copy(self) -> State:
        """Give a copy that a subshell may change."""
        lists = {name: dict(items) for name, items in self.lists.items()}
        arguments = None if self.arguments is None else list(self.arguments)
        return State(
            dict(self.values), lists, dict(self.exported), arguments, self.shifted, self.folder, set(self.keyed)
        )


@attrs.define
class Expander:
    """Works out words. `substitute` runs a command and gives what it prints; `refuse` is told of a value of a sweep
    that something other than a plain use is made of; `find_item` finds an item of a list under a key with a mark.
    """

    state: State
    script: str
    assigned: frozenset[str]
    substitute: Callable[[str], str]
    refuse: Callable[[str], None]
    find_item: Callable[[dict[Key, str], Key], str | None]
    inputs: dict[str, str | None] = attrs.field(factory=dict)

    def words(self, word: str) -> list[str]:
        """Give the words that a word becomes: what is outside quotes is split at blanks."""
        found: list[str] = []
        for item in _braces(word):
            found.extend(self._fields(item))
        return found

    def value(self, word: str) -> str:
        """Give the value of a word that is not split."""
        return "".join(" ".join(part) if isinstance(part, list) else part for part, _ in self._parts(word))

    def document(self, text: str) -> str:
        """Give the text of a here-document in which variables are replaced."""
        return "".join(
            " ".join(part) if isinstance(part, list) else part for part, _ in self._quoted(text, 0, len(text), "$`\\")
        )

    def number(self, text: str) -> str:
        """Give the value of an arithmetic text as digits; a mark when it is not known."""
        expanded = self.value(text).strip()
        if re.fullmatch(f"{SWEEP}[^{SWEEP}]*{SWEEP}", expanded):
            return expanded
        if (plain := self.state.values.get(expanded, "")) and re.fullmatch(f"{SWEEP}[^{SWEEP}]*{SWEEP}", plain):
            return plain
        if not is_fixed(expanded):
            self.refuse(expanded)
            return UNKNOWN
        try:
            return str(evaluate(expanded, self._operand))
        except NotKnownError:
            return UNKNOWN

    def _operand(self, name: str) -> str:
        value = self.plain(name)
        if not is_fixed(value):
            self.refuse(value)
        return value

    # words and their parts

    def _fields(self, word: str) -> list[str]:
        fields: list[str] = []
        current: str | None = None
        blanks = self.state.values.get("IFS", " \t\n")
        for part, splits in self._parts(word):
            if isinstance(part, list):
                for place, item in enumerate(part):
                    if place and current is not None:
                        fields.append(current)
                        current = None
                    current = (current or "") + item
            elif not splits:
                current = (current or "") + part
            else:
                current = self._split(part, blanks, fields, current)
        return fields if current is None else [*fields, current]

    @staticmethod
    def _split(part: str, blanks: str, fields: list[str], current: str | None) -> str | None:
        pieces = re.split(f"[{re.escape(blanks)}]+", part) if blanks else [part]
        for place, piece in enumerate(pieces):
            if place and current is not None:
                fields.append(current)
                current = None
            if piece:
                current = (current or "") + piece
        return current

    def _parts(self, word: str) -> list[tuple[str | list[str], bool]]:
        """Give the parts of a word: texts, lists of texts, and whether a text is split at blanks."""
        parts: list[tuple[str | list[str], bool]] = []
        at = 0
        while at < len(word):
            letter = word[at]
            if letter == "'":
                stop = word.find("'", at + 1)
                stop = len(word) if stop < 0 else stop
                parts.append((word[at + 1 : stop], False))
                at = stop + 1
            elif word.startswith("$'", at):
                text, at = _ansi(word, at + 2)
                parts.append((text, False))
            elif letter == '"' or word.startswith('$"', at):
                at += 1 if letter == '"' else 2
                stop = _quote_end(word, at)
                inside = self._quoted(word, at, stop, '"$`\\')
                # `""` is a word, but `"$@"` without arguments is none
                parts.extend(inside if inside and all(part == [] for part, _ in inside) else [("", False), *inside])
                at = stop + 1
            elif letter == "\\":
                parts.append((word[at + 1 : at + 2].replace("\n", ""), False))
                at += 2
            elif letter in "$`":
                found, at = self._expansion(word, at, quoted=False)
                parts.append((found, True) if isinstance(found, str) else (found, False))
            else:
                parts.append((letter, False))
                at += 1
        return parts

    def _quoted(self, word: str, at: int, stop: int, special: str) -> list[tuple[str | list[str], bool]]:
        parts: list[tuple[str | list[str], bool]] = []
        while at < stop:
            letter = word[at]
            if letter == "\\":
                following = word[at + 1 : at + 2]
                kept = "" if following in special or following == "\n" else "\\"
                parts.append((kept + following.replace("\n", ""), False))
                at += 2
            elif letter in "$`":
                found, at = self._expansion(word, at, quoted=True)
                parts.append((found, False))
            else:
                parts.append((letter, False))
                at += 1
        return parts

    def _expansion(self, word: str, at: int, *, quoted: bool) -> tuple[str | list[str], int]:
        if word.startswith("$((", at) and (stop := _arithmetic_end(word, at + 3)) >= 0:
            return self.number(word[at + 3 : stop - 2]), stop
        if word.startswith("$(", at):
            stop = parenthesis_end(word, at + 2)
            return self.substitute(word[at + 2 : stop - 1]), stop
        if word[at] == "`":
            stop = at + 1
            while stop < len(word) and word[stop] != "`":
                stop += 2 if word[stop] == "\\" else 1
            return self.substitute(re.sub(r"\\([`$\\])", r"\1", word[at + 1 : stop])), stop + 1
        if word.startswith("${", at):
            stop = brace_end(word, at + 2)
            return self._braced(word[at + 2 : stop - 1], quoted=quoted), stop
        found = _NAME.match(word, at + 1)
        if found is None:
            return "$", at + 1
        name = found.group()
        if name == "@" or (name == "*" and not quoted):
            return self._arguments(), found.end()
        return self.plain(name), found.end()

    # parameters

    def _braced(self, text: str, *, quoted: bool) -> str | list[str]:
        found = _BRACED.fullmatch(text)
        if found is None:
            return UNKNOWN
        sign, name, index, rest = found.groups()
        if sign == "#" and not rest:
            return self._length(name, index)
        if sign == "!":
            return self._indirect(name, index, rest)
        if index in ("[@]", "[*]"):
            items = list(self.state.lists.get(name, {}).values()) if name in self.state.lists else None
            if items is None:
                items = [self.state.values[name]] if name in self.state.values else [UNKNOWN]
            if (slice_ := _SLICE.match(rest)) is not None:
                return self._sliced(name, items, slice_)
            changed = [modified(item, rest, self.value, self.refuse) for item in items] if rest else items
            return changed if index == "[@]" or not quoted else self._separator().join(changed)
        if name in "@*" and (not rest or _SLICE.match(rest)):
            found = _SLICE.match(rest)
            return self._arguments() if found is None else self._sliced(name, ["", *self._arguments()], found)
        value = self._item(name, index[1:-1]) if index else self.plain(name, rest)
        return self._default(name, value, rest) if rest else value

    def _sliced(self, name: str, items: list[str], found: re.Match[str]) -> list[str]:
        """Give some items of a list."""
        for key, item in self.state.lists.get(name, {}).items():
            if key.startswith(ALL):
                self.refuse(item)
        first, count = self.number(found.group(1)), self.number(found.group(2) or "0")
        if not re.fullmatch(r"-?\d+", first) or not re.fullmatch(r"\d+", count) or UNKNOWN in items:
            return [UNKNOWN]
        rest = items[int(first) :]
        return rest[: int(count)] if found.group(2) else rest

    def _default(self, name: str, value: str, rest: str) -> str:
        if rest.startswith((":=", "=")) and value == "":
            value = self.value(rest.partition("=")[2])
            self.state.values[name] = value
            return value
        return modified(value, rest, self.value, self.refuse)

    def _separator(self) -> str:
        return self.state.values.get("IFS", " ")[:1]

    def _length(self, name: str, index: str | None) -> str:
        if index in ("[@]", "[*]") and name in self.state.lists:
            items = self.state.lists[name]
            for key, item in items.items():
                if key.startswith(ALL) or not is_fixed(key):
                    self.refuse(item)
            return str(len(items))
        value = self.plain(name)
        if not is_fixed(value):
            self.refuse(value)
            return UNKNOWN
        return str(len(value))

    def _indirect(self, name: str, index: str | None, rest: str) -> str | list[str]:
        if index in ("[@]", "[*]") and name in self.state.lists:
            return list(self.state.lists[name])
        target = self.plain(name)
        if not is_fixed(target) or not target.isidentifier():
            self.refuse(target)
            return UNKNOWN
        return modified(self.plain(target, rest), rest, self.value, self.refuse)

    def key(self, name: str, index: str) -> Key:
        """Give the key that an index of a list means."""
        value = self.value(index)
        if is_fixed(value) and not re.fullmatch(r"-?\d+", value) and name not in self.state.keyed:
            value = self.number(value)
        return value

    def _item(self, name: str, index: str) -> str:
        if name == "BASH_SOURCE":
            return self.script
        items = self.state.lists.get(name)
        if items is None:
            return self.plain(name) if index == "0" else UNKNOWN
        key = self.key(name, index)
        if key in items:
            return items[key]
        found = self.find_item(items, key)
        if found is not None:
            return found
        if re.fullmatch(r"-\d+", key) and all(item.isdigit() for item in items) and int(key) >= -len(items):
            return list(items.values())[int(key)]
        for other, item in items.items():
            if other.startswith(ALL) or not is_fixed(other):
                self.refuse(item)
        if not is_fixed(key):
            self.refuse(key)
            return UNKNOWN
        return ""

    def _arguments(self) -> list[str]:
        return [UNKNOWN] if self.state.arguments is None else list(self.state.arguments)

    def plain(self, name: str, rest: str = "") -> str:
        """Give the value of a variable; what the script does not set is an input."""
        state = self.state
        if name in state.values:
            return state.values[name]
        if name in state.lists:
            return self._first(state.lists[name], rest)
        if name.isdigit():
            return self._argument(int(name), rest)
        if name in ("@", "*"):
            return UNKNOWN if state.arguments is None else self._separator().join(state.arguments)
        if name == "#":
            return UNKNOWN if state.arguments is None else str(len(state.arguments))
        if not name.isidentifier() or name in (
            "RANDOM",
            "SECONDS",
            "BASHPID",
            "PPID",
            "LINENO",
            "HOSTNAME",
            "EPOCHSECONDS",
        ):
            return UNKNOWN
        if name in ("PWD", "OLDPWD"):
            return state.folder or "."
        if name == "IFS":
            return " \t\n"
        if name in self.assigned:
            return ""
        return self._input(name, rest)

    def _first(self, items: dict[Key, str], rest: str) -> str:
        """Give the first item of a list; whether there is one can be told of a sweep too."""
        if "0" in items or not items:
            return items.get("0", "")
        gathered = next((item for key, item in items.items() if key.startswith(ALL)), "")
        if gathered and rest[:1] != "+" and rest[:2] != ":+":
            self.refuse(gathered)
        return gathered

    def _argument(self, number: int, rest: str) -> str:
        if number == 0:
            return self.script
        arguments = self.state.arguments
        if arguments is None:
            return self._input(f"arg{number + self.state.shifted}", rest)
        return arguments[number - 1] if number <= len(arguments) else ""

    def _input(self, name: str, rest: str) -> str:
        default: str | None = None
        if rest[:2] in (":-", ":=") or rest[:1] in ("-", "="):
            default = self.value(rest[2:] if rest[0] == ":" else rest[1:])
            default = default if is_fixed(default) else None
        if self.inputs.get(name) is None:
            self.inputs[name] = default
        return mark(INPUT, name)


def carried(name: str) -> str:
    """Give the mark of a value that comes from the turn before."""
    return mark(CARRIED, name)


def _arithmetic_end(word: str, at: int) -> int:
    depth = 0
    while at < len(word):
        if word.startswith("))", at) and depth == 0:
            return at + 2
        depth += (word[at] == "(") - (word[at] == ")")
        at += 1
    return -1


def _quote_end(word: str, at: int) -> int:
    while at < len(word) and word[at] != '"':
        if word[at] == "\\":
            at += 2
        elif word.startswith("$(", at):
            at = parenthesis_end(word, at + 2)
        elif word.startswith("${", at):
            at = brace_end(word, at + 2)
        elif word[at] == "`":
            at += 1
            while at < len(word) and word[at] != "`":
                at += 2 if word[at] == "\\" else 1
            at += 1
        else:
            at += 1
    return min(at, len(word))


def _ansi(word: str, at: int) -> tuple[str, int]:
    found: list[str] = []
    while at < len(word) and word[at] != "'":
        if word[at] == "\\":
            found.append(_ESCAPES.get(word[at + 1 : at + 2], word[at : at + 2]))
            at += 2
        else:
            found.append(word[at])
            at += 1
    return "".join(found), at + 1


def braced_range(word: str) -> tuple[int, int, int, int] | None:
    """Read `{FIRST..LAST..STEP}`; gives first, last, step, and how many digits the numbers have at least."""
    found = _RANGE.fullmatch(word)
    if found is None:
        return None
    first, last, step = int(found.group(1)), int(found.group(2)), abs(int(found.group(3) or 1)) or 1
    padded = any(re.match(r"-?0\d", part) for part in found.groups()[:2])
    width = max(len(found.group(1)), len(found.group(2))) if padded else 0
    return first, last, step if first <= last else -step, width


def _braces(word: str) -> list[str]:
    """Write braces out; what is quoted stays."""
    if "{" not in word or word[:1] in "'\"":
        return [word]
    ranged = _RANGE.search(word)
    listed = _ALTERNATIVES.search(word)
    found = min((item for item in (ranged, listed) if item), key=lambda item: item.start(), default=None)
    if found is None or word[: found.start()].count('"') % 2 or word[: found.start()].count("'") % 2:
        return [word]
    if found is listed:
        items = found.group(1).split(",")
    else:
        first, last, step, width = braced_range(found.group()) or (0, 0, 1, 0)
        if abs(last - first) // abs(step) >= MOST_WORDS:
            return [UNKNOWN]
        items = [str(number).zfill(width) for number in range(first, last + (1 if step > 0 else -1), step)]
    head, tail = word[: found.start()], _braces(word[found.end() :])
    if len(items) * len(tail) > MOST_WORDS:
        return [UNKNOWN]
    return [head + item + rest for item in items for rest in tail]
