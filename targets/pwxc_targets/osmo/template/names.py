"""Where a template uses a name."""

from __future__ import annotations

from pwxc_targets.osmo.template.text import Lexeme, keyword, tags


def uses(lexemes: list[Lexeme], name: str) -> list[Lexeme]:
    """Give the places at which a name is read from the context, as far as the tags show it.

    Attributes, filters, tests, keyword arguments, targets of assignments and what a loop binds are not such places;
    `x is defined` and `x | default` are none because they do not fail.
    """
    found: list[Lexeme] = []
    scopes: list[bool] = []
    for tag in tags(lexemes):
        word = keyword(tag)
        bound, read = _parts(tag, word)
        if not any(scopes):
            found += [item for at, item in enumerate(read) if item.kind == "name" and _reads(read, at, name)]
        if word in ("for", "macro"):
            scopes.append(any(item.text == name for item in bound if item.kind == "name"))
        elif word in ("endfor", "endmacro") and scopes:
            scopes.pop()
    return found


def _parts(tag: list[Lexeme], word: str) -> tuple[list[Lexeme], list[Lexeme]]:
    """Give the part of a tag that binds names in a scope, and the part that reads."""
    if word == "for":
        split = next((at for at, item in enumerate(tag) if item.text == "in" and item.kind == "name"), 1)
        return tag[2:split], tag[split + 1 :]
    if word == "macro":
        return tag[3:], []
    if word in ("block", "filter"):
        return [], tag[3:]
    return [], tag[2:] if word else tag


def _reads(tag: list[Lexeme], at: int, name: str) -> bool:
    if tag[at].text != name:
        return False
    before = [item.text for item in tag[max(0, at - 2) : at]]
    after = [item.text for item in tag[at + 1 : at + 4]]
    if before[-1:] in (["."], ["|"], ["is"]) or before == ["is", "not"]:
        return False
    if after[:1] == ["="]:
        return False
    if after[:2] in (["|", "default"], ["|", "d"], ["is", "defined"], ["is", "undefined"]):
        return False
    return after != ["is", "not", "defined"]
