"""Profiles: those that come with the program hold, and every mistake in one's own gives one clear line."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec
import pytest

from harness import profile, scenario
from harness.errors import USAGE, UsageError
from harness.profile import Buckets, Deviation, OperationEntry, Profile, Signature

IDS = ("DEL-001", "ETAG-001")

GOOD = """
name = "mine"
title = "My gateway"
version = "2"

[sources]
guide = "https://docs.example/s3"

[buckets]
creation = "implicit"

[settings.rclone]
list_version = "2"

[operations.CopyObject]
support = "no"
accept = [{ status = 501, code = "NotImplemented", message = "not", headers = { x-a = "1" } }, { status = 404 }]
reason = "not built"
source = "guide"
clients = ["rclone"]

[[deviations]]
scenario = "DEL-001"
signature = { status = 200 }
reason = "older than the rule"
source = "guide"
clients = ["raw", "boto3"]
since = 2025-01-01
expires = 2027-12-31
"""


def clear(error: pytest.ExceptionInfo[UsageError]) -> str:
    """The one line that a user is shown."""
    text = str(error.value)
    assert error.value.exit_code == USAGE
    assert "\n" not in text
    assert text
    return text


def loaded(folder: Path, content: str | bytes) -> Profile:
    path = folder / "mine.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return profile.load(str(path))


@pytest.mark.parametrize("name", profile.names())
def test_profiles_that_come_with_the_program_load_and_check(name):
    found = profile.load(name)
    profile.check(found, scenario.load())
    assert found.name == name
    assert found.title
    for source in found.sources.values():
        assert source.strip()
    for entry in [*found.operations.values(), *found.deviations]:
        assert entry.reason.strip()


def test_the_standard_documents_nothing():
    """Against Amazon S3 itself nothing is excused."""
    found = profile.load("aws")
    assert (found.operations, found.deviations, found.buckets) == ({}, [], Buckets("explicit"))


def test_names_are_those_of_the_bundled_files():
    assert "aws" in profile.names()
    assert profile.names() == sorted(profile.names())


def test_a_profile_of_ones_own(tmp_path):
    found = loaded(tmp_path, GOOD)
    profile.check(found, IDS)
    accept = [Signature(501, "NotImplemented", "not", {"x-a": "1"}), Signature(404)]
    assert found == Profile(
        "mine",
        "My gateway",
        "2",
        {"guide": "https://docs.example/s3"},
        Buckets("implicit"),
        {"rclone": {"list_version": "2"}},
        {"CopyObject": OperationEntry("no", accept, "not built", "guide", ["rclone"])},
        [
            Deviation(
                "DEL-001",
                Signature(200),
                "older than the rule",
                "guide",
                ["raw", "boto3"],
                dt.date(2025, 1, 1),
                dt.date(2027, 12, 31),
            )
        ],
    )


@pytest.mark.parametrize(
    ("name", "nearest"), [("aw", "aws"), ("AWS", "aws"), ("autodrive", "auto-drive"), ("auto_drive", "auto-drive")]
)
def test_an_unknown_name_gives_the_nearest(name, nearest):
    with pytest.raises(UsageError) as caught:
        profile.load(name)
    text = clear(caught)
    assert repr(name) in text
    assert f"did you mean {nearest!r}?" in text


@pytest.mark.parametrize("name", ["", "zzzzzz", "..", "\u4e2d\u6587", "a\0b", "x" * 5000])
def test_a_name_like_no_other_gives_all(name):
    with pytest.raises(UsageError, match="unknown profile") as caught:
        profile.load(name)
    assert "aws" in str(caught.value)


def test_paths_that_cannot_be_read(tmp_path):
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "file").write_text("")
    for path in ("none.toml", "folder.toml", "file/x.toml", "a" * 5000 + ".toml"):
        with pytest.raises(UsageError, match="cannot read profile") as caught:
            profile.load(str(tmp_path / path))
        assert path in clear(caught)


@pytest.mark.parametrize(
    "content",
    [
        "name = ",
        "name = 'a'\nname = 'b'",
        "just text",
        b"\xff\xfe",
        b"name = '\xe9'",
        b"\0",
        "a = " + "[" * 50_000,
        '{"name": "json"}',
        "<xml/>",
    ],
)
def test_what_is_not_toml(tmp_path, content):
    with pytest.raises(UsageError) as caught:
        loaded(tmp_path, content)
    assert "mine.toml" in clear(caught)


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ('name = "mine"', "", "name"),
        ('title = "My gateway"', "", "title"),
        ('version = "2"', "version = 2", "version"),
        ('version = "2"', 'versoin = "2"', "versoin"),
        ('creation = "implicit"', 'creation = "magic"', "magic"),
        ('creation = "implicit"', "create = 1", "create"),
        ('support = "no"', 'support = "maybe"', "maybe"),
        ('support = "no"', "", "support"),
        ('reason = "not built"', "", "reason"),
        ('reason = "not built"', 'raeson = "not built"', "raeson"),
        ('source = "guide"\nclients = ["rclone"]', "", "source"),
        ("status = 501", 'status = "501"', "status"),
        ("status = 501", "stat = 501", "stat"),
        ("{ status = 404 }]", "404]", "operations"),
        ("accept = [{", "accept = {} #", "accept"),
        ("signature = { status = 200 }", "", "signature"),
        ("signature = { status = 200 }", "signature = [{ status = 200 }]", "signature"),
        ('scenario = "DEL-001"', "", "scenario"),
        ("expires = 2027-12-31", 'expires = "soon"', "expires"),
        ("expires = 2027-12-31", "expires = 2027", "expires"),
        ("expires = 2027-12-31", "until = 2027-12-31", "until"),
        ("[sources]", "[sourcse]", "sourcse"),
    ],
)
def test_a_field_that_is_missing_unknown_or_of_another_type_is_named(tmp_path, old, new, hint):
    assert old in GOOD
    with pytest.raises(UsageError) as caught:
        loaded(tmp_path, GOOD.replace(old, new))
    text = clear(caught)
    assert "mine.toml" in text
    assert hint in text


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("[operations.CopyObject]", "[operations.CopyObjct]", "did you mean 'CopyObject'?"),
        ("[operations.CopyObject]", "[operations.copyobject]", "did you mean 'CopyObject'?"),
        ('"DEL-001"', '"DEL-01"', "did you mean 'DEL-001'?"),
        ('"DEL-001"', '"del-001"', "did you mean 'DEL-001'?"),
        ('source = "guide"\nclients = ["rclone"]', 'source = "guied"', "did you mean 'guide'?"),
        ('source = "guide"\nclients = ["raw", "boto3"]', 'source = ""', "guide"),
        ('["rclone"]', '["rcloen"]', "did you mean 'rclone'?"),
        ('["raw", "boto3"]', '["raw", "boto"]', "did you mean 'boto3'?"),
        ("signature = { status = 200 }", "signature = {}", "says nothing"),
        ("signature = { status = 200 }", 'signature = { message = "", code = "" }', "says nothing"),
        ("signature = { status = 200 }", "signature = { headers = {} }", "says nothing"),
        ("{ status = 404 }]", "{}]", "says nothing"),
        ("accept = [{", "accept = [] # {", "says nothing"),
        ("x-a =", "X-A =", "lower case"),
        ("[settings.rclone]", "[settings.rclon]", "did you mean 'rclone'?"),
    ],
)
def test_an_entry_that_can_match_nothing_or_anything_is_an_error_of_the_profile(tmp_path, old, new, hint):
    assert old in GOOD
    found = loaded(tmp_path, GOOD.replace(old, new))
    with pytest.raises(UsageError) as caught:
        profile.check(found, IDS)
    text = clear(caught)
    assert "mine" in text
    assert hint in text


def test_every_struct_refuses_unknown_fields():
    """A misspelt field must never be a field left out."""
    for struct in (Profile, Signature, OperationEntry, Deviation, Buckets):
        assert struct.__struct_config__.forbid_unknown_fields
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"unknown": 1}, struct)
