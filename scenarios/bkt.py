"""BKT: buckets, made, found, located and deleted."""

from __future__ import annotations

from harness.clients.base import Observed
from harness.expect import Matcher, body, if_shown, no_body, ok, output_where, refused, root
from harness.sandbox import DEFAULT_REGION, creation
from harness.scenario import MUST, scenario
from harness.scene import Scene
from harness.signals import Inexpressible


def is_there(s3: Scene, bucket: str) -> None:
    """The witness finds the bucket."""
    s3.expect(s3.look("HeadBucket", Bucket=bucket), ok())


def is_missing(s3: Scene, bucket: str) -> None:
    """The witness does not find the bucket."""
    s3.expect(s3.look("HeadBucket", Bucket=bucket), refused(404))


@scenario(
    "BKT-001",
    MUST,
    "CreateBucket",
    source="LocalStack test_create_bucket_head_bucket (recorded on AWS); versitygw REST create bucket test",
)
def create_makes_a_bucket(s3: Scene) -> None:
    """CreateBucket answers 200 with a Location that names the bucket ("/name" in us-east-1), and it exists.

    S3 promises: a free name becomes a bucket at once. The Location header is a slash and the name in us-east-1,
    and elsewhere the URL of the bucket.

    Breaks: `aws s3 mb`, rclone mkdir and infrastructure tools make a bucket and use it in the next breath;
    programs that print or parse Location fail where it is missing.

    Fix: answer only when the bucket can be used, with a Location header and no body.
    """
    bucket = s3.bucket_name()
    created = s3.expect(s3.call("CreateBucket", **creation(bucket, s3.witness.region)), ok())
    is_there(s3, bucket)
    if s3.witness.region == DEFAULT_REGION:
        where = output_where("Location", repr(f"/{bucket}"), lambda value: value == f"/{bucket}")
    else:
        where = output_where("Location", f"names {bucket}", lambda value: bucket in value)
    s3.expect(created, if_shown(where))


@scenario(
    "BKT-002",
    MUST,
    "HeadBucket",
    source=(
        "LocalStack test_create_bucket_head_bucket and test_bucket_exists (recorded on AWS); "
        "versitygw REST HeadBucket, doesn't exist"
    ),
)
def head_tells_existence(s3: Scene) -> None:
    """HeadBucket answers 200 with x-amz-bucket-region for a bucket, 404 for none, both without a body.

    S3 promises: an existing bucket is 200 with its region in x-amz-bucket-region, a name without a bucket is 404.
    As with every HEAD, not one byte of body follows.

    Breaks: SDK waiters, `aws s3api wait bucket-exists` and restic init decide from this status alone; SDKs find a
    bucket's region by this header; a body after HEAD breaks the next answer on the connection.

    Fix: answer 404, not 403 or 200, for a missing bucket; send the region header always; never write a body.
    """
    region = output_where("BucketRegion", "the name of a region", lambda value: str(value).strip() != "")
    s3.expect(s3.call("HeadBucket", Bucket=s3.bucket), ok(), region, if_shown(no_body()))
    s3.expect(s3.call("HeadBucket", Bucket=s3.bucket_name()), refused(404), if_shown(no_body()))


@scenario(
    "BKT-004",
    MUST,
    "CreateBucket",
    source="LocalStack test_create_bucket_with_existing_name (recorded on AWS)",
)
def own_bucket_again(s3: Scene) -> None:
    """Outside us-east-1, creating one's own bucket again: 409 BucketAlreadyOwnedByYou; its content stays.

    S3 promises: in every region but us-east-1 a name that the caller owns already is refused with 409
    BucketAlreadyOwnedByYou, which names the bucket in BucketName. (In us-east-1 the answer is 200.)

    Breaks: rclone, Terraform and Hadoop create before they write and take this code for "go on"; with any other,
    BucketAlreadyExists above all, they stop (rclone#8281).

    Fix: compare the owner before choosing the code, and never reset the bucket that is there.
    """
    if s3.witness.region == DEFAULT_REGION:
        raise Inexpressible("applies outside us-east-1 only; there 200 is right (BKT-003)")
    bucket, key, content = s3.new_bucket(), s3.key(), b"what was there before"
    s3.put(key, content, Bucket=bucket)
    again = s3.call("CreateBucket", **creation(bucket, s3.witness.region))
    s3.expect(again, refused(409, "BucketAlreadyOwnedByYou", fields={"BucketName": bucket}))
    s3.expect(s3.look("GetObject", Bucket=bucket, Key=key), ok(), body(content))


