"""torc's rows of the catalogue: 23xx reading, 33xx writing, 43xx lint."""

from pwxc_targets.torc.lint_codes import *  # noqa: F403
from pwxc_targets.torc.reading_codes import *  # noqa: F403
from pwxc_targets.torc.writing_codes import *  # noqa: F403
