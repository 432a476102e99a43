"""The command line. `--version` is answered here, before anything is imported."""

from __future__ import annotations

import gc
import sys


def main(arguments: list[str] | None = None) -> int:
    """Run `pwxc` and give its exit code: 0 fine, 1 errors or a difference, 2 wrong usage, 3 losses refused."""
    given = sys.argv[1:] if arguments is None else arguments
    if given in (["--version"], ["-V"]):
        from pwxc import __version__

        sys.stdout.write(f"pwxc {__version__}\n")
        return 0
    as_program = arguments is None
    if as_program:
        gc.disable()  # next to nothing of what a command makes can go before it ends
    try:
        from pwxc.cli import app

        if as_program:
            app.clean_up_when_terminated()
        return app.run(given)
    except KeyboardInterrupt:
        return 130
    finally:
        if as_program:
            gc.freeze()  # Python would look through everything once more on its way out
