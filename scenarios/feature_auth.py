"""TOKEN, SHARE, REGION and APIKEY: other ways of proving who asks than the signatures of S3."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from harness.clients.base import Observed
from harness.clients.raw import Signing
from harness.expect import Matcher, body, ok, refused
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from harness.wire.sigv4 import Credentials
from scenarios._features import AUTO_DRIVE, AUTO_DRIVE_SOURCE, K3, told
from scenarios._signing import CONTENT, ask, follow, is_missing, is_stored, one_key, other_digit, path

_DENIED = told(refused(403, "AccessDenied"), "access denied")
_CHOSEN = "the form of the token is a choice of this project, since the page does not describe it"
_MINUTE = 60
_LONGEST = 86_400
"""Seconds that a share link may hold at most. Source: docs.dodil.io, K3, API reference."""


def _coded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _signature(secret: str, text: str) -> bytes:
    return hmac.digest(secret.encode(), text.encode(), "sha256")


def bearer(account: Credentials, algorithm: str = "HS256", **claims: Any) -> tuple[str, str]:
    """The header with a JSON Web Token (RFC 7519) of an account, signed with its secret key."""
    head = {"alg": algorithm, "typ": "JWT"}
    said = {"sub": account.access_key, "exp": int(time.time()) + _MINUTE} | claims
    signed = ".".join(_coded(json.dumps(part, separators=(",", ":")).encode()) for part in (head, said))
    proof = "" if algorithm == "none" else _coded(_signature(account.secret_key, signed))
    return "Authorization", f"Bearer {signed}.{proof}"


def share_link(account: Credentials, target: str, seconds: float) -> str:
    """A link to one object that holds for so many seconds: who issued it, until when, and the proof of both."""
    expires = str(int(time.time() + seconds))
    proof = _signature(account.secret_key, f"GET\n{target}\n{expires}\n{account.access_key}").hex()
    return f"{target}?X-K3-Expires={expires}&X-K3-Org={account.access_key}&X-K3-Token={proof}"


def _forger(s3: Scene) -> Credentials:
    """Who knows the access key of the endpoint's account, and not its secret key."""
    own = s3.witness.endpoint.credentials
    return Credentials(own.access_key, f"not {own.secret_key}")


def _with(s3: Scene, method: str, header: tuple[str, str], content: bytes = b"") -> Observed:
    return ask(s3, method, path(s3), header, body=content, signing=None)


@scenario(
    "TOKEN-001",
    MUST,
    "PutObject",
    "GetObject",
    "HeadObject",
    "DeleteObject",
    source=f"{K3}, Auth modes; {_CHOSEN}",
    clients=("raw",),
    confidence="partly unverified",
    feature="bearer",
)
def token_instead_of_signature(s3: Scene) -> None:
    """A Bearer token in the Authorization header is as good as a signature: it stores, reads, describes and deletes.

    The gateway promises: whoever has a token of its own needs no SigV4 on the byte plane.

    Breaks: servers that already hold a token, and would have to ask for access keys to talk to the same gateway.

    Fix: verify the token before signatures are looked for, and act for the account that it names.
    """
    token = bearer(s3.witness.endpoint.credentials)
    s3.expect(_with(s3, "PUT", token, CONTENT), ok())
    is_stored(s3, path(s3))
    s3.expect(_with(s3, "GET", token), ok(), body(CONTENT))
    s3.expect(_with(s3, "HEAD", token), ok())
    s3.expect(_with(s3, "DELETE", token), ok(204))
    is_missing(s3, path(s3))


