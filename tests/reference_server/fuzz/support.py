"""What the fuzz tests share: how long they look, how they spoil what is valid, and what every answer must be."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from reference_server.app import App
from reference_server.auth import Authenticated, account_of
from reference_server.store import Store
from reference_server.wire import Answer, Head

#: Look for this long in each test, and at other examples every time. Not set: few examples, always the same.
SECONDS = float(os.environ.get("S3CONFORM_FUZZ_SECONDS", "0"))
OWNER = ("OWNERKEY", "owner-secret")
_ACCOUNT = account_of(OWNER[0])
#: XML 1.0 cannot carry these; S3 writes them all the same where a key has them.
_CONTROL = re.compile(rb"&#x(?:[0-8bcef]|1[0-9a-f]|fff[ef]);")

Edits = list[tuple[int, int, bytes]]


def bounded(examples: int) -> settings:
    """Settings of a test that looks at so many examples, see `SECONDS`."""
    silent = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
    return settings(max_examples=examples, deadline=None, derandomize=not SECONDS, suppress_health_check=silent)


def edits(pieces: Sequence[bytes], most: int = 4) -> st.SearchStrategy[Edits]:
    """Places, how many bytes go there, and what comes instead: any bytes, or one of the `pieces`."""
    instead = st.one_of(st.sampled_from(pieces), st.binary(max_size=5))
    return st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 12), instead), max_size=most)


def edited(data: bytes, changes: Edits) -> bytes:
    """The data after these edits, one after the other."""
    for place, gone, instead in changes:
        at = place % (len(data) + 1)
        data = data[:at] + instead + data[at + gone :]
    return data


class Body:
    """A request body that is already here, in these blocks."""

    complete = True

    def __init__(self, *blocks: bytes) -> None:
        self._blocks = blocks

    def __iter__(self) -> Iterator[bytes]:
        yield from self._blocks


def application(*, signatures: bool) -> App:
    """An application with the bucket `bkt` and the object `key` in it.

    Args:
        signatures: check them; else everybody is the owner, and x-amz-content-sha256 is still heeded.
    """
    app = App(Store(), dict([OWNER]), debug=True)
    checked = app.seams

    def anybody(request: Any) -> Authenticated:
        return Authenticated(_ACCOUNT, request.headers.get("x-amz-content-sha256") or "UNSIGNED-PAYLOAD")

    app.seams = replace(checked, auth=anybody)
    for path, content in (("/bkt", b""), ("/bkt/key", b"content")):
        assert ask(app, "PUT", path, {}, content).status == 200
    if signatures:
        app.seams = checked
    return app


def ask(app: App, method: str, target: str, headers: dict[str, str], *blocks: bytes) -> Answer:
    """One request without a wire; the answer's body is read to its end."""
    sent = {"host": "h", "content-length": str(sum(map(len, blocks))), **headers}
    answer = app(Head(method, target.encode("latin-1"), True, sent, peer="127.0.0.1"), Body(*blocks))  # type: ignore[arg-type]
    try:
        answer.body = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
    finally:
        if answer.done is not None:
            answer.done()
    return answer


def check(answer: Answer) -> None:
    """An S3 answer: never an internal error, and every refusal is a well-formed error document."""
    assert answer.status != 500, answer
    assert 200 <= answer.status < 504, answer
    if answer.status >= 400:
        assert isinstance(answer.body, bytes)
        root = ET.fromstring(_CONTROL.sub(b"", answer.body))  # noqa: S314 - our own document
        assert root.tag == "Error"
        assert root.findtext("Code")
        assert root.findtext("RequestId") == dict(answer.headers)["x-amz-request-id"]
