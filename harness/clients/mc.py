"""mc, the client of MinIO, as users run it: the endpoint is an alias in its configuration, called `remote`.

It asks for the location of a bucket before anything else, looks with HeadObject and a listing before it reads, writes
or deletes, and deletes with DeleteObjects. It has no option against retries. Source: mc's documentation; the wire
measured with mc of 2025-03-13.
"""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from harness.clients.base import Observed, joined
from harness.clients.commands import PROXIES, CommandClient
from harness.clients.program import LISTING_REQUESTS, is_line
from harness.signals import Inexpressible
from harness.wire.route import Sent, recognise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.clients.runner import Runner
    from harness.config import Endpoint
    from harness.wire.wiretap import Wiretap

MIN_PART = 5 * 1024 * 1024
_HEADERS = {
    "CacheControl": "Cache-Control",
    "ContentDisposition": "Content-Disposition",
    "ContentEncoding": "Content-Encoding",
    "ContentLanguage": "Content-Language",
    "ContentType": "Content-Type",
}
"""What `--attr` carries as headers; every other name becomes metadata."""
_MEMBERS = {header: member for member, header in _HEADERS.items()}
_META = "x-amz-meta-"
_FROM = re.compile(r"bytes=(\d+)-")


class Mc(CommandClient):
    """mc against one endpoint, which it knows as `remote`.

    Args:
        endpoint: where to send, and with whose credentials.
        settings: further members of the alias (`api`, `path`).
        tap: what records it.
        runner: how it is run.
        version: its version.
    """

    name: ClassVar[str] = "mc"
    program: ClassVar[str] = "mc"
    image: ClassVar[str] = "quay.io/minio/mc:RELEASE.2025-08-13T08-35-41Z"
    idle: ClassVar[tuple[str, ...]] = ("", "pipe")
    version_pattern: ClassVar[str] = r"mc version ((?:RELEASE|DEVELOPMENT)\.[\w.\-]+)"
    install: ClassVar[str] = "go install github.com/minio/mc@latest"
    remote: ClassVar[str] = "remote/"
    silent: ClassVar[frozenset[str]] = frozenset({"share"})
    otherwise: ClassVar[Mapping[str, str]] = {
        "DeleteObject": "mc deletes with DeleteObjects, a single key too",
        "ListObjects": "mc lists with version 2 only",
    }
    unsent: ClassVar[str] = r"Invalid arguments provided|Incorrect Usage|Bucket name (cannot|contains)"

    def __init__(
        self, endpoint: Endpoint, settings: Mapping[str, str], tap: Wiretap, runner: Runner, version: str
    ) -> None:
        super().__init__(endpoint, tap, runner, version)
        self._settings = dict(settings)
        self._recorded = self._configuration("mc", self.tapped, tap.ca_bundle)
        # URLs to give away name the endpoint itself; only where that takes no proxy does mc speak to it directly.
        direct = self.tapped != endpoint.url
        self._named = self._configuration("mc-named", endpoint.url, self.trust) if direct else self._recorded
        self.environment = {"MC_QUIET": "1", "MC_NO_COLOR": "1", "MC_DISABLE_PAGER": "1"}
        self.environment |= dict.fromkeys(PROXIES, self.proxy)
        self.calls = {
            "ListBuckets": self._list_buckets,
            "CreateBucket": self._create_bucket,
            "DeleteBucket": self._delete_bucket,
            "PutObject": self._put_object,
            "GetObject": self._get_object,
            "HeadObject": self._head_object,
            "CopyObject": self._copy_object,
            "ListObjectsV2": lambda params: self.list_all(2, params),
        }

    def _configuration(self, name: str, url: str, trusted: str) -> Path:
        """A folder of configuration, private like all of the program's home, with the alias and whom to trust."""
        credentials, folder = self.endpoint.credentials, self.runner.home / name
        alias = {
            "url": url,
            "accessKey": credentials.access_key,
            "secretKey": credentials.secret_key,
            "api": "S3v4",
            "path": "on" if self.endpoint.addressing == "path" else "off",
        }
        alias |= {"sessionToken": credentials.session_token} if credentials.session_token else {}
        authorities = folder / "certs" / "CAs"
        authorities.mkdir(parents=True)
        if trusted:
            shutil.copyfile(trusted, authorities / "endpoint.crt")
        document = {"version": "10", "aliases": {"remote": alias | self._settings}}
        (folder / "config.json").write_text(json.dumps(document))
        return folder

    def line(self, arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        """The command, and the configuration of the endpoint: behind the wiretap, or for a URL that is given away."""
        share = "share" in arguments
        insecure = ["--insecure"] if share and self.endpoint.insecure else []
        return [*insecure, *arguments], {"MC_CONFIG_DIR": str(self._named if share else self._recorded)}

    def shown(self, arguments: Sequence[str]) -> str:
        """The command for a user, the alias as a variable."""
        url = urlsplit(self.endpoint.url)
        host = f"{url.scheme}://ACCESS_KEY:SECRET_KEY@{url.netloc}{url.path}"
        insecure = ["--insecure"] if self.endpoint.insecure else []
        variables = {"MC_HOST_remote": host} | ({"SSL_CERT_FILE": self.trust} if self.trust else {})
        return self.joined("mc", *insecure, *arguments, variables=variables)

    # --- listings ---

    def list_all(self, version: int, params: Mapping[str, Any]) -> Observed:
        """`mc ls`, which walks all pages of version 2; it has no option for their size."""
        if version != 2:
            raise Inexpressible(self.otherwise["ListObjects"])
        self.only(params, "Bucket", "Prefix", "Delimiter")
        prefix, delimiter = params.get("Prefix", ""), params.get("Delimiter", "")
        if delimiter not in ("", "/"):
            raise Inexpressible("mc folds listings at a slash only")
        if prefix and not prefix.endswith("/"):
            raise Inexpressible("mc lists folders: a prefix must end with a slash")
        target = f"{self.at(params['Bucket'])}/{prefix}"
        arguments = ["--json", "ls", *([] if delimiter else ["--recursive"]), target]
        bucket = {"Bucket": params["Bucket"]}
        observed = self.perform("ListObjectsV2", bucket, arguments, max_requests=LISTING_REQUESTS)
        entries = [(prefix + str(entry["key"]), entry) for entry in _lines(observed, "key")]
        observed.output = {
            "Contents": [
                {"Key": key, "Size": entry.get("size"), "LastModified": entry.get("lastModified")}
                for key, entry in entries
                if entry.get("type") == "file"
            ],
            "CommonPrefixes": [{"Prefix": key} for key, entry in entries if entry.get("type") == "folder"],
        }
        return observed

    # --- buckets ---

    def _list_buckets(self, params: Mapping[str, Any]) -> Observed:
        self.only(params)
        observed = self.perform("ListBuckets", params, ["--json", "ls", self.remote])
        names = [str(entry["key"]).removesuffix("/") for entry in _lines(observed, "key")]
        observed.output = {"Buckets": [{"Name": name} for name in names]}
        return observed

    def _create_bucket(self, params: Mapping[str, Any]) -> Observed:
        self.only(params, "Bucket", "CreateBucketConfiguration")
        configuration = params.get("CreateBucketConfiguration", {})
        self.only(configuration, "LocationConstraint")
        region = ["--region", configuration["LocationConstraint"]] if configuration else []
        return self.perform("CreateBucket", params, ["mb", *region, self.at(params["Bucket"])])

    def _delete_bucket(self, params: Mapping[str, Any]) -> Observed:
        self.only(params, "Bucket")
        return self.perform("DeleteBucket", params, ["rb", self.at(params["Bucket"])])

    # --- objects ---

    def upload(self, params: Mapping[str, Any], part_size: int) -> Observed:
        """`mc put` of a file in parts of `part_size`."""
        self.only(params, "Bucket", "Key", "Body")
        if part_size < MIN_PART:
            raise Inexpressible("mc makes no parts below 5 MiB")
        if len(params["Body"]) <= part_size:
            raise Inexpressible("mc uploads in one piece what is no larger than a part")
        arguments = ["put", "--part-size", f"{part_size}B", self._file(params["Body"]), self._object(params)]
        return self.perform("CompleteMultipartUpload", params, arguments, seconds=2 * self.endpoint.timeout)

    def _put_object(self, params: Mapping[str, Any]) -> Observed:
        self.only(params, "Bucket", "Key", "Body", "Metadata", "StorageClass", "Tagging", *_HEADERS)
        lines = {_HEADERS[name]: value for name, value in params.items() if name in _HEADERS}
        lines |= dict(params.get("Metadata", {}))
        if not all(is_line(f"{name}{value}") and ";" not in value for name, value in lines.items()):
            raise Inexpressible("mc carries only printable ASCII without semicolons in headers")
        options = ["--attr", ";".join(f"{name}={value}" for name, value in lines.items())] if lines else []
        options += ["--storage-class", params["StorageClass"]] if "StorageClass" in params else []
        options += ["--tags", params["Tagging"]] if "Tagging" in params else []
        arguments = ["cp", "--disable-multipart", *options, self._file(params.get("Body", b"")), self._object(params)]
        return self.perform("PutObject", params, arguments, seconds=2 * self.endpoint.timeout)

    def _get_object(self, params: Mapping[str, Any]) -> Observed:
        self.only(params, "Bucket", "Key", "Range", "VersionId")
        options = ["--version-id", params["VersionId"]] if "VersionId" in params else []
        if "Range" in params:
            match = _FROM.fullmatch(params["Range"])
            if match is None:
                raise Inexpressible("mc reads an object whole, or from an offset to its end")
            options += ["--offset", match[1]]
        observed = self.perform("GetObject", params, ["cat", *options, self._object(params)])
        observed.stdout = ""
        if not observed.ok:
            observed.body = None
        elif "Range" in params:
            self._check_range(observed, params)
        return observed

    def _check_range(self, observed: Observed, params: Mapping[str, Any]) -> None:
        """The range that was asked for was sent.

        Raises:
            Inexpressible: it was not: mc reads from the size that it saw.
        """
        asked = Sent("GetObject", params["Bucket"], params["Key"])
        sent = [joined(e.request_headers) for e in observed.exchanges if recognise(e, self.origin) == asked]
        if params["Range"] not in [headers.get("range") for headers in sent]:
            raise Inexpressible(f"mc did not ask for {params['Range']}")

    def _head_object(self, params: Mapping[str, Any]) -> Observed:
        self.only(params, "Bucket", "Key", "VersionId")
        version = ["--version-id", params["VersionId"]] if "VersionId" in params else []
        arguments = ["--json", "stat", "--no-list", *version, self._object(params)]
        observed = self.perform("HeadObject", params, arguments)
        for entry in _lines(observed, "name"):
            headers = {name.lower(): value for name, value in (entry.get("metadata") or {}).items()}
            shown = {member: headers[name.lower()] for name, member in _MEMBERS.items() if name.lower() in headers}
            own = {name.removeprefix(_META): value for name, value in headers.items() if name.startswith(_META)}
            observed.output = {"ContentLength": entry.get("size"), **shown, "Metadata": own}
        return observed

    def _copy_object(self, params: Mapping[str, Any]) -> Observed:
        self.only(params, "Bucket", "Key", "CopySource")
        return self.perform("CopyObject", params, ["cp", self.source(params), self._object(params)])

    def _object(self, params: Mapping[str, Any]) -> str:
        """The argument that names an object.

        Raises:
            Inexpressible: mc takes such a key for a folder.
        """
        if params["Key"].endswith("/"):
            raise Inexpressible("mc takes a key that ends with a slash for a folder")
        return self.at(params["Bucket"], params["Key"])

    def _file(self, data: bytes) -> str:
        path = self.runner.home / "body"
        path.write_bytes(data)
        return str(path)


def _lines(observed: Observed, member: str) -> list[dict[str, Any]]:
    """The JSON objects that mc printed of what it did, one a line, those with this member."""
    found = []
    for line in (observed.body or b"").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("status") == "success" and isinstance(entry.get(member), str):
            found.append(entry)
    return found
