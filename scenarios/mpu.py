"""MPU: the life of a multipart upload, from CreateMultipartUpload to Complete or Abort. Parts: `mpu_parts`."""

from __future__ import annotations

import functools
import hashlib
from typing import Any
from urllib.parse import unquote

from harness.clients import CALLERS
from harness.clients.base import Observed
from harness.expect import Matcher, body, etag, if_shown, no_body, ok, output, output_where, refused, root
from harness.scenario import MUST, scenario
from harness.scene import PART, Scene
from harness.signals import Prerequisite

UNKNOWN_UPLOAD = "s3conform-no-such-upload"
"""An upload id that no endpoint ever gave out."""

ONE_PART = b"upload-part-1" * 5
ONE_PART_ETAG = '"e747540af6911dbc890f8d3e0b48549b-1"'
THREE_PARTS_ETAG = '"c7cb0938a47e31f70cf07028d22e6913-3"'
"""ETag of three parts of 5242881 times "a"."""


@functools.cache
def filler(size: int, byte: bytes = b"a") -> bytes:
    """A large part, made once for a worker."""
    return byte * size


def composite(*parts: bytes) -> str:
    """The ETag of an object completed from these parts: MD5 of their joined MD5 digests, "-", their number."""
    digests = b"".join(hashlib.md5(part).digest() for part in parts)
    return f'"{hashlib.md5(digests).hexdigest()}-{len(parts)}"'


def begin(s3: Scene, key: str, **params: Any) -> dict[str, Any]:
    """An upload started to prepare the scene: the Key and UploadId that every further call on it takes."""
    created = s3.setup("CreateMultipartUpload", Key=key, **params)
    upload_id = created.output.get("UploadId")
    if not upload_id:
        raise Prerequisite(created)
    return {"Key": key, "UploadId": upload_id}


def store(s3: Scene, upload: dict[str, Any], number: int, content: bytes) -> dict[str, Any]:
    """A part uploaded to prepare the scene, as CompleteMultipartUpload names it."""
    stored = s3.setup("UploadPart", **upload, PartNumber=number, Body=content)
    return {"PartNumber": number, "ETag": stored.etag or ""}


def naming(*parts: dict[str, Any]) -> dict[str, Any]:
    """The parameter of CompleteMultipartUpload that lists the parts."""
    return {"MultipartUpload": {"Parts": list(parts)}}


def nothing_stored(s3: Scene, key: str) -> None:
    """The witness finds no object at the key."""
    s3.expect(s3.look("HeadObject", Key=key), refused(404))


def read_back(s3: Scene, key: str, content: bytes) -> None:
    """The witness reads these bytes at the key."""
    s3.expect(s3.look("GetObject", Key=key), ok(), body(content))


def shows_upload(upload: dict[str, Any], shown: bool) -> Matcher:
    """Whether ListMultipartUploads has the upload."""

    def test(seen: Observed) -> str:
        found = [(each.get("Key"), each.get("UploadId")) for each in seen.output.get("Uploads", [])]
        there = (upload["Key"], upload["UploadId"]) in found
        return "" if there == shown else f"Uploads were {found[:5]!r}"

    return Matcher(f"upload {upload['UploadId']} {'listed' if shown else 'not listed'}", test)


@scenario(
    "MPU-001",
    MUST,
    "CreateMultipartUpload",
    source="LocalStack test_multipart_and_list_parts (recorded on AWS); botocore service model",
    clients=CALLERS,
)
def create_names_the_upload(s3: Scene) -> None:
    """CreateMultipartUpload answers 200 with Bucket, Key and the UploadId of an upload that now exists.

    S3 promises: the answer is an InitiateMultipartUploadResult document with the elements Bucket, Key and
    UploadId, and the upload takes parts from that moment on.

    Breaks: every client needs UploadId for each following step; typed SDKs hand Bucket and Key to programs that
    keep them to resume, and those that look for the root element by name find nothing under another one.

    Fix: print all three elements; make the id opaque, unique and free of characters that need escaping.
    """
    key = s3.key()
    created = s3.call("CreateMultipartUpload", Key=key)
    s3.expect(
        created,
        ok(),
        output_where("UploadId", "not empty", lambda value: isinstance(value, str) and value != ""),
        output("Bucket", s3.bucket),
        output("Key", key),
        if_shown(root("InitiateMultipartUploadResult")),
    )
    s3.expect(s3.look("ListParts", Key=key, UploadId=created.output["UploadId"]), ok())


