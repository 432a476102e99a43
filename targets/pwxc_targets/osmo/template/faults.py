"""What went wrong in a template, told at its place in the file."""

from __future__ import annotations

import re
from collections.abc import Iterable

import attrs

from pwxc.diagnostics import Code, Diagnostics, Related, did_you_mean
from pwxc.source import Span
from pwxc_targets.osmo.template import codes as C  # noqa: N812
from pwxc_targets.osmo.template.names import uses
from pwxc_targets.osmo.template.render import Answer, Fault, Missing
from pwxc_targets.osmo.template.text import Lexeme, Lines, keyword, lex, tags

ESCAPE = "{% raw %}{{(dict(a=1)|string)[0]}}{% endraw %}"
"""A literal brace before `{`, `%` or `#` that survives both passes."""

_COSTLY = frozenset({"Time", "MemoryError", "Output", "Died", "RecursionError", "OverflowError"})
_WORDS = {
    "MemoryError": "rendering needs more memory than any workflow should",
    "RecursionError": "the template nests or recurses too deeply",
    "Died": "rendering fails without a word: it recurses too deeply or needs too much memory",
}
_LOOKED_AT = 20_000
"""How many lexemes are looked at where there are too many for Jinja."""
_BLOCKS = frozenset({"for", "if", "macro", "call", "filter", "with", "block", "autoescape"})
_TOKEN_WORDS = ("output", "input", "host", "workflow_id", "uuid")
_SECOND_PASS = "a file is rendered a second time, with the values of `--set` and without `default-values`"


