"""rclone commands that list: names, sizes, times and hashes are those of what is stored."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Iterable

from harness.expect import ok
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios._listing import TREE
from scenarios.workflows._rclone import MTIME, entries, printed, remote
from scenarios.workflows._steps import MODIFIED, lines, sent, stored

SIZES = {"a.txt": b"first", "d/b.txt": b"second one", "d/e/c.txt": b""}
"""Names and bodies, one of them empty, in three folders."""


def folders(names: Iterable[str]) -> set[str]:
    """Every folder that the names lie in, with its slash, as `lsf` shows it."""
    return {name[: at + 1] for name in names for at, letter in enumerate(name) if letter == "/"}


@scenario(
    "RCLONE-001",
    MUST,
    "ListBuckets",
    source="rclone documentation, lsd; measured with rclone 1.75.2",
    clients=("rclone",),
)
def lsd_shows_the_bucket(s3: Scene) -> None:
    """`rclone lsd remote:` shows the bucket, once.

    S3 promises: ListBuckets names every bucket of the one who asks.

    Breaks: rclone's configuration is tried with exactly this command; whoever sees nothing takes the keys for wrong.

    Fix: answer GET of the service's root with ListAllMyBucketsResult, also with x-id=ListBuckets in the query.
    """
    s3.put(s3.key())
    run = s3.expect(s3.program("lsd", "remote:"), ok())
    shown = [line.split()[-1] for line in lines(run) if line.strip()]
    s3.check(shown.count(s3.bucket) == 1, f"a line for {s3.bucket}", f"it shows {shown!r}", run)


@scenario(
    "RCLONE-002",
    MUST,
    "ListObjects",
    "ListObjectsV2",
    source="rclone documentation, lsf; measured with rclone 1.75.2",
    clients=("rclone",),
)
def lsf_recursive(s3: Scene) -> None:
    """`rclone lsf -R` shows every object and every folder below a folder, each once.

    S3 promises: a listing without a delimiter names every key that begins with the prefix, once.

    Breaks: every recursive command of rclone; what a listing leaves out is copied again, or deleted at the other end.

    Fix: list keys by prefix, in UTF-8 byte order, each once, whatever folders a file system would see in them.
    """
    stored(s3, {name: name.encode() for name in TREE})
    printed(s3, s3.program("lsf", "-R", remote(s3)), *TREE, *folders(TREE))


@scenario(
    "RCLONE-003",
    SHOULD,
    "ListObjects",
    "ListObjectsV2",
    source="rclone documentation, --fast-list and --files-from; measured with rclone 1.75.2",
    clients=("rclone",),
)
def one_listing_for_a_tree(s3: Scene) -> None:
    """`rclone lsf -R --fast-list` shows the same tree as one walk through its folders one by one does.

    S3 promises: the listing without a delimiter and the listings with one are two views of the same keys.

    Breaks: whoever turns --fast-list on to pay for fewer requests. A tree that differs then makes sync delete files.

    Fix: make both listings from one index; fold keys into common prefixes only behind the prefix that was asked for.
    """
    stored(s3, {name: name.encode() for name in TREE})
    tree = [*TREE, *folders(TREE)]
    printed(s3, s3.program("lsf", "-R", "--fast-list", remote(s3)), *tree)
    walked = s3.program("lsf", "-R", "--disable", "ListR", remote(s3))
    printed(s3, walked, *tree)
    listings = len(sent(s3, walked, "ListObjects", "ListObjectsV2"))
    wanted = 1 + len(folders(TREE))
    s3.check(listings >= wanted, f"a listing for each of {wanted} folders", f"there were {listings}", walked)


@scenario(
    "RCLONE-004",
    MUST,
    "ListObjects",
    "ListObjectsV2",
    source="rclone documentation, lsf; measured with rclone 1.75.2",
    clients=("rclone",),
)
def lsf_of_one_folder(s3: Scene) -> None:
    """`rclone lsf` shows the objects and folders right below a folder, each folder once.

    S3 promises: with a delimiter, keys that continue behind it are folded into one common prefix.

    Breaks: copy, sync, check and mount, which walk trees folder by folder.

    Fix: send each common prefix once in the whole listing, not once for each key or page.
    """
    stored(s3, {name: name.encode() for name in TREE})
    top = {name for name in TREE if "/" not in name} | {name.partition("/")[0] + "/" for name in TREE if "/" in name}
    printed(s3, s3.program("lsf", remote(s3)), *top)
    below = {name.removeprefix("c/") for name in TREE if name.startswith("c/") and name.count("/") == 1}
    printed(s3, s3.program("lsf", remote(s3, "c")), *below, "x/")


@scenario(
    "RCLONE-009",
    SHOULD,
    "ListObjects",
    "ListObjectsV2",
    "HeadObject",
    source="rclone documentation, lsjson and the S3 backend's hashes; measured with rclone 1.75.2",
    clients=("rclone",),
)
def lsjson_hashes(s3: Scene) -> None:
    """`rclone lsjson -R --hash` shows the MD5 of every object that was stored in one piece, and its size.

    S3 promises: the ETag of such an object, in a listing as with HEAD, is the MD5 of its bytes.

    Breaks: check, sync --checksum and dedupe, which compare by hash; a wrong one means copying for ever.

    Fix: keep the MD5 of what was stored and show it as ETag. An ETag that is none must not look like one: give it a
    dash, as those of multipart uploads have.
    """
    stored(s3, SIZES)
    run = s3.program("lsjson", "-R", "--hash", remote(s3))
    shown = {path: (entry.get("Size"), entry.get("Hashes")) for path, entry in entries(s3, run).items()}
    wanted = {name: (len(content), {"md5": hashlib.md5(content).hexdigest()}) for name, content in SIZES.items()}
    s3.check(shown == wanted, f"sizes and hashes {wanted!r}", f"they were {shown!r}", run)


def stored_in_parts(s3: Scene, name: str, content: bytes, metadata: dict[str, str]) -> None:
    """An object of one part, whose ETag is no MD5 of its bytes, stored to prepare the scene."""
    key = s3.key(name)
    begun = s3.setup("CreateMultipartUpload", Key=key, Metadata=metadata)
    upload = begun.output.get("UploadId", "")
    part = s3.setup("UploadPart", Key=key, UploadId=upload, PartNumber=1, Body=content)
    parts = {"Parts": [{"PartNumber": 1, "ETag": part.etag or ""}]}
    s3.setup("CompleteMultipartUpload", Key=key, UploadId=upload, MultipartUpload=parts)


@scenario(
    "RCLONE-086",
    SHOULD,
    "CreateMultipartUpload",
    "CompleteMultipartUpload",
    "HeadObject",
    source="rclone documentation, hashes of multipart uploads; measured with rclone 1.75.2",
    clients=("rclone",),
)
def lsjson_hashes_of_parts(s3: Scene) -> None:
    """`rclone lsjson --hash` shows the MD5 that an upload in parts was given as metadata, and none where it was not.

    S3 promises: the ETag of such an object has a dash, so that nobody takes it for an MD5; metadata is kept.

    Breaks: check and sync --checksum of large files. An ETag without a dash is taken for the MD5, differs from that
    of the file, and the file is copied again for ever.

    Fix: put a dash into every ETag that is no MD5; keep x-amz-meta-md5chksum of CreateMultipartUpload.
    """
    content = b"stored in one part"
    digest = hashlib.md5(content).digest()
    stored_in_parts(s3, "told.bin", content, {"md5chksum": base64.b64encode(digest).decode()})
    stored_in_parts(s3, "untold.bin", content, {})
    run = s3.program("lsjson", "--hash", remote(s3))
    shown = {path: (entry.get("Hashes") or {}).get("md5", "") for path, entry in entries(s3, run).items()}
    wanted = {"told.bin": digest.hex(), "untold.bin": ""}
    s3.check(shown == wanted, f"MD5 {wanted!r}", f"it was {shown!r}", run)


@scenario(
    "RCLONE-010",
    SHOULD,
    "HeadObject",
    source="rclone documentation, lsjson; measured with rclone 1.75.2",
    clients=("rclone",),
)
def stat_of_an_object(s3: Scene) -> None:
    """`rclone lsjson --stat` shows an object's size, media type and time of modification to the nanosecond.

    S3 promises: HEAD shows length, Content-Type and the user metadata, among them rclone's x-amz-meta-mtime.

    Breaks: whatever asks rclone about one file: mount, serve and scripts.

    Fix: answer HEAD with the headers of GET, Content-Length and x-amz-meta-* included.
    """
    s3.put(s3.key("a.txt"), b"some text", ContentType="text/x-s3conform", Metadata={"mtime": MTIME})
    run = s3.program("lsjson", "--stat", remote(s3, "a.txt"))
    entry = entries(s3, run).get("a.txt", {})
    shown = {name: entry.get(name) for name in ("Size", "MimeType", "IsDir", "ModTime")}
    wanted = {"Size": 9, "MimeType": "text/x-s3conform", "IsDir": False, "ModTime": _stamp(MODIFIED)}
    s3.check(shown == wanted, f"{wanted!r}", f"it was {shown!r}", run)


@scenario(
    "RCLONE-011",
    SHOULD,
    "ListObjects",
    "ListObjectsV2",
    "HeadObject",
    source="rclone documentation, ls, lsl, tree and size; measured with rclone 1.75.2",
    clients=("rclone",),
)
def counts_and_bytes(s3: Scene) -> None:
    """`rclone ls`, `lsl`, `tree` and `size` show the same objects, with the same bytes and times.

    S3 promises: Size of a listing is the length of the object; HEAD shows the metadata that it was stored with.

    Breaks: whoever compares a backup with its source by these figures.

    Fix: list the size of what is stored, also where it is kept encrypted or compressed.
    """
    stored(s3, SIZES, Metadata={"mtime": MTIME})
    sizes = {name: f"{len(content):9} " for name, content in SIZES.items()}
    printed(s3, s3.program("ls", remote(s3)), *(size + name for name, size in sizes.items()))
    run = s3.program("lsl", remote(s3), environment={"TZ": "UTC"})
    time = _stamp(MODIFIED).replace("T", " ").removesuffix("Z")
    printed(s3, run, *(f"{size}{time} {name}" for name, size in sizes.items()))
    printed(s3, s3.program("tree", "--noindent", "--noreport", remote(s3)), "/", "a.txt", "d", "b.txt", "e", "c.txt")
    total = sum(map(len, SIZES.values()))
    printed(s3, s3.program("size", "--json", remote(s3)), f'{{"count":{len(SIZES)},"bytes":{total},"sizeless":0}}')


def _stamp(nanoseconds: int) -> str:
    """A time as rclone prints it, in UTC."""
    seconds, rest = divmod(nanoseconds, 10**9)
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:09}Z"
