"""The texts to paste: what clients read in them, whatever an endpoint said."""

from __future__ import annotations

import ast
import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config import Endpoint
from harness.probe import Finding, advise
from harness.probe.context import plain
from harness.probe.knobs import BY_NAME, KNOBS
from harness.record import FACT, NOTHING, UNKNOWN, Advice
from harness.wire.sigv4 import Credentials
from tests import support
from tests.harness.probe.conftest import Found, serving

ENDPOINT = Endpoint("https://s3.example.com:9000/base", Credentials("AK-SECRET-1", "SK-SECRET-2"), "eu-x-1")

OTHERS = {
    "list_version": "1",
    "list_chunk": "100",
    "encoding": "Slash,InvalidUtf8,Dot,Ctl",
    "addressing": "virtual",
    "signature_version": "s3",
    "min_chunk_size": "64Mi",
    "max_upload_parts": "1000",
    "copy_cutoff": "1Pi",
    "copy_props": "metadata-directive",
    "concurrency": "few",
    "true": "false",
    "false": "true",
    "when_supported": "when_required",
}
"""What a knob can be beside its standard, by its name or its standard; facts can be anything."""


@st.composite
def surveys(draw: st.DrawFn) -> list[Finding]:
    """A finding for every knob, some not of the standard, with words that an endpoint had its hand in."""
    kinds = ("other", "either", UNKNOWN, NOTHING)
    changed = draw(st.dictionaries(st.sampled_from([knob.name for knob in KNOBS]), st.sampled_from(kinds)))
    observation = f"It said {plain(draw(st.text(max_size=30)), 60)}."
    findings = []
    for knob in KNOBS:
        other = OTHERS.get(knob.name) or OTHERS.get(knob.standard, "otherwise")
        kind = changed.get(knob.name, "")
        value = {"": knob.standard, "other": other, "either": other}.get(kind, kind)
        works = (other, knob.standard) if kind == "either" else ()
        findings.append(Finding(knob.name, value, observation, works))
    return findings


def active(advice: Advice, client: str) -> dict[str, str]:
    """The settings of a client that a text has to make."""
    return {
        one.name: one.value
        for one in advice.settings
        if one.client == client and one.value not in (one.default, UNKNOWN, NOTHING)
    }


