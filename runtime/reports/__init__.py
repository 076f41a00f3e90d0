"""Reports for people who read no JSONL: dossiers, the page for the person concerned, period reviews, registers.

Clients of the log and its verifier: nothing here takes part in a turn, and nothing stands on a page that no record,
no configuration file named as such and no data file of obligations supports.
"""
