"""A run: a grid of trials, those of them that are still to be done, and their records."""
