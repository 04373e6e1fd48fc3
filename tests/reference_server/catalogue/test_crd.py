"""Conditional reads: catalogue family CRD."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest

from tests.reference_server.catalogue.sockets import answer
from tests.reference_server.catalogue.steps import md5, refusal
from tests.reference_server.signing import Signer

if TYPE_CHECKING:
    from conftest import Raw

BODY = b"conditional"
METHODS = pytest.mark.parametrize("method", ["GET", "HEAD"])


@dataclass(frozen=True)
class Stored:
    """An object: where it is, and the values that conditions compare with."""

    path: str
    etag: str
    modified: str

    def shifted(self, seconds: int) -> str:
        """Its time of change, moved."""
        return formatdate(parsedate_to_datetime(self.modified).timestamp() + seconds, usegmt=True)


@pytest.fixture
def stored(raw: Raw, bucket: str) -> Stored:
    path = f"/{bucket}/k"
    assert raw("PUT", path, BODY).status == 200
    return Stored(path, f'"{md5(BODY)}"', raw("HEAD", path).headers["last-modified"])


@pytest.mark.catalogue("CRD-001")
@METHODS
def test_if_match_lets_only_the_current_tag_through(raw: Raw, stored: Stored, method: str) -> None:
    """A reader who names the tag gets that object or none."""
    current = raw(method, stored.path, headers={"If-Match": stored.etag})
    assert (current.status, current.body) == (200, BODY if method == "GET" else b"")
    other = raw(method, stored.path, headers={"If-Match": f'"{md5(b"other")}"'})
    assert other.status == 412
    assert method == "HEAD" or other.code == "PreconditionFailed"


@pytest.mark.catalogue("CRD-003")
@METHODS
def test_if_none_match_spares_what_the_client_has(raw: Raw, stored: Stored, method: str) -> None:
    """The tag that the client has gets an answer without a body, any other tag the object."""
    assert answer(raw, method, stored.path, {"If-None-Match": stored.etag}) == (304, b"")
    other = raw(method, stored.path, headers={"If-None-Match": f'"{md5(b"other")}"'})
    assert (other.status, other.body) == (200, BODY if method == "GET" else b"")


@pytest.mark.catalogue("CRD-006")
def test_if_unmodified_since_counts_the_second_itself(raw: Raw, stored: Stored) -> None:
    """The object was not changed after its own time, but after any earlier one."""
    assert raw("GET", stored.path, headers={"If-Unmodified-Since": stored.modified}).body == BODY
    reply = raw("GET", stored.path, headers={"If-Unmodified-Since": stored.shifted(-1)})
    assert refusal(reply) == (412, "PreconditionFailed")


@pytest.mark.catalogue("CRD-009")
@METHODS
def test_conditions_that_fail_together_have_an_order(raw: Raw, stored: Stored, method: str) -> None:
    """If-Match speaks first, then If-Unmodified-Since, and only without both is the answer 304."""
    failing = {
        "If-Match": '"other"',
        "If-Unmodified-Since": stored.shifted(-60),
        "If-None-Match": stored.etag,
        "If-Modified-Since": stored.modified,
    }
    for left_out, condition in enumerate(["If-Match", "If-Unmodified-Since"]):
        reply = raw(method, stored.path, headers=dict(itertools.islice(failing.items(), left_out, None)))
        assert reply.status == 412
        assert method == "HEAD" or refusal(reply, "Condition") == (412, "PreconditionFailed", condition)
    assert raw(method, stored.path, headers=dict(itertools.islice(failing.items(), 2, None))).status == 304


@pytest.mark.catalogue("CRD-010")
def test_head_refuses_without_a_body(raw: Raw, stored: Stored) -> None:
    """Nothing follows the head of either refusal."""
    assert answer(raw, "HEAD", stored.path, {"If-Match": '"other"'}) == (412, b"")
    assert answer(raw, "HEAD", stored.path, {"If-Unmodified-Since": stored.shifted(-60)}) == (412, b"")
    assert answer(raw, "HEAD", stored.path, {"If-None-Match": stored.etag}) == (304, b"")
    assert answer(raw, "HEAD", stored.path, {"If-Modified-Since": stored.modified}) == (304, b"")


@pytest.mark.catalogue("CRD-011")
def test_conditions_hold_for_presigned_urls(raw: Raw, stored: Stored) -> None:
    """Whoever follows a presigned URL may add conditions, which the signature does not cover."""
    target = Signer().presigned("GET", stored.path, {"Host": raw.host})
    cases = [
        ({"If-Match": stored.etag}, 200),
        ({"If-Match": '"other"'}, 412),
        ({"If-None-Match": stored.etag}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-Modified-Since": stored.modified}, 304),
        ({"If-Modified-Since": stored.shifted(-1)}, 200),
        ({"If-Unmodified-Since": stored.modified}, 200),
        ({"If-Unmodified-Since": stored.shifted(-1)}, 412),
    ]
    for headers, status in cases:
        reply = raw("GET", target, headers=headers, sign=False)
        assert (headers, reply.status, reply.body == BODY) == (headers, status, status == 200)


@pytest.mark.catalogue("CRD-012")
def test_not_modified_names_what_is_current(raw: Raw, stored: Stored) -> None:
    """A cache learns tag and time from the answer that spares it the body."""
    for headers in ({"If-None-Match": stored.etag}, {"If-Modified-Since": stored.modified}):
        reply = raw("GET", stored.path, headers=headers)
        assert reply.status == 304
        assert (reply.headers["etag"], reply.headers["last-modified"]) == (stored.etag, stored.modified)
