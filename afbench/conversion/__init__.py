"""Convert weights of published implementations for afbench's layers."""
