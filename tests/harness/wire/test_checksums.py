"""The checksums that scenarios expect: published check values, and values recorded on AWS."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pytest
from awscrt import checksums as crt
from hypothesis import given
from hypothesis import strategies as st

from harness.wire.checksums import (
    ALGORITHMS,
    COMPOSITE,
    JOINABLE,
    checksum,
    composed,
    composite,
    digest,
    header,
    member,
)
from scenarios.mpc_values import KNOWN_COMPOSITE, KNOWN_ETAG, KNOWN_FULL, LARGE_PART, SIZE

RECORDED = json.loads(
    (Path(__file__).parents[2] / "reference_server" / "data" / "checksums.json").read_text(encoding="utf-8")
)
CHECK = b"123456789"
"""What the catalogue of parametrised CRC algorithms gives its check values for."""


@pytest.mark.parametrize(
    ("algorithm", "value"), [("CRC32", "cbf43926"), ("CRC32C", "e3069283"), ("CRC64NVME", "ae8b14860a799888")]
)
def test_published_check_values(algorithm, value):
    assert digest(algorithm, CHECK).hex() == value


@pytest.mark.parametrize(("algorithm", "size"), [("CRC32", 4), ("CRC32C", 4), ("CRC64NVME", 8), ("SHA1", 20)])
def test_of_nothing(algorithm, size):
    """An empty body has a checksum too; of a CRC it is zero."""
    assert len(digest(algorithm, b"")) == size
    if algorithm in JOINABLE:
        assert digest(algorithm, b"") == bytes(size)


@pytest.mark.parametrize("content", sorted(RECORDED["checksums"]))
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_values_recorded_on_aws(content, algorithm):
    assert checksum(algorithm, content.encode()) == RECORDED["checksums"][content][algorithm.lower()]


@given(st.binary(max_size=300))
def test_another_implementation_agrees(data):
    """The C library of the AWS SDKs; the reference server uses it, the harness does not."""
    assert int.from_bytes(digest("CRC32", data), "big") == zlib.crc32(data)
    assert int.from_bytes(digest("CRC32C", data), "big") == crt.crc32c(data)
    assert int.from_bytes(digest("CRC64NVME", data), "big") == crt.crc64nvme(data)


def test_recorded_composites_follow_from_the_values_of_the_parts():
    """So the values written down for the large part are right, and the way they are joined is."""
    recorded = RECORDED["multipart"][0]
    assert recorded["parts"] == [["a", SIZE], ["a", SIZE], ["a", 10]]
    for algorithm in COMPOSITE:
        parts = LARGE_PART[algorithm], LARGE_PART[algorithm], checksum(algorithm, b"a" * 10)
        assert composed(algorithm, *parts) == recorded["composite"][algorithm.lower()]


def test_scenarios_hold_the_recorded_values():
    recorded = RECORDED["multipart"][0]
    assert f'"{recorded["etag"]}"' == KNOWN_ETAG
    assert {name.lower(): value for name, value in KNOWN_COMPOSITE.items()} == recorded["composite"]
    assert {name.lower(): value for name, value in KNOWN_FULL.items()} == recorded["full_object"]


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_a_large_part_has_the_value_written_down(algorithm):
    """The fast algorithms; CRC32C is held by the recorded composite."""
    assert checksum(algorithm, b"a" * SIZE) == LARGE_PART[algorithm]


def test_a_composite_is_of_the_raw_values_with_their_number():
    one, two = b"one", b"two"
    joined = digest("SHA256", one) + digest("SHA256", two)
    assert composite("SHA256", one, two) == f"{checksum('SHA256', joined)}-2"
    assert composite("SHA256", two, one) != composite("SHA256", one, two)


def test_names_on_the_wire_and_in_the_model():
    assert header("CRC64NVME") == "x-amz-checksum-crc64nvme"
    assert member("CRC64NVME") == "ChecksumCRC64NVME"
