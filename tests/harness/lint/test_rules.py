"""Every rule by example: an exchange that it must find, and a near miss that it must not."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from harness.lint import RULES, Witnessed
from tests.harness.lint.making import (
    DECLARED,
    MD5,
    SPACE,
    document,
    entry,
    error,
    page,
    refusal,
    rules,
    seen,
)

DATE = "Fri, 02 Jan 2026 03:04:05 GMT"
ISO = "2026-01-02T03:04:05.000Z"
LIST = "GET /b?list-type=2"
GET = "GET /b/k"
ETAG = f'"{MD5}"'
CRC32 = "NSRBwg=="
UPLOAD = "<UploadId>u</UploadId><PartNumberMarker>0</PartNumberMarker><NextPartNumberMarker>0</NextPartNumberMarker>"
PARTS = f"<Bucket>b</Bucket><Key>k</Key>{UPLOAD}<MaxParts>1000</MaxParts><IsTruncated>false</IsTruncated>"
PART = f"<PartNumber>1</PartNumber><LastModified>{ISO}</LastModified><ETag>{ETAG}</ETag><Size>3</Size>"
OWNER = "<Owner><ID>o</ID></Owner>"
TAG = "<Tag><Key>a</Key><Value>b</Value></Tag>"
COPY = f"<ETag>{ETAG}</ETag><LastModified>{ISO}</LastModified>"
COPIED = {"x-amz-copy-source": "b/s"}
XSI = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
MD5_SENT = {"Content-MD5": "x"}


def acl(kind: str) -> str:
    grant = f"<Grant><Grantee{kind}><ID>o</ID></Grantee><Permission>READ</Permission></Grant>"
    return document("AccessControlPolicy", f"{OWNER}<AccessControlList>{grant}</AccessControlList>")


def got(**answer: str) -> Witnessed:
    """The object `abc`, read whole."""
    return seen(GET, 200, b"abc", **{"ETag": ETAG, **answer})


def head(**answer: str) -> Witnessed:
    return seen("HEAD /b/k", 200, Content_Length="3", **answer)


def part(a: int, b: int, n: int, body: bytes = b"abc", **more: str) -> Witnessed:
    given = {"Content_Range": f"bytes {a}-{b}/{n}", **more}
    return seen(GET, 206, body, asked={"Range": "bytes=0-2"}, **given)


def put(digests: dict[str, str] | None, operation: str = "cors", status: int = 200) -> Witnessed:
    body = "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin>"
    body = {"cors": f"{body}</CORSRule></CORSConfiguration>", "policy": "{}"}.get(
        operation, "<Tagging><TagSet/></Tagging>"
    )
    target = "/b/k" if operation == "tagging" else "/b"
    answer = {"body": error("InvalidRequest"), "x_amz_request_id": "R"} if status >= 400 else {}
    return seen(f"PUT {target}?{operation}", status, sent=body, asked=digests, **answer)


def attributes(etag: str) -> Witnessed:
    body = document("GetObjectAttributesResponse", f"<ETag>{etag}</ETag>")
    return seen("GET /b/k?attributes", 200, body, asked={"x-amz-object-attributes": "ETag"})


def bucket(name: str) -> str:
    return f"<Bucket><Name>{name}</Name><CreationDate>{ISO}</CreationDate></Bucket>"


def versions(*entries: str, more: str = "", truncated: str = "false") -> str:
    named = "<Name>b</Name><Prefix/><KeyMarker/><VersionIdMarker/><MaxKeys>1000</MaxKeys>"
    return document("ListVersionsResult", f"{named}<IsTruncated>{truncated}</IsTruncated>{more}{''.join(entries)}")


def deleted(key: str, version: str) -> str:
    named = f"<Key>{key}</Key><VersionId>{version}</VersionId><IsLatest>true</IsLatest>"
    return f"<DeleteMarker>{named}<LastModified>{ISO}</LastModified></DeleteMarker>"


def created(*more: str) -> list[Witnessed]:
    return [seen("PUT /b", 200), *(seen(request, 200) for request in more)]


FOUND: list[tuple[str, list[Witnessed]]] = [
    ("LINT-001", [seen("DELETE /b/k", 200)]),
    ("LINT-001", [seen("PUT /b?policy", 200, sent="{}", asked=MD5_SENT)]),
    ("LINT-001", [seen(GET, 206, b"abc", Content_Range="bytes 0-2/3")]),
    ("LINT-002", [refusal(GET, 403, "NoSuchKey")]),
    ("LINT-002", [seen("PUT /b/k", 200, error("AccessDenied"), x_amz_request_id="R")]),
    ("LINT-003", [seen(GET, 404)]),
    ("LINT-003", [seen(GET, 404, '{"error":1}', Content_Type="application/json")]),
    ("LINT-003", [refusal(GET, 404, "NoSuchKey", Content_Type="text/html")]),
    ("LINT-003", [seen(GET, 404, error("NoSuchKey").replace("<Error>", f"<Error{SPACE}>"), x_amz_request_id="R")]),
    ("LINT-003", [seen(GET, 404, error("NoSuchKey").replace("<HostId>h</HostId>", ""), x_amz_request_id="R")]),
    ("LINT-003", [refusal(GET, 404, "NoSuchKey", "<Code>NoSuchKey</Code>")]),
    ("LINT-003w", [refusal(GET, 404, "KeyIsGone")]),
    ("LINT-004", [seen("HEAD /b/k", 404, error("NoSuchKey"))]),
    ("LINT-004", [seen("HEAD /b/k", 200)]),
    ("LINT-004", [got(Content_Length="3"), seen("HEAD /b/k", 200, Content_Length="0", ETag=ETAG)]),
    ("LINT-005", [seen("PUT /b/k", 200, "OK", ETag=ETAG)]),
    ("LINT-005", [seen("DELETE /b/k", 204, Content_Type="text/html")]),
    ("LINT-005", [seen(GET, 304, "abc", ETag=ETAG)]),
    ("LINT-006", [seen("HEAD /b/k", 200, Content_Length="3", x_amz_mp_parts_count="two")]),
    ("LINT-006", [seen("PUT /b/k", 200, x_amz_server_side_encryption_bucket_key_enabled="True")]),
    ("LINT-006", [seen("PUT /b/k", 200, ETag=ETAG, headers=[("etag", ETAG)])]),
    ("LINT-007", [got(headers=[("x-amz-meta-Colour", "blue")])]),
    ("LINT-007", [seen("PUT /b/k", 200, ETag=ETAG, x_amz_meta_colour="blue")]),
    ("LINT-008", [got(Last_Modified=DATE.replace("GMT", "UTC"))]),
    ("LINT-008", [got(Last_Modified=DATE.replace("Fri", "Mon"))]),
    ("LINT-008", [got(Last_Modified="Fri, 31 Feb 2026 03:04:05 GMT")]),
    ("LINT-008", [got(x_amz_object_lock_retain_until_date=DATE)]),
    ("LINT-009", [seen(LIST, 200, page("a").replace(ISO, DATE))]),
    ("LINT-009", [seen(LIST, 200, page("a").replace(ISO, "2026-13-02T03:04:05.000Z"))]),
    ("LINT-009w", [seen(LIST, 200, page("a").replace(ISO, "2026-01-02T03:04:05Z"))]),
    ("LINT-010", [seen("PUT /b/k", 200, asked={"Expires": "in a while"}), got(Expires=DATE)]),
    ("LINT-010", [seen("PUT /b/k", 200), got(Expires="-1")]),
    ("LINT-011", [seen("PUT /b/k", 200, ETag=MD5)]),
    ("LINT-011", [got(ETag=f"W/{ETAG}")]),
    ("LINT-011", [seen(LIST, 200, page("a").replace(ETAG, MD5))]),
    ("LINT-011", [attributes(ETAG)]),
    ("LINT-012", [seen("PUT /b/k", 200, ETag='"abc"')]),
    ("LINT-012", [seen("PUT /b/k", 200, ETag=f'"{MD5}-10001"')]),
    ("LINT-012", [seen(GET, 200, b"abd", ETag=ETAG)]),
    ("LINT-013", [seen("PUT /b/k", 200, x_amz_checksum_crc32="352441c2")]),
    ("LINT-013", [seen("PUT /b/k", 200, x_amz_checksum_crc32="no base64")]),
    ("LINT-013", [seen("PUT /b/k", 200, x_amz_checksum_crc32=f"{CRC32}-2")]),
    ("LINT-013", [seen("PUT /b/k", 200, x_amz_checksum_crc32=CRC32, x_amz_checksum_crc32c=CRC32)]),
    ("LINT-014", [got(x_amz_checksum_crc32="AAAAAA==")]),
    ("LINT-014", [got(x_amz_checksum_crc64nvme="AAAAAAAAAAA=", x_amz_checksum_type="FULL_OBJECT")]),
    ("LINT-015", [put({})]),
    ("LINT-015w", [put({}, status=400)]),
    ("LINT-015w", [put({}, "policy", 204)]),
    ("LINT-016", [seen(LIST, 200, page(more="<Contents><member/></Contents>"))]),
    ("LINT-016", [seen(LIST, 200, page(more="<CommonPrefixes><Prefix>a</Prefix><Prefix>b</Prefix></CommonPrefixes>"))]),
    (
        "LINT-016",
        [seen("GET /b/k?uploadId=u", 200, document("ListPartsResult", f"{PARTS}<Parts><Part>{PART}</Part></Parts>"))],
    ),
    (
        "LINT-016",
        [
            seen(
                LIST,
                200,
                page("a").replace("<Size>", "<ChecksumAlgorithm><member>SHA1</member></ChecksumAlgorithm><Size>"),
            )
        ],
    ),
    ("LINT-017", [seen("GET /b?tagging", 200, document("Tagging", f"<TagSet/>{TAG}"))]),
    ("LINT-017", [seen("GET /b?tagging", 200, document("Tagging", "<TagSet><member/></TagSet>"))]),
    ("LINT-017", [seen("GET /b?tagging", 200, document("Tagging", f"<TagSet>{TAG}</TagSet><TagSet>{TAG}</TagSet>"))]),
    ("LINT-018", [seen("GET /b/k?uploadId=u", 200, document("ListPartsResult", f"{PARTS}<Parts>{PART}</Parts>"))]),
    ("LINT-019", [seen(LIST, 200, page().replace("false", "False"))]),
    ("LINT-019", [seen(LIST, 200, page().replace("<KeyCount>0", "<KeyCount>none"))]),
    ("LINT-019", [seen(LIST, 200, page(more="<Prefix/>"))]),
    ("LINT-019", [seen(LIST, 200, page().replace("<Name>b", "<Name><b/>"))]),
    ("LINT-019", [seen("GET /", 200, document("ListAllMyBucketsResult", "<Owner>me</Owner><Buckets/>"))]),
    ("LINT-019w", [seen(LIST, 200, page(more="<Region>r</Region>"))]),
    ("LINT-019w", [seen("PUT /b/k", 200, ETag=ETAG, x_amz_colour="blue")]),
    ("LINT-020", [seen(LIST, 200, page().replace("<KeyCount>0</KeyCount>", ""))]),
    ("LINT-020", [seen(LIST, 200, page("a").replace("<Size>3</Size>", ""))]),
    ("LINT-020", [seen("GET /b?tagging", 200, document("Tagging"))]),
    ("LINT-021", [seen(LIST, 200, page().replace(SPACE, ""))]),
    ("LINT-021", [seen(LIST, 200, page().replace("<Name>", '<Name xmlns="">'))]),
    ("LINT-021", [seen("GET /b?acl", 200, acl(""))]),
    ("LINT-021w", [seen("GET /b?versioning", 200, document("VersioningConfiguration", space=""))]),
    ("LINT-022", [seen(LIST, 200, page().replace("ListBucketResult", "ListBucketV2Result"))]),
    ("LINT-022w", [seen("GET /b?versioning", 200, document("GetBucketVersioningResponse"))]),
    ("LINT-023", [seen(LIST, 200, page().removeprefix(DECLARED))]),
    ("LINT-023", [seen(LIST, 200, page().replace("UTF-8", "ISO-8859-1"))]),
    ("LINT-023", [seen(LIST, 200, "\n" + page())]),
    ("LINT-023", [seen(LIST, 200, page("a&b"))]),
    ("LINT-023", [seen(f"{LIST}&encoding-type=url", 200, page("a&#1;"))]),
    ("LINT-023", [seen(LIST, 200, "no document at all")]),
    (
        "LINT-024",
        [
            seen(
                "PUT /b/k",
                200,
                document("CopyObjectResponse", f"<CopyObjectResult>{COPY}</CopyObjectResult>"),
                asked=COPIED,
            )
        ],
    ),
    ("LINT-024", [seen("GET /b?policy", 200, document("Policy", "{}"))]),
    ("LINT-025", [seen(LIST, 200, page("a", truncated="true"))]),
    ("LINT-025", [seen("GET /b", 200, page(truncated="true", v2=False))]),
    ("LINT-025", [seen(LIST, 200, page("b", "a"))]),
    ("LINT-025", [seen(LIST, 200, page("\U0001f600", "\uff5e"))]),
    ("LINT-025", [seen(LIST, 200, page("a", "a"))]),
    ("LINT-025", [seen("GET /b?versions", 200, versions(more="<NextKeyMarker>a</NextKeyMarker>", truncated="true"))]),
    ("LINT-025", [seen("GET /b?versions", 200, versions(deleted("a", "1"), deleted("a", "1")))]),
    (
        "LINT-025",
        [
            seen(
                f"{LIST}&max-keys=1",
                200,
                page("b", truncated="true", most=1, more="<NextContinuationToken>t</NextContinuationToken>"),
            ),
            seen(
                f"{LIST}&max-keys=1&continuation-token=t",
                200,
                page("b", most=1, more="<ContinuationToken>t</ContinuationToken>"),
            ),
        ],
    ),
    (
        "LINT-025",
        [
            seen(
                f"{LIST}&continuation-token=t",
                200,
                page(
                    "b",
                    truncated="true",
                    more="<ContinuationToken>t</ContinuationToken><NextContinuationToken>t</NextContinuationToken>",
                ),
            )
        ],
    ),
    (
        "LINT-025",
        [
            seen(LIST, 200, page("a", "b", "c")),
            seen(
                f"{LIST}&max-keys=1",
                200,
                page("a", truncated="true", most=1, more="<NextContinuationToken>t</NextContinuationToken>"),
            ),
            seen(
                f"{LIST}&max-keys=1&continuation-token=t",
                200,
                page("c", most=1, more="<ContinuationToken>t</ContinuationToken>"),
            ),
        ],
    ),
    (
        "LINT-025",
        [
            seen(
                "GET /",
                200,
                document(
                    "ListAllMyBucketsResult",
                    f"{OWNER}<Buckets>{bucket('b')}{bucket('b')}</Buckets>",
                ),
            )
        ],
    ),
    ("LINT-026", [seen(f"{LIST}&max-keys=1", 200, page("a", "b", most=1))]),
    ("LINT-026", [seen(LIST, 200, page(*(f"{n:04}" for n in range(1001))))]),
    ("LINT-027", [seen(f"{LIST}&prefix=a", 200, page())]),
    ("LINT-027", [seen(LIST, 200, page().replace("<Name>b", "<Name>c"))]),
    ("LINT-027", [seen(f"{LIST}&max-keys=7", 200, page())]),
    ("LINT-027", [seen("GET /b?marker=a", 200, page("b", v2=False))]),
    (
        "LINT-027",
        [
            seen(
                "POST /b/a%20b?uploads",
                200,
                document("InitiateMultipartUploadResult", "<Bucket>b</Bucket><Key>a%20b</Key><UploadId>u</UploadId>"),
            )
        ],
    ),
    ("LINT-028", [part(0, 2, 3, Content_Range="")]),
    ("LINT-028", [part(0, 3, 3)]),
    ("LINT-028", [part(0, 2, 9, b"ab")]),
    ("LINT-028", [part(0, 2, 9, Content_Length="9")]),
    ("LINT-028", [got(Content_Range="bytes 0-2/3")]),
    ("LINT-029", [got(Content_Type="a/b"), head(ETag=ETAG, Content_Type="c/d")]),
    ("LINT-029", [head(ETag=ETAG, x_amz_meta_a="1"), got()]),
    ("LINT-030", [got(x_amz_request_id="")]),
    ("LINT-030", [got(x_amz_request_id="1"), got(x_amz_request_id="1")]),
    ("LINT-030", [refusal(GET, 404, "NoSuchKey", x_amz_request_id="S")]),
    ("LINT-030w", [got(x_amz_id_2="")]),
    ("LINT-031", [got(x_amz_storage_class="DISK")]),
    ("LINT-031", [seen(LIST, 200, page("a").replace("STANDARD", "standard"))]),
    ("LINT-031w", [got(x_amz_replication_status="DONE")]),
    ("LINT-032", [seen("HEAD /b", 204)]),
    ("LINT-032", [seen("HEAD /b/k", 410)]),
    ("LINT-033", [*created(), seen("PUT /b/k", 200, ETag=ETAG, x_amz_version_id="null")]),
    ("LINT-033", [seen("GET /b?versioning", 200, document("VersioningConfiguration")), got(x_amz_version_id="1")]),
    ("LINT-033", [refusal(GET, 404, "NoSuchKey", x_amz_delete_marker="false")]),
    ("LINT-034", [seen("GET /?max-buckets=0", 200, document("ListAllMyBucketsResult", f"{OWNER}<Buckets/>"))]),
    ("LINT-034", [seen(LIST, 200, page(""))]),
    ("REQ-001", [seen("GET /b/a b", 200, b"abc", ETag=ETAG)]),
    ("REQ-001", [seen("GET /b/100%", 200, b"abc", ETag=ETAG)]),
    ("REQ-002", [seen(GET, 200, b"abc", asked={"Host": ""}, ETag=ETAG)]),
    ("REQ-003", [seen("PUT /b/k", 200, sent="abc", asked={"Content-Length": "4"})]),
    ("REQ-003", [seen("PUT /b/k", 200, sent="abc", asked={"Content-Length": "3", "Transfer-Encoding": "chunked"})]),
    ("REQ-004w", [seen("PUT /b?tagging", 204, sent="<Tagging>", asked=MD5_SENT)]),
    ("REQ-004w", [seen("PUT /b?tagging", 204, sent=f"<Tagging>{TAG}<TagSet/></Tagging>", asked=MD5_SENT)]),
    ("REQ-004w", [seen("PUT /b?tagging", 204, sent="<Tags/>", asked=MD5_SENT)]),
    ("REQ-005w", [seen("PUT /b?tagging", 204, sent="<Tagging/>", asked=MD5_SENT)]),
    ("REQ-005w", [seen("PUT /b?tagging", 204, asked=MD5_SENT)]),
]

MISSED: list[tuple[str, list[Witnessed]]] = [
    ("LINT-001", [seen("DELETE /b/k", 204), seen("PUT /b?policy", 204, sent="{}", asked=MD5_SENT)]),
    ("LINT-001", [seen("POST /b/k?restore", 202), seen("PUT /b/k", 307), part(0, 2, 9)]),
    ("LINT-002", [refusal("PUT /b/k", 200, "InternalError", asked=COPIED), refusal(GET, 404, "NoSuchKey")]),
    (
        "LINT-002",
        [refusal("GET /b?encryption", code, "ServerSideEncryptionConfigurationNotFoundError") for code in (400, 404)],
    ),
    ("LINT-003", [refusal(GET, 404, "NoSuchKey", Content_Type="application/xml; charset=utf-8")]),
    ("LINT-003", [seen("HEAD /b/k", 404), seen(GET, 301), refusal(GET, 404, "NoSuchKey", "<Key>&#1;</Key>")]),
    ("LINT-004", [got(Content_Length="3"), head(ETag=ETAG), seen("HEAD /b/k", 404)]),
    ("LINT-004", [head(ETag=ETAG), seen("PUT /b/k", 200, ETag=ETAG), got(Content_Length="4")]),
    ("LINT-005", [seen("PUT /b/k", 200, ETag=ETAG, Content_Type="text/plain"), seen(GET, 304, ETag=ETAG)]),
    ("LINT-006", [head(x_amz_mp_parts_count="2"), seen("PUT /b/k", 200, headers=[("Vary", "a"), ("Vary", "b")])]),
    ("LINT-007", [got(headers=[("X-Amz-Meta-colour", "blue")]), got(x_amz_missing_meta="1")]),
    ("LINT-008", [got(Last_Modified=DATE, Expires="never", x_amz_object_lock_retain_until_date=ISO)]),
    (
        "LINT-009",
        [
            seen(LIST, 200, page("a")),
            seen(
                f"{GET}?retention",
                200,
                document("Retention", "<RetainUntilDate>2026-01-02T03:04:05.123456Z</RetainUntilDate>"),
            ),
        ],
    ),
    ("LINT-010", [seen("PUT /b/k", 200, asked={"Expires": "in a while"}), got(Expires="in a while")]),
    (
        "LINT-010",
        [
            seen("PUT /b/k", 200),
            seen("PUT /b/k", 200, document("CopyObjectResult", COPY), asked=COPIED),
            got(Expires=DATE),
        ],
    ),
    ("LINT-011", [attributes(MD5)]),
    ("LINT-011", [refusal("POST /b/k?uploadId=u", 400, "InvalidPart", f"<ETag>{MD5}</ETag>")]),
    ("LINT-012", [seen("PUT /b/k", 200, ETag=f'"{MD5}-10000"'), seen(GET, 200, b"abd", ETag=f'"{MD5}-1"')]),
    (
        "LINT-012",
        [seen(GET, 200, b"abd", ETag=ETAG, x_amz_server_side_encryption="aws:kms"), part(0, 2, 9, b"abd", ETag=ETAG)],
    ),
    (
        "LINT-013",
        [
            head(x_amz_checksum_crc32=f"{CRC32}-2", x_amz_checksum_type="COMPOSITE"),
            seen("PUT /b/k", 200, x_amz_checksum_sha1=base64.b64encode(bytes(20)).decode()),
        ],
    ),
    (
        "LINT-014",
        [got(x_amz_checksum_crc32=CRC32), got(x_amz_checksum_crc32="AAAAAA==-2", x_amz_checksum_type="COMPOSITE")],
    ),
    ("LINT-014", [part(0, 2, 9, x_amz_checksum_crc32="AAAAAA==")]),
    (
        "LINT-015",
        [
            put({"Content-MD5": "x"}),
            put({"x-amz-checksum-crc32": "x"}),
            put({"x-amz-trailer": "x-amz-checksum-crc32"}),
            put({}, "tagging"),
        ],
    ),
    (
        "LINT-016",
        [
            seen(
                LIST,
                200,
                page(
                    more="<CommonPrefixes><Prefix>a</Prefix></CommonPrefixes><CommonPrefixes><Prefix>b</Prefix></CommonPrefixes>"
                ),
            )
        ],
    ),
    ("LINT-017", [seen("GET /b?tagging", 200, document("Tagging", f"\n <TagSet>\n {TAG}\n </TagSet>\n"))]),
    ("LINT-018", [seen("GET /b/k?uploadId=u", 200, document("ListPartsResult", f"{PARTS}<Part>{PART}</Part>"))]),
    (
        "LINT-019",
        [seen(LIST, 200, page("a", more="\n\n")), seen(LIST, 200, page("a").replace("<Size>3", "<Size>5000000000000"))],
    ),
    ("LINT-019", [seen("PUT /b/k", 200, X_Request_Id="1", x_amz_version_id="1")]),
    (
        "LINT-020",
        [
            seen("GET /b?tagging", 200, document("Tagging", "<TagSet/>")),
            seen("GET /b?location", 200, document("LocationConstraint")),
        ],
    ),
    ("LINT-021", [seen("GET /b?acl", 200, acl(f'{XSI} xsi:type="CanonicalUser"'))]),
    ("LINT-021", [seen(LIST, 200, re.sub(r"<(/?)(\w)", r"<\1s:\2", page("a")).replace("xmlns=", "xmlns:s="))]),
    ("LINT-022", [seen(LIST, 200, page()), seen("GET /b?versioning", 200, document("VersioningConfiguration"))]),
    ("LINT-023", [seen(LIST, 200, page("a&#1;")), seen(LIST, 200, page().replace('"UTF-8"', "'utf-8'"))]),
    (
        "LINT-024",
        [seen("PUT /b/k", 200, document("CopyObjectResult", COPY), asked=COPIED), seen("GET /b?policy", 200, "{}")],
    ),
    (
        "LINT-025",
        [seen(LIST, 200, page("a", "b", truncated="true", more="<NextContinuationToken>t</NextContinuationToken>"))],
    ),
    ("LINT-025", [seen("GET /b", 200, page("\uff5e", "\U0001f600", truncated="true", v2=False))]),
    ("LINT-025", [seen("GET /b?versions", 200, versions(deleted("a", "1"), deleted("a", "2")))]),
    (
        "LINT-025",
        [
            seen(LIST, 200, page("a", "b", "c")),
            seen("PUT /b/a", 200, ETag=ETAG),
            seen(LIST, 200, page("b", "c")),
        ],
    ),
    (
        "LINT-025",
        [
            seen(
                f"{LIST}&max-keys=1&encoding-type=url",
                200,
                page(
                    "a%2B",
                    truncated="true",
                    most=1,
                    more="<EncodingType>url</EncodingType><NextContinuationToken>t</NextContinuationToken>",
                ),
            ),
            seen(
                f"{LIST}&max-keys=1&continuation-token=t",
                200,
                page("b", most=1, more="<ContinuationToken>t</ContinuationToken>"),
            ),
            seen(LIST, 200, page("a+", "b")),
        ],
    ),
    ("LINT-026", [seen(f"{LIST}&max-keys=2", 200, page("a", "b", most=2))]),
    ("LINT-026", [seen(LIST, 200, page(*(f"{n:04}" for n in range(1000))))]),
    (
        "LINT-027",
        [seen(f"{LIST}&prefix=a%2Fb", 200, page("a/b", prefix="a/b")), seen(f"{LIST}&max-keys=2000", 200, page())],
    ),
    (
        "LINT-027",
        [
            seen(
                f"{LIST}&prefix=a%20b&encoding-type=url",
                200,
                page(prefix="a+b", more="<EncodingType>url</EncodingType>"),
            )
        ],
    ),
    ("LINT-028", [part(0, 2, 9), part(0, 2, 9, Content_Length="3"), got(), refusal(GET, 416, "InvalidRange")]),
    ("LINT-029", [got(Content_Type="a/b"), head(ETag=ETAG, Content_Type="a/b")]),
    ("LINT-029", [got(Content_Type="a/b"), seen("PUT /b/k", 200, ETag=ETAG), head(ETag=ETAG, Content_Type="c/d")]),
    ("LINT-029", [got(Content_Type="a/b"), seen("HEAD /b/k?versionId=1", 200, Content_Length="3", Content_Type="c/d")]),
    (
        "LINT-029",
        [got(Content_Type="a/b"), seen(f"{GET}?response-content-type=x", 200, b"abc", ETag=ETAG, Content_Type="x")],
    ),
    ("LINT-030", [got(), got(), refusal(GET, 404, "NoSuchKey")]),
    (
        "LINT-031",
        [got(x_amz_storage_class="GLACIER"), seen("GET /b?location", 200, document("LocationConstraint", "moon-1"))],
    ),
    ("LINT-032", [seen("HEAD /b", 404), seen("HEAD /b", 503), seen("HEAD /b/k", 412), seen("HEAD /b/k", 304)]),
    (
        "LINT-033",
        [
            *created(),
            seen("PUT /b?versioning", 200, sent="<VersioningConfiguration/>", asked=MD5_SENT),
            got(x_amz_version_id="1"),
        ],
    ),
    ("LINT-033", [got(x_amz_version_id="1"), refusal(GET, 404, "NoSuchKey", x_amz_delete_marker="true")]),
    (
        "LINT-034",
        [
            seen("GET /?max-buckets=10000", 200, document("ListAllMyBucketsResult", f"{OWNER}<Buckets/>")),
            refusal("GET /?max-buckets=0", 400, "InvalidArgument"),
        ],
    ),
    ("REQ-001", [seen("GET /b/a%20b!$&'()*+,;=:@-._~?x-id=GetObject", 200, b"abc", ETag=ETAG)]),
    ("REQ-002", [seen("GET b.s3.test:9000/k", 200, b"abc", ETag=ETAG)]),
    ("REQ-003", [refusal("PUT /b/k", 403, "AccessDenied", sent="", asked={"Content-Length": "4"})]),
    ("REQ-004", [seen("PUT /b?tagging", 204, sent=f"<Tagging><TagSet>{TAG}</TagSet></Tagging>", asked=MD5_SENT)]),
    ("REQ-004", [refusal("PUT /b?tagging", 400, "MalformedXML", sent="<Tagging>", asked=MD5_SENT)]),
    (
        "REQ-005",
        [seen("PUT /b", 200), refusal("PUT /b?tagging", 400, "MalformedXML", sent="<Tagging/>", asked=MD5_SENT)],
    ),
]


def name(case: tuple[str, list[Witnessed]]) -> str:
    return f"{case[0]} {case[1][-1].exchange.method} {case[1][-1].exchange.status}"


@pytest.mark.parametrize(("rule", "exchanges"), FOUND, ids=map(name, FOUND))
def test_what_breaks_a_rule_is_found(rule: str, exchanges: list[Witnessed]) -> None:
    assert rule in rules(*exchanges)


@pytest.mark.parametrize(("rule", "exchanges"), MISSED, ids=map(name, MISSED))
def test_what_comes_near_breaks_no_rule_at_all(rule: str, exchanges: list[Witnessed]) -> None:
    """Not only this rule is silent: a near miss is right in every way."""
    assert rules(*exchanges) == []


def test_every_rule_has_both() -> None:
    assert {rule.removesuffix("w") for rule, _ in FOUND} == set(RULES)
    assert {rule for rule, _ in MISSED} == set(RULES)


def test_part_of_an_object_that_came_as_a_whole_is_told_once() -> None:
    """Its bytes are not those of the ETag and the checksum either."""
    one = seen(GET, 200, b"b", ETag=ETAG, x_amz_checksum_crc32=CRC32, Content_Range="bytes 1-1/3")
    assert rules(one) == ["LINT-028"]


def test_a_rule_that_warns_only_never_fails() -> None:
    """Severities in the table are those that are found, both for every rule that has both."""
    shown = {rule for rule, _ in FOUND}
    assert {f"{rule.id}w" for rule in RULES.values() if rule.warning} == {rule for rule in shown if rule[-1] == "w"}
    assert {rule.id for rule in RULES.values() if rule.failure} == {rule for rule in shown if rule[-1] != "w"}
    assert {rule.severity for rule in RULES.values()} == {"failure", "warning"}


def test_the_md5_is_that_of_the_object() -> None:
    assert hashlib.md5(b"abc").hexdigest() == MD5
    assert entry("a").count(ETAG) == 1
