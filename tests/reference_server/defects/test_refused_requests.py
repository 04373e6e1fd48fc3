"""Defects of what should not have become an upload or a request: `payload_length` and `serialise_requests`."""

from __future__ import annotations

import pytest

from tests.reference_server.defects.probing import Lab, Probe, names_in
from tests.reference_server.scripted import read_all


def raw_bytes(data: bytes) -> Probe:
    """The first bytes of the answer to these."""

    def ask(lab: Lab, _bucket: str) -> bytes:
        with lab.raw.connect() as sock:
            sock.sendall(data)
            return read_all(sock)[:12]

    return Probe(ask, b"HTTP/1.1 400", b"")


def unsized(lab: Lab, bucket: str) -> int:
    """Status of a PUT without Content-Length."""
    return lab.raw("PUT", f"/{bucket}/new", length=False).status


PROBES = {
    "length-not-demanded": Probe(unsized, 411, 200),
    "bad-request-unanswered": raw_bytes(b"no request\r\n\r\n"),
}


@pytest.mark.parametrize("name", PROBES)
def test_it_shows_with_the_defect_and_not_without(lab: Lab, name: str) -> None:
    assert PROBES[name].observe(lab) == PROBES[name].honest
    assert PROBES[name].observe(lab, name) == PROBES[name].wrong


def test_no_host_is_unanswered_too(lab: Lab) -> None:
    probe = raw_bytes(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert (probe.observe(lab), probe.observe(lab, "bad-request-unanswered")) == (probe.honest, probe.wrong)


def test_every_defect_here_is_shown() -> None:
    assert names_in("payload_length") | names_in("serialise_requests") == PROBES.keys()
