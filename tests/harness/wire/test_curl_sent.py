"""The curl line comes to the same answer as the request that it repeats: real curl, bash and reference server."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from harness.clients.base import Observed
from harness.clients.raw import RawClient, Signing
from harness.config import Endpoint
from harness.wire.curl import curl
from harness.wire.sigv4 import Credentials
from tests import support

CURL = shutil.which("curl")
OLDEST = (7, 87)
BUCKET = "curl-sent"
HUGE = str(5 * 1024**3 + 1)
TAGGING = b"<Tagging>\r\n<TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>\n"
DELETE = b"<Delete><Object><Key>missing</Key></Object></Delete>"
MD5 = base64.b64encode(hashlib.md5(DELETE).digest()).decode()
UNSIGNED = ("x-amz-content-sha256", "UNSIGNED-PAYLOAD")


def version() -> tuple[int, ...]:
    """Of the curl that there is; () without one."""
    if CURL is None:
        return ()
    text = subprocess.run([CURL, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
    return tuple(int(number) for number in text.split()[1].split(".")[:2] if number.isdigit())


pytestmark = pytest.mark.skipif(
    version() < OLDEST, reason=f"needs curl {'.'.join(map(str, OLDEST))}, which signs as S3 demands, or later"
)


class Sender(NamedTuple):
    """Sends as raw HTTP, and again as curl."""

    raw: RawClient
    again: Callable[[Observed], tuple[int, str]]


@pytest.fixture(scope="module")
def sender() -> Iterator[Sender]:
    """Both against a reference server of the module's own, with the object `k` and the bucket of all requests."""
    with support.reference_server() as server:
        credentials = Credentials(server.access_key, server.secret_key)
        raw = RawClient(Endpoint(server.endpoint, credentials, server.region, timeout=10))
        keys = {"AWS_ACCESS_KEY_ID": server.access_key, "AWS_SECRET_ACCESS_KEY": server.secret_key}

        def again(observed: Observed) -> tuple[int, str]:
            # A region that is wrong everywhere: what the request was signed for is in the exchange.
            command = curl(observed.exchanges[-1], "elsewhere")
            done = subprocess.run(
                ["/bin/bash", "-c", command],
                env=support.environment(**keys),
                capture_output=True,
                timeout=40,
                check=False,
            )
            answer = done.stdout.decode("utf-8", "replace")
            statuses = [int(status) for status in re.findall(r"(?m)^HTTP/1\.1 (\d+)", answer) if status != "100"]
            assert statuses, (command, done.stderr)
            return statuses[-1], "".join(re.findall(r"<Code>(\w+)</Code>", answer))

        assert raw.call("CreateBucket", {"Bucket": BUCKET}).ok
        assert raw.call("PutObject", {"Bucket": BUCKET, "Key": "k", "Body": b"body"}).ok
        yield Sender(raw, again)
        raw.close()


