"""Which known gateway an endpoint is like."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from harness import nearest, profile, scenario
from harness.config import Endpoint
from harness.run import new_run_id
from harness.sandbox import JournalHead, append
from harness.wire.sigv4 import Credentials
from tests import support


@pytest.mark.parametrize("name", profile.names())
def test_each_known_gateway_is_recognised(name: str, tmp_path: Path) -> None:
    with support.reference_server("--personality", name) as server:
        endpoint = Endpoint(server.endpoint, Credentials(server.access_key, server.secret_key), server.region)
        run_id = new_run_id()
        append(tmp_path / "journal.jsonl", JournalHead(run_id, endpoint.url, endpoint.region, "path"))
        found = nearest.look(endpoint, run_id, tmp_path)
    assert found[0].profile == name
    assert found[0].judged > 10
    assert found[0].failing <= 1  # buckets are asked for here, also where they come by themselves
    assert found[1].failing > 2 * found[0].failing


def test_endpoint_that_shows_nothing_is_like_none() -> None:
    found = nearest.fits([], map(profile.load, profile.names()), dt.date(2026, 1, 1))
    assert {fit.judged for fit in found} == {0}
    assert found[0].profile == "aws"


def test_no_scenario_is_begun_when_the_time_is_over(tmp_path: Path) -> None:
    endpoint = Endpoint("http://127.0.0.1:1", Credentials("AK", "SK"), timeout=1)
    append(tmp_path / "journal.jsonl", JournalHead("260101000000-abcdef", endpoint.url, endpoint.region, "path"))
    found = nearest.look(endpoint, "260101000000-abcdef", tmp_path, seconds=0)
    assert {fit.judged for fit in found} == {0}


def test_telling_scenarios_can_be_asked_of_any_endpoint() -> None:
    known = scenario.of_s3()
    assert all(known[name].confidence == "recorded" and "raw" in known[name].clients for name in nearest.TELLING)
