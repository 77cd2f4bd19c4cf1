"""A plugin is no test: pytest must not import it."""

collect_ignore = ["neighbours.py"]
