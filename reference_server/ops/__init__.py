"""The operations, one module per group; `HANDLERS` of each maps operation names to functions."""
