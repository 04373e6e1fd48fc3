"""GET: what an object is stored with beside its bytes, and what reads show of it."""

from __future__ import annotations

import datetime as dt
import email.utils
from typing import Any

from harness.clients import LIBRARIES
from harness.expect import absent, body, header, ok, output, refused
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from harness.wire import model
from scenarios.get import expires, http_date
from scenarios.mpu import nothing_stored, read_back

CONTENT = b"stored with more than its bytes"

CLASSES = "LocalStack test_put_object_storage_class (recorded on AWS)"

EXPIRES = ("Wed, 21 Oct 2037 07:28:00 GMT", "2037-10-21T07:28:00Z", "Wed, 21-Oct-37 07:28:00 GMT")
"""One date in three spellings: as HTTP writes it, as ISO 8601, and as old cookies did."""


@scenario(
    "GET-030",
    SHOULD,
    "GetObject",
    source="LocalStack test_s3_object_expires (recorded on AWS)",
    clients=LIBRARIES,
)
def expires_is_text(s3: Scene) -> None:
    """Expires comes back as the very text that was stored, whichever way the date is written.

    S3 promises: the header belongs to the writer. It is not parsed, not moved to another time zone and not rewritten
    into another form.

    Breaks: caches act on the header as it was meant for them; sync tools compare headers and upload again on every run
    when a gateway has rewritten it.

    Fix: store the value as text, next to Cache-Control, and do not map it to a date type on the way.
    """
    key = s3.key()
    for value in EXPIRES:
        s3.put(key, CONTENT, Expires=value)
        s3.expect(s3.call("GetObject", Key=key), ok(), body(CONTENT), expires(value))
        s3.expect(s3.look("HeadObject", Key=key), ok(), header("Expires", value))


@scenario("GET-031", SHOULD, "GetObject", "HeadObject", source=CLASSES, clients=LIBRARIES)
def storage_class_unless_standard(s3: Scene) -> None:
    """GET and HEAD have x-amz-storage-class for every class but STANDARD, for which the header is absent.

    S3 promises: an object written with STANDARD_IA says so in every read. STANDARD, asked for or by default, is never
    named.

    Breaks: rclone and backup tools tell by the header whether an object still has to change its class; without it they
    copy it again on every run, and lifecycle reports call everything STANDARD.

    Fix: store the class with the object, and leave the header out for STANDARD alone. If only one class is offered,
    refuse the others instead of accepting and forgetting them.
    """
    for name, asked, shown in (
        ("default", {}, absent("StorageClass")),
        ("standard", {"StorageClass": "STANDARD"}, absent("StorageClass")),
        ("rare", {"StorageClass": "STANDARD_IA"}, output("StorageClass", "STANDARD_IA")),
    ):
        key = s3.key(name)
        s3.expect(s3.call("PutObject", Key=key, Body=CONTENT, **asked), ok())
        s3.expect(s3.call("GetObject", Key=key), ok(), body(CONTENT), shown)
        s3.expect(s3.call("HeadObject", Key=key), ok(), shown)


@scenario("GET-032", EXTENDED, "GetObject", source=CLASSES, clients=LIBRARIES)
def archived_object_is_not_read(s3: Scene) -> None:
    """GET of an object in GLACIER or DEEP_ARCHIVE is refused with 403 InvalidObjectState, which names the class.

    S3 promises: an archived object has to be restored before it can be read. Until then GET is 403 with the element
    StorageClass, while HEAD shows its headers.

    Breaks: archive tools ask for a restore when they see this code; sync tools leave such objects out. Where a class
    that archives is accepted and reads go on, costs and waiting times that were planned for do not show in tests.

    Fix: check the class before the body is opened; if archives are not offered, refuse the classes when writing.
    """
    plain = s3.key("plain")
    s3.put(plain, CONTENT)
    s3.expect(s3.call("GetObject", Key=plain), ok(), body(CONTENT))
    for name in ("GLACIER", "DEEP_ARCHIVE"):
        key = s3.key(name.lower())
        s3.put(key, CONTENT, StorageClass=name)
        answer = s3.call("GetObject", Key=key)
        s3.expect(answer, refused(403, "InvalidObjectState", fields={"StorageClass": name}))
        s3.expect(s3.call("HeadObject", Key=key), ok(), output("StorageClass", name))


