"""The HTTP doors: they authenticate, parse strictly, and hand everything to the pipeline."""