@scenario(
    "MPU-002",
    MUST,
    "CompleteMultipartUpload",
    source="LocalStack test_multipart_and_list_parts (recorded on AWS); the value is computed",
)
def etag_of_parts(s3: Scene) -> None:
    """The ETag of a completed upload is the MD5 of the joined MD5s of its parts, "-", and the number of parts.

    S3 promises: take the 16-byte MD5 digest of each part in order, join them, take the MD5 of that in lower-case
    hex, and append "-" and the number of parts; also for one part, whose ETag ends in "-1".

    Breaks: rclone with use_multipart_etag compares it after each large upload and takes another value for
    corruption ("multipart upload corrupted: Etag differ"); s3cmd and sync tools take the "-" to tell
    that the ETag is no plain MD5.

    Fix: keep the MD5 of every part and combine them at Complete; do not hash the assembled object.
    """
    parts = filler(PART), b"and a few bytes more"
    key = s3.key("large")
    s3.expect(s3.upload(key, b"".join(parts)), ok())
    s3.expect(s3.look("HeadObject", Key=key), ok(), etag(composite(*parts)))
    read_back(s3, key, b"".join(parts))
    if s3.costly:
        return  # a single part, through the AWS CLI too, is MPU-003
    upload = begin(s3, s3.key("one"))
    part = store(s3, upload, 1, b"the only part")
    s3.expect(s3.call("CompleteMultipartUpload", **upload, **naming(part)), ok(), etag(composite(b"the only part")))
    s3.expect(s3.look("HeadObject", Key=upload["Key"]), ok(), etag(composite(b"the only part")))


@scenario(
    "MPU-003",
    MUST,
    "CompleteMultipartUpload",
    source="LocalStack test_multipart_and_list_parts and test_complete_multipart_parts_order (recorded on AWS)",
    clients=CALLERS,
)
def known_etags(s3: Scene) -> None:
    """Uploads whose ETag was recorded on AWS get that ETag, for one small part and for three large ones.

    S3 promises: the 65 bytes of "upload-part-1" five times, completed as one part, have the ETag
    "e747540af6911dbc890f8d3e0b48549b-1"; three parts of 5242881 times "a" have
    "c7cb0938a47e31f70cf07028d22e6913-3".

    Breaks: rclone with use_multipart_etag (rclone#5993), and tools that compute the ETag of a local file to skip
    its upload or to verify it (lakeFS#2486): they transfer everything again or report damage.

    Fix: hash the raw 16-byte digests, not their hex text, and count the parts named in Complete.
    """
    upload = begin(s3, s3.key("one"))
    part = store(s3, upload, 1, ONE_PART)
    s3.expect(s3.call("CompleteMultipartUpload", **upload, **naming(part)), ok(), etag(ONE_PART_ETAG))
    s3.expect(s3.look("HeadObject", Key=upload["Key"]), ok(), etag(ONE_PART_ETAG))
    if s3.costly:
        return  # 15 MiB more say nothing new about a client that only names the parts
    upload = begin(s3, s3.key("three"))
    parts = [store(s3, upload, number, filler(PART + 1)) for number in (1, 2, 3)]
    s3.expect(s3.call("CompleteMultipartUpload", **upload, **naming(*parts)), ok(), etag(THREE_PARTS_ETAG))
    s3.expect(s3.look("HeadObject", Key=upload["Key"]), ok(), etag(THREE_PARTS_ETAG))


@scenario(
    "MPU-004",
    MUST,
    "CompleteMultipartUpload",
    source="LocalStack test_complete_multipart_parts_order (recorded on AWS)",
    clients=CALLERS,
)
def numbers_may_have_gaps(s3: Scene) -> None:
    """Part numbers need not start at 1 nor be consecutive, and the bytes are joined in order of the numbers.

    S3 promises: any ascending choice of numbers from 1 to 10000 can be completed. Where a part's bytes come is
    decided by its number alone, not by the time at which it arrived.

    Breaks: clients that upload parts in parallel (aws s3 cp, rclone, every transfer manager) send them in any
    order, and streaming writers leave out the numbers of empty chunks; the object is scrambled or refused.

    Fix: sort parts by number at Complete; never index an array by number, and never join in order of arrival.
    """
    upload = begin(s3, s3.key())
    head, tail = filler(PART), b"the last part, sent first"
    last = store(s3, upload, 1007, tail)
    first = store(s3, upload, 12, head)
    s3.expect(s3.call("CompleteMultipartUpload", **upload, **naming(first, last)), ok())
    read_back(s3, upload["Key"], head + tail)


