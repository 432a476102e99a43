"""All of OSMO's rows of the catalogue: 21xx reading, 31xx writing, 41xx lint."""

from pwxc_targets.osmo.codes import *  # noqa: F403
from pwxc_targets.osmo.writing_codes import *  # noqa: F403
