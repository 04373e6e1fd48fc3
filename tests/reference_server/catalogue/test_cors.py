"""Cross-origin requests: catalogue family CORS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.reference_server.catalogue.steps import fill, put_document, refusal, texts, tree
from tests.reference_server.signing import Signer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import Raw, Reply

ORIGIN = "https://app.example.com"
OTHER_ORIGIN = "https://other.example.com"
VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
GRANTED = ("access-control-allow-origin", "access-control-allow-methods")


def rule(
    *origins: str,
    methods: tuple[str, ...] = ("GET", "PUT"),
    headers: tuple[str, ...] = (),
    exposed: tuple[str, ...] = (),
    age: int | None = None,
) -> str:
    """One CORSRule element."""
    inside = "".join(f"<AllowedOrigin>{origin}</AllowedOrigin>" for origin in origins)
    inside += "".join(f"<AllowedMethod>{method}</AllowedMethod>" for method in methods)
    inside += "".join(f"<AllowedHeader>{header}</AllowedHeader>" for header in headers)
    inside += "".join(f"<ExposeHeader>{header}</ExposeHeader>" for header in exposed)
    inside += "" if age is None else f"<MaxAgeSeconds>{age}</MaxAgeSeconds>"
    return f"<CORSRule>{inside}</CORSRule>"


def configure(raw: Raw, bucket: str, *rules: str) -> Reply:
    """PutBucketCors."""
    return put_document(raw, f"/{bucket}?cors", f"<CORSConfiguration>{''.join(rules)}</CORSConfiguration>")


def allow(raw: Raw, bucket: str, *rules: str) -> None:
    """PutBucketCors, which must succeed."""
    assert configure(raw, bucket, *rules).status == 200


def preflight(
    raw: Raw, target: str, origin: str | None = ORIGIN, method: str | None = "GET", headers: str | None = None
) -> Reply:
    """What a browser asks before a request of this method with these headers; None leaves a header out."""
    names = ("Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers")
    sent = {name: value for name, value in zip(names, (origin, method, headers), strict=True) if value is not None}
    return raw("OPTIONS", target, headers=sent, sign=False)


def granted(reply: Reply) -> dict[str, str]:
    """The headers of a reply that tell a browser what it may do."""
    return {name: value for name, value in reply.headers.items() if name.startswith("access-control-")}


def read(raw: Raw, target: str, origin: str = ORIGIN, more: Mapping[str, str] | None = None) -> Reply:
    """A signed GET from a page of that origin."""
    return raw("GET", target, unsigned={"Origin": origin, **(more or {})})


# The configuration


@pytest.mark.catalogue("CORS-001")
def test_a_new_bucket_has_no_rules(raw: Raw, bucket: str) -> None:
    """The error names the bucket; once there are rules, they come back as they were put."""
    found = refusal(raw("GET", f"/{bucket}?cors"), "BucketName")
    assert found == (404, "NoSuchCORSConfiguration", bucket)
    allow(raw, bucket, rule(ORIGIN, headers=("x-AMZ-date", "*"), age=5), rule("*", methods=("HEAD",)))
    root = tree(raw("GET", f"/{bucket}?cors"))
    assert root.tag == "CORSConfiguration"
    assert texts(root, "CORSRule/AllowedOrigin") == [ORIGIN, "*"]
    assert texts(root, "CORSRule/AllowedMethod") == ["GET", "PUT", "HEAD"]
    assert texts(root, "CORSRule/AllowedHeader") == ["x-AMZ-date", "*"]
    assert texts(root, "CORSRule/MaxAgeSeconds") == ["5"]


@pytest.mark.catalogue("CORS-009")
@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ([rule(ORIGIN, methods=("GET", "MYMETHOD"))], "InvalidRequest"),
        ([rule(ORIGIN, methods=("OPTIONS",))], "InvalidRequest"),
        ([rule("https://*.*.example.com")], "InvalidRequest"),
        ([rule(ORIGIN), rule("**")], "InvalidRequest"),
        ([], "MalformedXML"),
        (["<Other/>"], "MalformedXML"),
    ],
)
def test_rules_that_cannot_be_are_refused(raw: Raw, bucket: str, rules: list[str], code: str) -> None:
    """Nothing is stored of them."""
    assert refusal(configure(raw, bucket, *rules)) == (400, code)
    assert raw("GET", f"/{bucket}?cors").status == 404


@pytest.mark.catalogue("CORS-010")
def test_deleting_rules_always_succeeds(raw: Raw, bucket: str) -> None:
    """Also where there are none; from then on preflights are refused."""
    allow(raw, bucket, rule(ORIGIN))
    assert preflight(raw, f"/{bucket}/k").status == 200
    for _ in range(2):
        reply = raw("DELETE", f"/{bucket}?cors")
        assert (reply.status, reply.body) == (204, b"")
    assert raw("GET", f"/{bucket}?cors").status == 404
    assert preflight(raw, f"/{bucket}/k").status == 403


# Preflights


@pytest.mark.catalogue("CORS-002")
def test_a_preflight_names_its_origin(raw: Raw, bucket: str) -> None:
    """With rules or without; a Referer does not stand for it."""
    assert refusal(preflight(raw, f"/{bucket}/k", origin=None)) == (400, "BadRequest")
    allow(raw, bucket, rule("*"))
    assert refusal(preflight(raw, f"/{bucket}/k", origin=None)) == (400, "BadRequest")
    sent = {"Referer": ORIGIN, "Access-Control-Request-Method": "GET"}
    assert refusal(raw("OPTIONS", f"/{bucket}/k", headers=sent, sign=False)) == (400, "BadRequest")


@pytest.mark.catalogue("CORS-003")
@pytest.mark.parametrize("key", ["", "/k"])
@pytest.mark.parametrize(("method", "named"), [("PUT", "PUT"), (None, "OPTIONS")])
def test_a_bucket_without_rules_allows_no_preflight(
    raw: Raw, bucket: str, key: str, method: str | None, named: str
) -> None:
    """The refusal is about the bucket, whatever the URL names."""
    reply = preflight(raw, f"/{bucket}{key}", method=method)
    assert refusal(reply, "Method", "ResourceType") == (403, "AccessForbidden", named, "BUCKET")
    assert granted(reply) == {}


def test_a_missing_bucket_allows_no_preflight(raw: Raw) -> None:
    """It is refused as a bucket without rules is, and not as missing (recorded on AWS)."""
    for method, named in ((None, "OPTIONS"), ("PUT", "PUT")):
        reply = preflight(raw, "/no-such-bucket-here/k", method=method)
        assert refusal(reply, "Method", "ResourceType") == (403, "AccessForbidden", named, "BUCKET")
    assert refusal(preflight(raw, "/no-such-bucket-here/k", origin=None)) == (400, "BadRequest")


@pytest.mark.catalogue("CORS-004")
def test_a_preflight_is_answered_by_its_rule(raw: Raw, bucket: str) -> None:
    """Methods are those of the rule, headers those that were asked for; the age only if the rule has one."""
    allow(raw, bucket, rule(ORIGIN, methods=("GET", "PUT"), headers=("X-Amz-*", "content-type"), age=3000))
    reply = preflight(raw, f"/{bucket}/k", method="PUT", headers="X-Amz-Date,  content-TYPE")
    assert (reply.status, reply.body, reply.headers["vary"]) == (200, b"", VARY)
    assert granted(reply) == {
        "access-control-allow-origin": ORIGIN,
        "access-control-allow-methods": "GET, PUT",
        "access-control-allow-headers": "x-amz-date, content-type",
        "access-control-max-age": "3000",
        "access-control-allow-credentials": "true",
    }
    allow(raw, bucket, rule(ORIGIN))
    reply = preflight(raw, f"/{bucket}")
    assert (reply.status, reply.headers["vary"]) == (200, VARY)
    assert {"access-control-max-age", "access-control-allow-headers"}.isdisjoint(reply.headers)


@pytest.mark.catalogue("CORS-005")
def test_credentials_go_only_to_origins_that_are_named(raw: Raw, bucket: str) -> None:
    """A rule for everybody answers with the star and never mentions credentials."""
    allow(raw, bucket, rule(ORIGIN))
    reply = preflight(raw, f"/{bucket}/k")
    assert reply.headers["access-control-allow-origin"] == ORIGIN
    assert reply.headers["access-control-allow-credentials"] == "true"
    allow(raw, bucket, rule("*"))
    reply = preflight(raw, f"/{bucket}/k")
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in reply.headers


@pytest.mark.catalogue("CORS-006")
@pytest.mark.parametrize(
    ("origin", "method", "headers"),
    [
        (OTHER_ORIGIN, "GET", None),
        (ORIGIN.replace("https", "http"), "GET", None),
        (f"{ORIGIN}:8443", "GET", None),
        (ORIGIN, "DELETE", None),
        (ORIGIN, "GET", "authorization"),
        (ORIGIN, "GET", "content-type, authorization"),
    ],
)
def test_a_preflight_that_no_rule_allows_is_forbidden(
    raw: Raw, bucket: str, origin: str, method: str, headers: str | None
) -> None:
    """One rule must allow origin, method and all headers together."""
    allow(raw, bucket, rule(ORIGIN, headers=("content-type",)), rule(f"{OTHER_ORIGIN}:1", methods=("DELETE",)))
    reply = preflight(raw, f"/{bucket}/k", origin, method, headers)
    assert refusal(reply, "Method", "ResourceType") == (403, "AccessForbidden", method, "OBJECT")
    assert granted(reply) == {}


@pytest.mark.catalogue("CORS-008")
def test_a_star_stands_for_part_of_a_host(raw: Raw, bucket: str) -> None:
    """It stands for any text, so that both sides of it bind; the origin comes back and not the pattern."""
    allow(raw, bucket, rule("https://*.example.com"))
    for origin in ("https://a.example.com", "https://a.b.example.com"):
        assert preflight(raw, f"/{bucket}/k", origin).headers["access-control-allow-origin"] == origin
    for origin in ("https://example.com", "http://a.example.com", "https://a.example.com.evil"):
        reply = preflight(raw, f"/{bucket}", origin)
        assert refusal(reply, "ResourceType") == (403, "AccessForbidden", "BUCKET")


@pytest.mark.parametrize(("method", "headers"), [("GET", "bad header"), ("PATCH", None), (None, None)])
def test_a_preflight_asks_for_what_can_be(raw: Raw, bucket: str, method: str | None, headers: str | None) -> None:
    """What is no header or no method of S3 is refused, and the refusal tells a browser nothing more."""
    allow(raw, bucket, rule("*", headers=("*",)))
    reply = preflight(raw, f"/{bucket}/k", method=method, headers=headers)
    assert refusal(reply) == (400, "BadRequest")
    assert granted(reply) == {}


@pytest.mark.parametrize(
    "signature",
    [
        {},
        {"Authorization": "AWS4-HMAC-SHA256 nonsense"},
        {"Authorization": "Bearer token"},
    ],
)
def test_preflights_need_no_signature(raw: Raw, bucket: str, signature: dict[str, str]) -> None:
    """Browsers send none; what looks like one is not looked at, neither in headers nor in the query."""
    allow(raw, bucket, rule(ORIGIN))
    sent = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT", **signature}
    for query in ("", "?X-Amz-Signature=0&X-Amz-Algorithm=x", "?AWSAccessKeyId=a&Signature=b", "?acl"):
        assert raw("OPTIONS", f"/{bucket}/k{query}", headers=sent, sign=False).status == 200


# Ordinary requests


@pytest.mark.catalogue("CORS-007")
def test_only_a_matching_origin_is_told_more(raw: Raw, bucket: str) -> None:
    """Others are served all the same, as is everybody where there are no rules."""
    fill(raw, bucket, "k")
    assert granted(read(raw, f"/{bucket}/k")) == {}
    allow(raw, bucket, rule(ORIGIN, methods=("GET",), headers=("x",), age=7))
    reply = read(raw, f"/{bucket}/k")
    assert (reply.status, reply.body, reply.headers["vary"]) == (200, b"x", VARY)
    assert granted(reply) == {
        "access-control-allow-origin": ORIGIN,
        "access-control-allow-methods": "GET",
        "access-control-allow-credentials": "true",
        "access-control-max-age": "7",
    }
    for unmatched in (
        read(raw, f"/{bucket}/k", OTHER_ORIGIN),
        raw("GET", f"/{bucket}/k"),
        raw("HEAD", f"/{bucket}/k", unsigned={"Origin": ORIGIN}),
        raw("PUT", f"/{bucket}/k", b"x", unsigned={"Origin": ORIGIN}),
    ):
        assert unmatched.status == 200
        assert granted(unmatched) == {}


@pytest.mark.catalogue("CORS-011")
def test_exposed_headers_are_named(raw: Raw, bucket: str) -> None:
    """As the rule has them, in preflights and in ordinary answers."""
    fill(raw, bucket, "k")
    allow(raw, bucket, rule("*", exposed=("ETag", "x-amz-request-id")))
    for reply in (read(raw, f"/{bucket}/k"), preflight(raw, f"/{bucket}/k")):
        assert (reply.status, reply.headers["access-control-expose-headers"]) == (200, "ETag, x-amz-request-id")


def test_an_ordinary_request_may_ask_as_a_preflight_does(raw: Raw, bucket: str) -> None:
    """The headers of a preflight count there too: what they ask for must be allowed (recorded on AWS)."""
    fill(raw, bucket, "k")
    allow(raw, bucket, rule(ORIGIN, methods=("GET",), headers=("content-type",)))
    assert granted(read(raw, f"/{bucket}/k", more={"Access-Control-Request-Method": "PUT"})) == {}
    assert granted(read(raw, f"/{bucket}/k", more={"Access-Control-Request-Headers": "authorization"})) == {}
    found = granted(read(raw, f"/{bucket}/k", more={"Access-Control-Request-Headers": "Content-Type"}))
    assert found["access-control-allow-headers"] == "content-type"


def test_rules_are_of_one_bucket(raw: Raw, bucket: str) -> None:
    """Not of another whose name is like the host of its website."""
    allow(raw, bucket, rule(ORIGIN))
    assert raw("PUT", f"/{bucket}.s3-website").status == 200
    assert granted(read(raw, f"/{bucket}")) != {}
    assert granted(read(raw, f"/{bucket}.s3-website")) == {}
    assert granted(read(raw, "/")) == {}


def test_scripts_may_see_refusals_too(raw: Raw, bucket: str) -> None:
    """Without the headers on 304, 403, 404 and 412 a page could not tell what went wrong."""
    etag = raw("PUT", f"/{bucket}/k", b"x").headers["etag"]
    allow(raw, bucket, rule(ORIGIN, methods=("GET", "HEAD", "PUT", "POST", "DELETE")))
    origin = {"Origin": ORIGIN}
    replies = [
        raw("GET", f"/{bucket}/k", headers={"If-None-Match": etag}, unsigned=origin),
        raw("GET", f"/{bucket}/k", headers=origin, sign=False),
        raw("GET", f"/{bucket}/missing", unsigned=origin),
        raw("GET", f"/{bucket}/k", headers={"If-Match": '"other"'}, unsigned=origin),
        raw("PUT", f"/{bucket}/k", b"x", headers={"Content-MD5": "none"}, unsigned=origin),
        raw("POST", f"/{bucket}", headers=origin, sign=False),
        raw("DELETE", f"/{bucket}?policy", unsigned=origin),
        raw("GET", f"/{bucket}?list-type=2", unsigned=origin),
    ]
    assert [reply.status for reply in replies] == [304, 403, 404, 412, 400, 412, 204, 200]
    for reply in replies:
        assert tuple(reply.headers[name] for name in GRANTED) == (ORIGIN, "GET, HEAD, PUT, POST, DELETE")
        assert [name.lower() for name, _ in reply.raw_headers].count("access-control-allow-origin") == 1


def test_a_page_uploads_by_presigned_url(raw: Raw, bucket: str) -> None:
    """The preflight and the upload itself, to the path of the bucket and to its own host."""
    allow(raw, bucket, rule(ORIGIN, methods=("PUT",), headers=("content-type",), exposed=("ETag",)))
    virtual = raw.host.replace("127.0.0.1", f"{bucket}.localhost")
    for host, path in ((raw.host, f"/{bucket}/by-path"), (virtual, "/by-host")):
        target = Signer().presigned("PUT", path, {"Host": host})
        asked = {
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "content-type",
        }
        assert raw("OPTIONS", target, headers=asked, sign=False, host=host).status == 200
        sent = {"Origin": ORIGIN, "Content-Type": "text/x"}
        reply = raw("PUT", target, b"from a page", sent, sign=False, host=host)
        assert (reply.status, reply.headers["access-control-allow-origin"]) == (200, ORIGIN)
        assert reply.headers["access-control-expose-headers"] == "ETag"
    assert raw("GET", f"/{bucket}/by-path").body == raw("GET", f"/{bucket}/by-host").body == b"from a page"


def test_boto3_puts_and_gets_rules(s3: Any, bucket: str) -> None:
    """Every member of a rule survives."""
    rules = [
        {
            "ID": "one",
            "AllowedOrigins": [ORIGIN, "http://*.example.com"],
            "AllowedMethods": ["GET", "PUT", "POST", "DELETE", "HEAD"],
            "AllowedHeaders": ["*"],
            "ExposeHeaders": ["ETag"],
            "MaxAgeSeconds": 0,
        },
        {"AllowedOrigins": [""], "AllowedMethods": ["GET"]},
    ]
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == rules
