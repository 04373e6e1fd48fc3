"""Service and bucket operations. Source: catalogue LBKT and BKT."""

from __future__ import annotations

from typing import Any

from reference_server import access
from reference_server.call import Call, Handler, Result, check_bucket_name
from reference_server.errors import S3Error, invalid_argument
from reference_server.listing import make_token, read_token
from reference_server.model import regions
from reference_server.rules import acl, public_access, tags

_PAGE = 10_000


def list_buckets(call: Call) -> Result:
    """ListBuckets: the account's own buckets by name."""
    members = call.members
    if call.account.anonymous:
        raise S3Error("AccessDenied")
    limit = members.get("MaxBuckets")
    if limit is not None and not 1 <= limit <= _PAGE:
        message = f"Argument max-buckets must be an integer between 1 and {_PAGE}"
        raise invalid_argument("max-buckets", str(limit), message)
    region = members.get("BucketRegion")
    if region is not None and region not in regions():
        message = f"Argument value {region} is not a valid AWS Region"
        raise invalid_argument("bucket-region", region, message)
    prefix, token = members.get("Prefix"), members.get("ContinuationToken")
    after = read_token(token).decode() if token else ""
    found = [
        bucket
        for bucket in call.store.buckets(call.account.id)
        if bucket.name > after and bucket.name.startswith(prefix or "") and region in (None, call.endpoint.region)
    ]
    page = found[: limit or _PAGE]
    filtered = any(value is not None for value in (limit, region, prefix, token))
    entries: list[dict[str, Any]] = [{"Name": bucket.name, "CreationDate": bucket.created} for bucket in page]
    if filtered:
        for entry in entries:
            entry["BucketRegion"] = call.endpoint.region
    output: dict[str, Any] = {"Owner": {"ID": call.account.id}, "Buckets": entries, "Prefix": prefix}
    if len(found) > len(page):
        output["ContinuationToken"] = make_token(page[-1].name.encode())
    return Result(output)


def create_bucket(call: Call) -> Result:
    """CreateBucket; one's own bucket again is 200 in us-east-1 and 409 elsewhere (BKT-003, BKT-004)."""
    name = call.request.bucket or ""
    check_bucket_name(name)
    if call.account.anonymous:
        raise S3Error("AccessDenied")
    body = call.payload().document()
    configuration = call.endpoint.codec.parse_document(call.operation, body) if body else {}
    if any(configuration.get(member) for member in ("Bucket", "Location")):
        raise S3Error("NotImplemented", "Directory buckets are not implemented by this server.")
    _check_location(configuration.get("LocationConstraint"), call.endpoint.region)
    settings = _first_settings(call, configuration)
    bucket, created = call.store.create_bucket(name, call.account.id, settings)
    if not created and bucket.owner != call.account.id:
        raise S3Error("BucketAlreadyExists", None, {"BucketName": name})
    if not created and (call.endpoint.region != "us-east-1" or configuration.get("Tags")):
        raise S3Error("BucketAlreadyOwnedByYou", None, {"BucketName": name})
    return Result({"Location": f"/{name}"})


def _first_settings(call: Call, configuration: dict[str, Any]) -> dict[str, Any]:
    """What a new bucket is configured with: by default, and by headers and document of the request."""
    members, settings = call.members, dict(access.NEW_BUCKET)
    public_access.check_new_bucket(members)
    asked = members.get("ObjectOwnership")
    if asked is not None:
        if asked not in (public_access.ENFORCED, public_access.PREFERRED, public_access.WRITER):
            raise invalid_argument("x-amz-object-ownership", asked, "Invalid x-amz-object-ownership header")
        settings[access.OWNERSHIP] = {"Rules": [{"ObjectOwnership": asked}]}
    control = acl.asked_for(members, call.account.id, None, call.knows)
    if control is not None:
        if control.public and public_access.public_access(settings[access.PUBLIC_ACCESS]).BlockPublicAcls:
            message = "Bucket cannot have public ACLs set with BlockPublicAccess enabled"
            raise S3Error("InvalidBucketAclWithBlockPublicAccessError", message)
        settings[access.ACL] = control.to_json()
    if members.get("ObjectLockEnabledForBucket"):
        settings |= {"object-lock": {"ObjectLockEnabled": "Enabled"}, "versioning": {"Status": "Enabled"}}
    if configuration.get("Tags"):
        tags.check(configuration["Tags"], tags.BUCKET_LIMIT)
        settings["tagging"] = {"TagSet": configuration["Tags"]}
    return settings


def _check_location(constraint: str | None, region: str) -> None:
    """Only the server's own region exists (BKT-009, BKT-010)."""
    if constraint is None:
        if region != "us-east-1":
            raise S3Error("IllegalLocationConstraintException")
        return
    constraint = {"EU": "eu-west-1"}.get(constraint, constraint)
    if constraint == "us-east-1" or (constraint not in regions() and constraint != region):
        raise S3Error("InvalidLocationConstraint", None, {"LocationConstraint": constraint})
    if constraint != region:
        message = (
            f"The {constraint} location constraint is incompatible for the region specific endpoint this "
            "request was sent to."
        )
        raise S3Error("IllegalLocationConstraintException", message)


def head_bucket(call: Call) -> Result:
    """HeadBucket. An implicit bucket exists once it was written to."""
    bucket = call.bucket()
    if not bucket.id:
        raise S3Error("NoSuchBucket", None, {"BucketName": bucket.name})
    return Result({"BucketRegion": call.endpoint.region, "AccessPointAlias": False})


def delete_bucket(call: Call) -> Result:
    """DeleteBucket: unfinished uploads do not keep it."""
    call.store.delete_bucket(call.bucket())
    return Result()


def get_bucket_location(call: Call) -> Result:
    """GetBucketLocation: empty for us-east-1 (BKT-011)."""
    call.bucket()
    region = call.endpoint.region
    return Result({"LocationConstraint": None if region == "us-east-1" else region})


HANDLERS: dict[str, Handler] = {
    "CreateBucket": create_bucket,
    "DeleteBucket": delete_bucket,
    "GetBucketLocation": get_bucket_location,
    "HeadBucket": head_bucket,
    "ListBuckets": list_buckets,
}
