"""What a bucket with versions holds, as ListObjectVersions shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.reference_server.catalogue.steps import tree

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from conftest import Raw


class Entry(NamedTuple):
    """One version of a key, or a delete marker."""

    kind: str
    key: str
    id: str
    latest: bool


def versions_page(raw: Raw, bucket: str, query: str = "") -> ET.Element:
    """One answer to ListObjectVersions; `query` begins with `&`."""
    reply = raw("GET", f"/{bucket}?versions{query}")
    assert reply.status == 200, reply.body
    return tree(reply)


def entries(page: ET.Element) -> list[Entry]:
    """Versions and delete markers of a page in the order of the document."""
    return [
        Entry(
            child.tag,
            child.findtext("Key") or "",
            child.findtext("VersionId") or "",
            {"true": True, "false": False}[child.findtext("IsLatest") or ""],
        )
        for child in page
        if child.tag in ("Version", "DeleteMarker")
    ]


def history(raw: Raw, bucket: str, query: str = "") -> list[Entry]:
    """Versions and delete markers of a bucket that shows them in one page."""
    page = versions_page(raw, bucket, query)
    assert page.findtext("IsTruncated") == "false"
    return entries(page)


def put(raw: Raw, path: str, body: bytes = b"x") -> str:
    """PutObject; the id of the new version, `null` if the answer names none."""
    reply = raw("PUT", path, body)
    assert reply.status == 200, reply.body
    return reply.headers.get("x-amz-version-id", "null")


def mark(raw: Raw, path: str) -> str:
    """DeleteObject without a version; the id of the delete marker."""
    reply = raw("DELETE", path)
    assert (reply.status, reply.headers["x-amz-delete-marker"]) == (204, "true")
    return reply.headers["x-amz-version-id"]
