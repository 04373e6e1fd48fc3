"""DEL: DeleteObject and DeleteObjects."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterable
from typing import Any

from harness.clients import CALLERS, PROGRAMS
from harness.clients.base import Observed
from harness.expect import Matcher, absent, body, if_shown, keys, no_body, no_header, ok, one_of, refused
from harness.scenario import MUST, scenario
from harness.scene import Scene

EXIT_CODES = {"awscli": (254, 255), "rclone": (1,), "s3cmd": (11, 13, 77)}
"""What a program's exit code is after a refusal: `aws s3api` 255 in version 1, 254 in version 2; rclone 1; s3cmd 77
for 403, 13 for a conflict, 11 for other errors."""


def document(names: Iterable[str], **options: Any) -> dict[str, Any]:
    """The parameters of DeleteObjects for some keys."""
    return {"Delete": {"Objects": [{"Key": name} for name in names], **options}}


def reports(found: Observed) -> list[str]:
    """The keys that an answer reports as deleted, sorted: S3 does not promise an order."""
    return sorted(entry.get("Key", "") for entry in found.output.get("Deleted", []))


def deleted(names: Iterable[str]) -> Matcher:
    """Exactly these keys are reported as deleted, and none as failed."""
    wanted = sorted(names)

    def test(seen: Observed) -> str:
        if seen.output.get("Errors"):
            return f"Errors were {seen.output['Errors']!r}"
        return "" if reports(seen) == wanted else f"Deleted named {reports(seen)!r}"

    return Matcher(f"Deleted entries for {wanted!r} and no Error entry", test)


def gone(s3: Scene, key: str) -> None:
    """The witness no longer finds the key, neither by reading it nor in a listing."""
    s3.expect(s3.look("GetObject", Key=key), refused(404, "NoSuchKey"))
    s3.expect(s3.look("ListObjectsV2", Prefix=key), ok(), keys([]))


def kept(s3: Scene, key: str, content: bytes) -> None:
    """The witness still reads the object's bytes."""
    s3.expect(s3.look("GetObject", Key=key), ok(), body(content))


@scenario(
    "DEL-001",
    MUST,
    "DeleteObject",
    source="LocalStack test_delete_object and test_delete_has_empty_content_length_header (recorded on AWS)",
)
def delete_answers_204(s3: Scene) -> None:
    """Deleting an existing key answers 204 without body or Content-Type, and the key is gone.

    S3 promises: DeleteObject on a key that exists answers 204 No Content, with not one byte of body and no
    Content-Type, and from then on the key can neither be read nor listed.

    Breaks: SDKs check for 204; a body after 204 is read as the start of the next answer on the same connection
    and breaks that one instead.

    Fix: answer `204 No Content` without Content-Type, and take the key out of reads and listings before answering.
    """
    key = s3.key()
    s3.put(key)
    answer = s3.call("DeleteObject", Key=key)
    s3.expect(answer, ok(204), if_shown(no_body()), if_shown(no_header("Content-Type")))
    gone(s3, key)


@scenario("DEL-002", MUST, "DeleteObject", source="Moto test_delete_missing_key (verified on AWS)")
def delete_of_nothing(s3: Scene) -> None:
    """Deleting a key that does not exist answers 204, as if it had existed.

    S3 promises: DeleteObject is idempotent. A second delete, or a delete of a key never written, is a success.

    Breaks: retries after a lost answer; boto3, Hadoop's S3A and Terraform take a 404 here for a real error.

    Fix: do not look the key up first; deleting nothing is a success.
    """
    s3.expect(s3.call("DeleteObject", Key=s3.key("never-written")), ok(204))


@scenario("DEL-003", MUST, "DeleteObject", source="AWS documentation, Error responses")
def delete_in_missing_bucket(s3: Scene) -> None:
    """Deleting a key in a bucket that does not exist answers 404 NoSuchBucket.

    S3 promises: that deletes are idempotent goes for keys, not for buckets: a missing bucket is an error, told by
    its own code.

    Breaks: a typing mistake in a bucket name looks like a successful clean-up.

    Fix: resolve the bucket before the key, and answer NoSuchBucket with status 404.
    """
    s3.expect(s3.call("DeleteObject", Bucket=s3.bucket_name(), Key="k"), refused(404, "NoSuchBucket"))


@scenario(
    "DEL-005",
    MUST,
    "DeleteObjects",
    source="LocalStack test_delete_non_existing_keys (recorded on AWS); versitygw REST DeleteObjects - nonexistent key",
    clients=CALLERS,
)
def batch_reports_every_key(s3: Scene) -> None:
    """DeleteObjects answers 200 and reports every key as Deleted, those that never existed too.

    S3 promises: the answer names each key of the request exactly once, under Deleted or under Error; a key that
    does not exist counts as deleted.

    Breaks: s5cmd, boto3's `objects.delete()` and JS SDK users match the answer with what they sent; a key missing
    from both lists is never retried.

    Fix: make one entry for each Object of the request, and treat missing keys as deleted.
    """
    there, never = s3.key("there"), s3.key("never")
    s3.put(there)
    s3.expect(s3.call("DeleteObjects", **document([there, never])), ok(), deleted([there, never]))
    gone(s3, there)


