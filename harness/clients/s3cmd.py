"""s3cmd, as users run it: a configuration file for the endpoint, credentials in the environment.

Retries are off, so that every answer is the endpoint's own, and the region is configured, so that it does not ask
for the bucket's location before every command. It signs with version 4, lists with version 1, and looks with
HeadObject before it reads. Its exit codes are those of sysexits.h: 12 after 404, 13 after 409, 64 for what it takes
for a wrong argument, 77 after 403. Source: s3cmd's documentation; the wire measured with s3cmd 2.4.0.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from harness.clients.commands import CommandClient
from harness.clients.program import LISTING_REQUESTS, is_line
from harness.signals import Inexpressible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.clients.base import Observed
    from harness.clients.runner import Runner
    from harness.config import Endpoint
    from harness.wire.wiretap import Wiretap

MIB = 1024 * 1024
MIN_PART = 5
"""The smallest parts that s3cmd makes, in MiB."""
_HEADERS = {
    "ACL": "x-amz-acl",
    "CacheControl": "Cache-Control",
    "ContentDisposition": "Content-Disposition",
    "ContentEncoding": "Content-Encoding",
    "ContentLanguage": "Content-Language",
    "ContentMD5": "Content-MD5",
    "IfMatch": "If-Match",
    "IfNoneMatch": "If-None-Match",
    "ServerSideEncryption": "x-amz-server-side-encryption",
    "Tagging": "x-amz-tagging",
    "WebsiteRedirectLocation": "x-amz-website-redirect-location",
}
"""What `--add-header` carries."""
_PLAIN = ["--no-preserve", "--no-check-md5"]
"""Without these, s3cmd stores the file's attributes and digest as metadata of its own (x-amz-meta-s3cmd-attrs)."""
_TYPE = re.compile(r"[a-z0-9]+/[a-z0-9+.-]+(;.*)?", re.IGNORECASE)
_BUCKET_LINE = re.compile(r"(.{16})  s3://(.+)")
_ENTRY_LINE = re.compile(r".{16} +(\d+|DIR|DIROBJ)  s3://[^/]+/(.*)")
_INFO_LINE = re.compile(r"   (File size|MIME type|x-amz-meta-[^:]+):\s*(.*)")
_CUT = "list is truncated"


