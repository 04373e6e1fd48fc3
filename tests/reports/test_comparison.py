"""Two runs side by side, in each format: nothing is lost, nothing is netted, and hostile text stays text."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

import jsonschema
import msgspec
import pytest
from rich.console import Console

from harness.compare import LISTS, compare
from harness.record import VERDICTS, Accepted, Cell, Observation, Run
from reports import comparison

CellOf = Callable[..., Cell]
RunOf = Callable[..., Run]


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    """The schema that `compare --schema` prints."""
    jsonschema.Draft202012Validator.check_schema(comparison.json_schema())
    return jsonschema.Draft202012Validator(comparison.json_schema())


def shown(old: Run, new: Run, cap: int | None = comparison.CAP, *, terminal: bool = False) -> str:
    """What a terminal gets."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="utf-8", newline="\n")
    console = Console(file=file, force_terminal=terminal, color_system="standard" if terminal else None, width=80)
    comparison.show(comparison.text(compare(old, new), cap=cap), console)
    file.flush()
    return raw.getvalue().decode()


@pytest.fixture
def pair(cell_of: CellOf, run_of: RunOf) -> tuple[Run, Run]:
    """Two runs with one cell in each list, and one that is the same."""
    said = {"observed": Observation("mismatch", "got 500")}
    before = [
        cell_of(1, verdict="conforms"),
        cell_of(2, verdict="conforms", observed=Observation("match")),
        cell_of(4, verdict="violates", message="was wrong"),
        cell_of(5, verdict="conforms"),
        cell_of(6, verdict="violates"),
        cell_of(7, verdict="violates", **said),
        cell_of(8),
    ]
    after = [
        cell_of(1, verdict="violates", message="is wrong"),
        cell_of(3, verdict="blocked", message="not there", flaky=True),
        cell_of(4, verdict="conforms"),
        cell_of(5, verdict="deviates"),
        cell_of(6, verdict="violates"),
        cell_of(7, verdict="violates"),
        cell_of(8),
    ]
    return run_of(before), run_of(after, run_id="later", profile="other")


def test_text_names_runs_differences_lists_and_cells(pair: tuple[Run, Run]) -> None:
    """In the order in which a reader wants them, what fails first."""
    lines = shown(*pair).splitlines()
    assert lines[:3] == [
        "OLD: Example Gateway 4.2, 2025-01-02T03:04:05Z, run 20250102-abc",
        "NEW: Example Gateway 4.2, 2025-01-02T03:04:05Z, run later",
        "profile: example → other",
    ]
    assert lines[4] == "1 regressed, 1 vanished, 1 new (1 failing), 1 fixed, 2 changed, 1 old, 1 same"
    cells = [line.split("  ")[1:] for line in lines if line.startswith("  ")]
    assert cells == [
        ["ETAG-001 boto3", "MUST", "conforms → violates", "is wrong"],
        ["ETAG-002 boto3", "MUST", "conforms → absent"],
        ["ETAG-003 boto3", "MUST", "absent → blocked", "not there (flaky)"],
        ["ETAG-004 boto3", "MUST", "violates → conforms", "was wrong"],
        ["ETAG-005 boto3", "MUST", "conforms → deviates"],
        ["ETAG-007 boto3", "MUST", "violates", "observed: got 500 → 501 NotImplemented"],
        ["ETAG-006 boto3", "MUST", "violates", "wanted 200, got 501"],
    ]


def test_long_lists_are_cut_and_say_so(cell_of: CellOf, run_of: RunOf) -> None:
    """The gravest come first, so that the cut leaves out what matters least; and `--all` cuts nothing."""
    cells = [cell_of(n, verdict="violates", level="EXTENDED" if n < 5 else "MUST") for n in range(comparison.CAP + 5)]
    old, new = run_of([msgspec.structs.replace(one, verdict="conforms") for one in cells]), run_of(cells)
    text = shown(old, new)
    assert text.count("→ violates") == comparison.CAP == text.count("  MUST  ")
    assert "… and 5 more; `s3conform gate` and `compare` list them with --all" in text
    assert shown(old, new, None).count("→ violates") == comparison.CAP + 5
    table = comparison.markdown(compare(old, new))
    assert table.count("| MUST |") == comparison.CAP
    assert "… and 5 more; `s3conform compare` lists them with `--all`" in table
    assert comparison.markdown(compare(old, new), None).count("→ violates") == comparison.CAP + 5


