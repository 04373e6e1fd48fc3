"""`rclone check` and its kin: what is told to be equal is equal, and what differs is found."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from harness.clients.base import Observed
from harness.expect import body, ok
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from scenarios.mpu import begin, naming, store
from scenarios.workflows._rclone import printed, remote
from scenarios.workflows._steps import files, finished, holds, sent, stored

UNSURE = "could not be checked"
"""What rclone says, beside exit code 0, of files whose hashes it does not know."""

LOCAL = {"same.txt": b"equal on both sides", "changed.txt": b"Content 1", "sub/local.txt": b"only here"}
STORED = {"same.txt": b"equal on both sides", "changed.txt": b"Content 2", "sub/stored.txt": b"only there"}
"""changed.txt has one size on both sides, so that only its bytes tell."""


def one_part(s3: Scene, name: str, content: bytes, md5chksum: bool = False) -> None:
    """An object made by a multipart upload of one part, so that its ETag is no MD5 of the content.

    With `md5chksum` the MD5 is in the metadata where rclone keeps it (rclone documentation, S3, "Multipart uploads").
    """
    digest = base64.b64encode(hashlib.md5(content).digest()).decode()
    upload = begin(s3, s3.key(name), **({"Metadata": {"md5chksum": digest}} if md5chksum else {}))
    s3.setup("CompleteMultipartUpload", **upload, **naming(store(s3, upload, 1, content)))


def differing(s3: Scene, run: Observed, *expected: str) -> None:
    """`check --combined -` ended with exit code 1 and printed exactly these lines."""
    shown = sorted(run.stdout.splitlines())
    text = f"exit code 1 and the lines {sorted(expected)!r}"
    s3.check(run.exit_code == 1 and shown == sorted(expected), text, f"got {run.summary()} and {shown!r}", run)


def certain(s3: Scene, run: Observed) -> None:
    """No file was left unchecked for want of a hash."""
    s3.check(UNSURE not in run.stderr, "the hash of every file is known", f"it said {run.stderr[-300:]!r}", run)


def sums(contents: Mapping[str, bytes], algorithm: str) -> list[str]:
    """The lines of `rclone hashsum`."""
    return [f"{hashlib.new(algorithm, content).hexdigest()}  {name}" for name, content in contents.items()]


@scenario(
    "RCLONE-035",
    SHOULD,
    "ListObjects",
    "HeadObject",
    source="rclone documentation, check; output and exit codes measured with rclone 1.75.2",
    clients=("rclone",),
)
def check(s3: Scene) -> None:
    """`rclone check --combined -` finds what is changed, missing and superfluous, and takes equal trees for equal.

    S3 promises: the ETag of an object stored by PutObject is the MD5 of its bytes, in listings too; rclone compares
    it with the MD5 of the file and downloads nothing.

    Breaks: whoever deletes a source after `rclone check`. With another ETag every file differs, or nothing is checked.

    Fix: give the MD5 of the body as the ETag of plain uploads, and the same one in HeadObject and in listings.
    """
    stored(s3, STORED)
    run = s3.program("check", str(files(s3, LOCAL)), remote(s3), "--combined", "-")
    differing(s3, run, "= same.txt", "* changed.txt", "+ sub/local.txt", "- sub/stored.txt")
    certain(s3, run)
    equal = s3.program("check", str(files(s3, STORED)), remote(s3), "--combined", "-")
    printed(s3, equal, *(f"= {name}" for name in STORED))
    certain(s3, equal)
    holds(s3, STORED)


@scenario(
    "RCLONE-101",
    SHOULD,
    "ListObjects",
    "HeadObject",
    source="rclone documentation, check; output and exit codes measured with rclone 1.75.2",
    clients=("rclone",),
)
def check_in_part(s3: Scene) -> None:
    """`rclone check --one-way` overlooks what the source lacks, and `--size-only` what has the same size.

    S3 promises: a listing gives each object's size in bytes.

    Breaks: quick checks of large archives, which read sizes alone; a wrong size is a false alarm for every file.

    Fix: list the size that the object was stored with, of multipart and compressed objects too.
    """
    stored(s3, STORED)
    local = str(files(s3, LOCAL))
    run = s3.program("check", local, remote(s3), "--one-way", "--combined", "-")
    differing(s3, run, "= same.txt", "* changed.txt", "+ sub/local.txt")
    run = s3.program("check", local, remote(s3), "--size-only", "--combined", "-")
    differing(s3, run, "= same.txt", "= changed.txt", "+ sub/local.txt", "- sub/stored.txt")
    holds(s3, STORED)


@scenario(
    "RCLONE-036",
    SHOULD,
    "GetObject",
    source="rclone documentation, check --download; exit codes measured with rclone 1.75.2",
    clients=("rclone",),
)
def check_download(s3: Scene) -> None:
    """`rclone check --download` reads every object and finds the one with a changed byte.

    S3 promises: GetObject gives the bytes that were stored.

    Breaks: the last check before a source is given up. It believes no ETag, so a damaged download is all it can meet.

    Fix: give whole and unchanged bytes, also to eight readers at once.
    """
    contents = {"same.bin": bytes(range(256)) * 300, "changed.bin": b"a" * 70_000}
    stored(s3, contents)
    local = files(s3, contents | {"changed.bin": b"a" * 69_999 + b"b"})
    run = s3.program("check", str(local), remote(s3), "--download", "--combined", "-")
    differing(s3, run, "= same.bin", "* changed.bin")
    if run.exchanges:
        read = {what.key for what, _ in sent(s3, run, "GetObject")}
        s3.check(read == set(map(s3.key, contents)), "every object is read", f"GetObject of {sorted(read)}", run)
    holds(s3, contents)


@scenario(
    "RCLONE-102",
    SHOULD,
    "CompleteMultipartUpload",
    "GetObject",
    source="measured with rclone 1.75.2: exit code 0 and '=' for other bytes of the same size; rclone/rclone#5993",
    clients=("rclone",),
)
def check_of_multipart_objects(s3: Scene) -> None:
    """`rclone check` never calls other bytes of a multipart object equal without saying that it did not look.

    S3 promises: a multipart object has an ETag that ends in "-" and the number of its parts, so that nobody takes it
    for the MD5 of the content. rclone then compares sizes alone, ends with exit code 0, prints "=", and says only on
    standard error that hashes could not be checked; `--download` tells the truth.

    Breaks: checks of objects that other programs uploaded in parts. If the ETag is not marked, equal files differ.

    Fix: mark the ETag of a multipart object, and give its bytes as they are.
    """
    contents = {"same.bin": b"uploaded in one part", "other.bin": b"quite other content!"}
    for name, content in contents.items():
        one_part(s3, name, content)
    local = str(files(s3, contents | {"other.bin": b"what one has locally"}))
    run = s3.program("check", local, remote(s3), "--combined", "-")
    if run.exit_code == 0:
        told = "2 hashes " + UNSURE in run.stderr
        s3.check(told, f"'2 hashes {UNSURE}', or exit code 1", f"it said {run.stderr[-300:]!r}", run)
    else:
        differing(s3, run, "= same.bin", "* other.bin")
    differing(s3, s3.program("check", local, remote(s3), "--download", "--combined", "-"), "= same.bin", "* other.bin")
    holds(s3, contents)


@scenario(
    "RCLONE-037",
    SHOULD,
    "ListObjects",
    "HeadObject",
    source="rclone documentation, md5sum and S3 'Multipart uploads'; measured with rclone 1.75.2",
    clients=("rclone",),
)
def md5sum(s3: Scene) -> None:
    """`rclone md5sum` prints the MD5 of plain objects, and of multipart objects that rclone uploaded.

    S3 promises: the ETag of a plain upload is its MD5; metadata given to CreateMultipartUpload is the object's, and
    there rclone keeps the MD5 of what it uploads in parts.

    Breaks: lists of checksums kept beside archives, and every later `rclone check` of large files.

    Fix: keep the x-amz-meta-* headers of CreateMultipartUpload and give them in HeadObject.
    """
    plain = {"plain.txt": b"plain", "sub/more.txt": b"more"}
    stored(s3, plain)
    parts = {"parts.bin": b"uploaded in parts"}
    one_part(s3, "parts.bin", parts["parts.bin"], md5chksum=True)
    run = s3.program("md5sum", remote(s3))
    printed(s3, run, *sums(plain | parts, "md5"))
    holds(s3, plain | parts)


@scenario(
    "RCLONE-038",
    SHOULD,
    "GetObject",
    source="rclone documentation, hashsum; measured with rclone 1.75.2",
    clients=("rclone",),
)
def sha256_of_downloads(s3: Scene) -> None:
    """`rclone hashsum sha256 --download` prints the SHA-256 of what is stored.

    S3 promises: GetObject gives the bytes that were stored; no ETag is needed for it.

    Breaks: checksums for publication. A gateway that compresses on the way, or adds framing, makes them wrong.

    Fix: leave bodies alone, whatever Accept-Encoding says.
    """
    contents = {"text.txt": b"compressible " * 5000, "sub/bytes.bin": bytes(range(256)) * 9}
    stored(s3, contents)
    printed(s3, s3.program("hashsum", "sha256", "--download", remote(s3)), *sums(contents, "sha256"))
    holds(s3, contents)


@scenario(
    "RCLONE-046",
    EXTENDED,
    "ListObjects",
    "DeleteObject",
    source="rclone documentation, dedupe; measured with rclone 1.75.2",
    clients=("rclone",),
)
def dedupe_by_hash(s3: Scene) -> None:
    """`rclone dedupe --by-hash` names objects of equal content, and `--dedupe-mode first` leaves one of them.

    S3 promises: equal content has an equal ETag where it was stored by PutObject.

    Breaks: clean-up of double uploads. ETags that are not MD5 hide them; one that is given twice deletes good files.

    Fix: make the ETag the MD5 of the content.
    """
    twice, other = b"stored twice", b"stored once"
    contents = {"first.txt": twice, "second.txt": twice, "single.txt": other}
    stored(s3, contents)
    run = s3.program("dedupe", "--by-hash", "--dedupe-mode", "list", remote(s3))
    s3.expect(run, ok())
    heading = f"{hashlib.md5(twice).hexdigest()}: 2 duplicates"
    text = f"the lines {heading!r}, first.txt and second.txt"
    shown = run.stdout.splitlines()
    named = sorted(line.rpartition(", ")[2] for line in shown[1:])
    s3.check(shown[:1] == [heading] and named == ["first.txt", "second.txt"], text, f"it printed {shown!r}", run)
    holds(s3, contents)
    run = s3.program("dedupe", "--by-hash", "--dedupe-mode", "first", remote(s3))
    finished(s3, run, "DeleteObject", Key=s3.key("second.txt"))
    reads = [s3.look("GetObject", Key=s3.key(name)) for name in ("first.txt", "second.txt")]
    left = [read for read in reads if read.status != 404]
    s3.check(len(left) == 1, "one of two equal objects is left", f"{len(left)} are left", left[0] if left else run)
    s3.expect(left[0], ok(), body(twice))
    s3.expect(s3.look("GetObject", Key=s3.key("single.txt")), ok(), body(other))
