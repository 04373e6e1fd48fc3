"""One request for every operation of the server, as its owner sends it to a bucket that has something of everything."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.reference_server.catalogue.forms import KIND, encode, signed
from tests.reference_server.catalogue.permissions import acl, canonical_id, own, policy, statement
from tests.reference_server.catalogue.steps import Upload, completion, md5_header, put_document, version
from tests.reference_server.signing import Signer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import Raw, Reply

_numbers = itertools.count()
_RULE = "<Rule><ID>r</ID><Filter><Prefix>p</Prefix></Filter><Status>Enabled</Status>{}</Rule>"
_TAGS = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
_DESTINATION = (
    "<Destination><S3BucketDestination><Format>CSV</Format><Bucket>arn:aws:s3:::{bucket}</Bucket>"
    "</S3BucketDestination></Destination>"
)
#: Sub-resource -> document of its PUT.
DOCUMENTS = {
    "accelerate": "<AccelerateConfiguration><Status>Suspended</Status></AccelerateConfiguration>",
    "analytics&id=one": ("<AnalyticsConfiguration><Id>one</Id><StorageClassAnalysis/></AnalyticsConfiguration>"),
    "cors": (
        "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>"
        "</CORSConfiguration>"
    ),
    "encryption": (
        "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256"
        "</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"
    ),
    "intelligent-tiering&id=one": (
        "<IntelligentTieringConfiguration><Id>one</Id><Status>Enabled</Status><Tiering><Days>90</Days>"
        "<AccessTier>ARCHIVE_ACCESS</AccessTier></Tiering></IntelligentTieringConfiguration>"
    ),
    "inventory&id=one": (
        f"<InventoryConfiguration>{_DESTINATION}<IsEnabled>true</IsEnabled><Id>one</Id><IncludedObjectVersions>All"
        "</IncludedObjectVersions><Schedule><Frequency>Daily</Frequency></Schedule></InventoryConfiguration>"
    ),
    "lifecycle": (
        f"<LifecycleConfiguration>{_RULE.format('<Expiration><Days>1</Days></Expiration>')}</LifecycleConfiguration>"
    ),
    "logging": "<BucketLoggingStatus/>",
    "metrics&id=one": "<MetricsConfiguration><Id>one</Id></MetricsConfiguration>",
    "notification": "<NotificationConfiguration/>",
    "object-lock": "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>",
    "policy": "",
    "publicAccessBlock": "<PublicAccessBlockConfiguration/>",
    "replication": (
        "<ReplicationConfiguration><Role>arn:aws:iam::123456789012:role/r</Role><Rule><Status>Enabled</Status>"
        "<Priority>1</Priority><Filter/><DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>"
        "<Destination><Bucket>arn:aws:s3:::{bucket}</Bucket></Destination></Rule></ReplicationConfiguration>"
    ),
    "requestPayment": "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>",
    "tagging": _TAGS,
    "versioning": "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
    "website": "<WebsiteConfiguration><IndexDocument><Suffix>i</Suffix></IndexDocument></WebsiteConfiguration>",
}
_CONFIGURED = {
    "accelerate": "BucketAccelerateConfiguration",
    "analytics&id=one": "BucketAnalyticsConfiguration",
    "cors": "BucketCors",
    "encryption": "BucketEncryption",
    "intelligent-tiering&id=one": "BucketIntelligentTieringConfiguration",
    "inventory&id=one": "BucketInventoryConfiguration",
    "lifecycle": "BucketLifecycleConfiguration",
    "logging": "BucketLogging",
    "metrics&id=one": "BucketMetricsConfiguration",
    "notification": "BucketNotificationConfiguration",
    "object-lock": "ObjectLockConfiguration",
    "policy": "BucketPolicy",
    "publicAccessBlock": "PublicAccessBlock",
    "replication": "BucketReplication",
    "requestPayment": "BucketRequestPayment",
    "tagging": "BucketTagging",
    "versioning": "BucketVersioning",
    "website": "BucketWebsite",
}
_DELETED = {name: f"Delete{_CONFIGURED[name]}" for name in _CONFIGURED} | {"lifecycle": "DeleteBucketLifecycle"}
_NOT_DELETED = {"accelerate", "logging", "notification", "object-lock", "requestPayment", "versioning"}
_LATER = "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2099-01-01T00:00:00Z</RetainUntilDate></Retention>"


@dataclass(frozen=True)
class Ask:
    """A request; in target, headers and body stand names of `World.places` in braces."""

    method: str
    target: str
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def _configurations() -> dict[str, Ask]:
    found = {}
    for name, operation in _CONFIGURED.items():
        found[f"Get{operation}"] = Ask("GET", f"/{{bucket}}?{name}")
        found[f"Put{operation}"] = Ask("PUT", f"/{{bucket}}?{name}", DOCUMENTS[name] or "{policy}")
        if name not in _NOT_DELETED:
            found[_DELETED[name]] = Ask("DELETE", f"/{{bucket}}?{name}")
    for kind in ("Analytics", "IntelligentTiering", "Inventory", "Metrics"):
        query = next(name for name in DOCUMENTS if name.replace("-", "").startswith(kind.lower()))
        found[f"ListBucket{kind}Configurations"] = Ask("GET", f"/{{bucket}}?{query.partition('&')[0]}")
    return found


#: Operation -> a request that succeeds for the owner.
ASKS: dict[str, Ask] = {
    **_configurations(),
    "AbortMultipartUpload": Ask("DELETE", "/{bucket}/up?uploadId={upload}"),
    "CompleteMultipartUpload": Ask("POST", "/{bucket}/up?uploadId={upload}", "{parts}"),
    "CopyObject": Ask("PUT", "/{bucket}/copy", headers={"x-amz-copy-source": "/{bucket}/k"}),
    "CreateBucket": Ask("PUT", "/{bucket}"),
    "CreateMultipartUpload": Ask("POST", "/{bucket}/new?uploads"),
    "DeleteBucket": Ask("DELETE", "/{empty}"),
    "DeleteBucketOwnershipControls": Ask("DELETE", "/{bucket}?ownershipControls"),
    "DeleteObject": Ask("DELETE", "/{bucket}/k"),
    "DeleteObjectTagging": Ask("DELETE", "/{bucket}/k?tagging"),
    "DeleteObjects": Ask(
        *("POST", "/{bucket}?delete"),
        "<Delete><Object><Key>k</Key></Object><Object><Key>k</Key><VersionId>{old}</VersionId></Object></Delete>",
    ),
    "GetBucketAcl": Ask("GET", "/{bucket}?acl"),
    "GetBucketLocation": Ask("GET", "/{bucket}?location"),
    "GetBucketOwnershipControls": Ask("GET", "/{bucket}?ownershipControls"),
    "GetBucketPolicyStatus": Ask("GET", "/{bucket}?policyStatus"),
    "GetObject": Ask("GET", "/{bucket}/k"),
    "GetObjectAcl": Ask("GET", "/{bucket}/k?acl"),
    "GetObjectAttributes": Ask("GET", "/{bucket}/k?attributes", headers={"x-amz-object-attributes": "ETag"}),
    "GetObjectLegalHold": Ask("GET", "/{bucket}/k?legal-hold"),
    "GetObjectRetention": Ask("GET", "/{bucket}/k?retention"),
    "GetObjectTagging": Ask("GET", "/{bucket}/k?tagging"),
    "HeadBucket": Ask("HEAD", "/{bucket}"),
    "HeadObject": Ask("HEAD", "/{bucket}/k"),
    "ListBuckets": Ask("GET", "/"),
    "ListMultipartUploads": Ask("GET", "/{bucket}?uploads"),
    "ListObjectVersions": Ask("GET", "/{bucket}?versions"),
    "ListObjects": Ask("GET", "/{bucket}"),
    "ListObjectsV2": Ask("GET", "/{bucket}?list-type=2"),
    "ListParts": Ask("GET", "/{bucket}/up?uploadId={upload}"),
    "PostObject": Ask("POST", "/{bucket}", "{form}", KIND),
    "PutBucketAcl": Ask("PUT", "/{bucket}?acl", "{acl}"),
    "PutBucketOwnershipControls": Ask(
        *("PUT", "/{bucket}?ownershipControls"),
        "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>",
    ),
    "PutObject": Ask("PUT", "/{bucket}/k", "new"),
    "PutObjectAcl": Ask("PUT", "/{bucket}/k?acl", "{acl}"),
    "PutObjectLegalHold": Ask("PUT", "/{bucket}/k?legal-hold", "<LegalHold><Status>OFF</Status></LegalHold>"),
    "PutObjectRetention": Ask("PUT", "/{bucket}/k?retention", _LATER),
    "PutObjectTagging": Ask("PUT", "/{bucket}/k?tagging", _TAGS),
    "RestoreObject": Ask("POST", "/{bucket}/cold?restore", "<RestoreRequest><Days>1</Days></RestoreRequest>"),
    "UploadPart": Ask("PUT", "/{bucket}/up?partNumber=2&uploadId={upload}", "part"),
    "UploadPartCopy": Ask(
        *("PUT", "/{bucket}/up?partNumber=2&uploadId={upload}", ""), {"x-amz-copy-source": "/{bucket}/k"}
    ),
}
#: Further ways to what an operation does: what they are -> the request.
WAYS: dict[str, Ask] = {
    "a range": Ask("GET", "/{bucket}/k", headers={"Range": "bytes=0-0"}),
    "a part": Ask("GET", "/{bucket}/k?partNumber=1"),
    "an old version": Ask("GET", "/{bucket}/k?versionId={old}"),
    "the head of an old version": Ask("HEAD", "/{bucket}/k?versionId={old}"),
    "the tags of an old version": Ask("GET", "/{bucket}/k?tagging&versionId={old}"),
    "news": Ask("GET", "/{bucket}/k", headers={"If-None-Match": '"none"'}),
    "a list behind a marker": Ask("GET", "/{bucket}?list-type=2&start-after=a&prefix=k"),
    "the end of an old version": Ask(
        *("DELETE", "/{bucket}/k?versionId={old}", ""), {"x-amz-bypass-governance-retention": "true"}
    ),
    "an object if there is none": Ask("PUT", "/{bucket}/new", "x", {"If-None-Match": "*"}),
    "a public object": Ask("PUT", "/{bucket}/new", "x", {"x-amz-acl": "bucket-owner-full-control"}),
    "a copy of an old version": Ask(
        *("PUT", "/{bucket}/copy", ""), {"x-amz-copy-source": "/{bucket}/k?versionId={old}"}
    ),
}


class World:
    """A bucket of the owner with versions, uploads, an archived object and every configuration.

    Args:
        raw: of the owner.
        open_to_acls: whether ACLs count and nothing is blocked.
    """

    def __init__(self, raw: Raw, *, open_to_acls: bool = False) -> None:
        self.raw = raw
        number = f"{os.getpid()}-{next(_numbers)}"
        self.bucket, self.empty = f"world-{number}", f"empty-{number}"
        assert raw("PUT", f"/{self.bucket}", headers={"x-amz-bucket-object-lock-enabled": "true"}).status == 200
        assert raw("PUT", f"/{self.empty}").status == 200
        if open_to_acls:
            blocks_nothing = DOCUMENTS["publicAccessBlock"]
            assert put_document(raw, f"/{self.bucket}?publicAccessBlock", blocks_nothing).status == 200
            assert own(raw, self.bucket, "ObjectWriter").status == 200
        version(raw, self.bucket)
        self.old = raw("PUT", f"/{self.bucket}/k", b"old").headers["x-amz-version-id"]
        locked = {"x-amz-object-lock-mode": "GOVERNANCE", "x-amz-object-lock-retain-until-date": "2098-01-01T00:00:00Z"}
        locked |= {"x-amz-object-lock-legal-hold": "ON", "x-amz-tagging": "a=b", **md5_header(b"secret")}
        assert raw("PUT", f"/{self.bucket}/k", b"secret", locked).status == 200
        assert raw("PUT", f"/{self.bucket}/cold", b"cold", {"x-amz-storage-class": "GLACIER"}).status == 200
        self.upload = Upload(raw, f"/{self.bucket}/up")
        self.parts = completion([(1, self.upload.part(1, b"part").headers["etag"], "")]).decode()
        self.policy = policy(statement(self.bucket, "s3:GetObject", effect="Deny", resource="/nothing"))
        for name, document in DOCUMENTS.items():
            if name != "publicAccessBlock":
                text = (document or self.policy).replace("{bucket}", self.bucket)
                assert put_document(raw, f"/{self.bucket}?{name}", text).status in (200, 204), name

    def places(self, signer: Signer | None) -> dict[str, str]:
        """What stands for the names in an `Ask`; the form is signed by `signer`, or not at all."""
        form = {"key": "form"} if signer is None else signed(self.bucket, {"key": "form"}, signer=signer)
        return {
            "bucket": self.bucket,
            "empty": self.empty,
            "upload": self.upload.id,
            "old": self.old,
            "parts": self.parts,
            "policy": self.policy,
            "form": encode(form).decode(),
            "acl": acl(canonical_id(self.raw)),
        }

    def ask(self, ask: Ask, asking: Raw, signer: Signer | None) -> Reply:
        """Send a request, signed if there is a signer."""
        found = self.places(signer)

        def placed(text: str) -> str:
            for name, value in found.items():
                text = text.replace(f"{{{name}}}", value)
            return text

        body = placed(ask.body).encode()
        headers = {name: placed(value) for name, value in ask.headers.items()}
        if body:
            headers |= md5_header(body)
        return asking(ask.method, placed(ask.target), body, headers, sign=signer is not None)
