"""Profiles: those that come with the program hold, and every mistake in one's own gives one clear line."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec
import pytest

from harness import profile, scenario
from harness.errors import USAGE, UsageError
from harness.profile import Buckets, Deviation, OperationEntry, Profile, Signature
from harness.profile_check import check, review

KNOWN = {name: scenario.load()[name] for name in ("DEL-001", "RCLONE-018")}

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
scenarios = ["DEL-001"]
accept = [{ status = 200 }]
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
    check(found, scenario.load())
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
    check(found, KNOWN)
    accept = [Signature(501, "NotImplemented", "not", {"x-a": "1"}), Signature(404)]
    assert found == Profile(
        "mine",
        "My gateway",
        "2",
        sources={"guide": "https://docs.example/s3"},
        buckets=Buckets("implicit"),
        settings={"rclone": {"list_version": "2"}},
        operations={"CopyObject": OperationEntry("no", "not built", "guide", accept, clients=["rclone"])},
        deviations=[
            Deviation(
                ["DEL-001"],
                [Signature(200)],
                "older than the rule",
                "guide",
                clients=["raw", "boto3"],
                since=dt.date(2025, 1, 1),
                expires=dt.date(2027, 12, 31),
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
        ("accept = [{ status = 501", "accept = {} # {", "accept"),
        ("accept = [{ status = 200 }]", "", "accept"),
        ("accept = [{ status = 200 }]", "accept = { status = 200 }", "accept"),
        ('scenarios = ["DEL-001"]', "", "scenarios"),
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
        ('clients = ["rclone"]', 'clients = ["rclnoe@1"]', "did you mean 'rclone'?"),
        ('clients = ["rclone"]', 'clients = ["rclone@"]', "names no version; write rclone for all of them"),
        ('source = "guide"\nclients = ["rclone"]', 'source = "guied"', "did you mean 'guide'?"),
        ('source = "guide"\nclients = ["raw", "boto3"]', 'source = ""', "guide"),
        ('["rclone"]', '["rcloen"]', "did you mean 'rclone'?"),
        ('["raw", "boto3"]', '["raw", "boto"]', "did you mean 'boto3'?"),
        ("accept = [{ status = 200 }]", "accept = [{}]", "says nothing"),
        ("accept = [{ status = 200 }]", 'accept = [{ message = "", code = "" }]', "says nothing"),
        ("accept = [{ status = 200 }]", "accept = [{ headers = {} }]", "says nothing"),
        ("{ status = 404 }]", "{}]", "says nothing"),
        ("accept = [{ status = 501", "accept = [] # {", "needs accept"),
        ("accept = [{ status = 200 }]", "accept = []", "what is accepted instead"),
        ('scenarios = ["DEL-001"]', "scenarios = []", "needs scenarios"),
        ("status = 501", "status = 200", "is no refusal"),
        ('support = "no"', 'support = "partial"', "judged as it is"),
        ('scenarios = ["DEL-001"]', 'scenarios = ["RCLONE-018"]', "has no cell for raw, boto3"),
        ("x-a =", "X-A =", "lower case"),
        ("[settings.rclone]", "[settings.rclon]", "did you mean 'rclone'?"),
    ],
)
def test_an_entry_that_can_match_nothing_or_anything_is_an_error_of_the_profile(tmp_path, old, new, hint):
    assert old in GOOD
    found = loaded(tmp_path, GOOD.replace(old, new))
    with pytest.raises(UsageError) as caught:
        check(found, KNOWN)
    text = clear(caught)
    assert "mine" in text
    assert hint in text


def test_every_struct_refuses_unknown_fields():
    """A misspelt field must never be a field left out."""
    for struct in (Profile, Signature, OperationEntry, Deviation, Buckets):
        assert struct.__struct_config__.forbid_unknown_fields
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"unknown": 1}, struct)


@pytest.mark.parametrize(
    ("old", "new", "line", "hint"),
    [
        ('version = "2"', 'versoin = "2"', 4, "did you mean 'version'?"),
        ('creation = "implicit"', 'creation = "implicid"', 10, "did you mean 'implicit'?"),
        ('support = "no"', 'support = "forbiden"', 16, "did you mean 'forbidden'?"),
        ("status = 501", "state = 501", 17, "did you mean 'status'?"),
        ('reason = "older', 'raeson = "older', 25, "did you mean 'reason'?"),
        ("expires = 2027-12-31", 'expires = "soon"', 29, "expires"),
        ('reason = "not built"\n', "", 15, "`reason`"),
        ('list_version = "2"', "list_version = 2", 13, "Expected `str`"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_the_nearest_valid_word(tmp_path, old, new, line, hint):
    assert old in GOOD
    with pytest.raises(UsageError) as caught:
        loaded(tmp_path, GOOD.replace(old, new))
    text = clear(caught)
    assert f"line {line}:" in text
    assert hint in text


BASE = """
name = "base"
title = "Base"
sources = { guide = "g", old = "o" }
buckets = { creation = "implicit" }

