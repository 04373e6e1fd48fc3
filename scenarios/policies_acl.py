"""POL: access control lists of buckets and objects."""

from __future__ import annotations

from xml.sax.saxutils import escape

from harness.clients import LIBRARIES
from harness.clients.base import Observed
from harness.expect import Matcher, ok, refused
from harness.sandbox import creation
from harness.scenario import EXTENDED, scenario
from harness.scene import Scene
from scenarios.bkt import is_missing, is_there
from scenarios.etag import content_md5

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_NOBODY = "0123456789abcdef" * 4
"""A canonical user id that nobody has."""
_NO_GROUP = "http://acs.amazonaws.com/groups/global/NoSuchGroup"


def _with_acls(s3: Scene) -> str:
    """A new bucket in which ACLs count: on AWS that must be asked for, other endpoints may know nothing else."""
    bucket = s3.new_bucket()
    rules = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    s3.look("PutBucketOwnershipControls", Bucket=bucket, OwnershipControls=rules)
    return bucket


def _owner(s3: Scene, bucket: str) -> str:
    """The canonical id of the bucket's owner, as its ACL tells."""
    acl = s3.look("GetBucketAcl", Bucket=bucket)
    found = str((acl.output.get("Owner") or {}).get("ID") or "")
    s3.check(bool(found), "GetBucketAcl: an Owner with an ID", f"got {acl.summary()} without it", acl)
    return found


def _owner_alone() -> Matcher:
    """An Owner, and one grant: FULL_CONTROL for that owner."""

    def test(seen: Observed) -> str:
        if not seen.ok:
            return f"got {seen.summary()}"
        owner = (seen.output.get("Owner") or {}).get("ID")
        grants = [
            ((grant.get("Grantee") or {}).get("ID"), grant.get("Permission")) for grant in seen.output.get("Grants", [])
        ]
        return "" if owner and grants == [(owner, "FULL_CONTROL")] else f"owner was {owner!r}, grants were {grants!r}"

    return Matcher("an Owner, and FULL_CONTROL for the owner as the only grant", test)


def _document(owner: str, *grants: str) -> bytes:
    return (
        f"<AccessControlPolicy><Owner><ID>{escape(owner)}</ID></Owner><AccessControlList>{''.join(grants)}"
        "</AccessControlList></AccessControlPolicy>"
    ).encode()


def _grant(kind: str, member: str, value: str, permission: str = "READ") -> str:
    return (
        f'<Grant><Grantee xmlns:xsi="{_XSI}" xsi:type="{kind}"><{member}>{escape(value)}</{member}></Grantee>'
        f"<Permission>{permission}</Permission></Grant>"
    )


def _put_document(s3: Scene, bucket: str, document: bytes) -> Observed:
    digest = ("Content-MD5", content_md5(document))
    return s3.send("PutBucketAcl", "PUT", f"/{bucket}?acl", digest, body=document, bucket=bucket)


@scenario(
    "POL-004",
    EXTENDED,
    "PutBucketAcl",
    "PutObjectAcl",
    source="LocalStack test_s3_bucket_acl_exceptions (recorded on AWS); versitygw REST invalid canned acl",
    clients=LIBRARIES,
)
def unknown_canned_acl(s3: Scene) -> None:
    """An unknown canned ACL is refused with 400 InvalidArgument, ArgumentName x-amz-acl.

    S3 promises: x-amz-acl takes the names that S3 knows, such as private. Another word is 400 InvalidArgument that
    names the header, for buckets and objects alike.

    Breaks: only strict validation; a typing error that is taken for private, or for nothing, shows when a page
    cannot be read.

    Fix: compare with the list of names, and refuse the rest before anything is changed.
    """
    bucket = _with_acls(s3)
    s3.put("object", Bucket=bucket)
    for operation, target in (("PutBucketAcl", {}), ("PutObjectAcl", {"Key": "object"})):
        s3.expect(s3.call(operation, Bucket=bucket, **target, ACL="private"), ok())
        answer = s3.call(operation, Bucket=bucket, **target, ACL="no-such-acl")
        s3.expect(answer, refused(400, "InvalidArgument", fields={"ArgumentName": "x-amz-acl"}))
    s3.expect(s3.look("GetBucketAcl", Bucket=bucket), _owner_alone())


