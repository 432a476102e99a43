"""All of OSMO's rows of the catalogue: 21xx reading, 31xx writing, 41xx lint."""

from pwxc_targets.osmo.reading.codes import *  # noqa: F403
from pwxc_targets.osmo.template.codes import *  # noqa: F403
from pwxc_targets.osmo.writing.codes import *  # noqa: F403
