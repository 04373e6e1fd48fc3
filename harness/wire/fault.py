"""Faults that a wiretap can put between a client and its endpoint, for the project's own tests.

A fault names the requests it is for and what happens to them; the endpoint itself stays as it is.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Fault(NamedTuple):
    """What happens to a request that matches, instead of or beside being passed on.

    Attributes:
        pattern: regular expression that is searched in `METHOD target`, as `GET /bucket/key?x`.
        answer: bytes that the client gets instead of an answer of the endpoint, which never sees the request; the
            connection ends with them. Empty: the request is passed on.
        drop: the connection ends without an answer, and the endpoint never sees the request.
        cut: bytes of the answer's body after which the connection ends; -1 for none.
        delay: seconds that the request is held back.
    """

    pattern: str
    answer: bytes = b""
    drop: bool = False
    cut: int = -1
    delay: float = 0.0

    def matches(self, method: str, target: str) -> bool:
        """Whether it is for this request."""
        return re.search(self.pattern, f"{method} {target}") is not None


def error(status: int, code: str) -> bytes:
    """An answer with an error document of S3's form."""
    document = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>a fault on purpose</Message></Error>"
    return f"HTTP/1.1 {status} Fault\r\nContent-Length: {len(document)}\r\nConnection: close\r\n\r\n{document}".encode()
