"""`python -m tests.integration.console_process CLOCK`: the real console, whose sessions expire by what a file says.

A process of its own, as in life: Gradio leaves event loops open that would be held against other tests.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from console import __main__ as console
from console.settings import load

if __name__ == "__main__":
    import tempfile

    import uvicorn

    os.environ["GRADIO_TEMP_DIR"] = tempfile.mkdtemp()
    settings = load()
    listener = console.listen(settings)
    from console.web import build

    clock = Path(sys.argv[1])
    server = uvicorn.Server(
        uvicorn.Config(build(settings, lambda: float(clock.read_text())), log_level="error", access_log=False)
    )
    print(f"port {listener.getsockname()[1]}", flush=True)
    server.run(sockets=[listener])
