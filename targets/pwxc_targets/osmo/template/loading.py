"""What PyYAML's safe loader makes of a composed document, and what it refuses (osmo.md §3)."""

from __future__ import annotations

from yaml import SafeLoader, YAMLError, load
from yaml.cyaml import CSafeLoader

from pwxc.diagnostics import Diagnostics
from pwxc.yaml.nodes import Document, MappingNode, Node, ScalarNode, walk
from pwxc.yaml.schema import yaml11
from pwxc_targets.osmo.template import codes as C  # noqa: N812

_TAG = "tag:yaml.org,2002:"
_SCALARS = frozenset({"null", "bool", "int", "float", "binary", "timestamp", "str"})
_KNOWN = _SCALARS | {"omap", "pairs", "set", "seq", "map"}
_WORDS = {"timestamp": "date", "int": "number", "float": "number", "bool": "truth value"}
_NUMBERS = frozenset("0123456789+-.")


def check_loadable(document: Document, diagnostics: Diagnostics) -> bool:
    """Report what the loader cannot make a value of; `compose` has dealt with all else."""
    fine = True
    for node in walk(document.root):
        if node.tag and not _has_known_tag(node):
            fine = False
            diagnostics.add(
                C.UNLOADABLE,
                f"the tag `{_written(node.tag)}` means nothing here",
                document.span(node),
                help="remove it",
            )
        elif isinstance(node, MappingNode):
            fine = _keys_are_scalars(node, document, diagnostics) and fine
        elif isinstance(node, ScalarNode) and (node.tag or (not node.style and node.value[:1] in _NUMBERS)):
            fine = _has_value(node, document, diagnostics) and fine
    return fine


def _has_known_tag(node: Node) -> bool:
    kind = node.tag.removeprefix(_TAG)
    if node.tag == "!" or (node.tag.startswith(_TAG) and kind in _KNOWN):
        return node.tag == "!" or isinstance(node, ScalarNode) == (kind in _SCALARS)
    return False


def _written(tag: str) -> str:
    return "!!" + tag.removeprefix(_TAG) if tag.startswith(_TAG) else tag


def _keys_are_scalars(node: MappingNode, document: Document, diagnostics: Diagnostics) -> bool:
    fine = True
    for key, _ in node.value:
        if isinstance(key, ScalarNode):
            continue
        fine = False
        kind = "map" if isinstance(key, MappingNode) else "list"
        braces = document.source.text[max(0, key.start_mark.index - 1) :].startswith("{{")
        way_out = "put the value in quotes: YAML reads bare braces as a map" if braces else "use a text as the key"
        diagnostics.add(C.UNLOADABLE, f"a {kind} cannot be a key", document.span(key), help=way_out)
    return fine


def _has_value(node: ScalarNode, document: Document, diagnostics: Diagnostics) -> bool:
    kind = node.tag.removeprefix(_TAG) if node.tag else _implicit(node.value)
    if kind in ("str", "!", "merge", "value") or not isinstance(yaml11(node), str):
        return True
    message = f"`{node.value[:60]}` is not a {_WORDS.get(kind, kind)} that exists"
    diagnostics.add(C.UNLOADABLE, message, document.span(node), help="put it in quotes")
    return False


def _implicit(text: str) -> str:
    """Give the kind that the loader takes a plain text for."""
    for tag, pattern in SafeLoader.yaml_implicit_resolvers.get(text[:1], []):
        if pattern.match(text):
            return str(tag).removeprefix(_TAG)
    return "str"


def load_data(document: Document, diagnostics: Diagnostics) -> tuple[bool, object]:
    """Load a document's text as the client does, after the checks; the first item says whether it worked."""
    if not check_loadable(document, diagnostics):
        return False, None
    try:
        return True, load(document.source.text, CSafeLoader)
    except (YAMLError, ValueError, RecursionError) as fault:
        problem = str(getattr(fault, "problem", None) or fault).splitlines()[0]
        mark = getattr(fault, "problem_mark", None)
        at = min(mark.index, len(document.source.text)) if mark is not None else 0
        diagnostics.add(C.UNLOADABLE, problem, document.source.span(at, at + 1))
        return False, None