@attrs.frozen
class Scene:
    """A template whose rendering failed, and what is known around it."""

    lines: Lines
    template: str
    known: tuple[str, ...] = ()
    """The names that have a value."""
    second: bool = False
    """Whether this is the second pass."""
    hint: str = ""
    """Help for an undefined name that is better than the usual one."""
    related: tuple[Related, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What every message about this template says besides."""
        return (_SECOND_PASS,) if self.second else ()


def report(answer: Answer, scene: Scene, diagnostics: Diagnostics) -> None:
    """Report all that an answer says is wrong."""
    costly = answer.fault is not None and answer.fault.kind in _COSTLY
    lexemes, _ = lex(scene.template, _LOOKED_AT if costly else None)
    for missing in answer.missing:
        _report_missing(missing, lexemes, scene, diagnostics)
    if answer.fault is not None and not answer.missing:
        _report_fault(answer.fault, lexemes, scene, diagnostics)


# names


def _report_missing(missing: Missing, lexemes: list[Lexeme], scene: Scene, diagnostics: Diagnostics) -> None:
    name = missing.name
    found = uses(lexemes, name)
    first = _used_first(found, missing.at, lexemes)
    span = scene.lines.span(first.start, first.end) if first else _tag_span(missing.at, lexemes, scene)
    others = [scene.lines.span(item.start, item.end) for item in found if item is not first]
    usual = f"give it with `--set {name}=VALUE`"
    if scene.second:
        ways_out = [f"{usual}; where the braces are meant as text, write the first of them as `{ESCAPE}`"]
    else:
        ways_out = [scene.hint or f"{usual}, or add it to `default-values`"]
    if name in _TOKEN_WORDS:
        ways_out.insert(0, f"a special token is written without blanks: `{{{{{name}}}}}`")
    elif (near := did_you_mean(name, scene.known)).startswith("did you mean"):
        ways_out.append(near)
    diagnostics.add(
        C.UNDEFINED_NAME,
        f"`{name}` is undefined: it has no default and no `--set`",
        span,
        notes=(*scene.notes, *_around(first, scene)),
        help="; ".join(ways_out),
        related=(*(Related(other, "used here too") for other in others), *scene.related),
    )


def _around(lexeme: Lexeme | None, scene: Scene) -> tuple[str, ...]:
    """Explain what the line around a name suggests."""
    if lexeme is None:
        return ()
    start = scene.template.rfind("\n", 0, lexeme.start) + 1
    before = scene.template[start : lexeme.start]
    notes = []
    if before.lstrip().startswith("#"):
        notes.append("comments are rendered too")
    if re.search(r"\$\{\{[^}]*$", before) is not None:
        notes.append("`${{ … }}` is another system's syntax; OSMO renders `{{ … }}` and keeps the `$`")
    return tuple(notes)


def _used_first(found: list[Lexeme], at: int | None, lexemes: list[Lexeme]) -> Lexeme | None:
    """Choose the use that failed: in the statement at `at`, else the first one."""
    if at is not None:
        low, high = _tag_range(at, lexemes)
        within = [item for item in found if low <= item.start < high]
        behind = [item for item in within if item.start >= at]
        if within:
            return (behind or within)[0]
    return found[0] if found else None


def _tag_range(at: int, lexemes: list[Lexeme]) -> tuple[int, int]:
    """Give the range of the tag in which an offset stands; an offset outside is a range of one character."""
    for tag in tags(lexemes):
        if tag[0].start <= at < tag[-1].end:
            return tag[0].start, tag[-1].end
    return at, at + 1


def _tag_span(at: int | None, lexemes: list[Lexeme], scene: Scene) -> Span:
    if at is None:
        return _suspect(lexemes, scene)
    return scene.lines.span(*_tag_range(at, lexemes))


# everything else


def _report_fault(fault: Fault, lexemes: list[Lexeme], scene: Scene, diagnostics: Diagnostics) -> None:
    if fault.kind.startswith("Template") and fault.kind.endswith("Error"):
        _report_syntax(fault, lexemes, scene, diagnostics)
        return
    code: Code = C.TEMPLATE_COSTLY if fault.kind in _COSTLY else C.TEMPLATE_FAILED
    message = _WORDS.get(fault.kind) or _quoted(_sentence(fault.message)) or f"rendering fails with {fault.kind}"
    way_out = ""
    span = _tag_span(fault.at, lexemes, scene)
    if "no loader" in fault.message:
        message, way_out = "nothing can be included: OSMO gives Jinja no loader", "write the text out"
    elif fault.kind == "SecurityError":
        way_out = "OSMO renders in a sandbox"
    elif fault.kind == "UndefinedError":
        code = C.UNDEFINED_NAME
        span = _attribute_span(fault, lexemes, scene) or span
    diagnostics.add(code, message, span, notes=scene.notes, help=way_out)


def _attribute_span(fault: Fault, lexemes: list[Lexeme], scene: Scene) -> Span | None:
    """Find the attribute that `'dict object' has no attribute 'x'` speaks of."""
    found = re.search(r"has no (?:attribute|element) (?:'(\w+)'|(\d+))", fault.message)
    if found is None or fault.at is None:
        return None
    low, high = _tag_range(fault.at, lexemes)
    name = found[1] or found[2]
    for lexeme in lexemes:
        if low <= lexeme.start < high and lexeme.text.strip("'\"") == name:
            return scene.lines.span(lexeme.start, lexeme.end)
    return None


def _report_syntax(fault: Fault, lexemes: list[Lexeme], scene: Scene, diagnostics: Diagnostics) -> None:
    _, stop = lex(scene.template)
    if stop is not None:
        low, high = stop.start, stop.end
    elif "nexpected end of template" in fault.message:
        low, high = _open_block(lexemes)
    else:
        low, high = _lexeme_at(fault.at, lexemes, scene.template)
    message = _sentence(fault.message).replace("Jinja was looking", "Jinja looks")
    diagnostics.add(
        C.TEMPLATE_SYNTAX,
        _headline(message),
        scene.lines.span(low, high),
        notes=(*scene.notes, *_details(message)),
        help=_syntax_help(low, lexemes, scene.template, message),
        related=_tag_above(low, lexemes, scene),
    )


def _tag_above(at: int, lexemes: list[Lexeme], scene: Scene) -> tuple[Related, ...]:
    """Point to the tag that is still open when a fault stands in a line below its beginning."""
    opening = next((item for item in reversed(lexemes) if item.start < at and item.kind.endswith("_begin")), None)
    if opening is None or "\n" not in scene.template[opening.start : at]:
        return ()
    closed = any(item.kind.endswith("_end") for item in lexemes if opening.start < item.start < at)
    return () if closed else (Related(scene.lines.span(opening.start, opening.end), "the tag begins here"),)


def _headline(message: str) -> str:
    return _quoted(message.split(". ", 1)[0])


def _quoted(message: str) -> str:
    return re.sub(r"'([^']*)'", r"`\1`", message)


def _details(message: str) -> tuple[str, ...]:
    _, _, rest = message.partition(". ")
    return (rest,) if rest else ()


def _lexeme_at(at: int | None, lexemes: list[Lexeme], template: str) -> tuple[int, int]:
    """Give the range of the lexeme at an offset; at the end of the text that of the tag that is still open."""
    if at is None:
        return 0, 1
    for lexeme in lexemes:
        if lexeme.start == at and lexeme.text.strip():
            return lexeme.start, max(lexeme.end, lexeme.start + 1)
    return at, min(at + 1, len(template))


def _open_block(lexemes: list[Lexeme]) -> tuple[int, int]:
    """Give the range of the innermost block tag that nothing closes."""
    opened: list[list[Lexeme]] = []
    for tag in tags(lexemes):
        word = keyword(tag)
        if word in _BLOCKS or (word == "set" and not any(item.text == "=" for item in tag)):
            opened.append(tag)
        elif word.startswith("end") and opened:
            opened.pop()
    if not opened:
        return 0, 1
    return opened[-1][0].start, opened[-1][-1].end


def _syntax_help(at: int, lexemes: list[Lexeme], template: str, message: str) -> str:
    start = max((item.start for item in lexemes if item.kind.endswith("_begin") and item.start <= at), default=at)
    opening = template[start : start + 2]
    inside = template[start + 2 : start + 80]
    if opening == "{#":
        text = "`{#` opens a Jinja comment, also in shell text such as `${#list[@]}`"
        return f"{text}; write the brace as `{ESCAPE}`"
    if (token := re.match(r"\s*(input|host)\s*:\s*([^}\s]+)\s*\}\}", inside)) is not None:
        return f"a special token is written without blanks: `{{{{{token[1]}:{token[2]}}}}}`"
    if (unknown := re.search(r"unknown tag '(\w+)'", message)) is not None:
        if unknown[1] in ("do", "break", "continue", "trans"):
            return f"`{unknown[1]}` needs an extension of Jinja, and OSMO loads none"
        return ""
    if (absent := re.search(r"[Nn]o (filter|test) named '(\w+)'", message)) is not None:
        return _known_filter(absent[1], absent[2])
    if template[start - 1 : start] == "$" and opening == "{{":
        return "`${{ … }}` is another system's syntax; OSMO renders `{{ … }}` as a Jinja expression"
    if opening == "{{":
        return f"where `{{{{` is meant as text, put a blank between the braces, or write the first as `{ESCAPE}`"
    return ""


def _known_filter(kind: str, name: str) -> str:
    from pwxc_targets.osmo.template.text import environment

    env = environment()
    known: Iterable[str] = env.filters if kind == "filter" else env.tests
    near = did_you_mean(name, [word for word in known if word.isidentifier()])
    return near if near.startswith("did you mean") else ""


def _sentence(message: str) -> str:
    message = " ".join(message.split()).rstrip(".")
    starts_lower = message[1:2].islower() or message[1:2] == " "
    return message[:1].lower() + message[1:] if starts_lower else message


def _suspect(lexemes: list[Lexeme], scene: Scene) -> Span:
    """Guess which tag is the costly one: a power, a product, a long number, else a loop, else the first tag."""

    def weight(tag: list[Lexeme]) -> int:
        texts = [item.text for item in tag]
        if "**" in texts:
            return 4
        if "*" in texts or any(item.kind == "integer" and len(item.text) > 4 for item in tag):
            return 3
        return 2 if texts[1:2] == ["for"] else 1

    all_tags = list(tags(lexemes))
    if not all_tags:
        return scene.lines.span(0, len(scene.template.split("\n", 1)[0]))
    worst = max(all_tags, key=weight)
    return scene.lines.span(worst[0].start, worst[-1].end)
