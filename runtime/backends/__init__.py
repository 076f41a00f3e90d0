"""Model backends: one interface (`base`), one file for each way to reach a model.

They know how to talk to a model and how its failures are named. They know nothing of policy, masking, memory or the
log: the one thing they must do for the log is to await the caller's gate with the exact bytes before those leave.
"""