@scenario(
    "BKT-005",
    MUST,
    "CreateBucket",
    source="botocore service model, BucketAlreadyExists; AWS documentation, Error responses",
)
def name_of_another(s3: Scene) -> None:
    """Creating a bucket whose name another account owns is refused with 409 BucketAlreadyExists.

    S3 promises: bucket names are shared by all accounts. A name that somebody else owns is refused with 409
    BucketAlreadyExists, and nothing of the other's bucket is shown or changed.

    Breaks: tools tell "mine already" from "not mine" by the code alone (rclone, Terraform, Hadoop); a success
    makes them write their data to a stranger.

    Fix: keep the owner with the bucket, and answer this code whenever it is not the caller.
    """
    params = creation(s3.bucket_name(), s3.witness.region)
    s3.as_stranger("CreateBucket", **params)
    try:
        s3.expect(s3.call("CreateBucket", **params), refused(409, "BucketAlreadyExists"))
    finally:
        s3.as_stranger("DeleteBucket", required=False, Bucket=params["Bucket"])


@scenario(
    "BKT-006",
    MUST,
    "CreateBucket",
    source="LocalStack test_s3_uppercase_bucket_name (recorded on AWS); AWS documentation, Bucket naming rules",
)
def names_have_rules(s3: Scene) -> None:
    """A bucket name with upper case or underscore, or of over 63 characters: 400 InvalidBucketName.

    S3 promises: names have 3 to 63 characters out of a to z, 0 to 9, "-" and ".". Any other is refused with 400
    InvalidBucketName, with the name in BucketName, and no bucket appears.

    Breaks: a name that is no host name works path-style and fails with every client that puts it into the host
    (AWS SDKs, aws CLI), and the bucket can never move to another S3; folded case mixes up two buckets.

    Fix: check the name before anything else in CreateBucket; do not fold it to lower case.
    """
    # Names under 3 characters are refused too, but none can be told to be the run's own, so none is tried.
    refused_name(s3, s3.bucket_name("_x"))
    refused_name(s3, s3.bucket_name("-" + "x" * 40))
    if s3.witness.endpoint.addressing == "virtual":  # there it would name the bucket in small letters
        s3.note("no name in capital letters was tried: the run puts names into the host name, where case is nothing")
    elif not s3.costly:
        refused_name(s3, s3.bucket_name("-X"))


def refused_name(s3: Scene, bucket: str) -> None:
    """CreateBucket refuses a name that no bucket has."""
    answer = s3.call("CreateBucket", **creation(bucket, s3.witness.region))
    after = s3.look("HeadBucket", Bucket=bucket)
    s3.expect(answer, refused(400, "InvalidBucketName", fields={"BucketName": bucket}))
    s3.check(not after.ok, f"no bucket {bucket} afterwards", f"got {after.summary()}", after)


@scenario(
    "BKT-011",
    MUST,
    "GetBucketLocation",
    source=(
        "versitygw REST GetBucketLocation, us-east-1 is returned as null; "
        "LocalStack test_response_structure_get_bucket_location (recorded on AWS)"
    ),
)
def location_is_the_region(s3: Scene) -> None:
    """GetBucketLocation gives the region as text of its root element, and no text at all for us-east-1.

    S3 promises: the document is one LocationConstraint element. It is empty for us-east-1, and holds the name of
    the region for any other.

    Breaks: s3cmd asks it before each command and signs for what it reads; SDKs read an empty answer as
    us-east-1, and "us-east-1" spelled out, or a nested element, as a region that they do not expect.

    Fix: make LocationConstraint the root of the document, and leave it empty for us-east-1.
    """
    region = s3.witness.region
    wanted = "" if region == DEFAULT_REGION else region
    s3.expect(s3.call("GetBucketLocation"), ok(), located(wanted), if_shown(root("LocationConstraint")))


def located(wanted: str) -> Matcher:
    """The LocationConstraint; SDKs show an empty one as nothing."""

    def test(seen: Observed) -> str:
        if "LocationConstraint" not in seen.output and seen.partial:
            raise Inexpressible(f"{seen.client} does not show LocationConstraint")
        found = seen.output.get("LocationConstraint")
        return "" if (found or "") == wanted else f"LocationConstraint was {found!r}"

    return Matcher(f"LocationConstraint {wanted!r}", test)


