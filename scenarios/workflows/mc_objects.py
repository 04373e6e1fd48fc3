"""mc, the client of MinIO, with its alias and with objects: `alias`, `cp`, `put`, `stat`, `share`."""

from __future__ import annotations

import json
from typing import Any

from harness.clients.base import Observed
from harness.clients.commands import CommandClient
from harness.expect import body, ok, output, refused
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from harness.signals import ClientFault, Inexpressible, Mismatch
from scenarios.etag import md5_etag
from scenarios.meta import has_metadata
from scenarios.workflows._steps import LARGE, exits, files, finished, found, holds, lines, prints, requests

TYPE = "text/x-s3conform"


def place(s3: Scene, name: str = "") -> str:
    """The cell's place, or something below it, as mc's commands take it."""
    return f"remote/{s3.bucket}/{s3.prefix}{name}"


def mc(s3: Scene, *arguments: str) -> Observed:
    """A command of mc, which asks for the location of the bucket first, and gives up where it does not learn it.

    Raises:
        Mismatch: that is what happened, and the location is refused to the witness too.
    """
    run = s3.program(*arguments)
    asked = requests(s3, run, "GetBucketLocation")
    if asked and len(asked) == len(run.exchanges) and asked[-1].status != 200:
        s3.expect(s3.look("GetBucketLocation"), ok())
    return run


def alias(s3: Scene, secret: str = "") -> Observed:
    """`mc alias set` of the endpoint as `made`, with the run's credentials, or with another secret key."""
    if not isinstance(s3.client, CommandClient):
        raise Inexpressible(f"{s3.client.name} has no aliases")
    credentials = s3.client.endpoint.credentials
    if credentials.session_token:
        raise Inexpressible("mc alias set takes no session token")
    answers = f"{credentials.access_key}\n{secret or credentials.secret_key}\n"
    return s3.program("alias", "set", "made", s3.client.tapped, stdin=answers.encode())


def shown(run: Observed) -> dict[str, Any]:
    """The JSON object that `mc stat --json` printed.

    Raises:
        Mismatch: it printed something else.
    """
    try:
        return dict(json.loads(run.body or b""))
    except (ValueError, TypeError):
        raise Mismatch("a JSON object", f"it printed {run.stdout[:200]!r}", run) from None


@scenario(
    "MC-001",
    SHOULD,
    "GetBucketLocation",
    "ListObjectsV2",
    source="mc documentation, alias set; wire measured with mc of 2025-03-13",
    clients=("mc",),
)
def alias_set(s3: Scene) -> None:
    """`mc alias set` takes the endpoint, and `mc ls` lists by the alias.

    S3 promises: GetBucketLocation of a bucket that does not exist is 404 NoSuchBucket: by that mc finds out, with a
    name that nobody has, which signatures are accepted.

    Breaks: mc, which cannot be set up where the location of a missing bucket is anything else.

    Fix: answer GetBucketLocation; look for the bucket before saying that it is not implemented.
    """
    s3.put(s3.key("object"))
    made = alias(s3)
    if not made.ok:
        s3.expect(s3.look("GetBucketLocation", Bucket=s3.bucket_name()), refused(404, "NoSuchBucket"))
    s3.expect(made, ok())
    run = s3.program("ls", f"made/{s3.bucket}/{s3.prefix}")
    finished(s3, run, "ListObjectsV2", Prefix=s3.prefix)
    names = [line.split()[-1] for line in lines(run)]
    s3.check(names == ["object"], "the one object", f"it showed {names}", run)
    holds(s3, {"object": b"s3conform"})


@scenario(
    "MC-010",
    SHOULD,
    "GetBucketLocation",
    source="mc documentation, alias set; measured with mc of 2025-03-13",
    clients=("mc",),
)
def alias_with_a_wrong_secret(s3: Scene) -> None:
    """`mc alias set` with a wrong secret key ends with exit code 1: the endpoint refuses the signature.

    S3 promises: a signature that does not match is 403 SignatureDoesNotMatch, also for a bucket that is not there.

    Breaks: whoever mistypes a key, and learns of it in the middle of the night.

    Fix: verify the signature before anything else is looked at.
    """
    run = alias(s3, "not-the-secret-of-this-access-key")
    s3.expect(run, exits(1))
    statuses = {sent.status for sent in requests(s3, run, "GetBucketLocation")}
    s3.check(statuses == {403}, "GetBucketLocation refused with 403", f"the answers were {statuses}", run)


