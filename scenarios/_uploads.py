"""Steps that scenarios about lists of unfinished uploads share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.clients.base import Observed
from harness.expect import Matcher
from harness.scene import Scene
from harness.signals import Inexpressible
from scenarios.mpu import begin

Upload = tuple[str, str]
"""Key and UploadId."""


def start(s3: Scene, names: Iterable[str]) -> list[Upload]:
    """An upload for each name, begun in this order."""
    begun = (begin(s3, s3.key(name)) for name in names)
    return [(upload["Key"], upload["UploadId"]) for upload in begun]


def entries(seen: Observed) -> list[dict[str, Any]]:
    """The Upload elements of an answer."""
    found: list[dict[str, Any]] = seen.output.get("Uploads", [])
    if seen.partial and not found:
        raise Inexpressible(f"{seen.client} does not show the uploads")
    return found


def identified(seen: Observed) -> list[Upload]:
    """Key and UploadId of each Upload element."""
    return [(str(entry.get("Key")), str(entry.get("UploadId"))) for entry in entries(seen)]


def uploads(expected: Iterable[Upload]) -> Matcher:
    """Exactly these uploads, in this order."""
    wanted = list(expected)

    def test(seen: Observed) -> str:
        found = identified(seen)
        return "" if found == wanted else f"uploads were {_brief(found)}"

    return Matcher(f"uploads {_brief(wanted)}", test)


def _brief(found: list[Upload]) -> str:
    shown = ", ".join(f"{key!r} {upload_id[:12]}…" for key, upload_id in found[:8])
    return f"[{shown}{f', … {len(found)} in all' if len(found) > 8 else ''}]"
