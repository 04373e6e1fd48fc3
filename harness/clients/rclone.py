"""rclone, as users run it: a remote of type s3 and provider Other, which is what a generic gateway gets.

Retries are off, so that every answer is the endpoint's own. rclone looks at an object with HeadObject before it
does anything else, and takes 404 for "no such object" without asking further: `cat` and `lsjson --stat` then end
with exit code 0 and show nothing, or a directory that does not exist. `call` tells that as it is, not `ok` with
status 404; `command` passes on what rclone says. Source: rclone's documentation of its S3 backend and commands.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote

from harness.clients.base import Observed, joined
from harness.clients.program import LISTING_REQUESTS, MAX_REQUESTS, ProgramClient, is_argument, is_line
from harness.signals import ClientFault, Inexpressible
from harness.wire.route import Sent, recognise

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.clients.runner import Result, Runner
    from harness.config import Endpoint
    from harness.wire.tape import Recorded
    from harness.wire.wiretap import Wiretap

REMOTE = "remote:"
MIN_PART = 5 * 1024 * 1024
_PUT_HEADERS = {
    "CacheControl": "Cache-Control",
    "ContentDisposition": "Content-Disposition",
    "ContentEncoding": "Content-Encoding",
    "ContentType": "Content-Type",
    "IfMatch": "If-Match",
    "IfNoneMatch": "If-None-Match",
    "Tagging": "x-amz-tagging",
}
"""What `--header-upload` carries; rclone refuses other names ("Don't know how to set key")."""
_PUT_FLAGS = {
    "ACL": "--s3-acl",
    "ServerSideEncryption": "--s3-server-side-encryption",
    "StorageClass": "--s3-storage-class",
}
_SYSTEM_METADATA = {
    "cache-control": "CacheControl",
    "content-disposition": "ContentDisposition",
    "content-encoding": "ContentEncoding",
    "content-language": "ContentLanguage",
    "content-type": "ContentType",
    "btime": "LastModified",
}
_RANGE = re.compile(r"bytes=(?:(\d+)-(\d*)|-(\d+))")
_WRITES = frozenset({"CreateBucket", "DeleteBucket", "PutObject", "DeleteObject", "CopyObject"})
_LIST_FLAGS = ["--use-server-modtime", "--no-mimetype"]
"""Times come from the listing itself, so that a listing is only that: no HEAD for each object."""


class Rclone(ProgramClient):
    """rclone against one endpoint, which it knows as `remote:`.

    Args:
        endpoint: where to send, and with whose credentials.
        settings: further options of the remote, by their name in rclone's configuration file.
        tap: what records it.
        runner: how it is run.
        version: its version.
    """

    name: ClassVar[str] = "rclone"
    program: ClassVar[str] = "rclone"
    image: ClassVar[str] = "rclone/rclone:1.75.2"
    idle: ClassVar[tuple[str, ...]] = ("", "rcat", ":memory:idle")
    version_arg: ClassVar[str] = "version"
    version_pattern: ClassVar[str] = r"rclone v([\w.\-]+)"

    def __init__(
        self, endpoint: Endpoint, settings: Mapping[str, str], tap: Wiretap, runner: Runner, version: str
    ) -> None:
        super().__init__(endpoint, tap, runner, version)
        credentials = endpoint.credentials
        remote = {
            "TYPE": "s3",
            "PROVIDER": "Other",
            "ENV_AUTH": "false",
            "ACCESS_KEY_ID": credentials.access_key,
            "SECRET_ACCESS_KEY": credentials.secret_key,
            "ENDPOINT": endpoint.url,
            "REGION": endpoint.region,
            "FORCE_PATH_STYLE": "true" if endpoint.addressing == "path" else "false",
        }
        if credentials.session_token:
            remote["SESSION_TOKEN"] = credentials.session_token
        self._settings = dict(settings)
        remote |= {name.upper(): value for name, value in self._settings.items()}
        self.environment = {f"RCLONE_CONFIG_REMOTE_{name}": value for name, value in remote.items()}
        seconds = f"{max(1.0, endpoint.timeout):g}s"
        self._bounds = ["--config", "", "--ask-password=false", "--retries", "1", "--low-level-retries", "1"]
        self._bounds += ["--contimeout", seconds, "--timeout", seconds]
        self._bounds += ["--http-proxy", self.proxy]
        self._bounds += ["--ca-cert", tap.ca_bundle] if tap.ca_bundle else []
        self._calls: dict[str, Callable[[Mapping[str, Any]], Observed]] = {
            "ListBuckets": self._list_buckets,
            "CreateBucket": self._create_bucket,
            "DeleteBucket": self._delete_bucket,
            "PutObject": self._put_object,
            "GetObject": self._get_object,
            "HeadObject": self._head_object,
            "DeleteObject": self._delete_object,
            "CopyObject": self._copy_object,
            "ListObjects": lambda params: self._list(1, params, []),
            "ListObjectsV2": lambda params: self._list(2, params, []),
        }

    # --- the client's verbs ---

    def call(self, operation: str, params: Mapping[str, Any]) -> Observed:
        """One operation by the command whose work it is."""
        call = self._calls.get(operation)
        if call is None:
            raise Inexpressible(f"rclone has no command that is {operation}")
        return call(params)

    def list_all(self, version: int, params: Mapping[str, Any]) -> Observed:
        """Every page by rclone's own pagination, which has no guard against listings that do not end."""
        asked = {name: value for name, value in params.items() if name != "MaxKeys"}
        chunk = ["--s3-list-chunk", str(params["MaxKeys"])] if "MaxKeys" in params else []
        return self._list(version, asked, chunk)

    def upload(self, params: Mapping[str, Any], part_size: int) -> Observed:
        """`rclone copyto` of a file in parts of `part_size`; the smallest that rclone makes are 5 MiB."""
        _only(params, "Bucket", "Key", "Body")
        if part_size < MIN_PART:
            raise Inexpressible("rclone makes no parts below 5 MiB")
        target = _path(params["Bucket"], params["Key"])
        source = self.runner.home / "body.bin"
        source.write_bytes(params["Body"])
        size = f"{part_size}B"
        flags = ["--s3-upload-cutoff", "0", "--s3-chunk-size", size, "--s3-no-check-bucket", "--ignore-times"]
        args = ["copyto", str(source), target, *flags]
        return self._call("CompleteMultipartUpload", params, args, seconds=2 * self.endpoint.timeout)

    def command(
        self,
        *arguments: str,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        stop: Callable[[], str] | None = None,
    ) -> Observed:
        """Any command, `rclone ARGUMENTS`, with the endpoint as `remote:`; relative paths are below `folder`.

        What it printed is in `stdout` (bytes in `body`), what it sent in `exchanges`.

        Raises:
            ClientFault: it names the remote, reports success, and sent nothing.
        """
        result, recorded = self._run(
            arguments, stdin=stdin, environment=environment, seconds=2 * self.endpoint.timeout, stop=stop
        )
        if any(arg.startswith(REMOTE) for arg in arguments):
            self._check_busy(result, recorded)
        observed = self.observed(" ".join(["rclone", *arguments[:1]]), result, recorded, None)
        observed.body, observed.partial = result.stdout, True
        observed.command = {"rclone": self._shown(arguments)}
        return observed

    # --- buckets ---

    def _list_buckets(self, params: Mapping[str, Any]) -> Observed:
        _only(params)
        observed = self._call("ListBuckets", params, ["lsjson", REMOTE])
        if observed.ok:
            entries = _entries(observed)
            observed.output = {"Buckets": [{"Name": e["Path"], "CreationDate": e.get("ModTime")} for e in entries]}
        return observed

    def _create_bucket(self, params: Mapping[str, Any]) -> Observed:
        _only(params, "Bucket", "ACL", "CreateBucketConfiguration")
        if self._settings.get("no_check_bucket") == "true":
            raise Inexpressible(
                "rclone makes no buckets with no_check_bucket, as the gateway tells its users to set it"
            )
        flags = ["--s3-bucket-acl", params["ACL"]] if "ACL" in params else []
        configuration = params.get("CreateBucketConfiguration", {})
        _only(configuration, "LocationConstraint")
        if configuration:
            flags += ["--s3-location-constraint", configuration["LocationConstraint"]]
        return self._call("CreateBucket", params, ["mkdir", _path(params["Bucket"]), *flags])

    def _delete_bucket(self, params: Mapping[str, Any]) -> Observed:
        _only(params, "Bucket")
        return self._call("DeleteBucket", params, ["rmdir", _path(params["Bucket"])])

    def _list(self, version: int, params: Mapping[str, Any], flags: list[str]) -> Observed:
        _only(params, "Bucket", "Prefix", "Delimiter")
        prefix, delimiter = params.get("Prefix", ""), params.get("Delimiter", "")
        if delimiter not in ("", "/"):
            raise Inexpressible("rclone folds listings at a slash only")
        if prefix and not prefix.endswith("/"):
            raise Inexpressible("rclone lists folders: a prefix must end with a slash")
        root = _path(params["Bucket"], prefix.removesuffix("/")) + "/" if prefix else _path(params["Bucket"])
        args = [
            "lsjson",
            root,
            *([] if delimiter else ["-R"]),
            *_LIST_FLAGS,
            "--s3-list-version",
            str(version),
        ]
        operation = "ListObjectsV2" if version == 2 else "ListObjects"
        bucket = {"Bucket": params["Bucket"]}
        observed = self._call(operation, bucket, args + flags, max_requests=LISTING_REQUESTS)
        keys: list[dict[str, Any]] = []
        prefixes: list[dict[str, Any]] = []
        for entry in _entries(observed):
            path = prefix + entry["Path"]
            if not entry.get("IsDir"):
                keys.append({"Key": path, "Size": entry.get("Size"), "LastModified": entry.get("ModTime")})
            elif delimiter:
                prefixes.append({"Prefix": f"{path}/"})
        observed.output = {"Contents": keys, "CommonPrefixes": prefixes}
        return observed

    # --- objects ---

    def _put_object(self, params: Mapping[str, Any]) -> Observed:
        _only(params, "Bucket", "Key", "Body", "Metadata", *_PUT_HEADERS, *_PUT_FLAGS)
        body: bytes = params.get("Body", b"")
        lines = {_PUT_HEADERS[name]: value for name, value in params.items() if name in _PUT_HEADERS}
        lines |= {f"x-amz-meta-{name}": value for name, value in params.get("Metadata", {}).items()}
        target = _path(params["Bucket"], params["Key"])
        args = ["rcat", target, "--size", str(len(body)), "--s3-no-check-bucket"]
        if not body:  # rcat: "nothing to read from standard input"
            empty = self.runner.home / "empty"
            empty.touch()
            args = ["copyto", str(empty), target, "--ignore-times", "--s3-no-check-bucket"]
        for name, value in lines.items():
            args += ["--header-upload", _line(name, value)]
        for name, flag in _PUT_FLAGS.items():
            args += [flag, params[name]] if name in params else []
        return self._call("PutObject", params, args, stdin=body)

    def _get_object(self, params: Mapping[str, Any]) -> Observed:
        _only(params, "Bucket", "Key", "Range")
        args = ["cat", _path(params["Bucket"], params["Key"]), *_range(params.get("Range", ""))]
        observed = self._call("GetObject", params, args)
        observed.stdout = ""
        self._check_range(observed, params)
        if observed.status is None:
            self._missing(observed, params)
        return observed

    def _check_range(self, observed: Observed, params: Mapping[str, Any]) -> None:
        """The range that was asked for is the one that was sent: rclone makes its own from the size it saw.

        Raises:
            Inexpressible: it is not, or nothing shows what was sent.
        """
        asked = Sent("GetObject", params["Bucket"], params["Key"])
        sent = [
            joined(e.request_headers).get("range") for e in observed.exchanges if recognise(e, self.origin) == asked
        ]
        if "Range" in params and observed.ok and params["Range"] not in sent:
            raise Inexpressible(
                f"rclone asked for {sent[-1] if sent else 'nothing that is shown'}, not {params['Range']}"
            )

    def _head_object(self, params: Mapping[str, Any]) -> Observed:
        _only(params, "Bucket", "Key")
        observed = self._call("HeadObject", params, ["lsjson", _path(params["Bucket"], params["Key"]), "--stat", "-M"])
        entry = _stat(observed)
        if entry.get("IsDir"):
            self._missing(observed, params)
        elif entry:
            metadata = dict(entry.get("Metadata") or {})
            shown = {member: metadata.pop(name) for name, member in _SYSTEM_METADATA.items() if name in metadata}
            for name in ("mtime", "tier"):  # rclone's own: a time it keeps there, a default it makes up
                metadata.pop(name, None)
            observed.output = {"ContentLength": entry.get("Size"), **shown, "Metadata": metadata}
        return observed

    def _delete_object(self, params: Mapping[str, Any]) -> Observed:
        _only(params, "Bucket", "Key")
        return self._call("DeleteObject", params, ["deletefile", _path(params["Bucket"], params["Key"])])

    def _copy_object(self, params: Mapping[str, Any]) -> Observed:
        _only(params, "Bucket", "Key", "CopySource", "MetadataDirective")
        if params.get("MetadataDirective", "COPY") != "COPY":
            raise Inexpressible("rclone copies an object with its metadata")
        source = params["CopySource"]
        if isinstance(source, str):
            bucket, _, key = unquote(source).removeprefix("/").partition("/")
            source = {"Bucket": bucket, "Key": key}
        _only(source, "Bucket", "Key")
        args = [_path(source["Bucket"], source["Key"]), _path(params["Bucket"], params["Key"])]
        if args[0] == args[1]:
            raise Inexpressible("rclone does not copy an object onto itself")
        return self._call("CopyObject", params, ["copyto", *args, "--ignore-times", "--s3-no-check-bucket"])

    # --- running it ---

    def _call(
        self,
        operation: str,
        params: Mapping[str, Any],
        args: list[str],
        *,
        stdin: bytes = b"",
        seconds: float = 0.0,
        max_requests: int = MAX_REQUESTS,
    ) -> Observed:
        """Run the command that is an operation."""
        result, recorded = self._run(args, stdin=stdin, seconds=seconds, max_requests=max_requests)
        self._check_busy(result, recorded)
        record = self.sent(recorded, [operation], params)
        if record is None and result.exit_code:
            self._check_sent(operation, recorded)
        if record is None and result.exit_code == 0 and operation in _WRITES:
            raise Inexpressible(f"rclone reports success without sending {operation}")
        observed = self.observed(operation, result, recorded, record)
        observed.body, observed.partial = result.stdout, True
        observed.command = {"rclone": self._shown(args)}
        return observed

    def _missing(self, observed: Observed, params: Mapping[str, Any]) -> None:
        """No object was found; the HeadObject that told rclone, where it was recorded, shows the status."""
        if observed.exit_code == 0 and not observed.failure:
            asked = Sent("HeadObject", params["Bucket"], params["Key"])
            statuses = [e.status for e in observed.exchanges if recognise(e, self.origin) == asked]
            observed.ok, observed.body = False, None
            observed.status = statuses[-1] if statuses else None
            observed.message = "rclone found no such object, and ended with exit code 0"

    def _run(self, args: Sequence[str], **options: Any) -> tuple[Result, list[Recorded]]:
        if not all(map(is_argument, args)):
            raise Inexpressible("a command line cannot carry this")
        return self.execute([*args, *self._bounds], **options)

    def _check_busy(self, result: Result, recorded: Sequence[Recorded]) -> None:
        if result.exit_code == 0 and not recorded:
            raise ClientFault("rclone reported success without sending anything")

    def _check_sent(self, operation: str, recorded: Sequence[Recorded]) -> None:
        """Tell a missing object apart from a refusal: rclone looks first, and sends nothing more after a 404.

        Raises:
            Inexpressible: that is what happened.
        """
        head = self.sent(recorded, ["HeadObject"], {})
        if head is not None and head.exchange.status == 404 and operation in ("DeleteObject", "CopyObject"):
            raise Inexpressible(f"rclone looks with HeadObject first; answered 404, it does not send {operation}")

    def _shown(self, args: Sequence[str]) -> str:
        """The command for a user whose credentials are in the environment."""
        flags = ["--s3-provider", "Other", "--s3-env-auth", "--s3-endpoint", self.endpoint.url]
        flags += ["--s3-region", self.endpoint.region]
        flags += ["--s3-force-path-style=false"] if self.endpoint.addressing == "virtual" else []
        flags += [f"--s3-{name.replace('_', '-')}={value}" for name, value in self._settings.items()]
        local = [f":s3:{arg.removeprefix(REMOTE)}" if arg.startswith(REMOTE) else arg for arg in args]
        return shlex.join(["rclone", *local, *flags]).replace(f"{self.runner.home}/", "")


