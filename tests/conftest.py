"""What all tests share: how hypothesis searches."""

from __future__ import annotations

import os

from hypothesis import Phase, settings

# a busy machine is no failure; where CI runs, the same examples are tried each time, so that a red run is a change
settings.register_profile("pwxc", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
# a mutation run wants to know that there is a counter-example, not the smallest one
settings.register_profile("mutation", deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate))
settings.load_profile(os.environ.get("PWXC_PROFILE") or ("ci" if os.environ.get("CI") else "pwxc"))
