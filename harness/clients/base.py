"""What every client answers with, and what a client is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from harness.record import Step
from harness.wire.exchange import Exchange
from harness.wire.xml import Node


@dataclass(slots=True)
class Observed:
    """What one call came to, in one shape for all clients. None means: this client does not show it.

    Attributes:
        operation: S3's name of the operation.
        client: the client's name.
        ok: whether the client reports success (for programs: exit code 0).
        status: HTTP status.
        headers: values by lower-case name, repeated lines joined by ", ".
        output: members of the answer under the service model's names.
        body: bytes of the object, or of the whole answer for `raw`.
        code: S3 error code; "" on success or where the answer names none.
        message: S3 error message.
        error_fields: the other elements of the error document.
        document: root of an XML answer (`raw` only).
        stray: bytes sent where HTTP allows no body (`raw` only).
        failure: what happened instead of an HTTP answer.
        partial: `output` lacks members that the answer may have had (a client that prints a summary).
        exit_code: exit code of a client program.
        stdout: standard output of a client program.
        stderr: standard error of a client program.
        command: how to repeat the call with this client, by name of the tool.
        exchanges: what crossed the wire for this call, unredacted; never stored as it is.
    """

    operation: str
    client: str
    ok: bool
    status: int | None = None
    headers: dict[str, str] | None = None
    output: dict[str, Any] = field(default_factory=dict)
    body: bytes | None = None
    code: str = ""
    message: str = ""
    error_fields: dict[str, str] = field(default_factory=dict)
    document: Node | None = None
    stray: bytes = b""
    failure: str = ""
    partial: bool = False
    exit_code: int | None = None
    stdout: str = ""
    stderr: str = ""
    command: dict[str, str] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def etag(self) -> str | None:
        """The ETag exactly as shown, quotes included."""
        return self.output.get("ETag") or (self.headers or {}).get("etag")

    @property
    def keys(self) -> list[str]:
        """Keys of a listing, in the order shown."""
        return [entry.get("Key", "") for entry in self.output.get("Contents", [])]

    @property
    def prefixes(self) -> list[str]:
        """Common prefixes of a listing, in the order shown."""
        return [entry.get("Prefix", "") for entry in self.output.get("CommonPrefixes", [])]

    @property
    def digest(self) -> str | None:
        """Lower-case hex MD5 of the body."""
        return None if self.body is None else hashlib.md5(self.body).hexdigest()

    def summary(self) -> str:
        """One line: what came back."""
        if self.failure:
            return self.failure
        parts = [str(self.status)] if self.status is not None else []
        if self.exit_code is not None:
            parts.append(f"exit code {self.exit_code}")
        parts += [self.code] if self.code and self.code != str(self.status) else []
        parts += [f"({self.message})"] if self.message else []
        return " ".join(parts) or ("success" if self.ok else "failure without a reason")

    def step(self, role: Any) -> Step:
        """The part of this observation that a later judgement needs."""
        shown = {k: v[:200] for k, v in list((self.headers or {}).items())[:40]}
        return Step(
            operation=self.operation,
            role=role,
            ok=self.ok,
            status=self.status,
            code=self.code[:200],
            message=self.message[:500],
            failure=self.failure[:500],
            exit_code=self.exit_code,
            headers=shown,
        )


class Client(Protocol):
    """A real S3 client. One instance serves a whole worker; calls never overlap.

    A call that got any answer, an error too, returns `Observed`. Only what the client cannot say raises.
    """

    @property
    def name(self) -> str:
        """What a run and its reports call this client."""
        ...

    def call(self, operation: str, params: Mapping[str, Any]) -> Observed:
        """One operation with parameters under the service model's names.

        Raises:
            Inexpressible: the client has no way to say this.
        """
        ...

    def list_all(self, version: int, params: Mapping[str, Any]) -> Observed:
        """Every page of ListObjects (version 1) or ListObjectsV2, walked by the client's own pagination.

        `params` may hold Bucket, Prefix, Delimiter and MaxKeys (the page size). The walk is cut after
        `MAX_PAGES` pages. `output` holds the joined `Contents` and `CommonPrefixes`, in the order shown.
        """
        ...

    def upload(self, params: Mapping[str, Any], part_size: int) -> Observed:
        """Bucket, Key and Body (bytes) stored by the client's own multipart upload in parts of `part_size` bytes."""
        ...

    def close(self) -> None:
        """End what the client keeps open."""
        ...


@runtime_checkable
class CommandLine(Protocol):
    """What client programs offer beside single operations."""

    @property
    def folder(self) -> Path:
        """A private folder that lives as long as the client."""
        ...

    def command(
        self,
        *arguments: str,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        stop: Callable[[], str] | None = None,
    ) -> Observed:
        """Any command of the program, against the endpoint; relative paths are below `folder`.

        Args:
            arguments: what follows the program's name.
            stdin: bytes of its standard input.
            environment: further variables.
            stop: asked several times a second; `STOPPED` says that it has served its purpose and is to be ended.
        """
        ...


STOPPED = "was stopped after serving"
"""Why a command that serves was ended: no failure of its own."""


MAX_PAGES = 200
"""Pages after which a listing is taken to go in circles; no scenario lists more than a tenth of it."""


def joined(headers: list[tuple[str, str]]) -> dict[str, str]:
    """Header values by lower-case name, repeated lines joined by ", "."""
    merged: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        merged[key] = f"{merged[key]}, {value}" if key in merged else value
    return merged
