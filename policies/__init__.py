"""Pure decisions: who may do what, which text passes, which entity is masked where.

The rules are data (config/policies.yaml). Reading that file (`policies.bundle`) is the only I/O; everything else is a
function of the bundle and the question. Recording a decision, counting requests and finding personal data are left
to others: this package imports nothing of ours outside itself.
"""
