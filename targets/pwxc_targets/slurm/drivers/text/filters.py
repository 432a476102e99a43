"""What filters make of a text: how drivers take the id out of what `sbatch` prints."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pwxc_targets.slurm.drivers.text.arithmetic import NotKnownError, evaluate
from pwxc_targets.slurm.drivers.text.expressions import compiled, expression
from pwxc_targets.slurm.drivers.text.streams import sed

Filter = Callable[[Sequence[str], str], "str | None"]


def files_of(name: str, words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Tell the options and the program of a filter from the files that it reads."""
    options: list[str] = []
    rest = list(words)
    takes = _TAKES.get(name, "")
    programs = _PROGRAMS.get(name, 0)
    while rest:
        word = rest[0]
        if word == "--":
            options, rest = [*options, word], rest[1:]
            break
        if len(word) < 2 or word[0] != "-":
            break
        own = not word.startswith("--") and word[-1] in takes and not (len(word) > 2 and word[1] in takes)
        if word[1] in "ef" and name in ("sed", "grep", "egrep", "awk", "gawk", "mawk"):
            programs = 0
        count = 2 if own else 1
        options, rest = [*options, *rest[:count]], rest[count:]
    return [*options, *rest[:programs]], rest[programs:]


_TAKES = {"awk": "Fv", "gawk": "Fv", "mawk": "Fv", "cut": "dfcb", "grep": "emA", "egrep": "emA", "sed": "ef",
          "head": "nc", "tail": "nc", "paste": "d", "sort": "kt", "column": "s"}  # fmt: skip
_PROGRAMS = {"awk": 1, "gawk": 1, "mawk": 1, "grep": 1, "egrep": 1, "sed": 1, "tr": 2}


def _lines(value: str) -> list[str]:
    return value.removesuffix("\n").split("\n") if value else []


