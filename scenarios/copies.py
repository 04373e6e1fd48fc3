"""COPY: what CopyObject gives, keeps and refuses. Names: `copies_names`; in place: `copies_in_place`."""

from __future__ import annotations

import email.utils
import re

from harness.clients import CALLERS, LIBRARIES
from harness.clients.base import Observed
from harness.expect import (
    Matcher,
    body,
    etag,
    header,
    if_shown,
    no_header,
    ok,
    one_of,
    output_where,
    refused,
)
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import Scene
from harness.wire.sigv4 import encode
from scenarios.etag import md5_etag
from scenarios.meta import has_metadata, lacks_metadata
from scenarios.mpu import ONE_PART, begin, naming, nothing_stored, read_back, store

CONTENT = b"bytes to copy on the server"


def source_of(s3: Scene, key: str, bucket: str = "") -> str:
    """The value of x-amz-copy-source for a key, percent-encoded once."""
    return f"{bucket or s3.bucket}/{encode(key, safe='/')}"


def planted(s3: Scene, content: bytes = CONTENT, **params: str) -> str:
    """A source object; gives what names it in a copy."""
    s3.put(s3.key("source"), content, **params)
    return source_of(s3, s3.key("source"))


def result_with_etag(member: str, content: bytes) -> Matcher:
    """The result document has this content's ETag in quotes, and a LastModified."""
    wanted = md5_etag(content)
    what = f"ETag {wanted} and a LastModified"
    return output_where(member, what, lambda found: found.get("ETag") == wanted and bool(found.get("LastModified")))


def _modified(seen: Observed) -> float:
    """Seconds of Last-Modified, 0 where it is no date."""
    try:
        return email.utils.parsedate_to_datetime((seen.headers or {}).get("last-modified", "")).timestamp()
    except (TypeError, ValueError):
        return 0.0


@scenario(
    "COPY-001",
    MUST,
    "CopyObject",
    source="LocalStack test_s3_copy_metadata_directive_copy (recorded on AWS); botocore service model",
)
def copy_result(s3: Scene) -> None:
    """CopyObject answers 200 with a CopyObjectResult that holds the quoted ETag and a new LastModified.

    S3 promises: the bytes are copied on the server. The document names the ETag of the copy and the time at which
    it was made, which is that of the request and not that of the source.

    Breaks: server-side copies of rclone, `aws s3 cp`, s5cmd and s3cmd; SDKs read the ETag from this document. A
    copy that has the time of its source is skipped by `aws s3 sync` and by incremental backups.

    Fix: read the source, write a new object with the present time, and answer with the document of the new one.
    """
    source, target = planted(s3), s3.key("target")
    before = s3.expect(s3.look("HeadObject", Key=s3.key("source")), ok())
    timed = s3.client.name == "raw"  # what the endpoint does with time need not be waited for through every client
    if timed:
        s3.wait(1.1)  # Last-Modified has whole seconds: only after one of them can the copy's be told from it
    answer = s3.call("CopyObject", Key=target, CopySource=source)
    s3.expect(answer, ok(), if_shown(result_with_etag("CopyObjectResult", CONTENT)))
    after = s3.expect(s3.look("GetObject", Key=target), ok(), body(CONTENT), etag(md5_etag(CONTENT)))
    if timed:
        made = str((answer.output.get("CopyObjectResult") or {}).get("LastModified"))
        iso = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", made)
        s3.check(iso is not None, "a LastModified in ISO 8601", f"it was {made!r}", answer)
        newer = _modified(after) > _modified(before) > 0
        times = [(seen.headers or {}).get("last-modified") for seen in (before, after)]
        s3.check(newer, f"a Last-Modified after the source's {times[0]}", f"it was {times[1]}", after)


