"""What options come to, beside what the exit codes show."""

from __future__ import annotations

import os
from typing import Any

import pytest

from harness.cli import run
from harness.cli.options import LEGACY, TEMPORARY, WEBSITE, Extras, extras, make_endpoint
from harness.config import check_bucket, check_region
from harness.errors import UsageError
from harness.record import GatewayInfo
from harness.wire.sigv4 import Credentials

GIVEN: dict[str, Any] = {
    "access_key": "AK",
    "secret_key": "SK",
    "session_token": "",
    "region": "us-east-1",
    "addressing": "path",
    "insecure": False,
    "ca_bundle": "",
    "timeout": 5.0,
}
FIRST, SECOND = "S3CONFORM_SECOND_ACCESS_KEY", "S3CONFORM_SECOND_SECRET_KEY"


def test_endpoint_leaves_the_options_as_they_were() -> None:
    """The second account is what the caller says, and nothing else."""
    given = dict(GIVEN)
    second = Credentials("AK2", "SK2")
    assert make_endpoint("http://127.0.0.1:1/", given, Extras(second)).second is second
    assert make_endpoint("http://127.0.0.1:1/", given).second is None
    assert given == GIVEN


def test_further_accounts_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """All variables of one or none."""
    for name in (FIRST, SECOND, *TEMPORARY, WEBSITE, LEGACY):
        monkeypatch.delenv(name, raising=False)
    assert extras() == Extras()
    monkeypatch.setenv(FIRST, "AK2")
    with pytest.raises(UsageError, match="belong together"):
        extras()
    monkeypatch.setenv(SECOND, "SK2")
    assert extras().second == Credentials("AK2", "SK2")
    for name, value in zip(TEMPORARY, ("AK3", "SK3"), strict=False):
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match="belong together"):
        extras()
    monkeypatch.setenv(TEMPORARY[2], "TOKEN")
    assert extras().temporary == Credentials("AK3", "SK3", "TOKEN")
    monkeypatch.setenv(FIRST, "A K")
    with pytest.raises(UsageError, match=f"{FIRST} has characters"):
        extras()


@pytest.mark.parametrize("name", ["my-bucket/old.txt", "default/old", "Old_Bucket/folder/name with blanks é.txt"])
def test_legacy_object_is_named_by_bucket_and_key(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """It reaches the endpoint as it was given."""
    monkeypatch.setenv(LEGACY, name)
    assert make_endpoint("http://127.0.0.1:1", dict(GIVEN), extras()).legacy == name


@pytest.mark.parametrize(
    "name", ["bucket", "bucket/", "/key", "b/key", "s3://bucket/key", "bucket/ke\ny", f"bucket/{'k' * 1025}"]
)
def test_legacy_object_that_is_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """One line that names the variable and the form."""
    monkeypatch.setenv(LEGACY, name)
    with pytest.raises(UsageError) as refusal:
        extras()
    assert str(refusal.value).startswith(f"{LEGACY}: ")
    assert "names no object: give BUCKET/KEY" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://{bucket}.s3-website.example.com",
        "https://{bucket}.localhost:8443",
        "http://{bucket}.web",
        "http://site-{bucket}.example.com",
        "http://example.com/sites/{bucket}",
    ],
)
def test_website_endpoint_has_a_place_for_the_bucket(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """With slashes at its end or without: what is visited begins with one."""
    for given in (url, f"{url}/", f"{url}//"):
        monkeypatch.setenv(WEBSITE, given)
        assert extras().website == url


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://s3-website.example.com", "needs {bucket} once"),
        ("http://{bucket}.example.com/{bucket}", "needs {bucket} once"),
        ("{bucket}.example.com", "is not the URL of a website"),
        ("ftp://{bucket}.example.com", "is not the URL of a website"),
        ("http://user:hidden@{bucket}.example.com", "is not the URL of a website"),
        ("http://example.com:{bucket}", "is not the URL of a website"),
        ("http://example.com/?bucket={bucket}", "is not the URL of a website"),
        ("http://{bucket}", "needs a domain behind {bucket}"),
        ("http://{bucket}:8080/", "needs a domain behind {bucket}"),
        ("http://{bucket}./", "needs a domain behind {bucket}"),
        ("http://{bucket}-website", "needs a domain behind {bucket}"),
        ("http://www.{bucket}", "needs a domain behind {bucket}"),
    ],
)
def test_website_endpoint_that_leads_nowhere(monkeypatch: pytest.MonkeyPatch, url: str, told: str) -> None:
    """The text names the variable, as there is no option for it."""
    monkeypatch.setenv(WEBSITE, url)
    with pytest.raises(UsageError) as refusal:
        extras()
    assert str(refusal.value).startswith(f"{WEBSITE} {told}")
    assert "hidden" not in str(refusal.value)


@pytest.mark.parametrize("region", ["", "bad_region!", "-x", "x-", "123", "a b", "x\n", "r" * 64, "ü"])
def test_region_that_no_client_can_sign_for(region: str) -> None:
    """SDKs refuse it before anything is sent, so that every cell of theirs would be an error."""
    with pytest.raises(UsageError, match="--region"):
        check_region(region)
    with pytest.raises(UsageError, match="--region"):
        make_endpoint("http://127.0.0.1:1", GIVEN | {"region": region})


@pytest.mark.parametrize("region", ["us-east-1", "auto", "garage", "x", "1a", "Default", "r" * 63])
def test_region_that_gateways_have(region: str) -> None:
    """Many have names of their own."""
    assert check_region(region) == region


@pytest.mark.parametrize("bucket", ["ab", "a/b", "-abc", "abc.", "a b c", "a?b", "../x", "x" * 256, "größe", "abc\n"])
def test_name_that_no_bucket_has(bucket: str) -> None:
    """It is refused before it can become part of a request."""
    with pytest.raises(UsageError, match="is no bucket name"):
        check_bucket(bucket, "path")


@pytest.mark.parametrize("bucket", ["abc", "my-bucket.1", "Old_Bucket", "x" * 255])
def test_name_that_a_bucket_may_have(bucket: str) -> None:
    """Also one from before 2018, when there were other rules; but not as a part of a host name."""
    assert check_bucket(bucket, "path") == bucket
    if not bucket.islower() or len(bucket) > 63:
        with pytest.raises(UsageError, match="host name"):
            check_bucket(bucket, "virtual")


def test_workers_are_as_many_as_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not as the machine has: a container or `taskset` may give fewer."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert run._cpus() == 2
    monkeypatch.delattr(os, "sched_getaffinity")
    assert run._cpus() == 64


@pytest.mark.parametrize(
    ("name", "version", "expected"),
    [
        ("", "", GatewayInfo("MinIO", "7")),
        ("mine", "", GatewayInfo("mine", "unknown")),
        ("", "8", GatewayInfo("MinIO", "8")),
        ("mine", "8", GatewayInfo("mine", "8")),
    ],
)
def test_gateway_is_what_the_user_calls_it(name: str, version: str, expected: GatewayInfo) -> None:
    """What its answers say fills in; but a version that was found is not that of another name."""
    options = {"gateway": name, "gateway_version": version}
    assert run._gateway(options, GatewayInfo("MinIO", "7")) == expected
