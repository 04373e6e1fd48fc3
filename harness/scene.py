"""What a scenario is given: the client under test, the witness, and a place of its own on the endpoint."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from harness.clients import PROGRAMS
from harness.clients.base import STOPPED, Client, CommandLine, Observed
from harness.clients.raw import RawClient
from harness.expect import Matcher
from harness.record import Step
from harness.sandbox import Sandbox
from harness.signals import ClientFault, Inexpressible, Mismatch, Prerequisite
from harness.wire import model
from harness.wire.exchange import Exchange
from harness.wire.sigv4 import Credentials

Role = Literal["client", "setup", "witness"]

PART = 5 * 1024 * 1024
"""The smallest size, in bytes, of any part but the last. Source: Amazon S3 multipart upload limits."""

_HELD = 256 * 1024 * 1024
"""Bytes of memory that the answers of a cell may take, estimated: honest endpoints take a sixth of it."""
_READ = 40
"""Bytes of memory for each byte of an answer that was read as XML, in the worst case: very many empty elements."""


class _Member(RawClient):
    """One of a crowd."""

    dispersed = False

    def send(self, *arguments: Any, **options: Any) -> Observed:
        """As `RawClient.send`, while there is a crowd."""
        if self.dispersed:
            raise RuntimeError("the cell of this client is over")
        return super().send(*arguments, **options)


class Scene:
    """One cell while it runs.

    Args:
        cell: a name unique in the run, used as key prefix.
        client: the client under test.
        witness: raw HTTP, for set-up and second looks.
        sandbox: what the worker may use.
        stranger: raw HTTP with the credentials of another account, if there are any.
        seed: what generated examples begin with; one for all cells of a run.
    """

    def __init__(
        self,
        cell: str,
        client: Client,
        witness: RawClient,
        sandbox: Sandbox,
        stranger: RawClient | None = None,
        seed: int = 0,
    ) -> None:
        self.client = client
        self.witness = witness
        self.seed = seed
        self.notes: list[str] = []
        self.crowded = False
        self.waited = 0.0
        self._forgotten: dict[int, Exchange] = {}
        self._stranger = stranger
        self.prefix = sandbox.prefix(cell)
        self.seen: list[tuple[Role, Observed]] = []
        self._held = 0
        self.expected = ""
        self._sandbox = sandbox

    @property
    def costly(self) -> bool:
        """Whether every call starts a process (half a second for some), so that a scenario should make few."""
        return self.client.name in PROGRAMS

    # --- places ---

    @property
    def bucket(self) -> str:
        """A bucket to use below `prefix`; shared with other cells."""
        bucket, refusal = self._sandbox.bucket()
        return self._made(bucket, refusal)

    def new_bucket(self) -> str:
        """An empty bucket of this cell's own."""
        self._unconfined()
        bucket, refusal = self._sandbox.fresh()
        return self._made(bucket, refusal)

    def bucket_name(self, ending: str = "") -> str:
        """The name of a bucket that does not exist, for the cell to create or to miss."""
        self._unconfined()
        return self._sandbox.name(ending)

    def key(self, name: str = "object") -> str:
        """A key of this cell's own."""
        return self.prefix + name

    # --- calls ---

    def call(self, operation: str, **params: Any) -> Observed:
        """One operation through the client under test; `Bucket` is the cell's bucket unless given."""
        return self.keep("client", self.client.call(operation, self._filled(operation, params)))

    def list_all(self, version: int, **params: Any) -> Observed:
        """All pages of a listing by the client's own pagination; `MaxKeys` is the page size."""
        return self.keep("client", self.client.list_all(version, {"Bucket": self.bucket} | params))

    def upload(self, key: str, body: bytes, part_size: int = PART) -> Observed:
        """The client's own multipart upload."""
        params = {"Bucket": self.bucket, "Key": key, "Body": body}
        return self.keep("client", self.client.upload(params, part_size))

    def program(self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> Observed:
        """A whole command of a client program, for workflows: `rclone ARGUMENTS` or `aws ARGUMENTS`."""
        return self.keep("client", self._program.command(*arguments, stdin=stdin, environment=environment))

    @contextmanager
    def serving(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[list[Observed]]:
        """A command that runs while the block does, and is ended with it.

        The list is empty until the command has ended; after the block it holds what the command came to.
        """
        client, ended = self._program, threading.Event()
        came: list[Observed | BaseException] = []

        def work() -> None:
            try:
                came.append(
                    client.command(*arguments, environment=environment, stop=lambda: STOPPED if ended.is_set() else "")
                )
            except BaseException as error:
                came.append(error)

        thread, shown = threading.Thread(target=work, daemon=True), list[Observed]()
        thread.start()
        try:
            yield shown
        finally:
            ended.set()
            thread.join()
        for result in came:
            if isinstance(result, BaseException):
                raise result
            shown.append(self.keep("client", result))

    @property
    def folder(self) -> Path:
        """A new private folder that a client program's commands can read and write."""
        return Path(tempfile.mkdtemp(dir=self._program.folder))

    @property
    def _program(self) -> CommandLine:
        if not isinstance(self.client, CommandLine):
            raise Inexpressible(f"{self.client.name} is not a program")
        return self.client

    def send(self, operation: str, method: str, target: str, *headers: tuple[str, str], **options: Any) -> Observed:
        """One exact request, for statements that only `raw` can make; see `RawClient.send`."""
        if not isinstance(self.client, RawClient):
            raise Inexpressible(f"{self.client.name} cannot send an exact request")
        return self.keep("client", self.client.send(operation, method, target, list(headers), **options))

    def setup(self, operation: str, **params: Any) -> Observed:
        """One operation that prepares the scene, by raw HTTP; the cell is blocked when it fails."""
        observed = self.keep("setup", self.witness.call(operation, self._filled(operation, params)))
        if not observed.ok:
            raise Prerequisite(observed)
        return observed

    def as_stranger(self, operation: str, *, required: bool = True, **params: Any) -> Observed:
        """One operation by another account, beside the statement; if `required`, the cell is blocked when it fails."""
        if self._stranger is None:
            raise Inexpressible("needs the credentials of a second account (S3CONFORM_SECOND_ACCESS_KEY)")
        observed = self.keep("setup", self._stranger.call(operation, params))
        if required and not observed.ok:
            raise Prerequisite(observed)
        return observed

    @property
    def temporary(self) -> Credentials:
        """Temporary credentials, with a session token, of the endpoint's account."""
        if self.witness.endpoint.temporary is None:
            raise Inexpressible("needs temporary credentials (S3CONFORM_TEMPORARY_ACCESS_KEY)")
        return self.witness.endpoint.temporary

    @contextmanager
    def crowd(self, size: int) -> Iterator[list[RawClient]]:
        """So many further clients, each with a connection of its own, for calls at the same time.

        What they observe is to be handed to `keep`, from this thread. After the block they send nothing more, so that
        a thread that still waits for an answer does not go on writing when the cell is over.
        """
        self.crowded = True
        clients = [_Member(self.witness.endpoint) for _ in range(size)]
        try:
            yield list(clients)
        finally:
            for client in clients:
                client.dispersed = True
                client.close()

    def put(self, key: str, body: bytes = b"s3conform", **params: Any) -> Observed:
        """An object stored to prepare the scene."""
        return self.setup("PutObject", Key=key, Body=body, **params)

    def look(self, operation: str, **params: Any) -> Observed:
        """One operation by the witness, the independent second look at what the client did."""
        return self.keep("witness", self.witness.call(operation, self._filled(operation, params)))

    def fetch(self, url: str, method: str = "GET", *headers: tuple[str, str], body: bytes = b"") -> Observed:
        """What a URL of the endpoint, presigned by the client under test, gives to somebody without credentials."""
        return self.keep("witness", self.witness.fetch(url, method, list(headers), body))

    def visit(self, bucket: str, path: str, method: str = "GET", *headers: tuple[str, str]) -> Observed:
        """What a visitor of a bucket's website is given for a path, from `/` on.

        Raises:
            Inexpressible: nobody said where websites are.
            ClientFault: there is nothing that answers there, which says nothing of the endpoint.
        """
        if not self.witness.endpoint.website:
            raise Inexpressible("needs the website endpoint (S3CONFORM_WEBSITE_ENDPOINT)")
        site = self.witness.endpoint.website.replace("{bucket}", bucket)
        given = self.keep("client", self.witness.fetch(site + path, method, list(headers)))
        if given.failure.startswith("cannot connect to "):
            raise ClientFault(f"the website endpoint is not there: {given.failure}")
        return given

    # --- expectations ---

    def expect(self, observed: Observed, *matchers: Matcher) -> Observed:
        """All matchers are met by the observation.

        Raises:
            Mismatch: the first that is not, in words.
            Inexpressible: the client does not show what a matcher looks at.
        """
        for matcher in matchers:
            self.expected = f"{observed.operation}: {matcher.expected}"
            found = matcher.test(observed)
            if found:
                raise Mismatch(self.expected, found, observed)
        return observed

    def check(self, condition: bool, expected: str, found: str, observed: Observed | None = None) -> None:
        """A condition over several observations holds.

        Raises:
            Mismatch: it does not.
        """
        self.expected = expected
        if not condition:
            raise Mismatch(expected, found, observed)

    def note(self, text: str) -> None:
        """Record which of several right answers was seen; it changes no verdict."""
        self.notes.append(text)

    def wait(self, seconds: float) -> None:
        """Let time go by on the endpoint, where a statement is about time; told apart from what the harness takes."""
        begun = time.monotonic()
        time.sleep(max(0.0, seconds))
        self.waited += time.monotonic() - begun

    # --- records ---

    @property
    def steps(self) -> list[Step]:
        """Every call so far, as the run file keeps it."""
        return [observed.step(role) for role, observed in self.seen]

    @property
    def exchanges(self) -> list[Exchange]:
        """Every exchange so far, unredacted."""
        return [exchange for _, observed in self.seen for exchange in observed.exchanges]

    @property
    def sent(self) -> list[Exchange]:
        """Every exchange that there was, those of forgotten calls too, each once; in no order."""
        return list((self._forgotten | {id(exchange): exchange for exchange in self.exchanges}).values())

    def index(self, observed: Observed | None) -> int:
        """Which step an observation is, -1 for none."""
        return next((index for index, (_, seen) in enumerate(self.seen) if seen is observed), -1)

    def forget(self, start: int, end: int | None = None) -> None:
        """Leave calls out of the record that show nothing (one of many examples that held); they still count."""
        gone = [exchange for _, observed in self.seen[start:end] for exchange in observed.exchanges]
        self._forgotten |= {id(exchange): exchange for exchange in gone}
        self._held -= sum(_weight(observed) for _, observed in self.seen[start:end])
        del self.seen[start:end]

    def keep(self, role: Role, observed: Observed) -> Observed:
        """Note a call that was not made through this scene.

        Raises:
            Mismatch: all answers together are larger than a scenario can hold.
        """
        self.seen.append((role, observed))
        self._held += _weight(observed)
        if self._held > _HELD:
            raise Mismatch("answers that are not huge", f"those of this cell take over {_HELD} bytes", observed)
        return observed

    def _filled(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        shape = model.operation(operation).input_shape if operation in model.operations() else None
        needs = "Bucket" in shape.required_members if shape else operation != "ListBuckets"
        return {"Bucket": self.bucket} | params if needs and "Bucket" not in params else params

    def _made(self, bucket: str, refusal: Observed | None) -> str:
        if refusal is not None:
            raise Prerequisite(self.keep("setup", refusal))
        return bucket

    def _unconfined(self) -> None:
        if self._sandbox.confined:
            raise Inexpressible("the run may use only one bucket (--bucket)")


def _weight(observed: Observed) -> int:
    return len(observed.body or b"") * (1 if observed.document is None else _READ)
