"""The operator console on 127.0.0.1:7860, as `filagent console` starts it; FILAGENT_CONSOLE_* are its settings."""

from __future__ import annotations

import sys

from console.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
