"""Words of a shell into values that are known, that are inputs, or that are ids of submitted jobs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

import attrs

from pwxc.shell.words import brace_end, parenthesis_end
from pwxc_targets.slurm.drivers.text.arithmetic import NotKnownError, evaluate
from pwxc_targets.slurm.drivers.text.braces import written_out
from pwxc_targets.slurm.drivers.text.marks import CARRIED, HERE, INPUT, LOGIN, MANY, SWEEP, UNKNOWN, is_fixed, mark
from pwxc_targets.slurm.drivers.text.modification import Refusals, modified
from pwxc_targets.slurm.drivers.text.patterns import GLOBS, IS_GLOB, MARKED, PLAIN, is_wide
from pwxc_targets.slurm.drivers.text.spelling import ansi_text, arithmetic_end, index_behind, quote_end, split_at
from pwxc_targets.slurm.drivers.text.state import Key, State

_NAME = re.compile(r"[A-Za-z_]\w*|[0-9@*#?$!-]")
_PARAMETER = re.compile(r"([!#]?)([A-Za-z_]\w*|\d+|[@*#?$!-])")
_SLICE = re.compile(r":(?![-=?+])\s*([^:]*)(?::(.*))?\Z", re.DOTALL)
_CHANGING = frozenset(["RANDOM", "SECONDS", "BASHPID", "PPID", "LINENO", "HOSTNAME", "EPOCHSECONDS", "SRANDOM", "-"])
_OF_LOGIN = frozenset(["HOME", "LOGNAME", "PATH", "SHELL", "USER"])
"""Variables that every login has, the same in a job: they are no inputs, and stay text of the shell."""
_OF_SOME_LOGINS = frozenset(["CPATH", "LANG", "LD_LIBRARY_PATH", "LIBRARY_PATH", "MANPATH", "PYTHONPATH", "TERM"])
"""Variables that many logins have."""
_PLAIN_LETTERS = re.compile(r"[^'\"\\$`*?\[]+")
ALL = "all"
"""The start of the key under which a list holds what every turn of a loop appended."""


class Surroundings(Refusals, Protocol):
    """What the expansion of words needs of the shell around it."""

    def substitute(self, text: str) -> str:
        """Run commands and give what they print."""

    def refuse_split(self, value: str, blanks: str) -> None:
        """Give up reading a loop as a sweep if a value of its variable would be cut into several words."""

    def find_item(self, items: dict[Key, str], key: Key) -> str | None:
        """Find the item of a list under a key with a mark."""

    def matching(self, pattern: str) -> list[str] | None:
        """Give the files that match a pattern; None if it is not known which there are."""

    def met(self, name: str) -> None:
        """Note where an input is met."""

    def unmatched(self, pattern: str) -> None:
        """Note that no file matches a pattern now."""

    def special(self, name: str) -> str:
        """Give the value of `$?` or `$!`."""


@attrs.define
class Expander:
    """Works out words.

    `assigned` are the variables that the script sets somewhere. Inputs in `frozen` are fixed; those in `made_up` stand
    for what a command prints (`date`), and those in `tested` were met in tests.
    """

    state: State
    script: str
    around: Surroundings
    frozen: frozenset[str] = frozenset()
    assigned: set[str] = attrs.field(factory=set)
    inputs: dict[str, str | None] = attrs.field(factory=dict)
    made_up: set[str] = attrs.field(factory=set)
    tested: set[str] = attrs.field(factory=set)

    def words(self, word: str) -> list[str]:
        """Give the words that a word becomes: what is outside quotes is split at blanks."""
        found: list[str] = []
        for item in written_out(word):
            for field in self._fields(item):
                found.extend(self._paths(field) if IS_GLOB.search(field) else [field])
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
            self.around.refuse(expanded)
            return UNKNOWN
        try:
            return str(evaluate(expanded, self._operand))
        except NotKnownError:
            return UNKNOWN

    def _operand(self, name: str) -> str:
        value = self.plain(name)
        if not is_fixed(value):
            self.around.refuse(value)
        return value

    # words and their parts

    def _fields(self, word: str) -> list[str]:
        fields: list[str] = []
        current: str | None = None
        blanks = self.state.values.get("IFS", " \t\n")
        for part, splits in self._parts(word, globs=True):
            if isinstance(part, list):
                for place, item in enumerate(part):
                    if place and current is not None:
                        fields.append(current)
                        current = None
                    if splits:
                        self.around.refuse_split(item, blanks)
                        current = split_at(item.translate(MARKED), blanks, fields, current)
                    else:
                        current = (current or "") + item
            elif not splits:
                current = (current or "") + part
            else:
                self.around.refuse_split(part, blanks)
                part = part.replace(UNKNOWN, UNKNOWN + MANY).replace(MANY + MANY, MANY)
                current = split_at(part.translate(MARKED), blanks, fields, current)
        return fields if current is None else [*fields, current]

    def _paths(self, pattern: str) -> list[str]:
        """Give the files that a word means. Without one, what there will be is known only when the driver runs."""
        plain = pattern.translate(PLAIN)
        wide = is_wide(pattern)
        if not is_fixed(plain.replace(HERE, "")):
            return [plain + UNKNOWN + MANY if wide else plain]
        found = self.around.matching(plain)
        if found:
            return found
        if wide and found is not None:
            self.around.unmatched(plain)
        return [UNKNOWN + MANY if wide else plain]

    def _parts(self, word: str, *, globs: bool = False) -> list[tuple[str | list[str], bool]]:
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
                text, at = ansi_text(word, at + 2)
                parts.append((text, False))
            elif letter == '"' or word.startswith('$"', at):
                at += 1 if letter == '"' else 2
                stop = quote_end(word, at)
                inside = self._quoted(word, at, stop, '"$`\\')
                # `""` is a word, but `"$@"` without arguments is none
                parts.extend(inside if inside and all(part == [] for part, _ in inside) else [("", False), *inside])
                at = stop + 1
            elif letter == "\\":
                parts.append((word[at + 1 : at + 2].replace("\n", ""), False))
                at += 2
            elif letter in "$`":
                found, at = self._expansion(word, at, quoted=False)
                parts.append((found, True))
            elif (run := _PLAIN_LETTERS.match(word, at)) is not None:
                parts.append((run.group(), False))
                at = run.end()
            else:
                parts.append((GLOBS[letter] if globs else letter, False))
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
        if word.startswith("$((", at) and (stop := arithmetic_end(word, at + 3)) >= 0:
            return self.number(word[at + 3 : stop - 2]), stop
        if word.startswith("$(", at):
            stop = parenthesis_end(word, at + 2)
            return self.around.substitute(word[at + 2 : stop - 1]), stop
        if word[at] == "`":
            stop = at + 1
            while stop < len(word) and word[stop] != "`":
                stop += 2 if word[stop] == "\\" else 1
            inside = r'\\([`$\\"])' if quoted else r"\\([`$\\])"
            return self.around.substitute(re.sub(inside, r"\1", word[at + 1 : stop])), stop + 1
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
        found = _PARAMETER.match(text)
        if found is None:
            return UNKNOWN
        sign, name = found.groups()
        index, rest = index_behind(text, found.end())
        name = self.state.target(name) if name.isidentifier() else name
        if sign == "#" and not rest:
            return self._length(name, index)
        if sign == "!":
            return self._indirect(name, index, rest)
        if index in ("@", "*"):
            changed = self._items(name, rest)
            return changed if index == "@" or not quoted else self._list_as_text(name, changed)
        if name in "@*" and (not rest or _SLICE.match(rest)):
            slice_ = _SLICE.match(rest)
            items = self._arguments() if slice_ is None else self._sliced(name, ["", *self._arguments()], slice_)
            return items if name == "@" or not quoted else self._separator().join(items)
        if index is None and rest[:1] in ("-", "=", "+") and self._is_set(name):
            return self.value(rest[1:]) if rest[0] == "+" else self.plain(name)
        value = self._item(name, index) if index is not None else self.plain(name, rest)
        return self._default(name, value, rest) if rest else value

    def _is_set(self, name: str) -> bool:
        """Whether a variable has a value, be it an empty one."""
        if name.isdigit():
            return 0 < int(name) <= len(self.state.arguments or ())
        return self.state.values.get(name) == "" or (name in self.state.values and is_fixed(self.state.values[name]))

    def _list_as_text(self, name: str, items: list[str]) -> str:
        """Join the items of a list; where one stands for many, what is between them has to say nothing."""
        between = self._separator()
        if between not in ":, ":
            for item in items:
                self.around.refuse_gathered(item)
        return between.join(items)

    def _items(self, name: str, rest: str) -> list[str]:
        """Give the items of a list, each with what stands behind the name done to it."""
        if name in self.state.lists:
            items = list(self.state.lists[name].values())
        elif name in self.state.values:
            items = [self.state.values[name]]
        else:
            items = [] if name in self.assigned else [UNKNOWN]
        if (slice_ := _SLICE.match(rest)) is not None:
            return self._sliced(name, items, slice_)
        if re.match(":?[-+=]", rest):
            if items:
                return [modified(items[0], rest, self.value, self.around)] if "+" in rest[:2] else items
            return [told] if (told := modified("", rest, self.value, self.around)) else []
        return [modified(item, rest, self.value, self.around) for item in items] if rest else items

    def _sliced(self, name: str, items: list[str], found: re.Match[str]) -> list[str]:
        """Give some items of a list."""
        for key, item in self.state.lists.get(name, {}).items():
            if key.startswith(ALL):
                self.around.refuse(item)
        first, count = self.number(found.group(1).strip() or "0"), self.number(found.group(2) or "0")
        if not re.fullmatch(r"-?\d+", first) or not re.fullmatch(r"\d+", count) or UNKNOWN in items:
            return [UNKNOWN]
        rest = items[int(first) :]
        return rest[: int(count)] if found.group(2) else rest

    def _default(self, name: str, value: str, rest: str) -> str:
        if rest.startswith((":=", "=")) and value == "":
            value = self.value(rest.partition("=")[2])
            self.state.values[name] = value
            return value
        return modified(value, rest, self.value, self.around)

    def _separator(self) -> str:
        return self.state.values.get("IFS", " ")[:1]

    def _length(self, name: str, index: str | None) -> str:
        if index in ("@", "*") and name not in self.state.lists and name in self.assigned:
            return "1" if name in self.state.values else "0"
        if index in ("@", "*") and name in self.state.lists:
            items = self.state.lists[name]
            for key, item in items.items():
                if key.startswith(ALL) or not is_fixed(key) or MANY in item:
                    self.around.refuse(item)
            return UNKNOWN if _is_open(items.values()) else str(len(items))
        value = self.plain(name) if index is None else self._item(name, index)
        if not is_fixed(value):
            self.around.refuse(value)
            return UNKNOWN
        return str(len(value))

    def _indirect(self, name: str, index: str | None, rest: str) -> str | list[str]:
        if index in ("@", "*") and name in self.state.lists:
            keys = list(self.state.lists[name])
            if _is_open(self.state.lists[name].values()):
                return [UNKNOWN + MANY]
            for key in keys:
                if key.startswith(ALL) or not is_fixed(key):
                    self.around.refuse(self.state.lists[name][key])
            return keys
        target = self.plain(name)
        if not is_fixed(target):
            self.around.refuse(target)
            return UNKNOWN
        named = re.fullmatch(r"(\w+)\[([@*])\]", target)
        if named is not None:
            return self._items(named.group(1), rest)
        if not target.isidentifier():
            return UNKNOWN
        return modified(self.plain(target, rest), rest, self.value, self.around)

    def key(self, name: str, index: str) -> Key:
        """Give the key that an index of a list means."""
        value = self.value(index)
        if is_fixed(value) and not re.fullmatch(r"0|-?[1-9]\d*", value) and name not in self.state.keyed:
            value = self.number(value)
        return value

    def _item(self, name: str, index: str) -> str:
        if name == "BASH_SOURCE":
            return self.script
        items = self.state.lists.get(name)
        if items is None:
            return self.plain(name) if index == "0" else "" if name in self.assigned else UNKNOWN
        key = self.key(name, index)
        if _is_open(items.values()) and name not in self.state.keyed:
            return UNKNOWN
        if key in items:
            return items[key]
        found = self.around.find_item(items, key)
        if found is not None:
            return found
        if re.fullmatch(r"-\d+", key) and all(item.isdigit() for item in items) and int(key) >= -len(items):
            return list(items.values())[int(key)]
        for other, item in items.items():
            if other.startswith(ALL) or not is_fixed(other):
                self.around.refuse(item)
        if not is_fixed(key):
            self.around.refuse(key)
            return UNKNOWN
        return ""

    def _arguments(self) -> list[str]:
        return [UNKNOWN] if self.state.arguments is None else list(self.state.arguments)

    def plain(self, name: str, rest: str = "") -> str:
        """Give the value of a variable; what the script does not set is an input."""
        state = self.state
        name = state.target(name) if name.isidentifier() else name
        if name in state.values:
            return state.values[name]
        if name in state.lists:
            return self._first(state.lists[name], rest)
        if name.isdigit():
            return self._argument(int(name), rest)
        if name in ("@", "*"):
            return UNKNOWN if state.arguments is None else self._separator().join(state.arguments)
        if name == "#":
            return UNKNOWN if state.arguments is None or _is_open(state.arguments) else str(len(state.arguments))
        if name in "?!":
            return self.around.special(name)
        if not name.isidentifier() or name in _CHANGING:
            return UNKNOWN
        return self._of_the_shell(name, rest)

    def _of_the_shell(self, name: str, rest: str) -> str:
        if name == "PWD":
            return here(self.state.folder)
        if name == "IFS":
            return " \t\n"
        if name == "BASH_SOURCE":
            return self.script
        if name.startswith("SLURM_") and re.match(":?-", rest):
            return ""  # a driver is no job
        if name in _OF_LOGIN or (name in _OF_SOME_LOGINS and not rest):
            self.around.met(name)
            return mark(LOGIN, name)
        if name in self.assigned or name in ("OLDPWD", "BASH_REMATCH", "REPLY", "OPTARG"):
            return ""
        return self.input(name, rest)

    def _first(self, items: dict[Key, str], rest: str) -> str:
        """Give the first item of a list; whether there is one can be told of a sweep too."""
        if "0" in items or not items:
            return items.get("0", "")
        gathered = next((item for key, item in items.items() if key.startswith(ALL)), "")
        if gathered and rest[:1] != "+" and rest[:2] != ":+":
            self.around.refuse(gathered)
        return gathered

    def _argument(self, number: int, rest: str) -> str:
        if number == 0:
            return self.script
        arguments = self.state.arguments
        if arguments is None:
            return self.input(f"arg{number + self.state.shifted}", rest)
        if _is_open(arguments[:number]):
            return UNKNOWN
        return arguments[number - 1] if number <= len(arguments) else ""

    def input(self, name: str, rest: str) -> str:
        """Make a variable an input, with the default that follows its name."""
        default: str | None = None
        if rest[:2] in (":-", ":=") or rest[:1] in ("-", "="):
            default = self.value(rest[2:] if rest[0] == ":" else rest[1:])
            default = default if is_fixed(default) else None
        self.around.met(name)
        if self.inputs.get(name) is None:
            self.inputs[name] = default
        elif default is not None and default != self.inputs[name]:
            return UNKNOWN  # without a value it is one thing here, and another there
        known = self.inputs[name]
        return known or "" if name in self.frozen else mark(INPUT, name)


def _is_open(items: Iterable[str]) -> bool:
    """Whether it is not known how many items there are."""
    return any(MANY in item for item in items)


def here(folder: str) -> str:
    """Give the whole path of a folder that is told from where the driver is called."""
    if not folder:
        return HERE
    return folder if folder.startswith(("/", INPUT, LOGIN, UNKNOWN, HERE)) else f"{HERE}/{folder}"


def carried(name: str) -> str:
    """Give the mark of a value that comes from the turn before."""
    return mark(CARRIED, name)
