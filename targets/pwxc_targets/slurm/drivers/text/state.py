"""What a shell knows: its variables, lists, arguments, and where it stands."""

from __future__ import annotations

import attrs

Key = str


@attrs.define
class State:
    """Variables, lists and arguments; `folder` is where the shell stands, seen from where the driver is called.

    `references` are variables that stand for others (`local -n`); `keyed` are lists whose keys are texts.
    """

    values: dict[str, str] = attrs.field(factory=dict)
    lists: dict[str, dict[Key, str]] = attrs.field(factory=dict)
    exported: dict[str, None] = attrs.field(factory=dict)
    arguments: list[str] | None = None
    shifted: int = 0
    folder: str = ""
    keyed: set[str] = attrs.field(factory=set)
    references: dict[str, str] = attrs.field(factory=dict)

    def copy(self) -> State:
        """Give a copy that a subshell may change."""
        return State(
            dict(self.values),
            {name: dict(items) for name, items in self.lists.items()},
            dict(self.exported),
            None if self.arguments is None else list(self.arguments),
            self.shifted,
            self.folder,
            set(self.keyed),
            dict(self.references),
        )

    def restore(self, kept: State) -> None:
        """Take over everything from another state."""
        for field in attrs.fields(State):
            setattr(self, field.name, getattr(kept, field.name))

    def target(self, name: str) -> str:
        """Give the variable that a name means."""
        seen = {name}
        while name in self.references and self.references[name] not in seen:
            name = self.references[name]
            seen.add(name)
        return name

    def put(self, name: str, value: str) -> None:
        """Give a variable a value; the first item of a list, if it is one."""
        name = self.target(name)
        if name in self.lists:
            self.lists[name]["0"] = value
        else:
            self.values[name] = value

    def put_list(self, name: str, items: list[str]) -> None:
        """Make a variable a list."""
        name = self.target(name)
        self.values.pop(name, None)
        self.lists[name] = {str(number): item for number, item in enumerate(items)}
