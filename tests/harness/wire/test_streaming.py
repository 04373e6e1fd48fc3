"""aws-chunked bodies: the documentation's example, and each fault that a stream can have."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.wire.sigv4 import Credentials, Signed, Signer
from harness.wire.streaming import Stream

EXAMPLES = json.loads(
    (Path(__file__).parents[2] / "reference_server" / "data" / "sigv4_examples.json").read_text(encoding="utf-8")
)["signatures"]
ZEROS = "0" * 64
CRC = ("x-amz-checksum-crc32", "DUoRhQ==")


def signed(seed: str = EXAMPLES["chunk_seed"]) -> Signed:
    """The signature of the headers in the documentation's example."""
    keys = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    now = dt.datetime(2013, 5, 24, tzinfo=dt.UTC)
    return Signed("", seed, Signer(keys, "us-east-1", now))


def heads(body: bytes) -> list[tuple[int, str]]:
    """Sizes and signatures of the chunks of a signed body."""
    found = []
    while body:
        head, _, rest = body.partition(b"\r\n")
        size, _, signature = head.decode().partition(";chunk-signature=")
        found.append((int(size, 16), signature))
        if not found[-1][0]:
            break
        body = rest[found[-1][0] :].removeprefix(b"\r\n")
    return found


def test_chunk_signatures_of_the_documentation():
    """65536 and 1024 times "a", as in Amazon's example of a transfer in several chunks."""
    stream = Stream((b"a" * 65536, b"a" * 1024), signed=True)
    body = stream.framed(signed())
    assert heads(body) == [(65536, EXAMPLES["chunk_0"]), (1024, EXAMPLES["chunk_1"]), (0, EXAMPLES["chunk_2"])]
    assert len(body) == 66824  # the Content-Length of the example
    assert stream.size == 66824


def test_an_unsigned_stream():
    stream = Stream((b"hello ", b"world"), (CRC,))
    assert stream.framed(None) == b"6\r\nhello \r\n5\r\nworld\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"
    assert stream.headers == {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "Content-Encoding": "aws-chunked",
        "x-amz-decoded-content-length": "11",
        "x-amz-trailer": "x-amz-checksum-crc32",
    }


def test_nothing_at_all():
    assert Stream().framed(None) == b"0\r\n\r\n"
    assert Stream().headers["x-amz-decoded-content-length"] == "0"


@pytest.mark.parametrize(
    ("stream", "mode"),
    [
        (Stream(), "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        (Stream(signed=True), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        (Stream(signed=True, trailers=(CRC,)), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"),
    ],
)
def test_the_mode_follows_from_the_stream(stream, mode):
    assert stream.mode == mode


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_forged_chunk_is_the_only_one_that_is_wrong(index):
    """The chain goes on from the right signature, so that a server which skips one check sees no other fault."""
    stream = Stream((b"one", b"two"), signed=True)
    right, wrong = heads(stream.framed(signed())), heads(replace(stream, forged=frozenset({index})).framed(signed()))
    assert [number for number in range(3) if right[number] != wrong[number]] == [index]
    assert wrong[index][1] == ZEROS


def test_the_signature_of_a_trailer():
    """It continues the chain over the lines with line feeds; what it signs, and its place in the chain, count."""
    stream = Stream((b"data",), (CRC,), signed=True)
    body = stream.framed(signed())
    line = body.split(b"\r\n")[-3].decode()
    assert line.startswith("x-amz-trailer-signature:")
    assert ZEROS not in line
    assert line not in replace(stream, trailers=((CRC[0], "other"),)).framed(signed()).decode()
    assert line not in replace(stream, chunks=(b"Data",)).framed(signed()).decode()
    assert f"x-amz-trailer-signature:{ZEROS}".encode() in replace(stream, trailer_signature="wrong").framed(signed())
    missing = replace(stream, trailer_signature="missing").framed(signed())
    assert missing == body.replace(line.encode() + b"\r\n", b"")


@pytest.mark.parametrize(
    ("changed", "body"),
    [
        ({"ended": False}, b"4\r\ndata\r\n"),
        ({"ended": False, "cut": 4}, b"4\r\nda"),
        ({"newline": b"\n"}, b"4\ndata\n0\n\n"),
        ({"head": "{size:x} ; note"}, b"4 ; note\r\ndata\r\n0 ; note\r\n\r\n"),
        ({"trailers": (CRC, CRC)}, b"4\r\ndata\r\n0\r\n" + b"x-amz-checksum-crc32:DUoRhQ==\r\n" * 2 + b"\r\n"),
        ({"wrapped": 8}, b"8\r\n4\r\ndata\r\r\n6\r\n\n0\r\n\r\n\r\n0\r\n\r\n"),
    ],
)
def test_faults_are_data(changed, body):
    assert replace(Stream((b"data",)), **changed).framed(None) == body


def test_what_is_announced_may_differ_from_what_is_sent():
    stream = Stream((b"data",), (CRC,))
    assert "x-amz-trailer" not in replace(stream, announced="").headers
    assert replace(stream, announced="x-own").headers["x-amz-trailer"] == "x-own"
    assert replace(stream, wrapped=3).headers["Transfer-Encoding"] == "chunked"


@given(
    st.lists(st.binary(min_size=1, max_size=20), max_size=4),
    st.booleans(),
    st.sampled_from([(), (CRC,)]),
    st.integers(min_value=0, max_value=9),
)
def test_the_size_is_known_before_the_signature(chunks, is_signed, trailers, wrapped):
    stream = Stream(tuple(chunks), trailers, signed=is_signed, wrapped=wrapped)
    assert stream.size == len(stream.framed(signed()))
    assert stream.content == b"".join(chunks)