@scenario(
    "POL-005",
    EXTENDED,
    "PutBucketAcl",
    source="LocalStack test_s3_bucket_acl_exceptions (recorded on AWS)",
    clients=("raw",),
)
def several_forms_of_acl(s3: Scene) -> None:
    """A canned ACL together with grant headers is 400 InvalidRequest, together with a body 400 UnexpectedContent.

    S3 promises: an ACL is asked for in one of three forms: canned, grant headers, or a document. Two at once are
    refused, each pair in its own way, and nothing is changed.

    Breaks: only strict validation; where one form silently wins, a bucket may be opened wider than its owner
    believes.

    Fix: count the forms before reading any of them.
    """
    bucket = _with_acls(s3)
    owner = _owner(s3, bucket)
    grant = ("x-amz-grant-read", f'id="{owner}"')
    canned, target = ("x-amz-acl", "private"), f"/{bucket}?acl"
    document = _document(owner, _grant("CanonicalUser", "ID", owner, "FULL_CONTROL"))
    digest = ("Content-MD5", content_md5(document))
    s3.expect(s3.send("PutBucketAcl", "PUT", target, canned, bucket=bucket), ok())
    s3.expect(s3.send("PutBucketAcl", "PUT", target, canned, grant, bucket=bucket), refused(400, "InvalidRequest"))
    answer = s3.send("PutBucketAcl", "PUT", target, canned, digest, body=document, bucket=bucket)
    s3.expect(answer, refused(400, "UnexpectedContent"))
    s3.expect(s3.look("GetBucketAcl", Bucket=bucket), _owner_alone())


@scenario(
    "POL-006",
    EXTENDED,
    "PutBucketAcl",
    source="LocalStack test_s3_bucket_acl_exceptions (recorded on AWS)",
    clients=("raw",),
)
def wrong_acl_document(s3: Scene) -> None:
    """An ACL document that breaks the schema is 400 MalformedACLError, one for an unknown grantee 400 InvalidArgument.

    S3 promises: a document without Owner or list of grants, or with a permission that does not exist, is
    MalformedACLError. A canonical id that nobody has, or a group that does not exist, is InvalidArgument. The ACL
    that was there stays.

    Breaks: only strict validation; a grant for nobody, stored without complaint, is access that somebody waits for
    in vain.

    Fix: check the document against the schema first, then each grantee.
    """
    bucket = _with_acls(s3)
    owner = _owner(s3, bucket)
    own = _grant("CanonicalUser", "ID", owner, "FULL_CONTROL")
    s3.expect(_put_document(s3, bucket, _document(owner, own)), ok())
    ownerless = f"<AccessControlPolicy><AccessControlList>{own}</AccessControlList></AccessControlPolicy>".encode()
    cases = (
        (ownerless, "MalformedACLError"),
        (_document(owner, _grant("CanonicalUser", "ID", owner, "READWRITE")), "MalformedACLError"),
        (_document(owner, _grant("CanonicalUser", "ID", _NOBODY)), "InvalidArgument"),
        (_document(owner, _grant("Group", "URI", _NO_GROUP)), "InvalidArgument"),
    )
    for document, code in cases:
        s3.expect(_put_document(s3, bucket, document), refused(400, code))
    s3.expect(s3.look("GetBucketAcl", Bucket=bucket), _owner_alone())


