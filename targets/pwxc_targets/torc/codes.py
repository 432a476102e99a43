"""torc's rows of the catalogue: 23xx reading, 33xx writing, 43xx lint."""

from pwxc_targets.torc.formats.codes import *  # noqa: F403
from pwxc_targets.torc.linting.codes import *  # noqa: F403
from pwxc_targets.torc.reading.codes import *  # noqa: F403
from pwxc_targets.torc.writing.codes import *  # noqa: F403
