"""Fixtures that several folders share."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# `pytest` without `python -m` does not put the checkout on the path, and the tests share `tests.support`.
sys.path.insert(0, str(Path(__file__).parent.parent))

from hypothesis import settings

from harness.cli import main
from tests import support

# The same examples every time, so that a change is judged by what it changes. HYPOTHESIS_PROFILE=search looks for new
# ones; machines are shared, so no example has a deadline.
settings.register_profile("stable", deadline=None, max_examples=60, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "stable"))


@pytest.fixture(scope="session")
def server() -> Iterator[support.Server]:
    """One reference server for all tests of a worker: each leaves it as it found it."""
    with support.reference_server() as running:
        yield running


@pytest.fixture
def in_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., support.Ended]]:
    """The program within this process: for the many that end before anything is sent."""

    def call(*arguments: str) -> support.Ended:
        monkeypatch.setattr(sys, "argv", ["s3conform", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        streams = capfd.readouterr()
        return support.Ended(int(end.value.code or 0), streams.out, streams.err)

    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    before = signal.getsignal(signal.SIGTERM)
    yield call
    signal.signal(signal.SIGTERM, before)