@scenario("BKT-012", MUST, "GetBucketLocation", source="versitygw REST GetBucketLocation, no bucket")
def location_of_nothing(s3: Scene) -> None:
    """GetBucketLocation on a name without a bucket answers 404 NoSuchBucket.

    S3 promises: there is no location without a bucket; the answer is 404 NoSuchBucket.

    Breaks: s3cmd begins every command with this request; a 200 makes it go on and fail later with a message
    about something else.

    Fix: look the bucket up before answering; a configured region is no reason to say 200.
    """
    s3.expect(s3.call("GetBucketLocation", Bucket=s3.bucket_name()), refused(404, "NoSuchBucket"))


@scenario("BKT-013", MUST, "DeleteBucket", source="LocalStack test_delete_bucket_no_such_bucket (recorded on AWS)")
def delete_empty_bucket(s3: Scene) -> None:
    """Deleting an empty bucket answers 204 and it is gone; deleting it again, 404 NoSuchBucket.

    S3 promises: 204 No Content without a body, and from then on the name has no bucket. A second DeleteBucket is
    answered with 404 NoSuchBucket, which names it in BucketName.

    Breaks: Terraform destroy and test suites delete until they see this 404; a bucket that answers still, or an
    endless 204, keeps them waiting or hides a wrong name.

    Fix: unlike DeleteObject, DeleteBucket is not silent about what does not exist: look it up first.
    """
    bucket = s3.new_bucket()
    s3.expect(s3.call("DeleteBucket", Bucket=bucket), ok(204), if_shown(no_body()))
    is_missing(s3, bucket)
    again = s3.call("DeleteBucket", Bucket=bucket)
    s3.expect(again, refused(404, "NoSuchBucket", fields={"BucketName": bucket}))


@scenario(
    "BKT-014",
    MUST,
    "DeleteBucket",
    source=(
        "LocalStack test_delete_bucket_with_objects (recorded on AWS); "
        "versitygw REST DeleteBucket, BucketNotEmpty error contains bucket that is not empty"
    ),
)
def full_bucket_stays(s3: Scene) -> None:
    """Deleting a bucket that holds an object is refused with 409 BucketNotEmpty, and the object stays.

    S3 promises: only empty buckets can be deleted. Otherwise the answer is 409 BucketNotEmpty, which names the
    bucket in BucketName, and nothing is lost.

    Breaks: `aws s3 rb` without --force and rclone rmdir rely on the refusal as their only safeguard; an endpoint
    that deletes recursively loses data on a harmless command.

    Fix: check for a first object in the same transaction that deletes the bucket.
    """
    bucket, key, content = s3.new_bucket(), s3.key(), b"not to be lost"
    s3.put(key, content, Bucket=bucket)
    answer = s3.call("DeleteBucket", Bucket=bucket)
    s3.expect(answer, refused(409, "BucketNotEmpty", fields={"BucketName": bucket}))
    s3.expect(s3.look("GetObject", Bucket=bucket, Key=key), ok(), body(content))


@scenario(
    "BKT-019",
    MUST,
    "PutObject",
    "CreateMultipartUpload",
    source="LocalStack test_bucket_does_not_exist (recorded on AWS); AWS documentation, Error responses",
)
def no_bucket_no_object(s3: Scene) -> None:
    """PutObject and CreateMultipartUpload to a missing bucket: 404 NoSuchBucket, and no bucket appears.

    S3 promises: buckets are made by CreateBucket alone. A write to a name without one is answered with 404
    NoSuchBucket, for single and for multipart uploads.

    Breaks: a mistyped bucket name must fail (aws s3 cp, rclone with no_check_bucket); an endpoint that makes
    buckets on the fly stores a backup where nobody looks, and one that says 500 is asked again and again.

    Fix: look the bucket up before reading the body; answer NoSuchBucket, not NoSuchKey or AccessDenied.
    """
    bucket, key = s3.bucket_name(), s3.key()
    s3.expect(s3.call("PutObject", Bucket=bucket, Key=key, Body=b"nowhere to go"), refused(404, "NoSuchBucket"))
    if not s3.costly:
        s3.expect(s3.call("CreateMultipartUpload", Bucket=bucket, Key=key), refused(404, "NoSuchBucket"))
    is_missing(s3, bucket)
