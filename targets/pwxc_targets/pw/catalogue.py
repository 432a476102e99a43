"""All of ACTIVATE's rows of the catalogue: 22xx reading, 32xx writing, 42xx lint."""

from pwxc_targets.pw.codes import *  # noqa: F403
from pwxc_targets.pw.lint_codes import *  # noqa: F403
from pwxc_targets.pw.reading_codes import *  # noqa: F403
from pwxc_targets.pw.writing_codes import *  # noqa: F403
