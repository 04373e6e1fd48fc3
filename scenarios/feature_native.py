"""NATIVE: what AIStore has beside S3 that shows in its answers to S3 clients: a path, a setting, a header."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from harness.clients.base import Observed
from harness.expect import Matcher, body, etag, keys, ok
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from harness.signals import Inexpressible
from scenarios._features import AISTORE
from scenarios._signing import CONTENT, follow, is_stored, link, path
from scenarios.etag import md5_etag

_ROOT = "/s3"
_STYLE = "ais-s3-signed-request-style"


def _all_paths(s3: Scene) -> None:
    """Requests reach every path of the gateway.

    Raises:
        Inexpressible: the endpoint is below one of them.
    """
    if urlsplit(s3.witness.endpoint.url).path.strip("/"):
        raise Inexpressible("needs an endpoint without a path, below which the gateway's other paths cannot be reached")


@scenario(
    "NATIVE-001",
    SHOULD,
    "PutObject",
    "GetObject",
    "ListObjectsV2",
    source=f"{AISTORE}, docs/s3compat.md, Front-end compatibility; docs/feature_flags.md",
    clients=("raw",),
    feature="native-api",
)
def two_roots(s3: Scene) -> None:
    """S3 is spoken below the path /s3 and at the root alike: both name the same buckets and objects.

    The gateway promises: /s3 is always there, the root where its feature S3-API-via-Root is on.

    Breaks: clients that cannot have a path in their endpoint, and those that were told to have one.

    Fix: take the path away before bucket and key are read.
    """
    _all_paths(s3)
    target = path(s3)
    s3.expect(s3.send("PutObject", "PUT", _ROOT + target, body=CONTENT), ok())
    is_stored(s3, target)
    for place in (target, _ROOT + target):
        s3.expect(s3.send("GetObject", "GET", place), ok(), body(CONTENT))
    listed = s3.send("ListObjectsV2", "GET", f"{_ROOT}/{s3.bucket}?list-type=2&prefix={s3.key()}")
    s3.expect(listed, ok(), keys([s3.key()]))


@scenario(
    "NATIVE-002",
    MUST,
    "PutObject",
    "HeadObject",
    "ListObjectsV2",
    source=f"{AISTORE}, docs/s3compat.md, Checksum considerations",
    clients=("raw",),
    feature="native-api",
)
def md5_where_asked_for(s3: Scene) -> None:
    """Once the native API has set the checksum of a bucket to md5, ETags of what is stored there are MD5, else not.

    The gateway promises: its own checksum is xxhash, which S3 clients cannot verify; with checksum.type=md5 in the
    properties of the bucket the ETag of a new object is the quoted MD5 of its bytes, in PUT, HEAD and listings.

    Breaks: s3cmd and rclone, which warn of, or refuse, every object whose ETag is not its MD5.

    Fix: compute the checksum that the bucket names, and give it as the ETag.
    """
    _all_paths(s3)
    bucket, wanted = s3.new_bucket(), md5_etag(CONTENT)
    plain = s3.call("PutObject", Bucket=bucket, Key="plain", Body=CONTENT)
    s3.expect(plain, ok())
    s3.check(plain.etag != wanted, "an ETag that is not the MD5", f"ETag was {plain.etag}", plain)
    setting = json.dumps({"action": "set-bprops", "value": {"checksum": {"type": "md5"}}}).encode()
    json_type = ("Content-Type", "application/json")
    s3.expect(s3.send("PATCH", "PATCH", f"/v1/buckets/{bucket}", json_type, body=setting, signing=None), ok())
    entry = {"Bucket": bucket, "Key": "verified"}
    s3.expect(s3.call("PutObject", **entry, Body=CONTENT), ok(), etag(wanted))
    s3.expect(s3.look("HeadObject", **entry), ok(), etag(wanted))
    listed = s3.look("ListObjectsV2", Bucket=bucket, Prefix="verified")
    s3.expect(listed, ok(), keys(["verified"]))
    shown = listed.output["Contents"][0].get("ETag")
    s3.check(shown == wanted, f"ListObjectsV2: ETag {wanted}", f"it is {shown}", listed)


@scenario(
    "NATIVE-003",
    SHOULD,
    "GetObject",
    source=f"{AISTORE}, docs/s3compat.md, Presigned S3 requests and FAQ; ais/s3/presigned.go",
    clients=("raw",),
    feature="native-api",
)
def style_of_presigned_urls(s3: Scene) -> None:
    """A presigned request may say in a header which style its URL has; a style that is none is refused with 400.

    The gateway promises: ais-s3-signed-request-style is `path` or `virtual-hosted`, and any other value is answered
    with "unrecognized request style provided".

    Breaks: users of presigned URLs in path style, which need the header where another store is behind the gateway.

    Fix: read the header of presigned requests alone, before the object is looked for.
    """
    s3.put(s3.key(), CONTENT)
    url = link(s3, "GET", path(s3))
    for style in ("path", "virtual-hosted"):
        s3.expect(follow(s3, "GET", url, (_STYLE, style)), ok(), body(CONTENT))
    s3.expect(follow(s3, "GET", url), ok(), body(CONTENT))
    s3.expect(follow(s3, "GET", url, (_STYLE, "sideways")), _unrecognized("sideways"))


def _unrecognized(style: str) -> Matcher:
    """400 that repeats the style; the gateway names no code of S3's."""
    text = f"unrecognized request style provided: {style}"

    def test(seen: Observed) -> str:
        if seen.status != 400:
            return f"got {seen.summary()}"
        return "" if text in seen.message else f"the message was {seen.message!r}"

    return Matcher(f"status 400 with the message {text!r}", test)
