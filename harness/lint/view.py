"""One exchange as the rules look at it: taken apart once, and only as far as some rule asks."""

from __future__ import annotations

import codecs
import copy
import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus, urlsplit

from harness.lint.base import Finding, Party, Severity, Witnessed
from harness.lint.rules import RULES
from harness.wire import model
from harness.wire.route import recognise
from harness.wire.xml import Node, XMLError, parse

if TYPE_CHECKING:
    from botocore.model import StructureShape

    from harness.wire.http1 import Origin

STREAMS = frozenset({"GetObject", "GetObjectAnnotation", "GetObjectTorrent", "GetBucketPolicy", "SelectObjectContent"})
"""Operations whose good answer is no XML document."""

_MAX_FINDINGS = 40
"""Findings kept of one exchange: a hostile document could hold as many as it has elements."""
_MESSAGE = 300
_QUOTED = 4096
"""Characters of a value that are looked at to quote it."""


class View:
    """An exchange taken apart, and what was found in it.

    Attributes:
        seen: the exchange with its bodies.
        status: HTTP status, 0 where no answer came.
        headers: response header values by lower-case name, the first of each.
        repeated: lower-case names of the response headers that came more than once.
        ours: whether it was sent to the endpoint, and not to a website or wherever a redirect led.
        faulty: the request has a finding, so that answers to it are not judged by what it asked for.
        findings: what was found so far.
        said: rules with what was found of them so far.
    """

    def __init__(self, index: int, seen: Witnessed, origin: Origin) -> None:
        self.index = index
        self.seen = seen
        self.exchange = seen.exchange
        self.status = seen.exchange.status or 0
        self.headers: dict[str, str] = {}
        self.repeated: set[str] = set()
        for name, value in seen.exchange.response_headers:
            lower = name.lower()
            if lower in self.headers:
                self.repeated.add(lower)
            else:
                self.headers[lower] = value
        authority, own = _authority(seen.exchange.url), origin.authority.lower()
        self.ours = authority == own or authority.endswith("." + own)
        self.operation, self.bucket, self.key = recognise(seen.exchange, origin)
        self.faulty = False
        self.findings: list[Finding] = []
        self.said: set[tuple[str, str]] = set()

    # --- the request ---

    @property
    def trusted(self) -> bool:
        """Whether an answer may be judged by what the request asked for."""
        return not (self.seen.deliberate or self.faulty)

    @functools.cached_property
    def query(self) -> dict[str, str]:
        """Decoded query parameters; bytes that are no UTF-8 become U+FFFD."""
        text = self.exchange.url.partition("?")[2].partition("#")[0]
        pairs = [part.partition("=") for part in text.split("&") if part]
        return {unquote_plus(name): unquote_plus(value) for name, _, value in pairs}

    @functools.cached_property
    def asked(self) -> dict[str, str]:
        """Request header values by lower-case name, the last of each."""
        return {name.lower(): value for name, value in self.exchange.request_headers}

    # --- the answer ---

    @property
    def success(self) -> bool:
        """Whether the answer says so, in its status and in its body."""
        return 200 <= self.status < 300 and not self.error

    @property
    def error(self) -> bool:
        """Whether the body is an error document, whatever the status."""
        return self.document is not None and self.document.tag == "Error"

    @functools.cached_property
    def output(self) -> StructureShape | None:
        """The output of the operation, as the service model has it."""
        return model.operation(self.operation).output_shape if self.operation in model.operations() else None

    @property
    def body(self) -> bytes | None:
        """The whole body, None where it was not kept, or did not come, whole."""
        return self.seen.body if self.seen.final else None

    @property
    def size(self) -> int:
        """Bytes of body that came, also where HTTP allows none."""
        return max(self.exchange.response_body.size, len(self.seen.stray))

    @property
    def streams(self) -> bool:
        """Whether the body is an object's bytes, or another text that is no document."""
        return 200 <= self.status < 300 and self.operation in STREAMS

    @functools.cached_property
    def _parsed(self) -> Node | str | None:
        """The document, why it cannot be read, or None where there is none to read."""
        body = self.body
        if not body or self.streams or self.exchange.method == "HEAD":
            return None
        text = body.removeprefix(codecs.BOM_UTF8).lstrip()
        if text[:1] != b"<":
            return None
        try:
            return parse(text)
        except XMLError as error:
            return str(error)

    @property
    def document(self) -> Node | None:
        """The root element of a body that is XML."""
        return self._parsed if isinstance(self._parsed, Node) else None

    @property
    def unreadable(self) -> str:
        """Why a body that begins like XML is none."""
        return self._parsed if isinstance(self._parsed, str) else ""

    # --- what is found ---

    def apart(self) -> View:
        """A copy without findings, for those that are to be told in other words."""
        twin = copy.copy(self)
        twin.findings, twin.said = [], set()
        return twin

    def say(
        self, rule: str, message: str, about: str = "", *, severity: Severity = "failure", party: Party = "endpoint"
    ) -> None:
        """One finding for each rule and what it is about; what comes after it adds nothing for a reader."""
        if (rule, about) in self.said or len(self.said) >= _MAX_FINDINGS:
            return
        self.said.add((rule, about))
        named = self.operation or self.exchange.method[:20]
        self.findings.append(Finding(RULES[rule].id, severity, party, named, message[:_MESSAGE], self.index))

    def warn(self, rule: str, message: str, about: str = "") -> None:
        """A finding that is a warning."""
        self.say(rule, message, about, severity="warning")


CLEAN: ContextVar[Callable[[str], str]] = ContextVar("CLEAN", default=str)
"""What empties secrets out of a text; to be done before a message cuts it or escapes it, as neither is found then."""


def shown(value: str | bytes, length: int = 80) -> str:
    """The beginning of a value as messages quote it, without secrets."""
    text = value[:_QUOTED].decode("utf-8", "replace") if isinstance(value, bytes) else value[:_QUOTED]
    clean = CLEAN.get()(text)
    return repr(clean if len(clean) <= length else clean[:length] + "…")


def _authority(url: str) -> str:
    """The authority of a URL, without a default port; "" where it has none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts.netloc.lower().removesuffix(":443" if parts.scheme == "https" else ":80")