@scenario(
    "DEL-006",
    MUST,
    "DeleteObjects",
    source="LocalStack test_delete_non_existing_keys_quiet; versitygw REST DeleteObjects - quiet mode",
    clients=CALLERS,
)
def quiet_batch_is_quiet(s3: Scene) -> None:
    """With Quiet true, DeleteObjects lists no successes: the result is empty, and the keys are gone.

    S3 promises: quiet mode reports failures only; when all went well the DeleteResult has no entry.

    Breaks: clients that ask for quiet mode to save traffic, and count any entry as a failure (Hadoop's S3A).

    Fix: read the Quiet element and leave the Deleted entries out, never the Error entries.
    """
    there, never = s3.key("there"), s3.key("never")
    s3.put(there)
    s3.expect(
        s3.call("DeleteObjects", **document([there, never], Quiet=True)),
        ok(),
        absent("Deleted"),
        absent("Errors"),
    )
    gone(s3, there)


@scenario(
    "DEL-007",
    MUST,
    "DeleteObjects",
    source="LocalStack test_delete_non_existing_keys_in_non_existing_bucket (recorded on AWS)",
    clients=CALLERS,
)
def batch_in_missing_bucket(s3: Scene) -> None:
    """DeleteObjects in a bucket that does not exist answers 404 NoSuchBucket.

    S3 promises: a missing bucket fails the whole request; there is no DeleteResult.

    Breaks: clients that read only the Error entries of a 200 answer believe that all was deleted.

    Fix: check the bucket before the document.
    """
    s3.expect(s3.call("DeleteObjects", Bucket=s3.bucket_name(), **document(["k"])), refused(404, "NoSuchBucket"))


@scenario(
    "DEL-009",
    MUST,
    "DeleteObjects",
    source="ceph/s3-tests test_multi_object_delete_key_limit; botocore documentation, up to 1,000 keys (the code is "
    "from memory)",
    clients=("raw", "boto3"),
    confidence="partly unverified",
)
def batch_limit(s3: Scene) -> None:
    """DeleteObjects with more than 1000 entries answers 400, and deletes nothing.

    S3 promises: a batch holds up to 1000 keys; a larger one is refused as a whole.

    Breaks: nobody who keeps to the limit; a gateway that deletes the first thousand and answers 400 loses data.

    Fix: count the entries before the first delete.
    """
    key = s3.key("kept")
    s3.put(key, b"kept")
    names = [key, *(s3.key(f"never-{number:04}") for number in range(1000))]
    s3.expect(s3.call("DeleteObjects", **document(names)), refused(400, "MalformedXML"))
    kept(s3, key, b"kept")


def _batch(s3: Scene, key: str, *headers: tuple[str, str]) -> Observed:
    content = f"<Delete><Object><Key>{key}</Key></Object></Delete>".encode()
    target = f"/{s3.bucket}?delete"
    return s3.send("DeleteObjects", "POST", target, *headers, body=content, bucket=s3.bucket)


def _batch_digests(key: str) -> dict[str, str]:
    content = f"<Delete><Object><Key>{key}</Key></Object></Delete>".encode()
    return {
        "x-amz-checksum-crc32": base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode(),
        "x-amz-checksum-sha1": base64.b64encode(hashlib.sha1(content).digest()).decode(),
        "x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(content).digest()).decode(),
    }


@scenario(
    "DEL-010",
    MUST,
    "DeleteObjects",
    source="OpenStack Swift test_no_md5_no_sha_no_crc_header_multi_delete; versitygw REST delete objects",
    clients=("raw",),
)
def batch_needs_a_digest(s3: Scene) -> None:
    """DeleteObjects without Content-MD5 and without any x-amz-checksum header answers 400 InvalidRequest.

    S3 promises: a request that can destroy a thousand objects must carry a digest of its document; without one it
    is refused and nothing is deleted.

    Breaks: nothing at once; but a document damaged on its way deletes the wrong keys.

    Fix: refuse the request before its document is acted on.
    """
    key = s3.key("kept")
    s3.put(key, b"kept")
    s3.expect(_batch(s3, key), refused(400, "InvalidRequest"))
    kept(s3, key, b"kept")


@scenario(
    "DEL-011",
    MUST,
    "DeleteObjects",
    source="OpenStack Swift test_good_md5_good_sha_good_crc_header_multi_delete",
    clients=("raw",),
)
def any_checksum_serves(s3: Scene) -> None:
    """Any one x-amz-checksum header satisfies DeleteObjects' demand for a digest in place of Content-MD5.

    S3 promises: CRC32, SHA1 or SHA256 of the document, in the header of that name, is as good as Content-MD5.

    Breaks: every current AWS SDK sends a checksum and no Content-MD5 here; gateways that insist on Content-MD5
    fail boto3, the AWS CLI and the Java, Go, PHP, Ruby and JavaScript SDKs since early 2025.

    Fix: accept either; verify whichever came.
    """
    for name in _batch_digests(""):
        key = s3.key(name)
        s3.put(key)
        digest = _batch_digests(key)[name]
        s3.expect(_batch(s3, key, (name, digest)), ok(), deleted([key]))
        gone(s3, key)