def test_what_does_not_gate_is_marked(cell_of: CellOf, run_of: RunOf) -> None:
    """A failing verdict that does not fail the run would else look like one that was forgotten."""
    old, new = (run_of([cell_of(1, verdict=verdict, confidence="secondary")]) for verdict in ("conforms", "violates"))
    assert shown(run_of([]), new).rstrip().endswith("absent → violates  wanted 200, got 501 (does not gate)")
    assert shown(old, new).rstrip().endswith("conforms → violates  (does not gate)")


def test_an_incomplete_or_accepted_run_is_told(run_of: RunOf) -> None:
    """Both are reasons to read on with care."""
    killed = run_of(finished=False)
    accepted = run_of(accepted=Accepted("since 2.0", "2026-01-02T00:00:00+00:00", "", 0, 0, 3))
    lines = shown(accepted, killed).splitlines()
    assert "OLD was accepted on 2026-01-02: since 2.0" in lines
    assert "NEW is an incomplete run: 24 of 24 cells (the run was killed: its file has no footer)" in lines


def test_failing_cells_without_a_baseline(cell_of: CellOf) -> None:
    """The gravest first."""
    cells = [cell_of(1, verdict="violates", level="SHOULD"), cell_of(2, verdict="blocked")]
    assert [line.text for line in comparison.failing(cells)] == [
        "",
        "Failing (2 cells)",
        "  ETAG-002 boto3  MUST  blocked  wanted 200, got 501",
        "  ETAG-001 boto3  SHOULD  violates  wanted 200, got 501",
    ]
    assert list(comparison.failing([])) == []


def test_markdown_has_a_table_for_each_list(pair: tuple[Run, Run]) -> None:
    """And the numbers of all of them above."""
    text = comparison.markdown(compare(*pair))
    assert [line[4:].partition(":")[0].lower() for line in text.splitlines() if line.startswith("### ")] == list(LISTS)
    assert "**1 regressed, 1 vanished, 1 new (1 failing), 1 fixed, 2 changed, 1 old, 1 same**" in text
    assert "| ETAG-001 | MUST | boto3 | conforms → violates | is wrong |" in text


def test_json_has_every_cell(pair: tuple[Run, Run], schema: jsonschema.Draft202012Validator) -> None:
    """Each in its list, with both sides and all that differs."""
    data = json.loads(comparison.json(compare(*pair)))
    schema.validate(data)
    assert {name: [row["scenario"] for row in data[name]] for name in LISTS} == {
        "regressed": ["ETAG-001"],
        "vanished": ["ETAG-002"],
        "new": ["ETAG-003"],
        "fixed": ["ETAG-004"],
        "changed": ["ETAG-005", "ETAG-007"],
        "old": ["ETAG-006"],
    }
    assert data["same"] == 1
    assert data["differences"] == [{"what": "profile", "old": "example", "new": "other"}]
    assert data["changed"][1]["what"] == [{"what": "observed", "old": "got 500", "new": "501 NotImplemented"}]
    assert (data["regressed"][0]["old"]["fails"], data["regressed"][0]["new"]["fails"]) == (False, True)
    assert data["vanished"][0]["new"] is None


@pytest.mark.parametrize("before", VERDICTS)
@pytest.mark.parametrize("after", VERDICTS)
def test_json_obeys_its_schema_for_every_verdict(
    before: str, after: str, cell_of: CellOf, run_of: RunOf, schema: jsonschema.Draft202012Validator
) -> None:
    """Before and after; also where a run is incomplete."""
    old = run_of([cell_of(1, verdict=before), cell_of(2, verdict=before)], finished=False)
    new = run_of([cell_of(1, verdict=after), cell_of(3, verdict=after)])
    data = json.loads(comparison.json(compare(old, new)))
    schema.validate(data)
    assert sum(len(data[name]) for name in LISTS) + data["same"] == 3
    assert data["old_run"]["incomplete"].startswith("incomplete run")