@scenario(
    "MC-003",
    MUST,
    "PutObject",
    "HeadObject",
    "GetObject",
    source="mc documentation, cp; wire measured with mc of 2025-03-13",
    clients=("mc",),
)
def cp_there_and_back(s3: Scene) -> None:
    """`mc cp` stores a file with its headers and metadata, and brings it back.

    S3 promises: over plain http a body may come in chunks, each signed (STREAMING-AWS4-HMAC-SHA256-PAYLOAD); their
    frames are no part of the object.

    Breaks: mc and all programs made with MinIO's library, whose objects are otherwise stored with chunk headers.

    Fix: decode aws-chunked bodies, and verify the signature of every chunk.
    """
    content = b"there and back again"
    folder, key = files(s3, {"up": content}), s3.key("a b+é")
    up = mc(s3, "cp", "--attr", f"Content-Type={TYPE};colour=blue", str(folder / "up"), place(s3, "a b+é"))
    finished(s3, up, "PutObject", Key=key, Body=content)
    seen = s3.look("GetObject", Key=key)
    s3.expect(seen, ok(), body(content), output("ContentType", TYPE), has_metadata({"colour": "blue"}))
    down = mc(s3, "cp", place(s3, "a b+é"), str(folder / "down"))
    finished(s3, down, "GetObject", Key=key)
    s3.check(found(folder).get("down") == content, "a file of the same bytes", "it is not", down)


@scenario(
    "MC-011",
    MUST,
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    source="mc documentation, put --part-size; wire measured with mc of 2025-03-13",
    clients=("mc",),
)
def put_in_parts(s3: Scene) -> None:
    """`mc put --part-size 5MiB` uploads a file in parts of 5 MiB, and the object is the file.

    S3 promises: parts that were uploaded side by side, each in signed chunks, are joined by their numbers.

    Breaks: all files above 16 MiB, which mc sends in parts by default.

    Fix: decode the chunks of a part as those of an object.
    """
    source = files(s3, {"large": LARGE}) / "large"
    run = mc(s3, "put", "--part-size", "5MiB", str(source), place(s3, "large"))
    finished(s3, run, "CreateMultipartUpload", Key=s3.key("large"))
    parts = len(requests(s3, run, "UploadPart"))
    s3.check(parts == 2, "two parts", f"it sent {parts}", run)
    holds(s3, {"large": LARGE})


@scenario(
    "MC-008",
    SHOULD,
    "HeadObject",
    "ListObjectsV2",
    source="mc documentation, stat; output measured with mc of 2025-03-13",
    clients=("mc",),
)
def stat(s3: Scene) -> None:
    """`mc stat --json` prints size, ETag, type and metadata of an object, and of a missing one that it does not exist.

    S3 promises: HeadObject answers with the headers of GetObject and no body; 404 where there is no such key.

    Breaks: scripts that decide by it whether to upload again.

    Fix: 404 for a missing key, not 403 or 200; Content-Length is the size of the object.
    """
    content = b"looked at"
    s3.put(s3.key("object"), content, ContentType=TYPE, Metadata={"colour": "blue"})
    run = mc(s3, "stat", "--json", place(s3, "object"))
    finished(s3, run, "HeadObject", Key=s3.key("object"))
    entry = shown(run)
    headers = {name.lower(): value for name, value in (entry.get("metadata") or {}).items()}
    wanted = (len(content), md5_etag(content).strip('"'), TYPE, "blue")
    seen = (entry.get("size"), entry.get("etag"), headers.get("content-type"), headers.get("x-amz-meta-colour"))
    s3.check(seen == wanted, f"{wanted}", f"it printed {seen}", run)
    missing = mc(s3, "stat", "--json", place(s3, "none"))
    s3.expect(s3.look("HeadObject", Key=s3.key("none")), refused(404))
    s3.expect(missing, exits(1), prints("does not exist"))


@scenario(
    "MC-009",
    SHOULD,
    "GetObject",
    source="mc documentation, share download; measured with mc of 2025-03-13",
    clients=("mc",),
)
def share_download(s3: Scene) -> None:
    """`mc share download` prints a URL that gives the object to anybody.

    S3 promises: the parameters X-Amz-Algorithm to X-Amz-Signature stand for an Authorization header.

    Breaks: links that are sent to people.

    Fix: verify the query without X-Amz-Signature; the payload hash is UNSIGNED-PAYLOAD.
    """
    content = b"for everyone who has the URL"
    s3.put(s3.key("a b+é"), content)
    finished(s3, mc(s3, "stat", place(s3, "a b+é")), "HeadObject", Key=s3.key("a b+é"))  # share asks for it too
    run = s3.program("share", "download", "--expire", "10m", place(s3, "a b+é"))
    urls = [line.removeprefix("Share: ") for line in lines(run) if line.startswith("Share: ")]
    if not run.ok or not urls:
        raise ClientFault(f"mc share download printed no URL: {run.summary()}")
    s3.expect(s3.fetch(urls[0]), ok(), body(content))
