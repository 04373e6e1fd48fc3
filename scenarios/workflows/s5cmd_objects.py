"""s5cmd with objects: `cp` up and down, in parts and by wildcard, `cat`, `head`, `presign`, `run`."""

from __future__ import annotations

import json
from typing import Any

from harness.clients.base import Observed
from harness.expect import body, ok, refused
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from harness.signals import ClientFault, Mismatch
from scenarios.etag import md5_etag
from scenarios.workflows._steps import LARGE, NAMES, exits, files, finished, holds, place, requests, stored, tells

TYPE = "text/x-s3conform"


def presigned(s3: Scene, name: str) -> str:
    """The URL that `s5cmd presign` prints.

    Raises:
        ClientFault: it printed none; for this it asks nobody.
    """
    run = s3.program("presign", "--expire", "10m", place(s3, name))
    url = run.stdout.strip()
    if not run.ok or not url.startswith(("http://", "https://")):
        raise ClientFault(f"s5cmd presign printed no URL: {run.summary()}")
    return url


def shown(run: Observed) -> dict[str, Any]:
    """The JSON object that `s5cmd head` printed.

    Raises:
        Mismatch: it printed something else.
    """
    try:
        return dict(json.loads(run.body or b""))
    except (ValueError, TypeError):
        raise Mismatch("a JSON object", f"it printed {run.stdout[:200]!r}", run) from None


@scenario(
    "S5CMD-004",
    MUST,
    "PutObject",
    "HeadObject",
    "GetObject",
    source="s5cmd documentation, upload and download a single object; wire measured with s5cmd 2.3.0",
    clients=("s5cmd",),
)
def cp_there_and_back(s3: Scene) -> None:
    """`s5cmd cp FILE s3://…` stores a file's bytes, and `s5cmd cp s3://… FILE` brings them back.

    S3 promises: PutObject checks Content-MD5 and stores the bytes; GetObject answers a range that ends behind the
    object with 206 and what there is of it. s5cmd looks with HeadObject and then asks for 50 MiB.

    Breaks: every download with s5cmd, where a range that is too long is refused.

    Fix: answer such a range with the bytes up to the end of the object, and 206.
    """
    folder, content = files(s3, {"up": b"there and back again"}), b"there and back again"
    up = s3.program("cp", str(folder / "up"), place(s3, "a b+é"))
    finished(s3, up, "PutObject", Key=s3.key("a b+é"), Body=content)
    holds(s3, {"a b+é": content})
    down = s3.program("cp", place(s3, "a b+é"), str(folder / "down"))
    finished(s3, down, "GetObject", Key=s3.key("a b+é"), Range="bytes=0-52428799")
    there = (folder / "down").is_file()
    s3.check(there and (folder / "down").read_bytes() == content, "a file of the same bytes", "it is not", down)


@scenario(
    "S5CMD-005",
    MUST,
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    source="s5cmd documentation, cp --part-size; wire measured with s5cmd 2.3.0",
    clients=("s5cmd",),
)
def cp_in_parts(s3: Scene) -> None:
    """`s5cmd cp --part-size 5` uploads a file in parts of 5 MiB, and the object is the file.

    S3 promises: parts that were uploaded side by side, in whatever order they came, are joined by their numbers.

    Breaks: all files above 50 MiB, which s5cmd sends in parts by default.

    Fix: join the parts in the order of the completion's list; take `Expect: 100-continue` on a part.
    """
    source = files(s3, {"large": LARGE}) / "large"
    run = s3.program("cp", "--part-size", "5", str(source), place(s3, "large"))
    finished(s3, run, "CreateMultipartUpload", Key=s3.key("large"))
    parts = len(requests(s3, run, "UploadPart"))
    s3.check(parts == 2, "two parts", f"it sent {parts}", run)
    holds(s3, {"large": LARGE})


@scenario(
    "S5CMD-006",
    SHOULD,
    "PutObject",
    source="s5cmd documentation, upload multiple files; wire measured with s5cmd 2.3.0",
    clients=("s5cmd",),
)
def cp_by_wildcard(s3: Scene) -> None:
    """`s5cmd cp 'FOLDER/*' s3://…/` stores a tree of files under their relative paths, many at once.

    S3 promises: keys are any UTF-8, decoded once from the path; uploads at the same time do not disturb each other.

    Breaks: bulk uploads, which are what s5cmd is for: it keeps 256 of them going.

    Fix: decode the request path once; take empty bodies.
    """
    run = s3.program("cp", f"{files(s3, NAMES)}/*", place(s3))
    finished(s3, run, "PutObject", Key=s3.key("probe"), Body=b"")
    holds(s3, NAMES)


