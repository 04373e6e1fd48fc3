"""A gateway that differs as it documents passes; one that does not, fails."""

from __future__ import annotations

from pathlib import Path

from harness import scenario
from tests.harness.clients.making import info
from tests.support import lines, s3conform

IMMUTABLE = """
name = "immutable"
title = "A store that says it never deletes"
sources = { manual = "its manual" }

[operations.DeleteObject]
support = "forbidden"
accept = [{ status = 403, code = "AccessDenied" }]
reason = "storage is permanent"
source = "manual"
"""
WORKFLOWS = ("RCLONE-018", "RCLONE-020", "RCLONE-021", "RCLONE-022", "RCLONE-026", "RCLONE-080")


def test_auto_drive_as_documented_passes_through_raw_and_rclone(tmp_path: Path) -> None:
    """Deletes are refused with 403 and an explanation, and nothing fails that its profile documents."""
    info("rclone")  # or the test is skipped
    options = ("--profile", "auto-drive", "--clients", "raw,rclone", "--runner", "local")
    chosen = [found.id for found in scenario.load().values() if found.family in ("BKT", "DEL", "LST1")]
    chosen = [name for name in chosen if scenario.load()[name].level == "MUST"]
    chosen += WORKFLOWS
    end = s3conform("run", *options, "--scenario", ",".join(chosen), "--workers", 2, "--out", "out", cwd=tmp_path)
    assert end.code == 0, end.text
    cells = {(cell["scenario"], cell["client"]): cell for cell in lines(tmp_path / "out") if cell["kind"] == "cell"}
    refused = cells["DEL-001", "raw"]
    assert (refused["verdict"], refused["profile_entry"]) == ("unsupported", "operations.DeleteObject")
    assert "immutable" in refused["observed"]["steps"][refused["observed"]["failing"]]["message"]
    assert {cells["DEL-021", client]["verdict"] for client in ("raw", "rclone")} == {"conforms"}
    delete = cells["DEL-021", "rclone"]["observed"]["steps"]
    assert [step["exit_code"] for step in delete if step["role"] == "client"] == [1]


def test_a_store_that_deletes_contradicts_a_profile_that_says_it_does_not(tmp_path: Path) -> None:
    """A profile is held to what it says, also when the gateway does more than that."""
    (tmp_path / "immutable.toml").write_text(IMMUTABLE)
    options = ("--profile", "immutable.toml", "--clients", "raw", "--scenario", "DEL-001,DEL-021")
    end = s3conform("run", *options, "--workers", 1, "--out", "out", cwd=tmp_path)
    assert end.code == 1, end.text
    verdicts = {cell["verdict"] for cell in lines(tmp_path / "out") if cell["kind"] == "cell"}
    assert verdicts == {"contradicts"}
