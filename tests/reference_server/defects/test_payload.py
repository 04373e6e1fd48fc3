"""Defects of request bodies, documents among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.reference_server.catalogue.steps import MIN_PART, Upload, checksum, md5_header
from tests.reference_server.defects.probing import (
    TEN,
    Lab,
    Probe,
    empty,
    keys,
    names_in,
    one,
    trailing,
    version_ids,
    versioned,
)
from tests.reference_server.signing import SIGNED, Chain, Signer, signed_body

if TYPE_CHECKING:
    from conftest import Reply

RIGHT = {name: checksum(name, TEN) for name in ("crc32", "crc64nvme")}
WRONG = {name: checksum(name, b"another") for name in RIGHT}


def outcome(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.code if reply.status >= 400 else ""


def put(lab: Lab, bucket: str, headers: dict[str, str] | None = None, **more: str) -> tuple[int, str]:
    """PUT of the ten bytes."""
    return outcome(lab.raw("PUT", f"/{bucket}/new", TEN, headers, **more))


def chunked(lab: Lab, bucket: str, wrong: int | None = None) -> tuple[int, str]:
    """PUT of the ten bytes in signed chunks, one of whose signatures is wrong."""
    signer, target = Signer(), f"/{bucket}/new"
    named = {"Content-Encoding": "aws-chunked", "x-amz-decoded-content-length": "10", "Host": lab.raw.host}
    headers = signer.headers("PUT", target, named, SIGNED)
    body = signed_body(Chain(signer, headers), TEN, wrong=wrong)
    return outcome(lab.raw("PUT", target, body, sign=False, unsigned=headers))


def stored(lab: Lab, bucket: str) -> bytes:
    """The beginning of what an upload in chunks stores."""
    assert trailing(lab, f"/{bucket}/new", "crc32", RIGHT["crc32"]).status == 200
    return lab.raw("GET", f"/{bucket}/new").body[:4]


def delete(lab: Lab, bucket: str, inside: str, headers: dict[str, str] | None = None) -> Reply:
    """DeleteObjects with this inside its document."""
    document = f"<Delete>{inside}</Delete>".encode()
    return lab.raw("POST", f"/{bucket}?delete", document, headers or md5_header(document))


def delete_older(lab: Lab, bucket: str) -> list[bool]:
    """Whether the versions that were there before DeleteObjects of the older one are there afterwards."""
    newer, older = version_ids(lab, bucket)
    assert delete(lab, bucket, f"<Object><Key>key</Key><VersionId>{older}</VersionId></Object>").status == 200
    left = version_ids(lab, bucket)
    return [newer in left, older in left]


def complete_backwards(lab: Lab, bucket: str) -> tuple[int, str, bytes]:
    """Completion with the parts listed from the last to the first, and the end of what there is afterwards."""
    upload = Upload(lab.raw, f"/{bucket}/new")
    etags = [upload.part(1, bytes(MIN_PART)).headers["etag"], upload.part(2, TEN).headers["etag"]]
    reply = upload.complete([(2, etags[1], ""), (1, etags[0], "")])
    found = lab.raw("GET", f"/{bucket}/new", headers={"Range": "bytes=-10"})
    return (*outcome(reply), found.body if found.status == 206 else b"nothing")


def create_elsewhere(lab: Lab, bucket: str) -> tuple[int, str]:
    document = (
        b"<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>"
    )
    return outcome(lab.raw("PUT", f"/{bucket}-elsewhere", document))


ENTRY = "<Object><Key>key</Key></Object>"
DELETE_CRC = {"x-amz-checksum-crc32": checksum("crc32", f"<Delete>{ENTRY}</Delete>".encode())}

BODIES = {
    "aws-chunked-415": Probe(chunked, (200, ""), (415, "UnsupportedMediaType"), empty),
    "checksum-header-501": Probe(
        lambda lab, b: put(lab, b, {"x-amz-checksum-crc32": RIGHT["crc32"]}), (200, ""), (501, "NotImplemented"), empty
    ),
    "checksum-header-ignored": Probe(
        lambda lab, b: put(lab, b, {"x-amz-checksum-crc32": WRONG["crc32"]}), (400, "BadDigest"), (200, ""), empty
    ),
    "chunk-framing-stored": Probe(stored, b"0123", b"a\r\n0", empty),
    "chunk-signature-ignored": Probe(
        lambda lab, b: chunked(lab, b, wrong=0), (403, "SignatureDoesNotMatch"), (200, ""), empty
    ),
    "content-md5-demanded": Probe(
        lambda lab, b: outcome(delete(lab, b, ENTRY, DELETE_CRC)), (200, ""), (400, "MissingContentMD5")
    ),
    "content-md5-ignored": Probe(
        lambda lab, b: put(lab, b, md5_header(b"another")), (400, "BadDigest"), (200, ""), empty
    ),
    "crc64nvme-refused": Probe(
        lambda lab, b: [put(lab, b, {f"x-amz-checksum-{name}": value})[0] for name, value in RIGHT.items()],
        [200, 200],
        [200, 400],
        empty,
    ),
    "decoded-length-ignored": Probe(
        lambda lab, b: outcome(trailing(lab, f"/{b}/new", "crc32", RIGHT["crc32"], length=11)),
        (400, "IncompleteBody"),
        (200, ""),
        empty,
    ),
    "payload-hash-ignored": Probe(
        lambda lab, b: put(lab, b, payload="0" * 64), (400, "XAmzContentSHA256Mismatch"), (200, ""), empty
    ),
    "trailer-411": Probe(
        lambda lab, b: outcome(trailing(lab, f"/{b}/new", "crc32", RIGHT["crc32"])),
        (200, ""),
        (411, "MissingContentLength"),
        empty,
    ),
    "trailer-checksum-ignored": Probe(
        lambda lab, b: outcome(trailing(lab, f"/{b}/new", "crc32", WRONG["crc32"])),
        (400, "BadDigest"),
        (200, ""),
        empty,
    ),
}
DOCUMENTS = {
    "delete-objects-etag-ignored": Probe(
        lambda lab, b: delete(lab, b, f"<Object><Key>key</Key><ETag>{'0' * 32}</ETag></Object>").elements("Code"),
        ["PreconditionFailed"],
        [],
    ),
    "delete-objects-versions-ignored": Probe(delete_older, [True, False], [True, True], versioned),
    "location-constraint-ignored": Probe(
        create_elsewhere, (400, "IllegalLocationConstraintException"), (200, ""), empty
    ),
    "part-order-ignored": Probe(complete_backwards, (400, "InvalidPartOrder", b"nothing"), (200, "", TEN), empty),
    "quiet-ignored": Probe(
        lambda lab, b: delete(lab, b, f"<Quiet>true</Quiet>{ENTRY}").elements("Key"), [], ["key"], keys("key", "other")
    ),
}
PROBES = BODIES | DOCUMENTS


@pytest.mark.parametrize("name", PROBES)
def test_it_shows_with_the_defect_and_not_without(lab: Lab, name: str) -> None:
    assert PROBES[name].observe(lab) == PROBES[name].honest
    assert PROBES[name].observe(lab, name) == PROBES[name].wrong


def test_every_defect_here_is_shown() -> None:
    assert names_in("payload") == BODIES.keys()
    assert names_in("payload_documents") == DOCUMENTS.keys()


@pytest.mark.parametrize(
    ("name", "headers", "payload"),
    [
        ("checksum-header-ignored", {"x-amz-checksum-crc32": WRONG["crc32"]}, None),
        ("content-md5-ignored", md5_header(b"another"), None),
        ("payload-hash-ignored", {}, "0" * 64),
    ],
)
def test_what_is_stored_is_what_came_with_its_own_digests(
    lab: Lab, name: str, headers: dict[str, str], payload: str | None
) -> None:
    def ask(lab: Lab, bucket: str) -> list[object]:
        sent = lab.raw("PUT", f"/{bucket}/new", TEN, headers, payload=payload)
        found = lab.raw("GET", f"/{bucket}/new")
        return [found.body, sent.headers["etag"] == found.headers["etag"]]

    assert Probe(ask, None, None, one).observe(lab, name) == [TEN, True]


@pytest.mark.parametrize("name", ["checksum-header-ignored", "content-md5-ignored", "payload-hash-ignored"])
def test_the_other_digests_are_still_checked(lab: Lab, name: str) -> None:
    wrong = {
        "checksum-header-ignored": {"x-amz-checksum-crc32": WRONG["crc32"]},
        "content-md5-ignored": md5_header(b"another"),
    }
    for other, headers in wrong.items():
        if other != name:
            assert Probe(lambda lab, b, sent=headers: put(lab, b, sent), None, None).observe(lab, name) == (
                400,
                "BadDigest",
            )
