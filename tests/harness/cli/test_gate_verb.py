"""`s3conform gate` and `run --baseline`: what is said, what is written, and the exit codes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from harness import record
from harness.record import Accepted, Observation, Run
from tests.harness.test_gate import beside, cell, run, written
from tests.support import Ended, Server, cells, reference_server, s3conform

InProcess = Callable[..., Ended]
ACCEPT = ("--accept", "--reason", "planned for 2.0")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with the runs `good`, `poor` that has regressed, one more like each, and `killed`."""
    for name in ("good", "good2"):
        written(tmp_path / name / "run.jsonl", beside("conforms"))
    for name in ("poor", "poor2"):
        written(tmp_path / name / "run.jsonl", beside("violates", message="is wrong"))
    written(tmp_path / "killed" / "run.jsonl", run(cell("conforms"), footer=False))
    return tmp_path


# --- what is said ---


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("good",), 0, "good/run.jsonl passes: everything conforms or is as documented (2 conforms)"),
        (("poor",), 1, "poor/run.jsonl fails: 1 failing (1 conforms, 1 violates)"),
        (("killed",), 4, "killed/run.jsonl cannot be judged: the run is incomplete: it has no footer"),
        (("good", "--baseline", "good2"), 0, "passes: nothing fails (2 conforms)"),
        (("good", "--baseline", "poor"), 0, "passes: nothing fails"),
        (("poor", "--baseline", "poor2"), 0, "passes: what fails, failed before (1)"),
        (("poor", "--baseline", "good"), 1, "fails: 1 regressed"),
        (("poor", "--baseline", "good", "--level", "must"), 1, "fails: 1 regressed"),
        (("killed", "--baseline", "good"), 4, "the run is incomplete"),
        (("good", "--baseline", "killed"), 4, "cannot be judged: the baseline is incomplete: it has no footer"),
    ],
)
def test_the_first_line_says_it_all(
    files: Path, in_process: InProcess, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """The file, what it comes to, why, and how many cells of each verdict."""
    end = in_process("gate", *arguments)
    assert (end.code, end.err) == (code, "")
    assert said in end.out.splitlines()[0]


def test_lists_are_counted_and_then_named(files: Path, in_process: InProcess) -> None:
    """What fails the gate, then what changed, then what failed before; what was fixed is a number."""

    def seen(text: str) -> Observation:
        return Observation("mismatch", text)

    names = ("regressed", "vanished", "new", "fixed", "changed", "old", "same")

    def made(**verdicts: str) -> Run:
        found = [
            cell(verdict, title=name, observed=seen(name), message=f"now {name}") for name, verdict in verdicts.items()
        ]
        whole = run(*found)
        whole.cells = [msgspec.structs.replace(one, scenario=f"ETAG-00{names.index(one.title)}") for one in whole.cells]
        return whole

    same = {"same": "conforms", "old": "violates"}
    written(files / "old", made(regressed="conforms", vanished="conforms", fixed="violates", changed="error", **same))
    written(files / "now", made(regressed="blocked", new="violates", fixed="conforms", changed="blocked", **same))
    end = in_process("gate", "now", "--baseline", "old")
    assert end.code == 1
    assert "1 regressed, 1 vanished, 1 new (1 failing), 1 fixed, 1 changed, 1 old, 1 same" in end.out.splitlines()
    shown = [line.split("  ")[1] for line in end.out.splitlines() if line.startswith("  ETAG")]
    assert shown == [f"ETAG-00{names.index(name)} raw" for name in ("regressed", "vanished", "new", "changed", "old")]
    assert end.out.splitlines()[0].startswith("now fails: 1 regressed, 1 vanished, 1 new and failing (")


def test_many_cells_are_cut_unless_all_are_asked_for(files: Path, in_process: InProcess) -> None:
    """Also without a baseline."""
    for name in ("bad", "bad2"):
        written(files / name, run(*[cell("violates")] * 30))
    for arguments in (("bad",), ("bad", "--baseline", "bad2")):
        short, long = in_process("gate", *arguments), in_process("gate", *arguments, "--all")
        assert short.out.count("  ETAG-") == 20
        assert "… and 10 more; `s3conform gate` and `compare` list them with --all" in short.out
        assert long.out.count("  ETAG-") == 30


def test_runs_of_two_profiles_suites_and_endpoints_are_compared_and_told(files: Path, in_process: InProcess) -> None:
    """Each may be why cells differ."""
    other = beside("violates")
    changes = {"profile": "mine", "suite_version": "9", "endpoint": "http://\x1b[31mevil"}
    other.header = msgspec.structs.replace(other.header, **changes)
    written(files / "other", other)
    end = in_process("gate", "other", "--baseline", "good")
    assert end.code == 1
    for line in ("profile: aws → mine", "suite: 0 → 9", r"endpoint: http://h → http://\x1b[31mevil"):
        assert line in end.out.splitlines()
    assert "\x1b" not in end.out


# --- accepting ---


def test_first_baseline_later_runs_and_the_next_baseline(files: Path, in_process: InProcess) -> None:
    """As a gateway's team goes on: accept, gate, fail, accept with another reason."""
    assert in_process("gate", "good", "--baseline", "kept/baseline.jsonl").code == 4
    first = in_process("gate", "good", "--baseline", "kept/baseline.jsonl", *ACCEPT)
    assert (first.code, first.out) == (0, "Accepted as baseline: kept/baseline.jsonl\n")
    assert in_process("gate", "good", "--baseline", "kept/baseline.jsonl").code == 0
    worse = in_process("gate", "poor", "--baseline", "kept/baseline.jsonl")
    assert (worse.code, "OLD was accepted on 2" in worse.out, ": planned for 2.0\n" in worse.out) == (1, True, True)
    second = in_process("gate", "poor", "--baseline", "kept/baseline.jsonl", "--accept", "--reason", "issue 7")
    assert second.code == 0
    assert "ETAG-001 raw  MUST  conforms → violates  is wrong" in second.out
    assert in_process("gate", "poor", "--baseline", "kept/baseline.jsonl").code == 0
    accepted = record.read(files / "kept" / "baseline.jsonl").header.accepted
    assert isinstance(accepted, Accepted)
    assert (accepted.reason, accepted.run_id_before, accepted.regressed) == ("issue 7", "r", 1)
    assert [path.name for path in (files / "kept").iterdir()] == ["baseline.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("good", "--accept", "--reason", "x"), 2, "--accept needs --baseline FILE"),
        (("good", "--reason", "x"), 2, "--reason goes with --accept"),
        (("good", "--baseline", "kept", "--accept"), 2, "--accept needs --reason TEXT"),
        (("good", "--baseline", "kept", "--accept", "--reason", "TODO"), 2, "--accept needs --reason TEXT"),
        (("good", "--baseline", "kept", "--level", "must", *ACCEPT), 2, "does not go with --level"),
        (("good", "--baseline", "good", *ACCEPT), 2, "is the run itself"),
        (("good", "--baseline", "good/run.jsonl", *ACCEPT), 2, "is the run itself"),
        (("good", "--baseline", "good/run.jsonl"), 2, "is the run itself"),
        (("good", "--baseline", "notes.txt/x", *ACCEPT), 2, "cannot write there"),
        (("good", "--baseline", "notes.txt", *ACCEPT), 4, "is not a run file"),
        (("killed", "--baseline", "kept", *ACCEPT), 4, "cannot become a baseline: the run is incomplete"),
        (("nowhere", "--baseline", "kept", *ACCEPT), 4, "cannot read run file nowhere"),
        (("good", "--baseline", "kept"), 4, "cannot read run file kept"),
        (("good", "--baseline", "notes.txt"), 4, "is not a run file"),
        (("good", "--level", "most"), 2, "'must'"),
    ],
)
def test_what_is_refused_writes_nothing(
    files: Path, in_process: InProcess, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """One line, and every file is as it was."""
    (files / "notes.txt").write_text("not a run\n")
    before = {path: path.read_bytes() for path in files.rglob("*") if path.is_file()}
    end = in_process("gate", *arguments)
    assert (end.code, end.out) == (code, "")
    assert said in end.err
    assert len(end.err.splitlines()) == 1
    assert {path: path.read_bytes() for path in files.rglob("*") if path.is_file()} == before


def test_a_folder_as_baseline_holds_the_run_file(files: Path, in_process: InProcess) -> None:
    """As everywhere; and what is replaced may be a whole run."""
    assert in_process("gate", "good", "--baseline", "poor", *ACCEPT).code == 0
    assert record.read(files / "poor").header.accepted
    assert record.read(files / "poor").counts["conforms"] == 2


# --- run --baseline ---

SMALL = ("--scenario", "ETAG-001,ETAG-012,DEL-001", "--clients", "raw", "--workers", 1)


def test_run_with_a_baseline_ends_as_the_gate_does(tmp_path: Path, server: Server) -> None:
    """The same defect passes where it was there before, and fails where it was not."""
    with reference_server("--defect", "etag-not-md5") as broken:
        first = s3conform("run", *broken.options, *SMALL, "--out", "before", cwd=tmp_path)
        assert first.code == 1, first.text
        assert set(cells(tmp_path / "before").values()) == {"violates", "conforms"}
        again = s3conform("run", *broken.options, *SMALL, "--out", "again", "--baseline", "before", cwd=tmp_path)
    assert again.code == 0, again.text
    assert "again/run.jsonl passes: what fails, failed before (1)" in again.out
    options = (*server.options, *SMALL, "--level", "must", "--out", "fixed")  # ETAG-012 is a SHOULD: left out of both
    fixed = s3conform("run", *options, "--baseline", "before/run.jsonl", cwd=tmp_path)
    assert fixed.code == 0, fixed.text
    assert "0 regressed, 0 vanished, 0 new, 1 fixed, 0 changed, 0 old, 1 same" in fixed.out
    assert fixed.out.index("fixed/run.jsonl passes: nothing fails") > fixed.out.index("S3 conformance of ")
    fewer = ("--scenario", "DEL-001", "--clients", "raw", "--out", "fewer")
    gone = s3conform("run", *server.options, *fewer, "--baseline", "fixed", cwd=tmp_path)
    assert gone.code == 1, gone.text
    assert "fails: 1 vanished" in gone.out


@pytest.mark.parametrize(
    ("baseline", "said"),
    [
        ("nowhere", "--baseline: cannot read run file nowhere"),
        ("notes.txt", "--baseline: notes.txt is not a run file"),
        ("killed", "--baseline killed: the baseline is incomplete"),
    ],
)
def test_run_with_a_baseline_that_cannot_serve_exits_2_before_anything_is_made(
    files: Path, in_process: InProcess, baseline: str, said: str
) -> None:
    """An hour later would be late."""
    (files / "notes.txt").write_text("not a run\n")
    end = in_process("run", "--endpoint", "http://127.0.0.1:1", "--baseline", baseline, "--out", "out")
    assert end.code == 2
    assert said in end.err
    assert not (files / "out").exists()
