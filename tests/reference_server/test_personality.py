"""Personalities: data about other gateways, read by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reference_server.model import service_model
from reference_server.personality import UnknownPersonalityError, load, names

if TYPE_CHECKING:
    from conftest import Running

IMMUTABLE = "Auto Drive storage is immutable. Objects cannot be deleted from the Autonomys DSN."
UNSUPPORTED = "This S3 operation is not supported by Auto Drive."


@pytest.mark.parametrize("name", names())
def test_refusals_name_operations_of_the_model(name: str) -> None:
    assert set(load(name).refusals) <= set(service_model().document["operations"])


def test_the_nearest_name_is_offered() -> None:
    with pytest.raises(UnknownPersonalityError, match="did you mean 'auto-drive'"):
        load("autodrive")


def test_auto_drive_buckets_appear_with_the_first_write(auto_drive: Running) -> None:
    raw = auto_drive.raw()
    created = raw("PUT", "/implicit")
    assert (created.status, created.code, created.element("Message")) == (501, "NotImplemented", UNSUPPORTED)
    assert raw("HEAD", "/implicit").status == 404
    empty = raw("GET", "/implicit?list-type=2")
    assert (empty.status, empty.element("KeyCount"), empty.element("Name")) == (200, "0", "implicit")
    assert raw("GET", "/implicit/k").code == "NoSuchKey"
    assert raw("PUT", "/implicit/k", b"x").status == 200
    assert raw("GET", "/implicit?list-type=2").element("Key") == "k"
    assert raw("GET", "/").elements("Name") == ["implicit"]
    assert raw("POST", "/by-upload/k?uploads").status == 200
    assert raw("GET", "/").elements("Name") == ["by-upload", "implicit"]
    assert raw("HEAD", "/implicit").status == 404
    assert raw("PUT", "/Not_A_Name/k", b"x").code == "InvalidBucketName"


@pytest.mark.parametrize(
    ("method", "target", "headers", "status", "message"),
    [
        ("DELETE", "/refusing/k", {}, 403, IMMUTABLE),
        ("DELETE", "/refusing", {}, 403, IMMUTABLE),
        ("POST", "/refusing?delete", {}, 501, UNSUPPORTED),
        ("PUT", "/refusing/c", {"x-amz-copy-source": "refusing/k"}, 501, UNSUPPORTED),
        ("PUT", "/refusing/c?partNumber=1&uploadId=x", {"x-amz-copy-source": "refusing/k"}, 501, UNSUPPORTED),
        ("GET", "/refusing/k?uploadId=x", {}, 501, UNSUPPORTED),
        ("DELETE", "/refusing/k?uploadId=x", {}, 501, UNSUPPORTED),
        ("GET", "/refusing?uploads", {}, 501, UNSUPPORTED),
        ("GET", "/refusing", {}, 501, UNSUPPORTED),
        ("GET", "/refusing?location", {}, 501, UNSUPPORTED),
    ],
)
def test_auto_drive_refuses(
    auto_drive: Running, method: str, target: str, headers: dict[str, str], status: int, message: str
) -> None:
    raw = auto_drive.raw()
    raw("PUT", "/refusing/k", b"x")
    reply = raw(method, target, headers=headers)
    assert (reply.status, reply.element("Message")) == (status, message)
    assert reply.code == ("AccessDenied" if status == 403 else "NotImplemented")
    assert raw("GET", "/refusing/k").body == b"x"