@scenario(
    "COPY-002",
    MUST,
    "CopyObject",
    source="LocalStack test_s3_copy_content_type_and_metadata and test_s3_copy_metadata_directive_copy "
    "(recorded on AWS)",
    clients=(*CALLERS, "rclone", "s3cmd"),  # s5cmd asks for new metadata with every copy
)
def copy_keeps_metadata(s3: Scene) -> None:
    """A copy keeps Content-Type and user metadata of its source, and ignores metadata given in the request.

    S3 promises: without a directive, and with x-amz-metadata-directive: COPY, the copy has the metadata of the
    source, all of it, and nothing else: what the request says is not even merged in.

    Breaks: rclone keeps modification times in metadata: a copy without them is copied again on every run. Web
    buckets serve copied files with the wrong type, and browsers download instead of showing them.

    Fix: take all stored headers from the source unless the directive is REPLACE.
    """
    kept = {"colour": "blue", "mtime": "1700000000.5"}
    s3.put(s3.key("source"), CONTENT, Metadata=kept, ContentType="text/x-kept", CacheControl="max-age=7")
    source = source_of(s3, s3.key("source"))
    ignored = {"Metadata": {"new": "1"}, "ContentType": "text/x-new"}
    given = [{}] if s3.costly else [{}, ignored, ignored | {"MetadataDirective": "COPY"}]
    for number, params in enumerate(given):
        target = s3.key(f"target-{number}")
        s3.expect(s3.call("CopyObject", Key=target, CopySource=source, **params), ok())
        seen = s3.expect(s3.look("GetObject", Key=target), ok(), body(CONTENT), has_metadata(kept))
        s3.expect(seen, lacks_metadata("new"), header("Content-Type", "text/x-kept"))
        s3.expect(seen, header("Cache-Control", "max-age=7"))


@scenario(
    "COPY-007",
    MUST,
    "CopyObject",
    source="Moto test_copy_non_existing_file (verified on AWS); "
    "LocalStack test_s3_copy_object_src_not_exists (recorded on AWS)",
)
def source_is_missing(s3: Scene) -> None:
    """Copying a key that does not exist is 404 NoSuchKey with the source's key; a missing source bucket NoSuchBucket.

    S3 promises: the error is about the source: Key is the source's key, not the target's, and a missing bucket is
    told apart from a missing key. Nothing is written at the target.

    Breaks: `aws s3 mv` and rclone's server-side moves delete the source after a copy that seemed to work; Hadoop's
    rename reports the wrong file where the error names the target.

    Fix: resolve bucket and key of the source before touching the target, and put the source's names into the error.
    """
    target, missing = s3.key("target"), s3.key("never written")
    refusal = s3.call("CopyObject", Key=target, CopySource=source_of(s3, missing))
    s3.expect(refusal, refused(404, "NoSuchKey", fields={"Key": missing}))
    refusal = s3.call("CopyObject", Key=target, CopySource=source_of(s3, missing, s3.bucket_name()))
    s3.expect(refusal, refused(404, "NoSuchBucket"))
    nothing_stored(s3, target)


@scenario(
    "COPY-008",
    SHOULD,
    "CopyObject",
    source="LocalStack test_s3_copy_object_wrong_format (recorded on AWS); "
    "versitygw REST copy object w/invalid copy source",
    clients=LIBRARIES,
)
def source_without_key(s3: Scene) -> None:
    """A copy source that is not bucket/key is refused with 400 InvalidArgument that names x-amz-copy-source.

    S3 promises: a value without a slash, or without a key behind it, is an error of the request with ArgumentName
    x-amz-copy-source, and not a missing key.

    Breaks: programs that join bucket and key wrongly get a 404 and look for the object, or get an empty object
    where the header is dropped and the request taken for a PutObject.

    Fix: split at the first slash behind an optional leading one, and demand both halves.
    """
    target, fields = s3.key("target"), {"ArgumentName": "x-amz-copy-source"}
    for wrong in ("wrongformat", f"{s3.bucket}/"):
        refusal = s3.call("CopyObject", Key=target, CopySource=wrong)
        s3.expect(refusal, refused(400, "InvalidArgument", fields=fields))
        nothing_stored(s3, target)
    s3.expect(s3.call("CopyObject", Key=target, CopySource=planted(s3)), ok())


@scenario(
    "COPY-019",
    EXTENDED,
    "CopyObject",
    source="OpenStack Swift S3 cross-compatibility test test_object_copy_with_range_error",
    clients=("raw",),
)
def range_on_copy(s3: Scene) -> None:
    """A Range header on CopyObject is refused with 400 InvalidArgument, and nothing is copied.

    S3 promises: CopyObject copies whole objects. Only UploadPartCopy copies a range, and its header has another
    name.

    Breaks: strict validation; programs that believe they copied the first bytes have copied everything, or have cut
    an object that they meant to keep.

    Fix: look for Range when x-amz-copy-source is there, and refuse before reading the source.
    """
    source, target = planted(s3), s3.key("target")
    s3.expect(_copy(s3, target, source, ("Range", "bytes=0-3")), refused(400, "InvalidArgument"))
    nothing_stored(s3, target)
    s3.expect(_copy(s3, target, source), ok())
    read_back(s3, target, CONTENT)


