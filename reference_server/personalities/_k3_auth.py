"""The five ways in which a request to K3 may prove who sends it, and the one answer to all that fail.

Source: docs.dodil.io, K3, "S3 Compatibility", "Auth modes accepted on the byte plane". The page names the modes and
their parameters; where it is silent, what is done here is a choice of ours and says so.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from typing import TYPE_CHECKING, Any

from reference_server import sigv4
from reference_server.auth import UNSIGNED, Authenticated, Authenticator, Credential, account_of
from reference_server.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reference_server.request import Request

#: The longest life of a share link in seconds (docs.dodil.io, K3, API reference).
LONGEST_LINK = 86_400
#: Bounds what strangers can make the server remember.
_REGIONS = 64
_CREDENTIAL = re.compile(r"Credential=[^,\s]*?/\d{8}/([^/,\s]+)/s3/aws4_request")
_QUERY_CREDENTIAL = re.compile(r".*/\d{8}/([^/]+)/s3/aws4_request\Z")
_NUMBER = re.compile(r"[0-9]{1,15}\Z")
_TRAILING = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def denied() -> S3Error:
    """What K3 says to whoever may not, for whichever reason."""
    return S3Error("AccessDenied", "access denied")


class Modes:
    """Verifies requests against a set of credentials, in any region.

    Args:
        credentials: by access key.
        clock: seconds since the epoch.
    """

    def __init__(self, credentials: Mapping[str, Credential], clock: Callable[[], float]) -> None:
        self._credentials = credentials
        self._clock = clock
        self._known: dict[str, Authenticator] = {}

    def authenticate(self, request: Request) -> Authenticated:
        """The account that a request acts for; the anonymous one if it names none.

        Raises:
            S3Error: AccessDenied, whatever is wrong.
        """
        try:
            return self._authenticated(request)
        except S3Error:
            raise denied() from None

    def _authenticated(self, request: Request) -> Authenticated:
        authorization = request.headers.get("authorization")
        if authorization is not None:
            scheme, _, token = authorization.partition(" ")
            if scheme.lower() == "bearer":
                return _as(self._bearer(token.strip()), request)
        elif "X-K3-Token" in request.parameters:
            return _as(self._share_link(request), request)
        return self._in_region(_region(request)).authenticate(request)

    def _in_region(self, region: str) -> Authenticator:
        """Signatures of SigV4 hold for the region that they name, whichever it is."""
        found = self._known.get(region)
        if found is None:
            found = Authenticator(self._credentials, region, self._clock)
            if len(self._known) < _REGIONS:
                self._known[region] = found
        return found

    def _secret(self, access_key: object) -> str:
        """The secret of a permanent access key."""
        credential = self._credentials.get(access_key) if isinstance(access_key, str) else None
        if credential is None or credential.token is not None:
            raise denied()
        return credential.secret

    def _bearer(self, token: str) -> str:
        """The access key that a JSON Web Token (RFC 7519) is of.

        A choice of ours, since Dodil's own tokens are not described: it is signed with HS256 and the secret key of the
        access key in `kid` or else in `sub`; `exp` and `nbf` count where they are given.
        """
        signed, _, signature = token.rpartition(".")
        head, _, body = signed.partition(".")
        header, claims = _object(head), _object(body)
        if header.get("alg") != "HS256":
            raise denied()
        access_key = header.get("kid") or claims.get("sub")
        expected = hmac.digest(self._secret(access_key).encode(), signed.encode(), "sha256")
        if not hmac.compare_digest(expected, _bytes(signature)):
            raise denied()
        current = self._clock()
        if not _time(claims, "nbf", current) <= current <= _time(claims, "exp", current):
            raise denied()
        return str(access_key)

    def _share_link(self, request: Request) -> str:
        """The access key that issued a link to one object, which serves for GET alone and until it expires.

        A choice of ours, since the page names no more than the parameters: X-K3-Expires is in seconds since the epoch,
        X-K3-Org names the access key that issued it, and X-K3-Token is the hexadecimal HMAC-SHA256, by the secret
        key, of `GET`, path (encoded as for SigV4), X-K3-Expires and X-K3-Org, each on a line of its own.
        """
        query = request.parameters
        expires, org = query.get("X-K3-Expires", ""), query.get("X-K3-Org", "")
        if request.method != "GET" or request.key is None or not _NUMBER.match(expires):
            raise denied()
        text = f"GET\n{sigv4.canonical_path(request.raw_path)}\n{expires}\n{org}"
        expected = sigv4.signature(self._secret(org).encode(), text)
        if not hmac.compare_digest(expected.encode(), query["X-K3-Token"].encode()):
            raise denied()
        current = self._clock()
        if not current <= int(expires) <= current + LONGEST_LINK:
            raise denied()
        return org


def _as(access_key: str, request: Request) -> Authenticated:
    """The account of that key; what the body is, is what the request says without a signature over it."""
    payload = request.headers.get("x-amz-content-sha256", UNSIGNED)
    return Authenticated(account_of(access_key), payload if payload == _TRAILING else UNSIGNED)


def _region(request: Request) -> str:
    """The region in the scope of a request that is signed with SigV4."""
    header, query = request.headers.get("authorization"), request.parameters.get("X-Amz-Credential", "")
    found = _QUERY_CREDENTIAL.match(query) if header is None else _CREDENTIAL.search(header)
    return found[1] if found else ""


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise denied() from None


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(_bytes(text))
    except (ValueError, RecursionError):
        raise denied() from None
    if not isinstance(found, dict):
        raise denied()
    return found


def _time(claims: Mapping[str, Any], name: str, default: float) -> float:
    """A time among the claims of a token, in seconds since the epoch."""
    value = claims.get(name, default)
    if not isinstance(value, (int, float)):
        raise denied()
    return value
