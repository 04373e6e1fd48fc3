"""Options that several verbs share: how to reach an endpoint."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from harness.config import Endpoint, check_url
from harness.errors import UsageError
from harness.wire.sigv4 import Credentials

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--access-key", envvar="AWS_ACCESS_KEY_ID", default="", help="Access key id. [env: AWS_ACCESS_KEY_ID]"
   ),
    click.option(
        "--secret-key", envvar="AWS_SECRET_ACCESS_KEY", default="", help="Secret key. [env: AWS_SECRET_ACCESS_KEY]"
    ),
    click.option(
        "--session-token", envvar="AWS_SESSION_TOKEN", default="", help="Session token. [env: AWS_SESSION_TOKEN]"
    ),
    click.option(
        "--region", envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], default="us-east-1", show_default=True,
        help="Region that requests are signed for. [env: AWS_REGION]",
    ),
    click.option("--addressing", type=click.Choice(["path", "virtual"]), default="path", show_default=True,
                 help="Bucket in the path or in the host name."),
    click.option("--insecure", is_flag=True, help="Do not verify TLS certificates."),
    click.option("--ca-bundle", envvar="AWS_CA_BUNDLE", default="",
                 help="PEM file of CAs to trust. [env: AWS_CA_BUNDLE]"),
    click.option("--timeout", type=click.FloatRange(0.1, 3600), default=30.0, show_default=True,
                 help="Seconds that any single wait may take."),
)  # fmt: skip


# Credentials of another account come from the environment alone: few have them, and fewer want them in a process list.
_SECOND = {
    "second_access_key": "S3CONFORM_SECOND_ACCESS_KEY",
    "second_secret_key": "S3CONFORM_SECOND_SECRET_KEY",
}
_IN_HEADERS = ("access_key", "secret_key", "session_token", "region", *_SECOND)


def endpoint_options(function: F) -> F:
    """Add the options that, beside --endpoint, say how to reach it."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def make_endpoint(url: str, options: dict[str, Any]) -> Endpoint:
    """The endpoint that the options describe.

    Raises:
        UsageError: a URL or credentials that cannot be used.
    """
    options = {name: os.environ.get(variable, "") for name, variable in _SECOND.items()} | options
    if not options["access_key"] or not options["secret_key"]:
        raise UsageError(
            "no credentials: give --access-key and --secret-key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    credentials = Credentials(options["access_key"], options["secret_key"], options["session_token"])
    for name in _IN_HEADERS:
        if not options[name].isascii() or not options[name].isprintable() or " " in options[name]:
            raise UsageError(f"--{name.replace('_', '-')} has characters that no HTTP header can carry")
    second = None
    if options["second_access_key"] and options["second_secret_key"]:
        second = Credentials(options["second_access_key"], options["second_secret_key"])
    endpoint = Endpoint(
        url=check_url(url),
        credentials=credentials,
        region=options["region"],
        addressing=options["addressing"],
        insecure=options["insecure"],
        ca_bundle=options["ca_bundle"],
        timeout=options["timeout"],
        second=second,
    )
    endpoint.tls()
    return endpoint
