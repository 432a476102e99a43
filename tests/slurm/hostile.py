"""Any workflow with every text of it replaced by one that would do harm if a shell ever ran it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import attrs
from hypothesis import strategies as st

from pwxc.ir.data import InlineFile
from pwxc.ir.expr import Call, Ref, Root
from pwxc.ir.inputs import Input
from pwxc.ir.task import ActionCall, Command, ExitRule, Script, Step, Task
from pwxc.ir.workflow import RequestAllocation, RunCommands, Workflow
from tests.semantics.workflow_parts import EVERYTHING, Feature
from tests.semantics.workflow_strategies import workflows as made_workflows

CANARY = "pwned"
"""The file that a text makes if it is ever run."""
SPELLS = [
    f"$(touch {CANARY})", f"`touch {CANARY}`", f"'; touch {CANARY}; '", f'"; touch {CANARY}; "', f"\ntouch {CANARY}\n",
    f"' $(touch {CANARY}) '", f"x[$(touch {CANARY})]", f"\\$(touch {CANARY})", f"); touch {CANARY}; (",
    f"}}; touch {CANARY}; {{", f"EOF\ntouch {CANARY}\n", f"PWXC_EOF\ntouch {CANARY}\n", f"| touch {CANARY} #",
    f"& touch {CANARY} &", f"--wrap=touch {CANARY}", f"a\\'; touch {CANARY}; '", f"$'\\n'; touch {CANARY} #",
    f"x\r\ntouch {CANARY}\r\n", f"]] ; touch {CANARY}; [[", f")) || touch {CANARY}; ((", f";; *) touch {CANARY} ;;",
    f"%j$(touch {CANARY})", f"é漢🚀`touch {CANARY}`", f"#SBATCH --wrap=x\ntouch {CANARY}\n", f"~/$(touch {CANARY})",
    f"<(touch {CANARY})", f"\x1b]0;`touch {CANARY}`\x07", f"\t$(touch {CANARY})\t", "*", "-", "'", '"', "\\", "$", "!",
    "", " ", "..", "a/../../b",
]  # fmt: skip
_KEPT = {"span", "places", "origin", "dialect", "shell", "function", "operator", "modified", "kind", "passthrough"}


@attrs.define
class Poison:
    """Replaces texts, the same one by the same one, so that what belongs together does so afterwards.

    Without `commands`, what the workflow itself wants to run stays as it is. No input has to be given.
    """

    spells: list[str]
    commands: bool = True
    known: dict[str, str] = attrs.field(factory=dict)

    def word(self, text: str) -> str:
        """Give the text that stands for another, never one twice."""
        if text not in self.known:
            spell = self.spells[len(self.known) % len(self.spells)]
            self.known[text] = spell if spell not in self.known.values() else f"{spell}{len(self.known)}"
        return self.known[text]

    def __call__(self, item: Any) -> Any:
        """Give a noun, a value or a text with all texts in it replaced."""
        if isinstance(item, Enum):
            return item
        if isinstance(item, str):
            return self.word(item)
        if isinstance(item, tuple | list):
            return type(item)(self(each) for each in item)
        if isinstance(item, Mapping):
            return {self(key): self(value) for key, value in item.items()}
        return self._noun(item) if attrs.has(type(item)) else item

    def _noun(self, item: Any) -> Any:
        if isinstance(item, Ref) and item.root in (Root.STATUS, Root.SWEEP_INDEX, Root.RUN_ID):
            return item
        if isinstance(item, ActionCall):
            return attrs.evolve(item, arguments=self(item.arguments))
        if not self.commands and isinstance(item, Script | Command | RunCommands):
            return item
        kept = set(_KEPT)
        if isinstance(item, RequestAllocation | Call):
            kept |= {"kind", "function"}
        if not self.commands and isinstance(item, Step | ExitRule):
            kept |= {"cleanup", "recovery"}
        if isinstance(item, InlineFile) and item.encoded:
            kept.add("contents")
        if isinstance(item, Task) and not self.commands:
            kept.add("cleanup")
        given = {
            field.name: self(getattr(item, field.name))
            for field in attrs.fields(type(item))
            if field.init and field.name not in kept and not field.name.startswith("_")
        }
        if isinstance(item, Input):
            given["optional"] = True
        return attrs.evolve(item, **given)


@st.composite
def hostile_workflows(draw: st.DrawFn, features: frozenset[Feature] = frozenset(EVERYTHING)) -> Workflow:
    """Give a workflow in which everything that is a text is hostile."""
    spells = draw(st.permutations(SPELLS))
    poisoned: Workflow = Poison(spells)(draw(made_workflows(features)))
    return poisoned
