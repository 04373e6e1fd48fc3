"""Gateways as data, `NAME.toml`, and as wrappers of seams where data does not do, `NAME.py`."""
