"""Defects of reads, and of how they are refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.reference_server.catalogue.steps import Upload, names, object_attributes, put_document
from tests.reference_server.defects.probing import ETAG, TEN, Lab, Probe, empty, names_in

Ask = Callable[[Lab, str], object]

GLACIER = {"x-amz-storage-class": "GLACIER"}
JAPAN = "%E6%97%A5%E6%9C%AC"
POLICY = (
    '{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", '
    '"Resource": "arn:aws:s3:::{}/*"}}}}'
)


def reads(*asked: tuple[str, Mapping[str, str]], method: str = "GET") -> Ask:
    """Status of a read with each of these queries and headers."""
    return lambda lab, bucket: [
        lab.raw(method, f"/{bucket}/key{query}", headers=headers).status for query, headers in asked
    ]


def ranged(*ranges: str) -> Ask:
    return reads(*(("", {"Range": text}) for text in ranges))


def of_nothing(lab: Lab, bucket: str) -> int:
    assert lab.raw("PUT", f"/{bucket}/nothing").status == 200
    return lab.raw("GET", f"/{bucket}/nothing", headers={"Range": "bytes=0-0"}).status


def beyond(lab: Lab, bucket: str) -> int:
    assert Upload(lab.raw, f"/{bucket}/parts").finish(TEN).status == 200
    return lab.raw("GET", f"/{bucket}/parts?partNumber=2").status


def overridden(lab: Lab, bucket: str) -> str:
    return lab.raw("HEAD", f"/{bucket}/key?response-cache-control=no-store").headers.get("cache-control", "")


def anonymous(lab: Lab, bucket: str) -> int:
    """GET with an override and without a signature, of an object that everybody may read."""
    assert lab.raw("DELETE", f"/{bucket}?publicAccessBlock").status == 204
    assert put_document(lab.raw, f"/{bucket}?policy", POLICY.format(bucket)).status == 204
    return lab.raw("GET", f"/{bucket}/key?response-expires=0", sign=False).status


def attributes(lab: Lab, bucket: str) -> list[str]:
    return names(object_attributes(lab.raw, f"/{bucket}/key", "ObjectSize"))


def archived(lab: Lab, bucket: str) -> int:
    assert lab.raw("PUT", f"/{bucket}/old", TEN, GLACIER).status == 200
    return lab.raw("GET", f"/{bucket}/old").status


def with_body(lab: Lab, bucket: str) -> int:
    return lab.raw("GET", f"/{bucket}/key", b"body", {"Content-Length": "4"}).status


def same_time(lab: Lab, bucket: str) -> bool:
    """Whether the listing shows the seconds of Last-Modified."""
    listed = lab.raw("GET", f"/{bucket}?list-type=2").element("LastModified")
    return listed[17:19] == lab.raw("HEAD", f"/{bucket}/key").headers["last-modified"][23:25]


def decoded(lab: Lab, bucket: str) -> list[str | None]:
    """User metadata beyond ASCII, and some that cannot be decoded."""
    sent = {"x-amz-meta-a": "=?UTF-8?B?w7w=?=", "x-amz-meta-b": "=?UTF-8?B?a?="}
    assert lab.raw("PUT", f"/{bucket}/new", TEN, sent).status == 200
    found = lab.raw("HEAD", f"/{bucket}/new").headers
    return [found.get(name) for name in sent]


def class_shown(lab: Lab, bucket: str) -> str | None:
    return lab.raw("HEAD", f"/{bucket}/key").headers.get("x-amz-storage-class")


def announced(lab: Lab, bucket: str) -> tuple[int, str]:
    """PUT of more than 5 GiB, of which nothing is sent."""
    headers = {"Content-Length": str(5 * 1024**3 + 1), "Expect": "100-continue"}
    reply = lab.raw("PUT", f"/{bucket}/huge", headers=headers, length=False)
    return reply.status, reply.code


PROBES = {
    "all-attributes-shown": Probe(attributes, ["ObjectSize"], ["ETag", "Checksum", "StorageClass", "ObjectSize"]),
    "anonymous-overrides-unseen": Probe(anonymous, 400, 200),
    "archived-objects-readable": Probe(archived, 403, 200, empty),
    "failed-condition-500": Probe(
        reads(("", {"If-Match": '"0"'}), ("", {"If-None-Match": ETAG})), [412, 304], [500, 304]
    ),
    "get-with-body-400": Probe(with_body, 200, 400),
    "list-times-rounded-up": Probe(same_time, True, False),
    "malformed-range-416": Probe(
        ranged("bytes=1-0", "0-1", "bytes=-", "bytes=0-1"), [200, 200, 200, 206], [416, 416, 416, 206]
    ),
    "metadata-as-raw-utf8": Probe(decoded, ["=?UTF-8?B?w7w=?=", "=?UTF-8?B?a?="], ["Ã¼", "=?UTF-8?B?a?="], empty),
    "missing-key-503": Probe(lambda lab, b: lab.raw("GET", f"/{b}/missing").status, 404, 503),
    "overrides-ignored-on-head": Probe(overridden, "no-store", ""),
    "overrides-with-question-marks": Probe(reads((f"?response-content-disposition={JAPAN}", {})), [400], [200]),
    "part-beyond-last-is-last": Probe(beyond, 416, 206, empty),
    "range-of-empty-object-200": Probe(of_nothing, 416, 200, empty),
    "range-of-part-ignored": Probe(reads(("?partNumber=1", {"Range": "bytes=0-1"})), [400], [206]),
    "standard-class-shown": Probe(class_shown, None, "STANDARD"),
    "too-large-413": Probe(announced, (400, "EntityTooLarge"), (413, "RequestEntityTooLarge"), empty),
    "part-number-letters-ignored": Probe(reads(("?partNumber=a", {}), method="HEAD"), [400], [200]),
}


@pytest.mark.parametrize("name", PROBES)
def test_it_shows_with_the_defect_and_not_without(lab: Lab, name: str) -> None:
    assert PROBES[name].observe(lab) == PROBES[name].honest
    assert PROBES[name].observe(lab, name) == PROBES[name].wrong


def test_every_defect_here_is_shown() -> None:
    assert names_in("operation_reads") == PROBES.keys()


def attribute_order(lab: Lab, bucket: str) -> list[str]:
    return names(object_attributes(lab.raw, f"/{bucket}/key", "ETag,ObjectSize"))


def type_of_put(lab: Lab, bucket: str) -> str | None:
    return lab.raw("PUT", f"/{bucket}/new", TEN).headers.get("content-type")


WRITTEN = {
    "attributes-size-first": Probe(attribute_order, ["ETag", "ObjectSize"], ["ObjectSize", "ETag"]),
    "put-with-content-type": Probe(type_of_put, None, "text/html; charset=utf-8"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_it_shows_in_what_is_written(lab: Lab, name: str) -> None:
    assert WRITTEN[name].observe(lab) == WRITTEN[name].honest
    assert WRITTEN[name].observe(lab, name) == WRITTEN[name].wrong


def test_every_defect_of_what_is_written_is_shown() -> None:
    assert names_in("serialise_reads") == WRITTEN.keys()
