"""Service and bucket operations. Source: catalogue LBKT and BKT."""

from __future__ import annotations

from typing import Any

from reference_server.call import Call, Handler, Result, check_bucket_name, has_bucket_acl
from reference_server.errors import S3Error, invalid_argument, not_implemented_header
from reference_server.listing import make_token, read_token
from reference_server.model import regions

_PAGE = 10_000


def list_buckets(call: Call) -> Result:
    """ListBuckets: the account's own buckets by name."""
    members = call.members
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
    members = call.members
    check_bucket_name(name)
    if has_bucket_acl(members):
        raise S3Error("InvalidBucketAclWithObjectOwnership")
    if members.get("ObjectLockEnabledForBucket"):
        raise not_implemented_header("x-amz-bucket-object-lock-enabled")
    if members.get("ObjectOwnership") not in (None, "BucketOwnerEnforced"):
        raise not_implemented_header("x-amz-object-ownership")
    body = call.payload().document()
    configuration = call.endpoint.codec.parse_document(call.operation, body) if body else {}
    if any(configuration.get(member) for member in ("Tags", "Bucket", "Location")):
        raise S3Error("NotImplemented", "Only LocationConstraint is implemented in CreateBucketConfiguration.")
    _check_location(configuration.get("LocationConstraint"), call.endpoint.region)
    bucket, created = call.store.create_bucket(name, call.account.id)
    if not created and bucket.owner != call.account.id:
        raise S3Error("BucketAlreadyExists", None, {"BucketName": name})
    if not created and call.endpoint.region != "us-east-1":
        raise S3Error("BucketAlreadyOwnedByYou", None, {"BucketName": name})
    return Result({"Location": f"/{name}"})


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
    name = call.request.bucket or ""
    call.allowed(call.store.bucket(name), name, call.members.get("ExpectedBucketOwner"))
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
