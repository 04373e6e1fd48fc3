"""Named ways in which the server can be made wrong, as real gateways are. See `registry`.

A request that two defects meet is answered by both. Nothing here is imported unless a defect is asked for.
"""

from __future__ import annotations

from reference_server.defects.registry import Defect, UnknownDefectError, check_names, defects, install

__all__ = ["Defect", "UnknownDefectError", "check_names", "defects", "install"]
