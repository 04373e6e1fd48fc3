"""The list of defects, for people and for programs."""

from __future__ import annotations

import json
import shutil
import textwrap

from reference_server.defects.registry import defects

_NARROW, _USUAL, _WIDE = 80, 100, 120


def list_of_defects(*, as_json: bool) -> str:
    """Name, seam and sentence of every defect, sorted by seam and name.

    Args:
        as_json: one line of JSON for each, instead of text as wide as the terminal.
    """
    found = sorted(defects().values(), key=lambda one: (one.seam, one.name))
    if as_json:
        return "".join(json.dumps({"name": one.name, "seam": one.seam, "about": one.about}) + "\n" for one in found)
    width = min(max(shutil.get_terminal_size((_USUAL, 0)).columns, _NARROW), _WIDE)
    indented = textwrap.TextWrapper(
        width, initial_indent="    ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(f"{one.name} ({one.seam})\n{indented.fill(one.about)}\n" for one in found)
