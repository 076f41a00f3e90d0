"""A witness after C2SP tlog-witness: it vouches for checkpoints of logs that only ever grow, and for nothing else.

It runs on somebody else's machine and needs `runtime.audit`, starlette and uvicorn, nothing else of this repository.
"""
