"""Defects of the canonical request: a signature over something else than what the client signed.

Each refuses what its form of the canonical request would not match, before the honest check is made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reference_server.defects.registry import Wrap, family, row
from reference_server.errors import S3Error
from reference_server.request import split_target

if TYPE_CHECKING:
    from reference_server.auth import Authenticated
    from reference_server.request import Request

Auth = Callable[["Request"], "Authenticated"]


def _signing(differs: Callable[[Request], bool]) -> Wrap:
    """Signed requests whose canonical form differs from S3's do not verify."""

    def wrap(inner: Auth) -> Auth:
        def auth(request: Request) -> Authenticated:
            signed = "authorization" in request.headers or "X-Amz-Signature" in request.parameters
            if signed and differs(request):
                raise S3Error("SignatureDoesNotMatch")
            return inner(request)

        return auth

    return wrap


def _pieces(request: Request) -> list[str]:
    """The parameters as they came, without those that presigned URLs add."""
    query = split_target(request.head.target)[1]
    return [piece for piece in query.split("&") if piece and not piece.startswith("X-Amz-")]


def _unsorted(request: Request) -> bool:
    pieces = _pieces(request)
    return pieces != sorted(pieces)


def _bare(request: Request) -> bool:
    return any("=" not in piece for piece in _pieces(request))


def _encoded_beyond_need(request: Request) -> bool:
    return any("%2F" in piece for piece in _pieces(request))


def _not_normal(request: Request) -> bool:
    segments = request.raw_path.removeprefix("/").removesuffix("/").split("/")
    return request.key is not None and not {"", ".", ".."}.isdisjoint(segments)


def _repeated(request: Request) -> bool:
    """Lines of one name are joined by a comma without a space, which hardly any single value has."""
    texts = [value for name, value in request.headers.items() if name != "authorization"]
    return any("," in text and ", " not in text for text in texts)


def _plus(request: Request) -> bool:
    return request.key is not None and "+" in request.key


def _unicode(request: Request) -> bool:
    return request.key is not None and not request.key.isascii()


family(
    "auth",
    _signing,
    {
        "path-normalised": row(
            "The path is signed without empty and dot segments, as for services other than S3, so that keys with them "
            "are refused (AUTH-026).",
            _not_normal,
        ),
        "plus-signed-as-space": row(
            "A plus sign in a key is signed as a space, so that such keys are refused, as in many form decoders "
            "(PRE-017).",
            _plus,
        ),
        "query-order-kept": row(
            "Parameters are signed in the order of the wire instead of sorted (AUTH-025).",
            _unsorted,
        ),
        "query-slashes-kept": row(
            "Slashes in values of parameters are signed as they are instead of encoded, so that listings with a "
            "delimiter are refused (AUTH-002).",
            _encoded_beyond_need,
        ),
        "repeated-headers-apart": row(
            "Signed headers that come twice are not joined, so that such requests are refused (AUTH-002).",
            _repeated,
        ),
        "unicode-signed-raw": row(
            "Keys beyond ASCII are signed as another encoding than UTF-8 (PRE-017).",
            _unicode,
        ),
        "valueless-parameter-unsigned": row(
            "A parameter without an equals sign is signed without one, so that such requests are refused (AUTH-025).",
            _bare,
        ),
    },
)
