"""BKT: what CreateBucket takes, and what it does to a bucket that is there already."""

from __future__ import annotations

from typing import Any

from harness.clients import CALLERS, LIBRARIES
from harness.clients.base import Observed
from harness.expect import body, ok, one_of, refused
from harness.sandbox import DEFAULT_REGION, creation
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from harness.signals import Inexpressible
from harness.wire import model
from scenarios.bkt import is_missing, is_there

CONTENT = b"what was there before"

UNKNOWN_REGION = "mars-north-1"

OTHER_REGIONS = ("eu-west-3", "us-west-2")
"""Regions of AWS; one of them at least is not that of the run."""

TAGS = [{"Key": "owner", "Value": "s3conform"}, {"Key": "stage", "Value": "test + more"}]

_BOTH = (ok(), refused(409, "BucketAlreadyOwnedByYou"))


def only_in_default_region(s3: Scene, elsewhere: str) -> None:
    """The statement is about us-east-1; `elsewhere` says what holds in other regions."""
    if s3.witness.region != DEFAULT_REGION:
        raise Inexpressible(f"applies in us-east-1 only; the run's region is {s3.witness.region}, where {elsewhere}")


def only_elsewhere(s3: Scene) -> None:
    """The statement is about every region but us-east-1."""
    if s3.witness.region == DEFAULT_REGION:
        raise Inexpressible("applies outside us-east-1 only, and that is the run's region")


def located_at(name: str, region: str) -> dict[str, Any]:
    """The parameters of CreateBucket with this LocationConstraint, whatever the run's region is."""
    return {"Bucket": name, "CreateBucketConfiguration": {"LocationConstraint": region}}


def tagged(bucket: str, region: str) -> dict[str, Any]:
    """The parameters of CreateBucket that give the bucket TAGS."""
    params = creation(bucket, region)
    return params | {"CreateBucketConfiguration": params.get("CreateBucketConfiguration", {}) | {"Tags": TAGS}}


def has_tags(s3: Scene, bucket: str) -> None:
    """The witness reads TAGS at the bucket."""
    answer = s3.expect(s3.look("GetBucketTagging", Bucket=bucket), ok())
    found = sorted((tag.get("Key"), tag.get("Value")) for tag in answer.output.get("TagSet", []))
    wanted = sorted((tag["Key"], tag["Value"]) for tag in TAGS)
    s3.check(found == wanted, f"the tags {wanted}", f"they were {found}", answer)


@scenario(
    "BKT-003",
    SHOULD,
    "CreateBucket",
    source="LocalStack test_create_bucket_with_existing_name (recorded on AWS)",
    clients=CALLERS,
)
def own_bucket_again_in_default_region(s3: Scene) -> None:
    """In us-east-1, creating one's own bucket again is answered 200 and changes nothing.

    S3 promises: for compatibility the oldest region answers 200, and the bucket keeps its objects. (A gateway may
    answer 409 BucketAlreadyOwnedByYou as all other regions do; which of the two was seen is noted.)

    Breaks: scripts and tools that create the bucket at every start (`aws s3 mb`, rclone, Hadoop, backup programs) go on
    after these two answers and stop at 403, 405 or BucketAlreadyExists. One that empties the bucket loses all data.

    Fix: compare the owner, answer as for a new bucket, and touch nothing.
    """
    only_in_default_region(s3, "409 is right (BKT-004)")
    bucket, key = s3.bucket_name(), s3.key()
    s3.expect(s3.call("CreateBucket", Bucket=bucket), ok())
    s3.expect(s3.look("HeadBucket", Bucket=bucket), ok())
    s3.put(key, CONTENT, Bucket=bucket)
    again = s3.expect(s3.call("CreateBucket", Bucket=bucket), one_of(*_BOTH))
    s3.note(f"answered {again.summary()}")
    s3.expect(s3.look("GetObject", Bucket=bucket, Key=key), ok(), body(CONTENT))


@scenario(
    "BKT-008",
    SHOULD,
    "CreateBucket",
    "PutObject",
    "GetObject",
    source="LocalStack test_bucket_name_with_dots (recorded on AWS)",
    clients=LIBRARIES,
)
def dots_in_names(s3: Scene) -> None:
    """A bucket name may have dots, and such a bucket can be used with its name in the path.

    S3 promises: dots are among the letters of names. Host names with them fit no wildcard certificate, so clients put
    such names into the path.

    Breaks: buckets that are named after a web site, such as "www.example.com"; they cannot be moved to a gateway that
    refuses the name, or that takes what is behind the first dot for its own domain.

    Fix: allow dots in CreateBucket, and take the bucket from the Host header only if the rest is exactly your domain.
    """
    if s3.witness.endpoint.addressing == "virtual":
        raise Inexpressible("the run puts bucket names into the host name, where a certificate does not fit two levels")
    bucket, key = s3.bucket_name(".site.test"), s3.key()
    s3.expect(s3.call("CreateBucket", **creation(bucket, s3.witness.region)), ok())
    s3.expect(s3.call("PutObject", Bucket=bucket, Key=key, Body=CONTENT), ok())
    s3.expect(s3.look("GetObject", Bucket=bucket, Key=key), ok(), body(CONTENT))
    s3.expect(s3.call("GetObject", Bucket=bucket, Key=key), ok(), body(CONTENT))


