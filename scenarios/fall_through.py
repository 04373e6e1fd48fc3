"""CFG: requests for what an endpoint does not have must not be taken for something that it has.

How each single operation is answered is the statement of `operations`; here are requests as they cross the wire.
"""

from __future__ import annotations

from typing import NamedTuple

from harness.clients.base import Observed
from harness.expect import Matcher, body, ok
from harness.scenario import SHOULD, scenario
from harness.scene import Scene
from scenarios.bkt import is_missing
from scenarios.etag import content_md5

_CONTENT = b"an object that must survive"
_DOCUMENT = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
_LISTINGS = frozenset({"ListBucketResult", "ListAllMyBucketsResult"})
_OF_OTHERS = frozenset(
    {"NoSuchBucket", "NoSuchKey", "BucketNotEmpty", "BucketAlreadyExists", "BucketAlreadyOwnedByYou"}
)
"""Codes that are untrue of a bucket and an object that are there, or that only plain bucket calls have."""


class _Probe(NamedTuple):
    """A request for a sub-resource of the bucket, or of the object in it."""

    operation: str
    method: str
    sub: str
    of_object: bool = False
    document: bytes = b""

    @property
    def text(self) -> str:
        return f"{self.method} {'object' if self.of_object else 'bucket'}?{self.sub}"


_PROBES = (
    _Probe("GetBucketAbac", "GET", "abac"),
    _Probe("GetBucketMetadataTableConfiguration", "GET", "metadataTable"),
    _Probe("GetBucketReplication", "GET", "replication"),
    _Probe("DeleteBucketMetadataTableConfiguration", "DELETE", "metadataTable"),
    _Probe("DeleteBucketPolicy", "DELETE", "policy"),
    _Probe("DeleteBucketLifecycle", "DELETE", "lifecycle="),
    _Probe("DeleteBucketTagging", "DELETE", "tagging&x-id=DeleteBucketTagging"),
    _Probe("GetObjectTorrent", "GET", "torrent", of_object=True),
    _Probe("PutObjectAnnotation", "PUT", "annotation", of_object=True, document=_DOCUMENT),
    _Probe("DeleteObjectAnnotation", "DELETE", "annotation", of_object=True),
    _Probe("PutObjectTagging", "PUT", "tagging", of_object=True, document=_DOCUMENT),
    _Probe("DeleteObjectTagging", "DELETE", "tagging=", of_object=True),
)
"""Sub-resources that few gateways have, and some that are fatal when overlooked, also with an equals sign."""


def _own_answer(probe: _Probe) -> Matcher:
    """An answer about the sub-resource: its document or success, or a refusal in S3's XML, 501 where it is unknown."""
    expected = f"{probe.text} is answered for itself: done, 501 NotImplemented, or a 4xx of its own, in XML"

    def test(seen: Observed) -> str:
        root = seen.document.tag if seen.document is not None else ""
        if seen.ok and (root in _LISTINGS or seen.body == _CONTENT):
            return f"it is answered with {root or 'the bytes of the object'}"
        if seen.ok:
            return "it is answered with nothing" if probe.method == "GET" and not seen.body else ""
        status = seen.status or 0
        clean = (400 <= status < 500 and seen.code not in _OF_OTHERS) or (status, seen.code) == (501, "NotImplemented")
        return "" if clean and root == "Error" and seen.code else f"got {seen.summary()}, root element {root!r}"

    return Matcher(expected, test)


def _ask(s3: Scene, bucket: str, probe: _Probe) -> Observed:
    path = f"/{bucket}/kept" if probe.of_object else f"/{bucket}"
    headers = [("Content-MD5", content_md5(probe.document))] if probe.document else []
    target = f"{path}?{probe.sub}"
    return s3.send(probe.operation, probe.method, target, *headers, body=probe.document, bucket=bucket)


@scenario(
    "CFG-009",
    SHOULD,
    *(probe.operation for probe in _PROBES),
    "PutBucketTagging",
    source="AWS documentation, Error responses",
    confidence="partly unverified",
    clients=("raw",),
)
def sub_resources_stay_apart(s3: Scene) -> None:
    """A sub-resource that an endpoint does not have is 501 NotImplemented in XML, never a plain object or bucket call.

    S3 promises: ?policy, ?tagging and the like are requests of their own. Where they are not offered nothing happens:
    the bucket is not deleted or made, the object not overwritten, and no listing comes in place of the answer.

    Breaks: on some gateways `DELETE /bucket?policy` has deleted the bucket, and `PUT /bucket/key?tagging` replaced
    the object by a few lines of XML. Terraform and `aws s3 cp` send such requests without being asked.

    Fix: keep the list of all sub-resources, those not offered too, and route by it before method and path; the form
    with an equals sign means the same, and x-id means nothing.
    """
    bucket, missing = s3.new_bucket(), s3.bucket_name()
    s3.put("kept", _CONTENT, Bucket=bucket)
    refused = []
    for probe in _PROBES:
        answer = s3.expect(_ask(s3, bucket, probe), _own_answer(probe))
        s3.expect(s3.look("GetObject", Bucket=bucket, Key="kept"), ok(), body(_CONTENT))
        refused += [probe.text] if answer.status == 501 else []
    digest = ("Content-MD5", content_md5(_DOCUMENT))
    s3.send("PutBucketTagging", "PUT", f"/{missing}?tagging", digest, body=_DOCUMENT, bucket=missing)
    is_missing(s3, missing)
    s3.note(f"501 for {', '.join(refused) or 'none'}")