def _only(params: Mapping[str, Any], *known: str) -> None:
    extra = sorted(set(params) - set(known))
    if extra:
        raise Inexpressible(f"rclone has no way to say {', '.join(extra)} here")


def _path(bucket: str, key: str | None = None) -> str:
    """The remote path of a bucket or object.

    Raises:
        Inexpressible: rclone would clean or encode it to another key (rclone, "Restricted filenames").
    """
    if not bucket or "/" in bucket:
        raise Inexpressible("rclone needs a bucket name without slashes")
    if key is None:
        return REMOTE + bucket
    parts = key.split("/")
    if "" in parts:
        raise Inexpressible("rclone cannot carry a key with an empty segment (leading, trailing or double slash)")
    if any(part in (".", "..", "．", "．．") for part in parts) or re.search("[‛／]", key):
        raise Inexpressible("rclone cannot carry this key unchanged (segments of dots, or its own escapes)")
    return f"{REMOTE}{bucket}/{key}"


def _range(value: str) -> list[str]:
    if not value:
        return []
    match = _RANGE.fullmatch(value)
    if match is None:
        raise Inexpressible("rclone reads one range of bytes only")
    first, last, suffix = match.groups()
    if suffix:
        return ["--tail", f"{suffix}"]
    if last and int(last) < int(first):
        raise Inexpressible("rclone has no way to ask for an inverted range")
    return ["--offset", first, *(["--count", str(int(last) - int(first) + 1)] if last else [])]


def _line(name: str, value: str) -> str:
    if not is_line(f"{name}{value}") or ":" in name:
        raise Inexpressible("rclone carries only printable ASCII in headers")
    return f"{name}: {value}"


def _entries(observed: Observed) -> list[dict[str, Any]]:
    """The entries of `lsjson`, one a line, as far as it came."""
    found = []
    for line in (observed.body or b"").splitlines():
        try:
            entry = json.loads(line.strip().removesuffix(b","))
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("Path"), str):
            found.append(entry)
    return found


def _stat(observed: Observed) -> dict[str, Any]:
    """The entry of `lsjson --stat`."""
    try:
        entry = json.loads(observed.body or b"")
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