def _joined(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


_PRINT = re.compile(
    r"\s*(?:(BEGIN|END|NR\s*==\s*\d+|NF|/(?:[^/\\]|\\.)*/)\s*)?(?:\{\s*(.*?)\s*;?\s*\})?\s*\Z", re.DOTALL
)
_PIECE = re.compile(r'\s*(?:\$(NF|\d+|\(NF(?:\s*-\s*\d+)?\))|(NF|NR)|"((?:[^"\\]|\\.)*)"|(,))')


def _awk(words: Sequence[str], value: str) -> str | None:
    separator: str | None = None
    rest = list(words)
    while rest and rest[0].startswith("-F"):
        separator = rest[0][2:] or (rest[1] if len(rest) > 1 else "")
        rest = rest[1 if rest[0][2:] else 2 :]
    found = _PRINT.match(rest[0]) if len(rest) == 1 and rest[0].strip() else None
    if found is None or found.group(1) == "BEGIN" or (separator is not None and len(separator.strip("\\")) != 1):
        return None
    separator = None if separator in (None, " ") else (separator or "").strip("\\")
    lines = _chosen(found.group(1) or "", _lines(value))
    if lines is None:
        return None
    told = [_printed(found.group(2) or "print", number, line, separator) for number, line in lines]
    return None if None in told else "".join(item or "" for item in told)


def _chosen(condition: str, lines: list[str]) -> list[tuple[int, str]] | None:
    numbered = list(enumerate(lines, 1))
    if condition == "END":
        return numbered[-1:]
    if condition.startswith("NR"):
        number = int(condition.rpartition("=")[2])
        return numbered[number - 1 : number]
    if condition == "NF":
        return [(number, line) for number, line in numbered if line.split()]
    if condition:
        pattern = expression(condition[1:-1], extended=True)
        return None if pattern is None else [(at, line) for at, line in numbered if pattern.search(line)]
    return numbered


def _printed(action: str, number: int, line: str, separator: str | None) -> str | None:
    name, _, rest = action.partition(" ") if " " in action else (action[:5], "", action[5:])
    if name.startswith("print$"):
        name, rest = "print", action[5:]
    if name != "print":
        return None
    rest = rest.strip()
    if rest.startswith("(") and rest.endswith(")"):
        rest = rest[1:-1].strip()
    fields = line.split(separator)
    told, at = "", 0
    while at < len(rest):
        found = _PIECE.match(rest, at)
        if found is None or found.end() == at:
            return None if rest[at:].strip() else told + "\n"
        told += _piece(found, fields, line, number)
        at = found.end()
    return (told if rest else line) + "\n"


def _piece(found: re.Match[str], fields: list[str], line: str, number: int) -> str:
    field, counter, literal, comma = found.groups()
    if comma:
        return " "
    if literal is not None:
        return literal.replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"')
    if counter:
        return str(len(fields) if counter == "NF" else number)
    if field == "0":
        return line
    place = int(field) if field.isdigit() else len(fields) - int(re.sub(r"\D", "", field) or 0)
    return line if place == 0 else fields[place - 1] if 0 < place <= len(fields) else ""


def _cut(words: Sequence[str], value: str) -> str | None:
    options = _cut_options(words)
    if options is None:
        return None
    kind, ranges, separator, quiet = options
    lines = []
    for line in _lines(value):
        if kind == "f" and separator not in line:
            lines.extend([] if quiet else [line])
            continue
        items = line.split(separator) if kind == "f" else list(line)
        kept = [item for place, item in enumerate(items, 1) if any(a <= place <= b for a, b in ranges)]
        lines.append((separator if kind == "f" else "").join(kept))
    return _joined(lines)


def _cut_options(words: Sequence[str]) -> tuple[str, list[tuple[int, int]], str, bool] | None:
    kind, text, separator, quiet = "", "", "\t", False
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word in ("-s", "--only-delimited"):
            quiet = True
            continue
        if word.startswith("-s"):
            quiet, word = True, f"-{word[2:]}"
        long = re.fullmatch(r"--(delimiter|fields|characters|bytes)=(.*)", word, re.DOTALL)
        letter = long.group(1)[0] if long else word[1:2]
        if not word.startswith("-") or letter not in "dfcb" or not letter:
            return None
        given = long.group(2) if long else word[2:] or (rest.pop(0) if rest else "")
        if letter == "d":
            separator = given
        else:
            kind, text = "f" if letter == "f" else "c", given
    ranges = []
    for part in text.split(","):
        found = re.fullmatch(r"(\d*)(-?)(\d*)", part)
        if found is None or not part.strip("-"):
            return None
        first = int(found.group(1) or 1)
        ranges.append((first, int(found.group(3) or 10**9) if found.group(2) else first))
    return (kind, ranges, separator, quiet) if kind and len(separator) == 1 else None


def _grep(words: Sequence[str], value: str) -> str | None:
    letters, patterns, most, rest = "", [], None, list(words)
    while rest:
        word = rest.pop(0)
        counted = re.fullmatch(r"-m(\d*)", word)
        if counted:
            most = int(counted.group(1) or rest.pop(0))
        elif re.fullmatch(r"-[oEPwivFhsa]+e?", word):
            letters += word[1:].rstrip("e")
            patterns += [rest.pop(0)] if word.endswith("e") and rest else []
        elif word == "-e" and rest:
            patterns.append(rest.pop(0))
        elif word.startswith("--only-matching"):
            letters += "o"
        elif word.startswith("--perl-regexp"):
            letters += "P"
        elif word.startswith("--extended-regexp"):
            letters += "E"
        elif word.startswith("-") and len(word) > 1:
            return None
        else:
            patterns.append(word)
    if len(patterns) != 1:
        return None
    pattern = _grep_pattern(patterns[0], letters)
    if pattern is None:
        return None
    lines = [line for line in _lines(value) if bool(pattern.search(line)) is not ("v" in letters)]
    lines = lines if most is None else lines[:most]
    if "o" in letters:
        lines = [found.group() for line in lines for found in pattern.finditer(line) if found.group()]
    return _joined(lines)


def _grep_pattern(text: str, letters: str) -> re.Pattern[str] | None:
    if "F" in letters:
        pattern: re.Pattern[str] | None = re.compile(re.escape(text))
    elif "P" in letters:
        kept = re.fullmatch(r"(.*?)\\K(.*)", text, re.DOTALL)
        if kept is not None and re.search(r"[*+?{|]", kept.group(1)):
            return None
        pattern = compiled(f"(?<={kept.group(1)}){kept.group(2)}" if kept is not None else text)
    else:
        pattern = expression(text, extended="E" in letters)
    if pattern is None:
        return None
    told = rf"\b(?:{pattern.pattern})\b" if "w" in letters else pattern.pattern
    return re.compile(told, re.IGNORECASE if "i" in letters else 0)


def _set(text: str) -> str | None:
    """Give the letters of a set of `tr`."""
    text = text.removeprefix("[").removesuffix("]") if re.fullmatch(r"\[\w-\w\]", text) else text
    text = re.sub(r"\[?\[:digit:\]\]?", "0123456789", text)
    text = re.sub(r"\[:space:\]", " \n\t\r\f\v", text)
    text = re.sub(r"\[:blank:\]", " \t", text)
    text = re.sub(r"\[:upper:\]", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", text)
    text = re.sub(r"\[:lower:\]", "abcdefghijklmnopqrstuvwxyz", text)
    if "[:" in text:
        return None
    text = text.replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\")
    return re.sub(r"([A-Za-z0-9])-([A-Za-z0-9])", _spread, text)


def _spread(found: re.Match[str]) -> str:
    return "".join(map(chr, range(ord(found.group(1)), ord(found.group(2)) + 1)))


def _tr(words: Sequence[str], value: str) -> str | None:
    letters = "".join(word[1:] for word in words if re.fullmatch(r"-[dcCst]+", word))
    letters += "d" * ("--delete" in words) + "s" * ("--squeeze-repeats" in words) + "c" * ("--complement" in words)
    sets = [_set(word) for word in words if not re.fullmatch(r"-[dcCst]+|--\w.*", word)]
    if not sets or None in sets or len(sets) > 2:
        return None
    known = [item or "" for item in sets]
    others = "c" in letters.lower()

    def within(letter: str) -> bool:
        return (letter in known[0]) is not others

    if "d" in letters:
        return "".join(letter for letter in value if not within(letter)) if "s" not in letters else None
    if "s" in letters:
        squeezed = re.sub(r"(.)\1+", lambda found: found.group(1) if within(found.group(1)) else found.group(), value,
                          flags=re.DOTALL)  # fmt: skip
        return squeezed if len(known) == 1 else _tr(known, squeezed)
    if len(known) != 2 or not known[1]:
        return None
    target = known[1] + known[1][-1] * (len(known[0]) - len(known[1]))
    if others:
        return "".join(target[-1] if within(letter) else letter for letter in value)
    return value.translate({ord(old): new for old, new in zip(known[0], target, strict=False)})


def _some_lines(words: Sequence[str], value: str, *, first: bool) -> str | None:
    found = re.fullmatch(r"(?:-n\s?|-|--lines=)(\d+)", " ".join(words)) if words else re.fullmatch("(10)", "10")
    if found is None:
        return None
    count, lines = int(found.group(1)), _lines(value)
    return _joined(lines[:count] if first else lines[max(0, len(lines) - count) :])


_PASTED = re.compile(
    r"(?:-s|--serial) ?(?:(?:-d ?|--delimiters=)(.))?(?: -)?|-sd ?(.)(?: -)?|-d ?(.) -s(?: -)?", re.DOTALL
)


def _paste(words: Sequence[str], value: str) -> str | None:
    text = " ".join(words)
    found = _PASTED.fullmatch(text)
    if found is None:
        return None
    between = next((item for item in found.groups() if item), "\t")
    return between.join(_lines(value)) + "\n"


def _sort(words: Sequence[str], value: str) -> str | None:
    lines = _lines(value)
    if not set(words) <= {"-u", "-r", "-n", "-ru", "-nu", "-V"}:
        return None
    letters = "".join(words)
    if "V" in letters or ("n" in letters and not all(re.fullmatch(r"\d+", line) for line in lines)):
        return None
    lines = sorted(lines, key=int if "n" in letters else None, reverse="r" in letters)
    return _joined(list(dict.fromkeys(lines)) if "u" in letters else lines)


def _count(words: Sequence[str], value: str) -> str | None:
    counts = {"-l": value.count("\n"), "-w": len(value.split()), "-c": len(value)}
    return f"{counts[words[0]]}\n" if len(words) == 1 and words[0] in counts else None


def _uniq(words: Sequence[str], value: str) -> str | None:
    lines = _lines(value)
    return None if words else _joined([line for at, line in enumerate(lines) if at == 0 or line != lines[at - 1]])


def _calculated(words: Sequence[str], value: str) -> str | None:
    """Give what `bc` makes of whole numbers."""
    if words or not re.fullmatch(r"[\d+*%/() \n-]*", value):
        return None
    try:
        return _joined([str(evaluate(line, lambda _: "")) for line in _lines(value) if line.strip()])
    except NotKnownError:
        return None


FILTERS: dict[str, Filter] = {
    "awk": _awk, "gawk": _awk, "mawk": _awk, "cut": _cut, "grep": _grep, "tr": _tr, "sed": sed, "paste": _paste,
    "egrep": lambda words, value: _grep(["-E", *words], value),
    "tail": lambda words, value: _some_lines(words, value, first=False),
    "head": lambda words, value: _some_lines(words, value, first=True),
    "bc": _calculated, "sort": _sort, "wc": _count, "uniq": _uniq,
    "tac": lambda words, value: None if words else _joined(_lines(value)[::-1]),
    "rev": lambda words, value: None if words else _joined([line[::-1] for line in _lines(value)]),
}  # fmt: skip


_EACH = re.compile(r"(?:-[eEr] )*s(.)(?:[^\\.*[^$+?(|\d]+\1[^\\&]*\1g|[ :,]\$\1\1|\^[ :,]\1\1)")


def keeps_all(name: str, words: Sequence[str]) -> bool:
    """Whether a filter treats every id in a text alike, so that one may stand for many."""
    text = " ".join(words)
    if name == "tr":
        return not re.search(r"\d|digit|-\w*[cC]", text)
    if name == "sed":
        return _EACH.fullmatch(text) is not None
    if name == "paste":
        return True
    return name == "grep" and text in ("-v ^$", "-v ^ *$", ".")