@scenario(
    "S5CMD-007",
    SHOULD,
    "HeadObject",
    "GetObject",
    source="s5cmd documentation, print remote object content; wire measured with s5cmd 2.3.0",
    clients=("s5cmd",),
)
def cat_in_ranges(s3: Scene) -> None:
    """`s5cmd cat --part-size 5` prints an object of more than 5 MiB, read in two ranges, byte for byte.

    S3 promises: the ranges bytes=0-5242879 and bytes=5242880-10485759 together are the object, although the second
    ends behind it.

    Breaks: pipelines that read large objects from S3 into a program.

    Fix: cut a range at the end of the object, and say so in Content-Range.
    """
    s3.put(s3.key("large"), LARGE)
    run = s3.program("cat", "--part-size", "5", place(s3, "large"))
    finished(s3, run, "GetObject", Key=s3.key("large"), Range="bytes=5242880-10485759")
    s3.expect(run, body(LARGE))
    s3.expect(s3.look("GetObject", Key=s3.key("large")), ok(), body(LARGE))


@scenario(
    "S5CMD-008",
    SHOULD,
    "HeadObject",
    source="s5cmd documentation, head; output measured with s5cmd 2.3.0",
    clients=("s5cmd",),
)
def head(s3: Scene) -> None:
    """`s5cmd head` prints size, ETag, type and metadata of an object, and of a missing one "not found".

    S3 promises: HeadObject answers with the headers of GetObject and no body; 404 where there is no such key.

    Breaks: scripts that decide by it whether to upload again.

    Fix: 404 for a missing key, not 403 or 200; Content-Length is the size of the object.
    """
    content = b"looked at"
    s3.put(s3.key("object"), content, ContentType=TYPE, Metadata={"colour": "blue"})
    run = s3.program("head", place(s3, "object"))
    finished(s3, run, "HeadObject", Key=s3.key("object"))
    found = shown(run)
    wanted = {
        "size": len(content),
        "etag": md5_etag(content).strip('"'),
        "content_type": TYPE,
        "metadata": {"colour": "blue"},
    }
    seen = {name: found.get(name) for name in wanted}
    s3.check(seen == wanted, f"{wanted}", f"it printed {seen}", run)
    missing = s3.program("head", place(s3, "none"))
    s3.expect(s3.look("HeadObject", Key=s3.key("none")), refused(404))
    s3.expect(missing, exits(1), tells("not found"))


@scenario(
    "S5CMD-013",
    SHOULD,
    "GetObject",
    source="s5cmd documentation, presign; measured with s5cmd 2.3.0",
    clients=("s5cmd",),
)
def presign(s3: Scene) -> None:
    """`s5cmd presign` prints a URL that gives the object to anybody.

    S3 promises: the parameters X-Amz-Algorithm to X-Amz-Signature stand for an Authorization header.

    Breaks: links that are sent to people.

    Fix: verify the query without X-Amz-Signature; the payload hash is UNSIGNED-PAYLOAD.
    """
    content = b"for everyone who has the URL"
    s3.put(s3.key("a b+é"), content)
    s3.expect(s3.fetch(presigned(s3, "a b+é")), ok(), body(content))


@scenario(
    "S5CMD-018",
    SHOULD,
    "GetObject",
    source="Amazon S3 API reference, authenticating requests: using query parameters",
    clients=("s5cmd",),
)
def presign_of_another_key(s3: Scene) -> None:
    """A URL of `s5cmd presign` opens the one object that it was made for: with another key in it, it is refused.

    S3 promises: the signature covers method, path and query; anything else is 403 SignatureDoesNotMatch.

    Breaks: everybody who shares one file and not the whole bucket.

    Fix: compute the signature from the request as it came, and compare.
    """
    s3.put(s3.key("public"), b"for everyone who has the URL")
    s3.put(s3.key("secret"), b"for nobody")
    url = presigned(s3, "public")
    s3.expect(s3.fetch(url), ok(), body(b"for everyone who has the URL"))
    s3.expect(s3.fetch(url.replace("/public?", "/secret?")), refused(403))


@scenario(
    "S5CMD-014",
    SHOULD,
    "CopyObject",
    "PutObject",
    "DeleteObjects",
    source="s5cmd documentation, run multiple commands in parallel; measured with s5cmd 2.3.0",
    clients=("s5cmd",),
)
def run_batch(s3: Scene) -> None:
    """`s5cmd run` does many commands from standard input side by side; exit code 1 tells that one of them failed.

    S3 promises: requests at the same time are answered each for itself.

    Breaks: migrations of millions of objects, which are run this way.

    Fix: share no state between requests; copy before CopyObject is answered.
    """
    stored(s3, {"one": b"first", "two": b"second"})
    file = files(s3, {"new": b"third"}) / "new"
    commands = [f"cp {place(s3, 'one')} {place(s3, 'copy')}", f"cp {file} {place(s3, 'new')}"]
    run = s3.program("run", stdin="\n".join(commands).encode())
    finished(s3, run, "CopyObject", Key=s3.key("copy"), CopySource=f"{s3.bucket}/{s3.key('one')}")
    holds(s3, {"one": b"first", "two": b"second", "copy": b"first", "new": b"third"})
    commands = [f"cp {place(s3, 'none')} {place(s3, 'copy2')}", f"cp {place(s3, 'two')} {place(s3, 'copy3')}"]
    run = s3.program("run", stdin="\n".join(commands).encode())
    s3.expect(run, exits(1), tells("NoSuchKey"))
    holds(s3, {"one": b"first", "two": b"second", "copy": b"first", "new": b"third", "copy3": b"second"})
