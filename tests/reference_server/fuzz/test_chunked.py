"""aws-chunked bodies: what is spoilt is refused, what is read is exactly what was signed, and nothing lasts."""

from __future__ import annotations

import hashlib
import itertools
import zlib
from base64 import b64encode
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server import sigv4
from reference_server.app import App
from reference_server.chunked import ChunkedReader
from reference_server.errors import S3Error
from tests.reference_server.fuzz.support import OWNER, Edits, application, ask, bounded, check, edited, edits
from tests.reference_server.signing import (
    SIGNED,
    SIGNED_TRAILER,
    UNSIGNED_TRAILER,
    Chain,
    Signer,
    signed_body,
    stamp,
    unsigned_body,
)

PIECES = [
    *(b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"0", b"0\r\n", b"0\r\n\r\n", b";", b"=", b" ", b":", b"\0", b"\xff", b"-1"),
    *(b";chunk-signature=", b"chunk-signature", b"ffffffffffffffff", b"0x1", b"1;a=b\r\nx\r\n", b"2000", b"g", b"_1"),
    *(b"x-amz-checksum-crc32:AAAAAA==\r\n", b"x-amz-trailer-signature:", b"x-amz-checksum-sha1:x\r\n", b"0" * 64),
    *(b"x-amz-checksum-crc32", b"x-amz-trailer-signature:" + b"0" * 64 + b"\r\n", b"X" * 17_000),
]
CHUNKS = [b"x" * 8192, b"y" * 8200, b"the tail"]
DATA = b"".join(CHUNKS)
TRAILER = f"x-amz-checksum-crc32:{b64encode(zlib.crc32(DATA).to_bytes(4, 'big')).decode()}"
MODES = {SIGNED: "", SIGNED_TRAILER: TRAILER, UNSIGNED_TRAILER: TRAILER}


def _upload(mode: str) -> tuple[Signer, dict[str, str], bytes]:
    """Signer, headers and body of a valid upload."""
    signer, trailer = Signer(*OWNER), MODES[mode]
    headers = {"Host": "h", "x-amz-decoded-content-length": str(len(DATA))}
    if trailer:
        headers["x-amz-trailer"] = trailer.partition(":")[0]
    sent = signer.headers("PUT", "/bkt/key", headers, mode)
    if mode == UNSIGNED_TRAILER:
        return signer, sent, unsigned_body(*CHUNKS, trailers=[trailer])
    return signer, sent, signed_body(Chain(signer, sent), *CHUNKS, trailer=trailer)


def _read(mode: str, signer: Signer, sent: dict[str, str], blocks: list[bytes]) -> tuple[str, bytes, dict[str, str]]:
    """How the reader ends (empty: well), and what it has read until then."""
    chain = None
    if mode != UNSIGNED_TRAILER:
        key = sigv4.signing_key(OWNER[1], stamp(signer.at)[:8], "us-east-1", "s3")
        chain = sigv4.ChunkSigner(key, stamp(signer.at), signer.scope, sent["Authorization"].rpartition("=")[2])
    reader = ChunkedReader(blocks, chain, trailer=bool(MODES[mode]))
    data = b""
    try:
        for piece in reader:
            data += piece
    except S3Error as error:
        return f"{error.status} {error.code}", data, {}
    return "", data, reader.trailers


def _blocks(body: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    return [body[start:end] for start, end in itertools.pairwise(places)]


#: The places of edits favour what frames the data: the data itself is most of a body.
PLACES = st.sampled_from([0, 1, 90, 8282, 8290, 8372, 16_570, 16_670, 16_760, 16_860])
SPOILT = st.builds(
    lambda base, changes: [(base + at % 60, gone, instead) for at, gone, instead in changes], PLACES, edits(PIECES)
)


@pytest.mark.parametrize("mode", list(MODES))
def test_what_is_not_changed_is_read(mode: str) -> None:
    signer, sent, body = _upload(mode)
    outcome, data, trailers = _read(mode, signer, sent, [body])
    assert (outcome, data) == ("", DATA)
    assert trailers == ({TRAILER.partition(":")[0]: TRAILER.partition(":")[2]} if MODES[mode] else {})


@bounded(500)
@given(mode=st.sampled_from(list(MODES)), changes=SPOILT, cuts=st.lists(st.integers(0, 20_000), max_size=6))
def test_signed_chunks_are_read_as_signed_or_refused(mode: str, changes: Edits, cuts: list[int]) -> None:
    """And it does not matter in which blocks they come."""
    signer, sent, body = _upload(mode)
    spoilt = edited(body, changes)
    outcome, data, trailers = _read(mode, signer, sent, [spoilt])
    assert _read(mode, signer, sent, _blocks(spoilt, cuts)) == (outcome, data, trailers)
    assert outcome == "" or outcome[0] == "4"
    if not outcome and mode != UNSIGNED_TRAILER:
        assert data == DATA
        assert not MODES[mode] or trailers == dict([TRAILER.split(":", 1)])


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    one = application(signatures=True)
    yield one
    one.store.close()


@bounded(250)
@given(mode=st.sampled_from(list(MODES)), changes=SPOILT, length=st.sampled_from([None, "0", "5", "99999", "-1", "x"]))
def test_a_spoilt_upload_leaves_the_old_object(app: App, mode: str, changes: Edits, length: str | None) -> None:
    read = Signer(*OWNER).headers("GET", "/bkt/key", {"Host": "h"}, hashlib.sha256(b"").hexdigest())
    read = {name.lower(): value for name, value in read.items()}
    before = ask(app, "GET", "/bkt/key", read).body
    _, sent, body = _upload(mode)
    headers = {name.lower(): value for name, value in sent.items()}
    if length is not None:
        headers["x-amz-decoded-content-length"] = length
    answer = ask(app, "PUT", "/bkt/key", headers, edited(body, changes))
    check(answer)
    assert ask(app, "GET", "/bkt/key", read).body == (DATA if answer.status == 200 else before)


@bounded(400)
@given(blocks=st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=20)), max_size=30), trailer=st.booleans())
def test_any_bytes_are_refused_or_read(blocks: list[bytes], trailer: bool) -> None:
    for one in (blocks, [b"".join(blocks)]):
        codes = {""}
        try:
            list(ChunkedReader(one, None, trailer=trailer))
        except S3Error as error:
            codes.add(error.code)
        assert codes <= {"", "IncompleteBody", "MalformedTrailerError"}
