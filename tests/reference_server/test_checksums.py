"""Checksums against published and recorded values, and joining against computing anew."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from hypothesis import given
from hypothesis import strategies as st

from reference_server import checksums
from reference_server.errors import S3Error

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "checksums.json").read_text())
NAMES = sorted(checksums.ALGORITHMS.values())
JOINABLE = ["CRC32", "CRC32C", "CRC64NVME"]
UNJOINABLE = sorted(set(NAMES) - set(JOINABLE))


def checksum(algorithm: str, *pieces: bytes) -> str:
    """Base64 value of all pieces together."""
    running = checksums.start(algorithm)
    for piece in pieces:
        running.update(piece)
    return checksums.encode(running.digest())


def noise(length: int) -> bytes:
    """The bytes that the published test values of xxHash are computed over: high bytes of powers of its primes."""
    return bytes((2654435761 * pow(11400714785074694797, i, 2**64) % 2**64) >> 56 for i in range(length))


RECORDED = [
    (algorithm.upper(), text, value if algorithm != "md5" else b64encode(bytes.fromhex(value)).decode())
    for text, values in VECTORS["checksums"].items()
    for algorithm, value in values.items()
]


@pytest.mark.parametrize(("algorithm", "text", "value"), RECORDED)
def test_cks_003_values_recorded_on_s3(algorithm: str, text: str, value: str) -> None:
    assert checksum(algorithm, text.encode()) == value


def test_sha_512_of_the_example_in_fips_180() -> None:
    published = (
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
    )
    assert checksum("SHA512", b"abc") == b64encode(bytes.fromhex(published)).decode()


# Self-test values of the xxHash project for seed 0, by length of `noise`: every code path of the three functions.
XXHASH = {
    "XXHASH64": {
        0: "ef46db3751d8e999",
        1: "e934a84adb052768",
        4: "9136a0dca57457ee",
        14: "8282dcc4994e35c8",
        222: "b641ae8cb691c174",
    },
    "XXHASH3": {
        0: "2d06800538d394c2",
        1: "c44bdff4074eecdb",
        6: "27b56a84cd2d7325",
        12: "a713daf0dfbb77e7",
        24: "a3fe70bf9d3510eb",
        48: "397da259ecba1f11",
        80: "bcdefbbb2c47c90a",
        195: "cd94217ee362ec3a",
        403: "cdeb804d65c6dea4",
        2048: "dd59e2c3a5f038e0",
        2367: "cb37aeb9e5d361ed",
    },
    "XXHASH128": {
        0: "99aa06d3014798d86001c324468d497f",
        1: "a6cd5e9392000f6ac44bdff4074eecdb",
        6: "082afe0b8162d12a3e7039bdda43cfc6",
        12: "6e3efd8fc7802b18061a192713f69ad9",
        24: "0ce966e4678d37611e7044d28b1b901d",
        48: "a002ac4e5478227ef942219aed80f67b",
        81: "4952f58181ab00425e8bafb9f95fb803",
        222: "337e09641b948717f1aebd597cec6b3a",
        403: "1b6de21e332dd73dcdeb804d65c6dea4",
        2048: "f736557fd47073a5dd59e2c3a5f038e0",
        2367: "e89c0f6ff369b427cb37aeb9e5d361ed",
    },
}


@pytest.mark.parametrize(
    ("algorithm", "length", "value"), [(name, *pair) for name, values in XXHASH.items() for pair in values.items()]
)
def test_xxhashes_are_the_published_values_in_big_endian_order(algorithm: str, length: int, value: str) -> None:
    assert checksum(algorithm, noise(length)) == b64encode(bytes.fromhex(value)).decode()


@pytest.mark.parametrize("algorithm", NAMES)
@given(pieces=st.lists(st.binary(max_size=300), max_size=5))
def test_pieces_give_the_value_of_the_whole_at_every_moment(algorithm: str, pieces: list[bytes]) -> None:
    running = checksums.start(algorithm)
    for upto in range(len(pieces)):
        running.update(pieces[upto])
        assert checksums.encode(running.digest()) == checksum(algorithm, b"".join(pieces[: upto + 1]))


@pytest.mark.parametrize("algorithm", JOINABLE)
@given(parts=st.lists(st.binary(max_size=300), min_size=1, max_size=6))
def test_joined_part_checksums_are_the_checksum_of_the_whole(algorithm: str, parts: list[bytes]) -> None:
    values = [(checksum(algorithm, part), len(part)) for part in parts]
    assert checksums.joined(algorithm, values) == checksum(algorithm, b"".join(parts))


@pytest.mark.parametrize("algorithm", UNJOINABLE)
def test_other_part_checksums_are_not_joined(algorithm: str) -> None:
    with pytest.raises(ValueError, match=f"{algorithm} of a whole"):
        checksums.joined(algorithm, [(checksum(algorithm, b"a"), 1)])


def recorded_parts(algorithm: str) -> list[tuple[str, int]]:
    """Values and sizes of the parts of the recorded upload of MPC-022 and MPC-023."""
    parts = VECTORS["multipart"][0]["parts"]
    return [(checksum(algorithm, text.encode() * count), count) for text, count in parts]


@pytest.mark.parametrize("algorithm", VECTORS["multipart"][0]["composite"])
def test_mpc_022_composite_values_recorded_on_s3(algorithm: str) -> None:
    values = [value for value, _ in recorded_parts(algorithm.upper())]
    assert checksums.composite(algorithm.upper(), values) == VECTORS["multipart"][0]["composite"][algorithm]


@pytest.mark.parametrize("algorithm", VECTORS["multipart"][0]["full_object"])
def test_mpc_023_full_object_values_recorded_on_s3(algorithm: str) -> None:
    value = VECTORS["multipart"][0]["full_object"][algorithm]
    assert checksums.joined(algorithm.upper(), recorded_parts(algorithm.upper())) == value


def test_the_md5_composite_is_the_digest_in_the_multipart_etag() -> None:
    digest, _, count = VECTORS["multipart"][0]["etag"].partition("-")
    values = [value for value, _ in recorded_parts("MD5")]
    assert checksums.composite("MD5", values) == f"{b64encode(bytes.fromhex(digest)).decode()}-{count}"


@pytest.mark.parametrize(
    ("algorithm", "default", "allowed"),
    [
        ("CRC32", "COMPOSITE", {"COMPOSITE", "FULL_OBJECT"}),
        ("CRC32C", "COMPOSITE", {"COMPOSITE", "FULL_OBJECT"}),
        ("CRC64NVME", "FULL_OBJECT", {"FULL_OBJECT"}),
        *((name, "COMPOSITE", {"COMPOSITE"}) for name in UNJOINABLE),
    ],
)
def test_mpc_001_to_003_types_of_multipart_checksums(algorithm: str, default: str, allowed: set[str]) -> None:
    assert checksums.default_type(algorithm) == default
    assert {kind for kind in ("COMPOSITE", "FULL_OBJECT", "OTHER") if checksums.allows(algorithm, kind)} == allowed


def test_every_algorithm_is_one_of_the_service_model() -> None:
    shapes = Loader().load_service_model("s3", "service-2")["shapes"]
    assert len(NAMES) == 10
    assert set(NAMES) <= set(shapes["ChecksumAlgorithm"]["enum"])
    assert {checksums.member(name) for name in NAMES} <= set(shapes["Checksum"]["members"])


@pytest.mark.parametrize("algorithm", NAMES)
def test_a_value_is_read_only_in_base64_of_the_right_length(algorithm: str) -> None:
    raw = checksums.start(algorithm).digest()
    text = checksums.encode(raw)
    assert len(raw) == checksums.SIZES[algorithm]
    assert checksums.decode(algorithm, text) == raw
    for wrong in (checksums.encode(raw + b"\0"), checksums.encode(raw[:-1]), "", f"{text}-3", f" {text}", "é"):
        assert checksums.decode(algorithm, wrong) is None


@pytest.mark.parametrize("algorithm", NAMES)
def test_mpc_007_names_in_any_letter_case(algorithm: str) -> None:
    assert checksums.named(algorithm) == algorithm
    assert checksums.named(algorithm.lower()) == algorithm
    assert checksums.named(algorithm.capitalize()) == algorithm


@pytest.mark.parametrize("text", ["", "CRC", "XXH3", "SHA-256", "CRC32 "])
def test_mpc_005_an_unknown_name_is_answered_with_those_that_would_do(text: str) -> None:
    with pytest.raises(S3Error, match="InvalidRequest") as caught:
        checksums.named(text)
    known = "CRC32, CRC32C, CRC64NVME, MD5, SHA1, SHA256, SHA512, XXHASH128, XXHASH3, XXHASH64"
    assert caught.value.message.endswith(f"[{known}]")
