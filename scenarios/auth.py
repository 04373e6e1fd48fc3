"""AUTH: who sent a request, as its Authorization header says."""

from __future__ import annotations

from harness.clients.raw import Signing
from harness.expect import body, ok, refused
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from harness.wire.sigv4 import Credentials
from scenarios._signing import CONTENT, MISMATCH, ask, is_missing, is_stored, one_key, other_digit, path, wrong_secret

_STRANGER = Credentials("S3CONFORMUNKNOWNKEY1", "a secret that belongs to nobody")
_SCHEMES = ("AWS5-HMAC-SHA256", "AWS4-HMAC-SHA25", "Bearer")


@scenario(
    "AUTH-003",
    MUST,
    "GetObject",
    "PutObject",
    "ListObjectsV2",
    source="versitygw REST test nonexistent key ID (run against AWS)",
    clients=("raw",),
)
def unknown_access_key(s3: Scene) -> None:
    """A request signed with an access key that does not exist is refused with 403 InvalidAccessKeyId.

    S3 promises: before the signature can be checked, the key must be found. An unknown one has an error of its own,
    and the request has no effect.

    Breaks: users with a mistyped or deleted key. SDKs and command lines print the code: told of a wrong signature or
    missing rights, people search their secrets, clocks and policies. Where any key is let in, nothing is protected.

    Fix: look the access key up first, and answer InvalidAccessKeyId when it is not there.
    """
    stranger, new = Signing(credentials=_STRANGER), path(s3, "new")
    s3.put(s3.key(), CONTENT)
    s3.expect(ask(s3, "GET", path(s3)), ok(), body(CONTENT))
    refusal = refused(403, "InvalidAccessKeyId")
    s3.expect(ask(s3, "GET", path(s3), signing=stranger), refusal)
    s3.expect(s3.send("ListObjectsV2", "GET", one_key(s3), bucket=s3.bucket, signing=stranger), refusal)
    s3.expect(ask(s3, "PUT", new, body=CONTENT, signing=stranger), refusal)
    is_missing(s3, new)


@scenario(
    "AUTH-004",
    MUST,
    "GetObject",
    "PutObject",
    "DeleteObject",
    "ListObjectsV2",
    source="versitygw REST tests incorrect signature; PutObject - user permission, bad signature (run against AWS)",
    clients=("raw",),
)
def wrong_signature(s3: Scene) -> None:
    """A request whose signature does not fit is refused with 403 SignatureDoesNotMatch, and changes nothing.

    S3 promises: the signature is computed again over what arrived. One that was made with another secret, or has a
    single digit changed, is refused for reads and writes alike.

    Breaks: everything that relies on credentials: whoever learns an access key, which stands in every presigned URL,
    could read, write and delete. Clients with a wrong secret take its silence for success.

    Fix: verify each request before it is looked at further, and compare all 64 digits in constant time.
    """
    s3.put(s3.key(), CONTENT)
    s3.expect(ask(s3, "GET", path(s3)), ok(), body(CONTENT))
    wrong = wrong_secret(s3)
    for signing in (wrong, Signing(edited=other_digit)):
        s3.expect(ask(s3, "GET", path(s3), signing=signing), MISMATCH)
        s3.expect(ask(s3, "PUT", path(s3), body=b"forged", signing=signing), MISMATCH)
    s3.expect(s3.send("ListObjectsV2", "GET", one_key(s3), bucket=s3.bucket, signing=wrong), MISMATCH)
    s3.expect(ask(s3, "DELETE", path(s3), signing=wrong), MISMATCH)
    is_stored(s3, path(s3))


