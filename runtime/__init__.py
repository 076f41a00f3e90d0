"""The runtime: one governed turn and the doors that lead to it."""
