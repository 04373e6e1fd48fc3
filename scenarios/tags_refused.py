"""TAG: what a tag, and a request that sets tags, must be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.clients import LIBRARIES
from harness.expect import Matcher, ok, one_of, refused
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from scenarios._tags import TagSet, keeps_tags, numbered, tag_set, tags
from scenarios.etag import content_md5

_BEFORE = tag_set(("state", "before"))
_DOCUMENT = b"<Tagging><TagSet><Tag><Key>state</Key><Value>after</Value></Tag></TagSet></Tagging>"
_AFTER = tag_set(("state", "after"))

_FORBIDDEN = (
    ("a,b", "value"),
    ("a!", "value"),
    ("a#b", "value"),
    ("key", "a,b"),
    ("key", "a;b"),
    ("key", "a{b}"),
)
"""Characters beside letters, digits, spaces and _.:/=+-@, in a key and in a value."""


def _invalid(key: str, value: str = "") -> Matcher:
    """400 InvalidTag that names the tag, and the value where that is at fault."""
    return refused(400, "InvalidTag", fields={"TagKey": key} | ({"TagValue": value} if value else {}))


def _both_refuse(s3: Scene, cases: list[tuple[TagSet, Matcher]]) -> None:
    """An object and a bucket take good tags, refuse each of these sets, and keep what they had."""
    key, bucket = s3.key(), s3.new_bucket()
    s3.put(key)
    targets: tuple[tuple[str, Mapping[str, Any], int], ...] = (
        ("ObjectTagging", {"Key": key}, 200),
        ("BucketTagging", {"Bucket": bucket}, 204),
    )
    for subject, target, success in targets:
        s3.expect(s3.call(f"Put{subject}", **target, Tagging={"TagSet": _BEFORE}), ok(success))
        for wrong, refusal in cases:
            s3.expect(s3.call(f"Put{subject}", **target, Tagging={"TagSet": wrong}), refusal)
        s3.expect(s3.look(f"Get{subject}", **target), tags(_BEFORE))


@scenario(
    "TAG-004",
    SHOULD,
    "PutObjectTagging",
    "PutBucketTagging",
    source="LocalStack test_tagging_validation (recorded on AWS)",
    clients=LIBRARIES,
)
def repeated_tag_key(s3: Scene) -> None:
    """Two tags with the same key are refused with 400 InvalidTag naming the TagKey.

    S3 promises: a key stands once in a set, for objects and buckets alike; the error has the key in TagKey, and the
    tags that were there stay.

    Breaks: programs that merge tags from two places find their mistake by this error; a gateway that keeps the last,
    or both, lets a cost or retention tag vanish.

    Fix: check the set for repeated keys before storing any of it.
    """
    _both_refuse(s3, [(tag_set(("twice", "1"), ("once", "2"), ("twice", "3")), _invalid("twice"))])


@scenario(
    "TAG-005",
    SHOULD,
    "PutObjectTagging",
    "PutBucketTagging",
    source="LocalStack test_tagging_validation (recorded on AWS); versitygw REST PutBucketTagging, tag key with "
    "control character",
    clients=LIBRARIES,
)
def forbidden_tag_characters(s3: Scene) -> None:
    """A tag with a character that tags cannot have is refused with 400 InvalidTag naming TagKey and TagValue.

    S3 promises: keys and values are made of letters, digits and spaces of any language and of _ . : / = + - @. With
    anything else the answer is 400 InvalidTag; TagKey tells the key and, if the value is at fault, TagValue tells it.

    Breaks: only strict validation. Tags that a gateway takes beyond this set cannot be copied to AWS later, and
    commas in them break reports that join tags with commas.

    Fix: check each character by its Unicode class and against the eight symbols, for keys and values.
    """
    cases = [(tag_set((key, value)), _invalid(key, "" if key != "key" else value)) for key, value in _FORBIDDEN]
    _both_refuse(s3, cases)


@scenario(
    "TAG-006",
    SHOULD,
    "PutObjectTagging",
    "PutBucketTagging",
    source="LocalStack test_tagging_validation (recorded on AWS); Moto test_put_object_tagging_prefixed_with_aws "
    "(verified on AWS)",
    clients=LIBRARIES,
)
def reserved_tag_prefix(s3: Scene) -> None:
    """A tag key that begins with "aws:" is refused with 400 InvalidTag.

    S3 promises: the prefix belongs to the service itself; users can neither set nor change such tags. A key that
    merely has the letters elsewhere is free.

    Breaks: only strict validation; tags copied to AWS later would be refused there.

    Fix: compare the first four characters of every key, and refuse the whole set.
    """
    free = tag_set(("not-aws:key", "value"))
    s3.put(s3.key("free"))
    s3.expect(s3.call("PutObjectTagging", Key=s3.key("free"), Tagging={"TagSet": free}), ok())
    keeps_tags(s3, s3.key("free"), free)
    _both_refuse(s3, [(tag_set(("aws:key", "value")), refused(400, "InvalidTag"))])


@scenario(
    "TAG-007",
    SHOULD,
    "PutObjectTagging",
    source="Moto test_put_object_tagging_too_many_tags (verified on AWS); ceph/s3-tests test_put_excess_tags expects "
    "InvalidTag",
    clients=LIBRARIES,
)
def eleven_object_tags(s3: Scene) -> None:
    """An object takes ten tags; the eleventh is refused with 400 BadRequest (another suite: InvalidTag).

    S3 promises: an object has at most ten tags. A larger set is refused as a whole, and what was there stays.

    Breaks: programs that tag freely find the limit only when they move to AWS; those that test for it expect the
    refusal, not a set cut to ten.

    Fix: count the set before storing it, and refuse all of it.
    """
    key, full = s3.key(), numbered(10)
    s3.put(key)
    s3.expect(s3.call("PutObjectTagging", Key=key, Tagging={"TagSet": full}), ok())
    keeps_tags(s3, key, full)
    answer = s3.call("PutObjectTagging", Key=key, Tagging={"TagSet": numbered(11)})
    s3.expect(answer, one_of(refused(400, "BadRequest"), refused(400, "InvalidTag")))
    s3.note(f"answered {answer.status} {answer.code}")
    keeps_tags(s3, key, full)


@scenario(
    "TAG-008",
    EXTENDED,
    "PutBucketTagging",
    source="versitygw REST PutBucketTagging, more than 50 tags",
    clients=LIBRARIES,
)
def fifty_one_bucket_tags(s3: Scene) -> None:
    """A bucket takes fifty tags; one more is refused with 400 BadRequest.

    S3 promises: a bucket has at most fifty tags, five times as many as an object, and a larger set is refused whole.

    Breaks: only strict validation; where the limit of objects is applied to buckets, Terraform modules with many
    cost tags fail.

    Fix: keep the two limits apart: 10 for objects, 50 for buckets.
    """
    bucket, full = s3.new_bucket(), numbered(50)
    s3.expect(s3.call("PutBucketTagging", Bucket=bucket, Tagging={"TagSet": full}), ok(204))
    answer = s3.call("PutBucketTagging", Bucket=bucket, Tagging={"TagSet": numbered(51)})
    s3.expect(answer, refused(400, "BadRequest"))
    s3.expect(s3.look("GetBucketTagging", Bucket=bucket), ok(), tags(full))


@scenario(
    "TAG-013",
    SHOULD,
    "PutBucketTagging",
    source="versitygw REST PutBucketTagging, missing, incorrect and invalid Content-MD5",
    clients=("raw",),
)
def bucket_tags_need_digest(s3: Scene) -> None:
    """PutBucketTagging needs a digest: without it 400 InvalidRequest, a wrong one BadDigest, no digest InvalidDigest.

    S3 promises: the document must come with Content-MD5 or an x-amz-checksum header, beside the hash that the
    signature covers. Without it, or where it does not fit, nothing is changed.

    Breaks: only strict validation; SDKs always send a digest. A gateway that ignores a wrong one stores settings
    that were damaged on the way.

    Fix: for the operations whose model says httpChecksumRequired, ask for a digest before reading the body, and
    verify it before parsing.
    """
    bucket = s3.new_bucket()
    target = f"/{bucket}?tagging"
    digests = (("", "InvalidRequest"), (content_md5(b"another document"), "BadDigest"), ("MTIz", "InvalidDigest"))
    for value, code in digests:
        headers = [("Content-MD5", value)] if value else []
        answer = s3.send("PutBucketTagging", "PUT", target, *headers, body=_DOCUMENT, bucket=bucket)
        s3.expect(answer, refused(400, code))
        s3.expect(s3.look("GetBucketTagging", Bucket=bucket), refused(404, "NoSuchTagSet"))
    right = ("Content-MD5", content_md5(_DOCUMENT))
    s3.expect(s3.send("PutBucketTagging", "PUT", target, right, body=_DOCUMENT, bucket=bucket), ok(204))
    s3.expect(s3.look("GetBucketTagging", Bucket=bucket), ok(), tags(_AFTER))


@scenario(
    "TAG-014",
    SHOULD,
    "PutObjectTagging",
    source="versitygw REST PutObjectTagging, content-md5 not required for object tagging",
    clients=("raw",),
)
def object_tags_need_no_digest(s3: Scene) -> None:
    """PutObjectTagging is accepted without Content-MD5 and without a checksum.

    S3 promises: unlike for buckets, the tags of an object may come without a digest, although the service model
    marks one as required.

    Breaks: small clients that follow what AWS does rather than its model; they cannot tag where the digest is
    demanded.

    Fix: leave PutObjectTagging out of the operations that insist on a digest; verify one that is sent.
    """
    key = s3.key()
    s3.put(key)
    target = f"/{s3.bucket}/{key}?tagging"
    s3.expect(s3.send("PutObjectTagging", "PUT", target, body=_DOCUMENT, bucket=s3.bucket), ok())
    keeps_tags(s3, key, _AFTER)


@scenario(
    "TAG-015",
    SHOULD,
    "PutObjectTagging",
    source="LocalStack test_tagging_validation, test_put_object_tagging_none_value and "
    "test_put_bucket_tagging_none_value (recorded on AWS)",
    clients=("raw",),
)
def incomplete_tag(s3: Scene) -> None:
    """A tag without its Key or without its Value element is refused with 400 MalformedXML.

    S3 promises: every Tag has both elements; Value may be empty but not absent. Otherwise the document does not meet
    the schema, and the tags that were there stay.

    Breaks: only strict validation; a gateway that reads a missing Value as empty, or crashes on it with 500, hides
    the mistake of whoever wrote the document.

    Fix: tell an absent element from an empty one when reading the document.
    """
    malformed = refused(400, "MalformedXML")
    cases = ([{"Key": "lonely"}], [{"Value": "lonely"}], [{"Key": "good", "Value": "1"}, {"Key": "lonely"}])
    _both_refuse(s3, [(case, malformed) for case in cases])
    key, empty = s3.key("empty"), tag_set(("empty", ""))
    s3.put(key)
    s3.expect(s3.call("PutObjectTagging", Key=key, Tagging={"TagSet": empty}), ok())
    keeps_tags(s3, key, empty)
