"""AUTH: what a signature is over: the canonical form of path, query and headers.

Known answers of the documentation and of the published suite hold the harness's own signer
(tests/harness/wire/test_sigv4.py). Their requests are years old, and no endpoint takes them any more; here it is asked
requests of the same forms, signed now.
"""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from typing import NamedTuple

from harness.clients.base import Observed
from harness.clients.raw import Head, Signing
from harness.expect import Matcher, body, ok, one_of
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from harness.wire.sigv4 import encode
from scenarios._signing import CONTENT, MISMATCH, ask, follow, is_missing, is_stored, link, other_digit, path

_SUITE = "aws-c-auth signing test suite"
_DOCUMENTATION = "AWS, Signature calculations for the Authorization header"


class Form(NamedTuple):
    """A form that a request may have, and one byte of it: `signed` stands in what is signed in place of `sent`."""

    name: str
    query: str
    headers: tuple[tuple[str, str], ...]
    sent: str
    signed: str


_PLAIN, _RESERVED, _UNICODE = "plain", "a b/-._~0+!'()*&$@=:;,", "\u1234/é.txt"

FORMS = (
    Form(
        _PLAIN, "", (("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")), "value1", "value3"
    ),
    Form(
        _PLAIN, "", (("My-Header1", "value4"), ("My-Header1", "value1"), ("My-Header1", "value3")), "value4", "value5"
    ),
    Form(_PLAIN, "", (("My-Header1", " value1"), ("My-Header2", ' "a   b   c"')), "value1", "value2"),
    Form(_PLAIN, "", (("Zoo", "zoobar"), ("MY-header1", "VALUE1"), ("abc", "1")), "VALUE1", "value1"),
    Form(_PLAIN, "Param2=value2&Param1=value1&param1=Value2", (), "Value2", "value2"),
    Form(_PLAIN, "-._~09AZaz=-._~09AZaz&%E1%88%B4=bar&foo=%20%2F%3D%2B", (), "%2F", "%2E"),
    Form(_RESERVED, "", (), "a%20b", "a%20c"),
    Form(_UNICODE, "", (), ".txt", ".tex"),
)
"""The forms of the suite's cases that hold for S3: repeated headers, spaces, order, reserved characters and Unicode."""


def _changed(form: Form) -> Signing:
    """A signature over the request with another byte in it."""

    def instead(head: Head) -> Head:
        lines = [(name, value.replace(form.sent, form.signed)) for name, value in head.headers]
        return Head(head.method, head.target.replace(form.sent, form.signed), lines)

    return Signing(instead=instead)


_SPACED, _UNSPACED = Signing(), Signing(edited=lambda text: text.replace(", ", ","))
"""An Authorization header with a space behind each comma, as SDKs write it, and without, as the documentation does."""


@scenario(
    "AUTH-001",
    MUST,
    "GetObject",
    "PutObject",
    "ListObjects",
    "GetBucketLifecycleConfiguration",
    source=_DOCUMENTATION,
    clients=("raw",),
)
def documented_examples(s3: Scene) -> None:
    """The four example requests of the AWS documentation, signed now, are accepted, and not with one digit changed.

    S3 promises: a GET with Range, a PUT with Date, storage class and a dollar sign in its key, GET ?lifecycle without a
    value, and a listing with max-keys and prefix have published signatures. The harness's signer gives those; what it
    signs for today is right as well. The header may have spaces behind its commas, as SDKs write it, or none.

    Breaks: every client: these are the plainest requests there are.

    Fix: compute the four published signatures with your own code, and compare canonical request and string to sign.
    """
    s3.expect(ask(s3, "PUT", path(s3, "test.txt"), body=CONTENT), ok())
    listing = f"/{s3.bucket}?max-keys=2&prefix={encode(s3.key('J'))}"
    stored = path(s3, "test$file.text")
    for signing, admitted in ((_SPACED, True), (_UNSPACED, True), (Signing(edited=other_digit), False)):
        got = ask(s3, "GET", path(s3, "test.txt"), ("Range", "bytes=0-9"), signing=signing)
        s3.expect(got, one_of(ok(206), ok()) if admitted else MISMATCH)
        headers = (("Date", formatdate(usegmt=True)), ("x-amz-storage-class", "STANDARD"))
        s3.expect(ask(s3, "PUT", stored, *headers, body=CONTENT, signing=signing), ok() if admitted else MISMATCH)
        operation, target = "GetBucketLifecycleConfiguration", f"/{s3.bucket}?lifecycle"
        shown = s3.send(operation, "GET", target, bucket=s3.bucket, signing=signing)
        s3.expect(shown, _admitted() if admitted else MISMATCH)
        listed = s3.send("ListObjects", "GET", listing, bucket=s3.bucket, signing=signing)
        s3.expect(listed, ok() if admitted else MISMATCH)
    is_stored(s3, stored)


def _admitted() -> Matcher:
    """Whatever a bucket without lifecycle rules comes to: its signature was not the reason."""

    def test(seen: Observed) -> str:
        blamed = seen.status in (401, 403) or seen.code.startswith("Authorization")
        return f"got {seen.summary()}" if seen.failure or blamed else ""

    return Matcher("an answer that does not blame the signature", test)