class S3cmd(CommandClient):
    """s3cmd against one endpoint.

    Args:
        endpoint: where to send, and with whose credentials.
        settings: further lines of its configuration file.
        tap: what records it.
        runner: how it is run.
        version: its version.
    """

    name: ClassVar[str] = "s3cmd"
    program: ClassVar[str] = "s3cmd"
    version_pattern: ClassVar[str] = r"s3cmd version ([\w.\-]+)"
    remote: ClassVar[str] = "s3://"
    silent: ClassVar[frozenset[str]] = frozenset({"signurl"})
    otherwise: ClassVar[Mapping[str, str]] = {"ListObjectsV2": "s3cmd lists with version 1 only"}
    unsent: ClassVar[str] = r"(?m)^ERROR: Parameter problem: "

    def __init__(
        self, endpoint: Endpoint, settings: Mapping[str, str], tap: Wiretap, runner: Runner, version: str
    ) -> None:
        super().__init__(endpoint, tap, runner, version)
        credentials = endpoint.credentials
        self.environment = {
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            "S3CMD_CONFIG": str(self._configuration(settings)),
        }
        if credentials.session_token:
            self.environment["AWS_SESSION_TOKEN"] = credentials.session_token
        self._settings = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
        self.calls = {
            "ListBuckets": self._list_buckets,
            "CreateBucket": self._create_bucket,
            "DeleteBucket": self._delete_bucket,
            "PutObject": self._put_object,
            "GetObject": self._get_object,
            "HeadObject": self._head_object,
            "CopyObject": self._copy_object,
            "DeleteObject": self._delete_object,
            "ListObjects": self._list,
        }

    def _configuration(self, settings: Mapping[str, str]) -> Path:
        """A configuration file; nothing in it is secret."""
        endpoint, tap, proxy = urlsplit(self.endpoint.url), self.tap, urlsplit(self.proxy)
        host = endpoint.netloc + endpoint.path
        lines = {
            "host_base": host,
            "host_bucket": f"%(bucket)s.{host}" if self.endpoint.addressing == "virtual" else host,
            "bucket_location": self.endpoint.region,
            "use_https": endpoint.scheme == "https",
            "signurl_use_https": endpoint.scheme == "https",
            "ca_certs_file": tap.ca_bundle,
            "proxy_host": proxy.hostname,
            "proxy_port": proxy.port,
            "socket_timeout": max(1, round(self.endpoint.timeout)),
            "max_retries": 0,
        }
        path = self.runner.home / "s3cmd.conf"
        text = "".join(f"{name} = {value}\n" for name, value in (lines | dict(settings)).items())
        path.write_text(f"[default]\n{text}")
        return path

    def line(self, arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        """The command as it is: all that it needs is in its configuration."""
        return list(arguments), {}

    def shown(self, arguments: Sequence[str]) -> str:
        """The command for a user whose credentials are in the environment."""
        url = urlsplit(self.endpoint.url)
        host = url.netloc + url.path
        bucket = f"%(bucket)s.{host}" if self.endpoint.addressing == "virtual" else host
        options = [f"--host={host}", f"--host-bucket={bucket}", f"--region={self.endpoint.region}"]
        options += [] if url.scheme == "https" else ["--no-ssl"]
        options += ["--no-check-certificate"] if self.endpoint.insecure else []
        options += [f"--ca-certs={self.trust}"] if self.trust else []
        return self.joined("s3cmd", *arguments, *options, *self._settings)

    # --- listings ---

    def list_all(self, version: int, params: Mapping[str, Any]) -> Observed:
        """`s3cmd ls`, which walks all pages of version 1; it has no option for their size."""
        if version != 1:
            raise Inexpressible("s3cmd lists with version 1 only")
        if "MaxKeys" in params:
            raise Inexpressible("s3cmd has no option for the size of a page")
        return self._list(params)

    def _list(self, params: Mapping[str, Any]) -> Observed:
        self.only(params, "Bucket", "Prefix", "Delimiter", "MaxKeys")
        prefix, delimiter = params.get("Prefix", ""), params.get("Delimiter", "")
        if delimiter not in ("", "/"):
            raise Inexpressible("s3cmd folds listings at a slash only")
        if prefix.endswith("*"):
            raise Inexpressible("s3cmd takes a * at the end of a prefix for a wildcard")
        limit = ["--limit", str(params["MaxKeys"])] if "MaxKeys" in params else []
        arguments = ["ls", *([] if delimiter else ["--recursive"]), *limit, f"{self.at(params['Bucket'])}/{prefix}"]
        observed = self.perform("ListObjects", {"Bucket": params["Bucket"]}, arguments, max_requests=LISTING_REQUESTS)
        entries = [match.groups() for match in self._matches(observed, _ENTRY_LINE)]
        observed.output = {
            "Contents": [_entry(size, key) for size, key in entries if size != "DIR"],
            "CommonPrefixes": [{"Prefix": key} for size, key in entries if size == "DIR"],
        }
        if limit and observed.ok:
            observed.output["IsTruncated"] = _CUT in observed.stderr
        return observed

    def _matches(self, observed: Observed, pattern: re.Pattern[str]) -> list[re.Match[str]]:
        """The lines that a listing printed.

        Raises:
            Inexpressible: one of them is no entry, as where a key has a line break.
        """
        found = []
        for line in (observed.body or b"").decode("utf-8", "replace").removesuffix("\n").split("\n"):
            match = pattern.fullmatch(line)
            if match is not None:
                found.append(match)
            elif line:
                raise Inexpressible(f"s3cmd printed a line that is no entry: {line[:100]!r}")
        return found

    # --- buckets ---

    def _list_buckets(self, params: Mapping[str, Any]) -> Observed:
        self.only(params)
        observed = self.perform("ListBuckets", params, ["ls"])
        observed.output = {"Buckets": [{"Name": match[2]} for match in self._matches(observed, _BUCKET_LINE)]}
        return observed

    def _create_bucket(self, params: Mapping[str, Any]) -> Observed:
        self.only(params, "Bucket", "CreateBucketConfiguration")
        configuration = params.get("CreateBucketConfiguration", {})
        self.only(configuration, "LocationConstraint")
        wanted = configuration.get("LocationConstraint", "us-east-1")
        if wanted != self.endpoint.region:
            raise Inexpressible("s3cmd makes buckets where its own region is")
        return self.perform("CreateBucket", params, ["mb", self.at(params["Bucket"])])

    def _delete_bucket(self, params: Mapping[str, Any]) -> Observed:
        self.only(params, "Bucket")
        return self.perform("DeleteBucket", params, ["rb", self.at(params["Bucket"])])

    # --- objects ---

    def upload(self, params: Mapping[str, Any], part_size: int) -> Observed:
        """`s3cmd put` of a file in parts of `part_size`, which is whole MiB."""
        self.only(params, "Bucket", "Key", "Body")
        if part_size % MIB or part_size < MIN_PART * MIB:
            raise Inexpressible("s3cmd makes parts of whole MiB, 5 or more")
        if len(params["Body"]) <= part_size:
            raise Inexpressible("s3cmd uploads in one piece what is no larger than a part")
        chunk = f"--multipart-chunk-size-mb={part_size // MIB}"
        arguments = ["put", *_PLAIN, chunk, self._file(params["Body"]), self._object(params)]
        return self.perform("CompleteMultipartUpload", params, arguments, seconds=2 * self.endpoint.timeout)

    def _put_object(self, params: Mapping[str, Any]) -> Observed:
        self.only(params, "Bucket", "Key", "Body", "ContentType", "Metadata", "StorageClass", *_HEADERS)
        lines = {_HEADERS[name]: value for name, value in params.items() if name in _HEADERS}
        lines |= {f"x-amz-meta-{name}": value for name, value in params.get("Metadata", {}).items()}
        options = [*_PLAIN, "--disable-multipart"]
        options += [f"--storage-class={params['StorageClass']}"] if "StorageClass" in params else []
        for name, value in lines.items():
            if not is_line(f"{name}{value}") or value != value.strip():
                raise Inexpressible("s3cmd carries only printable ASCII in headers")
            options.append(f"--add-header={name}:{value}")
        if "ContentType" in params:
            if not _TYPE.fullmatch(params["ContentType"]):
                raise Inexpressible("s3cmd takes a content type of letters, digits and +.- only")
            options.append(f"--mime-type={params['ContentType']}")
        arguments = ["put", *options, self._file(params.get("Body", b"")), self._object(params)]
        return self.perform("PutObject", params, arguments, seconds=2 * self.endpoint.timeout)

    def _get_object(self, params: Mapping[str, Any]) -> Observed:
        self.only(params, "Bucket", "Key")
        observed = self.perform("GetObject", params, ["get", self._object(params), "-"])
        observed.stdout = ""
        if not observed.ok:
            observed.body = None
        return observed

    def _head_object(self, params: Mapping[str, Any]) -> Observed:
        self.only(params, "Bucket", "Key")
        observed = self.perform("HeadObject", params, ["info", self._object(params)])
        if observed.status == 200 and not observed.ok and not observed.failure:
            raise Inexpressible(
                f"s3cmd info asks for more than HeadObject, and stopped: {observed.stderr.strip()[:200]}"
            )
        matches = [match for match in map(_INFO_LINE.fullmatch, observed.stdout.split("\n")) if match]
        values = {match[1]: match[2] for match in matches}
        if observed.ok and values.get("File size", "").isdigit():
            own = {name: value for name, value in values.items() if name.startswith("x-amz-meta-")}
            metadata = {name.removeprefix("x-amz-meta-"): value for name, value in own.items()}
            metadata.pop("s3cmd-attrs", None)
            members = {"ContentLength": int(values["File size"]), "ContentType": values.get("MIME type", "")}
            observed.output = {**members, "Metadata": metadata}
        return observed

    def _copy_object(self, params: Mapping[str, Any]) -> Observed:
        self.only(params, "Bucket", "Key", "CopySource", "MetadataDirective")
        if params.get("MetadataDirective", "COPY") != "COPY":
            raise Inexpressible("s3cmd copies an object with its metadata")
        # Without these it copies the access list too, and asks for the size first.
        alone = ["--acl-private", "--disable-multipart"]
        return self.perform("CopyObject", params, ["cp", *alone, _literal(self.source(params)), self._object(params)])

    def _delete_object(self, params: Mapping[str, Any]) -> Observed:
        self.only(params, "Bucket", "Key")
        return self.perform("DeleteObject", params, ["del", self._object(params)])

    def _object(self, params: Mapping[str, Any]) -> str:
        """The argument that names an object.

        Raises:
            Inexpressible: s3cmd takes such a key for several, or for a folder.
        """
        if params["Key"].endswith("/"):
            raise Inexpressible("s3cmd takes a key that ends with a slash for a folder")
        return _literal(self.at(params["Bucket"], params["Key"]))

    def _file(self, data: bytes) -> str:
        path = self.runner.home / "body"
        path.write_bytes(data)
        return str(path)


def _literal(argument: str) -> str:
    if any(sign in argument for sign in "*?"):
        raise Inexpressible("s3cmd takes * and ? in a key for wildcards")
    return argument


def _entry(size: str, key: str) -> dict[str, Any]:
    """An entry of a listing; of a key that ends with a slash s3cmd prints no size."""
    return {"Key": key} | ({"Size": int(size)} if size.isdigit() else {})
