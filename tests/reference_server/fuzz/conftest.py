"""`S3CONFORM_FUZZ_SECONDS=60 pytest tests/reference_server/fuzz` looks for new failures, a minute in each test."""

from __future__ import annotations

import time

import pytest

from tests.reference_server.fuzz.support import SECONDS


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Repeat a property until its time is over: hypothesis itself only counts examples."""
    if not SECONDS or not hasattr(pyfuncitem.obj, "hypothesis"):
        return None
    fixtures = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        pyfuncitem.obj(**fixtures)
    return True
