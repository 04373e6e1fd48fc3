"""Defects of HTTP itself, read from plain sockets where a library would hide them."""

from __future__ import annotations

import gzip
import hashlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.reference_server.catalogue.sockets import answer
from tests.reference_server.defects.probing import ETAG, TEN, Lab, Probe, empty, names_in
from tests.reference_server.scripted import read_one

if TYPE_CHECKING:
    from conftest import Reply

BIG = bytes(1024**2 + 1)


def first_bytes(lab: Lab, target: str) -> bytes:
    """What comes back within half a second when a client waits for 100 Continue."""
    request = lab.raw.bytes_of("PUT", target, TEN, {"Expect": "100-continue"})
    with lab.raw.connect() as sock:
        sock.sendall(request[: -len(TEN)])
        sock.settimeout(0.5)
        try:
            return sock.recv(12)
        except TimeoutError:
            return b""


def afterwards(lab: Lab, bucket: str) -> tuple[bool, str]:
    """Whether an answer announces that the connection ends, and whether it does."""
    with lab.raw.connect() as sock:
        sock.sendall(lab.raw.bytes_of("GET", f"/{bucket}/key"))
        head, _ = read_one(sock)
        sock.settimeout(0.3)
        try:
            state = "open" if sock.recv(1) else "closed"
        except TimeoutError:
            state = "open"
    return b"connection: close" in head.lower(), state


def followed(lab: Lab, bucket: str) -> tuple[int, bytes]:
    """Status of a GET, and the bytes that a client gets who repeats it where it is sent."""
    target = f"/{bucket}/key"
    headers = lab.raw.sign("GET", target, {}, hashlib.sha256(b"").hexdigest())
    reply = lab.raw("GET", target, sign=False, unsigned=headers)
    if "location" not in reply.headers:
        return reply.status, reply.body
    there = urlsplit(reply.headers["location"])
    assert there.netloc == lab.raw.host
    return reply.status, lab.raw("GET", f"{there.path}?{there.query}", sign=False, unsigned=headers).body


def unpacked(reply: Reply) -> tuple[str | None, bytes]:
    """Coding and bytes of a download."""
    coding = reply.headers.get("content-encoding")
    return coding, gzip.decompress(reply.body) if coding else reply.body


def unchanged(lab: Lab, bucket: str, header: str) -> tuple[int, str | None]:
    reply = lab.raw("GET", f"/{bucket}/key", headers={"If-None-Match": ETAG})
    return reply.status, reply.headers.get(header)


PROBES = {
    "accept-encoding-rewritten": Probe(
        lambda lab, b: lab.raw("GET", f"/{b}/key", headers={"Accept-Encoding": "gzip"}).code,
        "",
        "SignatureDoesNotMatch",
    ),
    "body-limit-413": Probe(
        lambda lab, b: [lab.raw("PUT", f"/{b}/big", body).status for body in (BIG[:-1], BIG)], [200, 200], [200, 413]
    ),
    "checksum-on-304": Probe(lambda lab, b: unchanged(lab, b, "x-amz-checksum-crc32"), (304, None), (304, "AAAAAA==")),
    "connection-reset-mid-body": Probe(lambda lab, b: answer(lab.raw, "GET", f"/{b}/key"), (200, TEN), (200, TEN[:5])),
    "continue-never-sent": Probe(lambda lab, b: first_bytes(lab, f"/{b}/key"), b"HTTP/1.1 100", b""),
    "gzip-on-the-fly": Probe(
        lambda lab, b: unpacked(lab.raw("GET", f"/{b}/key", headers={"Accept-Encoding": "gzip"})),
        (None, TEN),
        ("gzip", TEN),
    ),
    "head-length-zero": Probe(lambda lab, b: lab.raw("HEAD", f"/{b}/key").headers.get("content-length"), "10", "0"),
    "head-with-body": Probe(lambda lab, b: answer(lab.raw, "HEAD", f"/{b}/missing")[1][:5], b"", b"<?xml"),
    "head-without-length": Probe(lambda lab, b: lab.raw("HEAD", f"/{b}/key").headers.get("content-length"), "10", None),
    "keep-alive-dropped": Probe(afterwards, (False, "open"), (False, "closed")),
    "length-zero-on-304": Probe(lambda lab, b: unchanged(lab, b, "content-length"), (304, None), (304, "0")),
    "no-request-id": Probe(
        lambda lab, b: {"x-amz-request-id", "x-amz-id-2"} & lab.raw("GET", f"/{b}/key").headers.keys(),
        {"x-amz-request-id", "x-amz-id-2"},
        set(),
    ),
    "redirect-307": Probe(followed, (200, TEN), (307, TEN)),
    "slashes-merged": Probe(lambda lab, b: lab.raw("PUT", f"/{b}/a//b").code, "", "SignatureDoesNotMatch", empty),
    "slow-down-429": Probe(
        lambda lab, b: [lab.raw("GET", f"/{b}/key").status for _ in range(4)], [200] * 4, [200, 429, 200, 429]
    ),
    "underscore-headers-dropped": Probe(
        lambda lab, b: lab.raw("PUT", f"/{b}/key", headers={"x-amz-meta-a_b": "c"}).code, "", "SignatureDoesNotMatch"
    ),
}


@pytest.mark.parametrize("name", PROBES)
def test_it_shows_with_the_defect_and_not_without(lab: Lab, name: str) -> None:
    assert PROBES[name].observe(lab) == PROBES[name].honest
    assert PROBES[name].observe(lab, name) == PROBES[name].wrong


def test_every_defect_here_is_shown() -> None:
    assert names_in("wire") == PROBES.keys()


def test_a_redirected_upload_is_stored_once_it_is_followed(lab: Lab) -> None:
    """Body and signature are those of the first request."""
    bucket = lab.bucket()
    lab.behave("redirect-307")
    try:
        headers = lab.raw.sign("PUT", f"/{bucket}/new", {}, hashlib.sha256(TEN).hexdigest())
        first = lab.raw("PUT", f"/{bucket}/new", TEN, sign=False, unsigned=headers)
        there = urlsplit(first.headers["location"])
        second = lab.raw("PUT", f"{there.path}?{there.query}", TEN, sign=False, unsigned=headers)
    finally:
        lab.behave()
    assert (first.status, first.code, second.status) == (307, "TemporaryRedirect", 200)
    assert lab.raw("GET", f"/{bucket}/new").body == TEN
