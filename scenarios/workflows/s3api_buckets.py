"""`aws s3api` on buckets: made, found, listed and removed."""

from __future__ import annotations

import json

from harness.expect import ok, refused
from harness.sandbox import creation
from harness.scenario import MUST, scenario
from harness.scene import Scene
from scenarios.workflows._s3api import SOURCE, api, at, done, is_whole, rejected


@scenario(
    "S3API-001",
    MUST,
    "CreateBucket",
    "HeadBucket",
    "ListBuckets",
    source=SOURCE.format("create-bucket, head-bucket and list-buckets"),
    clients=("awscli",),
)
def create_head_list(s3: Scene) -> None:
    """`aws s3api create-bucket` makes a bucket: `head-bucket` finds it, and only then, and `list-buckets` names it.

    S3 promises: after 200 the bucket exists for every operation, and is in the list of its owner.

    Breaks: infrastructure scripts, which ask with head-bucket whether there is work to do, and make what is missing.

    Fix: answer HEAD of a missing bucket 404 without a body; list every bucket of the caller by its name.
    """
    bucket = s3.bucket_name()
    s3.expect(api(s3, "head-bucket", *at(bucket)), rejected(404))
    place = creation(bucket, s3.witness.region).get("CreateBucketConfiguration")
    options = ["--create-bucket-configuration", json.dumps(place)] if place else []
    s3.expect(api(s3, "create-bucket", *at(bucket), *options), done())
    s3.expect(s3.look("HeadBucket", Bucket=bucket), ok())
    s3.expect(api(s3, "head-bucket", *at(bucket)), done())
    run = s3.expect(api(s3, "list-buckets"), done())
    names = [entry.get("Name") for entry in run.output.get("Buckets", [])]
    s3.check(names.count(bucket) == 1, f"Buckets with {bucket} once", f"it is there {names.count(bucket)} times", run)


@scenario("S3API-029", MUST, "DeleteBucket", source=SOURCE.format("delete-bucket"), clients=("awscli",))
def delete_bucket(s3: Scene) -> None:
    """`aws s3api delete-bucket` refuses a bucket that holds an object (409 BucketNotEmpty), and removes an empty one.

    S3 promises: a bucket with objects is never deleted, nor any of them; an empty one is gone after 204.

    Breaks: scripts that rely on the refusal as their last safeguard; with a gateway that deletes all, data is lost.

    Fix: look for one key in the bucket before deleting it, and answer 409 BucketNotEmpty if there is any.
    """
    bucket, key = s3.new_bucket(), s3.key()
    s3.put(key, b"in the way", Bucket=bucket)
    s3.expect(api(s3, "delete-bucket", *at(bucket)), rejected(409, "BucketNotEmpty"))
    is_whole(s3, key, b"in the way", Bucket=bucket)
    s3.setup("DeleteObject", Bucket=bucket, Key=key)
    s3.expect(api(s3, "delete-bucket", *at(bucket)), done())
    s3.expect(s3.look("HeadBucket", Bucket=bucket), refused(404))