@scenario(
    "POL-007",
    EXTENDED,
    "GetBucketAcl",
    "GetObjectAcl",
    source="LocalStack test_s3_bucket_acl and test_s3_object_acl (recorded on AWS)",
)
def default_acl(s3: Scene) -> None:
    """The ACL of a new bucket or object names its owner and grants FULL_CONTROL to that owner alone.

    S3 promises: GetBucketAcl and GetObjectAcl answer with Owner and one grant, FULL_CONTROL for the id of the owner,
    also where ACLs are disabled.

    Breaks: rclone and s3cmd show it, security scanners judge by it, and `aws s3api get-bucket-acl` is how users
    find their canonical id. Where ?acl is not read, the answer is a listing or the object.

    Fix: derive the document from the owner where no ACL was ever set; do not leave the list of grants empty.
    """
    bucket = s3.new_bucket()
    s3.put("object", Bucket=bucket)
    s3.expect(s3.call("GetBucketAcl", Bucket=bucket), ok(), _owner_alone())
    s3.expect(s3.call("GetObjectAcl", Bucket=bucket, Key="object"), ok(), _owner_alone())


@scenario(
    "POL-008",
    EXTENDED,
    "PutBucketAcl",
    "PutObjectAcl",
    source="AWS documentation, Error responses",
    clients=LIBRARIES,
)
def acls_disabled(s3: Scene) -> None:
    """While a bucket has the ownership BucketOwnerEnforced, ACL writes are 400 AccessControlListNotSupported.

    S3 promises: new buckets have ACLs disabled. PutBucketAcl and PutObjectAcl then fail with that code. With the
    ownership ObjectWriter the same requests succeed.

    Breaks: deployment scripts that set ACLs know this code and go on with policies; where the write seems to succeed
    without effect, they believe that an object was published, or closed.

    Fix: look at the ownership controls before any ACL write, and refuse instead of ignoring.
    """
    bucket = s3.new_bucket()
    s3.put("object", Bucket=bucket)
    grant = {"GrantFullControl": f'id="{_owner(s3, bucket)}"'}
    targets: tuple[tuple[str, dict[str, str]], ...] = (("PutBucketAcl", {}), ("PutObjectAcl", {"Key": "object"}))
    for operation, target in targets:
        answer = s3.call(operation, Bucket=bucket, **target, **grant)
        s3.expect(answer, refused(400, "AccessControlListNotSupported"))
    writer = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    s3.expect(s3.call("PutBucketOwnershipControls", Bucket=bucket, OwnershipControls=writer), ok())
    for operation, target in targets:
        s3.expect(s3.call(operation, Bucket=bucket, **target, **grant), ok())


@scenario(
    "POL-009",
    EXTENDED,
    "CreateBucket",
    source="versitygw REST CreateBucket, x-amz-grant-full-control, no ownership control change; AWS documentation, "
    "Error responses",
    clients=LIBRARIES,
)
def acl_of_new_bucket(s3: Scene) -> None:
    """CreateBucket with a grant and BucketOwnerEnforced is 400 InvalidBucketAclWithObjectOwnership, and makes nothing.

    S3 promises: an ACL for a bucket that will have ACLs disabled, by default or as asked, contradicts itself and is
    refused. With the ownership ObjectWriter the bucket is made.

    Breaks: older scripts that create buckets with grants. They are told to ask for another ownership; where the
    grant is dropped silently, those it was for find themselves locked out.

    Fix: check ACL headers against x-amz-object-ownership, or its default, before creating the bucket.
    """
    own = {"GrantFullControl": f'id="{_owner(s3, s3.bucket)}"'}
    bucket = s3.bucket_name()
    create = creation(bucket, s3.witness.region) | own
    for ownership in ({}, {"ObjectOwnership": "BucketOwnerEnforced"}):
        s3.expect(s3.call("CreateBucket", **create, **ownership), refused(400, "InvalidBucketAclWithObjectOwnership"))
        is_missing(s3, bucket)
    s3.expect(s3.call("CreateBucket", **create, ObjectOwnership="ObjectWriter"), ok())
    is_there(s3, bucket)