@scenario("AUTH-002", MUST, "PutObject", "GetObject", source=_SUITE, clients=("raw",))
def forms_of_the_suite(s3: Scene) -> None:
    """Requests of the published suite's forms are accepted as signed, and refused with one byte signed otherwise.

    S3 promises: repeated headers are joined by commas in the order they came, values lose outer spaces, names count in
    small letters, parameters are sorted by their encoded name, and every byte that needs it is encoded once. The same
    holds with the signature in the query.

    Breaks: some client each: keys with spaces, plus signs or accents, metadata with double spaces, listings with odd
    prefixes. All end in SignatureDoesNotMatch, and only for some names.

    Fix: run the suite's cases through your own canonical request, and take path and query as they came on the wire.
    """
    for name in (_PLAIN, _RESERVED, _UNICODE):
        s3.expect(ask(s3, "PUT", path(s3, name), body=name.encode()), ok())
    for form in FORMS:
        target, content = path(s3, form.name, form.query), form.name.encode()
        s3.expect(ask(s3, "GET", target, *form.headers), ok(), body(content))
        s3.expect(ask(s3, "GET", target, *form.headers, signing=_changed(form)), MISMATCH)
        url = link(s3, "GET", target, *form.headers)
        s3.expect(follow(s3, "GET", url, *form.headers), ok(), body(content))


@scenario("AUTH-024", SHOULD, "PutObject", source=_SUITE, clients=("raw",))
def headers_in_canonical_form(s3: Scene) -> None:
    """Signed headers count without the case of their names and without spare spaces in their values.

    S3 promises: for the signature, names are in small letters, values lose the spaces at both ends, and several spaces
    in a row are one. How a client or a proxy writes them does not matter.

    Breaks: libraries that send X-AMZ-META-… or x-amz-meta-…, metadata with aligned or padded text, HTTP/2 front ends
    that turn all names into small letters.

    Fix: fold names and spaces before signing; of white space, nothing but the space itself.
    """
    value, header = "  a   b    c  ", "X-Amz-Meta-Padded"
    for spelled in (str.upper, str.lower, str.title):
        key = f"{spelled.__name__}"
        s3.expect(ask(s3, "PUT", path(s3, key), (header, value), body=CONTENT, spelled=spelled), ok())
        found = s3.look("HeadObject", Key=s3.key(key))
        words = found.output.get("Metadata", {}).get("padded", "").split()
        s3.check(words == ["a", "b", "c"], "HeadObject: the words of x-amz-meta-padded", f"found {words}", found)
    other = _changed(Form("", "", (), "a   b", "a b b"))
    s3.expect(ask(s3, "PUT", path(s3, "forged"), (header, value), body=CONTENT, signing=other), MISMATCH)
    is_missing(s3, path(s3, "forged"))


@scenario("AUTH-025", SHOULD, "GetObject", source=_SUITE, clients=("raw",))
def query_in_canonical_form(s3: Scene) -> None:
    """For the signature, a parameter without "=" has an empty value, and repeated ones are sorted by value.

    S3 promises: ?acl and ?acl= are signed alike, as `acl=`. Parameters are in the order of their encoded names, those
    of one name in the order of their encoded values, whatever the order on the wire.

    Breaks: SDKs write subresources either way, and clients do not send parameters in sorted order. A server that signs
    the query as it came refuses them.

    Fix: split at & and the first =, decode and encode once, sort the pairs, and write each with its equals sign.
    """
    s3.put(s3.key(), CONTENT)
    for query in ("x-bare", "x-bare=", "x-z=2&x-b&x-a=&x-z=1&x-z=%20&X-Z=0&x-b=%2F"):
        s3.expect(ask(s3, "GET", path(s3, query=query)), ok(), body(CONTENT))
        s3.expect(follow(s3, "GET", link(s3, "GET", path(s3, query=query))), ok(), body(CONTENT))
    bare = Signing(instead=_with_target(lambda target: target.replace("x-bare", "x-bare=1")))
    s3.expect(ask(s3, "GET", path(s3, query="x-bare"), signing=bare), MISMATCH)
    once = Signing(instead=_with_target(lambda target: target.removesuffix("&x-a=2")))
    s3.expect(ask(s3, "GET", path(s3, query="x-a=1&x-a=2"), signing=once), MISMATCH)


@scenario("AUTH-026", SHOULD, "PutObject", "GetObject", source=_DOCUMENTATION, clients=("raw",))
def path_as_it_came(s3: Scene) -> None:
    """Paths are signed as they came, encoded once: double slashes and dot segments are neither joined nor resolved.

    S3 promises: "a//b", "./a" and "a/../b" are keys like any other, and their paths are not normalised as URLs of
    other services are. Each byte is percent-encoded exactly once.

    Breaks: keys with empty segments, which many tools make by joining prefixes, and keys with percent or plus signs:
    refused as SignatureDoesNotMatch, or worse, stored under another name.

    Fix: take the raw request target before a URL library, router or proxy has cleaned it; decode once, encode once.
    """
    for name in ("a//b", "./x", "a/../b", "100%", "a%2Fb"):
        target = path(s3, name)
        s3.expect(ask(s3, "PUT", target, body=name.encode()), ok())
        s3.expect(ask(s3, "GET", target), ok(), body(name.encode()))
    joined = Signing(instead=_with_target(lambda target: target.replace("a//b", "a/b")))
    s3.expect(ask(s3, "GET", path(s3, "a//b"), signing=joined), MISMATCH)
    twice = Signing(instead=_with_target(lambda target: target.replace("100%25", "100%2525")))
    s3.expect(ask(s3, "GET", path(s3, "100%"), signing=twice), MISMATCH)


def _with_target(change: Callable[[str], str]) -> Callable[[Head], Head]:
    return lambda head: Head(head.method, change(head.target), head.headers)
