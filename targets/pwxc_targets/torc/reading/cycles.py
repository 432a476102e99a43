"""Cycles in a graph."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

_N = TypeVar("_N", bound=Hashable)


def find_cycle(graph: Mapping[_N, Sequence[_N]]) -> list[_N]:
    """Give the nodes of one cycle in order, or nothing; `graph` has for each node those that it waits for."""
    state: dict[_N, int] = {}
    for root in graph:
        if root in state:
            continue
        path: list[_N] = [root]
        stack = [iter(graph[root])]
        state[root] = 1
        while stack:
            following = next((node for node in stack[-1] if state.get(node) != 2 and node in graph), None)
            if following is None:
                state[path.pop()] = 2
                stack.pop()
            elif state.get(following) == 1:
                return path[path.index(following) :]
            else:
                state[following] = 1
                path.append(following)
                stack.append(iter(graph[following]))
    return []
