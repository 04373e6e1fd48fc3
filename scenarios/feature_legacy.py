"""LEGACY: objects that are older than the ETags of their gateway. The run is told of one, and only ever reads it."""

from __future__ import annotations

from harness.clients import LIBRARIES
from harness.expect import absent, body, keys, ok
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from harness.signals import Inexpressible
from harness.wire.sigv4 import encode
from scenarios import _cids
from scenarios._features import AUTO_DRIVE, cid
from scenarios.feature_buckets import DEFAULT

_TRANSFORMS = ("compression", "encryption")


def _named(s3: Scene) -> dict[str, str]:
    """Bucket and key of the object, for calls that read; no request can make another one, so none may write to it.

    Raises:
        Inexpressible: nobody said where one is.
    """
    name = s3.witness.endpoint.legacy
    if not name:
        raise Inexpressible("needs an object from before there were ETags (S3CONFORM_LEGACY_OBJECT)")
    bucket, _, key = name.partition("/")
    return {"Bucket": bucket, "Key": key}


@scenario(
    "LEGACY-001",
    MUST,
    "GetObject",
    source=f"{AUTO_DRIVE}, MD5 ETags and CID, Migration note",
    clients=LIBRARIES,
    confidence="partly unverified",
    feature="legacy-objects",
)
def read_without_etag(s3: Scene) -> None:
    """GetObject of an object that was stored before there were MD5s has no ETag, and its bytes are those of its CID.

    The gateway promises: no MD5 is known of such an object, so that the header ETag is left out, rather than made up.
    The identifier of its content is always there, and says what the bytes must be.

    Breaks: clients that compare the ETag with the MD5 of what came: an identifier in its place looks like damage.

    Fix: leave the ETag out where no MD5 is stored; go on to send x-amz-meta-cid.
    """
    place = _named(s3)
    answer = s3.call("GetObject", **place)
    s3.expect(answer, ok(), absent("ETag"))
    seen = s3.look("GetObject", **place)
    named = cid(s3, seen)
    s3.expect(answer, body(seen.body or b""))
    if any(f"x-amz-meta-{name}" in (seen.headers or {}) for name in _TRANSFORMS):
        raise Inexpressible("needs an object that no client compressed or encrypted, see CID-006")
    try:
        found = _cids.of(seen.body or b"")
    except ValueError as error:
        raise Inexpressible(f"needs an object whose identifier can be computed: {error}") from None
    s3.check(found == named, f"the bytes of {named}", f"they are those of {found}", seen)


@scenario(
    "LEGACY-002",
    MUST,
    "HeadObject",
    source=f"{AUTO_DRIVE}, MD5 ETags and CID, Migration note",
    clients=LIBRARIES,
    feature="legacy-objects",
)
def described_without_etag(s3: Scene) -> None:
    """HeadObject of an object that was stored before there were MD5s has no ETag, and names the CID that GET names.

    The gateway promises: HEAD and GET say the same, and neither has an ETag until the object is stored again.

    Breaks: rclone and other tools that compare by ETag, which take a missing one for "not known" and any other text
    for a difference.

    Fix: let HEAD run through the code of GET.
    """
    place = _named(s3)
    described = s3.call("HeadObject", **place)
    s3.expect(described, ok(), absent("ETag"))
    named, shown = cid(s3, s3.look("GetObject", **place)), cid(s3, described)
    s3.check(shown == named, f"the identifier {named}", f"it is {shown}", described)


@scenario(
    "LEGACY-003",
    MUST,
    "ListObjectsV2",
    source=f"{AUTO_DRIVE}, MD5 ETags and CID",
    clients=LIBRARIES,
    feature="legacy-objects",
)
def listed_with_its_cid(s3: Scene) -> None:
    """ListObjectsV2 shows the CID, in double quotes, as the ETag of an object that was stored before there were MD5s.

    The gateway promises: an entry of a listing always has an ETag, which for such an object is the identifier that
    HeadObject names in x-amz-meta-cid.

    Breaks: sync tools that need some ETag of every entry to see a change.

    Fix: fall back to the identifier in listings alone, and put it in quotes like any ETag.
    """
    place = _named(s3)
    listed = s3.call("ListObjectsV2", Bucket=place["Bucket"], Prefix=place["Key"], MaxKeys=1)
    s3.expect(listed, ok(), keys([place["Key"]]))
    wanted = f'"{cid(s3, s3.look("HeadObject", **place))}"'
    shown = listed.output["Contents"][0].get("ETag")
    s3.check(shown == wanted, f"ETag {wanted}", f"it is {shown}", listed)


@scenario(
    "LEGACY-004",
    SHOULD,
    "GetObject",
    "HeadObject",
    source=f"{AUTO_DRIVE}, Buckets",
    clients=("raw",),
    feature="legacy-objects",
)
def moved_into_the_default_bucket(s3: Scene) -> None:
    """A key of one segment from before there were buckets is read as it was then, and in the bucket `default` alike.

    The gateway promises: what was stored under such a key is in the bucket `default` by now, and the path of one
    segment goes on to lead to it: same bytes, same identifier.

    Breaks: links and programs from before there were buckets.

    Fix: take `default` for the bucket of every path without a slash, and move what was stored there.
    """
    place = _named(s3)
    if place["Bucket"] != DEFAULT or "/" in place["Key"]:
        raise Inexpressible(f"needs an object from before there were buckets: S3CONFORM_LEGACY_OBJECT={DEFAULT}/KEY")
    moved = s3.look("GetObject", **place)
    named = cid(s3, moved)
    for operation, method in (("GetObject", "GET"), ("HeadObject", "HEAD")):
        before = s3.send(operation, method, f"/{encode(place['Key'])}")
        s3.check(cid(s3, before) == named, f"{operation}: {named}", f"it is {cid(s3, before)}", before)
        if method == "GET":
            s3.expect(before, body(moved.body or b""))
