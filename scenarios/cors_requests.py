"""CORS: what a browser is answered, before a request and with it. The configuration: `cors`."""

from __future__ import annotations

from harness.expect import body, header, no_header, ok, refused
from harness.scenario import EXTENDED, scenario
from harness.scene import Scene
from scenarios._cors import PAGE, configured, get_from, lists, preflight, rule, varies

_CONTENT = b"fetched by a page"
_ALLOW_ORIGIN = "Access-Control-Allow-Origin"
_ALLOW_CREDENTIALS = "Access-Control-Allow-Credentials"


@scenario(
    "CORS-002",
    EXTENDED,
    "PutBucketCors",
    source="LocalStack test_cors_http_options_no_config (recorded on AWS)",
    clients=("raw",),
)
def options_without_origin(s3: Scene) -> None:
    """OPTIONS without an Origin header is refused with 400 BadRequest.

    S3 promises: OPTIONS exists for preflight requests, which name their origin. Without one it is 400 BadRequest,
    whether or not the bucket has rules.

    Breaks: only strict validation: browsers always send the header. Monitoring that asks with a bare OPTIONS takes
    a 200 for working cross-origin access.

    Fix: look for Origin first, before the rules of the bucket.
    """
    bucket, key = configured(s3, rule(PAGE)), s3.key()
    s3.expect(preflight(s3, bucket, key, origin=PAGE, method="GET"), ok())
    s3.expect(preflight(s3, bucket, key, method="GET"), refused(400, "BadRequest"))


@scenario(
    "CORS-003",
    EXTENDED,
    "PutBucketCors",
    source="LocalStack test_cors_http_options_no_config (recorded on AWS)",
    clients=("raw",),
)
def options_without_rules(s3: Scene) -> None:
    """OPTIONS on a bucket without CORS rules is 403 AccessForbidden with ResourceType BUCKET.

    S3 promises: no cross-origin request is allowed until the owner of the bucket has said so; the refusal names the
    bucket as what does not allow it. Once there is a rule that fits, the same request is 200.

    Breaks: a server that answers every preflight with a friendly 200 lets any website read what a visitor may read;
    one that answers 404 or 405 makes a missing configuration look like a missing object.

    Fix: decide from the bucket's own rules, without any default.
    """
    bucket, key = s3.new_bucket(), s3.key()
    answer = preflight(s3, bucket, key, origin=PAGE, method="GET")
    s3.expect(answer, refused(403, "AccessForbidden", fields={"ResourceType": "BUCKET"}))
    s3.expect(s3.call("PutBucketCors", Bucket=bucket, CORSConfiguration={"CORSRules": [rule(PAGE)]}), ok())
    s3.expect(preflight(s3, bucket, key, origin=PAGE, method="GET"), ok())


@scenario(
    "CORS-004",
    EXTENDED,
    "PutBucketCors",
    source="LocalStack test_cors_match_origins, test_cors_match_methods and test_cors_match_headers (recorded on AWS)",
    clients=("raw",),
)
def preflight_allowed(s3: Scene) -> None:
    """A preflight that a rule allows is 200 with the origin, the methods, the headers as asked, the age, and Vary.

    S3 promises: Access-Control-Allow-Origin, Access-Control-Allow-Methods with those of the rule,
    Access-Control-Allow-Headers with those that were asked for, Access-Control-Max-Age if the rule has
    MaxAgeSeconds, and Vary with the three request headers that the answer depends on. No signature is needed.

    Breaks: uploads from web pages with presigned URLs. The browser sends nothing after a preflight that lacks one
    of these; a shared cache without Vary serves the answer for one site to another.

    Fix: take the first rule that allows origin, method and every header, and write the headers from it. Answer
    before any authentication: browsers never sign a preflight.
    """
    bucket = configured(s3, rule(PAGE, AllowedHeaders=["x-amz-*", "content-type"], MaxAgeSeconds=600))
    asked = ("x-amz-date", "content-type")
    answer = preflight(s3, bucket, s3.key(), origin=PAGE, method="PUT", headers=", ".join(asked))
    s3.expect(answer, ok(), header(_ALLOW_ORIGIN, PAGE), lists("Access-Control-Allow-Methods", "GET", "PUT"))
    s3.expect(answer, lists("Access-Control-Allow-Headers", *asked), header("Access-Control-Max-Age", "600"), varies())
    ageless = configured(s3, rule(PAGE))
    plain = preflight(s3, ageless, s3.key(), origin=PAGE, method="PUT")
    s3.expect(plain, ok(), header(_ALLOW_ORIGIN, PAGE), no_header("Access-Control-Max-Age"), varies())


@scenario(
    "CORS-005",
    EXTENDED,
    "PutBucketCors",
    source="LocalStack test_cors_match_origins (recorded on AWS)",
    clients=("raw",),
)
def origin_and_credentials(s3: Scene) -> None:
    """An allowed origin is echoed with Access-Control-Allow-Credentials: true; "*" gives "*" and no credentials.

    S3 promises: where a rule names the origin, or a pattern that it fits, the answer repeats the origin itself and
    allows credentials. A rule for any origin answers "*", and then without the credentials header.

    Breaks: pages that send cookies or authorization need the echo; browsers reject "*" together with credentials,
    and an echo with credentials for everybody would open the bucket to any site.

    Fix: echo the request's Origin only for rules that are not "*", and couple the credentials header to that.
    """
    named = configured(s3, rule("https://other.example.com", PAGE))
    answer = preflight(s3, named, s3.key(), origin=PAGE, method="GET")
    s3.expect(answer, ok(), header(_ALLOW_ORIGIN, PAGE), header(_ALLOW_CREDENTIALS, "true"))
    anyone = configured(s3, rule("*"))
    answer = preflight(s3, anyone, s3.key(), origin=PAGE, method="GET")
    s3.expect(answer, ok(), header(_ALLOW_ORIGIN, "*"), no_header(_ALLOW_CREDENTIALS))


