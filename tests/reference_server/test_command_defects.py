"""The command line: what it says of defects, and that a server has those that it was told."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reference_server.test_command import ROOT, finish, started

OPTION = "--list-defects"


def listed(*arguments: str, columns: int | None = None) -> str:
    """What is printed by a process that ends by itself."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("COLUMNS", None)
    if columns is not None:
        environment["COLUMNS"] = str(columns)
    command = [sys.executable, "-m", "reference_server", OPTION, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, timeout=20)
    assert done.stderr == ""
    return done.stdout


@pytest.fixture(scope="module")
def facts() -> list[dict[str, str]]:
    """The defects as programs get them."""
    return [json.loads(line) for line in listed("--json").splitlines()]


def test_programs_get_one_line_for_each_sorted_by_seam_and_name(facts: list[dict[str, str]]) -> None:
    assert len(facts) >= 80
    assert all(list(one) == ["name", "seam", "about"] for one in facts)
    assert facts == sorted(facts, key=lambda one: (one["seam"], one["name"]))
    seams = {seam: len(list(group)) for seam, group in itertools.groupby(facts, lambda one: one["seam"])}
    assert list(seams) == ["auth", "listing", "operation", "payload", "serialise", "wire"]
    assert min(seams.values()) >= 8


def test_people_get_the_same(facts: list[dict[str, str]]) -> None:
    entries = [entry.split("\n", 1) for entry in listed().rstrip().split("\n\n")]
    assert [heading for heading, _ in entries] == [f"{one['name']} ({one['seam']})" for one in facts]
    assert [" ".join(sentence.split()) for _, sentence in entries] == [one["about"] for one in facts]


@pytest.mark.parametrize(("columns", "widest"), [(20, 80), (80, 80), (110, 110), (400, 120), (None, 100)])
def test_lines_are_as_wide_as_can_be_read(columns: int | None, widest: int) -> None:
    lines = listed(columns=columns).splitlines()
    assert widest - 8 < max(map(len, lines)) <= widest


def test_the_program_of_the_harness_lists_them_too(facts: list[dict[str, str]]) -> None:
    command = [sys.executable, "-c", "from harness.cli import main; main()"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, "serve", OPTION, "--json"], check=True, capture_output=True, text=True, env=environment, timeout=20
    )
    assert [json.loads(line) for line in done.stdout.splitlines()] == facts


@pytest.mark.parametrize(
    ("names", "line"),
    [
        (["etag-unquotd"], "unknown defect 'etag-unquotd'; did you mean 'etag-unquoted'?"),
        (["etag-unquoted", "range-ignore"], "unknown defect 'range-ignore'; did you mean 'range-ignored'?"),
        (["%%%%"], "unknown defect '%%%%'; see --list-defects"),
    ],
)
def test_an_unknown_name_gets_one_line_and_exit_code_2(tmp_path: Path, names: list[str], line: str) -> None:
    asked = [word for name in names for word in ("--defect", name)]
    with started("--json", "--until-eof", "--data", str(tmp_path / "data"), *asked) as process:
        output, errors, _ = finish(process)
        assert process.returncode == 2
    assert (output, errors) == ("", f"s3conform serve: {line}\n")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("names", "etag", "kind"),
    [
        ([], '"e807f1fcf82d132f9bb018ca6738a19f"', "text/plain"),
        (["etag-unquoted"], "e807f1fcf82d132f9bb018ca6738a19f", "text/plain"),
        (["etag-unquoted", "content-type-lost"], "e807f1fcf82d132f9bb018ca6738a19f", "binary/octet-stream"),
    ],
)
def test_a_server_has_the_defects_that_it_was_told(names: list[str], etag: str, kind: str) -> None:
    from tests.reference_server.conftest import Raw

    asked = [word for name in names for word in ("--defect", name)]
    with started("--json", "--until-eof", *asked) as process:
        told = json.loads(process.stdout.readline())
        raw = Raw(told["endpoint"], (told["access_key"], told["secret_key"]), told["region"])
        assert raw("PUT", "/a-bucket").status == 200
        assert raw("PUT", "/a-bucket/key", b"1234567890", {"Content-Type": "text/plain"}).status == 200
        found = raw("HEAD", "/a-bucket/key").headers
        process.stdin.close()
        assert process.wait(5) == 0
    assert (found["etag"], found["content-type"]) == (etag, kind)
