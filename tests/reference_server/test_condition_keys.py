"""What a request tells the conditions of policies: it is let in if it meets one, and no other request is."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from reference_server.wire import Head
from tests.reference_server.catalogue.forms import post, signed
from tests.reference_server.catalogue.permissions import canonical_id, set_policy, statement
from tests.reference_server.catalogue.steps import fill, md5, md5_header, refusal, version
from tests.reference_server.fuzz.support import Body
from tests.reference_server.privileges import Ask
from tests.reference_server.signing import Signer

if TYPE_CHECKING:
    from conftest import Raw, Reply, Running

DENIED = (403, "AccessDenied")
READ, LIST, WRITE, WRITE_ALL = "s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:PutObject*"
GET, PUT = Ask("GET", "/{bucket}/k"), Ask("PUT", "/{bucket}/k", "x")
COPY = {"x-amz-copy-source": "/{bucket}/untagged", "x-amz-metadata-directive": "REPLACE"}
SSE, CLASS, TAGS = "x-amz-server-side-encryption", "x-amz-storage-class", "x-amz-tagging"
HOLD = "x-amz-object-lock-legal-hold"


def get(name: str, value: str) -> Ask:
    """A GET with a header."""
    return replace(GET, headers={name: value})


def put(name: str, value: str) -> Ask:
    """A PUT with a header."""
    return replace(PUT, headers={name: value})


def listing(query: str) -> Ask:
    """A list of the bucket."""
    return Ask("GET", f"/{{bucket}}?{query}")


@pytest.fixture(scope="module")
def other(running: Running) -> Raw:
    """Requests of the other account."""
    return running.raw(("OTHERKEY", "other-secret"))


#: Action, operator, condition key, value; a request that meets it, and one that does not, where there is one.
CONDITIONS = [
    (READ, "Bool", "aws:SecureTransport", "false", GET, None),
    (READ, "Bool", "aws:SecureTransport", "true", None, GET),
    (READ, "IpAddress", "aws:SourceIp", "127.0.0.0/8", GET, None),
    (READ, "NotIpAddress", "aws:SourceIp", "127.0.0.1", None, GET),
    (READ, "IpAddress", "aws:SourceIp", "192.0.2.1", None, get("X-Forwarded-For", "192.0.2.1")),
    (
        READ,
        "StringLike",
        "aws:Referer",
        "http://a.test/*",
        get("Referer", "http://a.test/b"),
        get("Referer", "http://b"),
    ),
    (READ, "StringLike", "aws:Referer", "*", get("Referer", "x"), GET),
    (READ, "StringEquals", "aws:UserAgent", "a", get("User-Agent", "a"), get("User-Agent", "b")),
    (READ, "DateLessThan", "aws:CurrentTime", "2099-01-01T00:00:00Z", GET, None),
    (READ, "DateLessThan", "aws:CurrentTime", "2020-01-01T00:00:00Z", None, GET),
    (READ, "NumericGreaterThan", "aws:EpochTime", "1600000000", GET, None),
    (READ, "StringEquals", "aws:RequestedRegion", "us-east-1", GET, None),
    (READ, "StringEquals", "aws:username", "OTHERKEY", GET, None),
    (READ, "StringEquals", "aws:userid", "OTHERKEY", GET, None),
    (READ, "StringEquals", "aws:PrincipalType", "User", GET, None),
    (READ, "StringEquals", "aws:ResourceAccount", "{owner}", GET, None),
    (READ, "StringEquals", "s3:ResourceAccount", "{owner}", GET, None),
    (READ, "StringEquals", "s3:ExistingObjectTag/Kind", "open", GET, Ask("GET", "/{bucket}/untagged")),
    (LIST, "StringLike", "s3:prefix", "home/*", listing("prefix=home%2Fa"), listing("prefix=homes")),
    (LIST, "StringEquals", "s3:prefix", "home/", listing("prefix=home%2F"), listing("")),
    (LIST, "StringEquals", "s3:prefix", "home/", None, listing("prefix=&prefix=home%2F")),
    (LIST, "StringEquals", "s3:delimiter", "/", listing("delimiter=%2F"), listing("delimiter=-")),
    (LIST, "NumericLessThanEquals", "s3:max-keys", "10", listing("max-keys=10"), listing("max-keys=11")),
    (WRITE_ALL, "StringEquals", "s3:x-amz-acl", "private", put("x-amz-acl", "private"), PUT),
    (WRITE, "StringEquals", f"s3:{SSE}", "AES256", put(SSE, "AES256"), PUT),
    (WRITE, "StringEquals", f"s3:{CLASS}", "STANDARD_IA", put(CLASS, "STANDARD_IA"), PUT),
    (WRITE_ALL, "StringEquals", "s3:RequestObjectTag/Kind", "a", put(TAGS, "Kind=a"), put(TAGS, "Kind=b&Other=a")),
    (
        WRITE_ALL,
        "ForAllValues:StringLike",
        "s3:RequestObjectTagKeys",
        "a*",
        put(TAGS, "a=1&aa=2"),
        put(TAGS, "a=1&b=2"),
    ),
    (WRITE_ALL, "StringEquals", "s3:object-lock-legal-hold", "OFF", put(HOLD, "OFF"), put(HOLD, "ON")),
    (WRITE, "Null", "s3:if-match", "false", put("If-Match", md5(b"x")), PUT),
    (WRITE, "Null", "s3:if-none-match", "false", Ask("PUT", "/{bucket}/new", "x", {"If-None-Match": "*"}), PUT),
    ("s3:*", "StringLike", "s3:x-amz-copy-source", "/{bucket}/*", Ask("PUT", "/{bucket}/k", "", COPY), PUT),
]


@pytest.mark.parametrize(
    ("action", "operator", "key", "value", "met", "missed"),
    CONDITIONS,
    ids=[f"{operator} {key} {value}" for _, operator, key, value, _, _ in CONDITIONS],
)
def test_a_condition_decides(
    running: Running,
    raw: Raw,
    other: Raw,
    bucket: str,
    action: str,
    operator: str,
    key: str,
    value: str,
    met: Ask | None,
    missed: Ask | None,
) -> None:
    """It lets in the request that meets it and no other."""
    bucket = f"{bucket}-locked"
    assert raw("PUT", f"/{bucket}", headers={"x-amz-bucket-object-lock-enabled": "true"}).status == 200
    assert raw("PUT", f"/{bucket}/k", b"x", {"x-amz-tagging": "Kind=open"}).status == 200
    fill(raw, bucket, "untagged")
    owner = running.app.account(canonical_id(raw))
    assert owner is not None

    def placed(text: str) -> str:
        return text.replace("{bucket}", bucket).replace("{owner}", owner.number)

    conditions = {operator: {key: placed(value)}}
    resource = "" if action == LIST else "/*"
    theirs = {"CanonicalUser": canonical_id(other)}
    set_policy(raw, bucket, statement(bucket, action, principal=theirs, resource=resource, conditions=conditions))
    for ask, expected in ((met, 200), (missed, 403)):
        if ask is not None:
            headers = {name: placed(text) for name, text in ask.headers.items()}
            reply = other(ask.method, placed(ask.target), ask.body.encode(), headers | md5_header(ask.body.encode()))
            assert (reply.status, reply.code) == (expected, "" if expected == 200 else "AccessDenied")


def test_a_url_is_good_for_as_long_as_the_bucket_says(raw: Raw, bucket: str) -> None:
    """Whatever its signer chose; the age is in milliseconds."""
    fill(raw, bucket, "k")
    path = f"/{bucket}/k"
    old = {"NumericGreaterThan": {"s3:signatureAge": "600000"}}
    set_policy(raw, bucket, statement(bucket, "s3:GetObject", effect="Deny", conditions=old))
    for age, status in ((0, 200), (500, 200), (700, 403)):
        signer = Signer(at=time.time() - age)
        assert raw("GET", signer.presigned("GET", path, {"Host": raw.host}, "3600"), sign=False).status == status
    assert raw("GET", path).status == 200


def by_url_of_version_2(raw: Raw, bucket: str) -> Reply:
    """A GET by a URL that was presigned with Signature Version 2."""
    expires = int(time.time()) + 60
    text = f"GET\n\n\n{expires}\n/{bucket}/k"
    signature = base64.b64encode(hmac.new(b"owner-secret", text.encode(), "sha1").digest()).decode()
    query = f"AWSAccessKeyId=OWNERKEY&Expires={expires}&Signature={quote(signature, safe='')}"
    return raw("GET", f"/{bucket}/k?{query}", sign=False)


#: How a request is signed -> it, its type and the version of its signature.
SIGNED: dict[str, tuple[Callable[[Any, str], Any], str, str]] = {
    "header": (lambda raw, bucket: raw("GET", f"/{bucket}/k"), "REST-HEADER", "AWS4-HMAC-SHA256"),
    "url 4": (
        lambda raw, bucket: raw("GET", Signer().presigned("GET", f"/{bucket}/k", {"Host": raw.host}), sign=False),
        "REST-QUERY-STRING",
        "AWS4-HMAC-SHA256",
    ),
    "url 2": (by_url_of_version_2, "REST-QUERY-STRING", "AWS"),
    "form 4": (lambda raw, bucket: post(raw, bucket, signed(bucket, {"key": "k"})), "POST", "AWS4-HMAC-SHA256"),
    "form 2": (lambda raw, bucket: post(raw, bucket, signed(bucket, {"key": "k"}, version="v2")), "POST", "AWS"),
}


@pytest.mark.parametrize("how", SIGNED)
def test_a_policy_knows_how_a_request_was_signed(raw: Raw, bucket: str, how: str) -> None:
    """Where and with which version; what is not signed at all has neither."""
    fill(raw, bucket, "k")
    ask, *own = SIGNED[how]
    for wanted_kind, wanted_version in {found[1:] for found in SIGNED.values()}:
        conditions = [{"s3:authType": wanted_kind}, {"s3:signatureversion": wanted_version}]
        denying = [
            statement(bucket, "s3:*Object", effect="Deny", resource="/*", conditions={"StringNotEquals": condition})
            for condition in conditions
        ]
        set_policy(raw, bucket, statement(bucket, "s3:GetObject", "s3:PutObject"), *denying)
        reply = ask(raw, bucket)
        assert (reply.status in (200, 204)) == (own == [wanted_kind, wanted_version])
        pretending = {"Policy": "e30="}
        for unsigned in (
            raw("GET", f"/{bucket}/k", sign=False),
            raw("PUT", f"/{bucket}/k", b"x", pretending, sign=False),
            raw("POST", f"/{bucket}/k?uploads", headers=pretending, sign=False),
            post(raw, bucket, {"key": "k"}),
        ):
            assert refusal(unsigned) == DENIED


def test_a_policy_knows_versions(raw: Raw, other: Raw, bucket: str) -> None:
    """Whether the request names one itself, in a batch, or as the source of a copy."""
    version(raw, bucket)
    first, second = (raw("PUT", f"/{bucket}/k", b"x").headers["x-amz-version-id"] for _ in range(2))
    assert other("PUT", f"/{bucket}-of-other").status == 200
    only = {"StringEquals": {"s3:VersionId": first}}
    actions = ("s3:GetObjectVersion", "s3:DeleteObjectVersion")
    set_policy(raw, bucket, statement(bucket, *actions, resource="/*", conditions=only))

    def copied(named: str) -> Reply:
        source = {"x-amz-copy-source": f"/{bucket}/k?versionId={named}"}
        return other("PUT", f"/{bucket}-of-other/k", headers=source)

    for named, status in ((second, 403), (first, 200)):
        assert other("GET", f"/{bucket}/k?versionId={named}").status == copied(named).status == status
    body = "".join(f"<Object><Key>k</Key><VersionId>{named}</VersionId></Object>" for named in (first, second))
    batch = f"<Delete>{body}</Delete>".encode()
    found = other("POST", f"/{bucket}?delete", batch, md5_header(batch))
    assert found.elements("Deleted")[0].count(first) == 1
    assert found.elements("Error")[0].count(second) == 1


def test_a_policy_knows_tls(running: Running, raw: Raw, bucket: str) -> None:
    """By the connection, whatever the headers say."""
    fill(raw, bucket, "k")
    opening = statement(bucket, "s3:GetObject", conditions={"StringEquals": {"aws:PrincipalType": "Anonymous"}})
    for effect, told in (("Deny", "false"), ("Allow", "true")):
        conditions = {"Bool": {"aws:SecureTransport": told}}
        ruled = statement(bucket, "s3:GetObject", effect=effect, conditions=conditions)
        set_policy(raw, bucket, *([opening] if effect == "Deny" else []), ruled)
        for secure, status in ((True, 200), (False, 403)):
            headers = {"host": raw.host, "x-forwarded-proto": "https"}
            head = Head("GET", f"/{bucket}/k".encode(), True, headers, secure=secure)
            assert running.app(head, Body()).status == status  # type: ignore[arg-type]


def test_everybody_has_a_folder(raw: Raw, other: Raw, bucket: str) -> None:
    """By a variable in the resource; names do not reach into folders of others."""
    set_policy(raw, bucket, statement(bucket, "s3:PutObject", resource="/home/${aws:username}/*"))
    assert other("PUT", f"/{bucket}/home/OTHERKEY/k", b"x").status == 200
    for key in ("home/OWNERKEY/k", "home/OTHERKEYS/k", "home/OTHERKEY", "home/*/k", "home/${aws:username}/k"):
        for sign in (True, False):
            assert refusal(other("PUT", f"/{bucket}/{quote(key)}", b"x", sign=sign)) == DENIED
