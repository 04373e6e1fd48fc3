"""Settings as texts to paste: rclone.conf, a provider's file of rclone, an AWS profile, boto3 and JavaScript.

What a client does anyway stands in a comment. No text holds credentials: all clients take them from the environment.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from harness.config import Endpoint
from harness.probe.context import Finding
from harness.probe.knobs import AWS, BOTO3, BY_NAME, JS, RCLONE, Quirk
from harness.record import NOTHING, UNKNOWN, Setting

NAME = "s3conform"
"""What the remote and the profile are called; to be changed by whoever pastes."""
_UNITS = {"KB": 1024, "MB": 1024**2, "GB": 1024**3}


class Choice(NamedTuple):
    """A setting, and where in the client's text it stands (`harness.probe.knobs.Option.place`)."""

    setting: Setting
    place: str


def texts(endpoint: Endpoint, choices: list[Choice], findings: list[Finding]) -> dict[str, str]:
    """All texts by file name."""
    by_client = {
        client: [one for one in choices if one.setting.client == client] for client in (RCLONE, AWS, BOTO3, JS)
    }
    return {
        "rclone.conf": _rclone(endpoint, by_client[RCLONE]),
        "provider.yaml": _provider(endpoint, findings),
        "aws-config": _aws(endpoint, by_client[AWS]),
        "boto3.py": _boto3(endpoint, by_client[BOTO3]),
        "client.mjs": _javascript(endpoint, by_client[JS]),
    }


def _lines(choices: Iterable[Choice], write: str, mark: str = "#", indent: str = "") -> list[str]:
    """A line for each setting, `write` having places for name and value; those that change nothing in comments."""
    lines = []
    for setting, _ in sorted(choices, key=lambda one: one.setting.value == one.setting.default):
        if setting.value in (UNKNOWN, NOTHING):
            what = "no value works: " if setting.value == NOTHING else ""
            lines.append(f"{indent}{mark} {setting.name}: {what}{setting.observation}")
        elif setting.value == setting.default:
            lines.append(f"{indent}{mark} {write.format(setting.name, setting.value)}")
        else:
            why = "Needed" if setting.needed else "Better"
            lines += [f"{indent}{mark} {why}: {setting.observation}"]
            lines += [indent + write.format(setting.name, setting.value)]
    return lines


def _text(*parts: Iterable[str]) -> str:
    return "".join(f"{line}\n" for part in parts for line in part)


def _rclone(endpoint: Endpoint, choices: list[Choice]) -> str:
    """A remote of provider "Other": provider "AWS" would silently ignore force_path_style for a host name."""
    head = [
        f"[{NAME}]",
        "type = s3",
        "provider = Other",
        f"endpoint = {endpoint.url}",
        f"region = {endpoint.region}",
        "# Credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. To have them here instead:",
        "# access_key_id = YOUR_ACCESS_KEY",
        "# secret_access_key = YOUR_SECRET_KEY",
        "env_auth = true",
    ]
    notes = []
    for setting, place in choices:
        if place == "yaml" and setting.needed:
            notes += [f"# {setting.observation}", "# rclone has no option for that: use --ignore-checksum."]
    return _text(head, _lines((one for one in choices if not one.place), "{} = {}"), notes)


def _provider(endpoint: Endpoint, findings: list[Finding]) -> str:
    """A file as in rclone's backend/s3/provider: quirks that differ from those of a file without any."""
    host = urlsplit(endpoint.url).hostname or "endpoint"
    lines = []
    for finding in findings:
        quirk = BY_NAME[finding.knob].quirk
        if quirk is not None:
            lines += _quirk(quirk, finding)
    head = ["name: NAME", f"description: {json.dumps(f'S3 at {host}')}", "endpoint:"]
    head += [f"  {json.dumps(endpoint.url)}: {json.dumps(host)}"]
    return _text(head, ["quirks:", *lines] if lines else ["quirks: {}"])


