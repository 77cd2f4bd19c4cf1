"""Intervals, significance, ranks, two groups of seeds, and the names and bounds of metrics."""
