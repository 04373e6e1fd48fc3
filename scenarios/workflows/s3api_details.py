"""`aws s3api` on what belongs to an object beside its bytes: tags and access control lists."""

from __future__ import annotations

import json

from harness.clients.base import Observed
from harness.expect import Matcher, ok, one_of
from harness.scenario import EXTENDED, scenario
from harness.scene import Scene
from scenarios.workflows._s3api import SOURCE, api, at, done, file, is_whole, rejected

CONTENT = b"bytes that no tag and no grant may change"
TAGS = [{"Key": "team", "Value": "blue + green"}, {"Key": "year", "Value": "2026"}]


def _tags(wanted: list[dict[str, str]]) -> Matcher:
    """Exactly these tags, in any order, as S3 gives them."""

    def test(seen: Observed) -> str:
        found = seen.output.get("TagSet", [])
        same = sorted(map(str, found)) == sorted(map(str, wanted))
        return "" if same else f"TagSet was {found}"

    return Matcher(f"TagSet {wanted}", test)


@scenario(
    "S3API-020",
    EXTENDED,
    "PutObjectTagging",
    "GetObjectTagging",
    "DeleteObjectTagging",
    "PutObject",
    source=SOURCE.format("put-object-tagging, get-object-tagging and delete-object-tagging"),
    clients=("awscli",),
)
def tagging(s3: Scene) -> None:
    """`aws s3api put-object-tagging` sets tags that `get-object-tagging` prints until `delete-object-tagging`.

    S3 promises: tags are replaced as a whole, read back as set, and removed without touching the object.

    Breaks: lifecycle rules and access by tag; worse, gateways that ignore ?tagging overwrite the object with the
    document, or delete the object with its tags.

    Fix: route by the query before the method; a gateway without tags answers 501 to all three.
    """
    key = s3.key("tagged")
    place = at(s3.bucket, key)
    options = ["--body", file(s3, CONTENT), "--tagging", "first=1"]
    s3.expect(api(s3, "put-object", *place, *options), done())
    s3.expect(s3.look("GetObjectTagging", Key=key), ok(), _tags([{"Key": "first", "Value": "1"}]))
    put = api(s3, "put-object-tagging", *place, "--tagging", json.dumps({"TagSet": TAGS}))
    is_whole(s3, key, CONTENT)
    s3.expect(put, done())
    s3.expect(api(s3, "get-object-tagging", *place), done(), _tags(TAGS))
    delete = api(s3, "delete-object-tagging", *place)
    is_whole(s3, key, CONTENT)
    s3.expect(delete, done())
    s3.expect(s3.look("GetObjectTagging", Key=key), ok(), _tags([]))


@scenario(
    "S3API-021",
    EXTENDED,
    "GetObjectAcl",
    "GetBucketAcl",
    "PutObjectAcl",
    source=SOURCE.format("get-object-acl, get-bucket-acl and put-object-acl"),
    clients=("awscli",),
)
def acl(s3: Scene) -> None:
    """`aws s3api get-object-acl` and `get-bucket-acl` show the owner with FULL_CONTROL; `put-object-acl` keeps both.

    S3 promises: the owner of an object is named and may do all. Setting the ACL to private, which it is, succeeds,
    or is refused with AccessControlListNotSupported where ACLs are switched off, as they are in new buckets.

    Breaks: s3cmd and migration tools, which copy ACLs with objects; a gateway that ignores ?acl overwrites the
    object with the document.

    Fix: show the owner even where there are no ACLs, and refuse changes with 400 AccessControlListNotSupported or
    501 NotImplemented.
    """
    key = s3.key("private")
    s3.put(key, CONTENT)
    place = at(s3.bucket, key)
    for command, where in (("get-object-acl", place), ("get-bucket-acl", at(s3.bucket))):
        s3.expect(api(s3, command, *where), done(), _full_control())
    change = api(s3, "put-object-acl", *place, "--acl", "private")
    is_whole(s3, key, CONTENT)
    off = one_of(rejected(400, "AccessControlListNotSupported"), rejected(501, "NotImplemented"))
    s3.expect(change, one_of(done(), off))
    s3.expect(s3.look("GetObjectAcl", Key=key), ok(), _full_control())


def _full_control() -> Matcher:
    """The owner is named, and has FULL_CONTROL."""

    def test(seen: Observed) -> str:
        owner, grants = seen.output.get("Owner", {}).get("ID"), seen.output.get("Grants", [])
        held = [grant.get("Permission") for grant in grants if grant.get("Grantee", {}).get("ID") == owner]
        return "" if owner and "FULL_CONTROL" in held else f"Owner was {owner!r}, its grants {held} of {grants}"

    return Matcher("an Owner with a grant of FULL_CONTROL", test)
