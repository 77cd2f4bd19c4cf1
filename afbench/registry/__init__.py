"""Entries and their settings: what can be named in a spec or a task, and how it is found and built."""
