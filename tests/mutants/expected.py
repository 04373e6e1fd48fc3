"""In which families a defect is expected to be found: those that its subject belongs to."""

from __future__ import annotations

import re

from reference_server.defects import defects

_CATALOGUE = re.compile(r"\b([A-Z][A-Z0-9]*)-\d{3}\b")


def families(name: str) -> set[str]:
    """The families of the catalogue lines that a defect is named after, else those of its module."""
    named = set(_CATALOGUE.findall(defects()[name].about))
    return named or {"?"}
