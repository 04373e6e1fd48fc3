"""Two runs side by side: no cell is lost, none is told twice, and what is another in every run is no difference."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.compare import LEVELS, LISTS, Change, Comparison, Difference, Key, compare, normal
from harness.record import (
    VERDICTS,
    Cell,
    ClientInfo,
    Footer,
    GatewayInfo,
    Header,
    Observation,
    Run,
    Step,
    count,
)

BUCKET = "s3conform-261120201429-4ccb9f-gw1-188"


def cell(scenario: str = "ETAG-001", verdict: str = "conforms", text: str = "", **changes: Any) -> Cell:
    """A cell in which one call was made, and failed if there is a text about it."""
    steps = [
        Step("PutObject", "client", ok=not text, status=501 if text else 200, code="NotImplemented" if text else "")
    ]
    observed = Observation("mismatch", text, steps, 0) if text else Observation("match", "", steps)
    made = Cell(
        scenario=scenario,
        level="MUST",
        family=scenario.partition("-")[0],
        title="t",
        operations=["PutObject"],
        client="raw",
        client_version="1",
        verdict=verdict,  # type: ignore[arg-type]
        expected="",
        observed=observed,
        message="",
        seconds=0,
        requests=1,
        exchanges=[],
        repro={},
    )
    return msgspec.structs.replace(made, **changes)


def run(*cells: Cell, **changes: Any) -> Run:
    """A complete run."""
    header = Header("r", "t", "0.1.0", "http://h", GatewayInfo("gw", "1"), "aws", [], len(cells), {})
    header = msgspec.structs.replace(header, **changes)
    return Run(header, list(cells), [], Footer("t", count(cells), []), Path("run.jsonl"))


def placed(comparison: Comparison) -> dict[Key, str]:
    """In which list each cell is; `same` is a number, and has no cells."""
    return {change.key: name for name, changes in comparison.lists.items() for change in changes}


def only(old: Cell, new: Cell) -> tuple[str, Change | None]:
    """The list that one cell is in, and what is told of it."""
    made = compare(run(old), run(new))
    found = [(name, change) for name, changes in made.lists.items() for change in changes]
    assert len(found) + made.same == 1
    return found[0] if found else ("same", None)


# --- lists ---


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        (cell(verdict="conforms"), cell(verdict="violates"), "regressed"),
        (cell(verdict="violates", confidence="secondary"), cell(verdict="violates"), "regressed"),
        (cell(verdict="error"), cell(verdict="unsupported"), "fixed"),
        (cell(verdict="inapplicable"), cell(verdict="conforms"), "new"),
        (cell(verdict="deviates"), cell(verdict="inapplicable"), "vanished"),
        (cell(verdict="violates"), cell(verdict="inapplicable"), "vanished"),
        (cell(verdict="conforms"), cell(verdict="deviates"), "changed"),
        (cell(verdict="violates"), cell(verdict="blocked"), "changed"),
        (cell(verdict="violates", text="got 500"), cell(verdict="violates", text="got 501"), "changed"),
        (cell(verdict="violates", text="got 500"), cell(verdict="violates", text="got 500"), "old"),
        (cell(verdict="violates", confidence="unverified"), cell(verdict="violates", confidence="unverified"), "same"),
        (cell(verdict="inapplicable"), cell(verdict="inapplicable"), "same"),
        (cell(seconds=1.0, requests=3, flaky=True), cell(), "same"),
    ],
)
def test_where_a_cell_belongs(old: Cell, new: Cell, name: str) -> None:
    """One cell, in both runs."""
    assert only(old, new)[0] == name


def test_cells_of_one_run_alone() -> None:
    """New, and vanished; whether the new ones fail is told."""
    made = compare(run(cell("A-001")), run(cell("A-002"), cell("A-003", "violates")))
    assert placed(made) == {Key("A-001", "raw"): "vanished", Key("A-002", "raw"): "new", Key("A-003", "raw"): "new"}
    assert [change.key.scenario for change in made.new_failing] == ["A-003"]
    assert [(change.old is None, change.new is None) for change in made.new] == [(True, False)] * 2


def test_columns_are_cells_of_their_own() -> None:
    """Two versions of one client do not stand for each other."""
    old, new = cell(column="rclone-1.65"), cell(column="rclone-1.70")
    assert placed(compare(run(old), run(new))) == {
        Key("ETAG-001", "rclone-1.65"): "vanished",
        Key("ETAG-001", "rclone-1.70"): "new",
    }


def test_order_is_that_of_families_and_scenarios() -> None:
    """Whatever the order in which cells finished."""
    names = ["B-002", "A-002", "B-001", "A-001"]
    made = compare(run(), run(*(cell(name, column=column) for name in names for column in ("y", "x"))))
    assert [change.key for change in made.new] == [(name, column) for name in sorted(names) for column in ("x", "y")]


def test_families_stay_together_whatever_their_scenarios_are_called() -> None:
    """As reports show them."""
    made = compare(run(), run(cell("A-001", family="Z"), cell("B-001", family="Y"), cell("C-001", family="Z")))
    assert [change.key.scenario for change in made.new] == ["B-001", "A-001", "C-001"]


def test_a_level_leaves_out_the_cells_below_it() -> None:
    """From both runs; what the later one says of a cell's level holds."""
    old = run(cell("A-001"), cell("A-002", level="SHOULD"), cell("A-003", level="EXTENDED"), cell("A-004"))
    new = run(cell("A-001", level="SHOULD"), cell("A-004", "violates"))
    assert placed(compare(old, new, "MUST")) == {Key("A-004", "raw"): "regressed"}
    assert placed(compare(old, new, "SHOULD")) == {Key("A-004", "raw"): "regressed", Key("A-002", "raw"): "vanished"}
    assert compare(old, new, "MUST").same == 0
    assert compare(old, new, "SHOULD").same == 1