@scenario(
    "CORS-006",
    EXTENDED,
    "PutBucketCors",
    source="LocalStack test_cors_match_methods and test_cors_match_headers (recorded on AWS)",
    clients=("raw",),
)
def preflight_refused(s3: Scene) -> None:
    """An origin, method or header that no rule allows is 403 AccessForbidden with Method and ResourceType OBJECT.

    S3 promises: one rule must allow all three. Otherwise the preflight is refused; the error has the method that was
    asked for and the kind of resource, and none of the headers that would let the browser go on.

    Breaks: the protection itself: a gateway that checks only the origin lets a page delete what it may read.

    Fix: match origin, method and every header against one and the same rule, headers without regard to case.
    """
    bucket, key = configured(s3, rule(PAGE, AllowedHeaders=["content-type"])), s3.key()
    s3.expect(preflight(s3, bucket, key, origin=PAGE, method="PUT", headers="Content-Type"), ok())
    for origin, method, headers in (
        ("https://evil.example.net", "PUT", ""),
        (PAGE, "DELETE", ""),
        (PAGE, "PUT", "content-type, x-amz-acl"),
    ):
        answer = preflight(s3, bucket, key, origin=origin, method=method, headers=headers)
        refusal = refused(403, "AccessForbidden", fields={"Method": method, "ResourceType": "OBJECT"})
        s3.expect(answer, refusal, no_header(_ALLOW_ORIGIN))


@scenario(
    "CORS-007",
    EXTENDED,
    "GetObject",
    source="LocalStack test_cors_match_origins and test_cors_http_get_no_config (recorded on AWS)",
    clients=("raw",),
)
def get_with_origin(s3: Scene) -> None:
    """A GET with an Origin that a rule allows has the CORS headers; any other is served without them.

    S3 promises: rules add headers to the answer and never decide whether the object is served. A fitting Origin is
    answered with Access-Control-Allow-Origin and Vary, one without a rule gets the same bytes and neither.

    Breaks: web fonts, images on a canvas and fetch() need the header on the answer itself, not only on the
    preflight. A gateway that refuses an unknown Origin breaks programs that send one without being browsers.

    Fix: add the headers to every answer of the bucket after the request was handled, errors included.
    """
    bucket, key = configured(s3, rule(PAGE)), s3.key()
    s3.put(key, _CONTENT, Bucket=bucket)
    s3.expect(get_from(s3, bucket, key, PAGE), ok(), body(_CONTENT), header(_ALLOW_ORIGIN, PAGE), varies())
    other = get_from(s3, bucket, key, "https://evil.example.net")
    s3.expect(other, ok(), body(_CONTENT), no_header(_ALLOW_ORIGIN))


@scenario(
    "CORS-008",
    EXTENDED,
    "PutBucketCors",
    source="LocalStack test_cors_options_match_partial_origin and test_cors_options_fails_partial_origin (recorded on "
    "AWS)",
    clients=("raw",),
)
def partial_origin(s3: Scene) -> None:
    """One "*" in an allowed origin stands for any part of it, and the rest must fit exactly.

    S3 promises: https://*.example.com allows https://app.example.com and echoes it; another host, another scheme or
    something behind the pattern is 403 AccessForbidden.

    Breaks: teams with one subdomain per customer or preview. A pattern taken literally blocks all of them; one read
    as a prefix or a loose search lets https://app.example.com.evil.net in.

    Fix: split the pattern at its star, and compare beginning and end, dots and scheme included.
    """
    bucket, key = configured(s3, rule("https://*.example.com")), s3.key()
    for origin in (PAGE, "https://a.b.example.com"):
        s3.expect(preflight(s3, bucket, key, origin=origin, method="GET"), ok(), header(_ALLOW_ORIGIN, origin))
    for origin in ("http://app.example.com", "https://app.example.com.evil.net", "https://example.org"):
        s3.expect(preflight(s3, bucket, key, origin=origin, method="GET"), refused(403, "AccessForbidden"))


@scenario(
    "CORS-011",
    EXTENDED,
    "GetObject",
    source="LocalStack test_cors_expose_headers (recorded on AWS)",
    clients=("raw",),
)
def exposed_headers(s3: Scene) -> None:
    """The ExposeHeaders of a rule are in Access-Control-Expose-Headers of the answer.

    S3 promises: a rule may name response headers that a page may read; they are listed in that header. Without such
    names there is no such header.

    Breaks: multipart uploads in the browser: the page must read the ETag of each part, which the browser hides
    unless it is exposed, and the upload cannot be completed.

    Fix: join the names of the rule that matched, on the answer to the request as well as on the preflight.
    """
    bucket, key = configured(s3, rule(PAGE, ExposeHeaders=["ETag", "x-amz-version-id"])), s3.key()
    s3.put(key, _CONTENT, Bucket=bucket)
    answer = get_from(s3, bucket, key, PAGE)
    s3.expect(answer, ok(), body(_CONTENT), lists("Access-Control-Expose-Headers", "ETag", "x-amz-version-id"))
    silent = configured(s3, rule(PAGE))
    s3.put(key, _CONTENT, Bucket=silent)
    s3.expect(get_from(s3, silent, key, PAGE), header(_ALLOW_ORIGIN, PAGE), no_header("Access-Control-Expose-Headers"))
