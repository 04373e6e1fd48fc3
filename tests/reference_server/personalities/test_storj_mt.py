"""The server as Storj's Gateway-MT, where it is not as Gateway-ST: missing routes, attribution, ACLs, CORS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from reference_server.personality import load
from tests.reference_server.conftest import run

if TYPE_CHECKING:
    from tests.reference_server.conftest import Raw

BUCKET = "/mt-bucket"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
NO_ROUTE = (
    *("analytics&id=a", "inventory&id=a", "metrics&id=a", "intelligent-tiering&id=a", "ownershipControls"),
    "publicAccessBlock",
)


@pytest.fixture(scope="module")
def raw() -> Iterator[Raw]:
    for running in run(personality=load("storj-mt")):
        signed = running.raw()
        assert signed("PUT", BUCKET).status == 200
        assert signed("PUT", f"{BUCKET}/k", b"data").status == 200
        yield signed


@pytest.mark.parametrize("query", [*NO_ROUTE, "policyStatus", "analytics", "metrics"])
def test_unknown_reads_of_a_bucket_list_it(raw: Raw, query: str) -> None:
    reply = raw("GET", f"{BUCKET}?{query}")
    assert (reply.status, reply.elements("Key")) == (200, ["k"])
    assert b"<ListBucketResult" in reply.body


@pytest.mark.parametrize("query", [*NO_ROUTE, "website", "logging", "accelerate", "requestPayment"])
def test_unknown_writes_of_a_bucket_create_it(raw: Raw, query: str) -> None:
    assert raw("PUT", f"{BUCKET}?{query}").code == "BucketAlreadyExists"
    assert raw("PUT", f"{BUCKET}?{query}", b"<Other/>").code == "MalformedXML"
    assert raw("PUT", f"/mt-created?{query}").status == 200
    assert raw("DELETE", "/mt-created").status == 204


@pytest.mark.parametrize("query", NO_ROUTE)
def test_unknown_deletes_of_a_bucket_delete_it_if_it_is_empty(raw: Raw, query: str) -> None:
    assert raw("DELETE", f"{BUCKET}?{query}").code == "BucketNotEmpty"
    raw("PUT", "/mt-empty")
    assert raw("DELETE", f"/mt-empty?{query}").status == 204
    assert raw("HEAD", "/mt-empty").status == 404


@pytest.mark.parametrize("query", ["torrent", "attributes"])
def test_unknown_reads_of_an_object_answer_it(raw: Raw, query: str) -> None:
    assert raw("GET", f"{BUCKET}/k?{query}", headers={"x-amz-object-attributes": "ETag"}).body == b"data"


def test_buckets_with_attribution_are_the_buckets(raw: Raw) -> None:
    plain, attributed = raw("GET", "/"), raw("GET", "/?attribution")
    assert attributed.status == 200
    assert b'<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' in attributed.body
    for name in ("Name", "CreationDate", "ID", "DisplayName"):
        assert attributed.elements(name) == plain.elements(name)
    assert len(attributed.elements("Attribution")) == len(attributed.elements("Name")) > 0
    assert plain.elements("Attribution") == []
    assert raw("GET", "/?attribution", sign=False).status == 403


def test_cors_is_the_same_for_every_bucket(raw: Raw) -> None:
    reply = raw("GET", f"{BUCKET}?cors")
    assert (reply.status, reply.element("AllowedOrigin"), reply.element("AllowedHeader")) == (200, "*", "*")
    assert "PATCH" in reply.elements("AllowedMethod")
    assert raw("PUT", f"{BUCKET}?cors", b"<A/>").status == raw("DELETE", f"{BUCKET}?cors").status == 501


@pytest.mark.parametrize("target", [BUCKET, f"{BUCKET}/k"])
def test_only_acls_that_hold_anyway_are_taken(raw: Raw, target: str) -> None:
    grantee = (
        '<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>x</ID></Grantee>'
    )
    grants = f"<AccessControlList><Grant>{grantee}<Permission>{{}}</Permission></Grant></AccessControlList>"
    document = f"<AccessControlPolicy><Owner><ID>x</ID></Owner>{grants}</AccessControlPolicy>"
    taken = raw("PUT", f"{target}?acl", headers={"x-amz-acl": "private"})
    assert (taken.status, taken.body) == (200, b"")
    assert raw("PUT", f"{target}?acl", document.format("FULL_CONTROL").encode()).status == 200
    assert raw("PUT", f"{target}?acl", headers={"x-amz-acl": "public-read"}).code == "NotImplemented"
    assert raw("PUT", f"{target}?acl", document.format("READ").encode()).code == "NotImplemented"
    assert raw("PUT", f"{target}?acl").code == "MissingSecurityHeader"
    assert raw("GET", f"{BUCKET}/k", sign=False).status == 403


def test_acls_of_what_is_not_there_cannot_be_put(raw: Raw) -> None:
    private = {"x-amz-acl": "private"}
    assert raw("PUT", "/mt-absent?acl", headers=private).code == "NoSuchBucket"
    assert raw("PUT", f"{BUCKET}/absent?acl", headers=private).code == "NoSuchKey"


def test_what_gateway_st_refuses_otherwise_is_refused_here_too(raw: Raw) -> None:
    assert raw("GET", f"{BUCKET}?versioning").code == "NotImplemented"
    assert raw("GET", f"{BUCKET}?versions").code == "NotImplemented"
    assert raw("PUT", f"{BUCKET}?replication", b"<A/>").headers["content-type"] == "application/json"
    assert raw("DELETE", f"{BUCKET}?website", sign=False).status == 200
    assert raw("PUT", BUCKET).code == "BucketAlreadyExists"
