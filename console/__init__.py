"""The operator console: a client of the HTTP API in its own process, which keeps a person's key in its memory alone."""
