"""Defects of the Authorization header, of the date and of the declared payload."""

from __future__ import annotations

import hashlib
import time

import pytest

from tests.reference_server.defects.probing import TEN, Lab, Probe, names_in
from tests.reference_server.signing import UNSIGNED, Signer

HASH = hashlib.sha256(TEN).hexdigest()
MALFORMED = (400, "AuthorizationHeaderMalformed")
FINE = (200, "")


def changed(lab: Lab, bucket: str, signer: Signer | None = None, **changes: str | None) -> tuple[int, str]:
    """Status and code of a signed GET of the object, some of whose headers are replaced afterwards, or left out."""
    target = f"/{bucket}/key"
    sent = (signer or Signer()).headers("GET", target, {"Host": lab.raw.host}, hashlib.sha256(b"").hexdigest())
    named = {name.replace("_", "-"): value for name, value in changes.items()}
    kept = {name: value for name, value in {**sent, **named}.items() if value is not None}
    reply = lab.raw("GET", target, sign=False, unsigned=kept)
    return reply.status, reply.code if reply.status >= 400 else ""


def put(lab: Lab, bucket: str, payload: str) -> tuple[int, str]:
    """Status and code of a PUT of ten bytes that are declared so."""
    reply = lab.signed("PUT", f"/{bucket}/new", Signer(), TEN, payload=payload)
    return reply.status, reply.code if reply.status >= 400 else ""


def expired(lab: Lab, bucket: str) -> tuple[int, str]:
    """Status and code of GET of a presigned URL with a senseless time."""
    reply = lab.presigned(f"/{bucket}/key", Signer(), expires="0")
    return reply.status, reply.code


PROBES = {
    "any-service": Probe(lambda lab, b: changed(lab, b, Signer(service="ec2")), MALFORMED, FINE),
    "date-not-demanded": Probe(lambda lab, b: changed(lab, b, x_amz_date=None), (403, "AccessDenied"), FINE),
    "malformed-authorization-403": Probe(
        lambda lab, b: changed(lab, b, Signer(date="today")), MALFORMED, (403, "SignatureDoesNotMatch")
    ),
    "malformed-presigned-403": Probe(expired, (400, "AuthorizationQueryParametersError"), (403, "AccessDenied")),
    "payload-hash-in-capitals-refused": Probe(
        lambda lab, b: put(lab, b, HASH.upper()), FINE, (400, "XAmzContentSHA256Mismatch")
    ),
    "payload-hash-not-demanded": Probe(
        lambda lab, b: changed(lab, b, x_amz_content_sha256=None), (400, "InvalidRequest"), FINE
    ),
    "payload-keyword-unchecked": Probe(lambda lab, b: put(lab, b, "nothing"), (400, "InvalidArgument"), FINE),
    "scope-day-unchecked": Probe(lambda lab, b: changed(lab, b, Signer(date="today")), MALFORMED, FINE),
    "skew-says-expired": Probe(
        lambda lab, b: changed(lab, b, Signer(at=time.time() - 3600)),
        (403, "RequestTimeTooSkewed"),
        (403, "AccessDenied"),
    ),
    "streaming-anywhere": Probe(
        lambda lab, b: lab.signed("GET", f"/{b}", Signer(), payload="STREAMING-UNSIGNED-PAYLOAD-TRAILER").status,
        400,
        200,
    ),
    "unknown-scheme-anonymous": Probe(
        lambda lab, b: changed(lab, b, Authorization="Bearer x"), (400, "InvalidArgument"), (403, "AccessDenied")
    ),
    "unsigned-payload-refused": Probe(lambda lab, b: put(lab, b, UNSIGNED), FINE, (400, "XAmzContentSHA256Mismatch")),
}


@pytest.mark.parametrize("name", PROBES)
def test_it_shows_with_the_defect_and_not_without(lab: Lab, name: str) -> None:
    assert PROBES[name].observe(lab) == PROBES[name].honest
    assert PROBES[name].observe(lab, name) == PROBES[name].wrong


def test_every_defect_here_is_shown() -> None:
    assert names_in("auth_header") == PROBES.keys()


@pytest.mark.parametrize("name", PROBES)
def test_a_wrong_signature_is_refused_all_the_same(lab: Lab, name: str) -> None:
    probe = Probe(lambda lab, b: changed(lab, b, Signer(secret="wrong")), None, None)
    assert probe.observe(lab, name) == (403, "SignatureDoesNotMatch")
