"""Evidence is packed within a budget: the most interesting first, each text once, the words of every cell always."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.errors import RunFileError
from harness.record import Cell, Run, RunWriter
from reports import evidence, matrix
from reports.evidence import Source
from tests.reports.conftest import make_cell, make_exchange, make_run


def unpacked(text: str) -> Any:
    return json.loads(gzip.decompress(base64.b64decode(text, validate=True)))


def of(*cells: Cell) -> matrix.Matrix:
    return matrix.build([Source.of(make_run(list(cells)))])


def written(run: Run, path: Path) -> Path:
    writer = RunWriter(path)
    for line in (run.header, *run.cells[:2], *run.lints, *run.cells[2:], run.footer):
        assert line is not None
        writer.write(line)
    writer.close()
    return path


def test_what_fails_is_packed_first_and_must_before_should() -> None:
    """Then a conforming cell to compare with, what never gates, what differs, what is refused, what conforms."""
    cells = [
        make_cell(1, verdict="conforms"),
        make_cell(2, verdict="unsupported"),
        make_cell(3, verdict="deviates"),
        make_cell(4, verdict="violates", confidence="secondary"),
        make_cell(5, verdict="blocked", level="SHOULD"),
        make_cell(6, "boto3", "violates"),
        make_cell(6, "raw", "conforms"),
        make_cell(6, "rclone", "conforms"),
    ]
    found = evidence.chunks(of(*cells), 10**6)
    (order,) = found.cells
    columns = 3
    assert [f"{number // columns + 1}{'brc'[number % columns]}" for number in order] == [
        "6b", "5b", "6r", "4b", "3b", "2b", "1b", "6c",
    ]  # fmt: skip
    assert found.left_out == 0


def test_budget_is_kept_and_what_is_left_out_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole chunks alone; never more bytes than allowed."""
    monkeypatch.setattr(evidence, "CHUNK", 2000)
    cells = [make_cell(number, verdict="violates", exchanges=[make_exchange(str(number) * 50)]) for number in range(40)]
    whole = evidence.chunks(of(*cells), 10**6)
    assert len(whole.packed) > 3
    assert whole.left_out == 0
    budget = sum(map(len, whole.packed[:2])) + 10
    part = evidence.chunks(of(*cells), budget)
    assert part.packed == whole.packed[:2]
    assert part.left_out == 40 - sum(map(len, part.cells))
    assert evidence.chunks(of(*cells), 0) == evidence.Chunks([], [], 40)


def test_identical_exchanges_and_texts_stand_once() -> None:
    """Two cells with the same two exchanges: one exchange, and each of its lines once."""
    exchange = make_exchange()
    cells = [make_cell(1, client, exchanges=[exchange, exchange]) for client in ("boto3", "raw")]
    (packed,) = evidence.chunks(of(*cells), 10**6).packed
    chunk = unpacked(packed)
    assert len(chunk["exchanges"]) == 1
    assert [numbers for numbers, _ in chunk["cells"]] == [[0, 0], [0, 0]]
    assert len(chunk["strings"]) == len(set(chunk["strings"]))
    texts = [chunk["strings"][text] for _, repro in chunk["cells"] for _, text in repro]
    assert texts == list(cells[0].repro.values()) * 2


def test_run_that_is_read_for_a_report_is_light_and_can_be_read_again(tmp_path: Path) -> None:
    """Exchanges and headers stay in the file; each cell knows its line."""
    run = make_run()
    source = Source.load(written(run, tmp_path / "run.jsonl"))
    assert all(not cell.exchanges and not cell.repro for cell in source.run.cells)
    assert all(not step.headers for cell in source.run.cells for step in cell.observed.steps)
    assert [source.whole(number) for number in range(len(run.cells))] == run.cells
    lines = (tmp_path / "run.jsonl").read_bytes().splitlines()
    assert [msgspec.json.decode(lines[line - 1], type=Cell) for line in source.lines] == run.cells
    assert Source.load(tmp_path).run.path == tmp_path / "run.jsonl"


def test_reports_of_a_file_and_of_the_run_in_memory_hold_the_same_evidence(tmp_path: Path) -> None:
    """The way it was read makes no difference."""
    run = make_run(text=" \x1b[2J")
    read = matrix.build([Source.load(written(run, tmp_path / "run.jsonl"))])
    assert evidence.chunks(read, 10**6) == evidence.chunks(of(*run.cells), 10**6)


def test_damaged_file_is_refused(tmp_path: Path) -> None:
    """As any reader of run files does."""
    path = written(make_run(), tmp_path / "run.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"kind":"lint"', b'"kind":"mint"'))
    with pytest.raises(RunFileError, match="line 4"):
        Source.load(path)


def test_words_of_every_cell_are_there_with_its_lint() -> None:
    """Expected, observed, message, entry, steps; the findings about its exchanges; the line of the run file."""
    made = matrix.build([Source.of(make_run([make_cell(1, "raw", "deviates")]))])
    core = unpacked(evidence.core(made, 0, []))
    strings, cell = core["strings"], core["cells"]["0/1"]
    assert [strings[number] for number in cell[:4]] == [
        "200 and an ETag",
        "501 NotImplemented",
        "wanted 200, got 501",
        "entry: not offered",
    ]
    operation, role, ok, status, code, said, exit_code = cell[8][0]
    assert [strings[operation], strings[role], ok, status] == ["PutObject", "client", 0, 501]
    assert [strings[code], strings[said], exit_code] == ["Code", "said", 1]
    assert [strings[number] for number in core["lint"]["0/1"][0][:3]] == ["LINT-001", "PutObject", "no Date header"]
