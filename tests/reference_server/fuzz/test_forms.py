"""Browser forms, whole and spoilt, in blocks of any size: stored as sent or refused, never an internal error."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.app import App
from tests.reference_server.catalogue.forms import BOUNDARY, KIND, encode, signed
from tests.reference_server.fuzz.support import Edits, application, ask, bounded, check, edited, edits

HEADERS = {"content-type": KIND["Content-Type"]}
PIECES = [
    *(b"\r\n", b"\n", b"\r", b"--", f"--{BOUNDARY}".encode(), f"\r\n--{BOUNDARY}--\r\n".encode(), b'"', b";", b":"),
    *(b"name=", b"filename=", b"filename*=utf-8''%ff", b"Content-Disposition:", b"Content-Type: text/plain", b"\x00"),
    *(b"Content-Length: 1", b"Content-Transfer-Encoding: base64", b"form-data", b"${filename}", b"\xff", b" ", b"\t"),
    *(b'name="file"', b'name="key"', b'name="policy"', b'name="tagging"', b'name="success_action_redirect"', b"e30="),
    *(b'name="x-amz-server-side-encryption"', b'name="x-amz-checksum-crc32"', b'name="content-md5"', b"201", b"<a/>"),
]
NAMES = st.one_of(
    st.sampled_from(
        [
            *("acl", "policy", "signature", "awsaccesskeyid", "x-amz-signature", "x-amz-credential", "x-amz-date"),
            *(
                "x-amz-algorithm",
                "x-amz-security-token",
                "success_action_status",
                "success_action_redirect",
                "redirect",
            ),
            *("tagging", "content-type", "content-md5", "content-length", "transfer-encoding", "host", "expires"),
            *("x-amz-checksum-crc32", "x-amz-trailer", "x-amz-tagging", "x-amz-storage-class", "x-amz-meta-m"),
            *("x-amz-server-side-encryption", "x-amz-server-side-encryption-customer-key", "x-amz-copy-source"),
            *("x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date", "x-amz-website-redirect-location"),
            *(
                "x-amz-write-offset-bytes",
                "x-amz-grant-read",
                "if-match",
                "if-none-match",
                "x-amz-sdk-checksum-algorithm",
            ),
        ]
    ),
    st.text(st.characters(exclude_characters='"\r\n', exclude_categories=["Cs"]), max_size=8),
)
VALUES = st.one_of(
    st.sampled_from(
        ["", "0", "-1", "*", "${filename}", "AWS4-HMAC-SHA256", "a/b/c/d/aws4_request", "e30=", "<Tagging/>"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
#: Where a body is cut into blocks.
CUTS = st.lists(st.integers(0, 3000), max_size=6)


@pytest.fixture(scope="module")
def strict() -> Iterator[App]:
    """An application that checks signatures."""
    app = application(signatures=True)
    yield app
    app.store.close()


@pytest.fixture(scope="module")
def trusting() -> Iterator[App]:
    """An application where everybody is the owner."""
    app = application(signatures=False)
    yield app
    app.store.close()


def blocks(body: bytes, cuts: list[int]) -> list[bytes]:
    """The body in pieces that the wire could have read."""
    places = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    return [body[first:last] for first, last in itertools.pairwise(places) if first < last]


@given(changes=edits(PIECES), cuts=CUTS, with_policy=st.booleans())
@bounded(300)
def test_a_spoilt_form_is_no_internal_error(strict: App, changes: Edits, cuts: list[int], with_policy: bool) -> None:
    fields = {"key": "a/${filename}", "success_action_status": "201", "x-amz-meta-m": "é"}
    form = signed("bkt", fields, conditions=[["starts-with", f"${name}", ""] for name in ("bucket", *fields)])
    body = edited(encode(form if with_policy else fields, b"x" * 100), changes)
    check(ask(strict, "POST", "/bkt", HEADERS, *blocks(body, cuts)))


@given(fields=st.lists(st.tuples(NAMES, VALUES), max_size=8), key=VALUES, cuts=CUTS)
@bounded(300)
def test_a_form_of_any_fields_is_no_internal_error(
    trusting: App, fields: list[tuple[str, str]], key: str, cuts: list[int]
) -> None:
    body = encode([("key", key), *fields])
    check(ask(trusting, "POST", "/bkt", HEADERS, *blocks(body, cuts)))


@given(key=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50), content=st.binary(), cuts=CUTS)
@bounded(200)
def test_a_file_arrives_as_it_was_sent(trusting: App, key: str, content: bytes, cuts: list[int]) -> None:
    body = encode({"key": key}, content, 'name="file"')
    assert ask(trusting, "POST", "/bkt", HEADERS, *blocks(body, cuts)).status == 204
    assert ask(trusting, "GET", f"/bkt/{quote(key, safe='')}", {}).body == content
