"""`s3conform explain`: a scenario as a gateway author reads it."""

from __future__ import annotations

import re
from collections.abc import Callable

from harness import proofs
from harness.scenario import load
from tests.support import Ended

InProcess = Callable[..., Ended]


def test_scenario_is_explained_with_source_example_and_what_it_catches(in_process: InProcess) -> None:
    found = load()["ETAG-014"]
    end = in_process("explain", "etag-014")
    assert end.code == 0
    assert end.out.startswith("ETAG-014 · MUST · UploadPartCopy\n")
    assert "Fix: answer with the XML document" in end.out
    assert f"Source: {found.source}" in end.out
    assert re.search(r"^  > PUT /\S+/target\?uploadId=\w+&partNumber=1 HTTP/1.1$", end.out, re.MULTILINE)
    assert "\n  < HTTP/1.1 200 OK\n" in end.out
    assert "<CopyPartResult" in end.out
    assert "curl: curl -i" in end.out
    for name in proofs.caught()["ETAG-014"]:
        assert f"\n  {name}: " in end.out


def test_example_of_a_scenario_with_very_many_requests_is_one_of_the_first(in_process: InProcess) -> None:
    end = in_process("explain", "LST2-001")
    assert end.code == 0
    assert "this is one of them" in end.out
    assert "\n  < HTTP/1.1 200 OK\n" in end.out


def test_example_holds_nothing_that_a_terminal_obeys(in_process: InProcess) -> None:
    """Bodies of chunks and of objects have any bytes."""
    end = in_process("explain", "CHNK-012")
    assert "\\x00" in end.out
    assert all(letter.isprintable() or letter == "\n" for letter in end.out)


def test_family_is_explained_without_examples(in_process: InProcess) -> None:
    end = in_process("explain", "etag")
    assert end.code == 0
    family = [found for found in load().values() if found.family == "ETAG"]
    assert all(f"{found.id} · " in end.out for found in family)
    assert "HTTP/1.1" not in end.out


def test_what_is_not_recorded_says_that_it_never_gates(in_process: InProcess) -> None:
    assert "secondary: shown, never gates" in in_process("explain", "ETAG-017").out


def test_rule_for_every_exchange_is_explained(in_process: InProcess) -> None:
    end = in_process("explain", "LINT-011")
    assert end.code == 0
    assert end.out.startswith("LINT-011 · every exchange\n")
    assert "Failure: " in end.out


def test_unknown_name_gets_the_nearest(in_process: InProcess) -> None:
    end = in_process("explain", "ETAG-0114")
    assert end.code == 2
    assert "ETAG-0" in end.err
    assert len(end.err.splitlines()) == 1
