"""Client programs whose commands each do one operation (s5cmd, s3cmd, mc), and what their drivers share.

A driver has a table of the operations it has commands for. What came of a call is told from both sides: status, code
and headers from the recorded exchange of that operation, keys, sizes and bytes from what the program printed.
"""

from __future__ import annotations

import re
import shlex
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote, urlsplit

from harness.clients.program import MAX_REQUESTS, ProgramClient, is_argument, last_words
from harness.signals import ClientFault, Inexpressible
from harness.wire.route import recognise

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.clients.base import Observed
    from harness.clients.runner import Result
    from harness.wire.tape import Recorded

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
"""The variables that tell a program of its proxy; which of them it reads depends on its library."""


class CommandClient(ProgramClient):
    """A program of which every command is a piece of work on the endpoint.

    Attributes:
        calls: what is to be done for each operation that there is a command for.

    Class attributes beside those of `ProgramClient`:
        remote: how an argument begins that names something on the endpoint.
        silent: commands that print an answer and need not send anything for it.
        otherwise: why there is no command for some operations.
        unsent: what it says of an argument that it does not take, before it sends anything.
    """

    remote: ClassVar[str]
    silent: ClassVar[frozenset[str]]
    otherwise: ClassVar[Mapping[str, str]] = {}
    unsent: ClassVar[str]
    calls: Mapping[str, Callable[[Mapping[str, Any]], Observed]]

    @abstractmethod
    def line(self, arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        """The whole command line of a command, and the variables it needs."""

    @abstractmethod
    def shown(self, arguments: Sequence[str]) -> str:
        """The command for a user whose credentials are configured."""

    def call(self, operation: str, params: Mapping[str, Any]) -> Observed:
        """One operation by the command whose work it is."""
        call = self.calls.get(operation)
        if call is None:
            reason = self.otherwise.get(operation, f"no command of {self.program} is known here that is {operation}")
            raise Inexpressible(reason)
        return call(params)

    def command(
        self,
        *arguments: str,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        stop: Callable[[], str] | None = None,
    ) -> Observed:
        """Any command; relative paths are below `folder`.

        What it printed is in `stdout` (bytes in `body`), what it sent in `exchanges`.

        Raises:
            ClientFault: it reports success, and neither sent anything nor printed what it was asked for.
        """
        seconds = 2 * self.endpoint.timeout
        result, recorded = self._run(arguments, stdin=stdin, environment=environment, seconds=seconds, stop=stop)
        spoke = bool(recorded) or (not self.silent.isdisjoint(arguments) and bool(result.stdout.strip()))
        if result.exit_code == 0 and not spoke:
            raise ClientFault(f"{self.program} {arguments[0]} reported success without doing anything")
        observed = self.observed(" ".join([self.program, *arguments[:1]]), result, recorded, None)
        return self._told(observed, result, arguments)

    def perform(
        self,
        operation: str,
        params: Mapping[str, Any],
        arguments: Sequence[str],
        *,
        stdin: bytes = b"",
        seconds: float = 0.0,
        max_requests: int = MAX_REQUESTS,
    ) -> Observed:
        """Run the command that is an operation.

        Raises:
            Inexpressible: the program refuses to send it, or reports success and never sent it.
            ClientFault: it reports success, and never sent anything.
        """
        result, recorded = self._run(arguments, stdin=stdin, seconds=seconds, max_requests=max_requests)
        self._check_sent(result, recorded)
        record = self.sent(recorded, [operation], params)
        if record is None and result.exit_code == 0:
            raise Inexpressible(f"{self.program} reports success without sending {operation} as asked")
        observed = self.observed(operation, result, recorded, record)
        if record is None and not result.stopped and all(item.answer for item in recorded):
            self._stopped_short(observed, operation, recorded)
        return self._told(observed, result, arguments)

    def _check_sent(self, result: Result, recorded: Sequence[Recorded]) -> None:
        if recorded:
            return
        said = result.stderr + result.stdout[:1000].decode("utf-8", "replace")
        if result.exit_code == 0:
            raise ClientFault(f"{self.program} reported success without sending anything")
        if re.search(self.unsent, said):
            raise Inexpressible(f"{self.program} does not send this: {last_words(said)}")

    def _stopped_short(self, observed: Observed, operation: str, recorded: Sequence[Recorded]) -> None:
        """The program asked for something else first, and did not go on; a read that ended so has the look's status.

        Raises:
            Inexpressible: the operation might have been answered otherwise.
        """
        look = self.sent(recorded, ["HeadObject"], {})
        if operation == "GetObject" and look is not None and (look.exchange.status or 0) >= 400:
            observed.status, observed.failure = look.exchange.status, ""
            observed.message = observed.message or f"{self.program} did not go on after HeadObject"
            return
        before = [f"{recognise(item.exchange, self.origin).operation} ({item.exchange.status})" for item in recorded]
        text = f"{self.program} does not send {operation} after {', '.join(before[-3:])}: {observed.failure}"
        raise Inexpressible(text)

    def _told(self, observed: Observed, result: Result, arguments: Sequence[str]) -> Observed:
        observed.body, observed.partial = result.stdout, True
        observed.command = {self.name: self.shown(arguments)}
        return observed

    def _run(
        self, arguments: Sequence[str], *, environment: Mapping[str, str] | None = None, **options: Any
    ) -> tuple[Result, list[Recorded]]:
        if not all(map(is_argument, arguments)):
            raise Inexpressible("a command line cannot carry this")
        args, variables = self.line(arguments)
        return self.execute(args, environment=variables | dict(environment or {}), **options)

    # --- what programs are told ---

    @property
    def tapped(self) -> str:
        """The endpoint for a program that takes no proxy for a loopback address: the wiretap itself, in its place.

        For any other address it is the endpoint's own. Source: Go, net/http, ProxyFromEnvironment.
        """
        host = urlsplit(self.endpoint.url).hostname or ""
        loopback = host == "localhost" or host.startswith("127.") or host == "::1"
        return self.runner.reach(self.tap.direct) if loopback else self.endpoint.url

    @property
    def trust(self) -> str:
        """The certificates that a user has to trust for the endpoint; "" for plain http, or the system's own."""
        return self.endpoint.ca_bundle if self.endpoint.url.startswith("https:") else ""

    def at(self, bucket: str, key: str | None = None) -> str:
        """The argument that names a bucket or an object.

        Raises:
            Inexpressible: no bucket is named, or the program reads the name of another.
        """
        if not bucket or "/" in bucket:
            raise Inexpressible(f"{self.program} needs a bucket name without slashes")
        if key == "":
            raise Inexpressible(f"{self.program} takes an empty key for the bucket")
        return f"{self.remote}{bucket}" if key is None else f"{self.remote}{bucket}/{key}"

    def only(self, params: Mapping[str, Any], *known: str) -> None:
        """Nothing but `known` is asked for.

        Raises:
            Inexpressible: something is that the command has no option for.
        """
        extra = sorted(set(params) - set(known))
        if extra:
            raise Inexpressible(f"{self.program} has no way to say {', '.join(extra)} here")

    def source(self, params: Mapping[str, Any]) -> str:
        """The argument that names the source of a copy; the header's form is decoded."""
        source = params["CopySource"]
        if isinstance(source, str):
            bucket, _, key = unquote(source).removeprefix("/").partition("/")
            source = {"Bucket": bucket, "Key": key}
        self.only(source, "Bucket", "Key")
        return self.at(source["Bucket"], source["Key"])

    def joined(self, *words: str, variables: Mapping[str, str] | None = None) -> str:
        """A command line to show, private paths shortened, variables in front."""
        assigned = [f"{name}={shlex.quote(value)}" for name, value in (variables or {}).items()]
        return " ".join([*assigned, shlex.join(words)]).replace(f"{self.runner.home}/", "")