@scenario(
    "DEL-015",
    MUST,
    "DeleteObjects",
    source="Moto test_delete_objects_percent_encoded (verified on AWS); LocalStack test_delete_objects_encoding",
    clients=CALLERS,
)
def batch_keys_are_literal(s3: Scene) -> None:
    """Keys in a DeleteObjects document are literal: a%2Fb names "a%2Fb", and "a/b" stays.

    S3 promises: text in the XML document is XML-escaped, never percent-encoded.

    Breaks: anyone with percent signs in keys; decoding deletes another object than the one named.

    Fix: take the text of the Key element as it is after XML unescaping.
    """
    encoded, plain, percent = s3.key("a%2Fb"), s3.key("a/b"), s3.key("100%25")
    for key in (encoded, plain, percent):
        s3.put(key, key.encode())
    s3.expect(s3.call("DeleteObjects", **document([encoded, percent])), ok(), deleted([encoded, percent]))
    gone(s3, encoded)
    gone(s3, percent)
    kept(s3, plain, plain.encode())


@scenario(
    "DEL-016",
    MUST,
    "DeleteObjects",
    source="LocalStack test_delete_objects_encoding (recorded on AWS)",
    clients=CALLERS,
)
def batch_takes_odd_keys(s3: Scene) -> None:
    """Keys that end in "/" and keys with XML's special characters can be deleted by DeleteObjects.

    S3 promises: every key that can be written can be deleted, singly or in a batch.

    Breaks: folder markers ("photos/") and file names with & or quotes stay behind for ever in sync tools.

    Fix: do not trim slashes; unescape the five XML entities.
    """
    names = [s3.key("folder/"), s3.key("a&b<c>d\"e'f")]
    for key in names:
        s3.put(key)
    s3.expect(s3.call("DeleteObjects", **document(names)), ok(), deleted(names))
    s3.expect(s3.look("ListObjectsV2", Prefix=s3.prefix), ok(), keys([]))


@scenario(
    "DEL-020",
    MUST,
    "DeleteObject",
    "ListObjectsV2",
    source="no record found; follows from the flat key space",
    confidence="unverified",
)
def delete_is_not_recursive(s3: Scene) -> None:
    """Deleting one key leaves the keys that begin with it untouched.

    S3 promises: keys are flat. "a" and "a/b" have nothing to do with each other.

    Breaks: gateways on file systems that remove a directory when its name is deleted; whole trees vanish.

    Fix: never map a delete to a recursive removal.
    """
    s3.put(s3.key("a"))
    s3.put(s3.key("a/b"), b"child")
    s3.expect(s3.call("DeleteObject", Key=s3.key("a")), ok(204))
    kept(s3, s3.key("a/b"), b"child")
    s3.expect(s3.look("ListObjectsV2", Prefix=s3.prefix), ok(), keys([s3.key("a/b")]))


def _refusal() -> Matcher:
    """A refusal that a client can tell from a success and a user can understand."""
    codes = ((400, "InvalidRequest"), (403, "AccessDenied"), (405, "MethodNotAllowed"), (501, "NotImplemented"))
    # The AWS CLI over https shows a code and no status.
    known = one_of(*(refused(status) for status in (400, 403, 405, 409, 501)), *(refused(*pair) for pair in codes))

    def test(seen: Observed) -> str:
        found = known.test(seen)
        if found or not seen.message:
            return found or "the refusal has no message"
        if seen.client not in PROGRAMS:
            return ""
        if seen.exit_code not in EXIT_CODES[seen.client]:
            return f"exit code was {seen.exit_code}"
        named = (seen.code and seen.code in seen.stderr) or (seen.status and str(seen.status) in seen.stderr)
        return "" if named else f"it said only {seen.stderr!r}"

    return Matcher("a refusal (4xx or 501) with a message, which the client reports as a failure", test)


@scenario(
    "DEL-021",
    MUST,
    "DeleteObject",
    source="LocalStack test_delete_object (recorded on AWS); exit codes measured with rclone 1.75.2, aws 1.46 and 2.36",
)
def delete_tells_the_truth(s3: Scene) -> None:
    """What DeleteObject answers is what happened: after a success the object is gone, after a refusal it is whole.

    S3 promises: 204 means that the key cannot be read any more. A store that refuses (object lock, policy, or one
    that is immutable by design) answers with an error, keeps every byte, and the client tells its user: rclone
    ends with exit code 1, `aws s3api` with 254 or 255.

    Breaks: backups. A tool that is told "deleted" frees its index; one that is told "refused" must find the bytes.

    Fix: never answer 204 for what stays readable, nor an error for what is gone; give refusals a status of 4xx
    and a message that says why.
    """
    key, content = s3.key(), b"still here, or gone"
    s3.put(key, content)
    answer = s3.call("DeleteObject", Key=key)
    if answer.ok:
        gone(s3, key)
        return
    s3.expect(answer, _refusal())
    kept(s3, key, content)
