"""Data: from a seed, from a library that packages it, or from files on this machine. No import downloads any."""