@scenario(
    "BKT-009",
    SHOULD,
    "CreateBucket",
    source="LocalStack test_create_bucket_with_invalid_location_constraint (recorded on AWS); versitygw REST test "
    "CreateBucket - fail - us-east-1 with 'us-east-1' location constraint",
    clients=LIBRARIES,
)
def unknown_location(s3: Scene) -> None:
    """CreateBucket with a LocationConstraint that is no region is refused with 400 InvalidLocationConstraint.

    S3 promises: the error document repeats the value in LocationConstraint, and no bucket appears. In us-east-1 the
    value "us-east-1" counts as none: that region is asked for by leaving the element out.

    Breaks: infrastructure tools with a mistyped region; a gateway that takes any text tells the data's owner that it
    lies where it does not.

    Fix: hold the element to the regions that the gateway has, before the bucket is made.
    """
    region = s3.witness.region
    wrong = [UNKNOWN_REGION, DEFAULT_REGION] if region == DEFAULT_REGION else [UNKNOWN_REGION]
    for asked in wrong:
        name = s3.bucket_name()
        answer = s3.call("CreateBucket", **located_at(name, asked))
        s3.expect(answer, refused(400, "InvalidLocationConstraint", fields={"LocationConstraint": asked}))
        is_missing(s3, name)
    good = s3.bucket_name()
    s3.expect(s3.call("CreateBucket", **creation(good, region)), ok())
    is_there(s3, good)


@scenario(
    "BKT-010",
    EXTENDED,
    "CreateBucket",
    source="Moto test_create_bucket_with_wrong_location_constraint (verified on AWS); LocalStack "
    "test_different_location_constraint (recorded on AWS)",
    clients=("raw", "boto3"),
)
def location_of_another_endpoint(s3: Scene) -> None:
    """Outside us-east-1, CreateBucket without a LocationConstraint, or with another region's, is refused with 400.

    S3 promises: the endpoint of a region makes buckets in its own region and wants to be told so. The answer is 400
    IllegalLocationConstraintException, and no bucket appears.

    Breaks: strict validation. A program that was pointed at the wrong endpoint learns of it before its data lies in
    the wrong country.

    Fix: compare the element with the endpoint's region, and take its absence for us-east-1.
    """
    only_elsewhere(s3)
    region = s3.witness.region
    third = next(other for other in OTHER_REGIONS if other != region)
    for params in ({"Bucket": s3.bucket_name()}, located_at(s3.bucket_name(), third)):
        s3.expect(s3.call("CreateBucket", **params), refused(400, "IllegalLocationConstraintException"))
        is_missing(s3, str(params["Bucket"]))
    good = s3.bucket_name()
    s3.expect(s3.call("CreateBucket", **creation(good, region)), ok())
    is_there(s3, good)


@scenario(
    "BKT-020",
    SHOULD,
    "CreateBucket",
    source="no record found; AWS documentation, Error responses",
    clients=("raw",),
    confidence="unverified",
)
def malformed_creation(s3: Scene) -> None:
    """CreateBucket with a body that is no XML document is refused with 400 MalformedXML.

    S3 promises: a body that is there is read. What cannot be parsed is an error, and no bucket appears.

    Breaks: strict validation. An endpoint that drops what it cannot read makes the bucket in another place, or without
    the lock or tags, that its caller asked for.

    Fix: parse the body whenever Content-Length is not 0, and answer before the bucket is made.
    """
    for content in (b"<CreateBucketConfiguration><LocationConstraint>", b"LocationConstraint=eu-west-1"):
        name = s3.bucket_name()
        s3.expect(_created_by(s3, name, content), refused(400, "MalformedXML"))
        is_missing(s3, name)
    good = s3.bucket_name()
    request = model.build("CreateBucket", creation(good, s3.witness.region))
    s3.expect(_created_by(s3, good, request.body), ok())
    is_there(s3, good)


def _created_by(s3: Scene, bucket: str, content: bytes) -> Observed:
    """CreateBucket with exactly this body."""
    return s3.send("CreateBucket", "PUT", f"/{bucket}", body=content, bucket=bucket)


@scenario(
    "BKT-021",
    EXTENDED,
    "CreateBucket",
    "GetBucketTagging",
    source="LocalStack test_create_bucket_with_tags (recorded on AWS)",
    clients=LIBRARIES,
)
def born_with_tags(s3: Scene) -> None:
    """Tags in the document of CreateBucket are those that GetBucketTagging shows afterwards.

    S3 promises: CreateBucketConfiguration may have Tags, and the bucket has them from its first moment on.

    Breaks: accounts whose policies demand a tag on every bucket, and infrastructure tools that set tags in the same
    request; ignored, costs are booked nowhere and the next run finds a difference.

    Fix: read Tags beside LocationConstraint, and store them in the step that makes the bucket.
    """
    bucket = s3.bucket_name()
    s3.expect(s3.call("CreateBucket", **tagged(bucket, s3.witness.region)), ok())
    has_tags(s3, bucket)


@scenario(
    "BKT-022",
    EXTENDED,
    "CreateBucket",
    source="LocalStack test_create_bucket_with_tags_us_east_1_idempotency (recorded on AWS)",
    clients=LIBRARIES,
)
def own_bucket_again_with_tags(s3: Scene) -> None:
    """In us-east-1, creating one's own bucket again with tags is refused with 409 BucketAlreadyOwnedByYou.

    S3 promises: the 200 for one's own bucket holds for the bare request. One that brings tags would have to change the
    bucket, and is refused; the tags that are there stay.

    Breaks: strict validation. A caller that reads 200 believes that its tags were set.

    Fix: answer 200 only when there is nothing in the request that the bucket could differ in.
    """
    only_in_default_region(s3, "every second CreateBucket is 409 (BKT-004)")
    bucket = s3.bucket_name()
    params = tagged(bucket, s3.witness.region)
    s3.expect(s3.call("CreateBucket", **params), ok())
    for tags in (TAGS, [{"Key": "other", "Value": "1"}]):
        again = s3.call("CreateBucket", Bucket=bucket, CreateBucketConfiguration={"Tags": tags})
        s3.expect(again, refused(409, "BucketAlreadyOwnedByYou"))
    has_tags(s3, bucket)
