"""What a run is given: endpoint, credentials, selection and limits, checked before anything is sent."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from harness.errors import UsageError
from harness.record import ClientInfo
from harness.wire.sigv4 import Credentials

Addressing = Literal["path", "virtual"]

_REGION = re.compile(r"(?![0-9]+\Z)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
"""What SDKs take for a region: one label of a host name. Source: botocore, `validate_region_name`."""
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
"""Bucket names in the path: S3's rules, and those of before 2018, which gateways still have and SDKs still take."""
_DNS_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
"""Bucket names that can stand in a host name. Source: Amazon S3, "General purpose bucket naming rules"."""

_KEY_SIZE = 1024
"""Bytes of the longest key. Source: Amazon S3, "Naming Amazon S3 objects"."""


class Endpoint(msgspec.Struct, frozen=True):
    """Where S3 is spoken, with whom, and how long to wait for it.

    `timeout` is in seconds and bounds every single wait; a cell may take `cell_limit` seconds in all. `second` are the
    credentials of another account, for statements about what belongs to others, `temporary` those with a session token
    of the same account. `website` is the URL of the website endpoint of a bucket, with `{bucket}` for its name.
    `follow` are the statuses with which it is documented to send requests on to another port of its own. `legacy` names
    an object, as BUCKET/KEY, that is older than the ETags of the gateway, and that nobody may write to.
    """

    url: str
    credentials: Credentials
    region: str = "us-east-1"
    addressing: Addressing = "path"
    insecure: bool = False
    ca_bundle: str = ""
    timeout: float = 30.0
    second: Credentials | None = None
    temporary: Credentials | None = None
    website: str = ""
    follow: tuple[int, ...] = ()
    legacy: str = ""

    def is_website(self, url: str) -> bool:
        """Whether a URL is one of the website endpoint."""
        before, mark, after = self.website.partition("{bucket}")
        return bool(mark) and re.match(f"{re.escape(before)}[a-z0-9.-]+{re.escape(after)}/", url) is not None

    @property
    def secrets(self) -> list[str]:
        """Every text that must not reach a file or a screen."""
        accounts = [self.credentials, *(one for one in (self.second, self.temporary) if one)]
        return [text for one in accounts for text in (one.secret_key, one.session_token, one.access_key)]

    @property
    def cell_limit(self) -> float:
        """Seconds after which a cell is given up."""
        return max(60.0, 4 * self.timeout)

    def tls(self) -> ssl.SSLContext | None:
        """The TLS settings for https, None for http.

        Raises:
            UsageError: the CA bundle cannot be loaded.
        """
        if not self.url.startswith("https:"):
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_bundle or None)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"--ca-bundle {self.ca_bundle}: cannot load certificates: {error}") from None
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


class RunConfig(msgspec.Struct, frozen=True):
    """Everything a worker needs; travels to workers over their private channel, never on a command line."""

    run_id: str
    endpoint: Endpoint
    profile: str
    clients: list[ClientInfo]
    """The columns of the run, those of missing clients among them."""
    scenarios: list[str]
    out: str
    bucket: str = ""
    """The only bucket that may be used, or '' for buckets of the run's own."""
    advised: dict[str, dict[str, str]] = {}
    """Settings that the endpoint was found to need, by client: tried where a cell fails without them."""
    seed: int = 0
    """What generated examples begin with."""
    secure: Endpoint | None = None
    """The same server over https, for the columns whose scheme that is."""

    def endpoint_of(self, info: ClientInfo) -> Endpoint:
        """Where a client of the run is to send."""
        return self.secure if info.scheme == "https" and self.secure is not None else self.endpoint

    @property
    def journal(self) -> Path:
        """The file that names all that this run may leave behind."""
        return Path(self.out) / "journal.jsonl"


def check_url(url: str) -> str:
    """`url` if it is one that an endpoint can have.

    Raises:
        UsageError: not http or https, no host, or with user name, query or fragment.
    """
    try:
        parts = urlsplit(url)
        port_ok = parts.port is None or 0 < parts.port < 65536
    except ValueError as error:
        raise UsageError(f"--endpoint {url!r} is not a URL: {error}") from None
    if parts.scheme not in ("http", "https"):
        raise UsageError(f"--endpoint {url!r} must begin with http:// or https://")
    if not parts.hostname or not port_ok:
        raise UsageError(f"--endpoint {url!r} has no valid host and port")
    if parts.username is not None or parts.query or parts.fragment:
        raise UsageError("--endpoint takes no user name, query or fragment; use --access-key and --secret-key")
    if any(ord(c) <= 32 or ord(c) > 126 for c in url):
        raise UsageError(f"--endpoint {url!r} has characters that a URL cannot have")
    return url.rstrip("/")


def check_region(region: str) -> str:
    """`region` if it is one that requests can be signed for by every client.

    Raises:
        UsageError: it is not.
    """
    if not _REGION.fullmatch(region):
        raise UsageError(f"--region {region!r} is no region: it has letters, digits and hyphens, as us-east-1")
    return region


def check_bucket(bucket: str, addressing: Addressing) -> str:
    """`bucket` if it can be the name of one.

    Raises:
        UsageError: it cannot, or not in a host name where that is how buckets are addressed.
    """
    if not _BUCKET.fullmatch(bucket):
        raise UsageError(
            f"--bucket {bucket!r} is no bucket name: 3 characters or more, letters, digits, dots and hyphens"
        )
    if addressing == "virtual" and not _DNS_BUCKET.fullmatch(bucket):
        raise UsageError(
            f"--bucket {bucket!r} cannot be part of a host name: use --addressing path, or a bucket whose name has "
            "3 to 63 lower-case letters, digits, dots and hyphens"
        )
    return bucket


def check_object(name: str) -> str:
    """`name` if it is BUCKET/KEY, of an object that every client can ask for.

    Raises:
        UsageError: it is not; the message is for behind the name of the setting.
    """
    bucket, _, key = name.partition("/")
    if not _BUCKET.fullmatch(bucket) or not key or len(key.encode()) > _KEY_SIZE or not name.isprintable():
        raise UsageError(f"{name!r} names no object: give BUCKET/KEY, as in my-bucket/folder/old.txt")
    return name
