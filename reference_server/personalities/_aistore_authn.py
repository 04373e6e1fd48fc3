"""AIStore's AuthN as far as its documents tell: with it on, every request needs a JSON Web Token, and no signature.

The token is in `Authorization: Bearer`, or in X-Amz-Security-Token, where SDKs have a place for one. That it is signed
with HS256 and the secret of the cluster, and that nothing but its end is read of it, are choices of this project: the
documents leave its form to AIStore's own tools.

Source: docs/s3compat.md, Authentication (JWT) tips; ais/prxauth.go at aistore 583e7729.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from typing import Any

_BEARER = "bearer "


def admitted(headers: Mapping[str, str], secret: str, now: float) -> bool:
    """Whether a request brings a token that the cluster's secret signed, and that has not ended.

    Args:
        headers: of the request, by lower-case name.
        secret: of the cluster.
        now: seconds since the epoch.
    """
    given = headers.get("authorization", "")
    token = given[len(_BEARER) :] if given.lower().startswith(_BEARER) else headers.get("x-amz-security-token", "")
    signed, _, signature = token.rpartition(".")
    head, _, said = signed.partition(".")
    proof = base64.urlsafe_b64encode(hmac.digest(secret.encode(), signed.encode(), "sha256")).rstrip(b"=")
    if not hmac.compare_digest(proof, signature.encode()) or _read(head).get("alg") != "HS256":
        return False
    end = _read(said).get("exp")
    return end is None or (isinstance(end, int | float) and end > now)


def _read(part: str) -> dict[str, Any]:
    """One of the JSON objects of a token; an empty one where it is none."""
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
