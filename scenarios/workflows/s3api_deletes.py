"""`aws s3api delete-objects`: its exit code is 0 whatever became of the keys, so its answer has to be read."""

from __future__ import annotations

from harness.clients.base import Observed
from harness.scenario import MUST, scenario
from harness.scene import Scene
from harness.signals import Inexpressible
from scenarios.workflows._s3api import SOURCE, api, at, document, done, is_missing, is_whole
from scenarios.workflows._steps import requests

CONTENT = b"to be deleted, or not"


def _keys(run: Observed, member: str) -> list[str]:
    return [entry.get("Key", "") for entry in run.output.get(member, [])]


@scenario(
    "S3API-010",
    MUST,
    "DeleteObjects",
    source=SOURCE.format("delete-objects") + "; versitygw REST DeleteObjects, version ID mismatch",
    clients=("awscli",),
)
def truth_of_a_batch(s3: Scene) -> None:
    """`aws s3api delete-objects` prints each key under Deleted, and then it is gone, or under Errors, and it is whole.

    S3 promises: one entry for every key. An entry with a version that does not exist is an Error, and the object of
    that key stays. The status is 200 in any case, and so the exit code of the AWS CLI is 0.

    Breaks: whoever trusts the exit code. `aws s3api`, boto3 and the JavaScript SDK report success while Errors names
    what is still there; with an answer that hides it, not even careful scripts notice.

    Fix: carry out every entry for itself, read its VersionId, and list it where it belongs.
    """
    plain, missing, pinned = s3.key("plain & simple.txt"), s3.key("missing"), s3.key("pinned")
    s3.put(plain, CONTENT)
    s3.put(pinned, CONTENT)
    entries = [{"Key": plain}, {"Key": missing}, {"Key": pinned, "VersionId": "no-such-version"}]
    run = s3.expect(api(s3, "delete-objects", *at(s3.bucket), "--delete", document(s3, {"Objects": entries})), done())
    is_whole(s3, pinned, CONTENT)
    deleted, failed = _keys(run, "Deleted"), _keys(run, "Errors")
    told = f"Deleted {deleted}, Errors {failed}"
    s3.check(sorted(deleted + failed) == sorted([plain, missing, pinned]), "an entry for each of 3 keys", told, run)
    s3.check(pinned in failed, f"Errors with {pinned}, whose version does not exist", told, run)
    if plain in deleted:
        is_missing(s3, plain)
    else:
        is_whole(s3, plain, CONTENT)


@scenario(
    "S3API-011",
    MUST,
    "DeleteObjects",
    source=SOURCE.format("delete-objects") + "; aws/aws-sdk-java-v2#5805, minio/minio#20845",
    clients=("awscli",),
)
def checksum_is_digest_enough(s3: Scene) -> None:
    """`aws s3api delete-objects` works though it sends a checksum of its document, and no Content-MD5.

    S3 promises: any x-amz-checksum header serves as the digest that DeleteObjects demands: CRC32 or CRC64NVME,
    which the versions of the AWS CLI choose, or the algorithm that the user names.

    Breaks: all AWS SDKs and CLIs since early 2025, against gateways that answer MissingContentMD5 or InvalidRequest.

    Fix: accept Content-MD5 or a checksum of any of the five algorithms, and verify what came.
    """
    for name, options in {"default": [], "chosen": ["--checksum-algorithm", "SHA256"]}.items():
        key = s3.key(name)
        s3.put(key, CONTENT)
        batch = ["--delete", document(s3, {"Objects": [{"Key": key}], "Quiet": True}), *options]
        run = api(s3, "delete-objects", *at(s3.bucket), *batch)
        if any(
            header.lower() == "content-md5"
            for seen in requests(s3, run, "DeleteObjects")
            for header, _ in seen.request_headers
        ):
            raise Inexpressible("this version of the AWS CLI sends Content-MD5")
        s3.expect(run, done())
        errors = run.output.get("Errors", [])
        s3.check(not errors, f"no Errors for {key}", f"they were {errors}", run)
        is_missing(s3, key)
