"""How guards read text: one canonical form under many disguises, and phrases that are found in it."""
