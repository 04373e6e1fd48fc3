import io
import re
from collections.abc import Callable

from rich.console import Console

from harness.record import Cell, Footer, Run
from reports.terminal import CAP, summary


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
    """One row a verdict, one column a client, sums in the last of each."""
    lines = [line.split() for line in printed(run_of()).splitlines()]
    start = lines.index(["boto3", "raw", "rclone", "awscli", "total"])
    assert ["violates", "1", "1", "1", "0", "3"] in lines[start:]
    assert ["total", "8", "8", "8", "0", "24"] in lines[start:]


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
