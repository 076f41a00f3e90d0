"""Local models: which there are, where their weights come from, and the process that runs them.

Workers import `wire` and `registry` alone, which are light: llama.cpp lives in the model host and nowhere else.
"""
