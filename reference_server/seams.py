"""The six places where a personality or a defect may change what the server does.

Each is one function of the application, replaced at start-up by a wrapper around it; no handler knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reference_server.auth import Authenticated
    from reference_server.call import Call, Result
    from reference_server.errors import S3Error
    from reference_server.listing import Page
    from reference_server.payload import Payload
    from reference_server.request import Request
    from reference_server.wire import Answer, Body, Head


@dataclass
class Seams:
    """The functions in use.

    Attributes:
        wire: one HTTP request to one HTTP answer; everything else happens inside.
        auth: who sent a request; raises S3Error for a bad signature.
        payload: `Payload(request, authenticated, **options)`, which checks and reads a body.
        operation: runs the operation of a call; raises S3Error.
        listing: `listing.page`: one page of any listing.
        serialise: a result, or an error, to the answer; the call is None if the request was refused before it
            had an operation.
    """

    wire: Callable[[Head, Body], Answer]
    auth: Callable[[Request], Authenticated]
    payload: Callable[..., Payload]
    operation: Callable[[Call], Result]
    listing: Callable[..., Page]
    serialise: Callable[[Call | None, Result | S3Error], Answer]