# --- what of a cell is told ---


def told(old: Cell, new: Cell) -> list[tuple[str, str, str]]:
    """What differs, as triples."""
    change = only(old, new)[1]
    assert change is not None
    return [(one.what, one.old, one.new) for one in change.what]


def test_each_thing_that_differs_is_named() -> None:
    """Verdict, weight, call, text."""
    old = cell(verdict="violates", text="got 501")
    step = Step("GetObject", "witness", ok=False, status=404, code="NoSuchKey")
    observed = Observation("prerequisite", "prerequisite GetObject failed", [step], 0)
    assert told(old, cell(verdict="blocked", observed=observed, confidence="unverified")) == [
        ("verdict", "violates", "blocked"),
        ("confidence", "recorded", "unverified"),
        ("operation", "PutObject", "GetObject"),
        ("status", "501", "404"),
        ("code", "NotImplemented", "NoSuchKey"),
        ("observed", "got 501", "prerequisite GetObject failed"),
    ]


def test_what_was_right_has_no_call_to_compare() -> None:
    """Only the call that decided matters."""
    assert told(cell(), cell(verdict="deviates", text="got 501")) == [
        ("verdict", "conforms", "deviates"),
        ("observed", "as expected", "got 501"),
    ]


def test_a_status_counts_that_the_text_does_not_name() -> None:
    """Evidence is more than its words."""
    old = cell(verdict="violates", text="no ETag")
    step = msgspec.structs.replace(old.observed.steps[0], status=None)
    new = msgspec.structs.replace(old, observed=msgspec.structs.replace(old.observed, steps=[step]))
    assert told(old, new) == [("status", "501", "none")]


def test_the_same_words_for_something_else_are_a_difference() -> None:
    """A prerequisite that failed is not the statement that failed."""
    old = cell(verdict="violates", text="got 501")
    new = msgspec.structs.replace(old, observed=msgspec.structs.replace(old.observed, outcome="prerequisite"))
    assert told(old, new) == [("outcome", "mismatch", "prerequisite")]


