"""A drafted profile says what was seen, and is TOML whatever the endpoint said."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.profile import Profile
from harness.profile_draft import draft
from harness.record import Cell, Footer, GatewayInfo, Header, Observation, Run, Step
from harness.verdict import judge


def cell(scenario: str, client: str, status: int, code: str, text: str, outcome: Any = "mismatch") -> Cell:
    step = Step("GetObject", "client", ok=status < 400, status=status, code=code)
    observed = Observation(outcome, text, [step], 0 if outcome != "match" else -1)
    verdict = "conforms" if outcome == "match" else "violates"
    words = {"title": "t", "expected": "", "message": text}
    return Cell(
        scenario=scenario,
        level="MUST",
        family="GET",
        operations=["GetObject"],
        client=client,
        client_version="1",
        verdict=verdict,  # type: ignore[arg-type]
        observed=observed,
        seconds=0.0,
        requests=1,
        exchanges=[],
        repro={},
        profile_entry=None,
        **words,
    )


def run(*cells: Cell) -> Run:
    header = Header("id", "2026", "0", "http://x", GatewayInfo("a gateway", "1"), "aws", [], len(cells), {})
    return Run(header, list(cells), [], Footer("2026", {}, []), Path("run.jsonl"))


def drafted(*cells: Cell) -> Profile:
    return msgspec.convert(tomllib.loads(draft(run(*cells), "mine")), Profile)


def test_operation_that_was_only_ever_refused_is_not_offered() -> None:
    found = drafted(cell("GET-001", "raw", 501, "NotImplemented", "got 501"))
    assert [(name, entry.support) for name, entry in found.operations.items()] == [("GetObject", "no")]
    assert found.deviations == []


def test_operation_that_was_done_elsewhere_is_offered() -> None:
    found = drafted(
        cell("GET-001", "raw", 501, "NotImplemented", "got 501"), cell("GET-002", "raw", 200, "", "", "match")
    )
    assert found.operations == {}
    assert [entry.scenarios for entry in found.deviations] == [["GET-001"]]


def test_one_way_to_differ_is_one_entry_and_names_clients_where_others_do_not_differ() -> None:
    found = drafted(
        cell("GET-001", "raw", 200, "", "there is no ETag"),
        cell("GET-002", "raw", 200, "", "there is no ETag"),
        cell("GET-003", "raw", 200, "", "there is no ETag"),
        cell("GET-003", "boto3", 200, "", "", "match"),
    )
    assert [(entry.scenarios, entry.clients) for entry in found.deviations] == [
        (["GET-001", "GET-002"], []),
        (["GET-003"], ["raw"]),
    ]


@pytest.mark.parametrize("outcome", ["match", "inexpressible", "failure"])
def test_what_did_not_differ_needs_no_excuse(outcome: str) -> None:
    assert drafted(cell("GET-001", "raw", 500, "x", "y", outcome)).deviations == []


@given(st.text(max_size=40), st.text(max_size=200))
def test_words_of_an_endpoint_cannot_break_the_draft(code: str, text: str) -> None:
    seen = cell("GET-001", "raw", 500, code, text)
    found = drafted(seen)
    judged = judge("GET-001", "raw", seen.observed, found, dt.date(2026, 1, 1))
    assert judged.verdict == "deviates"
