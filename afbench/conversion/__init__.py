"""Weights of published implementations, converted into afbench's layers."""