REQUESTS: dict[str, tuple[str, str, list[tuple[str, str]], bytes, dict[str, Any], int]] = {
    # name: method, target below the bucket, headers, body, options of `RawClient.send`, status
    "body-without-type": ("PUT", "/a", [], b"hello", {}, 200),
    "body-with-type": ("PUT", "/a", [("Content-Type", "text/plain")], b"hello", {}, 200),
    "body-of-odd-text": ("PUT", "/a", [], "@'\"\\ \u00e9\u2028\x07\r\n$HOME".encode(), {}, 200),
    "empty-body": ("PUT", "/empty", [], b"", {}, 200),
    "headers-with-spaces": ("PUT", "/a", [("x-amz-meta-B", "a  b"), ("x-amz-meta-a", " c ")], b"x", {}, 200),
    "header-in-utf-8": ("PUT", "/a", [("x-amz-meta-a", "\u00e9")], b"x", {}, 200),
    "xml": ("PUT", "/k?tagging", [], TAGGING, {}, 200),
    "post-xml": ("POST", "?delete", [("Content-MD5", MD5)], DELETE, {}, 200),
    "post-nothing": ("POST", "/mpu?uploads", [], b"", {}, 200),
    "query-without-value": ("GET", "?acl", [], b"", {}, 200),
    "query-spelled-oddly": ("GET", "?prefix=b&prefix-x&list-type=2&delimiter=/&a=%7e", [], b"", {}, 200),
    "key-encoded": ("PUT", "/a%20b%2Bc%26%C3%A9~%25%28%27%29%21%2A", [], b"x", {}, 200),
    "key-not-encoded": ("PUT", "/a+b(c)'!*=:@,;", [], b"x", {}, 200),
    "key-in-lower-case-escapes": ("PUT", "/%c3%a9%7E", [], b"x", {}, 200),
    "key-of-slashes": ("PUT", "//a//b//", [], b"x", {}, 200),
    "copy": ("PUT", "/c", [("x-amz-copy-source", f"/{BUCKET}/k")], b"", {}, 200),
    "range": ("GET", "/k", [("Range", "bytes=1-2")], b"", {}, 206),
    "delete": ("DELETE", "/missing", [], b"", {}, 204),
    "head": ("HEAD", "/k", [], b"", {}, 200),
    "head-of-nothing": ("HEAD", "/missing", [], b"", {}, 404),
    "get-of-nothing": ("GET", "/missing", [], b"", {}, 404),
    "expect": ("PUT", "/a", [("Expect", "100-continue")], b"hello", {}, 200),
    "announced": (
        "PUT",
        "/huge",
        [("Content-Length", HUGE), ("Expect", "100-continue"), UNSIGNED],
        b"",
        {"content_length": False, "patience": 5},
        400,
    ),
    "no-length": ("PUT", "/a", [], b"", {"content_length": False}, 411),
    "wrong-hash": ("PUT", "/a", [("x-amz-content-sha256", "0" * 64)], b"x", {}, 400),
    "other-region": ("GET", "/k", [], b"", {"signing": Signing(region="eu-west-9")}, 400),
    "other-service": ("GET", "/k", [], b"", {"signing": Signing(service="ec2")}, 400),
    "no-signature": ("GET", "/k", [], b"", {"signing": None}, 403),
    "no-signature-of-a-body": ("PUT", "/a", [], b"x", {"signing": None}, 403),
    "nonsense-for-a-signature": ("GET", "/k", [("Authorization", "nonsense")], b"", {"signing": None}, 400),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_curl_is_answered_as_the_request_was(sender, name):
    """With the same status, and the same error code where there is one."""
    method, target, headers, body, options, status = REQUESTS[name]
    operation = "GetObject" if method == "GET" else "PutObject"
    given = sender.raw.send(operation, method, f"/{BUCKET}{target}", headers, body, bucket=BUCKET, **options)
    assert given.status == status, given.exchanges
    assert sender.again(given) == (status, given.code)


@pytest.mark.parametrize(("method", "body"), [("GET", b""), ("PUT", b"hello")])
def test_a_presigned_url_is_answered_as_it_was(sender, method, body):
    """One that has not been redacted: with a type of curl's own it would be another request."""
    url = sender.raw.presign(method, f"/{BUCKET}/k", bucket=BUCKET)
    given = sender.raw.send("PutObject", method, url, [], body, bucket=BUCKET, signing=None)
    assert given.status == 200
    assert sender.again(given) == (200, "")


def test_what_curl_stores_is_what_was_stored(sender):
    """The type that is said for curl is the one that an object without a type has."""
    target = {"Bucket": BUCKET, "Key": "stored"}
    given = sender.raw.call("PutObject", target | {"Body": b"it's \0 no text"[:5]})
    before = sender.raw.call("GetObject", target)
    assert sender.raw.call("DeleteObject", target).ok
    assert sender.again(given) == (200, "")
    after = sender.raw.call("GetObject", target)
    assert (before.ok, before.body, before.headers["content-type"]) == (True, b"it's ", after.headers["content-type"])
    assert after.body == before.body
