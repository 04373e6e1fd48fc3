"""DEL: deletes that are refused, as a whole or one entry of a batch, and what then stays."""

from __future__ import annotations

import base64
import hashlib
import json

from harness.clients import CALLERS, LIBRARIES
from harness.clients.base import Observed
from harness.expect import Matcher, ok, refused
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from scenarios.deletes import deleted, document, gone, kept, reports
from scenarios.etag import content_md5

NOT_A_VERSION = "not-a-version-id"


def outcome(good: list[str], bad: str, code: str) -> Matcher:
    """The answer names `good` as deleted and nothing else, and has one Error entry: `bad`, with this code."""
    wanted = [(bad, code)]

    def test(seen: Observed) -> str:
        found = [(entry.get("Key"), entry.get("Code")) for entry in seen.output.get("Errors", [])]
        if found != wanted:
            return f"Error entries were {found!r}"
        return "" if reports(seen) == sorted(good) else f"Deleted named {reports(seen)!r}"

    return Matcher(f"Deleted entries for {sorted(good)!r} and one Error entry, {code} for {bad!r}", test)


@scenario(
    "DEL-004",
    SHOULD,
    "DeleteObject",
    source="LocalStack test_delete_object (recorded on AWS)",
    clients=LIBRARIES,
)
def malformed_version_id(s3: Scene) -> None:
    """DeleteObject with a malformed versionId, in a bucket without versions: 400 InvalidArgument, and nothing is gone.

    S3 promises: a versionId that no store of versions could have given is an error whose ArgumentName is versionId,
    also where the bucket never had versioning. The object stays.

    Breaks: a tool that means to remove one old version loses the object itself when the parameter is not read.

    Fix: check the form of versionId before anything is deleted, and never fall back to a delete without it.
    """
    key = s3.key()
    s3.put(key, b"stays")
    refusal = refused(400, "InvalidArgument", fields={"ArgumentName": "versionId"})
    s3.expect(s3.call("DeleteObject", Key=key, VersionId=NOT_A_VERSION), refusal)
    kept(s3, key, b"stays")
    s3.expect(s3.call("DeleteObject", Key=key), ok(204))
    gone(s3, key)


@scenario(
    "DEL-008",
    SHOULD,
    "DeleteObjects",
    source="LocalStack test_delete_objects (recorded on AWS); versitygw REST DeleteObjects - version ID mismatch",
    clients=LIBRARIES,
)
def bad_version_in_batch(s3: Scene) -> None:
    """A batch entry with a bad VersionId is an Error entry NoSuchVersion; the other keys of the batch are deleted.

    S3 promises: entries stand for themselves. The answer is 200, the bad one is reported with its key and the code
    NoSuchVersion, its object stays, and the rest is deleted and reported as such.

    Breaks: clean-ups of old versions. Where the whole batch is refused one stale id blocks a thousand deletes; where
    the VersionId is not read the present object goes.

    Fix: catch what goes wrong with an entry inside the loop over the entries, and report it there.
    """
    bad, good = s3.key("bad"), s3.key("good")
    s3.put(bad, b"stays")
    s3.put(good)
    entries = [{"Key": bad, "VersionId": NOT_A_VERSION}, {"Key": good}]
    answer = s3.call("DeleteObjects", Delete={"Objects": entries})
    s3.expect(answer, ok(), outcome([good], bad, "NoSuchVersion"))
    kept(s3, bad, b"stays")
    gone(s3, good)


@scenario(
    "DEL-012",
    SHOULD,
    "DeleteObjects",
    source="OpenStack Swift test_bad_md5_good_sha_good_crc_header_multi_delete and "
    "test_good_md5_good_sha_bad_crc_header_multi_delete",
    clients=("raw",),
)
def batch_with_wrong_digest(s3: Scene) -> None:
    """DeleteObjects with a Content-MD5 or checksum that is not the body's is refused with 400 BadDigest.

    S3 promises: the digest is compared with the document that arrived. On a difference nothing is deleted, even
    where another header of the request is right.

    Breaks: nothing while all goes well. A document that was damaged or cut on its way names other keys than were
    meant, and a delete cannot be taken back.

    Fix: compare every digest that came before the document is parsed.
    """
    key = s3.key()
    s3.put(key, b"stays")
    body = f"<Delete><Object><Key>{key}</Key></Object></Delete>".encode()
    other = b"another document"
    wrong_md5 = [("Content-MD5", content_md5(other))]
    right_md5 = [("Content-MD5", content_md5(body))]
    wrong_sha = [("x-amz-checksum-sha256", base64.b64encode(hashlib.sha256(other).digest()).decode())]
    for headers in (wrong_md5, wrong_sha, right_md5 + wrong_sha):
        s3.expect(_batch(s3, body, *headers), refused(400, "BadDigest"))
        kept(s3, key, b"stays")
    s3.expect(_batch(s3, body, *right_md5), ok(), deleted([key]))
    gone(s3, key)


@scenario(
    "DEL-013",
    SHOULD,
    "DeleteObjects",
    source="versitygw REST DeleteObjects - missing payload",
    clients=("raw",),
)
def batch_without_document(s3: Scene) -> None:
    """DeleteObjects with an empty body is refused with 400 MissingRequestBodyError.

    S3 promises: no document is an error of its own, told apart from one that cannot be parsed.

    Breaks: strict validation only; but a success tells a program whose document was lost on the way that all is
    deleted.

    Fix: look at the length of the body before the parser does.
    """
    key = s3.key()
    s3.put(key, b"stays")
    s3.expect(_batch(s3, b"", ("Content-MD5", content_md5(b""))), refused(400, "MissingRequestBodyError"))
    kept(s3, key, b"stays")
    body = f"<Delete><Object><Key>{key}</Key></Object></Delete>".encode()
    s3.expect(_batch(s3, body, ("Content-MD5", content_md5(body))), ok(), deleted([key]))