@scenario(
    "MPU-005",
    MUST,
    "CompleteMultipartUpload",
    source="LocalStack test_complete_multipart_parts_order (recorded on AWS)",
    clients=CALLERS,
)
def order_is_checked(s3: Scene) -> None:
    """Completing with the parts out of ascending order is refused with 400 InvalidPartOrder; nothing is stored.

    S3 promises: the parts in the request come in ascending order of their numbers. Otherwise the answer is 400
    InvalidPartOrder, which names the UploadId, and no object appears.

    Breaks: a client that forgot to sort the parts it sent in parallel learns it from this error; where it is
    missing, an endpoint that joins in the order listed stores a scrambled object without a word.

    Fix: walk the list once and refuse when a number is not above the one before it.
    """
    upload = begin(s3, s3.key())
    parts = [store(s3, upload, number, filler(PART)) for number in (1, 2)]  # no other rule is broken
    answer = s3.call("CompleteMultipartUpload", **upload, **naming(*reversed(parts)))
    s3.expect(answer, refused(400, "InvalidPartOrder", fields={"UploadId": upload["UploadId"]}))
    nothing_stored(s3, upload["Key"])


@scenario(
    "MPU-007",
    MUST,
    "UploadPart",
    "CompleteMultipartUpload",
    "AbortMultipartUpload",
    source="LocalStack test_multipart_no_such_upload (recorded on AWS)",
    clients=CALLERS,
)
def unknown_upload(s3: Scene) -> None:
    """UploadPart, CompleteMultipartUpload and AbortMultipartUpload with an unknown uploadId: 404 NoSuchUpload.

    S3 promises: an id that names no unfinished upload is answered with 404 NoSuchUpload, which repeats it in the
    UploadId element, and nothing is stored.

    Breaks: uploaders that resume (s3cmd put --continue-put, Uppy) start over on this error; SDKs ask again after
    500, and after 204 a clean-up believes to have removed an upload that goes on under its right id.

    Fix: look the id up first in all three operations; an Abort that finds nothing is not a success.
    """
    target = {"Key": s3.key(), "UploadId": UNKNOWN_UPLOAD}
    no_upload = refused(404, "NoSuchUpload", fields={"UploadId": UNKNOWN_UPLOAD})
    s3.expect(s3.call("UploadPart", **target, PartNumber=1, Body=b"part"), no_upload)
    part = {"PartNumber": 1, "ETag": f'"{hashlib.md5(b"part").hexdigest()}"'}
    s3.expect(s3.call("CompleteMultipartUpload", **target, **naming(part)), no_upload)
    nothing_stored(s3, target["Key"])
    s3.expect(s3.call("AbortMultipartUpload", **target), no_upload)


@scenario(
    "MPU-008",
    MUST,
    "UploadPart",
    "CompleteMultipartUpload",
    "ListParts",
    "AbortMultipartUpload",
    source="LocalStack test_multipart_key_validation (recorded on AWS)",
    clients=CALLERS,
)
def upload_belongs_to_key(s3: Scene) -> None:
    """An uploadId is valid only with its own key: with another, every operation answers 404 NoSuchUpload.

    S3 promises: an upload is found by bucket, key and id together. With another key UploadPart, ListParts,
    CompleteMultipartUpload and AbortMultipartUpload answer 404 NoSuchUpload and leave the upload as it was.

    Breaks: policies that grant a prefix are walked around, since the right is checked for the key of the request
    and another one is written; a program that mixes up two uploads scrambles both instead of getting an error.

    Fix: compare the key of the request with the one kept at CreateMultipartUpload before anything else.
    """
    upload, kept = begin(s3, s3.key("own")), b"the part that stays"
    part = store(s3, upload, 1, kept)
    other = upload | {"Key": s3.key("other")}
    if not s3.costly:
        s3.expect(s3.call("ListParts", **other), refused(404, "NoSuchUpload"))
    stolen = s3.call("UploadPart", **other, PartNumber=1, Body=b"an intruder")
    s3.expect(stolen, refused(404, "NoSuchUpload"))
    s3.expect(s3.call("CompleteMultipartUpload", **other, **naming(part)), refused(404, "NoSuchUpload"))
    nothing_stored(s3, other["Key"])
    s3.expect(s3.call("AbortMultipartUpload", **other), refused(404, "NoSuchUpload"))
    listed = s3.expect(s3.look("ListParts", **upload), ok())
    sizes = [each.get("Size") for each in listed.output.get("Parts", [])]
    s3.check(sizes == [len(kept)], f"the upload keeps its one part of {len(kept)} bytes", f"sizes {sizes}", listed)


