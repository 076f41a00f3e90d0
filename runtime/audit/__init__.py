"""The signed, append-only log of decisions and its proofs: standard library and `cryptography` alone.

Formats: docs/log-format.md. One process writes (`writer.py`); anybody reads and verifies.
"""
