"""META: metadata, stored headers and object keys."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.reference_server.catalogue.steps import fill, md5, texts, tree

if TYPE_CHECKING:
    from conftest import Raw


def listed(raw: Raw, bucket: str) -> list[str]:
    """All keys of a bucket."""
    return texts(tree(raw("GET", f"/{bucket}?list-type=2")), "Contents/Key")


@pytest.mark.catalogue("META-002")
def test_metadata_survives_in_any_number_and_shape(raw: Raw, bucket: str) -> None:
    """Many names, empty values and every printable character."""
    printable = "".join(map(chr, range(33, 127)))
    sent = {f"x-amz-meta-{number}": f"value {number}" for number in range(20)}
    sent |= {"x-amz-meta-empty": "", "x-amz-meta-signs": printable, "x-amz-meta-under_score.dot": "a, b; c=d"}
    assert raw("PUT", f"/{bucket}/k", b"x", sent).status == 200
    for method in ("GET", "HEAD"):
        found = raw(method, f"/{bucket}/k").headers
        assert {name: value for name, value in found.items() if name.startswith("x-amz-meta-")} == sent


@pytest.mark.catalogue("META-010")
@pytest.mark.parametrize(
    ("literal", "decoded"), [("a%2Fb", "a/b"), ("a%123", "a\x123"), ("%25", "%"), ("a%20b", "a b")]
)
def test_a_key_with_percent_signs_is_not_its_decoded_form(raw: Raw, bucket: str, literal: str, decoded: str) -> None:
    """Both can exist at once, with bodies of their own."""
    for key in (literal, decoded):
        assert raw("PUT", f"/{bucket}/{quote(key)}", key.encode()).status == 200
    for key in (literal, decoded):
        assert raw("GET", f"/{bucket}/{quote(key)}").body == key.encode()
    raw("DELETE", f"/{bucket}/{quote(decoded)}")
    assert listed(raw, bucket) == [literal]


@pytest.mark.catalogue("META-012")
def test_slashes_at_the_end_are_part_of_the_key(raw: Raw, bucket: str) -> None:
    """No, one and two of them make three objects."""
    keys = ("a", "a/", "a//")
    for key in keys:
        raw("PUT", f"/{bucket}/{key}", key.encode())
    assert [raw("GET", f"/{bucket}/{key}").body.decode() for key in keys] == list(keys)
    assert listed(raw, bucket) == list(keys)
    raw("DELETE", f"/{bucket}/a/")
    assert listed(raw, bucket) == ["a", "a//"]


@pytest.mark.catalogue("META-015")
@pytest.mark.parametrize("order", [("a", "a/b", "a/b/c"), ("a/b/c", "a/b", "a")])
def test_a_key_may_be_the_beginning_of_another(raw: Raw, bucket: str, order: tuple[str, ...]) -> None:
    """There are no directories that could be in the way, whichever comes first."""
    for key in order:
        assert raw("PUT", f"/{bucket}/{key}", key.encode()).status == 200
    assert [raw("GET", f"/{bucket}/{key}").body.decode() for key in order] == list(order)
    assert listed(raw, bucket) == ["a", "a/b", "a/b/c"]


@pytest.mark.catalogue("META-016")
@pytest.mark.parametrize("key", ["../{other}/k", "a/../../{other}/k", "./k", "..", "."])
def test_dots_do_not_lead_out_of_the_bucket(raw: Raw, bucket: str, key: str) -> None:
    """A path with dot segments is a key like any other, and the other bucket stays empty."""
    other = f"{bucket}-other"
    raw("PUT", f"/{other}")
    target = f"/{bucket}/{key.format(other=other)}"
    assert raw("PUT", target, b"inside", payload="UNSIGNED-PAYLOAD").status == 200
    assert raw("GET", target).body == b"inside"
    assert listed(raw, other) == []
    assert listed(raw, bucket) == [key.format(other=other)]


@pytest.mark.catalogue("META-019")
def test_letter_case_tells_keys_apart(raw: Raw, bucket: str) -> None:
    """Also beyond ASCII."""
    keys = ["Key", "KEY", "key", "É", "é"]
    fill(raw, bucket, *keys[1:])
    assert raw("GET", f"/{bucket}/Key").status == 404
    fill(raw, bucket, "Key")
    assert listed(raw, bucket) == sorted(keys, key=str.encode)


@pytest.mark.catalogue("META-020")
@pytest.mark.parametrize(
    "body", [b"a\nb\r\nc\rd\n", b"\0" * 100, bytes(range(256)) * 300, b"\r\n0\r\n\r\n", b"\xef\xbb\xbf"]
)
def test_bodies_are_bytes(raw: Raw, bucket: str, body: bytes) -> None:
    """No line end, zero or mark is changed on the way."""
    stored = raw("PUT", f"/{bucket}/k", body)
    assert stored.headers["etag"] == f'"{md5(body)}"'
    assert raw("GET", f"/{bucket}/k").body == body
