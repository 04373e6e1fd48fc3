"""`s3conform site`: publishing a real run, and the site of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import Ended, s3conform

InProcess = Callable[..., Ended]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that names its gateway."""
    folder = tmp_path_factory.mktemp("judged")
    options = ("--scenario", "ETAG-001,DEL-001", "--clients", "raw", "--workers", 1, "--out", "run")
    named = ("--gateway", "Some Gateway", "--gateway-version", "1.2")
    assert s3conform("run", *options, *named, cwd=folder).code == 0
    return folder / "run"


def test_a_run_is_published_and_shown(
    judged: Path, in_process: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    end = in_process("site", "--add", str(judged), "--out", "page")
    assert end.code == 0, end.text
    (published,) = (tmp_path / "reports/published").iterdir()
    assert published.name.startswith("some-gateway-1.2-")
    assert "Some Gateway" in (tmp_path / "page/index.html").read_text(encoding="utf-8")
    specification = (tmp_path / "page/specification.html").read_text(encoding="utf-8")
    assert specification.count('class="statement"') > 1000
    assert 'title="conforms: raw"' in specification


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "name --out DIR for the site, or --add RUN to publish one"),
        (("--out", "page"), "no published runs in reports/published: publish one with --add RUN"),
        (("--add", "nowhere"), "cannot read run file nowhere"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(
    in_process: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    end = in_process("site", *arguments)
    assert end.code != 0
    assert told in end.err
    assert len(end.err.splitlines()) == 1


def test_a_folder_that_cannot_be_written(judged: Path, in_process: InProcess, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    end = in_process("site", "--add", str(judged), "--published", str(tmp_path / "file/x"))
    assert end.code == 2
    assert "cannot write there" in end.err
