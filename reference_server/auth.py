"""Who sent a request: Signature Version 4 in headers, a presigned query or a form; Version 2 not in headers.

Each permanent access key is an account of its own; a temporary one acts for the account of another. Refusals carry
what AWS documents for them (catalogue AUTH, PRE, POST).
"""

from __future__ import annotations

import calendar
import hashlib
import hmac
import re
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from reference_server import sigv2, sigv4
from reference_server.codec import iso_time
from reference_server.errors import S3Error, invalid_argument

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reference_server.request import Request

MAX_SKEW = 15 * 60
MAX_EXPIRES = 604_800
UNSIGNED = "UNSIGNED-PAYLOAD"
STREAMING = {
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
}
_SHA256 = re.compile(r"[0-9a-fA-F]{64}\Z")
_DATE = re.compile(r"[0-9]{8}\Z")
_STAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z\Z")
_FIELDS = ("Credential", "SignedHeaders", "Signature")
_QUERY_NAMES = (
    *("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date", "X-Amz-SignedHeaders"),
    "X-Amz-Expires",
)


@dataclass(frozen=True)
class Account:
    """Who a request acts for. `id` is the canonical user id, `number` the 12-digit account id."""

    access_key: str
    id: str
    number: str

    @property
    def anonymous(self) -> bool:
        """Whether nobody signed."""
        return not self.number


#: Who sends unsigned requests; the id is the one that AWS shows for them.
ANONYMOUS = Account("", "65a011a29cdf8ec533ec3d1ccaae921c", "")


@dataclass(frozen=True)
class Credential:
    """A secret key; a temporary one has a session token and acts for the account of another access key."""

    secret: str
    token: str | None = None
    account_of: str | None = None


@dataclass(frozen=True)
class Authenticated:
    """An account, how the payload is declared, and what its chunk signatures start from."""

    account: Account
    payload: str
    signer: sigv4.ChunkSigner | None = None


class _Claim(NamedTuple):
    """What a request says about its own signature."""

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: list[str]
    signature: str

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def account_of(access_key: str) -> Account:
    """The account of an access key; the same key is always the same account."""
    digest = hashlib.sha256(access_key.encode()).hexdigest()
    return Account(access_key, digest, f"{int(digest[:12], 16) % 10**12:012}")


