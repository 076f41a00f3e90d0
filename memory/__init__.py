"""The memory island: the only code that touches the database.

It knows neither the policy nor the log; `runtime/turn.py` joins them. Read in this order: `models` (the tables),
`database` (one writer thread, a few readers), `keys` and `vault` (what makes a row unreadable), `repository` (the
statements), `recall` (history for a turn, pure), `erasure` (forgetting a person).
"""