def test_steps_that_a_trimmed_run_has_not_kept_are_no_difference() -> None:
    """Published runs do without the steps of cells that pass."""
    old = cell(verdict="deviates", text="got 501")
    bare = msgspec.structs.replace(old, observed=msgspec.structs.replace(old.observed, steps=[], failing=-1))
    assert only(old, bare)[0] == only(bare, old)[0] == "same"


# --- the runs ---


def test_what_sets_runs_apart_is_told() -> None:
    """Gateway, endpoint, profile, suite, and each client that is not as it was."""
    same, missing = ClientInfo("raw", "1", "inprocess"), ClientInfo("mc", "", "local", missing="not installed")
    old = run(clients=[same, ClientInfo("rclone", "1.65", "local"), ClientInfo("mc", "7", "local")])
    new = run(
        clients=[same, ClientInfo("rclone", "1.65", "docker", "rclone/rclone:1.65"), missing],
        endpoint="http://other",
        profile="mine",
        suite_version="0.2.0",
        gateway=GatewayInfo("gw", "2"),
    )
    assert compare(old, new).differences == (
        Difference("gateway", "gw 1", "gw 2"),
        Difference("endpoint", "http://h", "http://other"),
        Difference("profile", "aws", "mine"),
        Difference("suite", "0.1.0", "0.2.0"),
        Difference("client mc", "7 local", "missing: not installed"),
        Difference("client rclone", "1.65 local", "1.65 docker rclone/rclone:1.65"),
    )
    assert compare(run(clients=[same]), run()).differences == (
        Difference("client raw", "1 inprocess", "not in the run"),
    )
    assert compare(old, old).differences == ()


# --- properties ---

CELLS = st.builds(
    lambda number, label, verdict, level, confidence, text: cell(
        f"A-00{number}", verdict, text, column=label, level=level, confidence=confidence
    ),
    st.integers(0, 4),
    st.sampled_from("xy"),
    st.sampled_from(VERDICTS),
    st.sampled_from(LEVELS),
    st.sampled_from(["recorded", "secondary"]),
    st.sampled_from(["", "got 500", "got 501"]),
)
RUNS = st.lists(CELLS, max_size=8, unique_by=lambda one: (one.scenario, one.label)).map(lambda cells: run(*cells))


@given(RUNS, RUNS)
def test_every_cell_is_in_exactly_one_list(old: Run, new: Run) -> None:
    """As many as there are keys in both runs together."""
    made = compare(old, new)
    seen = Counter(change.key for changes in made.lists.values() for change in changes)
    keys = {(one.scenario, one.label) for one in (*old.cells, *new.cells)}
    assert set(seen) <= keys
    assert set(seen.values()) <= {1}
    assert len(seen) + made.same == len(keys)
    assert tuple(made.lists) == LISTS


@given(RUNS)
def test_a_run_is_the_same_as_itself(one: Run) -> None:
    """Nothing but what fails, and fails as before."""
    made = compare(one, one)
    assert {change.key.scenario for change in made.old} == {each.scenario for each in made.before.cells if each.fails}
    assert {name for name, changes in made.lists.items() if changes} <= {"old"}
    assert made.same == sum(not each.fails for each in one.cells)


@given(RUNS, RUNS)
def test_the_other_way_round_everything_is_the_other_way_round(old: Run, new: Run) -> None:
    """Regressed and fixed change places, and so do new and vanished; the rest stays."""
    there, back = compare(old, new), compare(new, old)
    opposite = {"regressed": "fixed", "fixed": "regressed", "new": "vanished", "vanished": "new"}
    assert placed(back) == {key: opposite.get(name, name) for key, name in placed(there).items()}
    assert there.same == back.same


