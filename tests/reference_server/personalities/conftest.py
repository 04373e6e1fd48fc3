"""What the tests of personalities share; each module has a server `running` of its own."""

from __future__ import annotations

import itertools

import pytest

from tests.reference_server.conftest import Raw, Running

_names = itertools.count()


@pytest.fixture(scope="module")
def raw(running: Running) -> Raw:
    """Signed requests to the module's server."""
    return running.raw()


@pytest.fixture
def bucket() -> str:
    """A name that nobody wrote to yet."""
    return f"bucket-{next(_names)}"
