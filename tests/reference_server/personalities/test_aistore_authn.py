"""AIStore's AuthN: with it on, a JSON Web Token is all that counts."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from reference_server.personality import load

if TYPE_CHECKING:
    from tests.reference_server.conftest import Raw, Running


def jwt(secret: str, head: object = None, **said: object) -> str:
    """A JSON Web Token (RFC 7519)."""
    parts = ({"alg": "HS256", "typ": "JWT"} if head is None else head, said)
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts]
    proof = hmac.digest(secret.encode(), b".".join(coded), "sha256")
    return b".".join([*coded, base64.urlsafe_b64encode(proof).rstrip(b"=")]).decode()


@pytest.fixture
def guarded(serve: Callable[..., Iterator[Running]]) -> Iterator[Raw]:
    """A cluster with AuthN on, whose secret is `hidden`, and a bucket `b` in it."""
    for running in serve(personality=load("aistore")):
        raw = running.raw()
        assert raw("PUT", "/b").status == 200
        assert raw("PUT", "/v1/cluster", b'{"value": {"auth": {"enabled": true, "secret": "hidden"}}}').status == 200
        yield raw


@pytest.mark.parametrize(
    ("name", "value"),
    [("authorization", "Bearer {}"), ("authorization", "bearer {}"), ("x-amz-security-token", "{}")],
)
def test_with_authn_a_token_counts(guarded: Raw, name: str, value: str) -> None:
    for token in (jwt("hidden", sub="somebody"), jwt("hidden", exp=time.time() + 60)):
        given = {name: value.format(token)}
        assert guarded("PUT", "/b/k", b"hello", given, sign=False).status == 200
        assert guarded("GET", "/b/k", headers=given, sign=False).body == b"hello"


@pytest.mark.parametrize(
    "token",
    [
        jwt("another", sub="somebody"),
        jwt("hidden", exp=1),
        jwt("hidden", exp="tomorrow"),
        jwt("hidden", {"alg": "none"}),
        jwt("hidden", ["HS256"]),
        jwt("hidden").rpartition(".")[0],
        "no-token",
        "é",
        "",
    ],
)
def test_with_authn_all_others_are_refused(guarded: Raw, token: str) -> None:
    for headers in ({}, {"authorization": f"Bearer {token}"}, {"x-amz-security-token": token}):
        for method, path in (("GET", "/"), ("PUT", "/c"), ("PUT", "/b/k"), ("GET", "/b/k"), ("PUT", "/v1/cluster")):
            reply = guarded(method, path, b"hello" if method == "PUT" else b"", headers, sign=False)
            assert (reply.status, reply.code) == (403, "AccessDenied")


def test_with_authn_a_signature_is_no_token(guarded: Raw) -> None:
    assert guarded("GET", "/b").code == "AccessDenied"
    assert guarded("GET", "/b", unsigned={"x-amz-security-token": jwt("hidden")}).status == 200


def test_authn_can_be_turned_off_again(guarded: Raw) -> None:
    given = {"authorization": f"Bearer {jwt('hidden')}"}
    off = b'{"value": {"auth": {"enabled": false}}}'
    assert guarded("PUT", "/v1/cluster", off, given, sign=False).status == 200
    assert guarded("GET", "/").status == 200