@pytest.mark.parametrize("change", [{"same": "1"}, {"regressed": None}, {"schema": 2}, {"new": [{}]}])
def test_the_schema_refuses_what_is_not_a_comparison(
    change: dict[str, Any], pair: tuple[Run, Run], schema: jsonschema.Draft202012Validator
) -> None:
    """A schema that takes everything would prove nothing."""
    with pytest.raises(jsonschema.ValidationError):
        schema.validate(comparison.document(compare(*pair)) | change)


def hostile_pair(hostile: str, run_of: RunOf) -> tuple[Run, Run]:
    """Runs in which every text of an endpoint, of a client or of a user tries to break out, and all lists are long."""
    old = run_of(text=hostile, accepted=Accepted(f"because{hostile}", f"2026{hostile}", "", 0, 0, 0))
    new = run_of(text=f"{hostile}!", run_id=hostile)
    new.cells = [msgspec.structs.replace(one, column=f"{one.client}{hostile}") for one in new.cells[:8]] + [
        msgspec.structs.replace(one, verdict=VERDICTS[number % 8]) for number, one in enumerate(new.cells)
    ]
    return old, new


def test_hostile_text_does_nothing_to_a_terminal(hostile: str, run_of: RunOf) -> None:
    """The only escape sequences are our own colours, and no line is made or broken."""
    plain = shown(*hostile_pair("", run_of), None)
    rest = re.sub(r"\x1b\[[0-9;]*m", "", shown(*hostile_pair(hostile, run_of), None, terminal=True))
    assert not any(char in rest for char in "\x1b\x00\x07\r\u202e\u2066\u2028\u200b\x7f\x85\ufeff")
    assert all(line.startswith("  ") for line in rest.splitlines() if "ETAG-" in line)
    assert len(rest.splitlines()) - len(plain.splitlines()) < 60  # more cells, but of ours
    if hostile.startswith("[red]"):
        assert "[red]tint[/red]" in rest


def test_hostile_text_does_nothing_to_markdown(hostile: str, run_of: RunOf) -> None:
    """Each row has its five cells, and no tag, link or mention is left."""
    text = comparison.markdown(compare(*hostile_pair(hostile, run_of)), None)
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert rows
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}
    assert not re.search(r"<\w|https?://|@everyone|(?<!\\)\]\(", text)


def test_hostile_text_in_json_is_visible_text(
    hostile: str, run_of: RunOf, schema: jsonschema.Draft202012Validator
) -> None:
    """It may be printed as it is."""
    text = comparison.json(compare(*hostile_pair(hostile, run_of)))
    schema.validate(json.loads(text))
    assert not any(char in text for char in "\x1b\x00\x07\r\u202e\u2066\u2028\u200b\x7f\x85\ufeff")


def test_very_long_text_is_cut(cell_of: CellOf, run_of: RunOf) -> None:
    """A line of a terminal, and a row of a table, stay readable."""
    long = cell_of(1, verdict="violates", message="m" * 9000, observed=Observation("mismatch", "x" * 4000))
    other = msgspec.structs.replace(long, observed=Observation("mismatch", "y" * 4000))
    for old, new in (([], [long]), ([long], [other])):
        made = compare(run_of(old), run_of(new))
        assert max(len(line.text) for line in comparison.text(made)) < 500
        assert max(map(len, comparison.markdown(made).splitlines())) < 500


def test_an_output_without_unicode_is_no_crash(pair: tuple[Run, Run]) -> None:
    """Arrows become question marks."""
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    comparison.show(comparison.text(compare(*pair)), Console(file=file, width=80))
    file.seek(0)
    assert "conforms ? violates" in file.read()
