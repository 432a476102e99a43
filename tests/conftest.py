"""What all tests share: how hypothesis searches."""

from __future__ import annotations

import os

from hypothesis import settings

# a busy machine is no failure; where CI runs, the same examples are tried each time, so that a red run is a change
settings.register_profile("pwxc", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "pwxc")
