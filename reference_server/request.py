"""One S3 request, taken apart from the raw target: bucket, key, query, headers.

Nothing here normalises: `a//b`, `./` and `%2F` keep their meaning, because both routing and the signature
depend on the bytes that the client sent (catalogue AUTH-026, META-010).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from reference_server.errors import S3Error

if TYPE_CHECKING:
    from reference_server.wire import Body, Head

#: Longest key in bytes of UTF-8 (Amazon S3 User Guide, "Naming Amazon S3 objects").
MAX_KEY = 1024
#: Between bucket and domain in the host of a website endpoint: BUCKET.s3-website.DOMAIN.
WEBSITE = ".s3-website"


@dataclass
class Request:
    """A request after the target was taken apart; `key` is None below bucket level.

    `website`: it came to the website endpoint of the bucket.
    """

    head: Head
    body: Body
    raw_path: str
    query: list[tuple[str, str]]
    bucket: str | None
    key: str | None
    virtual_host: bool
    website: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """The HTTP method in upper case."""
        return self.head.method

    @cached_property
    def parameters(self) -> dict[str, str]:
        """Query parameters by name; of a repeated one the first counts."""
        return dict(reversed(self.query))

    @property
    def level(self) -> str:
        """`service`, `bucket` or `object`."""
        if self.bucket is None:
            return "service"
        return "bucket" if self.key is None else "object"


def split_target(target: bytes) -> tuple[str, str]:
    """Raw path and raw query string; an absolute-form target loses scheme and authority (RFC 9112 §3.2.2)."""
    text = target.decode("latin-1")
    if not text.startswith("/"):
        scheme, separator, rest = text.partition("://")
        if not separator or scheme.lower() not in ("http", "https"):
            raise S3Error("InvalidURI", None, {"URI": text})
        slash = rest.find("/")
        text = rest[slash:] if slash >= 0 else "/"
    path, _, query = text.partition("?")
    return path, query


def parse_query(raw: str) -> list[tuple[str, str]]:
    """Name and value pairs, each decoded once; `+` is a space; a name without `=` has an empty value.

    Raises:
        S3Error: InvalidURI for bytes that are not UTF-8.
    """
    if not raw:
        return []
    pairs = []
    for piece in raw.split("&"):
        if piece:
            name, _, value = piece.partition("=")
            pairs.append((_decode(name.replace("+", " ")), _decode(value.replace("+", " "))))
    return pairs


def _decode(text: str) -> str:
    if "%" not in text and text.isascii():
        return text
    try:
        return unquote_to_bytes(text.encode("latin-1")).decode()
    except UnicodeDecodeError:
        raise S3Error("InvalidURI", None, {"URI": text}) from None


def _bucket_of_host(host: str, domains: tuple[str, ...]) -> str | None:
    """The bucket that a virtual-hosted-style Host names, if any."""
    name = host.partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    for domain in domains:
        if name.endswith(domain) and len(name) > len(domain) and name[-len(domain) - 1] == ".":
            return name[: -len(domain) - 1]
    return None


def address(head: Head, domains: tuple[str, ...]) -> tuple[str | None, str, bool]:
    """Bucket, raw key, and whether the bucket came from the Host header.

    Raises:
        S3Error: BadRequest without Host, InvalidURI.
    """
    host = head.headers.get("host")
    if not host:
        raise S3Error("BadRequest", "The Host header is missing.")
    raw_path, _ = split_target(head.target)
    bucket = _bucket_of_host(host.lower(), domains)
    if bucket is not None:
        return bucket, raw_path[1:], True
    raw_bucket, slash, rest = raw_path[1:].partition("/")
    bucket = _decode(raw_bucket) or None
    if bucket is None and slash:
        raise S3Error("InvalidURI", None, {"URI": raw_path})
    return bucket, rest, False


def parse(head: Head, body: Body, domains: tuple[str, ...]) -> Request:
    """Take one request apart.

    Args:
        head: request head.
        body: its body, not read here.
        domains: domain names below which the first labels of Host are a bucket.

    Raises:
        S3Error: BadRequest without Host, InvalidURI, KeyTooLongError.
    """
    bucket, rest, virtual = address(head, domains)
    raw_path, raw_query = split_target(head.target)
    key = _decode(rest) or None
    if key is not None and len(key.encode()) > MAX_KEY:
        size = len(key.encode())
        raise S3Error("KeyTooLongError", None, {"Size": size, "MaxSizeAllowed": MAX_KEY})
    query = parse_query(raw_query)
    website = virtual and bucket is not None and bucket.endswith(WEBSITE)
    bucket = bucket.removesuffix(WEBSITE) if website and bucket is not None else bucket
    headers = _with_query_headers(head.headers, query)
    return Request(head, body, raw_path, query, bucket, key, virtual, website, headers)


_CHECKSUM = re.compile(r"x-amz-(?:sdk-checksum-algorithm|checksum-(?!mode|type|algorithm).*)")


def _with_query_headers(headers: dict[str, str], query: list[tuple[str, str]]) -> dict[str, str]:
    """The headers plus x-amz-* settings carried in the query of a presigned URL (catalogue PRE-012).

    Checksums are no settings: SDKs presign that of an empty body, and S3 signs but does not compare what stands in a
    query (compared with AWS in localstack/localstack#12164).
    """
    carried = {
        # As the bytes would read in a header: latin-1 throughout.
        name.lower(): value.encode().decode("latin-1")
        for name, value in query
        if name[:6].lower() == "x-amz-" and not _CHECKSUM.fullmatch(name.lower())
    }
    return {**carried, **headers} if carried else headers
