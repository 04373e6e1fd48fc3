"""What scenarios about features share: the words of those that document them, and what answers say beside S3."""

from __future__ import annotations

from harness.clients.base import Observed
from harness.expect import Matcher, header_where, ok, refused
from harness.scene import Scene

AUTO_DRIVE = "Auto Drive S3 Layer Guide"
AUTO_DRIVE_SOURCE = "autonomys/auto-drive at c29e3d5b, apps/backend/src/app/controllers/s3"
STORJ = "Storj documentation, S3 Compatibility"
AISTORE = "NVIDIA/aistore at 583e7729"
K3 = "docs.dodil.io, K3, S3 Compatibility"


def told(refusal: Matcher, *words: str) -> Matcher:
    """A refusal whose message, where a client shows one, has all these words."""
    text = " and ".join(map(repr, words))

    def test(seen: Observed) -> str:
        found = refusal.test(seen)
        if found or (not seen.message and seen.headers is None):
            return found
        missing = [word for word in words if word not in seen.message]
        return f"the message was {seen.message!r}" if missing else ""

    return Matcher(f"{refusal.expected} with a message that has {text}", test)


EXPLAINED = told(refused(403, "AccessDenied"), "immutable", "cannot be deleted from the Autonomys DSN")
"""How a store that keeps all objects for ever refuses to delete one."""


def cid(s3: Scene, observed: Observed) -> str:
    """The content identifier that a successful answer names.

    Raises:
        Mismatch: no success, or no identifier.
        Inexpressible: the client shows neither headers nor metadata.
    """
    s3.expect(observed, ok())
    shown = (observed.output.get("Metadata") or {}).get("cid")
    if shown is None:
        s3.expect(observed, header_where("x-amz-meta-cid", "a content identifier", bool))
        shown = (observed.headers or {}).get("x-amz-meta-cid", "")
    return str(shown)