@scenario(
    "GET-033",
    SHOULD,
    "PutObject",
    source="LocalStack test_put_object_storage_class_outposts (recorded on AWS)",
    clients=LIBRARIES,
)
def unknown_storage_class(s3: Scene) -> None:
    """PutObject with a storage class that the endpoint does not offer is refused with 400 InvalidStorageClass.

    S3 promises: OUTPOSTS outside an outpost, and every name that is none, is 400 with StorageClassRequested; nothing is
    stored.

    Breaks: a mistyped class that is accepted puts a backup where it costs ten times as much, or where it is gone with
    one disk, and nobody is told.

    Fix: hold the header to a list of what is offered, before the body is read.
    """
    key = s3.key()
    for name in ("OUTPOSTS", "NO_SUCH_CLASS"):
        answer = s3.call("PutObject", Key=key, Body=CONTENT, StorageClass=name)
        s3.expect(answer, refused(400, "InvalidStorageClass", fields={"StorageClassRequested": name}))
        nothing_stored(s3, key)
    s3.expect(s3.call("PutObject", Key=key, Body=CONTENT, StorageClass="STANDARD"), ok())
    read_back(s3, key, CONTENT)


@scenario(
    "GET-034",
    SHOULD,
    "GetObject",
    source="LocalStack test_get_object_ignores_request_body (recorded on AWS)",
    clients=("raw",),
)
def body_of_a_get(s3: Scene) -> None:
    """A body that comes along with a GET is ignored: the object is answered, and the connection goes on.

    S3 promises: GET has no use for a body. The answer is 200 with the object, and the bytes of the body are read off
    the connection and dropped.

    Breaks: HTTP libraries that send an empty document or a form with every request. Refused, such clients cannot read
    at all; left on the connection, the body is taken for the beginning of the next request.

    Fix: read as many bytes as Content-Length says whatever the method, and do not give them to anybody.
    """
    key = s3.key()
    s3.put(key, CONTENT)
    target = model.build("GetObject", {"Bucket": s3.bucket, "Key": key}).target
    for sent in (b"<Ignored/>", b"GET / HTTP/1.1\r\n\r\n", b""):
        answer = s3.send("GetObject", "GET", target, bucket=s3.bucket, body=sent)
        s3.expect(answer, ok(), body(CONTENT))
    read_back(s3, key, CONTENT)


@scenario(
    "GET-037",
    SHOULD,
    "GetObject",
    "HeadObject",
    "ListObjectsV2",
    source="LocalStack test_s3_timestamp_precision (recorded on AWS)",
    clients=LIBRARIES,
)
def one_time_of_storing(s3: Scene) -> None:
    """Last-Modified has whole seconds, and agrees to the second with LastModified of the listing.

    S3 promises: one time is kept for an object. GET and HEAD show it as an HTTP date, listings as ISO 8601; cut to
    seconds the two are the same.

    Breaks: `aws s3 sync` and rclone compare the time in the listing with one that they read by HEAD, or kept from it;
    one second of difference, by rounding or by a second clock, and unchanged files are copied again and again.

    Fix: take the time once, when the object becomes visible, cut it to the second, and print that everywhere.
    """
    key = s3.key()
    s3.put(key, CONTENT)
    listed = s3.expect(s3.call("ListObjectsV2", Prefix=key), ok())
    entries: list[dict[str, Any]] = listed.output.get("Contents", [])
    entry = next((entry for entry in entries if entry.get("Key") == key), {})
    shown = _instant(entry.get("LastModified"))
    s3.check(shown is not None, f"{key} in the listing, with a time", f"its entry was {entry!r}", listed)
    for operation in ("GetObject", "HeadObject"):
        answer = s3.expect(s3.call(operation, Key=key), ok(), http_date("Last-Modified"))
        read = email.utils.parsedate_to_datetime((answer.headers or {})["last-modified"])
        s3.check(read == shown, f"Last-Modified {shown}, as in the listing", f"it was {read}", answer)


def _instant(value: Any) -> dt.datetime | None:
    """The time that a listing shows, cut to the second; a date or ISO 8601 text, as the client shows it."""
    try:
        found = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found.replace(microsecond=0) if found.tzinfo else None
