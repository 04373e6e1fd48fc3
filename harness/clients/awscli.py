"""The AWS CLI, versions 1 and 2, as users run it: `aws s3api` for single operations, `aws s3` for the rest.

Retries are off, so that every answer is the endpoint's own. Parameters travel in a private file under the
service model's names, so that what the CLI sends is what a scenario says.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote

from botocore import xform_name

from harness.clients.base import Observed
from harness.clients.program import LISTING_REQUESTS, MAX_REQUESTS, ProgramClient, is_argument
from harness.signals import ClientFault, Inexpressible
from harness.wire import model
from harness.wire.http1 import MAX_BODY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from harness.clients.runner import Result, Runner
    from harness.config import Endpoint
    from harness.wire.tape import Recorded
    from harness.wire.wiretap import Wiretap

MIN_PART = 5 * 1024 * 1024
_PROFILE_SETTINGS = ("request_checksum_calculation", "response_checksum_validation")
"""Settings that stand in the profile itself; the others stand in its `s3` section."""
_SECRET = frozenset({"SSECustomerKey", "CopySourceSSECustomerKey"})
_REFUSED = re.compile(r"An error occurred \((.*?)\) when calling the (\w+) operation(?: \([^()]*\))?: ([^\r\n]*)")
_UNSENT = re.compile(
    r"(?m)Parameter validation failed|Invalid bucket name|^usage: |Unknown options|Unable to parse"
    r"|Missing Dependency|Unsupported checksum algorithm"
    r"|Error parsing|codec can't encode|Member must be|the following arguments are required"
)
_NOTE = re.compile(r"(?m)^(?:usage: )?Note: AWS CLI version 2.*$")


class AwsCli(ProgramClient):
    """The AWS CLI against one endpoint.

    Args:
        endpoint: where to send, and with whose credentials.
        settings: further lines of the `s3` section, or (`request_checksum_calculation`) of the profile itself.
        tap: what records it.
        runner: how it is run.
        version: its version, of either generation.
    """

    name: ClassVar[str] = "awscli"
    program: ClassVar[str] = "aws"
    image: ClassVar[str] = "amazon/aws-cli:2.23.6"
    version_pattern: ClassVar[str] = r"aws-cli/([\w.\-]+)"

    def __init__(
        self, endpoint: Endpoint, settings: Mapping[str, str], tap: Wiretap, runner: Runner, version: str
    ) -> None:
        super().__init__(endpoint, tap, runner, version)
        credentials = endpoint.credentials
        environment = {
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_PAGER": "",
            "AWS_CLI_AUTO_PROMPT": "off",
        }
        if credentials.session_token:
            environment["AWS_SESSION_TOKEN"] = credentials.session_token
        self._common = ["--endpoint-url", endpoint.url, "--region", endpoint.region]
        seconds = str(max(1, round(endpoint.timeout)))
        self._bounds = ["--cli-read-timeout", seconds, "--cli-connect-timeout", seconds]
        self._bounds += ["--ca-bundle", tap.ca_bundle] if tap.ca_bundle else []
        self._settings = dict(settings)
        environment["AWS_CONFIG_FILE"] = self.configured({})
        environment["AWS_SHARED_CREDENTIALS_FILE"] = str(self.runner.home / "no-credentials")
        environment |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), self.proxy)
        self.environment = environment

    # --- the client's verbs ---

    def call(self, operation: str, params: Mapping[str, Any]) -> Observed:
        """One operation through `aws s3api`, its listing commands without pagination."""
        shape = model.operation(operation).output_shape
        payload = shape.members.get(shape.serialization.get("payload", "")) if shape else None
        if payload is not None and payload.type_name == "blob":
            return self._download(operation, params)
        args, shown = self._input(operation, params)
        return self._api(operation, params, [*args, "--no-paginate"], [*shown, "--no-paginate"])

    def list_all(self, version: int, params: Mapping[str, Any]) -> Observed:
        """Every page by the CLI's own pagination."""
        operation = "ListObjectsV2" if version == 2 else "ListObjects"
        asked = {name: value for name, value in params.items() if name != "MaxKeys"}
        size = ["--page-size", str(params["MaxKeys"])] if "MaxKeys" in params else []
        args, shown = self._input(operation, asked)
        observed = self._api(operation, asked, args + size, shown + size, max_requests=LISTING_REQUESTS)
        observed.output = {"Contents": [], "CommonPrefixes": []} | observed.output
        observed.partial = True
        return observed

    def upload(self, params: Mapping[str, Any], part_size: int) -> Observed:
        """`aws s3 cp` of a file in parts of `part_size`; the smallest that the CLI makes are 5 MiB."""
        bucket, key = str(params["Bucket"]), str(params["Key"])
        if extra := set(params) - {"Bucket", "Key", "Body"}:
            raise Inexpressible(f"an upload by aws s3 cp is not given {', '.join(sorted(extra))}")
        if part_size < MIN_PART:
            raise Inexpressible("aws s3 cp makes no parts below 5 MiB")
        if key.endswith("/"):
            raise Inexpressible("aws s3 cp takes a key that ends with a slash for a folder")
        sizes = {"multipart_threshold": "1", "multipart_chunksize": str(part_size)}
        settings = {"AWS_CONFIG_FILE": self.configured(sizes)}
        observed = self._command(
            ["s3", "cp", str(self._file("body.bin", params["Body"])), f"s3://{bucket}/{key}", "--no-progress"],
            operation="CompleteMultipartUpload",
            params={"Bucket": bucket, "Key": key},
            settings=settings,
            seconds=2 * self.endpoint.timeout,
        )
        observed.command["awscli"] += (
            f"  # configured: s3.multipart_threshold = 1, s3.multipart_chunksize = {part_size}"
        )
        return observed

    def configured(self, settings: Mapping[str, str]) -> str:
        """The path of a configuration file: that of the run, with further settings of `s3`; nothing in it is secret."""
        # Timestamps as they were sent: what version 2 calls wire is none to version 1, and its default.
        timestamps = "none" if self.version.startswith("1.") else "wire"
        own = {name: value for name, value in self._settings.items() if name in _PROFILE_SETTINGS}
        nested = {name: value for name, value in self._settings.items() if name not in own} | dict(settings)
        nested = {"addressing_style": self.endpoint.addressing} | nested
        text = (
            f"[default]\noutput = json\ncli_follow_urlparam = false\ncli_timestamp_format = {timestamps}\n"
            "cli_binary_format = raw-in-base64-out\ncli_history = disabled\n"
            + "".join(f"{name} = {value}\n" for name, value in own.items())
            + "s3 =\n"
            + "".join(f"  {name} = {value}\n" for name, value in nested.items())
        )
        path = self.runner.home / f"config-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        path.write_text(text)
        return str(path)

    def command(
        self,
        *arguments: str,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        stop: Callable[[], str] | None = None,
    ) -> Observed:
        """Any command, `aws ARGUMENTS`; relative paths are below `folder`.

        What it printed is in `stdout` (bytes in `body`), what it sent in `exchanges`.

        Raises:
            Inexpressible: this version of the CLI does not know it, or refuses to send it.
            ClientFault: it names a bucket, reports success, and sent nothing.
        """
        seconds = 2 * self.endpoint.timeout
        return self._command(list(arguments), stdin=stdin, settings=environment, seconds=seconds, stop=stop)

    # --- running it ---

    def _api(
        self,
        operation: str,
        params: Mapping[str, Any],
        args: list[str],
        shown: list[str],
        max_requests: int = MAX_REQUESTS,
    ) -> Observed:
        command = ["s3api", xform_name(operation, "-")]
        result, recorded = self._run([*command, *args], max_requests=max_requests)
        record = self.sent(recorded, [operation], params)
        observed = self._read(operation, result, recorded, record)
        observed.command = {"awscli": self._shown([*command, *shown])}
        if result.exit_code == 0:
            if record is None:
                raise ClientFault(f"aws reported success without sending {operation}")
            observed.output = _output(result.stdout)
        return observed

    def _download(self, operation: str, params: Mapping[str, Any]) -> Observed:
        """An operation whose answer goes to a file; for these the CLI takes no JSON, only arguments."""
        args: list[str] = []
        shown: list[str] = []
        for name, value in params.items():
            option = f"--{xform_name(name, '-')}"
            if isinstance(value, bool):
                args.append(option if value else option.replace("--", "--no-", 1))
                shown.append(args[-1])
                continue
            text = str(value)
            if not is_argument(text):
                raise Inexpressible(f"{name} has characters that a command line cannot carry")
            shown.append(f"{option}={'…' if name in _SECRET else text}")
            if name in _SECRET or text.startswith(("file://", "fileb://", "http://", "https://")):
                text = f"file://{self._file(f'argument-{name}', text.encode())}"
            args.append(f"{option}={text}")
        out = self.runner.home / "body.out"
        out.unlink(missing_ok=True)
        observed = self._api(operation, params, [*args, str(out)], [*shown, out.name])
        if out.is_file():
            with out.open("rb") as stream:
                observed.body = stream.read(MAX_BODY)
            out.unlink()
        return observed

    def _command(
        self,
        args: list[str],
        *,
        operation: str = "",
        params: Mapping[str, Any] | None = None,
        stdin: bytes = b"",
        settings: Mapping[str, str] | None = None,
        seconds: float = 0.0,
        stop: Callable[[], str] | None = None,
    ) -> Observed:
        if not all(map(is_argument, args)):
            raise Inexpressible("a command line cannot carry this")
        result, recorded = self._run(args, stdin=stdin, settings=settings, seconds=seconds, stop=stop)
        names = any(arg.startswith("s3://") for arg in args) or args[:2] == ["s3", "ls"]
        remote = args[:1] == ["s3api"] or (names and "presign" not in args[:2])
        if remote and result.exit_code == 0 and not recorded:
            raise ClientFault(f"aws {' '.join(args[:2])} reported success without sending anything")
        record = self.sent(recorded, [operation], params or {}) if operation else None
        observed = self._read(operation or " ".join(["aws", *args[:2]]), result, recorded, record)
        observed.body, observed.partial = result.stdout, True
        observed.command = {"awscli": self._shown(args)}
        return observed

    def _run(
        self,
        args: list[str],
        *,
        stdin: bytes = b"",
        settings: Mapping[str, str] | None = None,
        **bounds: Any,
    ) -> tuple[Result, list[Recorded]]:
        return self.execute(
            [*args, *self._common, *self._bounds],
            stdin=stdin,
            environment=settings,
            **bounds,
        )

    def _read(self, operation: str, result: Result, recorded: Sequence[Recorded], record: Recorded | None) -> Observed:
        """What it came to; the CLI's own words fill in where the wire shows what they tell of.

        Raises:
            Inexpressible: the CLI refused to send it.
            ClientFault: it broke before it sent anything.
        """
        refused = _REFUSED.search(result.stderr)
        if result.exit_code and not recorded and not refused and _UNSENT.search(result.stderr):
            raise Inexpressible(f"the AWS CLI does not send this: {_reason(result.stderr)}")
        observed = self.observed(operation, result, recorded, record)
        if refused and self.sent(recorded, [refused[2]], {}) and not observed.code and not result.stopped:
            observed.message = refused[3]
            if record is None:
                observed.failure = ""
                if re.fullmatch("[1-5][0-9]{2}", refused[1]):  # an answer without a body: the CLI shows its status
                    observed.status = int(refused[1])
                else:
                    observed.code = refused[1]
        return observed

    # --- what it is given ---

    def _input(self, operation: str, params: Mapping[str, Any]) -> tuple[list[str], list[str]]:
        """The arguments that carry the parameters, and how they are shown to the user."""
        members = model.operation(operation).input_shape
        blob = members.serialization.get("payload", "") if members else ""
        streams = blob in params and members is not None and members.members[blob].type_name == "blob"
        plain = {name: value for name, value in params.items() if not (streams and name == blob)}
        if isinstance(plain.get("CopySource"), str):  # the header's value, which the CLI encodes by itself
            plain["CopySource"] = unquote(plain["CopySource"])
        path = self._file("input.json", json.dumps(plain, default=_plain).encode())
        hidden = {name: "…" if name in _SECRET else value for name, value in plain.items()}
        text = json.dumps(hidden, default=_plain, ensure_ascii=False)
        args, shown = ["--cli-input-json", f"file://{path}"], ["--cli-input-json", text]
        if streams:
            option = f"--{xform_name(blob, '-')}"
            args += [option, str(self._file("body.bin", params[blob]))]
            shown += [option, "body.bin"]
        return args, shown

    def _file(self, name: str, data: bytes) -> Path:
        path = self.runner.home / name
        path.write_bytes(data)
        return path

    def _shown(self, args: list[str]) -> str:
        trust = ["--ca-bundle", self.endpoint.ca_bundle] if self.endpoint.ca_bundle else []
        trust = ["--no-verify-ssl"] if self.endpoint.insecure else trust
        return shlex.join(["aws", *args, *self._common, *trust]).replace(f"{self.runner.home}/", "")


def _plain(value: Any) -> str:
    """A value that JSON has no form for: timestamps as ISO 8601, bytes as text."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _output(stdout: bytes) -> dict[str, Any]:
    """The members that the CLI printed; null for those that were not there, nothing at all where there are none.

    Raises:
        ClientFault: it printed something else.
    """
    try:
        value = json.loads(stdout) if stdout.strip() else {}
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ClientFault(f"aws reported success, but printed no JSON document: {stdout[:200]!r}")
    return {name: item for name, item in value.items() if item is not None}


def _reason(stderr: str) -> str:
    """The CLI's reason in one line, without its usage text."""
    text = _NOTE.sub("", stderr)
    _, found, rest = text.rpartition("Parameter validation failed:")
    lines = [line.strip() for line in (rest if found else text).splitlines() if line.strip()]
    if not lines:
        return "it gave no reason"
    error = [line for line in lines if line.startswith("aws: error: ")]
    return " ".join(lines)[:300] if found else (error or lines[-1:])[0].removeprefix("aws: error: ")[:300]
