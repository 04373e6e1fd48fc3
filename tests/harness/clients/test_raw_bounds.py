"""Raw HTTP against an endpoint that sends without end: what it keeps is bounded."""

from __future__ import annotations

import pytest

from harness.clients.raw import RawClient
from harness.config import Endpoint
from harness.wire.http1 import MAX_BODY
from harness.wire.sigv4 import Credentials


@pytest.mark.parametrize("version", [1, 2])
def test_a_listing_of_huge_pages_is_cut_by_its_size(answering, version):
    """Long before its pages are too many; the walk is then no good answer."""
    end = b"<NextContinuationToken>t</NextContinuationToken><Contents><Key>a</Key></Contents></ListBucketResult>"
    page = b"<ListBucketResult><IsTruncated>true</IsTruncated>" + b" " * (MAX_BODY // 5 * 2) + end
    endpoint = answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(page) + page)
    client = RawClient(Endpoint(endpoint.url, Credentials("AK", "SK"), timeout=5))
    found = client.list_all(version, {"Bucket": "bucket"})
    client.close()
    assert (found.ok, found.failure) == (False, "the listing does not end: cut after 3 pages")
    assert len(found.exchanges) == 3
    assert [entry["Key"] for entry in found.output["Contents"]] == ["a"] * 3