@scenario(
    "TOKEN-002",
    MUST,
    "GetObject",
    "PutObject",
    source=f"{K3}, Auth modes and Error response shape; {_CHOSEN}",
    clients=("raw",),
    confidence="partly unverified",
    feature="bearer",
)
def bad_tokens(s3: Scene) -> None:
    """A token that is expired, unsigned, signed by somebody else or no token at all is 403 AccessDenied.

    The gateway promises: one refusal for all that is wrong, and nobody is let in, nor taken for an anonymous visitor.

    Breaks: whoever relies on the end of a token; a gateway that reads tokens without verifying them is open to all.

    Fix: accept the one algorithm that tokens are issued with, verify, and then look at the times.
    """
    account, forger, now = s3.witness.endpoint.credentials, _forger(s3), int(time.time())
    s3.put(s3.key(), CONTENT)
    s3.expect(_with(s3, "GET", bearer(account)), ok(), body(CONTENT))
    for wrong in (
        bearer(forger),
        bearer(account, algorithm="none"),
        bearer(account, exp=now - _MINUTE),
        bearer(account, nbf=now + _MINUTE),
        bearer(account, sub="nobody"),
        ("Authorization", "Bearer no-token"),
        ("Authorization", "Bearer "),
    ):
        s3.expect(_with(s3, "GET", wrong), _DENIED)
        s3.expect(_with(s3, "PUT", wrong, b"forged"), _DENIED)
    is_stored(s3, path(s3))


@scenario(
    "SHARE-001",
    MUST,
    "GetObject",
    source=f"{K3}, Auth modes and End-to-end; {_CHOSEN}",
    clients=("raw",),
    confidence="partly unverified",
    feature="share-links",
)
def link_reads_one_object(s3: Scene) -> None:
    """A link with X-K3-Token reads one object without any header, and can neither write, delete nor list.

    The gateway promises: links that an application issues, shorter than presigned ones, which curl and browsers read.

    Breaks: sharing of files; and where a link opens more than its object, the privacy of all the others.

    Fix: sign method, path and end, and compare all of them.
    """
    account, target = s3.witness.endpoint.credentials, path(s3)
    s3.put(s3.key(), CONTENT)
    s3.put(s3.key("other"), b"not given away")
    url = share_link(account, target, _MINUTE)
    s3.expect(follow(s3, "GET", url), ok(), body(CONTENT))
    s3.expect(follow(s3, "GET", url), ok(), body(CONTENT))  # a link serves until its end, and not once alone
    for method in ("PUT", "DELETE"):
        s3.expect(follow(s3, method, url, content=b"forged" if method == "PUT" else b""), _DENIED)
    s3.expect(follow(s3, "GET", url.replace(target, path(s3, "other"))), _DENIED)
    query = url.partition("?")[2]
    s3.expect(s3.send("ListObjectsV2", "GET", f"{one_key(s3)}&{query}", bucket=s3.bucket, signing=None), _DENIED)
    is_stored(s3, target)


@scenario(
    "SHARE-002",
    MUST,
    "GetObject",
    source=f"{K3}, Auth modes, and its API reference; {_CHOSEN}",
    clients=("raw",),
    confidence="partly unverified",
    feature="share-links",
)
def link_ends(s3: Scene) -> None:
    """A share link is refused with 403 AccessDenied after its end, beyond the longest one, or with anything changed.

    The gateway promises: a link holds until X-K3-Expires, at most a day from now on, and only as it was issued.

    Breaks: whoever shares a file for an hour: links go round, and are in logs for years.

    Fix: demand all three parameters, verify the proof, and then compare the end with the clock.
    """
    account, target = s3.witness.endpoint.credentials, path(s3)
    s3.put(s3.key(), CONTENT)
    short, forger = share_link(account, target, 2), _forger(s3)
    end = str(int(short.partition("X-K3-Expires=")[2].partition("&")[0]))
    s3.expect(follow(s3, "GET", share_link(account, target, _MINUTE)), ok(), body(CONTENT))
    for wrong in (
        other_digit(short),
        short.replace(f"X-K3-Expires={end}", f"X-K3-Expires={int(end) + _MINUTE}"),
        short.replace("X-K3-Expires", "X-K3-Ends"),
        share_link(account, target, -_MINUTE),
        share_link(account, target, _LONGEST + _MINUTE),
        share_link(forger, target, _MINUTE),
    ):
        s3.expect(follow(s3, "GET", wrong), _DENIED)
    s3.wait(int(end) + 1.5 - time.time())
    s3.expect(follow(s3, "GET", short), _DENIED)


