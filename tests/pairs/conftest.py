"""The table of all pairs, at the end of the run's log."""

from __future__ import annotations

import pytest

RESULTS = pytest.StashKey[list]()


@pytest.fixture(scope="session")
def results(request: pytest.FixtureRequest) -> list:
    """Give the list in which the results of all systems are gathered."""
    return request.config.stash.setdefault(RESULTS, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash.get(RESULTS, [])
    if found:
        from tests.pairs.sweep import table

        terminalreporter.section("all pairs over the corpus")
        for line in table(found):
            terminalreporter.write_line(line)
