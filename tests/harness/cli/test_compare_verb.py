"""`s3conform compare`: what it takes, what it writes, and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from tests.harness.test_gate import beside, written
from tests.support import Ended

InProcess = Callable[..., Ended]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder with `old`, `new` that has regressed, and `cut` that was killed."""
    written(tmp_path / "old" / "run.jsonl", beside("conforms"))
    written(tmp_path / "new" / "run.jsonl", beside("violates", message="is wrong"))
    whole = (tmp_path / "new" / "run.jsonl").read_bytes()
    (tmp_path / "cut.jsonl").write_bytes(whole[:-30])
    return tmp_path


def test_a_regression_is_shown_and_is_no_failure(runs: Path, in_process: InProcess) -> None:
    """`gate` is for failing."""
    end = in_process("compare", "old", "new/run.jsonl")
    assert (end.code, end.err) == (0, "")
    assert "ETAG-001 raw  MUST  conforms → violates  is wrong" in end.out


@pytest.mark.parametrize(
    ("form", "said"), [("terminal", "conforms → violates  is"), ("markdown", "| conforms → violates |"), ("json", "{")]
)
def test_each_format_goes_to_a_file_too(runs: Path, in_process: InProcess, form: str, said: str) -> None:
    """The same text, whole, with a line that names the file."""
    shown = in_process("compare", "old", "new", "--format", form)
    end = in_process("compare", "old", "new", "--format", form, "--out", "deep/file")
    assert (shown.code, end.code, end.out) == (0, 0, "Comparison: deep/file\n")
    text = (runs / "deep" / "file").read_text(encoding="utf-8")
    assert said in text
    assert text == shown.out


def test_json_obeys_the_schema_that_is_printed(runs: Path, in_process: InProcess) -> None:
    """For programs that read it."""
    schema = json.loads(in_process("compare", "--schema").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    for new in ("new", "cut.jsonl", "old"):
        data = json.loads(in_process("compare", "old", new, "--format", "json").out)
        jsonschema.Draft202012Validator(schema).validate(data)


def test_an_incomplete_run_is_compared_as_far_as_it_goes(runs: Path, in_process: InProcess) -> None:
    """And called what it is."""
    end = in_process("compare", "old", "cut.jsonl")
    assert end.code == 0
    assert "NEW is an incomplete run: 2 of 2 cells (the run was killed: its file has no footer)" in end.out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "name two runs: OLD and NEW"),
        (("old",), 2, "name two runs: OLD and NEW"),
        (("old", "new", "old"), 2, "name two runs: OLD and NEW"),
        (("old", "new", "--format", "html"), 2, "'html'"),
        (("old", "new", "--out", "old"), 2, "'old' is a directory"),
        (("old", "new", "--out", "cut.jsonl/x"), 2, "--out cut.jsonl/x: cannot write there"),
        (("nowhere", "new"), 4, "cannot read run file nowhere"),
        (("old", "empty"), 4, "empty is not a run file"),
        (("old", "."), 4, "cannot read run file run.jsonl"),
    ],
)
def test_what_cannot_be_compared(
    runs: Path, in_process: InProcess, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """One line, and nothing is written."""
    (runs / "empty").write_bytes(b"")
    end = in_process("compare", *arguments)
    assert (end.code, end.out) == (code, "")
    assert said in end.err
    assert len(end.err.splitlines()) == 1
