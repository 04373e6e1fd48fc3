"""The reference server as people run it, over http and over https, for programs as people run them."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.reference_server.clients.running import Site, serving

MIB = 1024 * 1024


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that speaks http."""
    with serving(tmp_path_factory.mktemp("http")) as site:
        yield site


@pytest.fixture(scope="session")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that speaks https, with an authority of its own."""
    with serving(tmp_path_factory.mktemp("https"), "--tls") as site:
        yield site


@pytest.fixture(scope="session")
def large() -> bytes:
    """12 MiB and a little, so that parts of 5 MiB are three and the last one is short."""
    return random.Random(1).randbytes(12 * MIB + 7)  # noqa: S311 - bytes, not secrets


@pytest.fixture(scope="session")
def tree(large: bytes) -> dict[str, bytes]:
    """A folder of files as people have them: nested, empty, oddly named, and one larger than a part."""
    return {
        "a.txt": b"hello",
        "empty": b"",
        "large.bin": large,
        "sp ace+plus&amp%25=.txt": b"every character that needs care in a URL",
        "sub/deep/er/leaf": b"leaf",
        "sub/é漢字😀.txt": b"names are UTF-8",
        "sub-/between": b"sorts between sub and sub/",
    }
