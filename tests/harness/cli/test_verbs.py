"""The verbs beside `run`: lists, reports, schema, help."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from harness import __version__
from harness.cli import VERBS
from harness.scenario import load
from tests.support import Ended, environment, lines, s3conform

InProcess = Callable[..., Ended]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two runs: `good`, and `poor` of a server that refuses deletes."""
    folder = tmp_path_factory.mktemp("runs")
    options = ("run", "--scenario", "ETAG-001,DEL-001", "--clients", "raw", "--workers", 1)
    assert s3conform(*options, "--out", "good", cwd=folder).code == 0
    assert s3conform(*options, "--personality", "auto-drive", "--out", "poor", cwd=folder).code == 1
    return folder


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_help_of_every_verb(tmp_path: Path, in_process: InProcess, verb: str) -> None:
    """Help is there for the program and each verb; `serve` has its own, which its process prints."""
    arguments = [verb, "--help"] if verb else ["--help"]
    end = s3conform(*arguments, cwd=tmp_path) if verb == "serve" else in_process(*arguments)
    assert end.code == 0
    assert end.err == ""
    assert end.out.lower().startswith(f"usage: s3conform {verb}")
    if not verb:
        assert all(f"\n  {name} " in end.out for name in VERBS)


@pytest.mark.parametrize("verb", ["", *(verb for verb in VERBS if verb != "serve")])
def test_help_fits_a_terminal_and_cuts_no_sentence(in_process: InProcess, verb: str) -> None:
    """80 columns, every line about a verb whole."""
    shown = in_process(*([verb] if verb else []), "--help").out
    assert [line for line in shown.splitlines() if len(line) > 80 or line.endswith("...")] == []


def test_help_of_run_names_the_second_account(in_process: InProcess) -> None:
    """Its credentials have no option, so that the help is where they are found."""
    shown = in_process("run", "--help").out
    assert "S3CONFORM_SECOND_ACCESS_KEY" in shown
    assert "S3CONFORM_SECOND_SECRET_KEY" in shown


def test_version_is_that_of_the_package(in_process: InProcess) -> None:
    """`--version` names program and version."""
    assert in_process("--version").out == f"s3conform, version {__version__}\n"


def test_scenarios_as_json_are_the_registry(in_process: InProcess) -> None:
    """One array, an object for each scenario, with all that a reader needs to look it up."""
    end = in_process("scenarios", "--json")
    assert end.code == 0
    rows = json.loads(end.out)
    assert [row["id"] for row in rows] == sorted(load())
    for row in rows:
        assert row["level"] in ("MUST", "SHOULD", "EXTENDED")
        assert all(row[name] for name in ("family", "title", "operations", "clients", "source", "text", "confidence"))


def test_scenarios_as_text_are_a_line_each(in_process: InProcess) -> None:
    """The list ends with how many there are."""
    shown = in_process("scenarios").out.splitlines()
    assert shown[-1] == f"{len(shown) - 1} scenarios"
    assert len(shown) - 1 == len(load())


def test_every_line_of_a_run_file_obeys_the_schema(runs: Path, in_process: InProcess) -> None:
    """`report --schema` prints what a program that reads run files can rely on."""
    schema = json.loads(in_process("report", "--schema").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for name in ("good", "poor"):
        for line in lines(runs / name):
            assert [error.message for error in validator.iter_errors(line)] == []


def test_report_of_two_runs_is_one_page(runs: Path, tmp_path: Path, in_process: InProcess) -> None:
    """Run folders and run files may be mixed; both runs are on the page."""
    out = tmp_path / "report"
    end = in_process("report", str(runs / "good"), str(runs / "poor" / "run.jsonl"), "--out", str(out))
    assert end.code == 0, end.text
    page = (out / "index.html").read_text(encoding="utf-8")
    for name in ("good", "poor"):
        assert lines(runs / name)[0]["run_id"] in page
    assert {path.name for path in out.iterdir()} == {"index.html"}


def test_report_of_one_run_writes_every_format(runs: Path, tmp_path: Path, in_process: InProcess) -> None:
    """The same files that a run writes."""
    out = tmp_path / "report"
    assert in_process("report", str(runs / "good"), "--out", str(out)).code == 0
    assert {path.name for path in out.iterdir()} == {
        "index.html",
        "junit.xml",
        "summary.md",
        "badge.svg",
        "badge.json",
        "annotations.txt",
        "score.env",
    }


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 2),
        (("nowhere", "--out", "r"), 4),
        (("good",), 2),
        (("good", "--out", "good/run.jsonl"), 2),
        (("good", "--out", "/proc/x"), 2),
    ],
)
def test_report_without_what_it_needs(
    runs: Path, monkeypatch: pytest.MonkeyPatch, in_process: InProcess, arguments: tuple[str, ...], code: int
) -> None:
    """No run, a missing run, no folder, and a folder that is a file are told, each with its exit code."""
    monkeypatch.chdir(runs)
    end = in_process("report", *arguments)
    assert end.code == code, end.text
    assert len(end.err.splitlines()) == 1
    if "/proc/x" in arguments:
        assert "--out /proc/x: cannot write there: " in end.err


def test_gate_tells_passing_from_failing(runs: Path, in_process: InProcess) -> None:
    """0 and 1, with the counts; of one run, and of one beside the other."""
    good, poor = str(runs / "good"), str(runs / "poor")
    passing, failing = in_process("gate", good), in_process("gate", poor)
    assert (passing.code, "or is as documented (2 conforms)" in passing.out) == (0, True)
    assert (failing.code, "fails: 1 failing (" in failing.out) == (1, True)
    better = in_process("gate", good, "--baseline", poor)
    assert (better.code, "passes: nothing fails" in better.out) == (0, True)
    worse = in_process("gate", poor, "--baseline", good)
    assert (worse.code, "fails: 1 regressed (" in worse.out) == (1, True)


def test_compare_shows_what_differs_between_real_runs(runs: Path, in_process: InProcess) -> None:
    """Whatever it shows, it could compare: 0."""
    end = in_process("compare", str(runs / "good"), str(runs / "poor"))
    assert end.code == 0, end.text
    assert "1 regressed, 0 vanished, 0 new, 0 fixed, 0 changed, 0 old, 1 same" in end.out
    assert "DEL-001 raw  MUST  conforms → violates  " in end.out
    assert "gateway: s3conform reference server 0" in end.out


def test_listing_verbs_import_no_client(tmp_path: Path) -> None:
    """Start-up time is part of every wait: boto3, pytest and the reports are not loaded to print a list."""
    code = (
        "import sys\nfrom harness.cli import main\nsys.argv = ['s3conform', 'scenarios']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(*sorted({'boto3', 'pytest', 'jinja2', 'rich'} & set(sys.modules)), file=sys.stderr)"
    )
    end = subprocess.run(
        [sys.executable, "-P", "-c", code], env=environment(), cwd=tmp_path, capture_output=True, timeout=30, check=True
    )
    assert end.stderr.decode().strip() == ""
