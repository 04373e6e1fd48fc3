"""Defects of operations that are not there: refused, or taken for others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.reference_server.catalogue.steps import Upload, put_document, tree
from tests.reference_server.defects.probing import TEN, Lab, Probe, empty, keys, names_in, one, versioned

TAGS = "<Tagging><TagSet><Tag><Key>c</Key><Value>d</Value></Tag></TagSet></Tagging>"
SETTINGS = ("cors", "encryption", "lifecycle", "policy", "publicAccessBlock", "tagging", "website")
NOT_IMPLEMENTED = (501, "NotImplemented")


def asked(method: str, suffix: str) -> Callable[[Lab, str], tuple[int, str]]:
    """Status and code of a request about the bucket."""

    def ask(lab: Lab, bucket: str) -> tuple[int, str]:
        reply = lab.raw(method, f"/{bucket}{suffix}")
        return reply.status, reply.code

    return ask


def root(suffix: str) -> Callable[[Lab, str], str]:
    """The root element of an answer; that it is object data, if it is none."""

    def ask(lab: Lab, bucket: str) -> str:
        reply = lab.raw("GET", f"/{bucket}{suffix}", headers={"x-amz-object-attributes": "ETag"})
        return "data" if reply.body == TEN else tree(reply).tag

    return ask


def document(suffix: str, text: str) -> Callable[[Lab, str], tuple[int, str, bytes]]:
    """Status and code of PUT of a document, and what the object has then."""

    def ask(lab: Lab, bucket: str) -> tuple[int, str, bytes]:
        reply = put_document(lab.raw, f"/{bucket}{suffix}", text)
        return reply.status, reply.code, lab.raw("GET", f"/{bucket}/key").body

    return ask


def copy_to(key: str) -> Callable[[Lab, str], tuple[int, bytes, bool]]:
    """Status of a copy, what it has, and whether the answer is that of a copy."""

    def ask(lab: Lab, bucket: str) -> tuple[int, bytes, bool]:
        headers = {"x-amz-copy-source": f"/{bucket}/key", "x-amz-metadata-directive": "REPLACE"}
        reply = lab.raw("PUT", f"/{bucket}/{key}", headers=headers)
        return reply.status, lab.raw("GET", f"/{bucket}/{key}").body, b"<CopyObjectResult" in reply.body

    return ask


def part_copy(lab: Lab, bucket: str) -> tuple[int, str, str]:
    """Status and code of a part that is copied, and the size that is listed."""
    upload = Upload(lab.raw, f"/{bucket}/parts")
    reply = upload.copy(1, f"/{bucket}/key")
    return reply.status, reply.code, upload.listed().element("Size")


def settings_deleted(lab: Lab, _: str) -> list[int]:
    """Status of empty buckets after a setting of each is deleted."""
    buckets = {name: lab.bucket() for name in SETTINGS}
    for name, bucket in buckets.items():
        assert lab.raw("DELETE", f"/{bucket}?{name}").status == 204
    return [lab.raw("HEAD", f"/{bucket}").status for bucket in buckets.values()]


def tags_deleted(lab: Lab, bucket: str) -> tuple[int, int]:
    """Status of DELETE of the object's tags, and of the object then."""
    status = lab.raw("DELETE", f"/{bucket}/key?tagging").status
    return status, lab.raw("GET", f"/{bucket}/key").status


PROBES = {
    "copy-self-empties": Probe(
        lambda lab, b: [copy_to("other")(lab, b), copy_to("key")(lab, b)],
        [(200, TEN, True), (200, TEN, True)],
        [(200, TEN, True), (200, b"", False)],
    ),
    "copy-stores-nothing": Probe(copy_to("other"), (200, TEN, True), (200, b"", False)),
    "get-tagging-501": Probe(asked("GET", "/key?tagging"), (200, ""), NOT_IMPLEMENTED),
    "list-v1-404": Probe(
        lambda lab, b: [asked("GET", "")(lab, b), asked("GET", "?list-type=2")(lab, b)],
        [(200, ""), (200, "")],
        [(404, "NoSuchKey"), (200, "")],
    ),
    "list-v2-answered-as-v1": Probe(
        lambda lab, b: [
            lab.raw("GET", f"/{b}?list-type=2{more}").element(name)
            for more, name in (("", "KeyCount"), ("", "Marker"), ("&start-after=a", "Key"))
        ],
        ["2", "", "b"],
        ["", "", "a"],
        keys("a", "b"),
    ),
    "multipart-501": Probe(asked("POST", "/key?uploads"), (200, ""), NOT_IMPLEMENTED),
    "subresource-delete-deletes-bucket": Probe(settings_deleted, [200] * len(SETTINGS), [404] * len(SETTINGS), empty),
    "subresource-delete-deletes-object": Probe(tags_deleted, (204, 200), (204, 404)),
    "subresource-get-lists": Probe(
        lambda lab, b: [root(f"?{name}")(lab, b) for name in ("location", "versioning", "acl", "publicAccessBlock")],
        ["LocationConstraint", "VersioningConfiguration", "AccessControlPolicy", "PublicAccessBlockConfiguration"],
        ["ListBucketResult"] * 4,
    ),
    "subresource-get-reads-object": Probe(
        lambda lab, b: [root(f"/key?{name}")(lab, b) for name in ("tagging", "acl", "attributes")],
        ["Tagging", "AccessControlPolicy", "GetObjectAttributesResponse"],
        ["data"] * 3,
    ),
    "subresource-put-409": Probe(document("?tagging", TAGS), (204, "", TEN), (409, "BucketAlreadyExists", TEN)),
    "subresource-put-overwrites-object": Probe(
        document("/key?tagging", TAGS), (200, "", TEN), (200, "", TAGS.encode())
    ),
    "upload-part-copy-501": Probe(part_copy, (200, "", "10"), (*NOT_IMPLEMENTED, "")),
    "upload-part-copy-stores-nothing": Probe(part_copy, (200, "", "10"), (200, "", "0")),
    "versions-501": Probe(asked("GET", "?versions"), (200, ""), NOT_IMPLEMENTED, versioned),
}


@pytest.mark.parametrize("name", PROBES)
def test_it_shows_with_the_defect_and_not_without(lab: Lab, name: str) -> None:
    assert PROBES[name].observe(lab) == PROBES[name].honest
    assert PROBES[name].observe(lab, name) == PROBES[name].wrong


def test_every_defect_here_is_shown() -> None:
    assert names_in("operation_routing") == PROBES.keys()


def test_a_bucket_with_objects_outlives_delete_of_its_policy(lab: Lab) -> None:
    """DeleteBucket itself stays right."""
    probe = Probe(asked("DELETE", "?policy"), None, None, one)
    assert probe.observe(lab, "subresource-delete-deletes-bucket") == (409, "BucketNotEmpty")


@pytest.mark.parametrize("name", [name for name in PROBES if name.startswith("subresource")])
def test_plain_requests_stay_what_they_are(lab: Lab, name: str) -> None:
    def ask(lab: Lab, bucket: str) -> list[int]:
        new = lab.bucket()
        return [
            lab.raw("PUT", f"/{bucket}/new", TEN).status,
            lab.raw("GET", f"/{bucket}/new").status,
            lab.raw("DELETE", f"/{bucket}/new").status,
            lab.raw("GET", f"/{bucket}?list-type=2").status,
            lab.raw("DELETE", f"/{new}").status,
        ]

    assert Probe(ask, None, None, one).observe(lab, name) == [200, 200, 204, 200, 204]
