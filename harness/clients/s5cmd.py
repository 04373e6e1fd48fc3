"""s5cmd, as users run it: the endpoint by `--endpoint-url`, credentials and region in the environment.

Retries are off, so that every answer is the endpoint's own. Buckets are always addressed in the path: s5cmd has no
option for another style. It deletes with DeleteObjects, also a single key; reads come as ranges of 50 MiB, after a
HeadObject; a listing of nothing ends with exit code 1 and "no object found". Source: s5cmd's documentation; the wire
measured with s5cmd 2.3.0.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from harness.clients.commands import PROXIES, CommandClient
from harness.clients.program import LISTING_REQUESTS, is_line
from harness.signals import Inexpressible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.clients.base import Observed
    from harness.clients.runner import Runner
    from harness.config import Endpoint
    from harness.wire.wiretap import Wiretap

MIB = 1024 * 1024
MIN_PART = 5
"""Parts in MiB; the library that s5cmd uploads with makes none that are smaller."""
_WRITE_OPTIONS = {
    "ACL": "--acl",
    "CacheControl": "--cache-control",
    "ContentDisposition": "--content-disposition",
    "ContentEncoding": "--content-encoding",
    "ContentType": "--content-type",
    "SSEKMSKeyId": "--sse-kms-key-id",
    "ServerSideEncryption": "--sse",
    "StorageClass": "--storage-class",
}
_HEAD_MEMBERS = {"content_type": "ContentType", "storage_class": "StorageClass", "last_modified": "LastModified"}


class S5cmd(CommandClient):
    """s5cmd against one endpoint.

    Args:
        endpoint: where to send, and with whose credentials.
        settings: further global options by their long names (`no-verify-ssl`, `use-list-objects-v1`).
        tap: what records it.
        runner: how it is run.
        version: its version.
    """

    name: ClassVar[str] = "s5cmd"
    program: ClassVar[str] = "s5cmd"
    image: ClassVar[str] = "peakcom/s5cmd:v2.3.0"
    idle: ClassVar[tuple[str, ...]] = ("", "run")
    version_arg: ClassVar[str] = "version"
    version_pattern: ClassVar[str] = r"(?m)^v(\d+\.\d+\.\d+)"
    remote: ClassVar[str] = "s3://"
    silent: ClassVar[frozenset[str]] = frozenset({"presign"})
    otherwise: ClassVar[Mapping[str, str]] = {"DeleteObject": "s5cmd deletes with DeleteObjects, a single key too"}
    unsent: ClassVar[str] = (
        r'"error":"(bucket name cannot|invalid s3 bucket|s3 url should|target .* must be|InvalidParameter)'
    )

    def __init__(
        self, endpoint: Endpoint, settings: Mapping[str, str], tap: Wiretap, runner: Runner, version: str
    ) -> None:
        super().__init__(endpoint, tap, runner, version)
        credentials = endpoint.credentials
        self.environment = {
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            "AWS_REGION": endpoint.region,
            "AWS_SHARED_CREDENTIALS_FILE": str(self.runner.home / "no-credentials"),
        }
        if credentials.session_token:
            self.environment["AWS_SESSION_TOKEN"] = credentials.session_token
        self.environment |= dict.fromkeys(PROXIES, self.proxy)
        self.environment |= {"AWS_CA_BUNDLE": tap.ca_bundle} if tap.ca_bundle else {}
        self._settings = [f"--{name}={value}" for name, value in settings.items()]
        self.calls = {
            "ListBuckets": self._list_buckets,
            "CreateBucket": lambda params: self._bucket("CreateBucket", "mb", params),
            "DeleteBucket": lambda params: self._bucket("DeleteBucket", "rb", params),
            "HeadBucket": lambda params: self._bucket("HeadBucket", "head", params),
            "PutObject": self._put_object,
            "GetObject": self._get_object,
            "HeadObject": self._head_object,
            "CopyObject": self._copy_object,
            "DeleteObjects": self._delete_objects,
            "ListObjects": lambda params: self.list_all(1, params),
            "ListObjectsV2": lambda params: self.list_all(2, params),
        }

    def line(self, arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        """The command with its endpoint: the wiretap for what is sent, the real one for a URL that is given away."""
        signed = "presign" in arguments
        url = self.endpoint.url if signed else self.tapped
        return ["--endpoint-url", url, "--retry-count", "0", *self._settings, *arguments], {}

    def shown(self, arguments: Sequence[str]) -> str:
        """The command for a user whose credentials are in the environment."""
        options = ["--no-verify-ssl"] if self.endpoint.insecure else []
        variables = {"AWS_REGION": self.endpoint.region}
        variables |= {"AWS_CA_BUNDLE": self.trust} if self.trust else {}
        words = ["s5cmd", "--endpoint-url", self.endpoint.url, *options, *self._settings, *arguments]
        return self.joined(*words, variables=variables)

    # --- listings ---

    def list_all(self, version: int, params: Mapping[str, Any]) -> Observed:
        """`s5cmd ls`, which walks all pages; it has no option for their size."""
        self.only(params, "Bucket", "Prefix", "Delimiter")
        prefix, delimiter = params.get("Prefix", ""), params.get("Delimiter", "")
        if delimiter not in ("", "/"):
            raise Inexpressible("s5cmd folds listings at a slash only")
        if any(sign in prefix for sign in "*?"):
            raise Inexpressible("s5cmd takes * and ? in a prefix for wildcards")
        bucket = params["Bucket"]
        target = f"{self.at(bucket)}/{prefix}{'' if delimiter else '*'}"
        operation = "ListObjectsV2" if version == 2 else "ListObjects"
        arguments = [*(["--use-list-objects-v1"] if version == 1 else []), "--json", "ls", target]
        observed = self.perform(operation, {"Bucket": bucket}, arguments, max_requests=LISTING_REQUESTS)
        if observed.status == 200 and not observed.failure and "no object found" in observed.stderr:
            observed.ok, observed.message = True, ""  # an empty listing, which s5cmd reports as an error
        entries = [(str(entry["key"]).removeprefix(f"{self.at(bucket)}/"), entry) for entry in _lines(observed, "key")]
        observed.output = {
            "Contents": [
                {"Key": key, "Size": entry.get("size", 0), "LastModified": entry.get("last_modified")}
                for key, entry in entries
                if entry.get("type") != "directory"
            ],
            "CommonPrefixes": [{"Prefix": key} for key, entry in entries if entry.get("type") == "directory"],
        }
        return observed

    # --- buckets ---

    def _list_buckets(self, params: Mapping[str, Any]) -> Observed:
        self.only(params)
        observed = self.perform("ListBuckets", params, ["--json", "ls"])
        observed.output = {
            "Buckets": [
                {"Name": entry["name"], "CreationDate": entry.get("created_at")} for entry in _lines(observed, "name")
            ]
        }
        return observed

    def _bucket(self, operation: str, command: str, params: Mapping[str, Any]) -> Observed:
        self.only(params, "Bucket")
        return self.perform(operation, params, ["--json", command, self.at(params["Bucket"])])

    # --- objects ---

    def upload(self, params: Mapping[str, Any], part_size: int) -> Observed:
        """`s5cmd cp` of a file in parts of `part_size`, which is whole MiB."""
        self.only(params, "Bucket", "Key", "Body")
        if part_size % MIB or part_size < MIN_PART * MIB:
            raise Inexpressible("s5cmd makes parts of whole MiB, 5 or more")
        if len(params["Body"]) <= part_size:
            raise Inexpressible("s5cmd uploads in one piece what is no larger than a part")
        size = ["--part-size", str(part_size // MIB)]
        arguments = ["--json", "cp", "--raw", *size, self._file(params), self._object(params)]
        return self.perform("CompleteMultipartUpload", params, arguments, seconds=2 * self.endpoint.timeout)

    def _put_object(self, params: Mapping[str, Any]) -> Observed:
        self.only(params, "Bucket", "Key", "Body", "Metadata", *_WRITE_OPTIONS)
        # Not `pipe`: it does not tell why it failed.
        arguments = ["--json", "cp", "--raw", *_options(params), self._file(params), self._object(params)]
        return self.perform("PutObject", params, arguments, seconds=2 * self.endpoint.timeout)

    def _get_object(self, params: Mapping[str, Any]) -> Observed:
        self.only(params, "Bucket", "Key", "VersionId")
        version = ["--version-id", params["VersionId"]] if "VersionId" in params else []
        arguments = ["cat", *([] if version else ["--raw"]), *version, self._object(params)]
        observed = self.perform("GetObject", params, arguments)
        observed.stdout = ""
        if observed.ok:
            self._of_the_object(observed)
        else:
            observed.body = None
        return observed

    def _of_the_object(self, observed: Observed) -> None:
        """Leave out what a successful read says of the range that s5cmd asked for, and nobody else did."""
        if observed.status == 206 and observed.headers is not None:
            observed.status = None
            observed.headers = {name: value for name, value in observed.headers.items() if name != "content-range"}
        elif observed.status == 416:  # of an empty object no range can be had: s5cmd takes that for its end
            observed.status, observed.headers, observed.code, observed.message = None, None, "", ""
            observed.error_fields = {}

    def _head_object(self, params: Mapping[str, Any]) -> Observed:
        self.only(params, "Bucket", "Key", "VersionId")
        version = ["--version-id", params["VersionId"]] if "VersionId" in params else ["--raw"]
        observed = self.perform("HeadObject", params, ["--json", "head", *version, self._object(params)])
        for entry in _lines(observed, "key"):
            shown = {member: entry[name] for name, member in _HEAD_MEMBERS.items() if name in entry}
            # Go writes header names with capitals; numbers that are 0 are left out.
            metadata = {name.lower(): value for name, value in (entry.get("metadata") or {}).items()}
            observed.output = {"ContentLength": entry.get("size", 0), **shown, "Metadata": metadata}
        return observed

    def _copy_object(self, params: Mapping[str, Any]) -> Observed:
        self.only(params, "Bucket", "Key", "CopySource", "MetadataDirective", "Metadata", *_WRITE_OPTIONS)
        directive = ["--metadata-directive", params["MetadataDirective"]] if "MetadataDirective" in params else []
        arguments = ["--json", "cp", "--raw", *directive, *_options(params), self.source(params), self._object(params)]
        return self.perform("CopyObject", params, arguments)

    def _delete_objects(self, params: Mapping[str, Any]) -> Observed:
        self.only(params, "Bucket", "Delete")
        self.only(params["Delete"], "Objects")
        bucket, keys = params["Bucket"], []
        for entry in params["Delete"]["Objects"]:
            self.only(entry, "Key")
            keys.append(entry["Key"])
        targets = [self.at(bucket, key) for key in keys]
        observed = self.perform("DeleteObjects", {"Bucket": bucket}, ["--json", "rm", "--raw", *targets])
        deleted = [str(entry["source"]).removeprefix(f"{self.at(bucket)}/") for entry in _lines(observed, "source")]
        observed.output = {"Deleted": [{"Key": key} for key in deleted]}
        return observed

    def _file(self, params: Mapping[str, Any]) -> str:
        path = self.runner.home / "body"
        path.write_bytes(params.get("Body", b""))
        return str(path)

    def _object(self, params: Mapping[str, Any]) -> str:
        """The argument that names an object.

        Raises:
            Inexpressible: s5cmd takes such a key for a folder.
        """
        if params["Key"].endswith("/"):
            raise Inexpressible("s5cmd takes a key that ends with a slash for a folder")
        return self.at(params["Bucket"], params["Key"])


def _options(params: Mapping[str, Any]) -> list[str]:
    """The options that carry an object's headers and metadata.

    Raises:
        Inexpressible: a value that no header line of s5cmd carries.
    """
    given = [(option, params[name]) for name, option in _WRITE_OPTIONS.items() if name in params]
    given += [("--metadata", f"{name}={value}") for name, value in params.get("Metadata", {}).items()]
    if not all(is_line(value) for _, value in given):
        raise Inexpressible("s5cmd carries only printable ASCII in headers")
    return [word for pair in given for word in pair]


def _lines(observed: Observed, member: str) -> list[dict[str, Any]]:
    """The JSON objects that s5cmd printed, one a line, those with this member."""
    found = []
    for line in (observed.body or b"").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get(member), str):
            found.append(entry)
    return found
