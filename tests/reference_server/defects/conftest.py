"""One server for all defects of a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.reference_server.defects.probing import Lab


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A server that is honest until it is told otherwise."""
    from tests.reference_server.conftest import run

    for running in run(credentials={"KEY-1": "secret-1"}):
        yield Lab(running)
