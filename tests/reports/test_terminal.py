import io
import re
from collections.abc import Callable

import msgspec
from rich.console import Console

from harness.record import VERDICTS, Cell, Footer, Run
from reports.terminal import CAP, slowest, summary


def printed(run: Run, *, terminal: bool = False, width: int = 80, encoding: str = "utf-8") -> str:
    """What the summary of `run` writes."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    summary(
        run,
        Console(file=file, force_terminal=terminal, width=width, color_system="standard" if terminal else None),
    )
    file.flush()
    return raw.getvalue().decode(encoding)


def test_verdicts_by_client_with_totals(run_of: Callable[..., Run]) -> None:
    """One row a client, with its version and how it ran; one column a verdict, sums in the last of each."""
    lines = [line.split() for line in printed(run_of()).splitlines()]
    start = lines.index(["version", "runner", *VERDICTS, "total"])
    assert lines[start + 1] == ["boto3", "1.2.3", "inprocess", *["1"] * 8, "8"]
    assert lines[start + 3] == ["rclone", "1.75.2", "docker", "rclone/rclone:1.75.2", *["1"] * 8, "8"]
    assert lines[start + 4] == ["awscli", "missing", *["0"] * 9]
    assert lines[start + 5] == ["total", *["3"] * 8, "24"]


def test_the_slowest_cells_are_shown_on_request(cell_of: Callable[..., Cell], run_of: Callable[..., Run]) -> None:
    """The longest first, with what they sent; no more than asked for."""
    cells = [msgspec.structs.replace(cell_of(number), seconds=float(number)) for number in range(12)]
    file = io.StringIO()
    slowest(run_of(cells), Console(file=file, width=200), 3)
    lines = [line.split()[:3] for line in file.getvalue().splitlines()[1:]]
    assert lines[0] == ["Slowest", "3", "cells:"]
    assert lines[1:] == [[f"{seconds}.00", "s", cells[seconds].scenario] for seconds in (11, 10, 9)]


def test_no_escape_sequences_without_a_terminal(run_of: Callable[..., Run]) -> None:
    """A log gets plain text."""
    assert "\x1b" not in printed(run_of())


def test_hostile_text_is_shown_and_does_nothing(hostile: str, run_of: Callable[..., Run]) -> None:
    """The only escape sequences are the summary's own colours; rich reads no markup."""
    plain = printed(run_of())
    shown = printed(run_of(text=hostile), terminal=True)
    rest = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert len(plain.splitlines()) == len(rest.splitlines())
    assert not any(char in rest for char in "\x1b\x00\x07\r\u202e\u2066\u2028")
    if hostile.startswith("[red]"):
        assert "wanted 200, got 501[red]tint[/red]" in rest


def test_the_list_of_failures_is_capped(cell_of: Callable[..., Cell], run_of: Callable[..., Run]) -> None:
    """Twenty, then how many more."""
    text = printed(run_of([cell_of(number, verdict="violates") for number in range(CAP + 5)]))
    assert text.count("✗ violates  ETAG-") == CAP
    assert "… and 5 more; see the report" in text


def test_an_incomplete_run_ends_with_the_notice(run_of: Callable[..., Run]) -> None:
    """The last line is what one sees."""
    run = run_of(planned=30)
    run.footer = Footer("", {}, [], interrupted="SIGINT")
    assert printed(run).splitlines()[-1] == "Incomplete run: 24 of 30 cells (interrupted: SIGINT)"


def test_lines_are_not_broken_by_a_narrow_console(run_of: Callable[..., Run]) -> None:
    """A log without a width loses nothing."""
    assert printed(run_of(), width=20) == printed(run_of(), width=500)


def test_an_output_without_unicode_is_no_crash(run_of: Callable[..., Run]) -> None:
    """Signs become question marks; the words remain."""
    assert "? violates  ETAG-003 boto3" in printed(run_of(), encoding="ascii")
