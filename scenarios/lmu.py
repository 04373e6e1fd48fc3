"""LMU: what ListMultipartUploads shows, and in which order. Its markers: `lmu_markers`."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote_plus

from harness.clients import CALLERS, LIBRARIES
from harness.clients.base import Observed
from harness.expect import Matcher, absent, ok, output, prefixes, refused
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import Scene
from harness.wire.sigv4 import encode
from scenarios._uploads import entries, identified, start, uploads
from scenarios.mpu_parts import ends

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.000Z")


def every_upload(what: str, *members: str) -> Matcher:
    """Every Upload element, of which there is at least one, has these members; ID is looked for in accounts."""

    def test(seen: Observed) -> str:
        found = entries(seen)
        for entry in found:
            lacking = [member for member in members if not _value(entry.get(member))]
            if lacking:
                return f"the upload of {entry.get('Key')!r} has no {', '.join(lacking)}"
        return "" if found else "no upload is listed"

    return Matcher(f"{what} in every upload", test)


def _value(member: Any) -> Any:
    return member.get("ID") if isinstance(member, dict) else member


@scenario(
    "LMU-001",
    MUST,
    "ListMultipartUploads",
    source="LocalStack test_list_multiparts_next_marker (recorded on AWS)",
    clients=CALLERS,
)
def sorted_by_key_and_time(s3: Scene) -> None:
    """Uploads are listed by key, in the order of its UTF-8 bytes, and those of one key from the oldest on.

    S3 promises: keys come in the same order as in listings of objects. A key under upload several times is listed
    once for each of them, in the order in which they were begun.

    Breaks: tools that resume look their key up in this list (s3cmd put --continue-put) and take the first or the last
    upload of it; in another order they go on with the wrong one. Markers skip whatever is out of order.

    Fix: keep uploads under (key, time of initiation) and list in that order; a random id orders nothing.
    """
    others = start(s3, ("é", "b", "B", "a/1"))
    old = start(s3, ("a", "a", "a"))
    if s3.client.name == "raw":  # what the endpoint does with time need not be waited for through every client
        s3.wait(1.1)  # S3 tells initiation in whole seconds: within one of them any order is right
    new = start(s3, ("a", "a", "a"))
    ordered = sorted([*others, *old, *new], key=lambda upload: upload[0].encode())
    seen = s3.expect(s3.call("ListMultipartUploads", Prefix=s3.prefix), ok())
    wanted, found = [key for key, _ in ordered], [key for key, _ in identified(seen)]
    s3.check(found == wanted, f"uploads of the keys {wanted}", f"their keys were {found}", seen)
    if s3.client.name == "raw":
        same = [upload for upload in identified(seen) if upload[0] == s3.key("a")]
        told = "the three uploads that were begun first come before those begun a second later"
        right = set(same[:3]) == set(old) and set(same[3:]) == set(new)
        s3.check(right, told, f"uploads of the key were {same}", seen)


@scenario(
    "LMU-002",
    MUST,
    "ListMultipartUploads",
    source="LocalStack test_list_multiparts_next_marker (recorded on AWS); "
    "versitygw REST ListMultipartUploads, Initiator and Owner data shown (kept for AWS only)",
    clients=CALLERS,
)
def upload_elements(s3: Scene) -> None:
    """Each Upload has Key, UploadId, Initiated, StorageClass, and Owner and Initiator with an ID.

    S3 promises: what is needed to abort an upload or to go on with it (Key and UploadId), and what is needed to
    decide that: when it was begun, by whom, and in which storage class its object will be.

    Breaks: `rclone cleanup` selects by the age in Initiated, and `s3cmd multipart` prints it; typed SDK programs read
    Owner.ID and Initiator.ID without looking whether they are there.

    Fix: keep time, account and storage class with the upload from CreateMultipartUpload on, and print them all.
    """
    begun = start(s3, ("a", "b"))
    seen = s3.call("ListMultipartUploads", Prefix=s3.prefix)
    members = ("Key", "UploadId", "Initiated", "StorageClass", "Owner", "Initiator")
    s3.expect(seen, ok(), uploads(begun), every_upload(", ".join(members), *members))


@scenario(
    "LMU-008",
    MUST,
    "ListMultipartUploads",
    source="LocalStack test_list_multiparts_next_marker (recorded on AWS)",
    clients=CALLERS,
)
def max_uploads(s3: Scene) -> None:
    """A page has at most max-uploads uploads and echoes the number as MaxUploads, 1000 where none was sent.

    S3 promises: max-uploads bounds the page, IsTruncated says whether there is more, and MaxUploads is the limit
    that was in force.

    Breaks: clean-up tools page through a bucket with many abandoned uploads; a page that is cut without
    IsTruncated hides the rest, and their parts are paid for month after month.

    Fix: fetch one upload more than asked for, show the others, and set IsTruncated from that one.
    """
    begun = start(s3, ("a", "b", "c"))
    page = s3.call("ListMultipartUploads", Prefix=s3.prefix, MaxUploads=2)
    s3.expect(page, ok(), uploads(begun[:2]), output("MaxUploads", 2), output("IsTruncated", True))
    full = s3.call("ListMultipartUploads", Prefix=s3.prefix)
    s3.expect(full, ok(), uploads(begun), output("MaxUploads", 1000), output("IsTruncated", False))
    if not s3.costly:
        just = s3.call("ListMultipartUploads", Prefix=s3.prefix, MaxUploads=3)
        s3.expect(just, ok(), uploads(begun), output("MaxUploads", 3), output("IsTruncated", False))


@scenario(
    "LMU-009",
    MUST,
    "ListMultipartUploads",
    source="LocalStack test_list_multiparts_with_prefix_and_delimiter (recorded on AWS)",
    clients=CALLERS,
)
def prefix_and_delimiter(s3: Scene) -> None:
    """Prefix and delimiter fold uploads into common prefixes, each of which counts as one item of the page.

    S3 promises: the rules of object listings hold here too: only keys below the prefix, those with the delimiter
    behind it as one CommonPrefixes entry, and uploads and common prefixes together up to max-uploads.

    Breaks: `rclone cleanup remote:bucket/path` looks at one folder; where the prefix is ignored it aborts uploads
    of other folders, which somebody else may be writing.

    Fix: use the same folding code as for objects, over keys of uploads.
    """
    begun = start(s3, ("p/1", "p/q/1", "p/q/2", "p/r/1", "p/s", "z"))
    under, folded = s3.key("p/"), [s3.key("p/q/"), s3.key("p/r/")]
    full = s3.call("ListMultipartUploads", Prefix=under, Delimiter="/")
    shown = (uploads([begun[0], begun[4]]), prefixes(folded), output("Prefix", under), output("Delimiter", "/"))
    s3.expect(full, ok(), *shown, ends())
    page = s3.call("ListMultipartUploads", Prefix=under, Delimiter="/", MaxUploads=3)
    s3.expect(page, ok(), uploads([begun[0]]), prefixes(folded), output("IsTruncated", True))
    if not s3.costly:
        plain = s3.call("ListMultipartUploads", Prefix=under)
        s3.expect(plain, ok(), uploads(begun[:5]), absent("CommonPrefixes"))


@scenario(
    "LMU-012",
    SHOULD,
    "ListMultipartUploads",
    source="versitygw REST ListMultipartUploads, encoding type (kept for AWS only)",
    clients=LIBRARIES,
)
def encoded_keys(s3: Scene) -> None:
    """With encoding-type=url keys and prefixes are encoded as in a form: space as "+", "+" as %2B, "(" as %28.

    S3 promises: the parameter makes names safe for XML that cannot carry every character. EncodingType url is
    echoed, and Key, Prefix and the common prefixes are all in that form.

    Breaks: programs that ask for the encoding decode what they get: from a name that was not encoded "+" becomes a
    space, and the upload they try to abort does not exist.

    Fix: apply the encoder of the object listings to every name in this answer too.
    """
    begun = start(s3, ("a b+c(d)/1", "e f+g(h)"))
    seen = s3.call("ListMultipartUploads", Prefix=s3.prefix, Delimiter="/", EncodingType="url")
    s3.expect(seen, ok(), output("EncodingType", "url"))
    found = [key for key, _ in identified(seen)] + seen.prefixes
    expected = [quote_plus(begun[1][0], safe="/"), quote_plus(s3.key("a b+c(d)/"), safe="/")]
    kept = [name.replace("%2F", "/") for name in found]  # S3 keeps the slash; encoding it harms nobody
    s3.check(kept == expected, f"Key and common prefix {expected}", f"they were {found}", seen)


@scenario(
    "LMU-013",
    SHOULD,
    "ListMultipartUploads",
    source="LocalStack test_list_ops_encoding_type_validation (recorded on AWS)",
    clients=LIBRARIES,
)
def unknown_encoding(s3: Scene) -> None:
    """An encoding-type other than url is refused with 400 InvalidArgument.

    S3 promises: url is the only encoding there is; any other name is an error and not a listing in plain form.

    Breaks: strict validation; a program with a typing error in this option decodes names that were never encoded.

    Fix: compare with "url" before the listing begins.
    """
    begun = start(s3, ("a",))
    refusal = s3.call("ListMultipartUploads", Prefix=s3.prefix, EncodingType="base64")
    s3.expect(refusal, refused(400, "InvalidArgument"))
    s3.expect(s3.call("ListMultipartUploads", Prefix=s3.prefix, EncodingType="url"), ok())
    s3.expect(s3.call("ListMultipartUploads", Prefix=s3.prefix), ok(), uploads(begun))


@scenario(
    "LMU-014",
    EXTENDED,
    "ListMultipartUploads",
    source="versitygw REST ListMultipartUploads, uploads/uploadId combo (kept for AWS only)",
    clients=("raw",),
)
def uploads_and_upload_id(s3: Scene) -> None:
    """A query with both uploads and uploadId is refused with 400 InvalidArgument.

    S3 promises: the two parameters name different resources, and a request cannot be about both.

    Breaks: strict validation; hand-written clients that build queries by appending get a list where they asked for
    one upload, and take it for an upload without parts.

    Fix: look for conflicting subresources before routing by the first that is found.
    """
    ((key, upload_id),) = start(s3, ("a",))
    both = f"/{s3.bucket}?uploads&uploadId={encode(upload_id)}&prefix={encode(s3.prefix)}"
    s3.expect(s3.send("ListMultipartUploads", "GET", both, bucket=s3.bucket), refused(400, "InvalidArgument"))
    alone = f"/{s3.bucket}?uploads&prefix={encode(key)}"
    s3.expect(s3.send("ListMultipartUploads", "GET", alone, bucket=s3.bucket), ok(), uploads([(key, upload_id)]))


@scenario(
    "LMU-015",
    SHOULD,
    "ListMultipartUploads",
    source="LocalStack test_s3_list_multiparts_timestamp_precision (recorded on AWS)",
    clients=("raw",),
)
def form_of_initiated(s3: Scene) -> None:
    """Initiated is an ISO 8601 time in UTC with three decimals, all zero, and Z: 2026-01-31T12:34:56.000Z.

    S3 promises: 24 characters, whole seconds, UTC.

    Breaks: date parsers with a fixed pattern, as in older Java, .NET and JavaScript clients, fail on other forms,
    nanoseconds and offsets above all.

    Fix: format the time yourself instead of printing what the language's clock gives.
    """
    start(s3, ("a",))
    seen = s3.expect(s3.call("ListMultipartUploads", Prefix=s3.prefix), ok())
    found = [str(entry.get("Initiated")) for entry in entries(seen)]
    right = len(found) == 1 and bool(_ISO.fullmatch(found[0]))
    s3.check(right, "one upload with Initiated YYYY-MM-DDThh:mm:ss.000Z", f"Initiated was {found}", seen)


@scenario(
    "LMU-016",
    MUST,
    "ListMultipartUploads",
    source="AWS documentation, Error responses",
    clients=CALLERS,
)
def uploads_of_unknown_bucket(s3: Scene) -> None:
    """Listing the uploads of a bucket that does not exist is refused with 404 NoSuchBucket.

    S3 promises: the bucket is looked up first; that it is missing is an error with its own code, which names it.

    Breaks: clean-up scripts take an empty list for "nothing to do", and a typing error in the bucket's name goes
    unnoticed while uploads pile up; after 503 SDKs ask again and again.

    Fix: resolve the bucket before listing, and write its name into BucketName.
    """
    name = s3.bucket_name()
    missing = refused(404, "NoSuchBucket", fields={"BucketName": name})
    s3.expect(s3.call("ListMultipartUploads", Bucket=name), missing)
