"""The activations: one file per family. Each module registers its own; nothing is listed twice."""
