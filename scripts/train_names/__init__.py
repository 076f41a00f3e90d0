"""Trains the weights of `runtime/redaction/weights`: run by hand, nothing of it is installed or used at run time."""
