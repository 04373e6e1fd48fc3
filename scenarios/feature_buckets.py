"""IMPL: buckets that nobody makes. They are the first segment of a path, and appear with the first object in them."""

from __future__ import annotations

from harness.clients import CALLERS, LIBRARIES
from harness.expect import body, keys, ok, output, prefixes
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios._features import AUTO_DRIVE, AUTO_DRIVE_SOURCE

_CONTENT = b"in a bucket that nobody made"
DEFAULT = "default"
"""Where keys of one segment are."""


def _named(s3: Scene, bucket: str) -> int:
    """How many times the list of all buckets names one."""
    listed = s3.expect(s3.look("ListBuckets"), ok())
    return [found.get("Name") for found in listed.output.get("Buckets", [])].count(bucket)


@scenario(
    "IMPL-001",
    MUST,
    "PutObject",
    "ListBuckets",
    source=f"{AUTO_DRIVE}, Buckets",
    clients=CALLERS,
    feature="implicit-buckets",
)
def made_by_the_first_object(s3: Scene) -> None:
    """PutObject into a bucket that nobody made succeeds, and ListBuckets then names the bucket once.

    The gateway promises: there is no CreateBucket. A bucket is there as soon as something was written to it, and not
    before; a second object makes no second one.

    Breaks: programs that list buckets to find out where they may write, and users who look for what they stored.

    Fix: make the bucket part of the key, and list the distinct first segments.
    """
    bucket = s3.bucket_name()
    s3.check(_named(s3, bucket) == 0, "a bucket that is not there yet", f"{bucket} is listed")
    for key in ("report.pdf", "sub/file.txt"):
        s3.expect(s3.call("PutObject", Bucket=bucket, Key=key, Body=_CONTENT), ok())
        s3.expect(s3.look("GetObject", Bucket=bucket, Key=key), ok(), body(_CONTENT))
        found = _named(s3, bucket)
        s3.check(found == 1, f"ListBuckets names {bucket} once", f"it does {found} times", s3.seen[-1][1])


@scenario(
    "IMPL-002",
    MUST,
    "PutObject",
    "ListObjectsV2",
    source=f"{AUTO_DRIVE}, Buckets",
    clients=LIBRARIES,
    feature="implicit-buckets",
)
def first_segment(s3: Scene) -> None:
    """The first segment of a path is the bucket, and all that follows is the key, slashes too.

    The gateway promises: my-archive/sub/file.txt is the key sub/file.txt in the bucket my-archive. Listings of the
    bucket show keys without it, and fold them at slashes.

    Breaks: sync tools: with the bucket in the key, or the key cut at its last slash, they store everything again.

    Fix: split the path at its first slash, once, everywhere.
    """
    bucket = s3.bucket_name()
    s3.expect(s3.call("PutObject", Bucket=bucket, Key="sub/deeper/file.txt", Body=_CONTENT), ok())
    s3.expect(s3.call("PutObject", Bucket=bucket, Key="top.txt", Body=_CONTENT), ok())
    listed = s3.call("ListObjectsV2", Bucket=bucket)
    s3.expect(listed, ok(), keys(["sub/deeper/file.txt", "top.txt"]))
    folded = s3.call("ListObjectsV2", Bucket=bucket, Delimiter="/")
    s3.expect(folded, ok(), keys(["top.txt"]), prefixes(["sub/"]))


@scenario(
    "IMPL-003",
    SHOULD,
    "ListObjectsV2",
    source=f"{AUTO_DRIVE_SOURCE}, s3.ts",
    clients=LIBRARIES,
    feature="implicit-buckets",
)
def never_written_is_empty(s3: Scene) -> None:
    """ListObjectsV2 of a bucket that was never written to is an empty page, and no error.

    The gateway promises: a bucket that is not there and one that is empty are the same.

    Breaks: programs that look before they write; with 404 they would try to create the bucket, which they cannot.

    Fix: answer 200 with KeyCount 0 and IsTruncated false.
    """
    listed = s3.call("ListObjectsV2", Bucket=s3.bucket_name())
    s3.expect(listed, ok(), keys([]), output("KeyCount", 0), output("IsTruncated", value=False))


@scenario(
    "IMPL-004",
    MUST,
    "PutObject",
    "GetObject",
    source=f"{AUTO_DRIVE}, Buckets",
    clients=("raw",),
    feature="implicit-buckets",
)
def default_bucket(s3: Scene) -> None:
    """A path of one segment is a key in the bucket `default`: stored one way, it is read, described and listed both.

    The gateway promises: what was stored under one segment, before there were buckets, is in the bucket `default`,
    and both names go on to work.

    Breaks: whoever stored files before there were buckets, and addresses them as before.

    Fix: take `default` for the bucket of every path without a slash, with every method.
    """
    plain, named = s3.bucket_name(), s3.bucket_name()
    try:
        _both_ways(s3, plain, named)
    finally:  # the bucket is nobody's own; where deletions are refused the two keys stay
        for key in (plain, named):
            s3.look("DeleteObject", Bucket=DEFAULT, Key=key)


def _both_ways(s3: Scene, plain: str, named: str) -> None:
    s3.expect(s3.send("PutObject", "PUT", f"/{plain}", body=_CONTENT), ok())
    s3.expect(s3.call("PutObject", Bucket=DEFAULT, Key=named, Body=_CONTENT), ok())
    for key in (plain, named):
        for target in (f"/{key}", f"/{DEFAULT}/{key}"):
            s3.expect(s3.send("GetObject", "GET", target), ok(), body(_CONTENT))
            s3.expect(s3.send("HeadObject", "HEAD", target), ok())
        s3.expect(s3.look("ListObjectsV2", Bucket=DEFAULT, Prefix=key), ok(), keys([key]))


@scenario(
    "IMPL-005",
    SHOULD,
    "CreateBucket",
    "HeadBucket",
    source=f"{AUTO_DRIVE_SOURCE}, http.ts",
    clients=("raw", "boto3"),  # the SDK for JavaScript asks for /BUCKET/, which is another key
    feature="implicit-buckets",
)
def create_bucket_stores_a_key(s3: Scene) -> None:
    """CreateBucket makes no bucket: it stores its document as a key of the bucket `default`, and answers 200.

    The gateway promises: nothing, since its guide says that there is no CreateBucket; its source routes PUT of one
    segment as any other. ListBuckets does not name the bucket, and HeadBucket finds the key.

    Breaks: programs that create a bucket first take the 200 for done, which does no harm, and leave a key behind.
    Tools that can be told not to (rclone: no_check_bucket) should be.

    Fix: answer 501 NotImplemented, or 200 without storing anything.
    """
    name = s3.bucket_name()
    try:
        s3.expect(s3.call("CreateBucket", Bucket=name), ok())
        found = _named(s3, name)
        s3.check(found == 0, f"ListBuckets does not name {name}", "it does", s3.seen[-1][1])
        s3.expect(s3.look("ListObjectsV2", Bucket=DEFAULT, Prefix=name), ok(), keys([name]))
        s3.expect(s3.call("HeadBucket", Bucket=name), ok())
    finally:
        s3.look("DeleteObject", Bucket=DEFAULT, Key=name)
