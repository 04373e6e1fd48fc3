"""Defects of the canonical request: requests that S3 accepts and a wrong signer does not."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import pytest

from tests.reference_server.defects.probing import TEN, Lab, Probe, names_in
from tests.reference_server.signing import Signer


def read(query: str = "", headers: Mapping[str, str] | None = None) -> Probe:
    """GET of the object, whose signature the wrong signer does not find."""

    def ask(lab: Lab, bucket: str) -> int:
        return lab.signed("GET", f"/{bucket}/key{query}", Signer(), headers=headers).status

    return Probe(ask, 200, 403)


def store(name: str) -> Probe:
    """PUT of an object of this name."""
    return Probe(lambda lab, b: lab.signed("PUT", f"/{b}/{quote(name, safe='/.')}", Signer(), TEN).status, 200, 403)


PROBES = {
    "path-normalised": store("a//b"),
    "plus-signed-as-space": store("a+b"),
    "query-order-kept": read("?z=1&a=2"),
    "query-slashes-kept": read("?a=%2F"),
    "repeated-headers-apart": read(headers={"x-several": "1,2"}),
    "unicode-signed-raw": store("é"),
    "valueless-parameter-unsigned": read("?a"),
}


@pytest.mark.parametrize("name", PROBES)
def test_it_shows_with_the_defect_and_not_without(lab: Lab, name: str) -> None:
    assert PROBES[name].observe(lab) == PROBES[name].honest
    assert PROBES[name].observe(lab, name) == PROBES[name].wrong


def test_every_defect_here_is_shown() -> None:
    assert names_in("auth_canonical") == PROBES.keys()


@pytest.mark.parametrize("name", PROBES)
def test_plain_requests_pass(lab: Lab, name: str) -> None:
    """Headers and presigned URLs, so that the defect is not that nothing works."""

    def ask(lab: Lab, bucket: str) -> tuple[int, int]:
        plain = lab.signed("GET", f"/{bucket}/key?a=1&b=2", Signer(), headers={"x-date-like": "Fri, 1 Jan"})
        return plain.status, lab.presigned(f"/{bucket}/key", Signer()).status

    assert Probe(ask, None, None).observe(lab, name) == (200, 200)
