"""All of ACTIVATE's rows of the catalogue: 22xx reading, 32xx writing, 42xx lint."""

from pwxc_targets.pw.expressions.codes import *  # noqa: F403
from pwxc_targets.pw.linting.codes import *  # noqa: F403
from pwxc_targets.pw.reading.codes import *  # noqa: F403
from pwxc_targets.pw.writing.codes import *  # noqa: F403