@scenario(
    "MPU-011",
    MUST,
    "CompleteMultipartUpload",
    source="LocalStack test_multipart_complete_multipart_too_small (recorded on AWS)",
    clients=CALLERS,
)
def parts_have_a_minimum(s3: Scene) -> None:
    """Completing with a part below 5 MiB that is not the last is refused with 400 EntityTooSmall.

    S3 promises: every part but the last has at least 5242880 bytes. One byte less is 400 EntityTooSmall at
    Complete, and no object appears.

    Breaks: programs tested against a laxer endpoint (versitygw#960, minio#4625) fail as soon as they meet S3; a
    gateway in front of S3 that says yes loses the upload later.

    Fix: at Complete compare the size of each part but the last with 5 MiB, and refuse before assembling.
    """
    upload = begin(s3, s3.key())
    parts = [store(s3, upload, 1, filler(PART)[1:]), store(s3, upload, 2, b"the last part")]
    s3.expect(s3.call("CompleteMultipartUpload", **upload, **naming(*parts)), refused(400, "EntityTooSmall"))
    nothing_stored(s3, upload["Key"])


@scenario(
    "MPU-013",
    MUST,
    "CompleteMultipartUpload",
    source=(
        "LocalStack test_multipart_complete_multipart_wrong_part (recorded on AWS); "
        "versitygw REST complete upload, invalid part"
    ),
    clients=CALLERS,
)
def parts_must_exist(s3: Scene) -> None:
    """Completing with a part that was never uploaded, or with a wrong ETag, is refused with 400 InvalidPart.

    S3 promises: each part named must be there with the very ETag named for it. Otherwise the answer is 400
    InvalidPart, and no object appears.

    Breaks: the ETags in Complete are the client's only proof that what it sent is what is joined; without the
    check a part that was lost or overwritten ends in a silently damaged object (rclone, restic, aws s3 cp).

    Fix: look up each number and compare its ETag, ignoring the quotes, before the first byte is assembled.
    """
    upload = begin(s3, s3.key("missing"))
    missing = store(s3, upload, 1, b"the only part") | {"PartNumber": 2}
    s3.expect(s3.call("CompleteMultipartUpload", **upload, **naming(missing)), refused(400, "InvalidPart"))
    nothing_stored(s3, upload["Key"])
    upload = begin(s3, s3.key("changed"))  # one that no refusal has touched
    wrong = store(s3, upload, 1, b"the only part") | {"ETag": f'"{hashlib.md5(b"something else").hexdigest()}"'}
    s3.expect(s3.call("CompleteMultipartUpload", **upload, **naming(wrong)), refused(400, "InvalidPart"))
    nothing_stored(s3, upload["Key"])


@scenario(
    "MPU-015",
    MUST,
    "CompleteMultipartUpload",
    source=(
        "LocalStack test_multipart_and_list_parts and test_multipart_with_unicode_character_location (recorded on AWS)"
    ),
    clients=CALLERS,
)
def result_names_the_object(s3: Scene) -> None:
    """CompleteMultipartUpload answers with Bucket, Key, ETag, and a Location whose key is percent-encoded.

    S3 promises: a CompleteMultipartUploadResult with four elements: Bucket and Key as they are, the ETag of the
    object, and in Location its URL, in which every character of the key that a URL cannot carry is
    percent-encoded as UTF-8.

    Breaks: SDKs return Location from their upload helpers and programs store or open it (JS lib-storage,
    boto-based web frameworks); a raw non-ASCII character in it is no URL.

    Fix: encode the key in Location, and only there; print all four elements.
    """
    key, content = s3.key("straße-文件"), b"the only part"
    upload = begin(s3, key)
    part = store(s3, upload, 1, content)
    s3.expect(
        s3.call("CompleteMultipartUpload", **upload, **naming(part)),
        ok(),
        output("Bucket", s3.bucket),
        output("Key", key),
        output_where("ETag", "in double quotes", quoted),
        output_where(
            "Location", f"a URL in ASCII that ends in the encoded key of {key!r}", lambda url: _leads(url, key)
        ),
        if_shown(root("CompleteMultipartUploadResult")),
    )
    read_back(s3, key, content)


def quoted(value: Any) -> bool:
    """Whether an ETag is text between double quotes; what text is MPU-002's business."""
    return isinstance(value, str) and len(value) > 2 and value[0] == value[-1] == '"'


