"""Runs find out what clients need, show it, and try it where a cell fails without it."""

from __future__ import annotations

from pathlib import Path

from tests.harness.clients.making import info
from tests.support import lines, reference_server, s3conform


def test_a_cell_that_passes_with_what_the_endpoint_needs_says_so(tmp_path: Path) -> None:
    """Rclone lists by version 1 unless told otherwise; where only version 2 works, that is what a user must set."""
    info("rclone")  # or the test is skipped
    options = ("--runner", "local", "--clients", "rclone", "--scenario", "RCLONE-002,RCLONE-007", "--out", "out")
    with reference_server("--defect", "list-v1-404") as server:
        end = s3conform("run", *server.options, *options, "--workers", 1, cwd=tmp_path)
    assert end.code == 1, end.text
    found = {line["scenario"]: line for line in lines(tmp_path / "out") if line["kind"] == "cell"}
    assert found["RCLONE-002"]["verdict"] == "violates"
    assert "list_version = 2" in found["RCLONE-002"]["passes_with"]
    assert "(passes with rclone list_version = 2" in end.out
    (advice,) = [line for line in lines(tmp_path / "out") if line["kind"] == "advice"]
    needed = {(each["client"], each["name"]): each["value"] for each in advice["settings"] if each["needed"]}
    assert needed["rclone", "list_version"] == "2"
    assert "list_version = 2" in advice["texts"]["rclone.conf"]
    assert "list_version" in (tmp_path / "out" / "index.html").read_text()
