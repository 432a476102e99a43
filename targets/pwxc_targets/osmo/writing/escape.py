"""Literal text that survives both of OSMO's passes and the YAML dump between them (osmo.md §4, §11, §30)."""

from __future__ import annotations

import json
import re

from pwxc_targets.osmo.template.text import LOOSE_TOKEN
from pwxc_targets.osmo.tokens import TOKEN

VALUE_BRACE = "{{(dict(a=1)|string)[0]}}"
"""A brace in text that only the second pass renders: no quote and no blank, so that no dump can change it."""
BRACE = "{% raw %}" + VALUE_BRACE + "{% endraw %}"
"""A brace in text that both passes render."""

_OPENING = re.compile(r"\{(?=[{%#])")
_DOLLAR = re.compile(r"\$(?=[$(])")
_STRANGE = re.compile("[^\t\n -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def escape(text: str, *, before_mark: bool = False) -> str:
    """Write literal text for both passes; `before_mark` says that a mark of the template follows it at once."""
    if "{" not in text:
        return text
    found = _OPENING.sub(lambda _: BRACE, text)
    return found[:-1] + BRACE if before_mark and found.endswith("{") else found


def escape_keeping_tokens(text: str, *, before_mark: bool = False) -> str:
    """Write literal text in which special tokens stay as they stand: those that name nothing here (osmo.md §5)."""
    parts: list[str] = []
    at = 0
    for found in TOKEN.finditer(text):
        parts.append(escape(text[at : found.start()], before_mark=True))
        parts.append(found[0])
        at = found.end()
    return "".join((*parts, escape(text[at:], before_mark=before_mark)))


def escape_value(text: str) -> str:
    """Write the value of a name, which the second pass renders and the first one does not."""
    return _OPENING.sub(lambda _: VALUE_BRACE, text)


def has_marks(text: str) -> bool:
    """Whether a text has what Jinja takes for a mark."""
    return _OPENING.search(text) is not None


def double_dollars(text: str, *, before_hole: bool = False) -> str:
    """Protect dollars in a container's arguments and variables from Kubernetes' own expansion (osmo.md §11)."""
    if "$" not in text:
        return text
    found = _DOLLAR.sub("$$", text)
    return found + "$" if before_hole and found.endswith("$") else found


def has_tokens(text: str) -> bool:
    """Whether a literal text holds what OSMO, or our second spelling, takes for a special token."""
    return ("{{" in text and TOKEN.search(text) is not None) or ("<<" in text and LOOSE_TOKEN.search(text) is not None)


def is_blocky(text: str) -> bool:
    """Whether a literal block of YAML can hold a text."""
    return _STRANGE.search(text) is None


def jinja_text(text: str) -> str:
    """Write a text as a literal of a Jinja expression; what it prints is rendered once more."""
    quoted = json.dumps(escape_value(text), ensure_ascii=True)[1:-1].replace('\\"', '"').replace("'", "\\'")
    return f"'{quoted}'"