class Authenticator:
    """Verifies signatures against a set of credentials.

    Args:
        credentials: secret keys, or credentials, by access key.
        region: the region that scopes must name.
        clock: seconds since the epoch.
    """

    def __init__(
        self, credentials: Mapping[str, str | Credential], region: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._credentials = {
            key: value if isinstance(value, Credential) else Credential(value) for key, value in credentials.items()
        }
        self._accounts = {key: account_of(one.account_of or key) for key, one in self._credentials.items()}
        self._by_id = {account.id: account for account in self._accounts.values()}
        self._region = region
        self._clock = clock

    @property
    def credentials(self) -> Mapping[str, Credential]:
        """Credentials by access key."""
        return self._credentials

    def account(self, account_id: str) -> Account | None:
        """The account with this canonical id."""
        return self._by_id.get(account_id)

    def authenticate(self, request: Request) -> Authenticated:
        """The account that signed a request; `ANONYMOUS` for an unsigned one.

        Raises:
            S3Error: the signature is not acceptable.
        """
        authorization = request.headers.get("authorization")
        if authorization is not None:
            return self._from_header(request, authorization)
        query = request.parameters
        if "X-Amz-Algorithm" in query or "X-Amz-Signature" in query or "X-Amz-Credential" in query:
            return self._from_query(request)
        if "Signature" in query and "AWSAccessKeyId" in query:
            access_key = query["AWSAccessKeyId"]
            sigv2.verify(request, self._secret(access_key, _token(request)), self._clock())
            return Authenticated(self._accounts[access_key], UNSIGNED)
        if "Signature" in query or "AWSAccessKeyId" in query:
            message = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
            raise S3Error("AccessDenied", message)
        payload = request.headers.get("x-amz-content-sha256", UNSIGNED)
        return Authenticated(ANONYMOUS, payload if payload == "STREAMING-UNSIGNED-PAYLOAD-TRAILER" else UNSIGNED)

    # Form

    def authenticate_form(self, fields: Mapping[str, str]) -> Account:
        """The account that signed the policy of a form (catalogue POST-006, POST-016).

        Args:
            fields: by lower-case name; those that the form of signature needs are there.

        Raises:
            S3Error: InvalidAccessKeyId, SignatureDoesNotMatch, InvalidToken, AuthorizationQueryParametersError.
        """
        policy = fields["policy"]
        token = fields.get("x-amz-security-token")
        if "x-amz-signature" in fields:
            claim = self._claim(fields["x-amz-credential"], "", fields["x-amz-signature"], _bad_query)
            secret = self._secret(claim.access_key, token)
            key = sigv4.signing_key(secret, claim.date, claim.region, claim.service)
            access_key, sent, expected = claim.access_key, claim.signature, sigv4.signature(key, policy)
        else:
            access_key, sent = fields["awsaccesskeyid"], fields["signature"]
            expected = sigv2.signature(self._secret(access_key, token), policy)
        if not hmac.compare_digest(expected.encode(), sent.encode("utf-8", "replace")):
            elements = {"AWSAccessKeyId": access_key, "StringToSign": policy, "SignatureProvided": sent}
            raise S3Error("SignatureDoesNotMatch", None, {**elements, "StringToSignBytes": policy.encode().hex(" ")})
        return self._accounts[access_key]

    # Header form

    def _from_header(self, request: Request, authorization: str) -> Authenticated:
        scheme, _, rest = authorization.partition(" ")
        if scheme == "AWS":
            raise _unsupported()
        if scheme != sigv4.ALGORITHM:
            raise invalid_argument("Authorization", authorization, "Unsupported Authorization Type")
        claim = self._header_claim(rest)
        payload = self._payload_keyword(request)
        secret = self._secret(claim.access_key, _token(request))
        stamp = _header_stamp(request)
        self._check_skew(stamp)
        if not stamp.startswith(claim.date):
            message = f'Invalid credential date "{claim.date}". This date is not the same as X-Amz-Date: "{stamp[:8]}".'
            raise _malformed(message)
        self._check_signed(request, claim, exempt=())
        query = sigv4.canonical_query(request.query)
        key = self._verify(request, claim, (stamp, secret), query, payload)
        signer = None
        if payload.startswith("STREAMING-AWS4-HMAC"):
            signer = sigv4.ChunkSigner(key, stamp, claim.scope, claim.signature)
        return Authenticated(self._accounts[claim.access_key], payload, signer)

    def _header_claim(self, text: str) -> _Claim:
        fields: dict[str, str] = {}
        for piece in text.split(","):
            name, _, value = piece.strip().partition("=")
            if name not in _FIELDS or name in fields:
                raise _malformed(f"Unexpected {name or 'empty field'}.")
            fields[name] = value
        missing = [name for name in _FIELDS if not fields.get(name)]
        if missing:
            raise _malformed(f"Missing {missing[0]}.")
        return self._claim(fields["Credential"], fields["SignedHeaders"], fields["Signature"], _malformed)

    def _claim(self, credential: str, signed: str, signature: str, refuse: Callable[..., S3Error]) -> _Claim:
        pieces = credential.rsplit("/", 4)
        if len(pieces) != 5 or not pieces[0] or pieces[4] != "aws4_request":
            raise refuse('The Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".')
        access_key, date, region, service, _ = pieces
        if not _DATE.match(date):
            raise refuse(f'Invalid credential date format "{date}". This date must be in the form "yyyyMMdd".')
        if region != self._region:
            message = f"The region '{region}' is wrong; expecting '{self._region}'"
            raise refuse(message, {"Region": self._region})
        if service != "s3":
            raise refuse(f'Incorrect service "{service}". This endpoint belongs to "s3".')
        return _Claim(access_key, date, region, service, signed.lower().split(";"), signature)

    def _payload_keyword(self, request: Request) -> str:
        payload = request.headers.get("x-amz-content-sha256")
        if payload is None:
            raise S3Error("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
        if payload.startswith("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"):
            raise S3Error("NotImplemented", None, {"Header": "x-amz-content-sha256"})
        if payload != UNSIGNED and payload not in STREAMING and not _SHA256.match(payload):
            message = (
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
                "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid "
                "sha256 value."
            )
            raise invalid_argument("x-amz-content-sha256", payload, message)
        return payload

    # Presigned form

    def _from_query(self, request: Request) -> Authenticated:
        query = request.parameters
        for name in _QUERY_NAMES:
            if not query.get(name):
                names = ", ".join(_QUERY_NAMES)
                raise _bad_query(f"Query-string authentication version 4 requires the {names} parameters.")
        if query["X-Amz-Algorithm"] != sigv4.ALGORITHM:
            raise _bad_query('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"')
        claim = self._claim(
            query["X-Amz-Credential"], query["X-Amz-SignedHeaders"], query["X-Amz-Signature"], _bad_query
        )
        stamp = query["X-Amz-Date"]
        if not _STAMP.match(stamp) or not stamp.startswith(claim.date):
            raise _bad_query("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
        secret = self._secret(claim.access_key, _token(request))
        self._check_expiry(stamp, query["X-Amz-Expires"])
        self._check_signed(request, claim, exempt=("x-amz-content-sha256",))
        pairs = sigv4.canonical_query(pair for pair in request.query if pair != ("X-Amz-Signature", claim.signature))
        payload = self._query_payload(request, claim)
        self._verify(request, claim, (stamp, secret), pairs, payload)
        return Authenticated(self._accounts[claim.access_key], payload)

    def _query_payload(self, request: Request, claim: _Claim) -> str:
        """The payload keyword of a presigned request; an unsigned header does not count (PRE-009)."""
        name = "x-amz-content-sha256"
        if name in claim.signed_headers or name not in request.head.headers:
            payload = request.headers.get(name, UNSIGNED)
            if payload != UNSIGNED:
                payload = self._payload_keyword(request)
            if payload.startswith("STREAMING-AWS4"):
                raise S3Error("InvalidRequest", "The value of x-amz-content-sha256 header is invalid.")
            return payload
        return UNSIGNED

    def _check_expiry(self, stamp: str, text: str) -> None:
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
        if not 0 < number <= MAX_EXPIRES:
            if number > MAX_EXPIRES:
                raise _bad_query(
                    "X-Amz-Expires must be less than a week (in seconds); that is, the given "
                    "X-Amz-Expires must be less than 604800 seconds"
                )
            raise _bad_query("X-Amz-Expires must be a positive number of seconds")
        signed, current = _seconds(stamp), self._clock()
        if signed - current > MAX_SKEW:
            raise S3Error("AccessDenied", "Request is not yet valid")
        end = int(signed) + number
        if current > end:
            elements = {"X-Amz-Expires": text, "Expires": iso_time(end), "ServerTime": iso_time(int(current))}
            raise S3Error("AccessDenied", "Request has expired", dict(elements))

    # Both

    def _secret(self, access_key: str, token: str | None) -> str:
        credential = self._credentials.get(access_key)
        if credential is None or (token is None and credential.token is not None):
            raise S3Error("InvalidAccessKeyId", None, {"AWSAccessKeyId": access_key})
        if token != credential.token:
            raise S3Error("InvalidToken", None, {"Token-0": token})
        return credential.secret

    def _check_skew(self, stamp: str) -> None:
        current = self._clock()
        if abs(_seconds(stamp) - current) > MAX_SKEW:
            elements = {
                "RequestTime": stamp,
                "ServerTime": iso_time(int(current)),
                "MaxAllowedSkewMilliseconds": MAX_SKEW * 1000,
            }
            raise S3Error("RequestTimeTooSkewed", None, dict(elements))

    def _check_signed(self, request: Request, claim: _Claim, exempt: tuple[str, ...]) -> None:
        """Host and every x-amz-* header must be signed (catalogue PRE-009)."""
        signed = claim.signed_headers
        unsigned = [
            name
            for name in request.head.headers
            if (name.startswith("x-amz-") or name == "host") and name not in signed and name not in exempt
        ]
        if unsigned:
            message = "There were headers present in the request which were not signed"
            raise S3Error("AccessDenied", message, {"HeadersNotSigned": ", ".join(unsigned)})

    def _verify(
        self, request: Request, claim: _Claim, stamp_and_secret: tuple[str, str], query: str, payload: str
    ) -> bytes:
        """Compare signatures; returns the signing key."""
        stamp, secret = stamp_and_secret
        headers = [(name, request.head.headers.get(name, "")) for name in claim.signed_headers]
        path = sigv4.canonical_path(request.raw_path)
        canonical = sigv4.canonical_request(request.method, path, query, headers, payload)
        to_sign = sigv4.string_to_sign(stamp, claim.scope, canonical)
        key = sigv4.signing_key(secret, claim.date, claim.region, claim.service)
        expected = sigv4.signature(key, to_sign)
        if not hmac.compare_digest(expected.encode(), claim.signature.encode("latin-1", "replace")):
            elements = {
                "AWSAccessKeyId": claim.access_key,
                "StringToSign": to_sign,
                "SignatureProvided": claim.signature,
                "StringToSignBytes": to_sign.encode("latin-1", "replace").hex(" "),
                "CanonicalRequest": canonical,
                "CanonicalRequestBytes": canonical.encode("latin-1", "replace").hex(" "),
            }
            raise S3Error("SignatureDoesNotMatch", None, dict(elements))
        return key


def _token(request: Request) -> str | None:
    return request.headers.get("x-amz-security-token")


def _header_stamp(request: Request) -> str:
    """The time of a header-signed request as `yyyymmddThhmmssZ`, from x-amz-date or else Date."""
    stamp = request.headers.get("x-amz-date")
    if stamp is not None and _STAMP.match(stamp) and _seconds(stamp) >= 0:
        return stamp
    date = request.headers.get("date") if stamp is None else None
    if date is not None:
        for form in ("%a, %d %b %Y %H:%M:%S GMT", "%Y%m%dT%H%M%SZ"):
            try:
                return time.strftime("%Y%m%dT%H%M%SZ", time.strptime(date, form))
            except ValueError:
                continue
    raise S3Error("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header")


@lru_cache(maxsize=64)
def _seconds(stamp: str) -> float:
    """Seconds since the epoch; -1 for digits that are no date."""
    try:
        year, month, day = int(stamp[:4]), int(stamp[4:6]), int(stamp[6:8])
        hour, minute, second = int(stamp[9:11]), int(stamp[11:13]), int(stamp[13:15])
        if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 61):
            return -1
        return calendar.timegm((year, month, day, hour, minute, second))
    except (ValueError, OverflowError):
        return -1


def _malformed(message: str, elements: dict[str, object] | None = None) -> S3Error:
    return S3Error("AuthorizationHeaderMalformed", f"The authorization header is malformed; {message}", elements)


def _bad_query(message: str, elements: dict[str, object] | None = None) -> S3Error:
    return S3Error("AuthorizationQueryParametersError", message, elements)


def _unsupported() -> S3Error:
    message = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
    return S3Error("InvalidRequest", message)
