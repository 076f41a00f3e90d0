"""Guards: one file each. The name of a file here is what `use` (or `name`) says in config/policies.yaml."""
