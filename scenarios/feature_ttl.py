"""TTL: objects that expire, as X-Amz-Meta-Object-Expires or X-Minio-Meta-Object-Expires of the upload says."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

from harness.clients import CALLERS
from harness.clients.base import Observed
from harness.expect import body, keys, ok, output_where, refused
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios._features import STORJ, told
from scenarios._signing import ask, path
from scenarios.workflows._steps import files, place

AMZ, MINIO = "x-amz-meta-object-expires", "x-minio-meta-object-expires"
_CONTENT = b"not for long"
_SECTION = f"{STORJ}, Object-level TTL"
_TOO_SLOW = "answers came too late to see the object before its end"
_MARGIN = 0.5
"""Seconds that an endpoint may be late."""
_SHORT = ("+300ms", "+300000us", "+300000µs", "+300000000ns", "+0.3s", "+.3s", "+100ms0.2s", "+0.005m", "+0.00008h")
"""Times to live of 300 ms, in every unit and form; sums of several units among them."""
_LONG = ("+1.5h", "+2h45m", "2099-05-19T00:10:55Z", "2099-05-19T00:10:55.123+02:00", "none", "")
_WRONG = ("2h", "-2h", "+", "+2", "+2d", "+ 2h", "+2h ago", "soon", "NONE", "2099-05-19", "2099-13-19T00:10:55Z")
_INVALID = told(refused(400, "InvalidTTL"), "The TTL you have specified is invalid")


def _expiring(ttl: str) -> dict[str, Any]:
    return {"Body": _CONTENT, "Metadata": {"object-expires": ttl}}


def _put(s3: Scene, name: str, *headers: tuple[str, str]) -> Observed:
    """An upload with exactly these headers."""
    return ask(s3, "PUT", path(s3, name), *headers, body=_CONTENT)


def _gone(s3: Scene, key: str) -> None:
    s3.expect(s3.look("GetObject", Key=key), refused(404, "NoSuchKey"))


def _there(s3: Scene, key: str) -> None:
    s3.expect(s3.look("GetObject", Key=key), ok(), body(_CONTENT))


def _outlive(s3: Scene, seconds: float) -> None:
    """Wait until what was stored just now, with so many seconds to live, must be gone."""
    s3.wait(seconds + _MARGIN)


@scenario("TTL-001", MUST, "PutObject", source=_SECTION, clients=CALLERS, feature="object-expires")
def object_expires(s3: Scene) -> None:
    """An object stored with Object-Expires is read until then, and afterwards is 404 NoSuchKey and not listed.

    The gateway promises: the metadata `object-expires` of an upload says when the object is to be deleted: +DURATION
    from now on. Until then it is an object like any other.

    Breaks: uploads of what must not be kept: those who asked for the end of their data pay for it, and others read it.

    Fix: keep the end beside the object, and leave out what is over from every read and listing.
    """
    key, seconds = s3.key(), 3.0
    begun = time.monotonic()
    answer = s3.call("PutObject", Key=key, **_expiring(f"+{seconds:g}s"))
    s3.expect(answer, ok())
    found, listed = s3.look("GetObject", Key=key), s3.look("ListObjectsV2", Prefix=key)
    if time.monotonic() - begun < seconds:
        s3.expect(found, ok(), body(_CONTENT))
        s3.expect(listed, ok(), keys([key]))
    else:
        s3.note(_TOO_SLOW)
    _outlive(s3, seconds)
    s3.expect(s3.call("GetObject", Key=key), refused(404, "NoSuchKey"))
    s3.expect(s3.look("HeadObject", Key=key), refused(404))
    s3.expect(s3.look("ListObjectsV2", Prefix=key), ok(), keys([]))


@scenario("TTL-002", MUST, "PutObject", source=_SECTION, clients=("raw",), feature="object-expires")
def grammar(s3: Scene) -> None:
    """Durations are sums of decimals with ns, us, µs, ms, s, m or h behind a plus sign; RFC 3339 times work as well.

    The gateway promises: `+300ms`, `+1.5h`, `+2h45m`, a time as RFC 3339 writes it, and `none` or nothing for no end.

    Breaks: programs that were written after its documentation: an object that outlives its time, or dies before.

    Fix: parse durations as Go does, with the sign in front, and times with zone and fractions of a second.
    """
    short = {s3.key(f"short-{number}"): ttl for number, ttl in enumerate(_SHORT)}
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=3)  # between two and three, since fractions are left out
    short[s3.key("date")] = soon.strftime("%Y-%m-%dT%H:%M:%SZ")
    long = {s3.key(f"long-{number}"): ttl for number, ttl in enumerate(_LONG)}
    for key, ttl in (short | long).items():
        s3.expect(_put(s3, key.removeprefix(s3.prefix), (AMZ, ttl)), ok())
    plain = s3.key("without")
    s3.expect(s3.call("PutObject", Key=plain, Body=_CONTENT), ok())
    _outlive(s3, 3)
    listed = s3.expect(s3.look("ListObjectsV2", Prefix=s3.prefix), ok())
    s3.check({*listed.keys} == {*long, plain}, f"keys {[*long, plain]}", f"keys were {listed.keys}", listed)
    for key in short:
        _gone(s3, key)
    for key in (*long, plain):
        _there(s3, key)


@scenario(
    "TTL-003",
    MUST,
    "PutObject",
    "CreateMultipartUpload",
    source="storj/gateway-st, miniogw; storj/minio, cmd/api-errors.go",
    clients=("raw", "boto3", "jssdk"),
    feature="object-expires",
)
def invalid_ttl(s3: Scene) -> None:
    """Any other value is refused with 400 InvalidTTL "The TTL you have specified is invalid.", and nothing is stored.

    The gateway promises: a time to live that it cannot read is an error. A duration without its sign is one, so are
    days, and dates without a time.

    Breaks: whoever misspells an end would keep for ever what was to be deleted, and learn of it too late.

    Fix: parse strictly, before the body is read.
    """
    for ttl in _WRONG:
        answer = s3.call("PutObject", Key=s3.key(), **_expiring(ttl))
        s3.expect(answer, _INVALID)
        _gone(s3, s3.key())
    begun = s3.call("CreateMultipartUpload", Key=s3.key(), Metadata={"object-expires": _WRONG[0]})
    s3.expect(begun, _INVALID)


@scenario("TTL-004", MUST, "PutObject", source=f"{_SECTION}, Caveats", clients=("raw",), feature="object-expires")
def which_header_counts(s3: Scene) -> None:
    """X-Minio-Meta-Object-Expires works as well, and X-Amz-Meta-Object-Expires counts where both are sent.

    The gateway promises: two names for one thing, the second one for clients of MinIO, and which one wins.

    Breaks: clients that send both, to be understood by either: objects would end at another time than they say.

    Fix: read X-Amz-Meta-Object-Expires, and the other one only where the first is not there.
    """
    cases: dict[str, tuple[tuple[str, str], ...]] = {
        "minio": ((MINIO, "+300ms"),),
        "amz-sooner": ((MINIO, "+2h"), (AMZ, "+300ms")),
        "amz-later": ((AMZ, "+2h"), (MINIO, "+300ms")),
        "amz-none": ((MINIO, "+300ms"), (AMZ, "none")),
    }
    for name, headers in cases.items():
        s3.expect(_put(s3, name, *headers), ok())
    _outlive(s3, 0.3)
    for name in ("minio", "amz-sooner"):
        _gone(s3, s3.key(name))
    for name in ("amz-later", "amz-none"):
        _there(s3, s3.key(name))
    s3.expect(_put(s3, "wrong", (MINIO, "2h")), _INVALID)


@scenario(
    "TTL-005",
    SHOULD,
    "CreateMultipartUpload",
    "CompleteMultipartUpload",
    source="storj/gateway-st, miniogw, multipart uploads; the documentation speaks of objects alone",
    clients=("raw", "boto3", "jssdk"),
    confidence="partly unverified",
    feature="object-expires",
)
def upload_expires(s3: Scene) -> None:
    """An object completed from parts expires when CreateMultipartUpload said so, counted from that request on.

    The gateway promises: the header is one of the upload's first request, as all metadata is.

    Breaks: large files, which programs upload in parts without being asked to.

    Fix: keep the end with the upload, and give it to the object.
    """
    key, seconds = s3.key(), 3.0
    created = s3.call("CreateMultipartUpload", Key=key, Metadata={"object-expires": f"+{seconds:g}s"})
    begun = time.monotonic()
    s3.expect(created, ok(), output_where("UploadId", "an id", bool))
    upload = {"Key": key, "UploadId": created.output["UploadId"]}
    part = s3.expect(s3.call("UploadPart", **upload, PartNumber=1, Body=_CONTENT), ok())
    parts = {"Parts": [{"PartNumber": 1, "ETag": part.etag or ""}]}
    s3.expect(s3.call("CompleteMultipartUpload", **upload, MultipartUpload=parts), ok())
    found = s3.look("GetObject", Key=key)
    if time.monotonic() - begun < seconds - 1:  # it begins to count before the first request is answered
        s3.expect(found, ok(), body(_CONTENT))
    else:
        s3.note(_TOO_SLOW)
    _outlive(s3, seconds)
    _gone(s3, key)


@scenario(
    "TTL-006",
    SHOULD,
    "PutObject",
    source=f"{_SECTION}, AWS CLI example",
    clients=("awscli",),
    feature="object-expires",
)
def cp_with_an_end(s3: Scene) -> None:
    """`aws s3 cp --metadata Object-Expires=+2s` uploads a file, says so, and the object is gone after that time.

    The gateway promises: the metadata of any client is enough, since the AWS CLI puts X-Amz-Meta- before the name.

    Breaks: scripts that use the command as its documentation shows it.

    Fix: read the name whatever its letter case.
    """
    folder = files(s3, {"file": _CONTENT})
    run = s3.program("s3", "cp", str(folder / "file"), place(s3, "object"), "--metadata", "Object-Expires=+2s")
    s3.expect(run, ok())
    s3.check("upload: " in run.stdout, "it prints `upload: FILE to s3://…`", f"it printed {run.stdout!r}", run)
    _outlive(s3, 2)
    _gone(s3, s3.key("object"))
