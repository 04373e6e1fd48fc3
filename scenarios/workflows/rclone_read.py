"""rclone commands that read part of an object, or give away a link to it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from harness.clients.base import Observed, joined
from harness.expect import body, ok, refused
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from scenarios.workflows._rclone import OWN_BUCKET, remote
from scenarios.workflows._steps import holds, sent, stored

DIGITS = b"".join(b"%03d," % number for number in range(250))
"""1000 bytes, of which each four say where they stand."""

LINK_SOURCE = "rclone documentation, link; AWS SigV4 query string authentication; measured with rclone 1.75.2"


def partial(s3: Scene, run: Observed) -> None:
    """A command asked for one range, and was answered 206."""
    reads = [
        (joined(exchange.request_headers).get("range"), exchange.status) for _, exchange in sent(s3, run, "GetObject")
    ]
    partly = len(reads) == 1 and reads[0][0] is not None and reads[0][1] == 206
    s3.check(partly, "one GetObject with a Range, answered 206", f"Range and status were {reads}", run)


def link(s3: Scene, name: str, *flags: str) -> str:
    """What `rclone link` prints."""
    run = s3.program("link", remote(s3, name), *flags)
    s3.expect(run, ok())
    return run.stdout.strip()


@scenario(
    "RCLONE-039",
    SHOULD,
    "GetObject",
    source="rclone documentation, cat; RFC 9110 section 14.2; measured with rclone 1.75.2",
    clients=("rclone",),
)
def cat_of_a_part(s3: Scene) -> None:
    """`rclone cat --offset 100 --count 10` and `--tail 5` print exactly these bytes.

    S3 promises: a GetObject with a Range is answered 206 with the bytes of the range, both ends included.

    Breaks: looking into logs and archives, `rclone mount`, and every resumed download.

    Fix: answer `Range: bytes=100-109` with ten bytes, status 206 and Content-Range.
    """
    stored(s3, {"digits": DIGITS})
    for flags, expected in (
        (("--offset", "100", "--count", "10"), DIGITS[100:110]),
        (("--tail", "5"), DIGITS[-5:]),
    ):
        run = s3.program("cat", remote(s3, "digits"), *flags)
        s3.expect(run, ok(), body(expected))
        if run.exchanges:
            partial(s3, run)
    holds(s3, {"digits": DIGITS})


@scenario(
    "RCLONE-040",
    SHOULD,
    "GetObject",
    source=LINK_SOURCE,
    clients=("rclone",),
)
def link_gives_the_object(s3: Scene) -> None:
    """`rclone link --expire 1h` prints a URL that gives the object to somebody without credentials.

    S3 promises: a request signed in its query (SigV4) is as good as one signed in its headers, until it expires.

    Breaks: links sent to others, and downloads by browsers.

    Fix: accept X-Amz-Signature in the query, over UNSIGNED-PAYLOAD, with `host` as the only signed header.
    """
    contents = {"a b+c/ü.txt": b"given away"}
    stored(s3, contents)
    url = link(s3, "a b+c/ü.txt", "--expire", "1h")
    expires = parse_qs(urlsplit(url).query).get("X-Amz-Expires")
    s3.check(expires == ["3600"], "a URL with X-Amz-Expires=3600", f"it was {url.partition('X-Amz-Signature')[0]!r}")
    s3.expect(s3.fetch(url), ok(), body(b"given away"))
    holds(s3, contents)


@scenario(
    "RCLONE-103",
    SHOULD,
    "GetObject",
    source=LINK_SOURCE,
    clients=("rclone",),
)
def link_expires(s3: Scene) -> None:
    """The URL that `rclone link --expire 1s` prints is refused with 403 two seconds later.

    S3 promises: a presigned URL is refused from X-Amz-Expires seconds after X-Amz-Date on.

    Breaks: whoever gives a link for a while: it stays good for all who ever saw it.

    Fix: add X-Amz-Expires to X-Amz-Date, and answer 403 AccessDenied when that time has passed.
    """
    stored(s3, {"object": b"for a second"})
    url = link(s3, "object", "--expire", "1s")
    s3.wait(2)
    s3.expect(s3.fetch(url), refused(403, "AccessDenied"))
    holds(s3, {"object": b"for a second"})


@scenario(
    "RCLONE-104",
    SHOULD,
    "GetObject",
    source=LINK_SOURCE,
    clients=("rclone",),
)
def link_is_for_one_object(s3: Scene) -> None:
    """The URL that `rclone link` prints gives no other object when its path is changed.

    S3 promises: the signature of a presigned URL covers the path.

    Breaks: everybody with a link to one object can read all others.

    Fix: verify the signature over method, path, query and signed headers; answer 403 SignatureDoesNotMatch.
    """
    contents = {"given": b"given away", "secret": b"kept"}
    stored(s3, contents)
    url = link(s3, "given")
    s3.expect(s3.fetch(url), ok(), body(b"given away"))
    s3.expect(s3.fetch(url.replace("/given?", "/secret?")), refused(403, "SignatureDoesNotMatch", "AccessDenied"))
    holds(s3, contents)


@scenario(
    "RCLONE-050",
    EXTENDED,
    "GetObject",
    "PutObject",
    source="rclone documentation, copyurl; measured with rclone 1.75.2",
    clients=("rclone",),
)
def copyurl(s3: Scene) -> None:
    """`rclone copyurl` stores what a URL gives, here a presigned link to another object of the endpoint.

    S3 promises: PutObject stores the bytes it is sent, and a presigned URL gives them to a plain HTTP client, with
    their length.

    Breaks: fetching of published data straight into a bucket.

    Fix: send Content-Length with a presigned GET, and do not demand headers that a browser would not send.
    """
    stored(s3, {"source.csv": DIGITS})
    run = s3.program("copyurl", link(s3, "source.csv"), remote(s3, "copied.csv"), OWN_BUCKET)
    s3.expect(run, ok())
    holds(s3, {"source.csv": DIGITS, "copied.csv": DIGITS})
