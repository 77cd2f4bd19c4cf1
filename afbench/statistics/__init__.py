"""Intervals, paired tests, ranks, and what a metric is called."""