# --- normal ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"it listed ['{BUCKET}']", "it listed ['<bucket>']"),
        (f"{BUCKET}_x and {BUCKET}.", "<bucket> and <bucket>."),
        ("Failed to copy `/tmp/s3conform-wyab0hat/home/body`", "Failed to copy `/tmp/<folder>/home/body`"),
        ("upload failed: tmp62m4tt_v/a to", "upload failed: <folder>/a to"),
        ("cannot connect to localhost:55665: refused", "cannot connect to localhost:<port>: refused"),
        ("http://[::1]:9000/b", "http://[::1]:<port>/b"),
        ("Initiated was ['2026-11-20T20:18:06.06Z']", "Initiated was ['<time>']"),
        ("2026-11-20 20:18:06+00:00 20261120T201806Z", "<time> <time>"),
        ("Last-Modified was 'Fri, 20 Nov 2026 20:14:39 GMT'", "Last-Modified was '<time>'"),
        (
            "was datetime.datetime(2026, 11, 20, 20, 18, 5, 536000, tzinfo=tzlocal())}",
            "was <time>}",
        ),
        ("'mtime': '1795205897.147871136'", "'mtime': '<time>'"),
        ("it took 1.52 s, or 12.5 ms", "it took <duration> s, or <duration> ms"),
        ("id 399a3fcd-7d55-4110-a919-c2f4b602a99d", "id <id>"),
        (
            "were ['a' 0c77c661-3fb, 'b' 794b93f3-af7 latest]",
            "were ['a' <id>, 'b' <id> latest]",
        ),
        ("uploads were ['k' 6imWVclzhUan…, 'l' qlAyCfhyvqFx…]", "uploads were ['k' <id>, 'l' <id>]"),
        ("'UploadId': 'qGPkuqh1EJJlDoQXEivGNcG9wqOzXbn3grHv'", "'UploadId': '<id>'"),
        ("request 4442587FB7D0A2F9", "request <id>"),
        (
            "keys were ['gen-001-raw-1/16/a'] (example: keys 'a'; listed (so))",
            "keys were ['gen-001-raw-1/<number>/a']",
        ),
    ],
)
def test_what_is_another_in_every_run_is_replaced(text: str, expected: str) -> None:
    """As gateways and clients really say it."""
    assert normal(text) == expected
    assert normal(expected) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "got 501 NotImplemented (A header you provided implies functionality that is not implemented)",
        'ETag was "bd9dca9e57105fc5997ec2375e694fac"',
        'ETag was "bd9dca9e57105fc5997ec2375e694fac-2"',
        "digest 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        "Content-MD5 XrY7u1Ae7tCTyyK7j1rNww==",
        "ChecksumSHA256 was uU0nuZNNPgilLlLX2n2r1sSE7N6U4DukIj3rOLvzek8=",
        "there is no x-amz-checksum-sha256-and-more header",
        "payload was STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "keys were ['lmu-008-boto3-1/a', 'cks-021-boto3-1/CRC32']",
        "ContentRange was 'bytes 0-5243879/5243880'",
        "Size was 5368709120",
        "Expires was '0'; max-age=31536000",
        "code was 'AuthorizationHeaderMalformed'",
        "ListObjectsV2 answered 200 after 3 requests",
    ],
)
def test_what_the_endpoint_means_stays(text: str) -> None:
    """Codes, statuses, sizes, keys, names of headers and digests: a difference there is one."""
    assert normal(text) == text


@given(st.text("aB10 :-./T'…()", max_size=120))
def test_normal_is_stable(text: str) -> None:
    """A text that was made normal is normal."""
    assert normal(normal(text)) == normal(text)


def test_evidence_that_differs_in_ids_alone_is_the_same() -> None:
    """Two runs of one gateway, with its own words."""
    old = cell(verdict="violates", text="NextUploadIdMarker was 'd867c450-6258-4cbe-b2e9-bdb92863fbba'")
    new = cell(verdict="violates", text="NextUploadIdMarker was 'ad2f2d61-9d0c-4085-b0fd-b5851a872c3f'")
    assert only(old, new)[0] == "old"
