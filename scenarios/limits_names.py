"""LIM: the shortest name of a bucket, which no run can journal as its own."""

from __future__ import annotations

import random
import string

from harness.expect import refused
from harness.sandbox import creation
from harness.scenario import SHOULD, scenario
from harness.scene import Scene
from harness.signals import Inexpressible

_LETTERS = string.ascii_lowercase + string.digits
_TRIES = 5


def is_free(s3: Scene, name: str) -> bool:
    """Whether nobody has a bucket of that name, by HeadBucket and by the account's own list."""
    if s3.look("HeadBucket", Bucket=name).status not in (400, 404):
        return False
    listed = s3.look("ListBuckets").output.get("Buckets") or []
    return name not in [bucket.get("Name") for bucket in listed]


def free_name(s3: Scene, length: int) -> str:
    """A name of so many characters that nobody has, the same one for every run with the same seed."""
    s3.bucket_name()  # a run that has one bucket alone makes no other
    chance = random.Random(s3.seed)  # noqa: S311 - no secret
    for _ in range(_TRIES):
        name = "".join(chance.choices(_LETTERS, k=length))
        if is_free(s3, name):
            return name
    raise Inexpressible(f"names of {length} characters are taken here, and whose they are cannot be told")


@scenario(
    "LIM-021",
    SHOULD,
    "CreateBucket",
    source="AWS documentation, General purpose bucket naming rules",
    confidence="partly unverified",
    clients=("raw",),
)
def shortest_bucket_name(s3: Scene) -> None:
    """A bucket name of two characters is refused with 400 InvalidBucketName, and no bucket appears.

    S3 promises: names have at least three characters. (The other rules are BKT-006. Of names so short none can be
    told to be the run's own: only one that nobody has is tried, and what should not have been made is deleted.)

    Breaks: buckets that can never move to another S3, and that clients refuse: minio-go, and with it mc, checks the
    length before it asks.

    Fix: check the length before anything else in CreateBucket.
    """
    name = free_name(s3, 2)
    answer = s3.call("CreateBucket", **creation(name, s3.witness.region))
    after = s3.look("HeadBucket", Bucket=name)
    if after.ok:
        s3.look("DeleteBucket", Bucket=name)
    s3.expect(answer, refused(400, "InvalidBucketName"))
    s3.check(not after.ok, f"no bucket {name} afterwards", f"got {after.summary()}", after)
