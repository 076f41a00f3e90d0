"""`python -m runtime.witness`, where the `filagent` command is not installed."""

import sys

from runtime.witness.command import main

sys.exit(main())
