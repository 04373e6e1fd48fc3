"""CORS: the configuration of a bucket. What browsers are answered: `cors_requests`."""

from __future__ import annotations

from typing import Any

from harness.clients import LIBRARIES
from harness.expect import ok, output_where, refused
from harness.scenario import EXTENDED, scenario
from harness.scene import Scene
from scenarios._cors import PAGE, configured, has_rules, rule


@scenario(
    "CORS-001",
    EXTENDED,
    "GetBucketCors",
    source="LocalStack test_get_cors (recorded on AWS); versitygw REST CORS, delete",
    clients=LIBRARIES,
)
def no_cors(s3: Scene) -> None:
    """GetBucketCors of a bucket without a configuration is 404 NoSuchCORSConfiguration with the BucketName.

    S3 promises: the error has a code of its own and names the bucket. Once rules were put they are given back.

    Breaks: Terraform and audit tools read the configuration of every bucket and take this code alone for "none";
    a plain 404 reads as a missing bucket, and an empty 200 as a document that does not parse.

    Fix: answer from the stored document, and NoSuchCORSConfiguration where there is none.
    """
    bucket = s3.new_bucket()
    none = refused(404, "NoSuchCORSConfiguration", fields={"BucketName": bucket})
    s3.expect(s3.call("GetBucketCors", Bucket=bucket), none)
    given = rule(PAGE, methods=("GET",))
    s3.expect(s3.call("PutBucketCors", Bucket=bucket, CORSConfiguration={"CORSRules": [given]}), ok())
    shown = output_where("CORSRules", repr([given]), lambda rules: list(rules) == [given])
    s3.expect(s3.call("GetBucketCors", Bucket=bucket), ok(), shown)


@scenario(
    "CORS-009",
    EXTENDED,
    "PutBucketCors",
    source="LocalStack test_put_cors_invalid_rules (recorded on AWS); versitygw REST CORS, invalid origin",
    clients=LIBRARIES,
)
def invalid_cors(s3: Scene) -> None:
    """PutBucketCors refuses an unknown method or two "*" in an origin (InvalidRequest), and no rules (MalformedXML).

    S3 promises: methods are GET, PUT, HEAD, POST and DELETE; a pattern has at most one star. Other rules are 400
    InvalidRequest, a document without rules 400 MalformedXML. The rules that were there stay in force.

    Breaks: whoever writes the rules: a typing error that is accepted shows only as a browser that blocks, with a
    message that says nothing of the configuration.

    Fix: check every rule before the document replaces the old one.
    """
    kept = rule(PAGE)
    bucket = configured(s3, kept)
    cases: tuple[tuple[list[dict[str, Any]], str], ...] = (
        ([rule(PAGE, methods=("GET", "PATCH"))], "InvalidRequest"),
        ([rule("https://*.example.*")], "InvalidRequest"),
        ([], "MalformedXML"),
    )
    for rules, code in cases:
        answer = s3.call("PutBucketCors", Bucket=bucket, CORSConfiguration={"CORSRules": rules})
        s3.expect(answer, refused(400, code))
    has_rules(s3, bucket, kept)


@scenario(
    "CORS-010",
    EXTENDED,
    "DeleteBucketCors",
    source="LocalStack test_delete_cors (recorded on AWS)",
    clients=LIBRARIES,
)
def delete_cors(s3: Scene) -> None:
    """DeleteBucketCors answers 204, also when there is no configuration, and the bucket stays.

    S3 promises: afterwards there are no rules; asking again is no error.

    Breaks: infrastructure tools that remove the rules and repeat themselves after a timeout. Where ?cors is not
    read, the same request deletes the bucket.

    Fix: make the delete repeatable, and never let an unknown parameter fall through to DeleteBucket.
    """
    bucket = configured(s3, rule(PAGE))
    for _ in range(2):
        s3.expect(s3.call("DeleteBucketCors", Bucket=bucket), ok(204))
        s3.expect(s3.look("GetBucketCors", Bucket=bucket), refused(404, "NoSuchCORSConfiguration"))
    s3.expect(s3.look("HeadBucket", Bucket=bucket), ok())
