"""A run file reads back as it was written, or is refused in one line; what was cut is never a pass."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import gate, record
from harness.errors import OK, RunFileError
from harness.record import (
    FAILING,
    SCHEMA,
    VERDICTS,
    Cell,
    ClientInfo,
    Footer,
    GatewayInfo,
    Header,
    Lint,
    Observation,
    RunWriter,
    ScenarioText,
    Step,
    count,
    json_schema,
)
from harness.wire.exchange import Body, Exchange

TEXT = 'ok \u00e9\u4e2d\U0001f600 \u2028 \x00 \x1b[31m \ufffd " \\ </script>\r\n'
EXCHANGE = Exchange(
    method="PUT",
    url=f"http://127.0.0.1:9000/b/k?{TEXT}",
    request_headers=[("Host", "h"), ("X-Amz-Meta-a", TEXT), ("x-amz-meta-A", "")],
    request_body=Body(70000, TEXT, truncated=True),
    status=200,
    reason=TEXT,
    response_headers=[("ETag", '"x"')],
    response_body=Body.of(TEXT.encode()),
    error=TEXT,
    seconds=0.25,
)
HEADER = Header(
    run_id="r1",
    started="2026-01-01T00:00:00Z",
    suite_version="0.1.0",
    endpoint="http://127.0.0.1:9000",
    gateway=GatewayInfo("gw", "1"),
    profile="aws",
    clients=[ClientInfo("raw", "0.1.0", "inprocess"), ClientInfo("rclone", "", "local", missing="not installed")],
    planned=2,
    scenarios={"ETAG-001": ScenarioText(TEXT, "AWS")},
)
CELL = Cell(
    scenario="ETAG-001",
    level="MUST",
    family="ETAG",
    title=TEXT,
    operations=["PutObject"],
    client="raw",
    client_version="0.1.0",
    verdict="conforms",
    expected=TEXT,
    observed=Observation(
        "match",
        TEXT,
        [Step("PutObject", "client", ok=True, status=200, headers={"a": TEXT}), Step("GetObject", "witness", ok=False)],
        1,
    ),
    message=TEXT,
    seconds=0.5,
    requests=3,
    exchanges=[EXCHANGE],
    repro={"curl": TEXT},
)
OTHER = msgspec.structs.replace(
    CELL, client="boto3", verdict="deviates", profile_entry="deviations.ETAG-001", confidence="secondary", flaky=True
)
LINT = Lint("HDR-001", "PutObject", "raw", "ETAG-001", TEXT, EXCHANGE)
FOOTER = Footer("2026-01-01T00:01:00Z", count([CELL, OTHER]), leftovers=[TEXT])
LINES: list[record.Line] = [HEADER, CELL, LINT, OTHER, FOOTER]


def written(path: Path, lines: list[record.Line]) -> Path:
    writer = RunWriter(path)
    for line in lines:
        writer.write(line)
    writer.close()
    return path


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    """A complete run."""
    return written(tmp_path / "deep" / "er" / "run.jsonl", LINES)


def test_everything_reads_back_as_it_was_written(run_file):
    for path in (run_file, run_file.parent):
        run = record.read(path)
        assert (run.header, run.cells, run.lints, run.footer) == (HEADER, [CELL, OTHER], [LINT], FOOTER)
        assert run.path == run_file
        assert run.complete
        assert run.counts == {**dict.fromkeys(VERDICTS, 0), "conforms": 1, "deviates": 1}


def test_one_line_each_whatever_the_text_holds(run_file):
    lines = run_file.read_bytes().splitlines()
    assert len(lines) == len(run_file.read_bytes().split(b"\n")) - 1 == len(LINES)
    assert [json.loads(line)["kind"] for line in lines] == ["header", "cell", "lint", "cell", "footer"]


def test_file_cut_at_every_byte_is_readable_and_no_pass_or_refused_in_words(run_file, tmp_path):
    """What a kill leaves is the cells that were finished, never an error of the reader, never a green run."""
    data = run_file.read_bytes()
    cut = tmp_path / "cut.jsonl"
    header_end, seen = data.index(b"\n") + 1, set()
    for end in range(len(data)):
        cut.write_bytes(data[:end])
        if end < header_end:
            with pytest.raises(RunFileError, match="not a run file"):
                record.read(cut)
            continue
        run = record.read(cut)
        assert run.header == HEADER
        assert [CELL, OTHER][: len(run.cells)] == run.cells
        assert run.footer is None
        assert not run.complete
        assert gate.exit_code(run) != OK
        seen.add(len(run.cells))
    assert seen == {0, 1, 2}


def test_a_line_is_there_as_soon_as_it_is_written(tmp_path):
    """Nothing waits in a buffer of this process."""
    path = tmp_path / "run.jsonl"
    writer = RunWriter(path)
    writer.write(HEADER)
    writer.write(CELL)
    assert record.read(path).cells == [CELL]
    writer.close()


def test_a_new_run_replaces_the_old_file(run_file):
    written(run_file, [HEADER])
    assert record.read(run_file).cells == []


@pytest.mark.parametrize(
    ("lines", "complete"),
    [
        ([HEADER, CELL, OTHER, FOOTER], True),
        ([HEADER, CELL, FOOTER], False),
        ([HEADER, CELL, OTHER, msgspec.structs.replace(FOOTER, interrupted="SIGINT")], False),
        ([HEADER, CELL, OTHER], False),
        ([HEADER, CELL, FOOTER, OTHER], False),
        ([HEADER], False),
    ],
)
def test_a_run_is_complete_with_its_footer_and_all_planned_cells(tmp_path, lines, complete):
    assert record.read(written(tmp_path / "run.jsonl", lines)).complete is complete


def schema_of(value: dict[str, Any]) -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(value)
    return jsonschema.Draft202012Validator(value)


def test_every_line_obeys_the_schema_that_the_program_prints(run_file):
    validator = schema_of(json_schema())
    for line in run_file.read_bytes().splitlines():
        validator.validate(json.loads(line))
    bare = msgspec.structs.replace(CELL, observed=Observation("failure"), exchanges=[], repro={})
    for value in (bare, Footer("t", {}, [])):
        validator.validate(json.loads(msgspec.json.encode(value)))


@pytest.mark.parametrize(
    "change",
    [{"verdict": "fine"}, {"level": "must"}, {"seconds": "1"}, {"kind": "cel"}, {"exchanges": None}, {"flaky": 1}],
)
def test_the_schema_refuses_what_the_reader_refuses(run_file, change):
    value = json.loads(run_file.read_bytes().splitlines()[1]) | change
    with pytest.raises(jsonschema.ValidationError):
        schema_of(json_schema()).validate(value)
    run_file.write_bytes(run_file.read_bytes().splitlines()[0] + b"\n" + json.dumps(value).encode() + b"\n")
    with pytest.raises(RunFileError, match="line 2"):
        record.read(run_file)


@pytest.mark.parametrize("schema", [SCHEMA + 1, 0, -1, 99])
def test_another_schema_is_named_whatever_else_it_changed(tmp_path, schema):
    """A later version may have other fields and lines; the answer is the same."""
    path = tmp_path / "run.jsonl"
    full = json.loads(msgspec.json.encode(HEADER)) | {"schema": schema}
    for header in (full, {"kind": "header", "schema": schema, "new": [1]}):
        path.write_text(json.dumps(header) + '\n{"kind":"cube"}\n')
        with pytest.raises(RunFileError, match=f"has schema {schema}; this version reads schema {SCHEMA}") as caught:
            record.read(path)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"{}\n",
        b"[]\n",
        b"null\n",
        b"<html></html>\n",
        b"\xff\xfe\n",
        b"\x00" * 100 + b"\n",
        b'{"kind":"header"}\n',
        b'{"kind":"header","schema":"1"}\n',
        b'{"kind":"header","schema":1}\n',
        b'{"schema":1,"run_id":"r"}\n',
        msgspec.json.encode(CELL) + b"\n",
        msgspec.json.encode(FOOTER) + b"\n",
        b"[" * 100_000 + b"\n",
        b'{"kind":"header","schema":1,"x":' + b"[" * 100_000 + b"\n",
        b'{"kind":"header","schema":' + b"9" * 5000 + b"}\n",
    ],
)
def test_what_is_not_a_run_file_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "run.jsonl"
    path.write_bytes(content)
    with pytest.raises(RunFileError) as caught:
        record.read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", [b"", b"{", b'{"kind":"cell"}', b"\xff", b'"text"', b"[" * 100_000])
def test_a_damaged_line_that_is_not_the_last_is_named_by_number(run_file, damage):
    lines = run_file.read_bytes().split(b"\n")
    lines[2] = damage
    run_file.write_bytes(b"\n".join(lines))
    with pytest.raises(RunFileError, match="line 3"):
        record.read(run_file)


def test_two_runs_in_one_file_are_refused(run_file):
    """Their cells together could pass for one complete run."""
    run_file.write_bytes(run_file.read_bytes() * 2)
    with pytest.raises(RunFileError, match="more than one run"):
        record.read(run_file)


def test_paths_that_cannot_be_read(tmp_path):
    (tmp_path / "folder" / "run.jsonl").mkdir(parents=True)
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "none", tmp_path, tmp_path / "folder", tmp_path / "file" / "x", tmp_path / ("a" * 5000)):
        with pytest.raises(RunFileError, match="cannot read run file"):
            record.read(path)


@given(st.randoms(use_true_random=False), st.integers(1, 6))
def test_a_damaged_file_is_read_or_refused_but_never_breaks_the_reader(random_: random.Random, times):
    data = bytearray(b"".join(msgspec.json.encode(line) + b"\n" for line in LINES))
    for _ in range(times):
        at = random_.randrange(len(data))
        data[at : at + random_.randrange(2)] = bytes([random_.randrange(256)])
    path = Path(__file__).parent / "no-such-folder" / "run.jsonl"
    try:
        list(record._decoded(bytes(data).split(b"\n"), path))
    except RunFileError as error:
        assert str(path) in str(error)  # noqa: PT017 - either is right


def test_verdicts_that_fail_are_four_of_the_eight():
    assert len(VERDICTS) == len(set(VERDICTS)) == 8
    assert set(VERDICTS) > FAILING == {"violates", "contradicts", "blocked", "error"}


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("confidence", ["recorded", "partly unverified", "unverified", "secondary"])
def test_only_recorded_statements_gate(verdict, confidence):
    cell = msgspec.structs.replace(CELL, verdict=verdict, confidence=confidence)
    assert cell.gates is (confidence == "recorded")
    assert cell.fails is (confidence == "recorded" and verdict in FAILING)


def test_count_names_every_verdict_in_order():
    assert list(count([])) == list(VERDICTS)
    assert sum(count([CELL, CELL, OTHER]).values()) == 3