@scenario(
    "AUTH-005",
    MUST,
    "GetObject",
    "PutObject",
    "DeleteObject",
    "ListObjectsV2",
    source="AWS, Error responses; ceph/s3-tests test_object_raw_get_object_acl",
    clients=("raw",),
)
def no_credentials(s3: Scene) -> None:
    """Without credentials a private bucket gives, takes and tells nothing: 403 AccessDenied.

    S3 promises: buckets and objects are private unless a policy or an ACL says otherwise. A request without a
    signature is from an anonymous user, who may not even learn which keys there are.

    Breaks: everybody's data, when the endpoint can be reached from outside. A 401, or a redirect to a login page, has
    no meaning to S3 clients, which look for 403 and AccessDenied.

    Fix: treat unsigned requests as an account without any rights, and answer 403 with an error document.
    """
    s3.put(s3.key(), CONTENT)
    s3.expect(ask(s3, "GET", path(s3)), ok(), body(CONTENT))
    refusal = refused(403, "AccessDenied")
    for method, name, content in (
        ("GET", "object", b""),
        ("GET", "missing", b""),
        ("PUT", "object", b"from nobody"),
        ("PUT", "missing", b"from nobody"),
        ("DELETE", "object", b""),
    ):
        s3.expect(ask(s3, method, path(s3, name), body=content, signing=None), refusal)
    s3.expect(s3.send("ListObjectsV2", "GET", one_key(s3), bucket=s3.bucket, signing=None), refusal)
    s3.expect(ask(s3, "HEAD", path(s3), signing=None), refused(403))
    is_stored(s3, path(s3))
    is_missing(s3, path(s3, "missing"))


@scenario(
    "AUTH-006",
    SHOULD,
    "GetObject",
    "PutObject",
    source="versitygw REST test invalid authorization scheme (run against AWS)",
    clients=("raw",),
)
def unknown_scheme(s3: Scene) -> None:
    """An Authorization header of a scheme that S3 does not have is refused with 400 InvalidArgument.

    S3 promises: AWS4-HMAC-SHA256 is known; any other first word of the header is an argument that is not valid, and
    not the same as no credentials at all.

    Breaks: mostly strict validation. It helps whoever points an application with tokens of another kind at the
    endpoint: a 403 sends them to look for rights that are missing.

    Fix: read the scheme first, refuse what is not known, and never fall back to anonymous access.
    """
    s3.put(s3.key(), CONTENT)
    s3.expect(ask(s3, "GET", path(s3)), ok(), body(CONTENT))
    for scheme in _SCHEMES:
        other = Signing(edited=lambda text, scheme=scheme: f"{scheme} {text.partition(' ')[2]}")  # type: ignore[misc]
        s3.expect(ask(s3, "GET", path(s3), signing=other), refused(400, "InvalidArgument"))
        s3.expect(ask(s3, "PUT", path(s3, "new"), body=CONTENT, signing=other), refused(400, "InvalidArgument"))
    is_missing(s3, path(s3, "new"))


@scenario(
    "AUTH-007",
    SHOULD,
    "GetObject",
    source="versitygw REST test very invalid credential string (run against AWS)",
    clients=("raw",),
)
def unreadable_credential(s3: Scene) -> None:
    """A Credential that is not key/date/region/service/aws4_request is refused with 400 AuthorizationHeaderMalformed.

    S3 promises: the credential is taken apart at its slashes. One with fewer parts, or with another ending, is a
    malformed header and not an unknown key or a wrong signature.

    Breaks: authors of signers, mainly: the code tells them that the form is at fault. Gateways that take such a header
    apart without care answer 500, or with a key that is made of the wrong part.

    Fix: split from the right, demand five parts and the ending aws4_request, and refuse the rest as malformed.
    """
    s3.put(s3.key(), CONTENT)
    s3.expect(ask(s3, "GET", path(s3)), ok(), body(CONTENT))
    signer = s3.witness.signer()
    parts = signer.credential.split("/")
    short, other = "/".join(parts[:-1]), "/".join([*parts[:-1], "aws5_request"])
    for credential in ("", "credential", "////", short, other):
        edited = Signing(edited=lambda text, new=credential: _with_credential(text, new))  # type: ignore[misc]
        s3.expect(ask(s3, "GET", path(s3), signing=edited), refused(400, "AuthorizationHeaderMalformed"))


def _with_credential(authorization: str, credential: str) -> str:
    before, _, rest = authorization.partition("Credential=")
    return f"{before}Credential={credential},{rest.partition(',')[2]}"
