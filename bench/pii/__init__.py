"""How much personal data the masker leaves in clear: a labelled corpus made by rule, and its evaluator."""
