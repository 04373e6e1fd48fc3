"""LBKT: the list of buckets and the service root."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.reference_server.catalogue.steps import fields, names, refusal, texts, tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Raw, Running

BUCKETS = ("page-c", "page-a", "else", "page-b")


@pytest.fixture
def root(serve: Callable[..., Iterator[Running]]) -> Iterator[Raw]:
    """Requests to a server of its own that has BUCKETS."""
    for running in serve():
        raw = running.raw()
        for name in BUCKETS:
            assert raw("PUT", f"/{name}").status == 200
        yield raw


def listed(root: Raw, query: str = "") -> list[str]:
    """Names of the buckets that the query leaves."""
    return texts(tree(root("GET", f"/?{query}")), "Buckets/Bucket/Name")


@pytest.mark.catalogue("LBKT-001")
def test_the_list_names_the_owner_and_then_the_buckets(root: Raw) -> None:
    """Each bucket has a name and a date, and nothing else if nothing else was asked."""
    reply = root("GET", "/")
    assert reply.status == 200
    document = tree(reply)
    assert (document.tag, names(document)) == ("ListAllMyBucketsResult", ["Owner", "Buckets"])
    assert document.findtext("Owner/ID")
    buckets = [fields(bucket) for bucket in document.findall("Buckets/Bucket")]
    assert {bucket["Name"] for bucket in buckets} == set(BUCKETS)
    assert all(bucket.keys() == {"Name", "CreationDate"} for bucket in buckets)


@pytest.mark.catalogue("LBKT-002")
def test_buckets_are_sorted_by_name(root: Raw) -> None:
    """Not by the time of their creation."""
    assert listed(root) == sorted(BUCKETS)


@pytest.mark.catalogue("LBKT-003")
@pytest.mark.parametrize("size", [1, 2, 3])
def test_buckets_come_in_pages(root: Raw, size: int) -> None:
    """Each token leads to the next page and tells nobody the name of a bucket."""
    found, token = [], ""
    for _ in range(-(-len(BUCKETS) // size)):
        document = tree(root("GET", f"/?max-buckets={size}&continuation-token={token}"))
        page = texts(document, "Buckets/Bucket/Name")
        assert len(page) <= size
        found += page
        token = document.findtext("ContinuationToken") or ""
        assert token not in BUCKETS
    assert (sorted(found), token) == (sorted(BUCKETS), "")


@pytest.mark.catalogue("LBKT-004")
@pytest.mark.parametrize(
    ("prefix", "expected"), [("page-", ["page-a", "page-b", "page-c"]), ("PAGE-", []), ("e", ["else"])]
)
def test_a_prefix_selects_buckets_by_its_very_letters(root: Raw, prefix: str, expected: list[str]) -> None:
    """Capitals are other letters, and the prefix is echoed."""
    document = tree(root("GET", f"/?prefix={prefix}"))
    assert texts(document, "Buckets/Bucket/Name") == expected
    assert document.findtext("Prefix") == prefix


@pytest.mark.catalogue("LBKT-005")
def test_buckets_can_be_asked_for_by_region(root: Raw) -> None:
    """A region without buckets gives none, and what is no region is refused."""
    assert listed(root, "bucket-region=us-east-1") == sorted(BUCKETS)
    assert listed(root, "bucket-region=eu-west-1") == []
    for wrong in ("nowhere-1", "US-EAST-1"):
        reply = root("GET", f"/?bucket-region={wrong}")
        assert refusal(reply, "ArgumentName") == (400, "InvalidArgument", "bucket-region")


@pytest.mark.catalogue("LBKT-006")
@pytest.mark.parametrize("query", ["max-buckets=2", "prefix=page-", "bucket-region=us-east-1"])
def test_the_region_of_a_bucket_is_shown_if_the_list_is_paged_or_filtered(root: Raw, query: str) -> None:
    """A plain list keeps the form that old clients know."""
    document = tree(root("GET", f"/?{query}"))
    shown = texts(document, "Buckets/Bucket/BucketRegion")
    assert shown == ["us-east-1"] * len(document.findall("Buckets/Bucket"))
    assert shown
    assert tree(root("GET", "/")).findall("Buckets/Bucket/BucketRegion") == []


@pytest.mark.catalogue("LBKT-007")
def test_an_empty_token_is_none(root: Raw) -> None:
    """Unlike in a listing of objects."""
    assert root("GET", "/?continuation-token=").status == 200
    assert listed(root, "continuation-token=") == sorted(BUCKETS)


@pytest.mark.catalogue("LBKT-008")
def test_the_service_root_can_only_be_read(raw: Raw) -> None:
    """HEAD and POST are not allowed there, and the error says what was asked of what."""
    assert raw("HEAD", "/").status == 405
    reply = raw("POST", "/")
    assert refusal(reply, "Method", "ResourceType") == (405, "MethodNotAllowed", "POST", "SERVICE")


@pytest.mark.catalogue("LBKT-009")
def test_a_method_that_is_none_is_a_bad_request(raw: Raw) -> None:
    """The name is not one of HTTP's."""
    assert refusal(raw("GETS", "/")) == (400, "BadRequest")


@pytest.mark.catalogue("LBKT-010")
def test_creation_dates_have_three_zero_decimals(root: Raw) -> None:
    """ISO 8601 in UTC."""
    dates = texts(tree(root("GET", "/")), "Buckets/Bucket/CreationDate")
    assert len(dates) == len(BUCKETS)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", date) for date in dates)
