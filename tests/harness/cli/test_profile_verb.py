"""`s3conform profile`: what is wrong with a profile, and a first one from what a run saw."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import profile
from tests.support import lines, s3conform

SCENARIOS = "DEL-001,DEL-021,BKT-001,LST1-001,META-001"


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a gateway that deletes nothing, judged as if it documented nothing."""
    folder = tmp_path_factory.mktemp("refusing")
    options = ("--personality", "auto-drive", "--clients", "raw,boto3", "--scenario", SCENARIOS, "--workers", 1)
    assert s3conform("run", *options, "--out", "out", cwd=folder).code == 1
    return folder


def test_draft_excuses_what_the_run_saw_once_a_person_has_given_reasons(refusing: Path, tmp_path: Path) -> None:
    made = s3conform("profile", "init", "--run", refusing / "out", "--name", "mine", cwd=tmp_path)
    assert made.code == 0, made.text
    refused = s3conform("profile", "check", "mine.toml", cwd=tmp_path)
    assert refused.code == 2
    assert "has no reason yet" in refused.out

    text = (tmp_path / "mine.toml").read_text()
    (tmp_path / "mine.toml").write_text(text.replace('reason = "TODO"', 'reason = "deletes nothing, as it says"'))
    assert s3conform("profile", "check", "mine.toml", cwd=tmp_path).code == 0
    options = ("--personality", "auto-drive", "--profile", "mine.toml", "--clients", "raw,boto3", "--workers", 1)
    end = s3conform("run", *options, "--scenario", SCENARIOS, "--out", "again", cwd=tmp_path)
    assert end.code == 0, end.text
    verdicts = {cell["verdict"] for cell in lines(tmp_path / "again") if cell["kind"] == "cell"}
    assert verdicts & {"unsupported", "deviates"}


def test_draft_of_a_run_without_differences_has_no_entry(tmp_path: Path) -> None:
    options = ("--clients", "raw", "--scenario", "META-001", "--workers", 1)
    assert s3conform("run", *options, "--out", "out", cwd=tmp_path).code == 0
    made = s3conform("profile", "init", "--run", "out", "--name", "good", "--out", "good.toml", cwd=tmp_path)
    assert made.code == 0, made.text
    found = profile.load(str(tmp_path / "good.toml"))
    assert (found.operations, found.deviations) == ({}, [])


def test_draft_overwrites_nothing(refusing: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("mine")
    made = s3conform("profile", "init", "--run", refusing / "out", "--name", "mine", cwd=tmp_path)
    assert made.code == 2
    assert "is there already" in made.err
    assert (tmp_path / "mine.toml").read_text() == "mine"


def test_bundled_profile_passes(tmp_path: Path) -> None:
    end = s3conform("profile", "check", "aws", cwd=tmp_path)
    assert (end.code, end.out) == (0, "aws: 0 operations, 0 deviations of 0 scenarios, 0 limits; nothing wrong\n")


def test_mistake_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('name = "mine"\ntitel = "Mine"\n')
    end = s3conform("profile", "check", "mine.toml", cwd=tmp_path)
    assert end.code == 2
    assert end.err.count("\n") == 1
    assert "line 2" in end.err
    assert "did you mean 'title'?" in end.err


def test_schema_is_that_of_profiles(tmp_path: Path) -> None:
    end = s3conform("profile", "schema", cwd=tmp_path)
    properties = json.loads(end.out)["$defs"]["Profile"]["properties"]
    assert set(properties) == set(profile.Profile.__struct_fields__)
