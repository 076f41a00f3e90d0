"""Named points at which a test can make the process die as if the power went (SIGKILL, nothing flushed).

The islands call a hook between every two steps of a critical procedure; the composition root passes `reach`.
`FILAGENT_CRASH_AT=name` or `name:N` (die at the N-th passage, counted from 1) arms one point. Production mode
refuses to start while the variable is set (`runtime/settings.py`).
"""

from __future__ import annotations

import os
import signal

_NAME, _, _COUNT = os.environ.get("FILAGENT_CRASH_AT", "").partition(":")
_passages = 0


def reach(name: str) -> None:
    """Die here if this point is armed; otherwise do nothing."""
    global _passages  # noqa: PLW0603 - one counter per process is the point
    if name != _NAME:
        return
    _passages += 1
    if _passages >= int(_COUNT or 1):
        os.kill(os.getpid(), signal.SIGKILL)
