"""Masking: find personal data, replace it by stable tokens, put it back. Offline, without memory of what it saw.

engine.py     finds: identifiers by rule (recognizers/), names by model (ner.py, names.py); one span list a text
segments.py   cuts texts so that a stream is read like a whole text
lists.py      exact texts that an operator allows or denies
tokens.py     the tokens of one conversation, and the exact way back
stream.py     masking and restoring while a text is being written
command.py    `filagent mask`

Which entities are masked for whom is policy; where values are kept is memory. Neither is known here.
"""
