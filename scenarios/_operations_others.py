"""All other operations as questions: buckets, objects, listings, multipart uploads, and what few gateways have."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from harness.clients.base import Observed
from harness.scene import Scene
from scenarios._operations import (
    KEPT,
    Effect,
    Params,
    Place,
    Question,
    Ready,
    after,
    at_bucket,
    at_object,
    shows,
    then_shows,
    then_without,
    upload,
)

_NEW = b"what the operation stores"
_OWNER = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}


def _policy(_s3: Scene, place: Place) -> Params:
    """A policy that denies what nobody asks for here."""
    statement = {
        "Sid": "s3conform",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{place.bucket}/nobody/asks/for/this",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return {"Bucket": place.bucket, "Policy": policy}


def _has_policy(answer: Observed) -> bool:
    return b"s3conform" in (answer.body or b"")


def _shows_policy(_s3: Scene, _place: Place, answer: Observed) -> str:
    return "" if _has_policy(answer) else "the answer does not show the policy"


def _policy_is(there: bool) -> Effect:
    def effect(s3: Scene, place: Place, _answer: Observed) -> str:
        found = s3.look("GetBucketPolicy", Bucket=place.bucket)
        if there:
            return "" if found.ok and _has_policy(found) else f"GetBucketPolicy answers {found.summary()} without it"
        return "" if found.status == 404 else f"GetBucketPolicy still answers {found.summary()}"

    return effect


def _retention(_s3: Scene, place: Place) -> Params:
    until = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**place.object, "Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": until}}


def _stored(key: str, content: bytes) -> Effect:
    """The witness reads these bytes under a key."""

    def effect(s3: Scene, place: Place, _answer: Observed) -> str:
        found = s3.look("GetObject", Bucket=place.bucket, Key=key)
        if not found.ok:
            return f"GetObject of {key!r} answers {found.summary()}"
        return "" if found.body == content else f"GetObject of {key!r} gives {len(found.body or b'')} other bytes"

    return effect


def _gone(key: str) -> Effect:
    def effect(s3: Scene, place: Place, _answer: Observed) -> str:
        found = s3.look("GetObject", Bucket=place.bucket, Key=key)
        return "" if found.status == 404 else f"GetObject of {key!r} still answers {found.summary()}"

    return effect


# --- buckets and objects ---


def _new_bucket(s3: Scene, _place: Place) -> Params:
    return {"Bucket": s3.bucket_name()}


def _made(s3: Scene, _place: Place, answer: Observed) -> str:
    """The bucket that was asked for is there; what Location says of it is for BKT-001 to tell."""
    if not answer.exchanges:
        return "no request was sent"
    asked = urlsplit(answer.exchanges[-1].url)
    bucket = asked.path.strip("/") or (asked.hostname or "").partition(".")[0]
    found = s3.look("HeadBucket", Bucket=bucket)
    return "" if found.ok else f"HeadBucket answers {found.summary()}"


def _emptied(s3: Scene, place: Place) -> Params:
    s3.setup("DeleteObject", **place.object)
    return {"Bucket": place.bucket}


def _no_bucket(s3: Scene, place: Place, _answer: Observed) -> str:
    found = s3.look("HeadBucket", Bucket=place.bucket)
    return "" if found.status == 404 else f"HeadBucket still answers {found.summary()}"


def _buckets() -> Iterator[Question]:
    def listed(_s3: Scene, place: Place, answer: Observed) -> str:
        names = [entry.get("Name") for entry in answer.output.get("Buckets", [])]
        return "" if place.bucket in names else "the bucket is not among them"

    yield Question("CreateBucket", "the bucket is there", _new_bucket, _made, bare=True)
    yield Question("HeadBucket", "it says so of a bucket that is there", at_bucket(), _tells_apart)
    yield Question("ListBuckets", "the bucket is among them", lambda _s, _p: {}, listed, "ListAllMyBucketsResult")
    yield Question("DeleteBucket", "the empty bucket is gone", _emptied, _no_bucket, harms=True)
    yield Question("GetBucketLocation", "it names the region", at_bucket(), _document("LocationConstraint"))
    events = at_bucket(NotificationConfiguration={"EventBridgeConfiguration": {}})
    none = then_without(
        "GetBucketNotificationConfiguration", at_bucket(), "events", lambda output: "EventBridgeConfiguration" in output
    )
    empty = after("PutBucketNotificationConfiguration", at_bucket(NotificationConfiguration={}), events)
    yield Question("PutBucketNotification", "GetBucketNotificationConfiguration shows no events", empty, none)
    prepared = after("PutBucketNotificationConfiguration", at_bucket(), events)
    answered = _document("NotificationConfiguration")
    yield Question("GetBucketNotification", "it answers with the configuration", prepared, answered)


def _tells_apart(s3: Scene, _place: Place, _answer: Observed) -> str:
    """A bucket that is not there is not said to be; which headers the answer has is for BKT-002 to tell."""
    found = s3.call("HeadBucket", Bucket=s3.bucket_name())
    return "" if found.status == 404 else f"HeadBucket of no bucket answers {found.summary()}"


def _document(*tags: str) -> Effect:
    """The answer is a document with one of these root elements."""

    def effect(_s3: Scene, _place: Place, answer: Observed) -> str:
        found = answer.document.tag if answer.document is not None else None
        return "" if found in tags else f"its document is {found!r} and not {tags[0]!r}"

    return effect


def _objects() -> Iterator[Question]:
    new = at_object(Key="new", Body=_NEW)
    yield Question("PutObject", "the object can be read", new, _stored("new", _NEW), bare=True)
    yield Question("GetObject", "the bytes come back", at_object(), _bytes, "object", harms=True)
    yield Question("HeadObject", "its length is told", at_object(), _length)
    yield Question("DeleteObject", "the object is gone", at_object(), _gone("kept"), harms=True)
    delete = at_bucket(Delete={"Objects": [{"Key": "kept"}]})
    yield Question("DeleteObjects", "the objects are gone", delete, _gone("kept"), harms=True)
    yield Question("CopyObject", "the copy has the bytes of the source", _copying("copy"), _stored("copy", KEPT))
    for name in ("ListObjects", "ListObjectsV2"):
        yield Question(name, "it shows the key", at_bucket(), shows("the key", _only("Contents")), "ListBucketResult")
    yield Question("ListObjectVersions", "it shows the key", at_bucket(), shows("the key", _only("Versions")))
    size = shows("the size", lambda output: bool(output.get("ObjectSize") == len(KEPT)))
    yield Question("GetObjectAttributes", "it tells the size", at_object(ObjectAttributes="ObjectSize"), size)
    tags = [{"Key": "color", "Value": "blue"}]
    put = at_object(Tagging={"TagSet": tags})
    yield from _kept("PutObjectTagging", put, "GetObjectTagging", at_object(), "the tags", _is("TagSet", tags))
    gone = then_without("GetObjectTagging", at_object(), "the tags", _is("TagSet", tags))
    prepared = after("PutObjectTagging", at_object(), put)
    yield Question("DeleteObjectTagging", "GetObjectTagging shows no tags", prepared, gone)


def _is(member: str, value: Any) -> Callable[[Params], bool]:
    """The output has the member with this value."""
    return lambda output: bool(output.get(member) == value)


def _only(member: str) -> Callable[[Params], bool]:
    """The list has the one object of the place."""
    return lambda output: [entry.get("Key") for entry in output.get(member, [])] == ["kept"]


def _some(member: str) -> Callable[[Params], bool]:
    """The output has the member, and something in it."""
    return lambda output: bool(output.get(member))


def _kept(
    put: str,
    document: Ready,
    get: str,
    ready: Ready,
    what: str,
    shown: Callable[[Params], bool],
    *,
    locked: bool = False,
) -> Iterator[Question]:
    """What one operation puts and another one gets."""
    yield Question(put, f"{get} shows {what}", document, then_shows(get, ready, what, shown), locked=locked)
    yield Question(get, f"it shows {what}", after(put, ready, document), shows(what, shown), locked=locked)


def _copying(key: str) -> Ready:
    return lambda _s3, place: {"Bucket": place.bucket, "Key": key, "CopySource": f"{place.bucket}/{place.key}"}


def _bytes(_s3: Scene, _place: Place, answer: Observed) -> str:
    return "" if answer.body == KEPT else f"it has {len(answer.body or b'')} other bytes"


def _length(_s3: Scene, _place: Place, answer: Observed) -> str:
    found = (answer.headers or {}).get("content-length")
    return "" if found == str(len(KEPT)) else f"Content-Length is {found!r}"


# --- multipart uploads ---


def _uploads() -> Iterator[Question]:
    there = then_shows("ListMultipartUploads", at_bucket(), "the upload", _some("Uploads"))
    yield Question("CreateMultipartUpload", "ListMultipartUploads shows it", at_bucket(Key="uploaded"), there)
    yield Question("UploadPart", "ListParts shows the part", _uploading(Body=_NEW), _part(len(_NEW)))
    yield Question("UploadPartCopy", "ListParts shows the part", _copying_part, _part(len(KEPT)))
    one = shows("the part", lambda output: [part.get("PartNumber") for part in output.get("Parts", [])] == [1])
    yield Question("ListParts", "it shows the part", _with_part, one)
    several = shows("the upload", lambda output: [one.get("Key") for one in output.get("Uploads", [])] == ["uploaded"])
    yield Question("ListMultipartUploads", "it shows the upload", _with_upload, several)
    yield Question("CompleteMultipartUpload", "the object can be read", _completing, _stored("uploaded", b"part"))
    gone = then_without("ListMultipartUploads", at_bucket(), "the upload", _some("Uploads"))
    yield Question("AbortMultipartUpload", "ListMultipartUploads shows it no more", _with_part, gone)


def _uploading(**params: Any) -> Ready:
    return lambda s3, place: {**upload(s3, place), "PartNumber": 1, **params}


def _copying_part(s3: Scene, place: Place) -> Params:
    return {**upload(s3, place), "PartNumber": 1, "CopySource": f"{place.bucket}/{place.key}"}


def _with_part(s3: Scene, place: Place) -> Params:
    return upload(s3, place, parts=1)


def _with_upload(s3: Scene, place: Place) -> Params:
    upload(s3, place)
    return {"Bucket": place.bucket}


def _completing(s3: Scene, place: Place) -> Params:
    target = upload(s3, place)
    part = s3.setup("UploadPart", **target, PartNumber=1, Body=b"part")
    return {**target, "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": part.etag or ""}]}}


def _part(size: int) -> Effect:
    """The one upload of the bucket has the part 1 of this size, as far as parts can be listed."""

    def effect(s3: Scene, place: Place, _answer: Observed) -> str:
        uploads = s3.look("ListMultipartUploads", Bucket=place.bucket).output.get("Uploads", [])
        if len(uploads) != 1:
            return f"ListMultipartUploads shows {len(uploads)} uploads"
        upload_id = str(uploads[0].get("UploadId", ""))
        found = s3.look("ListParts", Bucket=place.bucket, Key="uploaded", UploadId=upload_id)
        if found.status in (403, 405, 501):  # that it is not offered is for a question of its own to find
            s3.note(f"the part cannot be seen: ListParts answers {found.summary()[:80]}")
            return ""
        parts = [(part.get("PartNumber"), part.get("Size")) for part in found.output.get("Parts", [])]
        return "" if parts == [(1, size)] else f"ListParts shows {parts}"

    return effect


# --- who may, and for how long ---


def _access() -> Iterator[Question]:
    yield Question("PutBucketPolicy", "GetBucketPolicy shows the policy", _policy, _policy_is(there=True))
    prepared = after("PutBucketPolicy", at_bucket(), _policy)
    yield Question("GetBucketPolicy", "it shows the policy", prepared, _shows_policy)
    yield Question("DeleteBucketPolicy", "GetBucketPolicy shows none", prepared, _policy_is(there=False))
    private = shows("that the bucket is not public", _is("PolicyStatus", {"IsPublic": False}))
    yield Question("GetBucketPolicyStatus", "it says that the bucket is not public", prepared, private)
    owned = shows("owner and grants", lambda output: bool(output.get("Owner")) and bool(output.get("Grants")))
    yield Question("GetBucketAcl", "it shows owner and grants", at_bucket(), owned)
    yield Question("GetObjectAcl", "it shows owner and grants", at_object(), owned)
    open_to = at_bucket(OwnershipControls=_OWNER)
    for put, ready, get, acl in (
        ("PutBucketAcl", at_bucket(), "GetBucketAcl", "log-delivery-write"),
        ("PutObjectAcl", at_object(), "GetObjectAcl", "aws-exec-read"),
    ):
        granted = then_shows(get, ready, "the grant", lambda output: len(output.get("Grants", [])) > 1)
        asked = _granting(after("PutBucketOwnershipControls", ready, open_to), acl)
        yield Question(put, f"{get} shows the grant", asked, granted)
    yield from _locks()


def _locks() -> Iterator[Question]:
    hold = {"Status": "OFF"}
    put, shown = at_object(LegalHold=hold), _is("LegalHold", hold)
    yield from _kept("PutObjectLegalHold", put, "GetObjectLegalHold", at_object(), "the hold", shown, locked=True)
    governed = lambda output: (output.get("Retention") or {}).get("Mode") == "GOVERNANCE"  # noqa: E731 - used twice
    yield from _kept(
        *("PutObjectRetention", _retention, "GetObjectRetention", at_object(), "the retention", governed), locked=True
    )
    rule = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}
    put, shown = at_bucket(ObjectLockConfiguration=rule), _is("ObjectLockConfiguration", rule)
    yield from _kept(
        *("PutObjectLockConfiguration", put, "GetObjectLockConfiguration", at_bucket(), "the rule", shown), locked=True
    )


def _granting(ready: Ready, acl: str) -> Ready:
    """A canned ACL that makes nothing public: for a service of AWS."""
    return lambda s3, place: {**ready(s3, place), "ACL": acl}


# --- what few have ---


def _filled(_s3: Scene, _place: Place, answer: Observed) -> str:
    return "" if answer.body else "the answer is empty"


def _mentions(output: Params) -> bool:
    return "s3conform" in str(output)


def _rare() -> Iterator[Question]:
    yield from _kept("PutBucketLogging", _logging, "GetBucketLogging", at_bucket(), "the target", _mentions)
    yield from _kept("PutBucketReplication", _replicating, "GetBucketReplication", at_bucket(), "the rule", _mentions)
    gone = then_without("GetBucketReplication", at_bucket(), "the rule", _mentions)
    prepared = after("PutBucketReplication", at_bucket(), _replicating)
    yield Question("DeleteBucketReplication", "GetBucketReplication shows no rule", prepared, gone)
    restored = then_shows("HeadObject", at_object(Key="archived"), "x-amz-restore", _some("Restore"))
    yield Question("RestoreObject", "x-amz-restore tells of the copy", _archived, restored)
    yield Question("GetObjectTorrent", "it answers with the torrent", at_object(), _filled)
    yield Question("SelectObjectContent", "it answers with the records", at_object(**_QUERY), _filled)
    yield Question("RenameObject", "the object is under its new key, and no more under the old", *_RENAMED, harms=True)
    credentials = shows("credentials", _some("Credentials"))
    yield Question("CreateSession", "it answers with credentials", at_bucket(), credentials)
    # The request is that of ListBuckets; only the host of another service makes it this operation.
    buckets = _document("ListAllMyDirectoryBucketsResult", "ListAllMyBucketsResult")
    yield Question(
        *("ListDirectoryBuckets", "it answers with a list", lambda _s3, _place: {}, buckets, "ListAllMyBucketsResult")
    )
    sealed = at_object(ObjectEncryption={"SSEKMS": {"KMSKeyArn": "arn:aws:kms:us-east-1:123456789012:key/s3conform"}})
    encrypted = then_shows(
        "HeadObject", at_object(), "the key", lambda output: _mentions(output.get("SSEKMSKeyId", ""))
    )
    yield Question("UpdateObjectEncryption", "the object is encrypted with the key", sealed, encrypted)
    unknown = {"RequestRoute": "s3conform", "RequestToken": "s3conform"}
    nobody: Effect = lambda _s3, _place, _answer: "no request is waiting"  # noqa: E731 - one of a kind
    yield Question("WriteGetObjectResponse", "the request is answered", lambda _s3, _place: dict(unknown), nobody)
    yield from _annotations()
    yield from _metadata_tables()


_QUERY = {
    "Expression": "SELECT * FROM S3Object",
    "ExpressionType": "SQL",
    "InputSerialization": {"CSV": {}},
    "OutputSerialization": {"CSV": {}},
}


def _renaming(_s3: Scene, place: Place) -> Params:
    return {"Bucket": place.bucket, "Key": "renamed", "RenameSource": f"{place.bucket}/{place.key}"}


def _moved(s3: Scene, place: Place, answer: Observed) -> str:
    return _stored("renamed", KEPT)(s3, place, answer) or _gone(place.key)(s3, place, answer)


_RENAMED = (_renaming, _moved)


def _replicating(s3: Scene, place: Place) -> Params:
    """A rule that matches nothing, to a bucket of the run's own; both keep versions, as S3 demands."""
    other = s3.new_bucket()
    for bucket in (place.bucket, other):
        s3.look("PutBucketVersioning", Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    target = {"Bucket": f"arn:aws:s3:::{other}"}
    rule = {"ID": "s3conform", "Status": "Enabled", "Prefix": "none/", "Destination": target}
    role = "arn:aws:iam::123456789012:role/s3conform"
    return {"Bucket": place.bucket, "ReplicationConfiguration": {"Role": role, "Rules": [rule]}}


def _archived(s3: Scene, place: Place) -> Params:
    """An object in an archive, where the endpoint has one."""
    s3.look("PutObject", Bucket=place.bucket, Key="archived", Body=_NEW, StorageClass="GLACIER")
    return {"Bucket": place.bucket, "Key": "archived", "RestoreRequest": {"Days": 1}}


def _logging(_s3: Scene, place: Place) -> Params:
    target = {"TargetBucket": place.bucket, "TargetPrefix": "s3conform/"}
    return {"Bucket": place.bucket, "BucketLoggingStatus": {"LoggingEnabled": target}}


def _annotations() -> Iterator[Question]:
    named = at_object(AnnotationName="s3conform")
    put = at_object(AnnotationName="s3conform", AnnotationPayload=_NEW)
    there = then_shows("ListObjectAnnotations", at_object(), "the annotation", _mentions)
    yield Question("PutObjectAnnotation", "ListObjectAnnotations shows it", put, there)
    prepared = after("PutObjectAnnotation", named, put)
    same: Effect = lambda _s3, _place, answer: "" if answer.body == _NEW else "its bytes are others"  # noqa: E731
    yield Question("GetObjectAnnotation", "its bytes come back", prepared, same)
    listed = shows("the annotation", _mentions)
    yield Question("ListObjectAnnotations", "it shows it", after("PutObjectAnnotation", at_object(), put), listed)
    gone = then_without("ListObjectAnnotations", at_object(), "the annotation", _mentions)
    yield Question("DeleteObjectAnnotation", "ListObjectAnnotations shows it no more", prepared, gone)


_JOURNAL = {"JournalTableConfiguration": {"RecordExpiration": {"Expiration": "DISABLED"}}}
_TABLE = {
    "S3TablesDestination": {
        "TableBucketArn": "arn:aws:s3tables:us-east-1:123456789012:bucket/none",
        "TableName": "none",
    }
}


def _metadata_tables() -> Iterator[Question]:
    """Tables of metadata, in the two generations that there are."""
    for kind, document in (("MetadataConfiguration", _JOURNAL), ("MetadataTableConfiguration", _TABLE)):
        put, get = at_bucket(**{kind: document}), f"GetBucket{kind}"
        shown = _some(f"{get}Result")
        yield from _kept(f"CreateBucket{kind}", put, get, at_bucket(), "the configuration", shown)
        gone = then_without(get, at_bucket(), "the configuration", shown)
        prepared = after(f"CreateBucket{kind}", at_bucket(), put)
        yield Question(f"DeleteBucket{kind}", f"{get} shows it no more", prepared, gone)
    off = {"ConfigurationState": "DISABLED"}
    updates = (("Journal", _JOURNAL["JournalTableConfiguration"]), ("Inventory", off), ("Annotation", off))
    for kind, change in updates:
        get = "GetBucketMetadataConfiguration"
        there = then_shows(get, at_bucket(), "the configuration", _some(f"{get}Result"))
        ready = at_bucket(**{f"{kind}TableConfiguration": change})
        yield Question(f"UpdateBucketMetadata{kind}TableConfiguration", f"{get} shows it", ready, there)


def questions() -> Iterator[Question]:
    """All of them."""
    yield from _buckets()
    yield from _objects()
    yield from _uploads()
    yield from _access()
    yield from _rare()