@scenario(
    "COPY-020",
    EXTENDED,
    "CopyObject",
    source="versitygw REST copy object w/copy source and payload",
    clients=("raw",),
)
def body_on_copy(s3: Scene) -> None:
    """A copy request with a body is refused with 400 InvalidRequest, and nothing is stored.

    S3 promises: a request says either where the bytes are or what they are. With both it is an error, and neither
    of them becomes the object.

    Breaks: proxies and hand-written clients that reuse a request object of an upload; which of the two bodies is
    stored would be anybody's guess.

    Fix: refuse a Content-Length above 0 on a copy.
    """
    source, target = planted(s3), s3.key("target")
    s3.expect(_copy(s3, target, source, content=b"bytes of another kind"), refused(400, "InvalidRequest"))
    nothing_stored(s3, target)
    s3.expect(_copy(s3, target, source), ok())
    read_back(s3, target, CONTENT)


def _copy(s3: Scene, key: str, source: str, *headers: tuple[str, str], content: bytes = b"") -> Observed:
    """An exact CopyObject."""
    target, copy = f"/{s3.bucket}/{encode(key, safe='/')}", ("x-amz-copy-source", source)
    return s3.send("CopyObject", "PUT", target, copy, *headers, body=content, bucket=s3.bucket)


@scenario("COPY-021", MUST, "CopyObject", source="no record found", confidence="unverified")
def copy_is_independent(s3: Scene) -> None:
    """A copy stays as it is when its source is overwritten or deleted afterwards.

    S3 promises: CopyObject makes a second object. Nothing that happens to the first one later reaches it.

    Breaks: "move" in every client is a copy followed by a delete of the source (`aws s3 mv`, rclone, s3cmd,
    Hadoop's rename): where the copy is a link, moving destroys the file.

    Fix: count references to shared bytes and free them with the last one, or copy the bytes.
    """
    target, source = s3.key("target"), planted(s3)
    s3.expect(s3.call("CopyObject", Key=target, CopySource=source), ok())
    s3.put(s3.key("source"), b"the source has changed")
    read_back(s3, target, CONTENT)
    s3.setup("DeleteObject", Key=s3.key("source"))
    read_back(s3, target, CONTENT)
    s3.expect(s3.call("GetObject", Key=target), ok(), body(CONTENT))


@scenario(
    "COPY-022",
    SHOULD,
    "CopyObject",
    source="LocalStack test_multipart_copy_object_etag (recorded on AWS)",
)
def copy_of_upload_has_no_parts(s3: Scene) -> None:
    """The copy of an object that was uploaded in parts has an MD5 ETag and no x-amz-mp-parts-count.

    S3 promises: the copy is one piece. Asked for part 1, it answers with the whole object and without the header
    that tells the number of parts, which the source does have.

    Breaks: parallel downloaders (the AWS SDK for Java's transfer manager) ask for part 1 first and plan by the
    count; a count that came along from the source sends them to parts that are not there.

    Fix: do not hand on the list of parts with the metadata of the source.
    """
    source, target = s3.key("source"), s3.key("target")
    upload = begin(s3, source)
    s3.setup("CompleteMultipartUpload", **upload, **naming(store(s3, upload, 1, ONE_PART)))
    s3.expect(s3.call("CopyObject", Key=target, CopySource=source_of(s3, source)), ok())
    answered = one_of(ok(206), ok())  # the status is GET-018's and GET-020's matter
    s3.expect(s3.look("HeadObject", Key=source, PartNumber=1), answered, header("x-amz-mp-parts-count", "1"))
    seen = s3.look("HeadObject", Key=target, PartNumber=1)
    s3.expect(seen, answered, etag(md5_etag(ONE_PART)), no_header("x-amz-mp-parts-count"))
    read_back(s3, target, ONE_PART)
