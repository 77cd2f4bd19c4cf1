"""The tasks, one file per kind. ``base`` is the contract; ``settings`` reads and sets a task's settings."""
