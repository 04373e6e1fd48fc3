"""Signatures in headers and queries: whatever is changed is refused with a code, and never as an internal error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.app import App
from tests.reference_server.fuzz.support import OWNER, Edits, application, ask, bounded, check, edited, edits
from tests.reference_server.signing import SIGNED, SIGNED_TRAILER, UNSIGNED, UNSIGNED_TRAILER, Signer

PIECES = [
    *(b",", b"=", b"/", b";", b" ", b"\t", b"%", b"%2F", b"%00", b"&", b"+", b"\xc3\xa9", b"\xff", b"0", b"-", b"Z"),
    *(b"AWS4-HMAC-SHA256", b"AWS4-ECDSA-P256-SHA256", b"AWS ", b"Credential=", b"SignedHeaders=", b"Signature="),
    *(b"aws4_request", b"us-east-1", b"s3", b"19700101", b"99999999", b"20300230", b"host", b"x-amz-date", b"a" * 300),
    *(b"T235960Z", b"604801", b"99999999999999999999", b"-1", b"X-Amz-Signature=", b"X-Amz-Date=", b"&&", b"=&="),
]
#: What a header's value can be once it is off the wire: any byte but these, and no space around it.
_IMPOSSIBLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
HEADERS = st.sampled_from(["Authorization", "x-amz-date", "x-amz-content-sha256", "Host", "x-amz-meta-a"])
KEYWORDS = st.sampled_from([UNSIGNED, SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER, "0" * 64, ""])


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    one = application(signatures=True)
    yield one
    one.store.close()


def _value(text: str, changes: Edits) -> str:
    return _IMPOSSIBLE.sub("", edited(text.encode("latin-1"), changes).decode("latin-1")).strip(" \t")


def _meaning(authorization: str) -> tuple[str, dict[str, str]]:
    """Scheme and fields, without what makes no difference: spaces between fields, their order, case of header names."""
    scheme, _, rest = authorization.partition(" ")
    fields = dict(piece.strip().partition("=")[::2] for piece in rest.split(","))
    return scheme, {**fields, "SignedHeaders": fields.get("SignedHeaders", "").lower()}


def test_what_is_not_changed_is_let_in(app: App) -> None:
    """Else everything below would hold for a server that lets nobody in."""
    sent = Signer(*OWNER).headers("GET", "/bkt/key", {"Host": "h", "x-amz-meta-a": "1"}, UNSIGNED)
    assert ask(app, "GET", "/bkt/key", {name.lower(): value for name, value in sent.items()}).status == 200
    target = Signer(*OWNER).presigned("GET", "/bkt/key", {"Host": "h"})
    assert ask(app, "GET", target, {"host": "h"}).status == 200


@bounded(450)
@given(name=HEADERS, changes=edits(PIECES), method=st.sampled_from(["GET", "PUT", "HEAD", "DELETE"]), word=KEYWORDS)
def test_a_changed_header_lets_nobody_in(app: App, name: str, changes: Edits, method: str, word: str) -> None:
    original = Signer(*OWNER).headers(method, "/bkt/key?x=1", {"Host": "h", "x-amz-meta-a": "two words"}, word)
    changed = {**original, name: _value(original[name], changes)}
    answer = ask(app, method, "/bkt/key?x=1", {name.lower(): value for name, value in changed.items()})
    check(answer)
    if answer.status < 300:
        before, after = ((_meaning(h["Authorization"]), " ".join(h[name].split())) for h in (original, changed))
        assert before[0] == after[0]
        assert name == "Authorization" or before[1] == after[1]


@bounded(450)
@given(changes=edits(PIECES), method=st.sampled_from(["GET", "PUT", "HEAD"]))
def test_a_changed_url_lets_nobody_in(app: App, changes: Edits, method: str) -> None:
    original = Signer(*OWNER).presigned(method, "/bkt/key?x-id=a%20b", {"Host": "h"})
    path, _, query = original.partition("?")
    changed = f"{path}?{re.sub('[^!-~]', '', edited(query.encode(), changes).decode('latin-1'))}"
    answer = ask(app, method, changed, {"host": "h"})
    check(answer)
    if answer.status < 300:
        before, after = (sorted(_pairs(text)) for text in (original, changed))
        assert before == after


def _pairs(target: str) -> list[tuple[str, str]]:
    """Names and values of a query, decoded; of a name that says nothing about the signature, all of its values."""
    pieces = [piece.partition("=") for piece in target.partition("?")[2].split("&") if piece]
    return [(unquote(name.replace("+", " ")), unquote(value.replace("+", " "))) for name, _, value in pieces]


@bounded(300)
@given(pieces=st.lists(st.sampled_from([piece.decode("latin-1") for piece in PIECES]), max_size=30))
def test_any_authorization_is_refused(app: App, pieces: list[str]) -> None:
    stamp = Signer(*OWNER).headers("GET", "/", {"Host": "h"}, UNSIGNED)["x-amz-date"]
    value = "".join(pieces).strip(" \t")
    headers = {"host": "h", "x-amz-date": stamp, "x-amz-content-sha256": UNSIGNED, "authorization": value}
    for start in ("", "AWS4-HMAC-SHA256 "):
        answer = ask(app, "GET", "/bkt/key", {**headers, "authorization": start + value})
        check(answer)
        assert answer.status in (400, 403)