def python_of(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The keyword arguments of `Config` and of `TransferConfig` in the code for boto3."""
    calls = {
        node.func.id: {one.arg: ast.literal_eval(one.value) for one in node.keywords}
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    return calls["Config"], calls["TransferConfig"]


@given(surveys())
def test_rclone_conf_says_what_is_advised(findings: list[Finding]) -> None:
    """One section, the settings that differ and no other, provider Other, no credentials."""
    advice = advise(ENDPOINT, findings)
    parser = configparser.ConfigParser(interpolation=None)  # reads no comment behind a value, like rclone
    parser.read_string(advice.texts["rclone.conf"])
    assert parser.sections() == ["s3conform"]
    section = dict(parser["s3conform"])
    fixed = {"type": "s3", "provider": "Other", "endpoint": ENDPOINT.url, "region": "eu-x-1", "env_auth": "true"}
    wanted = active(advice, "rclone")
    wanted.pop("etag_is_not_md5", None)  # no option of rclone, only of its providers
    assert section == fixed | wanted


@given(surveys())
def test_aws_profile_says_what_is_advised(findings: list[Finding]) -> None:
    """As botocore reads it, nested settings too."""
    from botocore.configloader import raw_config_parse

    advice = advise(ENDPOINT, findings)
    wanted = active(advice, "aws")
    wanted.pop("--copy-props", None)  # an argument of the command line
    profile = read_profile(raw_config_parse, advice.texts["aws-config"])
    assert profile.pop("region") == "eu-x-1"
    assert profile.pop("endpoint_url") == ENDPOINT.url
    assert {**profile.pop("s3", {}), **profile} == wanted


def read_profile(parse: Any, text: str) -> dict[str, Any]:
    """The one profile in `text`."""
    import tempfile

    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        (profile,) = parse(file.name).values()
    return dict(profile)


@given(surveys())
def test_python_says_what_is_advised(findings: list[Finding]) -> None:
    """The code parses; sizes are in bytes, numbers and truth values are Python's."""
    advice = advise(ENDPOINT, findings)
    config, transfer = python_of(advice.texts["boto3.py"])
    words = {"8MB": 8 * 1024**2, "64MB": 64 * 1024**2, "80MB": 80 * 1024**2, "5GB": 5 * 1024**3}
    words |= {"true": True, "false": False, "2": 2, "10": 10}
    wanted = {name: words.get(value, value) for name, value in active(advice, "boto3").items()}
    assert {**config.pop("s3"), **config, **transfer} == wanted


@given(surveys())
def test_javascript_says_what_is_advised(findings: list[Finding]) -> None:
    """One member a line, comments aside."""
    advice = advise(ENDPOINT, findings)
    lines = [line.strip() for line in advice.texts["client.mjs"].splitlines() if not line.strip().startswith("//")]
    members = dict(match.groups() for line in lines if (match := re.fullmatch(r'(\w+): "?([^"]*)"?,', line)))
    assert members.pop("endpoint") == ENDPOINT.url
    assert members.pop("region") == "eu-x-1"
    assert members == active(advice, "js")
    assert len(lines) == len(members) + 6  # import, empty line, opening, two members, closing


@given(surveys())
def test_provider_file_has_the_layout_of_rclones_own(findings: list[Finding]) -> None:
    """Name, description, endpoint, then quirks that differ from a file without any, each once."""
    text = advise(ENDPOINT, findings).texts["provider.yaml"]
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    assert lines[:4] == [
        "name: NAME",
        'description: "S3 at s3.example.com"',
        "endpoint:",
        '  "https://s3.example.com:9000/base": "s3.example.com"',
    ]
    assert lines[4] == ("quirks:" if lines[5:] else "quirks: {}")
    quirks = [re.fullmatch(r"  ([a-z_0-9]+): (true|false|\d+)", line) for line in lines[5:]]
    assert all(quirks)
    names = [quirk[1] for quirk in quirks if quirk]
    assert len(set(names)) == len(names)
    by_name = {finding.knob: finding for finding in findings}
    for knob in KNOBS:
        if knob.quirk is not None and knob.quirk.name in names:
            assert knob.quirk.default not in map(knob.quirk.said, by_name[knob.name].working)


@given(surveys())
def test_settings_are_complete_and_needed_ones_come_first(findings: list[Finding]) -> None:
    """Every setting of every client once, facts too; credentials nowhere."""
    advice = advise(ENDPOINT, findings)
    names = [(one.client, one.name) for one in advice.settings]
    assert len(set(names)) == len(names)
    every = {(option.client, option.name) for knob in KNOBS for option in knob.options}
    assert set(names) == every | {(FACT, knob.name) for knob in KNOBS if not knob.options}
    needed = [one.needed for one in advice.settings]
    assert needed == sorted(needed, reverse=True)
    assert not re.search("[AS]K-SECRET", "".join(advice.texts.values()))


def test_needed_is_what_does_not_work_by_default() -> None:
    """Nothing else is, and what works by default is left as it is unless something is better."""
    standard = [Finding(knob.name, knob.standard, "Seen.") for knob in KNOBS]

    def setting(knob: str, value: str, works: tuple[str, ...], name: str) -> tuple[str, bool]:
        findings = [one for one in standard if one.knob != knob] + [Finding(knob, value, "Seen.", works)]
        (one,) = [one for one in advise(ENDPOINT, findings).settings if (one.client, one.name) == ("rclone", name)]
        return one.value, one.needed

    assert setting("list_version", "2", ("2",), "list_version") == ("2", True)
    assert setting("list_version", "2", ("2", "1"), "list_version") == ("2", False)
    assert setting("list_version", NOTHING, (), "list_version") == (NOTHING, False)
    assert setting("might_gzip", "false", ("false", "true"), "might_gzip") == ("true", False)
    assert setting("addressing", "virtual", ("virtual", "auto"), "force_path_style") == ("false", True)
    assert setting("copy_cutoff", "1Pi", (), "copy_cutoff") == ("1Pi", True)
    assert BY_NAME["copy_cutoff"].quirk.said("1Pi") == "9223372036854775807"


def needy(endpoint: Endpoint, honest: Found) -> Advice:
    """Advice with as many settings as there can be that a standard server takes too."""
    changed = honest | {name: Finding(name, value, "Seen.") for name, value in NEEDY.items()}
    return advise(endpoint, list(changed.values()))


NEEDY = {
    "copy_cutoff": "1Pi",
    "max_upload_parts": "1000",
    "min_chunk_size": "64Mi",
    "list_chunk": "100",
    "encoding": "Slash,InvalidUtf8,Dot,Ctl",
    "no_head": "true",
    "no_check_bucket": "true",
    "use_x_id": "false",
    "sign_accept_encoding": "false",
    "use_accept_encoding_gzip": "false",
    "use_multipart_uploads": "false",
    "request_checksum_calculation": "when_required",
    "request_checksum_calculation_cli": "when_required",
    "response_checksum_validation": "when_required",
    "payload_signing": "true",
    "concurrency": "few",
}


def run(*command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """A client program with nothing of the caller's environment."""
    env = {"PATH": support.environment()["PATH"], "HOME": str(folder), **variables}
    return subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def program(name: str) -> str:
    """The path of a client program, or the test is skipped."""
    path = shutil.which(name, path=f"{Path(sys.executable).parent}:{support.environment()['PATH']}")
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def test_rclone_takes_the_configuration(tmp_path: Path, honest: Found) -> None:
    """The real program reads it, warns of nothing, stores and reads an object with it."""
    rclone = program("rclone")
    with serving() as (_, endpoint):
        keys = {"AWS_ACCESS_KEY_ID": "PROBEKEY", "AWS_SECRET_ACCESS_KEY": "probe-secret"}
        (tmp_path / "rclone.conf").write_text(needy(endpoint, honest).texts["rclone.conf"], encoding="utf-8")
        options = ("--config", "rclone.conf", "--retries", "1", "--low-level-retries", "1")
        (tmp_path / "f").write_text("content", encoding="utf-8")
        steps = [("lsd", "s3conform:"), ("copyto", "f", "s3conform:bucket/f"), ("cat", "s3conform:bucket/f")]
        create_bucket(endpoint)
        ended = [run(rclone, *step, *options, folder=tmp_path, **keys) for step in steps]
    assert [(one.returncode, one.stderr) for one in ended] == [(0, "")] * 3
    assert ended[-1].stdout == "content"


def test_aws_takes_the_configuration(tmp_path: Path, honest: Found) -> None:
    """The real program reads it, and stores and reads an object with it."""
    aws = program("aws")
    with serving() as (_, endpoint):
        keys = {"AWS_ACCESS_KEY_ID": "PROBEKEY", "AWS_SECRET_ACCESS_KEY": "probe-secret"}
        (tmp_path / "config").write_text(needy(endpoint, honest).texts["aws-config"], encoding="utf-8")
        (tmp_path / "f").write_text("content", encoding="utf-8")
        create_bucket(endpoint)
        where = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_PROFILE": "s3conform", **keys}
        ended = [
            run(aws, "s3", *step, folder=tmp_path, **where)
            for step in (("cp", "f", "s3://bucket/f"), ("cp", "s3://bucket/f", "-"))
        ]
    assert [one.returncode for one in ended] == [0, 0], [one.stderr for one in ended]
    assert ended[-1].stdout == "content"


def test_node_takes_the_code(tmp_path: Path, honest: Found) -> None:
    """As far as its syntax goes."""
    node = program("node")
    (tmp_path / "client.mjs").write_text(needy(ENDPOINT, honest).texts["client.mjs"], encoding="utf-8")
    ended = run(node, "--check", "client.mjs", folder=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_boto3_takes_the_code(monkeypatch: pytest.MonkeyPatch, honest: Found) -> None:
    """The code as it is, with credentials from the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "PROBEKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "probe-secret")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with serving() as (_, endpoint):
        names: dict[str, Any] = {}
        exec(compile(needy(endpoint, honest).texts["boto3.py"], "boto3.py", "exec"), names)  # noqa: S102 - what users do
        create_bucket(endpoint)
        try:
            names["s3"].put_object(Bucket="bucket", Key="k", Body=b"content")
            assert names["s3"].get_object(Bucket="bucket", Key="k")["Body"].read() == b"content"
        finally:
            names["s3"].close()
    assert names["transfer"].multipart_threshold == 5 * 1024**3


def create_bucket(endpoint: Endpoint) -> None:
    """A bucket called `bucket`."""
    from harness.clients.raw import RawClient

    client = RawClient(endpoint)
    assert client.call("CreateBucket", {"Bucket": "bucket"}).ok
    client.close()
