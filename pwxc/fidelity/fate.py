"""What can become of a part of a workflow on its way into a target."""

from __future__ import annotations

from enum import StrEnum


class Fate(StrEnum):
    """One of six ends. The first, second and last keep the meaning; the others are told to the user."""

    EXACT = "exact"
    """The target's own construct for the same thing."""
    EMULATED = "emulated"
    """The same behaviour through generated code or structure."""
    APPROXIMATED = "approximated"
    """Nearly the same, with a difference that has a name."""
    DROPPED = "dropped"
    """Not in the output."""
    MANUAL = "manual"
    """A person has to do something before it works."""
    COSMETIC = "cosmetic"
    """It cannot affect a run."""


KEEPING = frozenset({Fate.EXACT, Fate.EMULATED, Fate.COSMETIC})
"""Fates that need no diagnostic."""