[settings.rclone]
list_version = "2"

[operations.CopyObject]
support = "no"
accept = [{ status = 501 }]
reason = "not built"
source = "guide"

[[deviations]]
scenarios = ["DEL-001", "ETAG-010", "PUT-001"]
accept = [{ status = 200 }]
reason = "older"
source = "old"
"""
CHILD = """
name = "child"
title = "Child"
inherits = "{base}"
conforms = ["PUT-001"]

[sources]
guide = "g2"

[settings.rclone]
no_check_bucket = "true"

[operations.CopyObject]
support = "full"
reason = "built now"
source = "guide"

[[deviations]]
scenarios = ["DEL-001"]
accept = [{ status = 204 }]
reason = "newer"
source = "guide"
"""


def test_a_profile_has_what_it_inherits_but_for_what_it_says_itself(tmp_path):
    (tmp_path / "base.toml").write_text(BASE)
    found = loaded(tmp_path, CHILD.replace("{base}", str(tmp_path / "base.toml")))
    assert (found.name, found.buckets.creation) == ("child", "implicit")
    assert found.sources == {"guide": "g2", "old": "o"}
    assert found.settings == {"rclone": {"list_version": "2", "no_check_bucket": "true"}}
    assert found.operations["CopyObject"].support == "full"
    said = [(entry.scenarios, entry.reason) for entry in found.deviations]
    assert said == [(["ETAG-010"], "older"), (["DEL-001"], "newer")]


def test_a_profile_that_inherits_itself_is_refused(tmp_path):
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text(f'name = "one"\ntitle = "One"\ninherits = "{two}"\n')
    two.write_text(f'name = "two"\ntitle = "Two"\ninherits = "{one}"\n')
    for path in (one, two):
        with pytest.raises(UsageError, match="inherits itself"):
            profile.load(str(path))


TODAY = dt.date(2026, 6, 1)


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ('reason = "not built"', 'reason = "TODO"', "no reason yet"),
        ('reason = "older than the rule"', 'reason = "todo: ask"', "no reason yet"),
        ('reason = "older than the rule"', 'reason = " "', "no reason yet"),
        ("expires = 2027-12-31", "expires = 2026-05-31", "expired on 2026-05-31"),
        ("since = 2025-01-01", "since = 2028-01-01", "before it begins"),
        ('scenarios = ["DEL-001"]', 'scenarios = ["DEL-001", "DEL-001"]', "say the same of DEL-001"),
        ('title = "My gateway"', 'title = "My gateway"\nconforms = ["DEL-001"]', "stands in conforms"),
        ('title = "My gateway"', 'title = "My gateway"\nconforms = ["DEL-01"]', "did you mean 'DEL-001'?"),
    ],
)
def test_review_finds_what_a_run_passes_over(tmp_path, old, new, hint):
    assert old in GOOD
    assert list(review(loaded(tmp_path, GOOD), KNOWN, TODAY)) == []
    wrong = [str(one) for one in review(loaded(tmp_path, GOOD.replace(old, new)), KNOWN, TODAY)]
    assert any(hint in one for one in wrong), wrong
    assert all("mine" in one and "\n" not in one for one in wrong)


@pytest.mark.parametrize("name", profile.names())
def test_nothing_is_wrong_with_profiles_that_come_with_the_program(name):
    assert list(map(str, review(profile.load(name), scenario.load(), dt.datetime.now(dt.UTC).date()))) == []
