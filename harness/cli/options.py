"""Options that several verbs share: how to reach an endpoint."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import click

from harness.config import Endpoint, check_object, check_region, check_url
from harness.errors import UsageError
from harness.wire.sigv4 import Credentials

F = TypeVar("F", bound=Callable[..., Any])

SECOND_ACCESS_KEY = "S3CONFORM_SECOND_ACCESS_KEY"
SECOND_SECRET_KEY = "S3CONFORM_SECOND_SECRET_KEY"  # noqa: S105 - the name of a variable

TEMPORARY = ("S3CONFORM_TEMPORARY_ACCESS_KEY", "S3CONFORM_TEMPORARY_SECRET_KEY", "S3CONFORM_TEMPORARY_SESSION_TOKEN")
WEBSITE = "S3CONFORM_WEBSITE_ENDPOINT"
LEGACY = "S3CONFORM_LEGACY_OBJECT"
_BUCKET, _STANDING = "{bucket}", "s3conform-bucket"
"""What stands for the bucket's name in the URL of a website, and a name to check such a URL with."""

_OPTIONS = (
    click.option("--access-key", envvar="AWS_ACCESS_KEY_ID", default="", metavar="KEY",
                 help="Access key id. [env: AWS_ACCESS_KEY_ID]"),
    click.option("--secret-key", envvar="AWS_SECRET_ACCESS_KEY", default="", metavar="KEY",
                 help="Secret key; better in the environment than in the process list. [env: AWS_SECRET_ACCESS_KEY]"),
    click.option("--session-token", envvar="AWS_SESSION_TOKEN", default="", metavar="TOKEN",
                 help="Session token of temporary credentials. [env: AWS_SESSION_TOKEN]"),
    click.option("--region", envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], default="us-east-1", show_default=True,
                 metavar="NAME", help="Region that requests are signed for. [env: AWS_REGION]"),
    click.option("--addressing", type=click.Choice(["path", "virtual"]), default="path", show_default=True,
                 help="Bucket in the path or in the host name."),
    click.option("--insecure", is_flag=True, help="Do not verify TLS certificates."),
    click.option("--ca-bundle", envvar="AWS_CA_BUNDLE", default="", metavar="FILE",
                 help="PEM file of CAs to trust. [env: AWS_CA_BUNDLE]"),
    click.option("--timeout", type=click.FloatRange(0.1, 3600), default=30.0, show_default=True, metavar="SECONDS",
                 help="How long any single wait may take."),
)  # fmt: skip


def endpoint_options(function: F) -> F:
    """Add the options that, beside --endpoint, say how to reach it."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


class Extras(NamedTuple):
    """What a few scenarios need beside the endpoint, see `Endpoint`."""

    second: Credentials | None = None
    temporary: Credentials | None = None
    website: str = ""
    legacy: str = ""


def make_endpoint(url: str, options: dict[str, Any], extras: Extras = Extras()) -> Endpoint:  # noqa: B008 - immutable
    """The endpoint that the options describe.

    Args:
        url: its URL.
        options: the values of `endpoint_options`.
        extras: what few endpoints have.

    Raises:
        UsageError: a URL, region, CA bundle or credentials that cannot be used.
    """
    url = check_url(url)
    access_key, secret_key = options["access_key"], options["secret_key"]
    if not access_key or not secret_key:
        raise UsageError(
            "no credentials: give --access-key and --secret-key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    _check_carried("--access-key", access_key)
    _check_carried("--secret-key", secret_key)
    _check_carried("--session-token", options["session_token"])
    endpoint = Endpoint(
        url=url,
        credentials=Credentials(access_key, secret_key, options["session_token"]),
        region=check_region(options["region"]),
        addressing=options["addressing"],
        insecure=options["insecure"],
        ca_bundle=options["ca_bundle"],
        timeout=options["timeout"],
        second=extras.second,
        temporary=extras.temporary,
        website=extras.website,
        legacy=extras.legacy,
    )
    endpoint.tls()
    return endpoint


def extras() -> Extras:
    """Further credentials, addresses and names, as far as there are any.

    They come from the environment alone: few have them, and nobody wants more secrets in a process list.

    Raises:
        UsageError: a part of them, or unusable ones.
    """
    return Extras(_account(SECOND_ACCESS_KEY, SECOND_SECRET_KEY), _account(*TEMPORARY), _website(), _legacy())


def _website() -> str:
    """The URL of the website endpoint, with `{bucket}` once and without a slash at its end; "" if it is not set."""
    url = os.environ.get(WEBSITE, "")
    if not url:
        return ""
    if url.count(_BUCKET) != 1:
        raise UsageError(f"{WEBSITE} needs {_BUCKET} once, where the bucket's name stands")
    try:
        checked = check_url(url.replace(_BUCKET, _STANDING))
    except UsageError:  # whose text is about another option
        raise UsageError(
            f"{WEBSITE} is not the URL of a website: http:// or https://, a host, and no user name, query or fragment"
        ) from None
    # Nobody resolves a name of the run's own that stands alone, and every other URL would look like that of a website.
    host = urlsplit(checked).hostname or ""
    if _STANDING in host and not host.rpartition(_STANDING)[2].partition(".")[2].strip("."):
        raise UsageError(f"{WEBSITE} needs a domain behind {_BUCKET}, as in http://{_BUCKET}.website.example")
    return url.rstrip("/")


def _legacy() -> str:
    """The object that is older than the gateway's ETags, as BUCKET/KEY; "" if none is named."""
    name = os.environ.get(LEGACY, "")
    try:
        return check_object(name) if name else ""
    except UsageError as error:
        raise UsageError(f"{LEGACY}: {error}") from None


def _account(*names: str) -> Credentials | None:
    """The credentials in these variables, None if they are not set."""
    values = [os.environ.get(name, "") for name in names]
    if not any(values):
        return None
    if not all(values):
        raise UsageError(f"{' and '.join(names)} belong together: set all or none")
    for name, value in zip(names, values, strict=True):
        _check_carried(name, value)
    return Credentials(*values)


def _check_carried(name: str, text: str) -> None:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError(f"{name} has characters that no HTTP header can carry")


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Whatever cannot be written within the block is a matter of --out.

    Raises:
        UsageError: instead of OSError.
    """
    try:
        yield
    except OSError as error:
        raise UsageError(f"--out {out}: cannot write there: {error.strerror}") from None
