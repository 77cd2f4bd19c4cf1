"""The tasks: one file per kind. ``base`` is the contract; each other module registers its own."""
