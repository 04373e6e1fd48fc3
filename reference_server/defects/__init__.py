"""Named ways in which the server can be made wrong, as real gateways are. See `registry`."""

from __future__ import annotations

from reference_server.defects.registry import Defect, UnknownDefectError, defects, install

__all__ = ["Defect", "UnknownDefectError", "defects", "install"]
