"""Defects of authentication: requests that should have been refused, and others that should not."""

from __future__ import annotations

import time

import boto3
import pytest
from botocore.config import Config

from tests.reference_server.catalogue.steps import checksum
from tests.reference_server.defects.probing import TEN, Lab, Probe, names_in, trailing
from tests.reference_server.signing import Signer, stamp

HOUR, DAY = 3600, 86_400
MALFORMED = (400, "AuthorizationHeaderMalformed")


def status(lab: Lab, bucket: str, signer: Signer) -> tuple[int, str]:
    """Status and code of GET of the object."""
    reply = lab.signed("GET", f"/{bucket}/key", signer)
    return reply.status, reply.code if reply.status >= 400 else ""


def service(lab: Lab, signer: Signer) -> int:
    """Status of ListBuckets."""
    return lab.signed("GET", "/", signer).status


def version_2(lab: Lab, bucket: str) -> int:
    """Status of GET of a URL that boto3 presigned with Signature Version 2."""
    client = boto3.client(
        "s3",
        endpoint_url=lab.running.endpoint,
        aws_access_key_id="OWNERKEY",
        aws_secret_access_key="owner-secret",
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, signature_version="s3"),
    )
    url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "key"})
    client.close()
    assert "AWSAccessKeyId=" in url
    return lab.raw("GET", url.removeprefix(lab.running.endpoint), sign=False).status


PROBES = {
    "access-key-letters-only": Probe(lambda lab, _: service(lab, Signer("KEY-1", "secret-1")), 200, 401),
    "any-access-key": Probe(lambda lab, _: service(lab, Signer("NOBODY", "nothing")), 403, 200),
    "any-region": Probe(lambda lab, b: status(lab, b, Signer(region="mars-1")), MALFORMED, (200, "")),
    "any-signature": Probe(
        lambda lab, b: status(lab, b, Signer(secret="wrong")), (403, "SignatureDoesNotMatch"), (200, "")
    ),
    "authorization-forbids-spaces": Probe(lambda lab, b: lab.raw("GET", f"/{b}/key").status, 200, 400),
    "authorization-wants-spaces": Probe(lambda lab, b: status(lab, b, Signer()), (200, ""), MALFORMED),
    "header-spaces-kept": Probe(
        lambda lab, b: lab.raw("PUT", f"/{b}/key", headers={"x-amz-meta-a": "b  c"}).status, 200, 403
    ),
    "host-unsigned-accepted": Probe(
        lambda lab, b: lab.signed("GET", f"/{b}/key", Signer(), with_host=False).status, 403, 200
    ),
    "path-encoded-twice": Probe(lambda lab, b: lab.raw("PUT", f"/{b}/a%20b").status, 200, 403),
    "presigned-never-expires": Probe(
        lambda lab, b: lab.presigned(f"/{b}/key", Signer(at=time.time() - HOUR)).status, 403, 200
    ),
    "presigned-refused": Probe(lambda lab, b: lab.presigned(f"/{b}/key", Signer()).status, 200, 401),
    "presigned-v2-refused": Probe(version_2, 200, 400),
    "scope-date-unchecked": Probe(
        lambda lab, b: status(lab, b, Signer(date=stamp(time.time() - DAY)[:8])), MALFORMED, (200, "")
    ),
    "skew-ignored": Probe(
        lambda lab, b: status(lab, b, Signer(at=time.time() - HOUR)), (403, "RequestTimeTooSkewed"), (200, "")
    ),
    "trailer-payload-refused": Probe(
        lambda lab, b: trailing(lab, f"/{b}/new", "crc32", checksum("crc32", TEN)).code,
        "",
        "XAmzContentSHA256Mismatch",
    ),
    "x-id-refused": Probe(lambda lab, b: lab.raw("GET", f"/{b}/key?x-id=GetObject").status, 200, 400),
}
ADMITTING = (
    *("any-access-key", "any-region", "any-signature", "host-unsigned-accepted", "presigned-never-expires"),
    *("scope-date-unchecked", "skew-ignored"),
)


@pytest.mark.parametrize("name", PROBES)
def test_it_shows_with_the_defect_and_not_without(lab: Lab, name: str) -> None:
    assert PROBES[name].observe(lab) == PROBES[name].honest
    assert PROBES[name].observe(lab, name) == PROBES[name].wrong


def test_every_defect_here_is_shown() -> None:
    assert names_in("auth") == PROBES.keys()


@pytest.mark.parametrize("name", [name for name in ADMITTING if name != "any-signature"])
def test_a_check_that_is_let_pass_is_the_only_one(lab: Lab, name: str) -> None:
    """A wrong signature of an otherwise good request is still refused."""
    probe = Probe(lambda lab, b: status(lab, b, Signer(secret="wrong")), None, None)
    assert probe.observe(lab, name) == (403, "SignatureDoesNotMatch")


def test_what_is_let_in_still_needs_the_right_to_do_it(lab: Lab) -> None:
    """An unknown access key is an account of its own, with no right to another's bucket."""
    probe = Probe(lambda lab, b: status(lab, b, Signer("NOBODY", "nothing")), None, None)
    assert probe.observe(lab, "any-access-key") == (403, "AccessDenied")


def test_a_presigned_url_of_another_region_and_version_2_url_pass_too(lab: Lab) -> None:
    def ask(lab: Lab, bucket: str) -> tuple[int, int]:
        return lab.presigned(f"/{bucket}/key", Signer(region="mars-1")).status, version_2(lab, bucket)

    probe = Probe(ask, None, None)
    assert probe.observe(lab) == (400, 200)
    assert probe.observe(lab, "any-region") == (200, 200)
