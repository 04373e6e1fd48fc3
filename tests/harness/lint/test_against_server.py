"""The rules find nothing in what an honest server answers, and the right thing in what a wrong one does."""

from __future__ import annotations

import pytest

from harness.clients.raw import RawClient
from tests.harness.lint.driving import driver, everything
from tests.support import Server, reference_server


@pytest.mark.parametrize(("client", "addressing"), [("raw", "path"), ("raw", "virtual"), ("boto3", "path")])
def test_an_honest_server_breaks_no_rule(server: Server, client: str, addressing: str) -> None:
    """Neither does what the harness or an SDK sends to it; and there is something to look at."""
    with driver(server, client, addressing) as it:
        everything(it, f"lint-{client}-{addressing}")
        operations = {seen.exchange.url.partition("?")[0] for seen in it.seen}
        assert len(it.seen) > 120
        assert len(operations) > 15
        assert all(seen.exchange.status for seen in it.seen)
        assert it.found() == []


DEFECTS = {
    "delete-object-200": "LINT-001",
    "slow-down-429": "LINT-002",
    "empty-errors": "LINT-003",
    "error-type-binary": "LINT-003",
    "json-errors": "LINT-003",
    "head-length-zero": "LINT-004",
    "head-with-body": "LINT-004",
    "no-content-with-type": "LINT-005",
    "put-says-ok": "LINT-005",
    "etag-twice": "LINT-006",
    "metadata-names-capitalised": "LINT-007",
    "last-modified-with-offset": "LINT-008",
    "list-last-modified-as-http-date": "LINT-009",
    "expires-read-as-date": "LINT-010",
    "attributes-etag-quoted": "LINT-011",
    "etag-unquoted": "LINT-011",
    "list-etag-unquoted": "LINT-011",
    "etag-not-md5": "LINT-012",
    "checksum-in-hex": "LINT-013",
    "checksum-bytes-reversed": "LINT-014",
    "common-prefixes-in-one": "LINT-016",
    "tags-unwrapped": "LINT-017",
    "parts-element-plural": "LINT-018",
    "booleans-capitalised": "LINT-019",
    "next-part-marker-when-truncated": "LINT-020",
    "namespace-missing": "LINT-021",
    "list-root-renamed": "LINT-022",
    "keys-unescaped": "LINT-023",
    "xml-declaration-missing": "LINT-023",
    "copy-result-wrapped": "LINT-024",
    "keys-unsorted": "LINT-025",
    "token-repeats": "LINT-025",
    "truncated-without-token": "LINT-025",
    "max-keys-ignored": "LINT-026",
    "encoding-type-not-echoed": "LINT-027",
    "content-range-missing": "LINT-028",
    "content-type-missing-on-head": "LINT-029",
    "no-request-id": "LINT-030",
    "request-id-constant": "LINT-030",
    "storage-class-invented": "LINT-031",
    "version-id-null-always": "LINT-033",
}
"""Defects of the reference server, and the rule that one would expect to find each."""


@pytest.mark.parametrize(("defect", "rule"), DEFECTS.items(), ids=list(DEFECTS))
def test_a_wrong_server_breaks_the_rule_that_one_would_expect(defect: str, rule: str) -> None:
    """And nobody but the endpoint is to blame."""
    with reference_server("--defect", defect) as wrong, driver(wrong, "raw") as it:
        everything(it, "lint-defect")
        found = it.found()
    assert rule in {finding.rule for finding in found if finding.severity == "failure"}
    assert {finding.party for finding in found} == {"endpoint"}


def test_a_request_without_digest_is_held_against_both_sides() -> None:
    """Against the endpoint that took it, and as a warning against whoever sent it."""
    with reference_server("--defect", "digest-not-asked-for") as wrong, driver(wrong, "raw") as it:
        assert isinstance(it.client, RawClient)
        it.call("CreateBucket", Bucket="lint-digest")
        rule = "<CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>"
        body = f"<CORSConfiguration>{rule}</CORSConfiguration>".encode()
        it.client.send("PutBucketCors", "PUT", "/lint-digest?cors", [], body, bucket="lint-digest", deliberate=False)
        found = [(finding.rule, finding.severity, finding.party) for finding in it.found()]
    assert found == [("LINT-015", "warning", "harness"), ("LINT-015", "failure", "endpoint")]


def test_a_page_size_out_of_range_must_be_refused() -> None:
    with reference_server("--defect", "max-buckets-unchecked") as wrong, driver(wrong, "raw") as it:
        it.call("ListBuckets", MaxBuckets=0)
        assert [finding.rule for finding in it.found()] == ["LINT-034"]


def test_requests_that_are_odd_on_purpose_are_nobody_s_fault(server: Server) -> None:
    """The same request, once said by a scenario and once by a client."""
    with driver(server, "raw") as it:
        assert isinstance(it.client, RawClient)
        for deliberate in (True, False):
            it.client.send("GetObject", "GET", "/%zz/k", deliberate=deliberate)
        assert [(finding.index, finding.party) for finding in it.found()] == [(1, "harness")]