@scenario(
    "DEL-014",
    SHOULD,
    "DeleteObjects",
    source="versitygw REST DeleteObjects - no objects added to payload",
    clients=LIBRARIES,
)
def batch_of_nothing(s3: Scene) -> None:
    """DeleteObjects with a document that names no object is refused with 400 MalformedXML.

    S3 promises: the schema asks for at least one Object. An empty Delete element is well-formed, and an error.

    Breaks: strict validation for most. A program whose filter matched nothing sends such a batch, and on AWS learns
    of its mistake, while a success hides it until it moves there.

    Fix: validate the document against the schema, and count its entries.
    """
    s3.expect(s3.call("DeleteObjects", **document([])), refused(400, "MalformedXML"))
    key = s3.key()
    s3.put(key)
    s3.expect(s3.call("DeleteObjects", **document([key])), ok(), deleted([key]))


@scenario(
    "DEL-017",
    SHOULD,
    "DeleteObjects",
    source="versitygw REST DeleteObjects - ETag mismatch",
    clients=LIBRARIES,
)
def etag_in_batch(s3: Scene) -> None:
    """A batch entry whose ETag is not that of the object is an Error entry PreconditionFailed, and the object stays.

    S3 promises: an ETag in an entry is a condition: the object is deleted only if it still is the one that was
    meant. Entries whose ETag fits are deleted.

    Breaks: expiry jobs and caches that delete what they saw a while ago; without the condition they delete what
    somebody has just written.

    Fix: compare within the same transaction as the delete, and report the failure for that entry alone.
    """
    changed, same = s3.key("changed"), s3.key("same")
    s3.put(changed, b"newer")
    s3.put(same, b"same")
    etags = {key: f'"{hashlib.md5(body).hexdigest()}"' for key, body in ((changed, b"older"), (same, b"same"))}
    entries = [{"Key": key, "ETag": etag} for key, etag in etags.items()]
    answer = s3.call("DeleteObjects", Delete={"Objects": entries})
    s3.expect(answer, ok(), outcome([same], changed, "PreconditionFailed"))
    kept(s3, changed, b"newer")
    gone(s3, same)


@scenario(
    "DEL-018",
    EXTENDED,
    "DeleteObjects",
    source="Moto test_deny_delete_policy (verified on AWS)",
    clients=LIBRARIES,
)
def forbidden_key_in_batch(s3: Scene) -> None:
    """A batch entry that the bucket policy forbids is an Error entry AccessDenied; the answer is 200.

    S3 promises: permissions are judged for each key. Those that may be deleted are, those that may not are named
    with the code AccessDenied and stay.

    Breaks: programs that share a bucket with protected folders: a batch that is refused as a whole deletes nothing,
    and one that is judged by the bucket alone deletes what the policy protects.

    Fix: ask the policy for s3:DeleteObject on the key of every entry.
    """
    bucket = s3.new_bucket()
    denied, free = "protected/key", "key"
    for key in (denied, free):
        s3.put(key, b"content", Bucket=bucket)
    rule = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:DeleteObject",
        "Resource": f"arn:aws:s3:::{bucket}/protected/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [rule]})
    s3.setup("PutBucketPolicy", Bucket=bucket, Policy=policy)
    try:
        answer = s3.call("DeleteObjects", Bucket=bucket, **document([denied, free]))
        s3.expect(answer, ok(), outcome([free], denied, "AccessDenied"))
        s3.expect(s3.look("HeadObject", Bucket=bucket, Key=denied), ok())
        s3.expect(s3.look("HeadObject", Bucket=bucket, Key=free), refused(404))
    finally:
        s3.look("DeleteBucketPolicy", Bucket=bucket)


@scenario(
    "DEL-019",
    SHOULD,
    "DeleteObjects",
    source="LocalStack test_delete_objects (recorded on AWS)",
    clients=CALLERS,
)
def batch_reports_as_a_set(s3: Scene) -> None:
    """The Deleted entries of a batch are the keys of the request, each once, in whatever order.

    S3 promises: the answer accounts for every key. Its order is left open, since the deletes run side by side.

    Breaks: programs that count the entries, or match them with their requests by key, take a missing one for a
    failure and try for ever. Nobody may rely on the order, and this statement does not.

    Fix: make one entry for every key of the request; do not collect results in something that drops some.
    """
    names = [s3.key(f"{number * 7 % 12:02}") for number in range(12)]
    for key in names[:6]:
        s3.put(key)
    answer = s3.expect(s3.call("DeleteObjects", **document(names)), ok(), deleted(names))
    shown = [entry.get("Key") for entry in answer.output.get("Deleted", [])]
    s3.note("in the order of the request" if shown == names else "in another order than the request")
    gone(s3, names[0])


def _batch(s3: Scene, body: bytes, *headers: tuple[str, str]) -> Observed:
    return s3.send("DeleteObjects", "POST", f"/{s3.bucket}?delete", *headers, body=body, bucket=s3.bucket)
