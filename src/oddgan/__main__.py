"""`python -m oddgan` is the command `oddgan`."""

import sys

from oddgan.cli import main

sys.exit(main())
