"""`python -m pwxc`."""

import sys

from pwxc.cli import main

sys.exit(main())