@scenario(
    "REGION-001",
    MUST,
    "PutObject",
    "GetObject",
    source=f"{K3}, Credentials & endpoint; {AUTO_DRIVE}, Client Setup",
    clients=("raw",),
    feature="any-region",
)
def any_region(s3: Scene) -> None:
    """Requests signed for any region are accepted: us-east-1, one that is nowhere, and a word that is no region.

    The gateway promises: the region is any string, since SDKs insist on one and the gateway has none.

    Breaks: users who leave the region as it is; S3 itself answers 400 AuthorizationHeaderMalformed or redirects.

    Fix: take the region from the credential scope of the request, and derive the signing key from it.
    """
    for region in ("us-east-1", "eu-west-7", "xyz", "auto"):
        signing = Signing(region=region)
        content = f"signed for {region}".encode()
        s3.expect(ask(s3, "PUT", path(s3), body=content, signing=signing), ok())
        s3.expect(ask(s3, "GET", path(s3), signing=signing), ok(), body(content))


@scenario(
    "APIKEY-001",
    MUST,
    "PutObject",
    "GetObject",
    source=f"{AUTO_DRIVE}, Authentication",
    clients=("raw",),
    feature="api-key",
)
def any_secret(s3: Scene) -> None:
    """The access key alone says who asks: a request signed with any other secret, and any digest, is accepted.

    The gateway promises: the access key id is the API key, and the secret access key is not looked at.

    Breaks: nothing that is configured as its guide says; but whoever sees a request, or its log, has the key.

    Fix: say so in the documentation, serve https only, and keep Authorization headers out of logs.
    """
    signing = Signing(credentials=_forger(s3))
    s3.expect(ask(s3, "PUT", path(s3), body=CONTENT, signing=signing), ok())
    s3.expect(ask(s3, "GET", path(s3), signing=signing), ok(), body(CONTENT))
    other = ("x-amz-content-sha256", hashlib.sha256(b"of other bytes").hexdigest())
    s3.expect(ask(s3, "PUT", path(s3, "digest"), other, body=CONTENT, signing=signing), ok())
    is_stored(s3, path(s3, "digest"))


@scenario(
    "APIKEY-002",
    SHOULD,
    "GetObject",
    "PutObject",
    source=f"{AUTO_DRIVE_SOURCE}, http.ts, handleS3Auth",
    clients=("raw",),
    feature="api-key",
)
def no_key(s3: Scene) -> None:
    """Without an Authorization header, with none that names a key, or with an unknown key the answer is 401 in JSON.

    The gateway promises: {"error": "Missing authorization header"}, "Missing api key or invalid format" and "Failed to
    authenticate user"; its guide speaks of S3's XML errors.

    Breaks: SDKs show such an answer as "unknown error 401", without the reason.

    Fix: answer 403 AccessDenied or InvalidAccessKeyId with S3's error document.
    """
    s3.put(s3.key(), CONTENT)
    stranger = Signing(credentials=Credentials("NOKEYOFANYBODY", "no secret"))
    given = Signing(edited=lambda text: text.replace("Credential=", "Kredential="))
    cases: tuple[tuple[Signing | None, str], ...] = (
        (None, "Missing authorization header"),
        (given, "Missing api key or invalid format"),
        (stranger, "Failed to authenticate user"),
    )
    for signing, text in cases:
        s3.expect(ask(s3, "GET", path(s3), signing=signing), _in_json(text))
        s3.expect(ask(s3, "PUT", path(s3), body=b"forged", signing=signing), _in_json(text))
    is_stored(s3, path(s3))


def _in_json(text: str) -> Matcher:
    """Status 401 and the error in a JSON object."""
    wanted = {"error": text}

    def test(seen: Observed) -> str:
        if seen.status != 401:
            return f"got {seen.summary()}"
        return "" if _json(seen) == wanted else f"the body was {(seen.body or b'')[:100]!r}"

    return Matcher(f"401 with {json.dumps(wanted)}", test)


def _json(seen: Observed) -> Any:
    """The JSON of a body, None where it is none."""
    try:
        return json.loads(seen.body or b"")
    except ValueError:
        return None