def _leads(location: Any, key: str) -> bool:
    """Whether a URL is in ASCII and leads to the key; the slashes in it may be encoded too, as on AWS."""
    return isinstance(location, str) and location.isascii() and unquote(location).endswith("/" + key)


@scenario(
    "MPU-018",
    MUST,
    "CompleteMultipartUpload",
    source=(
        "LocalStack test_multipart_overwrite_key (recorded on AWS); "
        "Moto test_multipart_upload_overwrites (verified on AWS)"
    ),
)
def complete_replaces(s3: Scene) -> None:
    """A multipart upload completed on an existing key replaces the object: bytes, ETag and metadata.

    S3 promises: Complete on a key that has an object puts the new object in its place as PutObject would;
    nothing of the old one remains.

    Breaks: aws s3 sync, rclone and restic write large files over older versions of them; a refusal stops the
    sync, and bytes or metadata left from the old object are damage that no tool looks for.

    Fix: swap the assembled object in by the same atomic step as PutObject, with the metadata given at Create.
    """
    key, parts = s3.key(), (filler(PART), b"the new end")
    old = s3.put(key, b"the old object", Metadata={"only-old": "1"}, ContentType="text/x-old")
    s3.expect(s3.upload(key, b"".join(parts)), ok())
    s3.expect(s3.look("GetObject", Key=key), ok(), body(b"".join(parts)))
    seen = s3.expect(s3.look("HeadObject", Key=key), ok())
    headers = seen.headers or {}
    left = [name for name in ("x-amz-meta-only-old", "content-type") if headers.get(name) in ("1", "text/x-old")]
    s3.check(seen.etag != old.etag, "another ETag than the old object's", f"ETag was {seen.etag}", seen)
    s3.check(not left, "no metadata of the old object", f"left from it: {', '.join(left)}", seen)


@scenario(
    "MPU-019",
    MUST,
    "AbortMultipartUpload",
    source="botocore service model, responseCode 204; versitygw REST multipart upload create then abort",
    clients=CALLERS,
)
def abort_removes(s3: Scene) -> None:
    """AbortMultipartUpload answers 204 without a body, and the upload leaves ListMultipartUploads.

    S3 promises: 204 No Content with no byte of body. The upload and its parts are gone: it is not listed, takes
    no more parts, and the key has no object.

    Breaks: rclone cleanup, `aws s3api` clean-up scripts and lifecycle tools loop over uploads that never go away,
    and their parts are paid for; a body after 204 breaks the connection's next answer.

    Fix: delete the parts and the upload's record in one step; answer 204 with nothing behind it.
    """
    upload = begin(s3, s3.key())
    store(s3, upload, 1, b"part")
    listing = {"Prefix": upload["Key"]}
    s3.expect(s3.look("ListMultipartUploads", **listing), ok(), shows_upload(upload, shown=True))
    s3.expect(s3.call("AbortMultipartUpload", **upload), ok(204), if_shown(no_body()))
    s3.expect(s3.look("ListMultipartUploads", **listing), ok(), shows_upload(upload, shown=False))
    s3.expect(s3.look("ListParts", **upload), refused(404, "NoSuchUpload"))
    nothing_stored(s3, upload["Key"])


@scenario(
    "MPU-026",
    MUST,
    "GetObject",
    "HeadObject",
    source="AWS documentation, Uploading an object using multipart upload",
)
def invisible_until_complete(s3: Scene) -> None:
    """Until Complete, a key under upload has no object, or still shows the earlier one.

    S3 promises: parts are not visible. HeadObject and GetObject answer 404 for a key that had no object, and
    give the earlier object, untouched, for one that had.

    Breaks: readers see a torn or empty file while a backup is written (restic), and the Hadoop and Spark
    committers of S3A, for which Complete is the commit, publish unfinished work.

    Fix: keep parts apart from objects, and let the key appear in one step at Complete.
    """
    fresh, used, old = s3.key("fresh"), s3.key("used"), b"the earlier object"
    s3.put(used, old)
    for key in (fresh, used):
        store(s3, begin(s3, key), 1, b"a part that nobody must see")
    s3.expect(s3.call("HeadObject", Key=fresh), refused(404))
    s3.expect(s3.call("GetObject", Key=fresh), refused(404, "NoSuchKey"))
    s3.expect(s3.call("GetObject", Key=used), ok(), body(old))
    nothing_stored(s3, fresh)
    read_back(s3, used, old)
