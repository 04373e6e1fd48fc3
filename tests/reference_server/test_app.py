"""The application as a whole: unexpected failures, seams, independence."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import reference_server

if TYPE_CHECKING:
    from conftest import Running

PACKAGE = Path(reference_server.__file__).parent


def test_an_unexpected_failure_is_a_500_in_xml(
    running: Running, bucket: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_call: object) -> None:
        raise ZeroDivisionError("by\nzero")

    monkeypatch.setitem(running.app.operations, "ListObjects", fail)
    monkeypatch.setattr(running.app, "_debug", False)
    reply = running.raw()("GET", f"/{bucket}")
    assert (reply.status, reply.code) == (500, "InternalError")
    assert capsys.readouterr().err == "internal error: ZeroDivisionError: by zero\n"
    monkeypatch.undo()
    assert running.raw()("GET", f"/{bucket}").status == 200


def test_the_server_knows_nothing_of_the_harness() -> None:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in modules if name.split(".")[0] in ("harness", "scenarios", "reports")], path


def test_no_handler_asks_for_a_personality_by_name() -> None:
    for path in (PACKAGE / "ops").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "personality" not in text
        assert "auto-drive" not in text
