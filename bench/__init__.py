"""`make bench`: the figures, each beside a bare reference in the same run."""