def _quirk(quirk: Quirk, finding: Finding) -> list[str]:
    working = [quirk.said(value) for value in finding.working]
    value = next((one for one in working if one), "")
    if not value or quirk.default in working:
        return []
    return [f"  # {finding.observation}", f"  {quirk.name}: {value}"]


def _aws(endpoint: Endpoint, choices: list[Choice]) -> str:
    """A profile of ~/.aws/config, for the AWS CLI and every SDK that reads it."""
    head = [f"[profile {NAME}]", f"region = {endpoint.region}", f"endpoint_url = {endpoint.url}"]
    inner = _lines((one for one in choices if one.place == "s3"), "{} = {}", indent="    ")
    used = any(not line.strip().startswith("#") for line in inner)
    command = [
        f"# {setting.observation} Add to aws s3 cp, mv and sync (version 2): {setting.name} {setting.value}"
        for setting, place in choices
        if place == "command" and setting.needed
    ]
    main = _lines((one for one in choices if not one.place), "{} = {}")
    return _text(head, main, ["s3 ="] if used else ["# s3 ="], inner if used else _unindented(inner), command)


def _unindented(lines: list[str]) -> list[str]:
    """Comments that follow no setting, so that nothing takes them for the rest of the one before."""
    return [f"#   {line.strip().removeprefix('# ')}" for line in lines]


def _boto3(endpoint: Endpoint, choices: list[Choice]) -> str:
    main = [one for one in choices if not one.place]
    transfer = [one for one in choices if one.place == "transfer"]
    return _text(
        [
            "import boto3",
            "from boto3.s3.transfer import TransferConfig",
            "from botocore.config import Config",
            "",
            "s3 = boto3.client(",
            '    "s3",',
            f"    endpoint_url={json.dumps(endpoint.url)},",
            f"    region_name={json.dumps(endpoint.region)},",
            "    config=Config(",
        ],
        _lines(main, '{}="{}",', indent=" " * 8),
        ["        s3={"],
        _lines(map(_python, (one for one in choices if one.place == "s3")), '"{}": {},', indent=" " * 12),
        [
            "        },",
            "    ),",
            ")",
            "# for upload_file, download_file and copy: Config=transfer",
            "transfer = TransferConfig(",
        ],
        _lines(map(_python, transfer), "{}={},", indent=" " * 4),
        [")"],
    )


def _python(choice: Choice) -> Choice:
    """A setting whose value and default are as Python writes them."""
    setting = choice.setting
    value, default = (_literal(text) for text in (setting.value, setting.default))
    return choice._replace(
        setting=Setting(setting.client, setting.name, value, default, setting.observation, setting.needed)
    )


def _literal(text: str) -> str:
    if text in (UNKNOWN, NOTHING):
        return text
    if text in ("true", "false"):
        return text.capitalize()
    number, unit = text[:-2], text[-2:]
    if unit in _UNITS and number.isdigit():
        return str(int(number) * _UNITS[unit])
    return text if text.isdigit() else json.dumps(text)


def _javascript(endpoint: Endpoint, choices: list[Choice]) -> str:
    """AWS SDK for JavaScript v3."""
    quoted = [one if one.setting.value in (UNKNOWN, NOTHING, "true", "false") else _quoted(one) for one in choices]
    return _text(
        [
            'import { S3Client } from "@aws-sdk/client-s3";',
            "",
            "export const s3 = new S3Client({",
            f"  endpoint: {json.dumps(endpoint.url)},",
            f"  region: {json.dumps(endpoint.region)},",
        ],
        _lines(quoted, "{}: {},", mark="//", indent="  "),
        ["});"],
    )


def _quoted(choice: Choice) -> Choice:
    setting = choice.setting
    value, default = json.dumps(setting.value), json.dumps(setting.default)
    return choice._replace(
        setting=Setting(setting.client, setting.name, value, default, setting.observation, setting.needed)
    )
