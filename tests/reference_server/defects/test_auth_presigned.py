"""Defects of presigned URLs: those that work and should not, and the other way round."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

from tests.reference_server.catalogue.steps import Upload
from tests.reference_server.defects.probing import TEN, Lab, Probe, names_in
from tests.reference_server.signing import Signer

HOUR = 3600


def follow(
    lab: Lab,
    target: str,
    method: str = "GET",
    *,
    added: str = "",
    headers: Mapping[str, str] | None = None,
    signer: Signer | None = None,
    expires: str = "60",
) -> tuple[int, str]:
    """Status and code of a request by a presigned URL, with what was added to it afterwards."""
    url = (signer or Signer()).presigned(method, target, {"Host": lab.raw.host}, expires)
    reply = lab.raw(method, url + added, TEN if method == "PUT" else b"", headers, sign=False)
    return reply.status, reply.code if reply.status >= 400 else ""


def metadata(lab: Lab, bucket: str) -> str | None:
    """What is left of the metadata in a presigned query."""
    assert follow(lab, f"/{bucket}/new?x-amz-meta-a=b", "PUT") == (200, "")
    return lab.raw("HEAD", f"/{bucket}/new").headers.get("x-amz-meta-a")


def part(lab: Lab, bucket: str) -> tuple[int, str]:
    """Status and code of UploadPart by a presigned URL."""
    upload = Upload(lab.raw, f"/{bucket}/new")
    return follow(lab, f"/{bucket}/new?partNumber=1&uploadId={upload.id}", "PUT")


def incomplete(lab: Lab, bucket: str) -> tuple[int, str]:
    """Status and code of a URL of version 2 without its end."""
    reply = lab.raw("GET", f"/{bucket}/key?AWSAccessKeyId=OWNERKEY&Signature=AAAA", sign=False)
    return reply.status, reply.code


PROBES = {
    "presigned-expired-400": Probe(
        lambda lab, b: follow(lab, f"/{b}/key", signer=Signer(at=time.time() - HOUR)),
        (403, "AccessDenied"),
        (400, "ExpiredToken"),
    ),
    "presigned-for-ever": Probe(
        lambda lab, b: follow(lab, f"/{b}/key", expires="604801"), (400, "AuthorizationQueryParametersError"), (200, "")
    ),
    "presigned-one-more-parameter": Probe(
        lambda lab, b: follow(lab, f"/{b}/key", added="&x=1"), (403, "SignatureDoesNotMatch"), (200, "")
    ),
    "presigned-parts-refused": Probe(part, (200, ""), (403, "AccessDenied")),
    "presigned-settings-unread": Probe(metadata, "b", None),
    "presigned-token-unread": Probe(
        lambda lab, b: follow(lab, f"/{b}/key?X-Amz-Security-Token=a"),
        (400, "InvalidToken"),
        (403, "InvalidAccessKeyId"),
    ),
    "presigned-type-refused": Probe(
        lambda lab, b: follow(lab, f"/{b}/new", "PUT", headers={"Content-Type": "text/x"}),
        (200, ""),
        (403, "SignatureDoesNotMatch"),
    ),
    "presigned-unknown-parameter-refused": Probe(
        lambda lab, b: follow(lab, f"/{b}/key?mine=1"), (200, ""), (400, "InvalidArgument")
    ),
    "presigned-v2-incomplete-400": Probe(incomplete, (403, "AccessDenied"), (400, "InvalidRequest")),
    "presigned-within-skew": Probe(
        lambda lab, b: follow(lab, f"/{b}/key", signer=Signer(at=time.time() - HOUR), expires="7200"),
        (200, ""),
        (403, "RequestTimeTooSkewed"),
    ),
}


@pytest.mark.parametrize("name", PROBES)
def test_it_shows_with_the_defect_and_not_without(lab: Lab, name: str) -> None:
    assert PROBES[name].observe(lab) == PROBES[name].honest
    assert PROBES[name].observe(lab, name) == PROBES[name].wrong


def test_every_defect_here_is_shown() -> None:
    assert names_in("auth_presigned") == PROBES.keys()


@pytest.mark.parametrize("name", PROBES)
def test_an_ordinary_url_works_and_a_wrong_one_does_not(lab: Lab, name: str) -> None:
    probe = Probe(
        lambda lab, b: (follow(lab, f"/{b}/key"), follow(lab, f"/{b}/key", signer=Signer(secret="wrong"))), None, None
    )
    assert probe.observe(lab, name) == ((200, ""), (403, "SignatureDoesNotMatch"))
